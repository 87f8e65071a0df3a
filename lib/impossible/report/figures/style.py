"""One look for every figure, and one way to write figures that never differ by a byte.

Figures read in greyscale (every series differs in marker and line as well as in colour) and at the
width of one column of a two-column paper; all functions take tidy frames and do no input or output.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from impossible.errors import DataError

COLUMN = 3.3  # inches: one column of a two-column paper
PAGE = 6.9  # inches: both columns
PNG_DPI = 200

BLUE, RED, GREEN, ORANGE, PURPLE, SKY = (  # Okabe & Ito (2008), safe for colour-blind readers
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#CC79A7",
    "#56B4E9",
)
INK, GREY, PALE = "#222222", "#7A7A7A", "#DDDDDD"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY)  # neighbours differ in lightness too
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), "-.", (0, (6, 1, 1, 1, 1, 1)), (0, (2, 2)))
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "oo")

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same glyphs everywhere
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.8,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "hatch.linewidth": 0.5,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "impossible",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "savefig.facecolor": "white",
}

P = ParamSpec("P")
R = TypeVar("R")


class Picture(Figure):
    """A matplotlib figure that a notebook shows by itself, without pyplot's global state."""

    def _repr_png_(self) -> bytes:
        return render(self, "png", dpi=150)


def styled(plot: Callable[P, R]) -> Callable[P, R]:
    """Run a plot function inside the common style, leaving matplotlib's settings as they were.

    The layout is computed here and then frozen: matplotlib would adjust it a little at each
    drawing, and the same figure saved twice would differ.
    """

    @wraps(plot)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(RC):
            result = plot(*args, **kwargs)
            if isinstance(result, Figure):
                for _ in range(2):  # the second pass settles what the first one moved
                    result.draw_without_rendering()
                result.set_layout_engine("none")
            return result

    return inside


@styled
def render(figure: Figure, kind: str, dpi: int = PNG_DPI) -> bytes:
    """The bytes of `figure` as "pdf", "svg" or "png": no dates, no versions, no random ids."""
    dates: dict[str, dict[str, str | None]] = {
        "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
    }
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=dates[kind])
    return _of_256_colours(buffer, dpi) if kind == "png" else buffer.getvalue()


def _of_256_colours(png: io.BytesIO, dpi: int) -> bytes:
    """A third of the size, and for charts the same to the eye."""
    smaller = io.BytesIO()
    image = Image.open(png).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(smaller, "PNG", optimize=True, dpi=(dpi, dpi))
    return smaller.getvalue()


def look(index: int, colour: str | None = None) -> dict[str, Any]:
    """Colour, marker and line of series number `index`, told apart in greyscale too."""
    return {
        "color": colour or COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": LINES[index % len(LINES)],
    }


def need(frame: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Raise `DataError` when `frame` is empty or lacks one of `columns`."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns)) or "none"
        raise DataError(
            f"The frame for the figure '{what}' lacks the column{'s' * (len(missing) > 1)} "
            f"{', '.join(missing)}; it has {have}: add the missing ones."
        )
    if frame.empty:
        raise DataError(
            f"The frame for the figure '{what}' has no rows; at least one is needed: "
            "check that the stage before it kept anything."
        )


def wrapped(name: object, characters: int = 22) -> str:
    """A label broken into lines, so that long names leave room for the data.

    A unit and an arrow stay with the word before them.

    >>> wrapped("summary: right task, % ↑", 20).splitlines()
    ['summary: right', 'task, % ↑']
    """
    joined = re.sub(r" (?=[%↑↓]( |$))", "\N{NO-BREAK SPACE}", str(name))
    return textwrap.fill(joined, characters).replace("\N{NO-BREAK SPACE}", " ")


def whiskers(value: float, low: float, high: float) -> list[list[float]]:
    """Error-bar lengths below and above `value`; an unknown bound has length zero."""
    below = 0.0 if math.isnan(low) else max(0.0, value - low)
    above = 0.0 if math.isnan(high) else max(0.0, high - value)
    return [[below], [above]]


def percent(axis: Axes, which: str = "y") -> None:
    """Label the ticks of a [0, 1] axis in per cent, with as many digits as they need."""
    chosen = axis.yaxis if which == "y" else axis.xaxis
    chosen.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))


def grid(axis: Axes, which: Literal["both", "x", "y"] = "both") -> None:
    """Thin guide lines behind the data."""
    axis.grid(True, axis=which, color=PALE, linewidth=0.5)
