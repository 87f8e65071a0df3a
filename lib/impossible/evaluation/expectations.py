"""What a notebook expects of its numbers, and what they then say: one rule, three words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.fractions import raw_metric
from impossible.evaluation.human.returned_ratings import SYNTHETIC
from impossible.evaluation.metrics import RAW

SHOWN, OPEN, REFUTED, NOT_MEASURED = "shown", "open", "refuted", "not measured"
OUTCOMES = (SHOWN, OPEN, REFUTED, NOT_MEASURED)
REHEARSAL = "rehearsal"  # of invented ratings, which say nothing and are counted nowhere


@dataclass(frozen=True)
class Expected:
    """One expectation, and the number that decides it; give `over` or `under`.

    Args:
        says: what is expected, in words, with the unit.
        found: what was estimated, with its interval, or a number that was counted.
        over, under: the bound beyond which all of the interval must lie.
        digits: decimals that a table shows of what was found.
    """

    says: str
    found: Interval | float
    over: float | None = None
    under: float | None = None
    digits: int = 1

    def __post_init__(self) -> None:
        if (self.over is None) == (self.under is None):
            raise ValueError(f"{self.says}: give either over or under")

    @property
    def bound(self) -> str:
        """ "> 50" or "< 0"."""
        sign, bound = ("<", self.under) if self.over is None else (">", self.over)
        return f"{sign} {bound:.3g}".replace("-", "−")

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`, or `REHEARSAL` where the ratings were invented."""
        if self.over is None:
            return as_counted(self.says, against_bound(self.found, self.under or 0, -1))
        return as_counted(self.says, against_bound(self.found, self.over))


def as_counted(says: str, outcome: str) -> str:
    """An outcome as summaries count it: `REHEARSAL` for what synthetic ratings say.

    >>> as_counted("synthetic: faithful, A − B", "shown"), as_counted("faithful, A − B", "shown")
    ('rehearsal', 'shown')
    """
    return REHEARSAL if says.startswith(f"{SYNTHETIC}: ") else outcome


def against_bound(found: Interval | float, bound: float = 0, sign: int = 1) -> str:
    """Whether a number lies beyond a bound: above it (sign 1) or below (-1).

    Returns:
        "shown" if all of the interval lies there, "refuted" if all of it lies on the other side,
        else "open"; so is an interval without width: a bootstrap of equal values proves nothing.
        A counted number is on either side, and refutes on the bound. "not measured" without one.

    >>> [against_bound(Interval(2, 1, 3, 9), bound) for bound in (0, 2, 4)]
    ['shown', 'open', 'refuted']
    """
    if not isinstance(found, Interval):
        beyond = sign * (found - bound) > 0
        return NOT_MEASURED if math.isnan(found) else SHOWN if beyond else REFUTED
    if math.isnan(found.value):
        return NOT_MEASURED
    if math.isclose(found.low, found.high, abs_tol=1e-9):
        return OPEN
    low, high = sorted((sign * (found.low - bound), sign * (found.high - bound)))
    return SHOWN if low > 0 else REFUTED if high < 0 else OPEN


def per_cent(found: Interval) -> Interval:
    """A fraction in per cent."""
    return Interval(100 * found.value, 100 * found.low, 100 * found.high, found.n)


def interval_of(rows: pd.DataFrame, system: str, metric: str) -> Interval:
    """A cell of METRIC_ROWS; where a corrected rate has no value, that of the raw verdicts."""
    for name in (metric, raw_metric(metric), metric + RAW):
        found = rows[(rows["system"] == system) & (rows["metric"] == name)]
        if found["value"].notna().any():
            value, low, high, n = found[["value", "low", "high", "n"]].iloc[0]
            return Interval(float(value), float(low), float(high), int(n))
    return Interval(math.nan, math.nan, math.nan, 0)
