"""The funnel: how many are left after each test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impossible.filtering.critics import reason_title
from impossible.report.figures import style
from impossible.report.figures.style import BLUE, COLUMN, GREY, styled


@styled
def funnel_dots(
    frame: pd.DataFrame, order: Sequence[str] | None = None, kept: str = "kept",
    unit: str = "ordered pairs",
) -> Figure:  # fmt: skip
    """How many are left after each test: a dot per test, with the fraction that it retains.

    Args:
        frame: `reason`, `n`; rows of one reason are added up (a FUNNEL frame fits as it is).
        order: reasons as they are tested; by default those that drop most first.
        kept: the reason that means "not dropped"; it has the last row.
        unit: what is counted.

    The scale is logarithmic, so that few survivors are told apart; nothing left has no dot.
    """
    style.need(frame, ["reason", "n"], "funnel_dots")
    counts = frame.groupby("reason")["n"].sum().sort_values(ascending=False)
    reasons = [*dict.fromkeys([*(order or ()), *counts.index])]
    dropped = counts.reindex([name for name in reasons if name != kept], fill_value=0)
    left = np.concatenate([[counts.sum()], counts.sum() - dropped.cumsum()]).astype(int)
    left = np.append(left, left[-1])
    tests = [f"after {reason_title(str(name))}" for name in dropped.index]
    steps = [f"all {unit}", *tests, kept]
    figure, axis = style.one_panel(COLUMN, 0.7 + 0.19 * len(steps))
    seaborn.pointplot(
        x=left, y=steps, order=steps, orient="y", color=GREY, linewidth=0.8, markersize=4, ax=axis
    )  # fmt: skip
    axis.plot(left[-1], len(steps) - 1, "D", color=BLUE, markersize=5, zorder=5)
    _decades(axis, left[left > 0])
    _numbers_beside(axis, left)
    axis.set_yticks(range(len(steps)), [style.wrapped(step) for step in steps])
    axis.set_ylim(len(steps) - 0.5, -0.5)
    axis.set(xlabel=f"{unit} left (log scale)", ylabel="")
    axis.set_title(f"{left[-1]:,} of {left[0]:,} {kept}", loc="left", pad=12)
    return figure


def _decades(axis: Axes, values: np.ndarray) -> None:
    """A logarithmic scale over the powers of ten that hold the values."""
    low, high = np.floor(np.log10(values.min(initial=1e9))), np.ceil(np.log10([1, *values])).max()
    low = min(low, high - 1)
    axis.set_xscale("log", nonpositive="mask")
    style.plain_log(axis.xaxis, (1, 2, 5) if high - low < 2 else (1,))
    room = 0.05 * (high - low)  # for the marks at both ends
    axis.set_xlim(10.0 ** (low - room), 10.0 ** (high + room))


def _numbers_beside(axis: Axes, left: np.ndarray) -> None:
    """Right of each row what is left and which fraction its test retains, with their heads."""
    beside: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center",
        "fontsize": 6.2, "annotation_clip": False, "ha": "right",
    }  # fmt: skip
    heads = {**beside, "xycoords": "axes fraction", "va": "bottom", "color": GREY}
    for text, across in (("left", 40), ("retained", 72)):
        axis.annotate(text, (1, 1), (across, 3), **heads)
    for place, survivors in enumerate(left):
        axis.annotate(f"{survivors:,}", (1, place), (40, 0), **beside)
        if 0 < place < len(left) - 1:  # the first row and the last are no test
            before = left[place - 1]
            text = f"{survivors / before:.1%}" if before else "–"
            axis.annotate(text, (1, place), (72, 0), **beside)
