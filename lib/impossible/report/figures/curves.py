"""Curves with intervals: transfer, losses, calibration, rounds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
import seaborn
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from impossible.report.figures import style
from impossible.report.figures.style import COLUMN, PAGE, styled

_FEW_STEPS = 8  # of a loss curve: so many ticks, and marks where there are no more
#: A series → its name; what the oracle says is true, what another judge says is its estimate.
SERIES_NAMES = {
    "critic": "critic's estimate", "oracle": "truth (oracle)", "referee": "referee's estimate",
    "people": "people's labels", "control": "control", "self_bleu": "Self-BLEU",
}  # fmt: skip


@styled
def metric_curves(
    metric_rows: pd.DataFrame, x: str, titles: Mapping[str, str], ours: Collection[str] = (),
    control: Collection[str] = (), levels: pd.DataFrame | None = None, log: bool = False,
    label: str = "", width: float = PAGE,
) -> Figure:  # fmt: skip
    """One panel per metric: its value and interval over `x`, a line for each system.

    Args:
        metric_rows: METRIC_ROWS with the column `x` (rounds, numbers of pairs); up to six systems.
        titles: metric → panel title, in this order.
        ours: systems drawn in blue. control: systems drawn in grey.
        levels: METRIC_ROWS of at most two systems, drawn as thin level lines.
        log: the axis is logarithmic above the smallest positive `x`, and linear from 0 to it.
        label: of the axis, by default the column's name.
    """
    style.need(metric_rows, (*style.ROWS, x), "metric_curves")
    names = sorted(dict.fromkeys(metric_rows["system"]), key=lambda name: name not in ours)
    colours = style.palette(names) | dict.fromkeys(control, style.GREY)
    places, wide = sorted(metric_rows[x].unique()), width > COLUMN
    across = (4 if wide else 2) if len(names) == 1 else 3 if wide else 1
    height = 1.45 if len(names) == 1 else 1.9
    figure, axes = style.small_panels(list(titles.values()), width, across, height, 26, 0.4)
    for axis, metric in zip(axes, titles, strict=True):
        if log and places[-1] > 0:
            least = min(place for place in places if place > 0)
            axis.set_xscale("symlog", linthresh=least, linscale=0.5)
        axis.set_xticks(places, [f"{place:,g}" for place in places])
        axis.xaxis.set_minor_locator(NullLocator())
        rows = metric_rows[metric_rows["metric"] == metric].astype({x: float})
        style.draw_lines(axis, rows, x, names, "system", bars=len(names) == 1, palette=colours)
        level = rows.head(0) if levels is None else levels[levels["metric"] == metric]
        for row, line in zip(level.itertuples(), (style.DOTTED, style.DASHED), strict=False):
            axis.axhline(row.value, label=row.system, **line)
        axis.set(xlabel=label or x, ylabel="")
        axis.margins(y=0.12)
    style.legend_above(figure, axes, 3 if wide else 2, least=2)
    return figure


@styled
def series_curves(
    frame: pd.DataFrame, series: Mapping[str, Sequence[str]], axes: Mapping[str, str],
    names: Mapping[str, str] | None = None, label: str = "",
) -> Figure:  # fmt: skip
    """Series against one or two axes, a panel for each group of series; every panel from zero.

    Args:
        frame: `axis`, `x`, `series`, `value`, `low`, `high`.
        series: panel title → its series.
        axes: axis → label; with one the panels stand in two columns, with two each has its column.
        names: series → name in the legend.
        label: of the values.
    """
    style.need(frame, ["axis", "x", "series", "value", "low", "high"], "series_curves")
    renamed, first = dict(names or {}), next(iter(axes))
    asked = [(title, lines, axis) for title, lines in series.items() for axis in axes]
    titles = [title if axis == first else "" for title, _, axis in asked]
    shared = {"sharey": "row"} if len(axes) > 1 else {}
    height = 1.3 if len(asked) > 1 else 2.1
    figure, panels = style.small_panels(titles, COLUMN, 2, height, 22, 0.4, **shared)
    for panel, (_, lines, axis) in zip(panels, asked, strict=True):
        rows = frame[(frame["axis"] == axis) & frame["series"].isin(lines)]
        shown, legend = [renamed.get(name, name) for name in lines], len(lines) > 1 and "auto"
        style.draw_lines(panel, rows.replace({"series": renamed}), "x", shown, legend=legend)
        panel.set(xlabel=axes[axis], ylabel=label, ylim=(0, None))
        if rows["x"].nunique() <= 6:
            panel.set_xticks(sorted(rows["x"].unique()))
    style.legend_above(figure, panels, 3 if max(map(len, shown)) < 15 else 1)
    return figure


@styled
def loss_curves(frame: pd.DataFrame) -> Figure:
    """Training and dev loss by step; a ring marks the best dev loss, whose weights are kept.

    Args:
        frame: `step`, `split` ("train" or "dev"), `loss` (nats per token), and optionally `run`
            (one panel each); missing losses leave gaps.
    """
    style.need(frame, ["step", "split", "loss"], "loss_curves")
    runs = list(dict.fromkeys(frame["run"])) if "run" in frame else [""]
    figure, axes = style.small_panels(runs, COLUMN, 1, 1.5, 60, 0.5, sharex=True)
    for axis, run in zip(axes, runs, strict=True):
        rows = (frame[frame["run"] == run] if run else frame).dropna()
        seaborn.lineplot(
            rows, x="step", y="loss", hue="split", palette=style.palette(["train", "dev"]),
            size="split", sizes={"train": 0.8, "dev": 1.5}, errorbar=None, ax=axis,
        )  # fmt: skip
        steps = sorted(rows["step"].unique())
        for line in axis.lines[:2] if len(steps) <= _FEW_STEPS else ():  # what was measured
            line.set(marker="o", markersize=3.2, markeredgewidth=0)
        some = steps[:: -math.ceil(len(steps) / _FEW_STEPS)][::-1]  # the last one is among them
        axis.set_xticks(some, [f"{step:g}" for step in some])
        if not (dev := rows[rows["split"] == "dev"]).empty:
            best = dev.loc[dev["loss"].idxmin()]
            label = f"best dev {best['loss']:.3g}"
            axis.plot(best["step"], best["loss"], "o", label="" if run else label, **style.RING)
            axis.set_title(f"{run}: {label}" if run else "", loc="left")
        axis.set_ylabel("loss (nats/token)")
    style.legend_above(figure, axes)
    return figure


@styled
def calibration_curves(curve: pd.DataFrame) -> Figure:
    """Reliability diagram above the number of predictions in each bin.

    Args:
        curve: one row per bin: `predicted` (mean prediction), `observed` (fraction that was true),
            `low`, `high` (interval of the latter), `n`, and optionally `series` (critics).
    """
    style.need(curve, ["predicted", "observed", "low", "high", "n"], "calibration_curves")
    rows = curve.rename(columns={"observed": "value"}).astype({"value": float})
    rows = rows.assign(series=rows.get("series", "critic's estimate"))
    names = list(dict.fromkeys(rows["series"]))
    figure = style.Picture(figsize=(COLUMN, 3.1))
    reliability, counts = figure.subplots(2, 1, sharex=True, height_ratios=[2.8, 1])
    reliability.plot([0, 1], [0, 1], label="ideal", **{**style.DOTTED, "color": style.GREY})
    style.draw_lines(reliability, rows, "predicted", names, bars=True)
    seaborn.lineplot(
        rows, x="predicted", y="n", hue="series", hue_order=names, palette=style.palette(names),
        style="series", style_order=names, drawstyle="steps-mid", legend=False, ax=counts,
    )  # fmt: skip
    if (rows["n"] > 0).any():
        counts.set_yscale("log")
        style.plain_log(counts.yaxis)
    reliability.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="fraction that is true")
    counts.set(xlabel="predicted entailment probability", ylabel="pairs")
    style.legend_above(figure, [reliability])
    return figure


@styled
def frontier_curves(points: pd.DataFrame, chosen: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Precision against yield of every combination of thresholds.

    A line joins the entailment thresholds of one limit of ROUGE-L; marks tell the tree distance.

    Args:
        points: `rouge_l_max`, `ted_min`, `entailment_threshold`, `pairs`, `value` in [0, 1].
        chosen: label → point (`pairs`, `value`), drawn large and named.
    """
    columns = ["rouge_l_max", "ted_min", "entailment_threshold", "pairs", "value"]
    style.need(points, columns, "frontier_curves")
    distance = {ted: f"TED ≥ {ted:g}" if ted else "any TED" for ted in sorted(points["ted_min"])}
    rows = points.sort_values(columns[:3]).assign(distance=points["ted_min"].map(distance))
    figure, axis = style.one_panel(COLUMN, 2.9)
    seaborn.lineplot(
        rows, x="pairs", y="value", hue="distance", style="distance", sort=False, estimator=None,
        units="rouge_l_max", palette=style.palette(distance.values()), alpha=0.8, linewidth=0.8,
        hue_order=list(distance.values()), style_order=list(distance.values()),
        markers=list(style.MARKERS[: len(distance)]), ax=axis,
    )  # fmt: skip
    for (name, point), marker in zip(chosen.items(), "os*Dv^", strict=False):
        axis.plot(point["pairs"], point["value"], marker, label=name, **style.RING)
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.locator_params(axis="x", nbins=6)
    axis.set(xlabel="pairs kept", ylabel="true, by the oracle")
    style.percent(axis.yaxis)
    style.legend_above(figure, [axis], 2)
    return figure
