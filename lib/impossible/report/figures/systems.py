"""Dot-and-interval pictures of metric rows: systems, datasets, fidelity."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from impossible.report.figures.style import (
    BLUE,
    COLUMN,
    GREY,
    INK,
    PAGE,
    PALE,
    Picture,
    grid,
    need,
    percent,
    styled,
    whiskers,
    wrapped,
)

ROWS = ("system", "metric", "value", "low", "high")
SPAN = 1e-9  # values nearer than this are one: no axis is drawn between them


@styled
def systems(
    metric_rows: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    control: Collection[str] = (),
    ours: Collection[str] = (),
    titles: Mapping[str, str] | None = None,
    width: float = PAGE,
) -> Figure:
    """One panel per metric, one line per system: a dot, its interval, and the controls.

    Args:
        metric_rows: METRIC_ROWS (`system`, `metric`, `value`, `low`, `high`, …); a system without
            a value is shown as "–", never as zero.
        metrics: which, in this order; by default all, in order of appearance.
        control: systems drawn hollow, with a dotted line through their value (Copy-Input, …).
        ours: systems drawn in colour with a larger mark.
        titles: metric → panel title, for example {"BLEU": "BLEU ↑"}.
        width: inches; panels wrap to as many rows as the width needs.
    """
    need(metric_rows, ROWS, "systems")
    return _panels(metric_rows, metrics, control, ours, titles, width)


def _panels(
    metric_rows: pd.DataFrame, metrics: Sequence[str] | None, control: Collection[str],
    ours: Collection[str], titles: Mapping[str, str] | None, width: float,
) -> Figure:  # fmt: skip
    """Small multiples, as square as the width allows."""
    chosen = list(metrics or dict.fromkeys(metric_rows["metric"]))
    names = list(dict.fromkeys(metric_rows["system"]))
    longest = 28 if width > COLUMN else 22
    labels = [wrapped(name, longest) for name in names]
    line = 0.17 + 0.1 * max(label.count("\n") for label in labels)
    down = math.ceil(len(chosen) / (4 if width > COLUMN else 2))
    across = math.ceil(len(chosen) / down)
    figure = Picture(figsize=(width, down * (0.5 + line * len(names))))
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for panel, metric in zip(panels.flat, chosen, strict=False):
        rows = metric_rows[metric_rows["metric"] == metric].set_index("system")
        _dots(panel, rows, names, control, ours)
        panel.set_title(wrapped((titles or {}).get(metric, metric), 20))
    for panel in panels.flat[len(chosen) :]:
        panel.set_visible(False)
    for panel in panels[:, 0]:
        panel.set_yticks(range(len(names)), labels)
        panel.set_ylim(len(names) - 0.5, -0.5)
        for tick, name in zip(panel.get_yticklabels(), names, strict=True):
            tick.set_fontweight("bold" if name in ours else "normal")
    return figure


@styled
def human_comparison(
    metric_rows: pd.DataFrame,
    ours: Collection[str] = ("D_para",),
    metrics: Sequence[str] | None = None,
    titles: Mapping[str, str] | None = None,
    width: float = PAGE,
) -> Figure:
    """Human datasets beside ours at equal n: one panel per metric, the humans' range shaded.

    Args:
        metric_rows: METRIC_ROWS whose `system` is a dataset.
        ours: the datasets that are not human: coloured, in bold, first in every panel.
        metrics, titles, width: as in `systems`.

    A dot of ours inside the grey band is inside what human writers do.
    """
    need(metric_rows, ROWS, "human_comparison")
    mine = metric_rows["system"].isin(list(ours))
    ordered = pd.concat([metric_rows[mine], metric_rows[~mine]])
    figure = _panels(ordered, metrics, (), ours, titles, width)
    border = metric_rows.loc[mine, "system"].nunique() - 0.5
    chosen = list(metrics or dict.fromkeys(ordered["metric"]))
    for panel, metric in zip(figure.axes, chosen, strict=False):
        human = metric_rows.loc[~mine & (metric_rows["metric"] == metric), "value"].dropna()
        if len(human):
            panel.axvspan(human.min(), human.max(), color=PALE, alpha=0.6, zorder=-1, linewidth=0)
        panel.axhline(border, color=GREY, linewidth=0.5)
    handles: list[Artist] = [
        Line2D([], [], marker="D", color=BLUE, markersize=4.6, label="ours"),
        Line2D([], [], marker="o", color=INK, markersize=3.6, label="human dataset"),
        Patch(color=PALE, alpha=0.6, label="range of human datasets"),
    ]
    if mine.all():  # no human dataset was given
        del handles[1:]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, columnspacing=1.2)
    return figure


@styled
def fidelity_bars(
    metric_rows: pd.DataFrame,
    metric: str | None = None,
    control: Collection[str] = (),
    target: float | None = None,
    label: str = "faithful outputs, by the oracle",
) -> Figure:
    """Horizontal bars of a share in [0, 1] per system, with intervals, controls hatched.

    Args:
        metric_rows: METRIC_ROWS; `metric` picks the rows (by default the frame has one metric).
        target: the figure to reach, drawn as a dashed line.
    """
    need(metric_rows, ROWS, "fidelity_bars")
    rows = metric_rows if metric is None else metric_rows[metric_rows["metric"] == metric]
    need(rows, ROWS, "fidelity_bars")
    labels = [wrapped(name) for name in rows["system"]]
    lines = sum(0.23 + 0.1 * label.count("\n") for label in labels)
    figure = Picture(figsize=(COLUMN, 0.6 + lines))
    axis = figure.subplots()
    for place, row in enumerate(rows.itertuples()):
        value = float(row.value) if pd.notna(row.value) else math.nan
        hollow = row.system in control
        axis.barh(
            place, 0 if math.isnan(value) else value, height=0.62, linewidth=0.6, edgecolor=INK,
            color="white" if hollow else BLUE, hatch="////" if hollow else "",
            xerr=None if math.isnan(value) else whiskers(value, row.low, row.high),
            error_kw={"elinewidth": 1, "capsize": 2, "ecolor": INK},
        )  # fmt: skip
        end = value if math.isnan(row.high) else max(value, row.high)
        text = "–" if math.isnan(value) else f"{100 * value:.1f}%"
        axis.annotate(
            text, (0 if math.isnan(value) else end, place), (5, 0), textcoords="offset points",
            va="center", fontsize=6.3, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    axis.set_yticks(range(len(rows)), labels)
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    axis.set(xlim=(0, 1.16), xticks=[0, 0.25, 0.5, 0.75, 1], xlabel=label)
    percent(axis, "x")
    if target is not None:
        axis.axvline(target, color=INK, linewidth=0.9, linestyle=(0, (4, 1.5)), zorder=2)
        axis.set_title(f"dashed: target {target:.0%}", loc="right")
    return figure


def _dots(
    axis: Axes, rows: pd.DataFrame, names: list[str], control: Collection[str],
    ours: Collection[str],
) -> None:  # fmt: skip
    """One panel: a dot with its interval for each name that has a value, a dash for the others."""
    grid(axis, "x")
    axis.tick_params(axis="y", length=0)
    for place, name in enumerate(names):
        value = float(rows["value"].get(name, math.nan))
        if math.isnan(value):
            axis.text(0.02, place, "–", transform=axis.get_yaxis_transform(), va="center")
            continue
        hollow, mine = name in control, name in ours
        if hollow:
            axis.axvline(value, color=GREY, linewidth=0.8, linestyle=(0, (1, 1.2)))
        colour = BLUE if mine else INK
        axis.errorbar(
            value, place, xerr=whiskers(value, rows["low"][name], rows["high"][name]),
            marker="D" if mine else "o", markersize=4.6 if mine else 3.6, color=colour,
            markerfacecolor="white" if hollow else colour, elinewidth=1.1,
        )  # fmt: skip
    axis.margins(x=0.12)
    ends = rows[["value", "low", "high"]].to_numpy(dtype=float)
    if np.isfinite(ends).any() and np.nanmax(ends) - np.nanmin(ends) < SPAN:
        axis.set_xlim(np.nanmin(ends) - 1, np.nanmax(ends) + 1)
    axis.locator_params(axis="x", nbins=4)
