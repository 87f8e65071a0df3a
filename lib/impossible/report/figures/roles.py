"""Who is who in a figure: ours blue diamonds, others filled black, controls hollow; and names.

A name has one role in all figures, whatever list a caller gives: what it lists comes on top.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from impossible.report.figures import style
from impossible.report.figures.style import BLUE, INK

OURS = ("D_T", "D_para", "D_sum", "M_para", "M_sum", "pair in D_T", "student", "student of D_para")
CONTROLS = (
    "Copy-Input", "any two sentences", "before training", "chosen by chance", "gold reference",
    "gold summary", "student base",
)  # fmt: skip
REFERENCES = ("gold reference", "gold summary")  # the value that others are read against
LOOKS: dict[str, dict[str, Any]] = {
    "ours": {"color": BLUE, "marker": "D", "markersize": 4.4},
    "other": {"color": INK, "marker": "o", "markersize": 3.8},
    "control": {"color": INK, "marker": "o", "markersize": 3.8, "markerfacecolor": "white"},
}
_LEGEND = {"ours": "ours", "other": "other", "control": "control or bound"}


def roles_of(
    names: Iterable[str], ours: Collection[str] = (), control: Collection[str] = ()
) -> dict[str, str]:
    """Each name's role: as listed, else as everywhere; a variant has that of what it varies.

    >>> roles_of(["M_para, best of 10", "student base", "round trip"])
    {'M_para, best of 10': 'ours', 'student base': 'control', 'round trip': 'other'}
    """

    def role(name: str) -> str:
        if name in ours or name in control:
            return "ours" if name in ours else "control"
        varied = name.partition(", ")[0]
        if varied in CONTROLS or varied.startswith("shuffled "):
            return "control"
        return "ours" if varied in OURS else "other"

    return {name: role(name) for name in names}


def typeset(name: str) -> str:
    r"""A name with the subscripts of datasets and models; a $ of its own stays one.

    >>> typeset("student of D_para, $5")
    'student of $D_{para}$, \\$5'
    """
    return re.sub(r"\b([DM])_([A-Za-z]+)\b", r"$\1_{\2}$", name.replace("$", r"\$"))


def role_dots(
    axis: Axes, rows: pd.DataFrame, column: str, names: list[str], roles: Mapping[str, str]
) -> None:
    """A dot with its interval for each of `names` in `column` that has a value, by its role."""
    for kind, look in LOOKS.items():
        seaborn.pointplot(
            style.with_bounds(rows[rows[column].map(roles) == kind]), x="value", y=column,
            order=names, linestyle="none", markeredgewidth=0.9, ax=axis,
            err_kws={"linewidth": 1.1, "zorder": 1.9}, **look, **style.INTERVAL,
        )  # fmt: skip


def role_handles(roles: Iterable[str], other: str = "other") -> list[Line2D]:
    """Entries of a legend that tells roles apart; none where all are alike."""
    there, named = set(roles), _LEGEND | {"other": other}
    return [
        Line2D([], [], linestyle="none", label=named[kind], **look)
        for kind, look in LOOKS.items()
        if kind in there and len(there) > 1
    ]
