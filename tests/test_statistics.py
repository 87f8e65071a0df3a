"""Intervals: against scipy and under clustering (their coverage: `test_coverage`)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.evaluation.bootstrap import (
    Bootstrap,
    Interval,
    bootstrap_contrast,
    bootstrap_mean,
    bootstrap_rate,
    bootstrap_ratio,
    cluster_codes,
    half_samples,
)
from impossible.evaluation.seed_statistics import (
    MOST_SEEDS,
    holm,
    one_sided_p,
    over_seeds,
    required_seeds,
)
from impossible.text.lexical_diversity import entropy_bits, msttr, ngram_entropy, segment_ratios
from numpy.typing import ArrayLike
from scipy import stats


def test_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).exponential(size=60)
    ours = bootstrap_mean(values, bootstrap=Bootstrap(4000, seed=1))
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=2
    ).confidence_interval
    assert ours.value == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.03)
    assert ours.high == pytest.approx(theirs.high, abs=0.03)


def test_seeded_and_ordered() -> None:
    values = np.arange(20.0)
    assert bootstrap_mean(values, bootstrap=Bootstrap(seed=3)) == bootstrap_mean(
        values, bootstrap=Bootstrap(seed=3)
    )
    wide, narrow = (
        bootstrap_mean(values),
        bootstrap_mean(values, bootstrap=Bootstrap(confidence=0.5)),
    )
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


NONE = float("nan")


@pytest.mark.parametrize("missing", [[None] * 9, [NONE] * 9, np.full(9, NONE)], ids=str)
def test_rows_without_a_label_are_clusters_of_their_own(missing: ArrayLike) -> None:
    values, own = [0.0, 0, 1] * 3, [*range(9)]
    for interval in (bootstrap_mean, bootstrap_rate):
        assert interval(values, missing) == interval(values, own)
    contrast = bootstrap_contrast(values, values[::-1], missing, missing)
    assert contrast.high > contrast.low


def test_only_rows_without_a_label_are_apart() -> None:
    assert cluster_codes(["b", None, "a", NONE, "b"]).tolist() == [1, 2, 0, 3, 1]


def test_labels_of_two_types_are_told_apart() -> None:
    assert cluster_codes([1, "1", 1]).tolist() == [0, 1, 0]


def test_ratio_and_difference() -> None:
    assert bootstrap_ratio([1, 2, 3], [2, 2, 2]).value == 1.0
    assert np.isnan(bootstrap_ratio([0, 0], [0, 0]).value)
    a = np.random.default_rng(0).normal(size=200)
    paired = bootstrap_mean((a + 0.1) - a)
    assert paired.low == pytest.approx(0.1)


def test_half_samples_cover_an_entropy_where_the_bootstrap_does_not() -> None:
    p = np.full(200, 1 / 200)  # few observations per value: strong bias under replacement
    rng = np.random.default_rng(6)
    draws = [rng.choice(200, size=300, p=p) for _ in range(100)]
    expected = np.mean([entropy_bits(draw) for draw in draws])  # the target: entropy at this n
    hits, replaced = 0, 0
    for seed, draw in enumerate(draws):

        def entropy(mask: np.ndarray, draw: np.ndarray = draw) -> float:
            return entropy_bits(draw[mask])

        interval = half_samples(entropy, np.arange(300), Bootstrap(100, seed=seed))
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
    assert paired.low < bootstrap_mean(a - b).value < paired.high


def test_a_contrast_with_missing_values_and_with_nothing() -> None:
    found = bootstrap_contrast([1.0, np.nan, 3.0], [1.0], ["a", "b", "c"], ["d"])
    assert (found.value, found.n) == (1.0, 3)
    assert np.isnan(bootstrap_contrast([], [1.0], [], ["d"]).value)


SEEDS = st.lists(st.floats(-100, 100), min_size=2, max_size=8).filter(lambda v: np.std(v) > 1e-3)


@given(SEEDS, st.floats(0.6, 0.99))
def test_intervals_and_p_values_over_seeds_agree_with_scipy(
    values: list[float], confidence: float
) -> None:
    ours, theirs = over_seeds(values, confidence), stats.ttest_1samp(values, 0.5)
    bounds = theirs.confidence_interval(confidence)
    assert (ours.low, ours.high) == pytest.approx((bounds.low, bounds.high), abs=1e-7)
    expected = stats.ttest_1samp(values, 0.5, alternative="greater").pvalue
    assert one_sided_p(values, 0.5) == pytest.approx(expected, abs=1e-9)


def test_one_seed_has_no_interval_and_none_has_no_value() -> None:
    one, none = over_seeds([2.0, np.nan]), over_seeds([])
    assert (one.value, one.n, none.n) == (2.0, 1, 0)
    assert np.isnan([one.low, one.high, none.value, one_sided_p([2.0])]).all()


def test_seeds_that_agree_exactly() -> None:
    assert over_seeds([2.0, 2.0]) == Interval(2.0, 2.0, 2.0, 2)
    assert one_sided_p([2.0, 2.0]) == 0
    assert one_sided_p([2.0, 2.0], 2.0) == one_sided_p([2.0, 2.0], 3.0) == 1


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.6, 0.99))
def test_required_seeds_is_the_first_number_that_is_enough(
    deviation: float, distance: float, confidence: float
) -> None:
    def half(n: int) -> float:
        error = deviation / np.sqrt(n)
        return float(error * stats.t.ppf((1 + confidence) / 2, n - 1))

    needed = required_seeds(deviation, distance, confidence)
    if needed is None:
        assert half(MOST_SEEDS) >= distance
    else:
        assert half(needed) < distance
        assert needed == 2 or half(needed - 1) >= distance


def test_required_seeds_knows_no_answer_to_what_is_unknown() -> None:
    assert required_seeds(np.nan, 1.0) is None
    assert required_seeds(1.0, 0.0) is None
    assert required_seeds(1.0, 1.0, most=6) is None


@settings(max_examples=20)  # statsmodels collects the garbage of the whole process at each call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_holm_is_what_testing_every_subset_would_give(p_values: list[float]) -> None:
    # closed testing: a hypothesis falls when Bonferroni rejects every set of them that holds it
    places = range(len(p_values))
    sets = [s for n in places for s in combinations(places, n + 1)]
    bonferroni = {s: min(1.0, len(s) * min(p_values[i] for i in s)) for s in sets}
    expected = [max(bonferroni[s] for s in sets if i in s) for i in places]
    assert holm(p_values).tolist() == pytest.approx(expected)


def test_holm_does_not_count_what_was_not_tested() -> None:
    assert holm([0.01, np.nan, 0.02]).tolist()[::2] == pytest.approx([0.02, 0.02])
    assert np.isnan(holm([0.01, np.nan])[1])
    assert holm([]).tolist() == []
