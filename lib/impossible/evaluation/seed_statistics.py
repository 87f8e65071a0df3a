"""What several seeds of one experiment say: Student's t, required seeds, many tests at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from impossible.evaluation.bootstrap import Floats, Interval

MOST_SEEDS = 200  # beyond it more seeds are no advice


def over_seeds(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean over seeds with Student's t interval, mean ± t s / √n with n - 1 degrees of freedom.

    So what another seed would have given counts. NaN is missing; no bounds with one seed.

    >>> found = over_seeds([1.0, 2.0, 3.0])  # t = 4.303 for two degrees of freedom
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (2.0, -0.484, 4.484)
    """
    present = _present(values)
    mean = float(present.mean()) if len(present) else np.nan
    if len(present) < 2:
        return Interval(mean, np.nan, np.nan, len(present))
    half = float(stats.t.ppf((1 + confidence) / 2, len(present) - 1) * stats.sem(present))
    return Interval(mean, mean - half, mean + half, len(present))


def next_seed(values: ArrayLike) -> Interval:
    """Where one more seed lies in 95 % of cases: mean ± t s √(1 + 1/n).

    >>> found = next_seed([1.0, 2.0, 3.0])
    >>> print(f"{found.low:.3f} to {found.high:.3f}")
    -2.968 to 6.968
    """
    mean = over_seeds(values)
    half = (mean.high - mean.value) * np.sqrt(mean.n + 1)  # s / √n becomes s √(1 + 1/n)
    return Interval(mean.value, mean.value - half, mean.value + half, mean.n)


def one_sided_p(values: ArrayLike, bound: float = 0.0) -> float:
    """P value of the t test over seeds that the mean is at most `bound`; NaN with one seed.

    >>> round(one_sided_p([1.0, 2.0, 3.0]), 3)
    0.037
    """
    present = _present(values)
    if len(present) < 2:
        return float("nan")
    if np.ptp(present) == 0:  # all seeds alike
        return 0.0 if present[0] > bound else 1.0
    return float(stats.ttest_1samp(present, bound, alternative="greater").pvalue)


def required_seeds(
    deviation: float, distance: float, confidence: float = 0.95, most: int = MOST_SEEDS
) -> int | None:
    """Smallest number of seeds whose interval reaches less than `distance` from its mean.

    Args:
        deviation: standard deviation of the values between seeds.
        distance: of the mean from the bound that the interval must not hold, in the same unit.

    Returns:
        The smallest n in [2, most] with t(n - 1) · deviation / √n < distance; None when there is
        none, or when an argument is unknown (NaN).

    >>> required_seeds(1.0, 1.0)  # 2.78 / √5 = 1.24 is too wide, 2.57 / √6 = 1.05 too, 7: 0.92
    7
    """
    n = np.arange(2, most + 1)
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * deviation / np.sqrt(n)
    enough = n[half < distance]
    return int(enough[0]) if len(enough) else None


def holm(p_values: ArrayLike) -> Floats:
    """P values adjusted for their number (Holm 1979); NaN (no test) stays NaN and is not counted.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    from statsmodels.stats.multitest import multipletests  # slow to import

    adjusted = np.array(p_values, dtype=np.float64)
    tested = ~np.isnan(adjusted)
    if tested.any():
        adjusted[tested] = multipletests(adjusted[tested], method="holm")[1]
    return adjusted


def _present(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[~np.isnan(numbers)]
