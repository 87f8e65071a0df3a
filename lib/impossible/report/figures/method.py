"""The whole method in one picture: ten boxes, from a prefix to the second dataset."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Hashable, Mapping
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import Bbox, TransformedBbox

from impossible.errors import DataError
from impossible.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAGE,
    Picture,
    need,
    styled,
)

#: Each step of the method: its name, who acts, and what is done.
METHOD = pd.DataFrame(
    [
        ("prefix", "teacher", "a few words that open a kind of text, such as news"),
        ("context", "teacher", "the teacher, a small language model, writes on for some sentences"),
        (
            "next sentences",
            "teacher",
            "k times, independently, it writes the sentence that follows",
        ),
        ("all pairs", "critics", "every two of them may be a paraphrase; cheap critics look first"),
        ("critics", "critics", "x ⇒ y and y ⇒ x by an NLI model, yet other words, other structure"),
        (
            "dataset $D_T$",
            "pairs",
            "pairs that all critics accept; a diversity filter may keep one of a kind",
        ),
        ("student", "student", "a small model is fine-tuned to write y when it reads x"),
        ("fresh inputs", "teacher", "the teacher writes sentences that the student never saw"),
        ("candidates", "student", "the student rewrites each of them several times"),
        ("dataset $D_{para}$", "pairs", "the same critics choose; a second student learns from it"),
    ],
    columns=["step", "role", "text"],
)

#: As in the other figures: ours is blue, what the critics say orange, equivalent pairs green.
_COLOURS = {"teacher": INK, "critics": ORANGE, "pairs": GREEN, "student": BLUE}
_ACROSS = 5  # boxes in a row
_WIDE = 0.86  # of a box, in columns
_GAP, _NAME, _COUNT, _LINE = 0.2, 0.23, 0.145, 0.1  # heights in inches: between boxes, in a box
_LINES = 6  # of text in a box, at most


@styled
def method_flow(steps: pd.DataFrame = METHOD) -> Figure:
    """Boxes in the order of the steps, row by row, every second row from right to left.

    Args:
        steps: step (name), role (teacher, critics, pairs, student: the colour) and text; count,
            if there, stands under the name. Texts are shown as they are, cut to the box.

    Raises:
        DataError: no rows, a column is missing, or a role is unknown.
    """
    need(steps, ["step", "role", "text"], "method_flow")
    if unknown := set(steps["role"]) - set(_COLOURS):
        raise DataError(f"Unknown roles {sorted(unknown)}; they are {', '.join(_COLOURS)}.")
    letters = round(PAGE / _ACROSS * _WIDE * 72 / 3.5) - 3  # that fit a line of 6 points
    bodies = [_cut(str(text), letters, _LINES) for text in steps["text"]]
    high = _NAME + _COUNT * ("count" in steps) + 0.06
    high += _LINE * max(body.count("\n") + 1 for body in bodies)
    total = math.ceil(len(steps) / _ACROSS) * (high + _GAP)
    figure = Picture(figsize=(PAGE, total))
    figure.set_layout_engine("none")
    axis = figure.add_axes((0.004, 0, 0.992, 1))
    axis.set(xlim=(0, _ACROSS), ylim=(total, 0))
    axis.set_axis_off()
    places = [_place(i, high + _GAP) for i in range(len(steps))]
    for place, step, body in zip(places, steps.to_dict("records"), bodies, strict=True):
        _box(axis, place, high, step, body)
    for start, end in pairwise(places):
        _arrow(axis, start, end, high)
    return figure


def _place(i: int, row_height: float) -> tuple[float, float]:
    """Middle and top of box i in a line that turns back at the end of each row."""
    row, column = divmod(i, _ACROSS)
    column = _ACROSS - 1 - column if row % 2 else column
    return column + 0.5, row * row_height + _GAP / 2


def _box(
    axis: Axes, place: tuple[float, float], high: float, step: Mapping[Hashable, Any], body: str
) -> None:
    """A box with its name, its count and its text."""
    (middle, top), colour = place, _COLOURS[step["role"]]
    left = middle - _WIDE / 2
    shape = "round,pad=0,rounding_size=0.05"
    axis.add_patch(
        FancyBboxPatch(
            (left, top), _WIDE, high, boxstyle=shape, facecolor="white", edgecolor=colour,
            linewidth=1,
        )
    )  # fmt: skip
    head: dict[str, Any] = {"ha": "center", "va": "top", "fontweight": "bold"}
    axis.text(middle, top + 0.06, step["step"], fontsize=7, color=INK, **head)
    # a $ of a model is no formula, and what is wider than it should be ends with the box
    inside = TransformedBbox(Bbox.from_bounds(left, top, _WIDE - 0.01, high), axis.transData)
    plain: dict[str, Any] = {"va": "top", "parse_math": False, "clip_on": True}
    if "count" in step:
        count = head | plain | {"fontsize": 6, "color": INK}
        axis.text(middle, top + _NAME, step["count"], **count).set_clip_box(inside)
    start = top + _NAME + _COUNT * ("count" in step)
    for i, line in enumerate(body.splitlines()):  # at equal distances, whatever its letters are
        look = plain | {"va": "baseline", "fontsize": 6, "color": INK}
        axis.text(left + 0.05, start + (i + 0.8) * _LINE, line, **look).set_clip_box(inside)


def _cut(text: str, letters: int, lines: int) -> str:
    """Lines of at most so many letters; each line of the text gets an equal number of them."""
    parts = text.splitlines() or [""]
    each = max(1, lines // len(parts))
    wrapped = [
        textwrap.wrap(part, letters, max_lines=each, placeholder=" …", break_long_words=True)
        for part in parts[:lines]
    ]
    return "\n".join(line for part in wrapped for line in part)


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], high: float) -> None:
    """From box to box, across the gap between them."""
    (x, y), (to_x, to_y) = start, end
    half = (_WIDE / 2 + 0.01) * ((to_x > x) - (to_x < x))
    if half:
        tail, head = (x + half, y + high / 2), (to_x - half, to_y + high / 2)
    else:
        tail, head = (x, y + high + 0.01), (to_x, to_y - 0.01)
    look = {"arrowstyle": "-|>", "color": GREY, "lw": 0.9, "mutation_scale": 6, "shrinkA": 0}
    axis.annotate("", head, tail, arrowprops={**look, "shrinkB": 0})
