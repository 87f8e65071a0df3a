"""Rates of a judge that errs: by hand, by simulation, and where nothing can be said."""

from __future__ import annotations

import numpy as np
import pytest
from impossible.evaluation.bootstrap import Bootstrap, Interval
from impossible.evaluation.corrected_rates import ErrorRates, corrected_mean
from impossible.evaluation.fractions import fraction_by_group

RATES = ErrorRates(100, 80, 200, 180, "labels")


def test_by_hand() -> None:
    # 8 of 10 are true; the judge says yes to 0.8 · 8 + 0.1 · 2 = 6.6 of them on average
    assert corrected_mean([1] * 66 + [0] * 34, [1] * 100, RATES).value == pytest.approx(0.8)
    # half of the outputs are copies, no by rule: of the other 50 the judge passes 33
    half = corrected_mean([1] * 33 + [0] * 67, [1] * 50 + [0] * 50, RATES)
    assert half.value == pytest.approx(0.4)
    # what cannot be judged is left out, and a rate stays within [0, 1]
    assert corrected_mean([1.0, np.nan, 1.0], [1, 1, 1], RATES).n == 2
    assert corrected_mean([1] * 20, [1] * 20, RATES).bounds[:1] == [1.0]
    nothing = corrected_mean([0] * 20, [1] * 20, RATES)
    assert (nothing.value, nothing.low) == (0.0, 0.0)


def test_a_difference_is_stretched_by_what_the_judge_blurs() -> None:
    # 4 of 40 pairs of verdicts differ: 0.1 / (0.8 + 0.9 - 1)
    gain = corrected_mean([1] * 4 + [0] * 36, [0] * 40, RATES, lowest=-1)
    assert gain.value == pytest.approx(0.1 / 0.7)
    loss = corrected_mean([-1] * 4 + [0] * 36, [0] * 40, RATES, lowest=-1)
    assert loss.value == pytest.approx(-0.1 / 0.7)
    assert loss.low < loss.value < loss.high


def test_a_judge_no_better_than_chance_says_nothing() -> None:
    for bad in (ErrorRates(10, 5, 10, 5, "MRPC"), ErrorRates(10, 9, 0, 0, "MRPC")):
        found = corrected_mean([1, 0, 1], [1, 1, 1], bad)
        assert np.isnan(found.bounds).all()
        assert "no better than chance on MRPC" in bad.problem
    assert not RATES.problem
    with pytest.raises(ValueError, match="counts among their pairs"):
        ErrorRates(3, 4, 1, 1)


def test_a_judge_that_misses_most_positives_corrects_nothing_and_is_shown_raw() -> None:
    timid = ErrorRates(1000, 100, 1000, 970, "MRPC")
    said, asked = [1] * 60 + [0] * 40, [1] * 100
    assert timid.problem.startswith("the judge says no to most positives on MRPC")
    assert np.isnan(corrected_mean(said, asked, timid).value)
    assert fraction_by_group(said, ["g"] * 100, errors=timid)["value"].tolist() == [0.6]
    assert fraction_by_group(said, ["g"] * 100, errors=RATES)["value"].tolist() == [
        pytest.approx(0.5 / 0.7)
    ]


def test_counts_of_several_sets_add_up() -> None:
    assert ErrorRates.pooled([RATES, ErrorRates(1, 1, 2, 0, "more")]) == ErrorRates(
        101, 81, 202, 180, "labels, more"
    )


def test_the_interval_knows_how_well_the_judge_is_known() -> None:
    said = [1] * 66 + [0] * 34
    few = corrected_mean(said, [1] * 100, ErrorRates(20, 16, 40, 36))
    many = corrected_mean(said, [1] * 100, ErrorRates(20_000, 16_000, 40_000, 36_000))
    assert few.high - few.low > 1.2 * (many.high - many.low)
    assert many == corrected_mean(said, [1] * 100, ErrorRates(20_000, 16_000, 40_000, 36_000))


def study(rng: np.random.Generator, truth: float, se: float, sp: float, labels: int) -> Interval:
    """One study: labels measure the judge, which then judges 150 outputs."""
    errors = ErrorRates(labels, rng.binomial(labels, se), labels, rng.binomial(labels, sp))
    true = rng.random(150) < truth
    said = np.where(true, rng.random(150) < se, rng.random(150) < 1 - sp)
    return corrected_mean(
        said, np.ones(150), errors, bootstrap=Bootstrap(500, seed=int(rng.integers(2**32)))
    )


@pytest.mark.parametrize(
    ("truth", "se", "sp", "labels"),
    [(0.7, 0.8, 0.85, 150), (0.3, 0.75, 0.9, 80), (0.5, 0.9, 0.7, 1000)],
)
def test_an_interval_covers_as_often_as_it_says(
    truth: float, se: float, sp: float, labels: int
) -> None:
    rng = np.random.default_rng(4)
    found = [study(rng, truth, se, sp, labels) for _ in range(1000)]
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.93 <= covered <= 0.97
    assert np.mean([each.value for each in found]) == pytest.approx(truth, abs=0.01)


def test_an_uncorrected_rate_does_not_cover() -> None:
    rng = np.random.default_rng(4)
    exact = ErrorRates(10**9, 10**9, 10**9, 10**9)
    said = [np.where(rng.random(150) < 0.7, rng.random(150) < 0.8, rng.random(150) < 0.15)
            for _ in range(200)]  # fmt: skip
    raw = [corrected_mean(each, np.ones(150), exact, bootstrap=Bootstrap(200)) for each in said]
    assert np.mean([each.low <= 0.7 <= each.high for each in raw]) < 0.7
