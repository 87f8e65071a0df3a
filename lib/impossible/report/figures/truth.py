"""Pictures of what only an oracle can tell: errors by kind, noise, the frontier, classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from impossible.report.figures.style import (
    COLUMN,
    INK,
    Picture,
    grid,
    look,
    need,
    percent,
    styled,
    whiskers,
    wrapped,
)

CHAIN = {
    "pairs true": "true pairs of the dataset",
    "fidelity": "faithful outputs of its student",
    "paraphrase": "faithful and new outputs",
}


@styled
def noise_chain(rows: pd.DataFrame) -> Figure:
    """How critic noise becomes dataset noise, and that the error of the student.

    Args:
        rows: METRIC_ROWS in per cent with `noise` in [0, 1]; metrics as in `CHAIN`.
    """
    need(rows, ["metric", "noise", "value", "low", "high"], "noise_chain")
    figure = Picture(figsize=(COLUMN, 2.5))
    axis = figure.subplots()
    for index, (metric, name) in enumerate(CHAIN.items()):
        part = rows[rows["metric"] == metric].sort_values("noise")
        bars = [whiskers(row.value, row.low, row.high) for row in part.itertuples()]
        spread = [[bar[side][0] for bar in bars] for side in (0, 1)] if bars else None
        axis.errorbar(
            100 * part["noise"], part["value"], yerr=spread, elinewidth=0.9, capsize=1.5,
            label=name, **look(index),
        )  # fmt: skip
    axis.set(xlabel="pairs whose critic scores are exchanged, %", ylabel="true, by the oracle, %")
    axis.set_ylim(0, 100)
    axis.set_xticks(sorted(set(100 * rows["noise"])))
    axis.margins(x=0.06)
    grid(axis)
    figure.legend(loc="outside upper center", ncols=1)
    return figure


@styled
def frontier(points: pd.DataFrame, chosen: Mapping[str, Mapping[str, object]]) -> Figure:
    """Precision against yield of every combination of thresholds.

    A line joins the entailment thresholds of one limit of ROUGE-L; marks tell the tree distance.

    Args:
        points: `rouge_l_max`, `ted_min`, `entailment_threshold`, `pairs`, `value` in [0, 1].
        chosen: label → point (`pairs`, `value`), drawn large and named.
    """
    columns = ["rouge_l_max", "ted_min", "entailment_threshold", "pairs", "value"]
    need(points, columns, "frontier")
    figure = Picture(figsize=(COLUMN, 2.9))
    axis = figure.subplots()
    for index, (least, rows) in enumerate(points.groupby("ted_min")):
        style = {**look(index), "linewidth": 0.7, "markersize": 2.6, "alpha": 0.75}
        for _, line in rows.groupby("rouge_l_max"):
            line = line.sort_values("entailment_threshold")
            axis.plot(line["pairs"], line["value"], **style)
        axis.plot([], [], label=f"TED ≥ {least}" if least else "any TED", **style)
    for index, (name, point) in enumerate(chosen.items()):
        axis.plot(
            [float(str(point["pairs"]))], [float(str(point["value"]))], marker="osD"[index % 3],
            markersize=8, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.3,
            linestyle="none", label=name,
        )  # fmt: skip
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.locator_params(axis="x", nbins=6)
    axis.set(xlabel="pairs kept", ylabel="true, by the oracle")
    percent(axis, "y")
    grid(axis)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def class_curves(
    frame: pd.DataFrame, panels: Mapping[str, Sequence[str]], axes: Mapping[str, str],
    names: Mapping[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Counts against one or two axes, a panel for each kind of count; every panel from zero.

    Args:
        frame: `axis`, `x`, `series`, `value`, `low`, `high`.
        panels: title → its series.
        axes: axis → label; with one axis the panels stand in two columns, with two each has one.
        names: series → name in the legend, which tells those of the first panel with several.
    """
    need(frame, ["axis", "x", "series", "value", "low", "high"], "class_curves")
    alone = len(axes) == 1
    down = (len(panels) + 1) // 2 if alone else len(panels)
    figure = Picture(figsize=(COLUMN, 0.5 + 1.25 * down))
    places = figure.subplots(down, 2, squeeze=False, sharey=False if alone else "row")
    for number, (title, series) in enumerate(panels.items()):
        for column, (name, label) in enumerate(axes.items()):
            panel = places[divmod(number, 2)] if alone else places[number, column]
            rows = frame[(frame["axis"] == name) & frame["series"].isin(series)]
            _curves(panel, rows, series, names or {})
            panel.set_title(wrapped(title, 22) if alone or not column else "", loc="left")
            panel.set_xlabel(label if alone or number == len(panels) - 1 else "")
    for panel in places.flat[len(panels) * (1 if alone else 2) :]:
        panel.set_visible(False)
    for panel in places.flat:  # only now: a limit that is set no longer grows with the data
        panel.set_ylim(bottom=0)
    several = [number for number, series in enumerate(panels.values()) if len(series) > 1]
    if several:
        handles, labels = places.flat[several[0] * len(axes)].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure


def _curves(
    panel: Axes, rows: pd.DataFrame, series: Sequence[str], names: Mapping[str, str]
) -> None:
    """Lines with bands."""
    for index, name in enumerate(series):
        part = rows[rows["series"] == name].sort_values("x")
        style = {**look(index), "markersize": 3}
        panel.plot(part["x"], part["value"], label=names.get(name, name), **style)
        panel.fill_between(
            part["x"], part["low"], part["high"], color=style["color"], alpha=0.18, linewidth=0
        )
    if rows["x"].nunique() <= 6:
        panel.set_xticks(sorted(rows["x"].unique()))
    grid(panel)
