"""Corrected rates where the truth is known: counts by hand, coverage, and where it must fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from impossible.evaluation.bootstrap import Bootstrap, Interval
from impossible.experiments import referee_correction as correction
from impossible.experiments.referee_correction import (
    ALLOWED,
    BIAS,
    COVERS,
    FEW,
    OTHERS,
    RAW_BIAS,
    RAW_COVERS,
    RULE,
)

DRAWS = Bootstrap(300, seed=1)


def is_upper(xs: list[str], ys: list[str]) -> np.ndarray:
    """A truth for tests: two capital letters."""
    return np.array([float(x.isupper() and y.isupper()) for x, y in zip(xs, ys, strict=True)])


def pool(n: int, true: float, sensitivity: float, specificity: float, seed: int) -> pd.DataFrame:
    """Pairs, of which a fraction is true, with the verdicts of a referee that errs by chance."""
    texts = ["A"] * round(n * true) + ["a"] * (n - round(n * true))
    referee = correction.chance_referee(is_upper, sensitivity, specificity, seed)
    sample = {"d": pd.DataFrame({"x": texts, "y": texts})}
    return correction.verdict_pools(sample, is_upper, {"chance": referee})["d"]


def values(pools: dict[str, pd.DataFrame], studies: int = 400) -> pd.Series:
    rows = correction.correction_rows(pools, ["chance"], 150, DRAWS, studies)
    return rows.set_index(["labels", "metric"])["value"]


def test_referees_by_hand() -> None:
    xs, ys = ["A", "A", "a"], ["A", "a", "a"]
    assert correction.chance_referee(is_upper, 1, 1)(xs, ys).tolist() == [1, 0, 0]
    assert correction.chance_referee(is_upper, 0, 0)(xs, ys).tolist() == [0, 1, 1]
    unknown = correction.chance_referee(lambda xs, ys: np.full(len(xs), np.nan), 1, 1)
    assert np.isnan(unknown(xs, ys)).all()
    half = correction.chance_referee(is_upper, 0.5, 1)(["A"] * 10, ["A"] * 10)
    assert half.sum() == 5
    volan = {"The fire.": "lo ka.", "A blaze.": "ka lo.", "A flood.": "mi lo."}
    referee = correction.same_translation(lambda texts: [volan[text] for text in texts])
    assert referee(["The fire."] * 2, ["A blaze.", "A flood."]).tolist() == [1, 0]


def test_what_cannot_be_judged_is_left_out_and_errors_are_counted() -> None:
    sample = {"d": pd.DataFrame({"x": ["A", "A", "a", "?"], "y": ["A", "A", "a", "?"]})}
    truth = dict(zip("Aa?", [1.0, 0.0, np.nan], strict=True))
    said = iter([1.0, 0.0, 1.0, 1.0])
    pools = correction.verdict_pools(
        sample,
        lambda xs, ys: np.array([truth[x] for x in xs]),
        {"r": lambda xs, ys: np.array([next(said) for _ in xs])},
    )
    assert len(pools["d"]) == 3
    row = correction.error_rows(pools, ["r"]).iloc[0]
    assert row["true, %"] == pytest.approx(200 / 3)
    assert (row["r: sensitivity"], row["r: specificity"]) == (50, 0)


def test_no_pair_measures_the_referee_that_judges_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = pool(20, 0.5, 0.8, 0.9, seed=3).rename(columns={"chance": "said"})
    seen = []

    def spy(said: np.ndarray, asked: object, errors: object, bootstrap: object) -> Interval:
        seen.append((said, errors))
        return Interval(0, 0, 0, 1)

    monkeypatch.setattr(correction, "corrected_mean", spy)
    correction.repeated(pairs, None, (8, 12), DRAWS, 30)
    for said, errors in seen:  # 8 + 12 = all pairs, each of them once
        yes = said.sum() + errors.hits + errors.negatives - errors.rejections
        assert (yes, errors.positives + errors.negatives) == (pairs["said"].sum(), 12)


@pytest.mark.parametrize("true", [0.1, 0.5, 0.9])
def test_intervals_cover_where_the_referee_errs_alike(true: float) -> None:
    same = pool(3000, true, 0.8, 0.9, seed=5)
    found = values({"d": same, RULE: pool(3000, 0.5, 0.8, 0.9, seed=6)})
    for labels in (OTHERS, RULE):
        assert 91 <= found[labels, COVERS] <= 99
        assert abs(found[labels, BIAS]) < 3
    assert abs(found[OTHERS, RAW_BIAS] - 100 * (true * 0.8 + (1 - true) * 0.1 - true)) < 2
    assert found[FEW, COVERS] > 85
    if true != 0.5:
        assert found[OTHERS, RAW_COVERS] < 70


def test_intervals_do_not_cover_where_it_errs_otherwise() -> None:
    """Destroyed signal: what measured the referee is not what it is asked."""
    judged = pool(3000, 0.5, 0.8, 0.9, seed=5)
    kinder = values({"d": judged, RULE: pool(3000, 0.5, 0.99, 0.6, seed=6)})
    assert kinder[RULE, COVERS] < 50 < 90 < kinder[OTHERS, COVERS]
    assert abs(kinder[RULE, BIAS]) > 10


def test_a_referee_whose_verdicts_are_permuted_is_mostly_refused() -> None:
    blind = pool(3000, 0.5, 0.8, 0.9, seed=5)
    blind["chance"] = blind["chance"].sample(frac=1, random_state=0).to_numpy()
    assert values({"d": blind, RULE: blind})[OTHERS, ALLOWED] < 40
    timid = pool(3000, 0.5, 0.3, 0.9, seed=5)
    found = values({"d": timid, RULE: timid})
    assert found[OTHERS, ALLOWED] < 1
    assert np.isnan(found[OTHERS, COVERS])
