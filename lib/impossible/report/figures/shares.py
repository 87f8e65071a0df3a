"""A share per group with its interval: where a critic errs, which kinds are frequent."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impossible.report.figures.style import (  # fmt: skip
    COLUMN,
    GREY,
    Picture,
    grid,
    look,
    need,
    percent,
    styled,
    whiskers,
    wrapped,
)


@styled
def precision_by_group(
    frame: pd.DataFrame, base: float | None = None, label: str = "precision",
    target: float | None = None,
) -> Figure:  # fmt: skip
    """A share per group with its interval: where a critic errs.

    Args:
        frame: `group`, `value`, `low`, `high` in [0, 1], `n`, and optionally `series` (critics).
        base: base rate without the critic, drawn as a dotted line.
        target: the figure to reach, drawn as a dashed line.
    """
    need(frame, ["group", "value", "low", "high", "n"], "precision_by_group")
    figure, axis, totals = _shares(frame, 0.7, 0.17, 0.06)
    axis.set_yticks(
        range(len(totals)), [f"{wrapped(name)}  (n={n:,})" for name, n in totals.items()]
    )
    for line, text, dash in ((base, "base rate", (0, (1, 1.2))), (target, "target", (0, (4, 1.5)))):
        if line is not None:
            axis.axvline(line, color=GREY, linewidth=1, linestyle=dash, label=f"{text} {line:.0%}")
    axis.set_xlim(0, 1.03)
    axis.set_xlabel(label)
    percent(axis, "x")
    grid(axis, "x")
    if axis.get_legend_handles_labels()[1]:
        figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def group_shares(frame: pd.DataFrame, label: str) -> Figure:
    """A share per group with its interval, from zero to the largest: which kinds are frequent.

    `precision_by_group` shows the whole range from 0 to 1 instead.

    Args:
        frame: `group`, `value`, `low`, `high` in [0, 1], `n`, and optionally `series`.
        label: of the axis of shares.
    """
    need(frame, ["group", "value", "low", "high", "n"], "group_shares")
    several = "series" in frame and frame["series"].nunique() > 1
    figure, axis, totals = _shares(frame, 0.75, 0.14, 0.07)
    counted = "" if several else "  (n={:,})"
    labels = [wrapped(name, 24) + counted.format(n) for name, n in totals.items()]
    axis.set_yticks(range(len(totals)), labels)
    axis.set_xlim(left=0)
    axis.margins(x=0.06)
    axis.set_xlabel(label)
    percent(axis, "x")
    axis.locator_params(axis="x", nbins=5)
    grid(axis)
    if "series" in frame:
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def _shares(
    frame: pd.DataFrame, base: float, line: float, more: float
) -> tuple[Figure, Axes, pd.Series[int]]:
    """A figure with a mark and an interval for each group and series, the first group on top.

    Args:
        frame: `group`, `value`, `low`, `high`, `n`, and optionally `series`.
        base, line, more: inches of height, in all, for each group, and for each of its series.

    Returns:
        The figure, its axis, and the largest n of each group in their order.
    """
    groups = list(dict.fromkeys(frame["group"]))
    series = list(dict.fromkeys(frame["series"])) if "series" in frame else [""]
    figure = Picture(figsize=(COLUMN, base + (line + more * len(series)) * len(groups)))
    axis = figure.subplots()
    for index, name in enumerate(series):
        rows = frame[frame["series"] == name] if name else frame
        shift = (index - (len(series) - 1) / 2) * 0.5 / len(series)
        style = {**look(index), "linestyle": "none", "label": name or None}
        for row in rows.itertuples():
            axis.errorbar(
                row.value, groups.index(row.group) + shift,
                xerr=whiskers(row.value, row.low, row.high), elinewidth=1, **style,
            )  # fmt: skip
            style["label"] = None
    axis.set_ylim(len(groups) - 0.5, -0.5)
    return figure, axis, frame.groupby("group", sort=False)["n"].max()
