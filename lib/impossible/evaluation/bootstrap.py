"""Intervals: the bootstrap for sums and means, half-samples for what resampling would bias.

Every function that draws takes one `Bootstrap`, and is deterministic for its seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtrit  # normal and t; `scipy.stats` is slow to import

from impossible.config.params import Params

Floats = NDArray[np.float64]
_CELLS = 2**20  # resampling weights held at once: 8 MiB
# Clusters drawn at most. More are first joined at random into so many, whose sums vary as theirs
# do: an interval of 200,000 outputs takes 0.2 s instead of 4, and its width errs by 0.7 % (1/√2n),
# less than by drawing 1000 times (2 %).
_MOST = 10_000
HALF_SAMPLES = 200  # draws of `half_samples` at most: their statistics see every sentence anew


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made.

    Args:
        confidence: coverage, in (0, 1).
    """

    samples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples < 1 or not 0 < self.confidence < 1:
            raise ValueError(f"{self}: samples must be at least 1 and confidence within (0, 1)")

    @classmethod
    def from_params(cls, params: Params) -> Self:
        """What a params file sets: `bootstrap_samples`, `confidence` and `seed`."""
        return cls(params.bootstrap_samples, params.confidence, params.seed)


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval and the number of observations behind it."""

    value: float
    low: float
    high: float
    n: int

    @property
    def bounds(self) -> list[float]:
        """Value, low and high, as notebooks record them."""
        return [self.value, self.low, self.high]


def bootstrap_sums(
    columns: ArrayLike,
    statistic: Callable[[Floats], Floats],
    clusters: ArrayLike | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    smallest: int | None = None,
) -> Interval:
    """Percentile bootstrap of a statistic of column sums: a mean, a ratio, corpus BLEU.

    Resampling is one matrix product (Efron 1979); the percentiles are widened for the number of
    clusters (Hesterberg 2015).

    Args:
        columns: shape (n, d), one row per observation.
        statistic: maps sums of shape (…, d) to values of shape (…).
        clusters: shape (n,), labels of groups that are drawn together (pairs of one context are not
            independent). None: each row by itself.
        smallest: clusters of the smallest part, where the statistic compares parts.

    Returns:
        The statistic of the whole sample, its interval and n. Fewer than two clusters: no interval
        (NaN); no observation: no value either.
    """
    rows = np.asarray(columns, dtype=np.float64)
    sums = rows if clusters is None else _group_sums(rows, clusters)
    if not len(sums):
        return Interval(np.nan, np.nan, np.nan, 0)
    value = float(statistic(sums.sum(axis=0)))
    if len(sums) < 2:
        return Interval(value, np.nan, np.nan, len(rows))
    generator, drawn = np.random.default_rng(bootstrap.seed), []
    if len(sums) > _MOST:
        sums = _group_sums(sums, generator.permutation(len(sums)) % _MOST)
    for size in _chunks(bootstrap.samples, len(sums)):
        picks = generator.integers(len(sums), size=(size, len(sums)))
        offset = np.arange(size)[:, None] * len(sums)
        weights = np.bincount((picks + offset).ravel(), minlength=size * len(sums))
        drawn.append(statistic(weights.reshape(size, -1).astype(np.float64) @ sums))
    wide = _widened(bootstrap.confidence, smallest or len(sums))
    low, high = _percentiles(np.concatenate(drawn), wide)
    return Interval(value, low, high, len(rows))


def bootstrap_mean(
    values: ArrayLike, clusters: ArrayLike | None = None, bootstrap: Bootstrap = Bootstrap()
) -> Interval:
    """Mean of the values that are present (NaN = missing, not zero) with its interval.

    >>> bootstrap_mean([1.0, 3.0, float("nan")]).value
    2.0
    """
    numbers = np.asarray(values, dtype=np.float64)
    return bootstrap_ratio(numbers, np.ones_like(numbers), clusters, bootstrap)


def bootstrap_rate(
    outcomes: ArrayLike, clusters: ArrayLike | None = None, bootstrap: Bootstrap = Bootstrap()
) -> Interval:
    """`bootstrap_mean` of zeros and ones; where all are alike, with a width.

    A bootstrap of equal outcomes has none and would say that the rate is exactly 0 or 1. The other
    end is then Wilson's for as many outcomes as there are clusters.

    >>> round(bootstrap_rate([0] * 16).high, 3)
    0.194
    """
    found = bootstrap_mean(outcomes, clusters, bootstrap)
    numbers = np.asarray(outcomes, dtype=np.float64)
    present = ~np.isnan(numbers)
    if found.low != found.high or found.value not in (0, 1):
        return found
    n = found.n if clusters is None else len(np.unique(cluster_codes(clusters)[present]))
    squared = ndtri(0.5 + bootstrap.confidence / 2) ** 2
    width = float(squared / (n + squared))
    low, high = (0.0, width) if found.value == 0 else (1 - width, 1.0)
    return Interval(found.value, low, high, found.n)


def bootstrap_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    clusters: ArrayLike | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> Interval:
    """Ratio of two sums with its bootstrap interval (for example pairs kept / pairs judged)."""
    columns = np.column_stack([np.asarray(numerators, float), np.asarray(denominators, float)])
    present = ~np.isnan(columns).any(axis=1)
    groups = None if clusters is None else cluster_codes(clusters)[present]
    return bootstrap_sums(columns[present], ratio, groups, bootstrap)


def bootstrap_contrast(
    a: ArrayLike,
    b: ArrayLike,
    a_clusters: ArrayLike,
    b_clusters: ArrayLike,
    bootstrap: Bootstrap = Bootstrap(),
) -> Interval:
    """Mean of a minus mean of b, of different lengths; a label found in both is drawn with both.

    Two datasets made from the same contexts are partly paired, two made from different contexts
    not at all; drawing contexts treats both as they are. NaN = missing, not zero.

    >>> bootstrap_contrast([1.0, 1.0], [0.0, 1.0], ["c", "d"], ["c", "e"]).value
    0.5
    """
    parts, labels = [], []
    sides = [np.asarray(each, dtype=object) for each in (a_clusters, b_clusters)]
    codes = np.split(cluster_codes(np.concatenate(sides)), [len(sides[0])])
    for side, (values, clusters) in enumerate(zip((a, b), codes, strict=True)):
        numbers = np.asarray(values, dtype=np.float64)
        present = ~np.isnan(numbers)
        columns = np.zeros((int(present.sum()), 4))
        columns[:, 2 * side], columns[:, 2 * side + 1] = numbers[present], 1
        parts.append(columns)
        labels.append(clusters[present])
    if not all(map(len, parts)):
        return Interval(np.nan, np.nan, np.nan, 0)

    def difference(sums: Floats) -> Floats:
        return ratio(sums[..., :2]) - ratio(sums[..., 2:])

    rows, groups = np.concatenate(parts), np.concatenate(labels)
    fewest = min(len(np.unique(names)) for names in labels)
    return bootstrap_sums(rows, difference, groups, bootstrap, fewest)


def independent_difference(a: Interval, b: Interval) -> Interval:
    """a − b of two independent estimates, from their intervals.

    Each bound lies as far from the difference as the two distances make together, root of squares.
    A statistic such as an entropy, whose resampling is biased, needs no resampling of its
    difference this way.

    Source: MOVER, Zou and Donner 2008 (https://doi.org/10.1002/sim.3095).

    >>> independent_difference(Interval(9.0, 6.0, 12.0, 50), Interval(5.0, 1.0, 9.0, 50)).bounds
    [4.0, -1.0, 9.0]
    """
    value = a.value - b.value
    low = value - float(np.hypot(a.value - a.low, b.high - b.value))
    high = value + float(np.hypot(a.high - a.value, b.value - b.low))
    return Interval(value, low, high, a.n + b.n)


def half_samples(
    statistic: Callable[[NDArray[np.bool_]], float],
    clusters: ArrayLike,
    bootstrap: Bootstrap = Bootstrap(),
) -> Interval:
    """Interval of a statistic that drawing with replacement would bias, such as an entropy.

    Half of the clusters are drawn *without* replacement. For this delete-d jackknife with d = n/2
    (Shao and Wu 1989) the spread of the half-sample statistics about their own mean is the sampling
    spread of the whole-sample statistic; the bias from halving n is in that mean only. So the
    interval is value + (half-sample values - their mean).

    Args:
        statistic: maps a mask of observations, shape (n,), to a number.
        clusters: shape (n,), labels of groups that stay together.
    """
    codes = cluster_codes(clusters)
    groups = int(codes.max(initial=-1)) + 1
    if not groups:
        return Interval(np.nan, np.nan, np.nan, 0)
    value = float(statistic(np.ones(len(codes), dtype=bool)))
    if groups < 4:
        return Interval(value, np.nan, np.nan, len(codes))
    generator = np.random.default_rng(bootstrap.seed)
    drawn = np.empty(min(bootstrap.samples, HALF_SAMPLES))
    for i in range(len(drawn)):
        chosen = np.zeros(groups, dtype=bool)
        chosen[generator.permutation(groups)[: groups // 2]] = True
        drawn[i] = statistic(chosen[codes])
    low, high = _percentiles(drawn - np.nanmean(drawn), bootstrap.confidence)
    return Interval(value, value + low, value + high, len(codes))


def ratio(sums: Floats) -> Floats:
    """First of two sums over the second, shape (…, 2) → (…); NaN where the second is 0.

    >>> ratio(np.array([[1.0, 4.0], [1.0, 0.0]]))
    array([0.25,  nan])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / np.where(sums[..., 1] == 0, np.nan, sums[..., 1]))


def cluster_codes(clusters: ArrayLike) -> NDArray[np.intp]:
    """Number of each label's cluster, shape (n,); where it is missing, the row is its own cluster.

    >>> cluster_codes(["b", None, "a", "b", float("nan")]).tolist()
    [1, 2, 0, 1, 3]
    """
    labels = np.asarray(clusters, dtype=object if isinstance(clusters, list) else None)
    codes: NDArray[np.intp]
    codes, known = pd.factorize(labels, sort=True)
    missing = codes < 0
    codes[missing] = len(known) + np.arange(missing.sum())
    return codes


def _group_sums(rows: Floats, clusters: ArrayLike) -> Floats:
    codes = cluster_codes(clusters)
    sums = np.zeros((int(codes.max(initial=-1)) + 1, rows.shape[1]))
    np.add.at(sums, codes, rows)
    return sums


def _chunks(samples: int, width: int) -> list[int]:
    size = max(1, _CELLS // width)
    return [min(size, samples - start) for start in range(0, samples, size)]


def _widened(confidence: float, n: int) -> float:
    """The confidence whose percentiles are as wide for n clusters (at least 2) as a t interval.

    Resampling n values understates their spread by √((n-1)/n) and knows nothing of Student's t: at
    n = 32, percentiles at 95 % cover 92 to 93 % (tests/test_coverage.py).

    Source: Hesterberg 2015, "What teachers should know about the bootstrap", section 5.3.
    """
    n = max(n, 2)
    quantile = stdtrit(n - 1, (1 + confidence) / 2) * np.sqrt(n / (n - 1))
    return float(2 * ndtr(quantile) - 1)


def _percentiles(values: Floats, confidence: float) -> tuple[float, float]:
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
