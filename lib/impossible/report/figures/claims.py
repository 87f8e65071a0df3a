"""All claims at once: effects over seeds beside the controls that lack their signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from impossible.evaluation.claims.verdicts import (
    FAILED,
    MISSING_NUMBERS,
    REPRODUCED,
    UNDECIDED,
)
from impossible.report.figures import style
from impossible.report.figures.roles import typeset
from impossible.report.figures.style import COLUMN, GREY, INK, PAGE, styled

_COLUMNS = (
    "number", "claim", "label", "minimum_effect", "bound", "value", "low", "high", "control",
    "control_low", "control_high", "verdict", "claim_verdict",
)  # fmt: skip
_VERDICTS: dict[str, dict[str, Any]] = {  # told apart by shape, by grey and by colour
    REPRODUCED: {"marker": "o", "color": style.BLUE, "markersize": 4.2},
    FAILED: {"marker": "X", "color": style.RED, "markersize": 5, "markeredgewidth": 0},
    UNDECIDED: {"marker": "D", "color": GREY, "markersize": 3.6},
}
_HOLLOW: dict[str, Any] = {
    "marker": "o", "color": INK, "markerfacecolor": "white", "markersize": 2.8,
    "markeredgewidth": 0.6, "linewidth": 0.6,
}  # fmt: skip
_DRAWN = ["value", "low", "high", "control", "control_low", "control_high"]
_Line = tuple[int, str, dict[str, Any] | None, str | None]
_MOST_CLAIMS = 15  # in one column
_TICKS = (-100, -10, -1, 0, 1, 10, 100)


@styled
def claim_dots(parts: pd.DataFrame) -> Figure:
    """Forest plot: one line per part of a claim, its effect with interval, its control hollow.

    Units differ, so every effect is divided by the minimum effect size in its unit: 0 is nothing,
    1 that minimum. The axis is linear between -1 and 1 and logarithmic beyond. Positive is what
    the claim says. A claim that is only said to be not worse has its bound at -1, drawn in its
    line.

    Args:
        parts: rows of `claim_tables.part_rows`; a part without a value is shown as "–", never as
            0, and claims without any are named in a note under it.
    """
    style.need(parts, _COLUMNS, "claim_dots")
    known = parts.groupby("number")["value"].transform("count") > 0
    lacking = sorted(parts.loc[~known, "number"].unique()) if known.any() else []
    parts = parts[~parts["number"].isin(lacking)]
    parts = parts.assign(**parts[_DRAWN].astype(float).div(parts["minimum_effect"], axis=0))
    lines = _claim_lines(parts)
    blocks = _columns(lines)
    height, width = 0.75 + 0.126 * max(map(len, blocks)), COLUMN if len(blocks) == 1 else PAGE
    figure = style.Picture(figsize=(width, height))
    axes = list(figure.subplots(1, len(blocks), squeeze=False).flat)
    if lacking:
        note = f"Not measured in this run: claims {_ranges(lacking)}."
        figure.supxlabel(note, x=0.02, ha="left", fontsize=6, color=GREY)
    for axis, block in zip(axes, blocks, strict=True):
        _claim_axis(axis, parts[_DRAWN].to_numpy())
        shaded = sorted({line[0] for line in block})[::2]  # every second claim
        for place, (number, _, part, _) in enumerate(block):
            if number in shaded:
                axis.axhspan(place - 0.5, place + 0.5, **style.SHADED)
            if part is not None:
                _effect_and_control(axis, place, part)
        _claim_words(axis, block)
    looks = {**_VERDICTS, "control": _HOLLOW}
    figure.legend(
        handles=[Line2D([], [], label=name, ls="none", **look) for name, look in looks.items()],
        loc="outside upper center", ncols=4, columnspacing=0.8, handletextpad=0,
    )  # fmt: skip
    return figure


def _columns(lines: list[_Line]) -> list[list[_Line]]:
    """All lines, or those of many claims in two columns of about equal length, no claim torn."""
    opens = [place for place, line in enumerate(lines) if line[3] is not None]
    if len(opens) <= _MOST_CLAIMS:
        return [lines]
    half = min(opens, key=lambda place: abs(place - len(lines) / 2))
    return [lines[:half], lines[half:]]


def _claim_lines(parts: pd.DataFrame) -> list[_Line]:
    """Number, text, the part drawn in this line, and the verdict if the line opens a claim.

    A claim's line holds its part if it has one only, else a line follows for each.
    """
    lines: list[_Line] = []
    for number, rows in parts.groupby("number", sort=True):
        found = rows.to_dict("records")
        only = found[0] if len(found) == 1 else None
        lines.append((number, found[0]["claim"], only, _verdict(rows)))
        lines += [(number, row["label"], row, None) for row in found if only is None]
    return lines


def _verdict(rows: pd.DataFrame) -> str:
    """The verdict of a claim; where only some of its parts were measured, how many."""
    measured, verdict = int(rows["value"].notna().sum()), str(rows["claim_verdict"].iloc[0])
    partly = verdict == MISSING_NUMBERS and measured
    return f"{measured} of {len(rows)} measured" if partly else verdict


def _ranges(numbers: list[int]) -> str:
    """Numbers in order, those that follow one another as a range: "4, 6–8"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _claim_axis(axis: Axes, sizes: np.ndarray) -> None:
    """Scale, ticks, and the lines that verdicts are measured against."""
    least, most = np.nanmin([-1.0, *sizes.flat]), np.nanmax([2.0, *sizes.flat])
    axis.set_xscale("symlog", linthresh=1, linscale=0.7)
    axis.set_xlim(1.4 * least, 1.4 * most)
    axis.xaxis.set_major_locator(FixedLocator([tick for tick in _TICKS if least <= tick <= most]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    axis.set_xlabel("effect ÷ minimum effect size", labelpad=1.5)
    axis.axvline(0, color=INK, linewidth=0.7)
    axis.axvline(1, color=INK, linewidth=0.7, linestyle=(0, (3, 2)))


def _claim_words(
    axis: Axes, lines: list[tuple[int, str, dict[str, Any] | None, str | None]]
) -> None:
    """Names left of the axis, those of claims in bold, and their verdicts right of it."""
    names = [
        typeset(f"{number}  {text}" if verdict else text) for number, text, _, verdict in lines
    ]
    opening = [place for place, line in enumerate(lines) if line[3]]
    axis.set_yticks(range(len(lines)), names, fontsize=6)
    axis.set_ylim(len(lines) - 0.4, -0.6)
    right = axis.secondary_yaxis("right")
    right.set_yticks(opening, [str(lines[place][3]) for place in opening], fontsize=6)
    failed = [label for label in right.get_yticklabels() if label.get_text() == FAILED]
    for label in (*(axis.get_yticklabels()[place] for place in opening), *failed):
        label.set_fontweight("bold")
    for each in (axis, right):
        each.tick_params(axis="y", length=0)
    right.spines[:].set_visible(False)
    axis.grid(False, axis="y")


def _effect_and_control(axis: Axes, place: float, row: dict[str, Any]) -> None:
    """One effect with its control a little below it."""
    if row["bound"] == "not_worse":
        axis.plot([-1, -1], [place - 0.45, place + 0.45], color=INK, linewidth=1.2)
    if row["verdict"] not in _VERDICTS or np.isnan(row["value"]):
        axis.text(0.1, place, "–", va="center", fontsize=6.5)
        return
    for shift, names, look in (
        (0.25, _DRAWN[3:], {"elinewidth": 0.6, **_HOLLOW}),
        (-0.12, _DRAWN[:3], {"elinewidth": 1.1, **_VERDICTS[row["verdict"]]}),
    ):
        value, low, high = (row[name] for name in names)
        if not np.isnan(value):
            ends = np.nan_to_num([[value - low], [high - value]]).clip(0)
            axis.errorbar(value, place + shift, xerr=ends, **look)
