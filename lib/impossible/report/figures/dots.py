"""Dots with intervals: systems, datasets, fractions by group, the funnel, two metrics at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator

from impossible.filtering.critics import reason_title
from impossible.report.figures import style
from impossible.report.figures.style import BLUE, COLUMN, GREY, INK, PAGE, styled

_LOOKS: dict[str, dict[str, Any]] = {
    "ours": {"color": BLUE, "marker": "D", "markersize": 4.4},
    "control": {"color": INK, "marker": "o", "markersize": 3.8, "markerfacecolor": "white"},
    "other": {"color": INK, "marker": "o", "markersize": 3.8},
}

_MARKED = {"ours": "ours", "control": "control or bound (dotted: its value)"}


@styled
def system_dots(
    metric_rows: pd.DataFrame, titles: Mapping[str, str] | Sequence[str] = (),
    control: Collection[str] = (), ours: Collection[str] = (), human: Collection[str] = (),
    width: float = PAGE,
) -> Figure:  # fmt: skip
    """One panel per metric, one line per system: a dot, its interval, and the controls.

    Args:
        metric_rows: METRIC_ROWS (`system`, `metric`, `value`, `low`, `high`, …); a system without
            a value is shown as "–", never as zero.
        titles: metric → panel title ("BLEU ↑"), or metrics, in this order; by default all. A
            metric that no system has gets no panel, unless none has a value.
        control: systems drawn hollow, with a dotted line through their value (Copy-Input, …).
        ours: systems drawn as blue diamonds, their names bold.
        human: datasets of human writers, below the others; their range is shaded: a dot of ours
            inside the grey band is inside what human writers do.
    """
    style.need(metric_rows, style.ROWS, "system_dots")
    if not isinstance(titles, Mapping):
        titles = {metric: metric for metric in titles or dict.fromkeys(metric_rows["metric"])}
    there = set(metric_rows.loc[metric_rows["value"].notna(), "metric"])
    titles = {name: text for name, text in titles.items() if name in there} or titles
    names = sorted(dict.fromkeys(metric_rows["system"]), key=lambda name: name in human)
    labels = [style.wrapped(name, 28 if width > COLUMN else 22) for name in names]
    line = 0.17 + 0.1 * max(label.count("\n") for label in labels)
    figure, axes = style.small_panels(
        list(titles.values()), width, 4 if width > COLUMN else 2, 0.5 + line * len(names), 20,
        sharey=True,
    )  # fmt: skip
    for axis, metric in zip(axes, titles, strict=True):
        rows = metric_rows[metric_rows["metric"] == metric]
        _system_panel(axis, rows, names, set(control), set(ours))
        values = rows.loc[rows["system"].isin(list(human)), "value"].dropna()
        if len(values):
            axis.axvspan(
                values.min(), values.max(), label="range of human datasets", **style.SHADED
            )
            axis.axhline(len(set(names) - set(human)) - 0.5, color=GREY, linewidth=0.5)
    axes[0].set_yticks(range(len(names)), labels)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    for axis in axes:
        for tick, name in zip(axis.get_yticklabels(), names, strict=False):
            tick.set_fontweight("bold" if name in ours else "normal")
    for kind, marked in (("ours", ours), ("control", control)):
        if set(marked) & set(names):
            axes[0].plot([], [], linestyle="none", label=_MARKED[kind], **_LOOKS[kind])
    style.legend_above(figure, axes)
    return figure


def _system_panel(
    axis: Axes, rows: pd.DataFrame, names: Sequence[str], control: set[str], ours: set[str]
) -> None:
    """A dot with its interval for each name that has a value, a dash for the others."""
    kinds = {name: "control" if name in control else "other" for name in names}
    kinds |= dict.fromkeys(ours, "ours")
    for kind, look in _LOOKS.items():
        seaborn.pointplot(
            style.with_bounds(rows[rows["system"].map(kinds) == kind]), x="value", y="system",
            order=names, linestyle="none", markeredgewidth=0.9, ax=axis,
            err_kws={"linewidth": 1.1, "zorder": 1.9}, **look, **style.INTERVAL,
        )  # fmt: skip
    values = rows.dropna(subset="value").set_index("system")["value"]
    for value in values[values.index.isin(control)]:
        axis.axvline(value, **style.DOTTED)
    for place, name in enumerate(names):
        if name not in values.index:
            axis.text(0.02, place, "–", transform=axis.get_yaxis_transform(), va="center")
    axis.grid(False, axis="y")
    axis.tick_params(axis="y", length=0)
    axis.set(xlabel="", ylabel="")
    axis.margins(x=0.12)
    if len(values) and np.ptp(rows[["value", "low", "high"]].stack()) < 1e-9:  # no room between
        axis.set_xlim(values.iloc[0] - 1, values.iloc[0] + 1)
    axis.locator_params(axis="x", nbins=4)


@styled
def fraction_dots(
    frame: pd.DataFrame, label: str, lines: Mapping[str, float] | None = None,
    control: Collection[str] = (), zoom: bool = False, width: float = COLUMN,
) -> Figure:  # fmt: skip
    """A fraction per group with its interval: where a critic errs, which kinds are frequent.

    Args:
        frame: `group` (or `system`), `value`, `low`, `high` in [0, 1], `n`, and optionally
            `series` (critics, datasets, domains); a group without a value is shown as "–".
        label: of the axis of fractions.
        lines: name → fraction of a vertical line, for example {"base rate": 0.1, "target": 0.95}.
        control: groups drawn hollow, where there is one series.
        zoom: from zero to the largest fraction instead of the whole range from 0 to 1.
    """
    frame = frame if "group" in frame else frame.rename(columns={"system": "group"})
    style.need(frame, ["group", "value", "low", "high", "n"], "fraction_dots")
    rows = frame.assign(series=frame.get("series", ""))
    groups, series = (list(dict.fromkeys(rows[column])) for column in ("group", "series"))
    line = 0.15 + 0.065 * len(series)
    figure, axis = style.one_panel(width, 0.75 + line * len(groups))
    seaborn.pointplot(
        style.with_bounds(rows), x="value", y="group", order=groups, hue="series", hue_order=series,
        palette=style.palette(series), dodge=0.5 * (len(series) - 1) / len(series),
        markers=list(style.MARKERS[: len(series)]), linestyle="none", markersize=4,
        err_kws={"linewidth": 1}, legend=len(series) > 1, ax=axis, **style.INTERVAL,
    )  # fmt: skip
    counts = rows.groupby("group", sort=False)["n"].max()
    counted = "" if zoom and len(series) > 1 else "  (n={:,})"  # else each series has its own n
    names = [style.wrapped(name) + counted.format(counts[name]) for name in groups]
    axis.set_yticks(range(len(groups)), names)
    for place in np.flatnonzero(rows.groupby("group", sort=False)["value"].count() == 0):
        axis.text(0.02, float(place), "–", transform=axis.get_yaxis_transform(), va="center")
    for name in (each for each in control if each in groups):
        value = rows.set_index("group")["value"].get(name)
        axis.plot(value, groups.index(name), "o", color=BLUE, markerfacecolor="white", markersize=4)
    for (name, value), look in zip(
        (lines or {}).items(), (style.DOTTED, style.DASHED), strict=False
    ):
        axis.axvline(value, label=f"{name} {value:.0%}", **look)
    axis.set(ylim=(len(groups) - 0.5, -0.5), xlabel=label, ylabel="")
    axis.margins(x=0.06)
    axis.set_xlim(0 if zoom else -0.01, None if zoom else 1.03)
    axis.locator_params(axis="x", nbins=5)
    style.percent(axis.xaxis)
    style.legend_above(figure, [axis], 2 if width <= COLUMN else 4)
    return figure


@styled
def funnel_dots(
    frame: pd.DataFrame, order: Sequence[str] | None = None, kept: str = "kept",
    unit: str = "ordered pairs", width: float = COLUMN,
) -> Figure:  # fmt: skip
    """How many survive each test: a dot per test, with the fraction that it retains.

    Args:
        frame: `reason`, `n`; rows of one reason are added up (a FUNNEL frame fits as it is).
        order: reasons as they are tested; by default those that drop most first.
        kept: the reason that means "not dropped".
        unit: what is counted.

    The scale is logarithmic when the dots span more than two orders of magnitude.
    """
    style.need(frame, ["reason", "n"], "funnel_dots")
    counts = frame.groupby("reason")["n"].sum().sort_values(ascending=False)
    reasons = [*dict.fromkeys([*(order or ()), *counts.index])]
    dropped = counts.reindex([name for name in reasons if name != kept], fill_value=0)
    left = np.concatenate([[counts.sum()], counts.sum() - dropped.cumsum()]).astype(int)
    steps = [f"all {unit}", *(reason_title(str(name)) for name in dropped.index)]
    log = left[0] > 100 * left[left > 0].min(initial=left[0])
    figure, axis = style.one_panel(width, 0.6 + 0.19 * len(steps))
    seaborn.pointplot(
        x=left, y=steps, order=steps, orient="y", color=GREY, linewidth=0.8, markersize=4, ax=axis
    )  # fmt: skip
    axis.set_xscale("log" if log else "linear")
    axis.plot(left[-1], len(steps) - 1, "D", color=BLUE, markersize=5, zorder=5)
    beside: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center",
        "fontsize": 6.2, "annotation_clip": False, "ha": "right",
    }  # fmt: skip
    for place, (survivors, before) in enumerate(zip(left, [0, *left[:-1]], strict=True)):
        axis.annotate(f"{survivors:,}", (1, place), (40, 0), **beside)
        text = f"{survivors / before:.1%}" if before else "retained" if not place else "–"
        axis.annotate(text, (1, place), (70, 0), **beside)
    axis.set_yticks(range(len(steps)), [style.wrapped(step) for step in steps])
    axis.set_ylim(len(steps) - 0.5, -0.5)
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.xaxis.set_major_locator(LogLocator(numticks=4) if log else MaxNLocator(4))
    axis.margins(x=0.08)
    if not log:
        axis.set_xlim(-0.04 * left[0], 1.08 * left[0])
    axis.set(xlabel=f"{unit} left{', logarithmic scale' if log else ''}", ylabel="")
    axis.set_title(f"{left[-1]:,} of {left[0]:,} {kept}", loc="left")
    return figure


@styled
def trade_off_dots(
    metric_rows: pd.DataFrame, x: str, y: str, ours: Collection[str] = (),
    labels: tuple[str, str] = ("", ""), control: Collection[str] = (), limit: float | None = None,
    width: float = COLUMN,
) -> Figure:  # fmt: skip
    """A point per corpus or system with both intervals; one without `y` is named at the lower edge.

    Args:
        metric_rows: METRIC_ROWS (`system`, `metric`, `value`, `low`, `high`).
        x, y: two metrics; y is what only some have, such as a judge's rate.
        ours: drawn in blue, as diamonds. control: drawn hollow.
        labels: of the axes.
        limit: the largest x that is good enough, where both metrics are in per cent; what lies
            within is shaded, and x falls to the right, so that the best corner is the upper right
            one.
    """
    style.need(metric_rows, style.ROWS, "trade_off_dots")
    sides = [metric_rows[metric_rows["metric"] == m].set_index("system") for m in (x, y)]
    both = sides[0].join(sides[1], suffixes=("_x", "_y"))
    figure, axis = style.one_panel(width, 0.9 * min(width, 4))
    points: dict[str, tuple[float, float]] = {}
    for name, row in both.iterrows():
        look = _LOOKS["ours" if name in ours else "control" if name in control else "other"]
        if pd.isna(row["value_y"]):
            axis.annotate(
                str(name), (row["value_x"], 0), (0, 10), xycoords=axis.get_xaxis_transform(),
                textcoords="offset points", rotation=90, ha="center", va="bottom", fontsize=5.6,
                color=GREY, arrowprops={"arrowstyle": "-", "color": GREY},
            )  # fmt: skip
            continue
        across, up = _whiskers(row, "x"), _whiskers(row, "y")
        bars = axis.errorbar(row["value_x"], row["value_y"], up, across, elinewidth=0.7, **look)
        for line in bars[2]:
            line.set_alpha(0.35)
        points[str(name)] = row["value_x"], row["value_y"]
    axis.set(xlabel=labels[0] or x, ylabel=labels[1] or y)
    axis.margins(x=0.2, y=0.12)
    if limit is not None:
        axis.set(xlim=(106, -6), ylim=(-6, 106))
        axis.axvspan(-6, limit, **style.SHADED)
        axis.axvline(limit, **style.DASHED)
    figure.draw_without_rendering()
    _name_points(axis, points, ours)
    return figure


def _name_points(
    axis: Axes, points: Mapping[str, tuple[float, float]], ours: Collection[str]
) -> None:
    """A name beside each point, where no point and no name before it stands; from top to bottom."""
    scale = np.float64(72 / axis.figure.dpi)  # pixels to points
    places = {name: scale * axis.transData.transform(at) for name, at in points.items()}
    taken = [(x - 2.5, y - 2.5, x + 2.5, y + 2.5) for x, y in places.values()]
    left, bottom, right, top = (scale * end for end in axis.bbox.extents)
    for name in sorted(places, key=lambda each: -places[each][1]):
        (x, y), wide = places[name], 3.4 * len(name)
        shifts = [
            (side, up)
            for up in (2, -8, 9, -15, 16, -22, 23, -29, 30, 37)
            for side in (5, -5 - wide)
        ]
        boxes = [(x + dx, y + dy, x + dx + wide, y + dy + 6) for dx, dy in shifts]
        inside = [left <= a and c <= right and bottom <= b and d <= top for a, b, c, d in boxes]
        free = [fits and not any(_overlap(box, other) for other in taken)
                for box, fits in zip(boxes, inside, strict=True)]  # fmt: skip
        chosen = (free if any(free) else [*inside, True]).index(True) % len(boxes)
        taken.append(boxes[chosen])
        text = axis.annotate(
            name, points[name], shifts[chosen], textcoords="offset points", fontsize=5.8,
            color=BLUE if name in ours else INK, annotation_clip=False, path_effects=[style.HALO],
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.4, "shrinkA": 0, "shrinkB": 2},
        )  # fmt: skip
        text.set_in_layout(False)  # it stands inside; the axes keep the place it was found for


def _overlap(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two boxes (left, bottom, right, top) share some area."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _whiskers(row: Any, side: str) -> list[list[float]]:
    """Lengths below and above a value; an unknown bound has length zero."""
    value, low, high = (row[f"{name}_{side}"] for name in ("value", "low", "high"))
    return [[np.nan_to_num(max(value - low, 0))], [np.nan_to_num(max(high - value, 0))]]
