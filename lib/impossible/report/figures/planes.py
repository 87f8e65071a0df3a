"""Two metrics at once: a plane of numbered points with a key."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from impossible.report.figures import style
from impossible.report.figures.roles import LOOKS, role_handles, roles_of, typeset
from impossible.report.figures.style import BLUE, COLUMN, GREY, INK, styled


@styled
def trade_off_dots(
    metric_rows: pd.DataFrame, x: str, y: str, ours: Collection[str] = (),
    labels: tuple[str, str] = ("", ""), control: Collection[str] = (), limit: float | None = None,
    width: float = COLUMN,
) -> Figure:  # fmt: skip
    """A point per corpus or system with both intervals; numbers, whose key stands below.

    Names beside the points would pile up where systems are alike. One without `y` has its number
    at the lower edge.

    Args:
        metric_rows: METRIC_ROWS (`system`, `metric`, `value`, `low`, `high`).
        x, y: two metrics; y is what only some have, such as a judge's rate.
        ours, control: what else has this role (`roles.roles_of`).
        labels: of the axes.
        limit: the largest x that is good enough, where both metrics are in per cent; what lies
            within is shaded, and x falls to the right, so that the best corner is the upper right
            one.
    """
    style.need(metric_rows, style.ROWS, "trade_off_dots")
    sides = [metric_rows[metric_rows["metric"] == m].set_index("system") for m in (x, y)]
    both = sides[0].join(sides[1], suffixes=("_x", "_y"))
    roles = roles_of(map(str, both.index), ours, control)
    columns = 2 if width <= COLUMN else 4
    height = 0.8 * min(width, 4) + 0.35 + 0.13 * math.ceil(len(both) / columns)
    figure, axis = style.one_panel(width, height)
    points: dict[str, tuple[float, float]] = {}
    for number, (name, row) in enumerate(both.iterrows(), 1):
        if pd.isna(row["value_y"]):
            _at_the_edge(axis, str(number), row["value_x"])
            continue
        across, up = _whiskers(row, "x"), _whiskers(row, "y")
        look = LOOKS[roles[str(name)]]
        bars = axis.errorbar(row["value_x"], row["value_y"], up, across, elinewidth=0.7, **look)
        for line in bars[2]:
            line.set_alpha(0.35)
        points[str(number)] = row["value_x"], row["value_y"]
    axis.set(xlabel=labels[0] or x, ylabel=labels[1] or y)
    axis.margins(x=0.2, y=0.12)
    if limit is not None:
        axis.set(xlim=(106, -6), ylim=(-6, 106))
        axis.axvspan(-6, limit, **style.SHADED)
        axis.axvline(limit, **style.DASHED)
    _key(figure, roles, columns)
    figure.draw_without_rendering()
    blue = {str(place) for place, role in enumerate(roles.values(), 1) if role == "ours"}
    _number_points(axis, points, blue)
    return figure


def _at_the_edge(axis: Axes, number: str, x: float) -> None:
    """The number of a point without height, with an arrow to the axis."""
    axis.annotate(
        number, (x, 0), (0, 10), xycoords=axis.get_xaxis_transform(), textcoords="offset points",
        ha="center", va="bottom", fontsize=6.2, color=GREY,
        arrowprops={"arrowstyle": "-", "color": GREY},
    )  # fmt: skip


def _key(figure: Figure, roles: Mapping[str, str], columns: int) -> None:
    """What each number is, in the look of its point, below; the roles above."""
    key = [
        Line2D([], [], linestyle="none", label=f"{number}  {typeset(name)}", **LOOKS[role])
        for number, (name, role) in enumerate(roles.items(), 1)
    ]
    figure.legend(
        handles=key, loc="outside lower center", ncols=columns, handlelength=1, labelspacing=0.3,
        columnspacing=1.2, handletextpad=0.4,
    )  # fmt: skip
    if handles := role_handles(roles.values()):
        figure.legend(handles=handles, loc="outside upper center", ncols=3, handlelength=1)


def _number_points(
    axis: Axes, points: Mapping[str, tuple[float, float]], ours: Collection[str]
) -> None:
    """Numbers beside points, where no point and no number before stands; from top to bottom."""
    scale = np.float64(72 / axis.figure.dpi)  # pixels to points
    places = {name: scale * axis.transData.transform(at) for name, at in points.items()}
    taken = [(x - 2.5, y - 2.5, x + 2.5, y + 2.5) for x, y in places.values()]
    left, bottom, right, top = (scale * end for end in axis.bbox.extents)
    for name in sorted(places, key=lambda each: -places[each][1]):
        (x, y), wide = places[name], 4.2 * len(name)
        shifts = [
            (side, up)
            for up in (2, -8, 9, -15, 16, -22, 23, -29, 30, 37)
            for side in (4, -4 - wide)
        ]
        boxes = [(x + dx, y + dy, x + dx + wide, y + dy + 6) for dx, dy in shifts]
        inside = [left <= a and c <= right and bottom <= b and d <= top for a, b, c, d in boxes]
        free = [fits and not any(_overlap(box, other) for other in taken)
                for box, fits in zip(boxes, inside, strict=True)]  # fmt: skip
        chosen = (free if any(free) else [*inside, True]).index(True) % len(boxes)
        taken.append(boxes[chosen])
        text = axis.annotate(
            name, points[name], shifts[chosen], textcoords="offset points", fontsize=6.2,
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
