"""Intervals: against scipy, under clustering, and by coverage on simulated data."""

from __future__ import annotations

import numpy as np
import pytest
from impossible.statistics import (
    bootstrap_contrast,
    bootstrap_difference,
    bootstrap_mean,
    bootstrap_ratio,
    half_samples,
)
from impossible.text.diversity import entropy_bits, msttr, ngram_entropy, segment_ratios
from scipy import stats


def test_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).exponential(size=60)
    ours = bootstrap_mean(values, samples=4000, rng=1)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=2
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.03)
    assert ours.high == pytest.approx(theirs.high, abs=0.03)


def test_seeded_and_ordered() -> None:
    values = np.arange(20.0)
    assert bootstrap_mean(values, rng=3) == bootstrap_mean(values, rng=3)
    wide, narrow = bootstrap_mean(values), bootstrap_mean(values, confidence=0.5)
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_missing_is_not_zero() -> None:
    interval = bootstrap_mean([1.0, np.nan, 3.0])
    assert (interval.value, interval.n) == (2.0, 2)
    empty = bootstrap_mean([np.nan])
    assert np.isnan(empty.value)
    assert empty.n == 0
    one = bootstrap_mean([4.0])
    assert one.value == 4.0
    assert np.isnan(one.low)


def test_clusters_widen_the_interval_of_repeated_values() -> None:
    values = np.random.default_rng(0).normal(size=30)
    single = bootstrap_mean(values)
    repeated = bootstrap_mean(np.repeat(values, 10), clusters=np.repeat(np.arange(30), 10))
    naive = bootstrap_mean(np.repeat(values, 10))
    assert repeated.high - repeated.low == pytest.approx(single.high - single.low, rel=1e-9)
    assert naive.high - naive.low < 0.5 * (single.high - single.low)


def test_ratio_and_difference() -> None:
    assert bootstrap_ratio([1, 2, 3], [2, 2, 2]).value == 1.0
    assert np.isnan(bootstrap_ratio([0, 0], [0, 0]).value)
    a = np.random.default_rng(0).normal(size=200)
    paired = bootstrap_difference(a + 0.1, a)
    assert paired.low == pytest.approx(0.1)


def test_coverage_of_the_mean() -> None:
    rng = np.random.default_rng(5)
    intervals = [bootstrap_mean(rng.normal(size=50), samples=400, rng=i) for i in range(200)]
    covered = np.mean([i.low <= 0 <= i.high for i in intervals])
    assert 0.88 <= covered <= 0.99


def test_half_samples_cover_an_entropy_where_the_bootstrap_does_not() -> None:
    p = np.full(200, 1 / 200)  # few observations per value: strong bias under replacement
    rng = np.random.default_rng(6)
    draws = [rng.choice(200, size=300, p=p) for _ in range(100)]
    expected = np.mean([entropy_bits(draw) for draw in draws])  # the target: entropy at this n
    hits, replaced = 0, 0
    for seed, draw in enumerate(draws):

        def entropy(mask: np.ndarray, draw: np.ndarray = draw) -> float:
            return entropy_bits(draw[mask])

        interval = half_samples(entropy, np.arange(300), samples=100, rng=seed)
        hits += bool(interval.low <= expected <= interval.high)
        again = [entropy_bits(rng.choice(draw, size=300)) for _ in range(40)]
        low, high = np.quantile(again, [0.025, 0.975])
        replaced += bool(low <= expected <= high)
    assert hits >= 85
    assert replaced <= 10


def test_half_samples_need_four_clusters() -> None:
    assert np.isnan(half_samples(lambda mask: float(mask.sum()), [0, 0, 1, 2]).low)
    assert half_samples(lambda mask: 1.0, []).n == 0


def test_entropy_by_hand() -> None:
    # bigrams ab, ba, ab: probabilities 2/3 and 1/3
    expected = 2 / 3 * np.log2(3 / 2) + 1 / 3 * np.log2(3)
    assert ngram_entropy(["a b a b"], 2) == pytest.approx(expected)
    assert ngram_entropy(["a b", "a b"], 2) == 0.0
    assert np.isnan(ngram_entropy(["a"], 2))


def test_msttr_by_hand() -> None:
    assert segment_ratios(["a b a", "b c d e"], 3).tolist() == pytest.approx([2 / 3, 1.0])
    assert msttr(["a a a a"], 2) == 0.5
    assert np.isnan(msttr(["a"], 2))


def test_a_contrast_pairs_what_shares_a_cluster() -> None:
    rng = np.random.default_rng(0)
    level = rng.normal(0, 10, 80)
    names = np.arange(80)
    a, b = level + 1 + rng.normal(0, 0.1, 80), level + rng.normal(0, 0.1, 80)
    paired = bootstrap_contrast(a, b, names, names)
    apart = bootstrap_contrast(a, b, names, names + 100)
    assert paired.value == apart.value == pytest.approx(a.mean() - b.mean())
    assert paired.high - paired.low < 0.2 < 4 < apart.high - apart.low
    assert paired.low < bootstrap_difference(a, b).value < paired.high


def test_a_contrast_with_missing_values_and_with_nothing() -> None:
    found = bootstrap_contrast([1.0, np.nan, 3.0], [1.0], ["a", "b", "c"], ["d"])
    assert (found.value, found.n) == (1.0, 3)
    assert np.isnan(bootstrap_contrast([], [1.0], [], ["d"]).value)
