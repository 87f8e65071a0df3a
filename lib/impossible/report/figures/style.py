"""The theme of every figure, the colours of quantities, and files whose bytes repeat.

Figures read in greyscale (series differ in marker and line as well as in colour), in one column of
a two-column paper and across both. Figure functions take tidy frames and write nothing.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import pandas as pd
import seaborn
from matplotlib import _mathtext
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullLocator
from PIL import Image

from impossible.errors import DataError

COLUMN, PAGE = 3.3, 6.8  # inches: one column of a two-column paper, and both
PNG_DPI = 200  # of files and in notebooks: text is laid out for it and cut at another
_SHOWN_DPI = 130
_SUBSCRIPT = 0.93  # of the size of their text

BLUE, RED, GREEN, ORANGE, PURPLE, SKY = (  # Okabe & Ito (2008), safe for colour-blind readers
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9",
)  # fmt: skip
INK, GREY, PALE = "#222222", "#7A7A7A", "#DDDDDD"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY)  # neighbours differ in lightness too
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("", (4, 1.5), (1, 1.2), (6, 1, 1, 1), (6, 1, 1, 1, 1, 1), (2, 2))
DASHED: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (4, 1.5))}
DOTTED: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (1, 1.2))}
SHADED: dict[str, Any] = {"color": PALE, "alpha": 0.6, "linewidth": 0, "zorder": -1}
RING: dict[str, Any] = {
    "markersize": 7.5, "markerfacecolor": "none", "markeredgecolor": INK, "markeredgewidth": 1.2,
    "linestyle": "none",
}  # fmt: skip
HALO = withStroke(linewidth=1.6, foreground="white")  # a name is read over lines
ROWS = ("system", "metric", "value", "low", "high")  # of METRIC_ROWS

#: The same quantity has the same colour in every figure; other series take the colours left.
QUANTITIES = {
    "truth (oracle)": GREEN, "referee's estimate": GREEN, "people's labels": GREEN,
    "equivalent": GREEN, "true pairs of the dataset": GREEN,
    "critic's estimate": ORANGE, "different": RED, "control": GREY, "Self-BLEU": PURPLE,
    "train": GREY, "dev": BLUE, "faithful outputs of its student": BLUE,
}  # fmt: skip

RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same glyphs everywhere
    "font.size": 7, "axes.titlesize": 7.5, "axes.labelsize": 7, "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5, "legend.fontsize": 6.5, "text.color": INK, "axes.labelcolor": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK,
    "axes.linewidth": 0.6, "axes.axisbelow": True, "axes.grid": True, "grid.color": PALE,
    "grid.linewidth": 0.5, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4, "ytick.minor.width": 0.4, "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "lines.linewidth": 1.3, "lines.markersize": 3.8, "lines.markeredgewidth": 0.5,
    "legend.frameon": False, "legend.handlelength": 2.4, "hatch.linewidth": 0.5,
    "mathtext.default": "regular",  # a name with a subscript is set, and bold, as its label is
    "figure.constrained_layout.use": True, "svg.hashsalt": "impossible", "svg.fonttype": "path",
    "pdf.fonttype": 42, "savefig.facecolor": "white",
    "figure.dpi": PNG_DPI,  # bold text is wider there than at 100: laid out as it is drawn
}  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")


class Picture(Figure):
    """A matplotlib figure that a notebook shows by itself, without pyplot's global state."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The picture as it was laid out, and how wide a browser shows it, in its pixels."""
        return render(self, "png"), {"width": round(_SHOWN_DPI * self.get_figwidth())}


@contextmanager
def _readable_subscripts() -> Iterator[None]:
    """Subscripts of at least 6 points beside labels of 6.5; matplotlib sets them at 0.7 of those.

    It has no setting for that: where a later version has no such constant, they are small again.
    """
    usual = getattr(_mathtext, "SHRINK_FACTOR", 0.7)
    _mathtext.SHRINK_FACTOR = _SUBSCRIPT
    try:
        yield
    finally:
        _mathtext.SHRINK_FACTOR = usual


def styled(plot: Callable[P, R]) -> Callable[P, R]:
    """Run a plot function in the project's theme, leaving matplotlib's settings as they were.

    The layout is frozen afterwards: matplotlib would adjust it a little at each drawing, and the
    same figure saved twice would differ.
    """

    @wraps(plot)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(), _readable_subscripts():
            seaborn.set_theme(context="paper", style="ticks", rc=RC)
            result = plot(*args, **kwargs)
            if isinstance(result, Figure):
                for _ in range(2):  # the second pass settles what the first one moved
                    result.draw_without_rendering()
                result.set_layout_engine("none")
            return result

    return inside


@styled
def render(figure: Figure, kind: str) -> bytes:
    """The bytes of `figure` as "pdf", "svg" or "png": no dates, no versions, no random ids."""
    dates: dict[str, dict[str, str | None]] = {
        "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
    }
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=PNG_DPI, metadata=dates[kind])
    if kind != "png":
        return buffer.getvalue()
    smaller = io.BytesIO()  # 256 colours: a third of the size, and the same to the eye
    image = Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(smaller, "PNG", optimize=True, dpi=(PNG_DPI, PNG_DPI))
    return smaller.getvalue()


def palette(names: Iterable[str]) -> dict[str, str]:
    """A colour for each series: that of its quantity, or the next one that is not taken."""
    series = list(dict.fromkeys(names))
    taken = {QUANTITIES[name] for name in series if name in QUANTITIES}
    free = [colour for colour in COLOURS if colour not in taken] or list(COLOURS)
    others = [name for name in series if name not in QUANTITIES]
    rest = {name: free[place % len(free)] for place, name in enumerate(others)}
    return {name: QUANTITIES.get(name) or rest[name] for name in series}


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
    """A label broken into lines; a unit and an arrow stay with the word before them.

    >>> wrapped("summary: right task, % ↑", 20).splitlines()
    ['summary: right', 'task, % ↑']
    """
    joined = re.sub(r" (?=[%↑↓]( |$))", "\N{NO-BREAK SPACE}", str(name))
    return textwrap.fill(joined, characters).replace("\N{NO-BREAK SPACE}", " ")


def with_bounds(frame: pd.DataFrame) -> pd.DataFrame:
    """Each row with a value three times: as its value, `low` and `high` (if missing, the value).

    Median and range of the three are what seaborn draws as estimate and interval (`INTERVAL`).
    """
    frame = frame[frame["value"].notna()]
    numbers = frame[["value", "low", "high"]].astype(float)
    ends = numbers.min(axis=1), numbers["value"], numbers.max(axis=1)
    return pd.concat([frame.assign(value=end) for end in ends], ignore_index=True)


INTERVAL: dict[str, Any] = {"estimator": "median", "errorbar": ("pi", 100)}


def draw_lines(
    axis: Axes, frame: pd.DataFrame, x: str, names: Sequence[str], hue: str = "series",
    bars: bool = False, **settings: Any,
) -> None:  # fmt: skip
    """A line for each of `names` in the column `hue`, its interval as a band or as bars.

    `frame` has `x`, `value`, `low` and `high`; `settings` go to `seaborn.lineplot`.
    """
    if (frame := with_bounds(frame)).empty:
        return
    count = range(len(names))
    ours: dict[str, Any] = {
        "palette": palette(names), "markers": [MARKERS[place % 6] for place in count],
        "dashes": [DASHES[place % 6] for place in count], "err_style": "bars" if bars else "band",
        "err_kws": {"linewidth": 0.9} if bars else {"linewidth": 0, "alpha": 0.18},
        "markeredgewidth": 0,
    }  # fmt: skip
    seaborn.lineplot(
        frame, x=x, y="value", hue=hue, style=hue, hue_order=names, style_order=names,
        ax=axis, **INTERVAL, **(ours | settings),
    )  # fmt: skip


def one_panel(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of these inches with one axis."""
    figure = Picture(figsize=(width, height))
    return figure, figure.subplots()


def small_panels(
    titles: Sequence[str], width: float, across: int, height: float, characters: int = 24,
    more: float = 0, **settings: Any,
) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """A figure with a panel for each of `titles`, at most `across` in a row.

    A row is `height` inches high, what stands above them `more`; titles break at `characters`.
    """
    down = math.ceil(len(titles) / across)
    across = math.ceil(len(titles) / down)
    figure = Picture(figsize=(width, more + height * down))
    axes = list(figure.subplots(down, across, squeeze=False, **settings).flat)
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(wrapped(title, characters))
    for axis in axes[len(titles) :]:
        axis.set_visible(False)
    return figure, axes[: len(titles)]


def legend_above(
    figure: Figure, axes: Iterable[Axes], columns: int = 3, least: int = 1,
    more: Iterable[Artist] = (), **settings: Any,
) -> None:  # fmt: skip
    """One legend above the figure in place of seaborn's own, if it has so many entries.

    `more` are entries that stand before those of the axes.
    """
    handles: dict[str, Any] = {str(artist.get_label()): artist for artist in more}
    for axis in axes:
        handles |= dict(zip(*axis.get_legend_handles_labels()[::-1], strict=True))
        if own := axis.get_legend():
            own.remove()
    if len(handles) >= least:
        figure.legend(
            list(handles.values()), list(handles), loc="outside upper center", ncols=columns,
            **settings,
        )  # fmt: skip


def percent(axis: XAxis | YAxis) -> None:
    """Label the ticks of a [0, 1] axis in per cent, with as many digits as they need."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))


def plain_log(axis: XAxis | YAxis, steps: Sequence[float] = (1,)) -> None:
    """Ticks of a logarithmic axis as plain numbers (1, 10, 1k): exponents are too small to read.

    `steps` are the ticks of each decade.
    """
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(EngFormatter(sep=""))
    axis.set_minor_locator(NullLocator())
