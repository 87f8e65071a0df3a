"""Corpora of pairs as points: how true they are against how varied."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from impossible.report.figures.style import (
    BLUE,
    COLUMN,
    GREY,
    INK,
    PAGE,
    Picture,
    grid,
    need,
    styled,
    whiskers,
    wrapped,
)
from impossible.report.figures.systems import ROWS


@styled
def trade_off(
    metric_rows: pd.DataFrame,
    x: str,
    y: str,
    ours: Collection[str] = (),
    labels: tuple[str, str] = ("", ""),
    width: float = COLUMN,
) -> Figure:
    """A point per corpus with both intervals; a corpus without `y` is a tick on the lower edge.

    Args:
        metric_rows: METRIC_ROWS (`system`, `metric`, `value`, `low`, `high`).
        x, y: two metrics; y is what only some corpora have (truth by the oracle).
        ours: corpora drawn in colour, as diamonds.
        labels: of the axes.
        width: inches.
    """
    need(metric_rows, ROWS, "trade_off")
    table = metric_rows.set_index(["system", "metric"])[["value", "low", "high"]]
    figure = Picture(figsize=(width, 0.9 * width))
    axis = figure.subplots()
    grid(axis, "both")
    for number, name in enumerate(dict.fromkeys(metric_rows["system"])):
        across = table.loc[(name, x)]
        if (name, y) not in table.index or pd.isna(table.loc[(name, y), "value"]):
            axis.annotate(
                name, (across["value"], 0), (0, 10), xycoords=axis.get_xaxis_transform(),
                textcoords="offset points", rotation=90, ha="center", va="bottom", fontsize=5.6,
                color=GREY, arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8},
            )  # fmt: skip
            continue
        up, mine = table.loc[(name, y)], name in ours
        colour = BLUE if mine else INK
        axis.errorbar(
            across["value"], up["value"],
            xerr=whiskers(across["value"], across["low"], across["high"]),
            yerr=whiskers(up["value"], up["low"], up["high"]), marker="D" if mine else "o",
            markersize=5 if mine else 4, color=colour, elinewidth=0.9,
        )  # fmt: skip
        below = number % 2 == 1
        axis.annotate(
            name, (across["value"], up["value"]), (5, -9 if below else 5),
            textcoords="offset points", fontsize=6.2, color=colour,
            fontweight="bold" if mine else "normal",
        )  # fmt: skip
    axis.set(xlabel=labels[0] or x, ylabel=labels[1] or y)
    axis.margins(x=0.2, y=0.12)
    return figure


@styled
def by_round(
    metric_rows: pd.DataFrame,
    metrics: Sequence[str],
    titles: Mapping[str, str] | None = None,
    width: float = PAGE,
) -> Figure:
    """One panel per metric: its value and interval after each round.

    Args:
        metric_rows: METRIC_ROWS with the column `round` (0, 1, …).
        metrics: which, in this order; four panels in a row.
        titles: metric → panel title.
        width: inches.
    """
    need(metric_rows, (*ROWS, "round"), "by_round")
    down = math.ceil(len(metrics) / 4)
    across = math.ceil(len(metrics) / down)
    figure = Picture(figsize=(width, 1.45 * down))
    panels = figure.subplots(down, across, squeeze=False)
    for panel, metric in zip(panels.flat, metrics, strict=False):
        rows = metric_rows[metric_rows["metric"] == metric].sort_values("round")
        bars = [whiskers(row.value, row.low, row.high) for row in rows.itertuples()]
        spread = [[bar[side][0] for bar in bars] for side in (0, 1)] if bars else None
        panel.errorbar(rows["round"], rows["value"], yerr=spread, marker="o", markersize=3.6,
                       color=BLUE, elinewidth=1, linewidth=1.1)  # fmt: skip
        panel.set_title(wrapped((titles or {}).get(metric, metric), 24))
        panel.set_xticks(sorted(metric_rows["round"].unique()))
        grid(panel, "y")
        panel.margins(y=0.18)
    for panel in panels.flat[len(metrics) :]:
        panel.set_visible(False)
    for panel in panels[-1]:
        panel.set_xlabel("round")
    return figure
