"""Learning curves: what a few gold pairs of an unseen domain add to each start."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from impossible.report.figures.style import (
    COLUMN,
    GREY,
    INK,
    PAGE,
    Picture,
    grid,
    look,
    need,
    styled,
    wrapped,
)
from impossible.report.figures.systems import ROWS


@styled
def learning_curves(
    metric_rows: pd.DataFrame,
    metrics: Sequence[str],
    ours: Collection[str] = (),
    control: Collection[str] = (),
    titles: Mapping[str, str] | None = None,
    levels: pd.DataFrame | None = None,
    width: float = PAGE,
) -> Figure:
    """One panel per metric, one line per start over the number of gold pairs, intervals shaded.

    The axis is linear from 0 to the smallest positive number of pairs and logarithmic above it.

    Args:
        metric_rows: METRIC_ROWS with `pairs` ≥ 0; `system` is the start, up to six of them.
        metrics: which, in this order.
        ours: starts drawn thick and blue.
        control: starts drawn in grey with open marks.
        titles: metric → panel title.
        levels: METRIC_ROWS of at most two systems without gold pairs, drawn as thin level lines.
        width: inches; panels wrap to as many rows as the width needs.
    """
    need(metric_rows, (*ROWS, "pairs"), "learning_curves")
    metric_rows = metric_rows.astype({"pairs": float})
    most = 3 if width > COLUMN else 1
    down = math.ceil(len(metrics) / most)
    across = math.ceil(len(metrics) / down)
    figure = Picture(figsize=(width, 0.5 + 1.9 * down))
    panels = figure.subplots(down, across, squeeze=False)
    for panel, metric in zip(panels.flat, metrics, strict=False):
        _curves(panel, metric_rows[metric_rows["metric"] == metric], ours, control)
        if levels is not None:
            _levels(panel, levels[levels["metric"] == metric])
        panel.set_title(wrapped((titles or {}).get(metric, metric), 28))
    for panel in panels.flat[len(metrics) :]:
        panel.set_visible(False)
    for panel in panels[-1]:
        panel.set_xlabel("gold pairs of the unseen domain")
    names, handles = panels.flat[0].get_legend_handles_labels()[::-1]
    figure.legend(handles, names, loc="outside upper center", ncols=3 if width > COLUMN else 2)
    return figure


def _curves(
    axis: Axes, rows: pd.DataFrame, ours: Collection[str], control: Collection[str]
) -> None:
    names = list(dict.fromkeys(rows["system"]))
    first = [name for name in names if name in ours]  # so that the first look, blue, is ours
    order = [*first, *(name for name in names if name not in ours)]
    for name in names:
        part = rows[rows["system"] == name].sort_values("pairs")
        hollow, mine = name in control, name in ours
        style = look(order.index(name), GREY if hollow else None)
        axis.plot(
            part["pairs"], part["value"], label=str(name), zorder=3 + mine,
            linewidth=1.9 if mine else 1.1, markerfacecolor="white" if hollow else style["color"],
            **style,
        )  # fmt: skip
        axis.fill_between(
            part["pairs"], part["low"], part["high"], color=style["color"], alpha=0.15, linewidth=0
        )
    sizes = sorted(rows["pairs"].unique())
    positive = [size for size in sizes if size > 0]
    if positive:
        axis.set_xscale("symlog", linthresh=min(positive), linscale=0.5)
    axis.set_xticks(sizes, [f"{int(size):,}" for size in sizes])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.margins(x=0.05, y=0.1)
    grid(axis)


def _levels(axis: Axes, rows: pd.DataFrame) -> None:
    for row, dashes in zip(rows.itertuples(), ((0, (1, 1.2)), (0, (6, 2))), strict=False):
        axis.axhline(
            row.value, color=INK, linewidth=0.9, linestyle=dashes, zorder=2, label=str(row.system)
        )
