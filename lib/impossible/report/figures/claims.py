"""All claims at once: effects over seeds beside the controls that lack their signal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from impossible.evaluation.claims.verdicts import FAILED, REPRODUCED, UNDECIDED
from impossible.report.figures.style import (
    BLUE,
    COLUMN,
    GREY,
    INK,
    PALE,
    RED,
    Picture,
    grid,
    need,
    styled,
    whiskers,
)

COLUMNS = (
    "number", "claim", "label", "minimum_effect", "bound", "value", "low", "high", "control",
    "control_low", "control_high", "verdict", "claim_verdict",
)  # fmt: skip
LOOKS: dict[str, dict[str, Any]] = {  # told apart by shape, by grey and by colour
    REPRODUCED: {"marker": "o", "color": BLUE, "markersize": 4.2},
    FAILED: {"marker": "X", "color": RED, "markersize": 5, "markeredgewidth": 0},
    UNDECIDED: {"marker": "D", "color": GREY, "markersize": 3.6},
}
CONTROL: dict[str, Any] = {
    "marker": "o", "color": INK, "markerfacecolor": "white", "markersize": 2.8,
    "markeredgewidth": 0.6, "linewidth": 0.6,
}  # fmt: skip
LINE, LABELS, WORDS, ABOVE, BELOW = 0.122, 1.36, 0.84, 0.24, 0.34  # inches
TICKS = (-100, -10, -1, 0, 1, 10, 100)


class _Line(NamedTuple):
    """A line of the picture: its text, the part drawn in it, the verdict if it opens a claim."""

    number: int
    text: str
    part: dict[str, Any] | None
    verdict: str | None


@styled
def claims(parts: pd.DataFrame, width: float = COLUMN) -> Figure:
    """Forest plot: one line per part of a claim, its effect with interval, its control hollow.

    Units differ, so every effect is divided by the minimum effect size in its unit:
    0 is nothing, 1 that minimum. The axis is linear between -1 and 1 and logarithmic
    beyond. Positive is what the claim says. A claim that is only said to be not worse has its
    bound at -1, drawn in its line.

    Args:
        parts: rows of `claim_tables.part_rows`, with the columns of `COLUMNS`; a part without a
            value is shown as "–", never as zero.
        width: inches.
    """
    need(parts, COLUMNS, "claims")
    lines = _lines(parts)
    height = ABOVE + LINE * len(lines) + BELOW
    figure = Picture(figsize=(width, height))
    figure.set_layout_engine("none")  # room for words is fixed, the rest is the axis
    across, up = (width - LABELS - WORDS) / width, 1 - (ABOVE + BELOW) / height
    axis = figure.add_axes((LABELS / width, BELOW / height, across, up))
    _ground(axis, parts, lines)
    for place, line in enumerate(lines):
        _words(axis, place, line, width - LABELS - WORDS)
        if line.part is not None:
            _part(axis, place, line.part)
    handles = [
        *(Line2D([], [], linestyle="none", label=name, **look) for name, look in LOOKS.items()),
        Line2D([], [], label="control", **{**CONTROL, "linestyle": "none"}),
    ]
    figure.legend(handles=handles, loc="upper center", ncols=4, columnspacing=0.8, handletextpad=0)
    return figure


def _lines(parts: pd.DataFrame) -> list[_Line]:
    """A line for each claim, which holds its part if it has one only, and else one for each."""
    lines = []
    for number, rows in parts.groupby("number", sort=True):
        found = rows.to_dict("records")
        only = found[0] if len(found) == 1 else None
        lines.append(_Line(number, found[0]["claim"], only, found[0]["claim_verdict"]))
        lines += [_Line(number, row["label"], row, None) for row in found if only is None]
    return lines


def _ground(axis: Axes, parts: pd.DataFrame, lines: Sequence[_Line]) -> None:
    """Scale, ticks, every other claim shaded, and the lines that verdicts are measured against."""
    drawn = parts[["value", "low", "high", "control", "control_low", "control_high"]]
    sizes = drawn.div(parts["minimum_effect"], axis=0).to_numpy(dtype=float)
    least, most = np.nanmin(np.append(sizes, -1.0)), np.nanmax(np.append(sizes, 2.0))
    axis.set_xscale("symlog", linthresh=1, linscale=0.7)
    axis.set_xlim(1.4 * least, 1.4 * most)
    axis.xaxis.set_major_locator(FixedLocator([each for each in TICKS if least <= each <= most]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    axis.set_xlabel("effect ÷ minimum effect size", labelpad=1.5)
    axis.set_ylim(len(lines) - 0.4, -0.6)
    axis.set_yticks([])
    grid(axis, "x")
    for place, line in enumerate(lines):
        if line.number % 2:
            axis.axhspan(place - 0.5, place + 0.5, color=PALE, alpha=0.35, linewidth=0, zorder=0)
    axis.axvline(0, color=INK, linewidth=0.7)
    axis.axvline(1, color=INK, linewidth=0.7, linestyle=(0, (3, 2)))


def _words(axis: Axes, place: float, line: _Line, inches: float) -> None:
    """The text left of the axis, which is `inches` wide, and a claim's verdict right of it."""
    beside: dict[str, Any] = {"transform": axis.get_yaxis_transform(), "va": "center", "color": INK}
    if line.verdict is None:
        axis.text((0.28 - LABELS) / inches, place, line.text, fontsize=5.8, **beside)
        return
    failed = "bold" if line.verdict == FAILED else "normal"
    left = (0.19 - LABELS) / inches
    axis.text(left, place, f"{line.number}", fontsize=6.2, fontweight="bold", ha="right", **beside)
    axis.text(left, place, f"  {line.text}", fontsize=6.2, fontweight="bold", **beside)
    axis.text(
        1 + 0.05 / inches, place, line.verdict, fontsize=5.8, fontweight=failed, **beside
    )  # fmt: skip


def _part(axis: Axes, place: float, row: dict[str, Any]) -> None:
    """One effect with its control a little below it."""
    if row["bound"] == "not_worse":
        axis.plot([-1, -1], [place - 0.45, place + 0.45], color=INK, linewidth=1.2)
    if row["verdict"] not in LOOKS or math.isnan(row["value"]):
        axis.text(0.1, place, "–", va="center", fontsize=6.5)
        return
    for shift, names, look in (
        (0.25, ("control", "control_low", "control_high"), CONTROL),
        (-0.12, ("value", "low", "high"), LOOKS[row["verdict"]]),
    ):
        value, low, high = (float(row[name]) / row["minimum_effect"] for name in names)
        if not math.isnan(value):
            axis.errorbar(
                value, place + shift, xerr=whiskers(value, low, high),
                elinewidth=0.6 if look is CONTROL else 1.1, **look,
            )  # fmt: skip
