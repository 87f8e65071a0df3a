"""Dots with intervals: systems, datasets, fractions by group."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from impossible.report.figures import style
from impossible.report.figures.roles import (
    REFERENCES,
    role_dots,
    role_handles,
    roles_of,
    typeset,
)
from impossible.report.figures.style import COLUMN, GREY, PAGE, RED, styled


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
            metric that fewer than a quarter of the systems have gets no panel, unless all are so.
        control, ours: systems that have this role besides those of `roles.roles_of`. The value of
            a reference (gold) is a dotted line.
        human: datasets of human writers, below the others; their range is shaded: a dot of ours
            inside the grey band is inside what human writers do.
    """
    style.need(metric_rows, style.ROWS, "system_dots")
    if not isinstance(titles, Mapping):
        titles = {metric: metric for metric in titles or dict.fromkeys(metric_rows["metric"])}
    known = metric_rows.dropna(subset="value").groupby("metric")["system"].nunique()
    enough = known.index[4 * known >= metric_rows["system"].nunique()]
    titles = {name: text for name, text in titles.items() if name in enough} or titles
    names = sorted(dict.fromkeys(metric_rows["system"]), key=lambda name: name in human)
    roles = roles_of(names, ours, control)
    labels = [style.wrapped(name, 28 if width > COLUMN else 22) for name in names]
    line = 0.17 + 0.1 * max(label.count("\n") for label in labels)
    figure, axes = style.small_panels(
        list(titles.values()), width, 4 if width > COLUMN else 2, 0.5 + line * len(names), 20,
        sharey=True,
    )  # fmt: skip
    for axis, metric in zip(axes, titles, strict=True):
        rows = metric_rows[metric_rows["metric"] == metric]
        _system_panel(axis, rows, names, roles)
        values = rows.loc[rows["system"].isin(list(human)), "value"].dropna()
        if len(values):
            axis.axvspan(
                values.min(), values.max(), label="range of human datasets", **style.SHADED
            )
            axis.axhline(len(set(names) - set(human)) - 0.5, color=GREY, linewidth=0.5)
    axes[0].set_yticks(range(len(names)), [typeset(label) for label in labels])
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    for axis in axes:
        for tick, name in zip(axis.get_yticklabels(), names, strict=False):
            tick.set_fontweight("bold" if roles[name] == "ours" else "normal")
    others = {name for name in names if roles[name] == "other"}
    other = "human dataset" if others and others <= set(human) else "other"
    columns = 2 if width <= COLUMN else 4
    style.legend_above(figure, axes, columns, more=role_handles(roles.values(), other))
    return figure


def _system_panel(
    axis: Axes, rows: pd.DataFrame, names: list[str], roles: Mapping[str, str]
) -> None:
    """A dot with its interval for each name that has a value, a dash for the others."""
    role_dots(axis, rows, "system", names, roles)
    values = rows.dropna(subset="value").set_index("system")["value"]
    for name in values.index.intersection(REFERENCES):
        axis.axvline(values[name], label=name, **{**style.DOTTED, "linewidth": 0.7})
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
    control: Collection[str] = (), zoom: bool = False,
    beside: tuple[str, str, pd.DataFrame] | None = None,
) -> Figure:  # fmt: skip
    """A fraction per group with its interval: where a critic errs, which kinds are frequent.

    Args:
        frame: `group` (or `system`), `value`, `low`, `high` in [0, 1], `n`, and optionally
            `series` (critics, datasets, domains); a group without a value is shown as "–".
        label: of the axis of fractions.
        lines: name → fraction of a vertical line, for example {"base rate": 0.1, "target": 0.95}.
        control: groups that are controls besides those of `roles.roles_of`; roles are drawn where
            there is one series.
        zoom: from zero to the largest fraction instead of the whole range from 0 to 1.
        beside: who said the fractions of the frame, who said others, and these, without `series`;
            drawn as squares below, for some of the groups.
    """
    frame = frame if "group" in frame else frame.rename(columns={"system": "group"})
    style.need(frame, ["group", "value", "low", "high", "n"], "fraction_dots")
    rows = frame.assign(series=frame.get("series", ""))
    groups, series = (list(dict.fromkeys(rows[column])) for column in ("group", "series"))
    line = 0.15 + 0.065 * (len(series) + (beside is not None))
    figure, axis = style.one_panel(COLUMN, 0.75 + line * len(groups))
    roles = roles_of(map(str, groups), (), control) if len(series) == 1 else {}
    if roles:
        role_dots(axis, rows, "group", groups, roles)
    else:
        seaborn.pointplot(
            style.with_bounds(rows), x="value", y="group", order=groups, hue="series",
            hue_order=series, palette=style.palette(series), linestyle="none", markersize=4,
            markers=list(style.MARKERS[: len(series)]), err_kws={"linewidth": 1}, ax=axis,
            dodge=0.5 * (len(series) - 1) / len(series), **style.INTERVAL,
        )  # fmt: skip
    key = role_handles(roles.values())
    if beside:
        key = [*_said_by(beside[0], key), _square_dots(axis, groups, *beside[1:])]
    counts = rows.groupby("group", sort=False)["n"].max()
    counted = "" if zoom and len(series) > 1 else "  (n={:,})"  # else each series has its own n
    names = [typeset(style.wrapped(name)) + counted.format(counts[name]) for name in groups]
    axis.set_yticks(range(len(groups)), names)
    for place in np.flatnonzero(rows.groupby("group", sort=False)["value"].count() == 0):
        axis.text(0.02, float(place), "–", transform=axis.get_yaxis_transform(), va="center")
    for (name, value), look in zip(
        (lines or {}).items(), (style.DOTTED, style.DASHED), strict=False
    ):
        axis.axvline(value, label=f"{name} {value:.0%}", **look)
    axis.set(ylim=(len(groups) - 0.5, -0.5), xlabel=label, ylabel="")
    axis.margins(x=0.06)
    axis.set_xlim(0 if zoom else -0.01, None if zoom else 1.03)
    axis.locator_params(axis="x", nbins=5)
    style.percent(axis.xaxis)
    style.legend_above(figure, [axis], 3 if roles and not beside else 2, more=key)
    return figure


def _said_by(who: str, key: Sequence[Line2D]) -> list[Line2D]:
    """Entries of a legend with who said what they mark."""
    for entry in key:
        entry.set_label(f"{who}: {entry.get_label()}")
    return list(key)


def _square_dots(axis: Axes, groups: Sequence[str], who: str, rows: pd.DataFrame) -> Line2D:
    """A square with its interval below the dot of each group that another judge speaks of too."""
    known = rows[rows["group"].isin(groups)].set_index("group")
    places = [list(groups).index(name) + 0.27 for name in known.index]
    bounds = known[["low", "high"]].to_numpy(dtype=float).T
    axis.hlines(places, *bounds, color=RED, linewidth=1.1, zorder=1.9)
    look: dict[str, Any] = {"color": RED, "marker": "s", "markersize": 3.6, "linestyle": "none"}
    axis.plot(known["value"], places, **look)
    return Line2D([], [], label=who, **look)
