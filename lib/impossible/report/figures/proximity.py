"""Figure 3 of the paper: where in a language model's distribution the paraphrases lie."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from impossible.report.figures.style import (
    BLUE,
    COLUMN,
    GREY,
    INK,
    PAGE,
    PALE,
    Picture,
    grid,
    look,
    need,
    percent,
    styled,
)

AXES = {"length": "context sentences", "temperature": "sampling temperature"}
SERIES = {"critic": "critic's estimate", "oracle": "truth (oracle)", "control": "control"}

SHADES = LinearSegmentedColormap.from_list("shades", ["white", BLUE, "#002b44"])  # by lightness


@styled
def proximity(
    frame: pd.DataFrame,
    human_self_bleu: float | None = None,
    width: float = PAGE,
    human_source: str = "paper",
) -> Figure:
    """Share of equivalent pairs (top) and their Self-BLEU (below) by length and by temperature.

    Args:
        frame: one row per point: `axis` ("length" or "temperature"), `x`, `series` ("critic",
            "oracle", "control", any other name, or "self_bleu"), `value`, `low`, `high`; ratios in
            [0, 1], Self-BLEU in [0, 100]. An axis without rows is shown as missing.
        human_self_bleu: Self-BLEU of human paraphrases (MRPC: 39 in the paper), drawn as a line.
        width: inches; `PAGE` for both columns, `COLUMN` for one.
        human_source: where that value is from, "paper" or "measured"; stands at the line.

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
    _self_bleu_axis(panels[1, 0], panels[1, 1], human_self_bleu, human_source)
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


def _self_bleu_axis(left: Axes, right: Axes, human: float | None, source: str) -> None:
    left.set_ylabel("Self-BLEU")
    top = max(left.get_ylim()[1], human or 0)
    left.set_ylim(0, 1.3 * top)
    if human is not None:
        right.annotate(
            f"MRPC ({source}) {human:.3g}",
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


@styled
def proximity_surface(frame: pd.DataFrame, width: float = PAGE) -> Figure:
    """Share of equivalent pairs by context length × temperature, a heat map for each series.

    All maps have one colour scale, from 0 to the largest value, and the value in per cent in each
    cell; a cell without a value shows "–".

    Args:
        frame: one row per cell: `n_sentences`, `temperature`, `series` ("critic", "oracle", any
            other name), `value` in [0, 1] or NaN.
        width: inches; `PAGE` for both columns, `COLUMN` for one.

    Source: section 2; the paper shows two cuts through this surface, the panels of Figure 3.
    """
    need(frame, ["n_sentences", "temperature", "series", "value"], "proximity_surface")
    names = list(dict.fromkeys(frame["series"]))
    maps = [_grid(frame, name) for name in names]
    largest = float(np.nanmax([0.0, *frame["value"]])) or 1.0
    rows = len(maps[0])
    figure = Picture(figsize=(width, (0.75 if width > COLUMN else 0.7) + 0.24 * rows))
    panels = figure.subplots(1, len(maps), sharey=True, squeeze=False)[0]
    for panel, name, cells in zip(panels, names, maps, strict=True):
        _heat_map(panel, cells, largest)
        panel.set_title(SERIES.get(name, name))
        panel.set_xlabel("sampling temperature")
    panels[0].set_ylabel("context sentences")
    return figure


def _grid(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Values of one series: a row per length, a column per temperature, of all in the frame."""
    cells = frame[frame["series"] == name].pivot(
        index="n_sentences", columns="temperature", values="value"
    )
    return cells.reindex(
        index=sorted(frame["n_sentences"].unique()), columns=sorted(frame["temperature"].unique())
    )


def _heat_map(axis: Axes, cells: pd.DataFrame, largest: float) -> None:
    """Cells coloured from white (0) to dark (`largest`), each with its value in per cent."""
    axis.pcolormesh(
        np.arange(cells.shape[1] + 1),
        np.arange(cells.shape[0] + 1),
        np.ma.masked_invalid(cells.to_numpy(dtype=float)),
        cmap=SHADES, vmin=0, vmax=largest, edgecolor=PALE, linewidth=0.5,
    )  # fmt: skip
    for (row, column), value in np.ndenumerate(cells.to_numpy(dtype=float)):
        text = "–" if math.isnan(value) else f"{100 * value:.0f}"
        red, green, blue, _ = SHADES(0.0 if math.isnan(value) else value / largest)
        ink = INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
        axis.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7, color=ink)
    axis.set_xticks(np.arange(cells.shape[1]) + 0.5, [f"{heat:g}" for heat in cells.columns])
    axis.set_yticks(np.arange(cells.shape[0]) + 0.5, [f"{length:g}" for length in cells.index])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
