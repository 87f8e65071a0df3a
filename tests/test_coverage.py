"""Do intervals hold the truth as often as they say? 1,000 simulated data sets of known effect."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from impossible.evaluation.bootstrap import (
    Bootstrap,
    Interval,
    bootstrap_contrast,
    bootstrap_mean,
    bootstrap_ratio,
    half_samples,
)
from impossible.evaluation.seed_statistics import over_seeds

Draw = Callable[[np.random.Generator], Interval]
DATA_SETS = 1000
LOWEST, HIGHEST = 0.93, 0.97  # of 0.95; the simulation itself errs by 0.007
#: Of words, as in text (Zipf).
CHANCES = (1 / np.arange(1, 51)) / (1 / np.arange(1, 51)).sum()


def seeded(rng: np.random.Generator, samples: int) -> Bootstrap:
    """Resampling of its own for every simulated dataset."""
    return Bootstrap(samples, seed=int(rng.integers(2**32)))


def coverage(draw: Draw, truth: float) -> float:
    rng = np.random.default_rng(2)
    found = [draw(rng) for _ in range(DATA_SETS)]
    return float(np.mean([each.low <= truth <= each.high for each in found]))


def share(rng: np.random.Generator) -> Interval:
    """Of 100 outputs, how many are right."""
    return bootstrap_mean(rng.random(100) < 0.3, bootstrap=seeded(rng, 500))


def score(rng: np.random.Generator) -> Interval:
    """Mean of 100 scores."""
    return bootstrap_mean(rng.normal(0.3, 1, 100), bootstrap=seeded(rng, 500))


def ratio(rng: np.random.Generator, contexts: int) -> Interval:
    """True pairs among pairs of contexts that differ in size and in their own share."""
    sizes, shares = rng.integers(2, 12, contexts), rng.beta(2, 4, contexts)
    context = np.repeat(np.arange(contexts), sizes)
    hits = rng.random(len(context)) < shares[context]
    return bootstrap_ratio(hits, np.ones(len(hits)), context, bootstrap=seeded(rng, 500))


def difference(rng: np.random.Generator) -> Interval:
    """Two systems on the same items, of which some are harder for both."""
    hardness = rng.normal(size=100)
    ours, theirs = hardness + rng.normal(0.2, 0.5, 100), hardness + rng.normal(0, 0.5, 100)
    return bootstrap_mean(ours - theirs, bootstrap=seeded(rng, 500))


def contrast(rng: np.random.Generator, few: int, many: int) -> Interval:
    """Shares after two sets of contexts, of which one is small."""
    sides = []
    for contexts in (few, many):
        shares = rng.beta(2, 4, contexts)
        sides.append((rng.random((6, contexts)) < shares).ravel())
    names = [np.tile(np.arange(n), 6) + shift for n, shift in ((few, 0), (many, few))]
    return bootstrap_contrast(*sides, *names, bootstrap=seeded(rng, 500))


def bits(values: np.ndarray) -> float:
    counts = np.bincount(values)
    p = counts[counts > 0] / len(values)
    return float(-(p * np.log2(p)).sum())


def words(rng: np.random.Generator, sentences: int = 240) -> np.ndarray:
    """Two words of each sentence, the second the same as the first half the time.

    So many sentences, because fewer miss too many rare words: of 60, about 0.92 are covered.
    """
    first, second = rng.choice(len(CHANCES), size=(2, sentences), p=CHANCES)
    return np.stack([first, np.where(rng.random(sentences) < 0.5, first, second)], axis=1).ravel()


def entropy(rng: np.random.Generator) -> Interval:
    drawn = words(rng)
    sentence = np.repeat(np.arange(len(drawn) // 2), 2)
    return half_samples(lambda mask: bits(drawn[mask]), sentence, seeded(rng, 200))


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        pytest.param(share, 0.3, id="bootstrap_mean of a share"),
        pytest.param(score, 0.3, id="bootstrap_mean of a score"),
        pytest.param(lambda rng: ratio(rng, 32), 1 / 3, id="bootstrap_ratio of 32 contexts"),
        pytest.param(lambda rng: ratio(rng, 60), 1 / 3, id="bootstrap_ratio of 60 contexts"),
        pytest.param(lambda rng: ratio(rng, 120), 1 / 3, id="bootstrap_ratio of 120 contexts"),
        pytest.param(lambda rng: contrast(rng, 16, 160), 0, id="bootstrap_contrast of 16 and 160"),
        pytest.param(lambda rng: contrast(rng, 32, 32), 0, id="bootstrap_contrast of 32 and 32"),
        pytest.param(difference, 0.2, id="bootstrap_mean of paired differences"),
        pytest.param(lambda rng: over_seeds(rng.normal(2, 1, 3)), 2, id="over_seeds of 3"),
        pytest.param(lambda rng: over_seeds(rng.normal(2, 1, 5)), 2, id="over_seeds of 5"),
    ],
)
def test_an_interval_covers_as_often_as_it_says(draw: Draw, truth: float) -> None:
    assert LOWEST <= coverage(draw, truth) <= HIGHEST


def test_an_interval_of_many_is_as_wide_as_theory_says() -> None:
    """More clusters than are drawn one by one; their order, here sorted, says nothing."""
    values = np.sort(np.random.default_rng(4).normal(0.3, 1, 50_000))
    found = bootstrap_mean(values, bootstrap=Bootstrap(2000))
    assert found.value == pytest.approx(values.mean())
    expected = 2 * 1.96 * values.std() / np.sqrt(len(values))
    assert found.high - found.low == pytest.approx(expected, rel=0.06)


def test_half_samples_cover_the_entropy_of_a_sample_of_this_size() -> None:
    rng = np.random.default_rng(3)
    expected = float(np.mean([bits(words(rng)) for _ in range(10_000)]))
    assert LOWEST <= coverage(entropy, expected) <= HIGHEST


def test_pairs_taken_as_independent_do_not_cover() -> None:
    """The simulation can tell a right interval from one that is too narrow."""

    def naive(rng: np.random.Generator) -> Interval:
        shares = np.repeat(rng.beta(2, 4, 40), 6)
        return bootstrap_mean(rng.random(len(shares)) < shares, bootstrap=seeded(rng, 200))

    assert coverage(naive, 1 / 3) < 0.9
