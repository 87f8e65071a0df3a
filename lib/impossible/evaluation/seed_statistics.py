"""What several seeds of one experiment say: Student's t, how many would settle it, many claims."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit  # Student's t; `scipy.stats` is slow to import

from impossible.evaluation.bootstrap import Interval

__all__ = ["MOST_SEEDS", "holm", "one_sided_p", "over_seeds", "seeds_needed"]

Floats = NDArray[np.float64]
MOST_SEEDS = 200  # beyond it more seeds are no advice


def over_seeds(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean over seeds with Student's t interval: what another seed would have given counts.

    A run is repeated a few times only, too few to resample; t assumes that the values of the seeds
    are about normal.

    Args:
        values: shape (n,), one number per seed; NaN = missing, not counted.
        confidence: in (0, 1).

    Returns:
        Mean, mean ± t s / √n with n - 1 degrees of freedom, and n; no bounds with one seed.

    Source: Student 1908.

    >>> found = over_seeds([1.0, 2.0, 3.0])  # t = 4.303 for two degrees of freedom
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (2.0, -0.484, 4.484)
    """
    present = _present(values)
    if len(present) < 2:
        value = float(present[0]) if len(present) else np.nan
        return Interval(value, np.nan, np.nan, len(present))
    mean, error = float(present.mean()), _standard_error(present)
    half = float(stdtrit(len(present) - 1, (1 + confidence) / 2)) * error
    return Interval(mean, mean - half, mean + half, len(present))


def one_sided_p(values: ArrayLike, bound: float = 0.0) -> float:
    """P value of the t test over seeds that the mean is at most `bound`; NaN with one seed.

    Args:
        values: as in `over_seeds`.
        bound: largest mean of the null hypothesis, in the unit of the values.

    >>> round(one_sided_p([1.0, 2.0, 3.0]), 3)
    0.037
    """
    present = _present(values)
    if len(present) < 2:
        return float("nan")
    gap, error = float(present.mean()) - bound, _standard_error(present)
    if error == 0:  # all seeds alike
        return 0.0 if gap > 0 else 1.0
    return float(stdtr(len(present) - 1, -gap / error))


def seeds_needed(
    deviation: float, distance: float, confidence: float = 0.95, most: int = MOST_SEEDS
) -> int | None:
    """Smallest number of seeds whose interval reaches less than `distance` from its mean.

    Args:
        deviation: standard deviation of the values between seeds.
        distance: of the mean from the bound that the interval must not hold, in the same unit.
        confidence: in (0, 1).
        most: largest answer.

    Returns:
        The smallest n in [2, most] with t(n - 1) · deviation / √n < distance; None when there is
        none, or when an argument is unknown (NaN).

    >>> seeds_needed(1.0, 1.0)  # 2.78 / √5 = 1.24 is too wide, 2.57 / √6 = 1.05 too, 7: 0.92
    7
    """
    n = np.arange(2, most + 1)
    half = stdtrit(n - 1, (1 + confidence) / 2) * deviation / np.sqrt(n)
    enough = n[half < distance]
    return int(enough[0]) if len(enough) else None


def holm(p_values: ArrayLike) -> Floats:
    """P values that hold together: the chance of any false rejection stays below the level.

    The smallest is multiplied by their number m, the next by m - 1, and so on; none may be smaller
    than one before it, or larger than 1. NaN (no test) stays NaN and is not counted.

    Source: Holm 1979.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    adjusted = np.full(values.shape, np.nan)
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * values[order]))
    return adjusted


def _present(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[~np.isnan(numbers)]


def _standard_error(values: Floats) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
