"""Figure 3 of the paper: where in a language model's distribution the paraphrases lie."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impossible.figures.style import (
    COLUMN,
    GREY,
    INK,
    PAGE,
    Picture,
    grid,
    look,
    need,
    percent,
    styled,
)

AXES = {"length": "context sentences", "temperature": "sampling temperature"}
SERIES = {"critic": "critic's estimate", "oracle": "truth (oracle)", "control": "control"}


@styled
def proximity(
    frame: pd.DataFrame, human_self_bleu: float | None = None, width: float = PAGE
) -> Figure:
    """Share of equivalent pairs (top) and their Self-BLEU (below) by length and by temperature.

    Args:
        frame: one row per point: `axis` ("length" or "temperature"), `x`, `series` ("critic",
            "oracle", "control", any other name, or "self_bleu"), `value`, `low`, `high`; ratios in
            [0, 1], Self-BLEU in [0, 100]. An axis without rows is shown as missing.
        human_self_bleu: Self-BLEU of human paraphrases (MRPC: 39 in the paper), drawn as a line.
        width: inches; `PAGE` for both columns, `COLUMN` for one.

    Source: section 2, Figure 3.
    """
    need(frame, ["axis", "x", "series", "value", "low", "high"], "proximity")
    figure = Picture(figsize=(width, 2.9 if width > COLUMN else 2.7))
    panels = figure.subplots(
        2, 2, sharex="col", sharey="row", gridspec_kw={"height_ratios": [2.3, 1]}
    )
    names = [name for name in dict.fromkeys(frame["series"]) if name != "self_bleu"]
    names.sort(key=lambda name: list(SERIES).index(name) if name in SERIES else len(SERIES))
    for column, (axis, label) in enumerate(AXES.items()):
        rows = frame[frame["axis"] == axis]
        ratio, similarity = panels[0, column], panels[1, column]
        for index, name in enumerate(names):
            _line(ratio, rows[rows["series"] == name], name, index)
        _line(similarity, rows[rows["series"] == "self_bleu"], "Self-BLEU", 4, GREY)
        if human_self_bleu is not None:
            similarity.axhline(human_self_bleu, color=INK, linewidth=0.9, linestyle=(0, (1, 1.2)))
        similarity.set_xlabel(label)
        percent(ratio)
        for panel in (ratio, similarity):
            grid(panel, "y")
        if rows.empty:
            ratio.text(0.5, 0.5, "not run", transform=ratio.transAxes, ha="center", color=GREY)
        elif rows["x"].nunique() <= 8:
            similarity.set_xticks(sorted(rows["x"].unique()))
    panels[0, 0].set_ylim(bottom=0)
    _self_bleu_axis(panels[1, 0], panels[1, 1], human_self_bleu)
    panels[0, 0].set_ylabel("equivalent pairs")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    if not handles:
        handles, labels = panels[0, 1].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=4 if width > COLUMN else 3 - (len(labels) > 3),
    )
    return figure


def _self_bleu_axis(left: Axes, right: Axes, human: float | None) -> None:
    left.set_ylabel("Self-BLEU")
    top = max(left.get_ylim()[1], human or 0)
    left.set_ylim(0, 1.3 * top)
    if human is not None:
        right.annotate(
            f"human pairs (MRPC) {human:g}",
            (0.98, human),
            (0, 1.5),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            fontsize=6,
        )


def _line(axis: Axes, rows: pd.DataFrame, name: str, index: int, colour: str | None = None) -> None:
    """One series with its interval as a band."""
    rows = rows.sort_values("x")
    if rows.empty:
        return
    style = look(index, GREY if name == "control" else colour)
    axis.plot(rows["x"], rows["value"], label=SERIES.get(name, name), **style)
    axis.fill_between(
        rows["x"], rows["low"], rows["high"], color=style["color"], alpha=0.18, linewidth=0
    )
