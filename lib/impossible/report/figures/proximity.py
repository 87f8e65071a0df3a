"""Figure 3 of the paper: proximity and Self-BLEU by length of the context and by temperature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impossible.report.figures import style
from impossible.report.figures.curves import SERIES_NAMES
from impossible.report.figures.style import PAGE, styled

CONTEXT_AXES = {"length": "context sentences", "temperature": "sampling temperature"}
FEWEST_PAIRS = 5  # of a Self-BLEU; what rests on fewer counts as not measured
_FEW_POINTS = 3  # of an axis: a line through so few would say more than was measured
_HUMAN: dict[str, Any] = {**style.DASHED, "linestyle": (0, (6, 1.5, 1, 1.5))}  # no series' line


@styled
def proximity_curves(
    frame: pd.DataFrame, human_self_bleu: float | None = None, human_source: str = "paper",
    width: float = PAGE,
) -> Figure:  # fmt: skip
    """Fraction of equivalent pairs (top) and their Self-BLEU (below) by length and temperature.

    Up to three points of an axis stand alone, more are joined. What was not measured is a "–".

    Args:
        frame: one row per point: `axis` ("length" or "temperature"), `x`, `series` ("critic",
            the judge's name, "control", any other, or "self_bleu"), `value`, `low`, `high`; ratios
            in [0, 1], Self-BLEU in [0, 100]; with `n` a Self-BLEU of fewer than 5 pairs is left
            out. An axis without rows is shown as "not run".
        human_self_bleu: Self-BLEU of human paraphrases (MRPC: 39 in the paper), drawn as a line.
        human_source: where that value is from, "paper" or "measured"; stands at the line.

    Source: section 2, Figure 3.
    """
    style.need(frame, ["axis", "x", "series", "value", "low", "high"], "proximity_curves")
    frame, below = frame.replace({"series": SERIES_NAMES}), SERIES_NAMES["self_bleu"]
    few = (frame["series"] == below) & (frame.get("n", np.inf) < FEWEST_PAIRS)
    frame = frame.assign(value=frame["value"].mask(few))
    names = [name for name in dict.fromkeys(frame["series"]) if name != below]
    names.sort(key=lambda name: [*SERIES_NAMES.values(), name].index(name))
    figure = style.Picture(figsize=(width, 2.8))
    grid = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=[2.3, 1])
    for (axis, label), ratio, similarity in zip(CONTEXT_AXES.items(), *grid, strict=True):
        rows = frame[frame["axis"] == axis]
        if not rows.empty:
            _series_points(ratio, rows, names)
            _series_points(similarity, rows, [below])
        if human_self_bleu is not None:
            similarity.axhline(human_self_bleu, **_HUMAN)
        if rows.empty:
            ratio.text(0.5, 0.5, "not run", transform=ratio.transAxes, ha="center")
        elif rows["x"].nunique() <= 8:
            similarity.set_xticks(sorted(rows["x"].unique()))
        similarity.set_xlabel(label)
    style.percent(grid[0, 0].yaxis)
    most = max(grid[0, 0].get_ylim()[1], 0.01)
    grid[0, 0].set(ylim=(-0.05 * most, most), ylabel="equivalent pairs")  # 0 is seen, not cut
    shown = frame.loc[(frame["series"] == below) & frame["value"].notna(), ["value", "high"]]
    top = np.nanmax([human_self_bleu or 1, *shown.to_numpy(dtype=float).flat])
    grid[1, 0].set(ylim=(0, 1.6 * top), ylabel=below)
    if human_self_bleu is not None:
        _human_name(grid[1, 1], human_self_bleu, human_source)
    style.legend_above(figure, grid[0])
    return figure


def _series_points(axis: Axes, rows: pd.DataFrame, names: Sequence[str]) -> None:
    """Points with error bars, of each series a little beside the others, joined if not few."""
    places = np.array(sorted(rows["x"].unique()), dtype=float)
    few, colours = len(places) <= _FEW_POINTS, style.palette(names)
    step = (0.05 if few else 0.008) * np.ptp([0, 1] if len(places) < 2 else places)
    for number, name in enumerate(names):
        found = rows[rows["series"] == name].set_index("x").reindex(places)
        value, low, high = (found[end].to_numpy(dtype=float) for end in ("value", "low", "high"))
        at = places + step * (number - (len(names) - 1) / 2)
        ends = np.nan_to_num([value - low, high - value]).clip(0)
        axis.errorbar(
            at, value, ends, color=colours[name], marker=style.MARKERS[number % 6], label=name,
            linestyle="none" if few else (0, style.DASHES[number % 6] or (1, 0)), elinewidth=0.9,
            markeredgewidth=0, clip_on=False,
        )  # fmt: skip
        for x in at[np.isnan(value)]:
            axis.annotate(
                "–", (x, 0), (0, 4), xycoords=axis.get_xaxis_transform(),
                textcoords="offset points", ha="center", color=colours[name], fontsize=10,
            )  # fmt: skip
    axis.margins(x=0.12 if few else 0.05)


def _human_name(axis: Axes, value: float, source: str) -> None:
    """What the level of human paraphrases is, over the line and over the grid."""
    axis.annotate(
        f"MRPC ({source}) {value:.3g}", (0.98, value), (0, 3), textcoords="offset points",
        xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip
