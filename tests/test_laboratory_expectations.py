"""What the laboratory's notebooks 22a to 22g expect, on numbers made by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from impossible.evaluation.bootstrap import Bootstrap
from impossible.experiments.critic_errors import OUTSIDE, apart, errors_expected
from impossible.experiments.critic_noise import noise_expected, noise_name
from impossible.experiments.referee_correction import (
    COVERS,
    FEW,
    OTHERS,
    RAW_COVERS,
    coverage_expected,
)
from impossible.experiments.released_code import variants_expected
from impossible.experiments.threshold_search import better_expected

ROWS = ["system", "metric", "value", "low", "high", "n"]


def test_intervals_that_lie_apart() -> None:
    assert apart(pd.DataFrame({"low": [1, 2, 2.5], "high": [3, 4, 6]})) == 0
    assert apart(pd.DataFrame({"low": [1, 2, 5], "high": [3, 4, 6]})) == 3  # 5 to 6 from either
    assert math.isnan(apart(pd.DataFrame({"low": [1.0], "high": [2.0]})))


def test_a_critic_that_errs_evenly_and_knows_it() -> None:
    traits = pd.DataFrame(
        [("passive", "precision", 0.5, 0.4, 0.6), ("active", "precision", 0.9, 0.8, 1.0),
         ("words: 1", "precision", 0.0, 0.0, 0.1), ("passive", "recall", 0.1, 0.0, 0.2)],
        columns=["group", "series", "value", "low", "high"],
    )  # fmt: skip
    judged = pd.DataFrame({
        "difference": ["filler", "filler", "several", "several", OUTSIDE, ""],
        "accepted": [True, True, False, False, True, True],
        "context_id": list("abcdef"),
    })  # fmt: skip
    curve = pd.DataFrame({"predicted": [0.1, 0.9], "low": [0.0, 0.2], "high": [0.2, 0.4]})
    evenly, harder, sure = errors_expected(traits, judged, curve, Bootstrap(50))
    assert (evenly.found, evenly.outcome) == (2, "refuted")  # words are no construction
    assert harder.found.value == 100  # type: ignore[union-attr]
    assert (sure.found, sure.outcome) == (1, "refuted")


def test_noise_that_weakens_on_its_way() -> None:
    clean, noisy = noise_name(0), noise_name(0.5)
    chain = pd.DataFrame(
        [(clean, "pairs true", 90.0, 88.0, 92.0, 9), (noisy, "pairs true", 70.0, 68.0, 72.0, 9)],
        columns=ROWS,
    ).assign(noise=[0.0, 0.5])
    gains = pd.DataFrame([(f"{noisy} − {clean}", "fidelity", -5.0, -8.0, -2.0, 9)], columns=ROWS)
    dataset, fewer, student, weaker = noise_expected(chain, gains)
    assert [each.outcome for each in (dataset, fewer, student, weaker)] == ["shown"] * 4
    assert dataset.found.value == -20  # type: ignore[union-attr]
    assert fewer.bound == "> −50"
    assert noise_expected(chain.assign(noise=0.0), gains) == []


def test_the_hardest_row_decides_about_coverage() -> None:
    rows = pd.DataFrame(
        [("a", COVERS, 95.0, 92.0, 98.0, 200, "made", "D_T", OTHERS),
         ("b", COVERS, 80.0, 75.0, 85.0, 200, "made", "mixture", OTHERS),
         ("c", COVERS, 10.0, 5.0, 15.0, 200, "critic", "D_T", OTHERS),
         ("d", COVERS, 1.0, 0.0, 2.0, 200, "made", "D_T", FEW),
         ("e", RAW_COVERS, 20.0, 15.0, 25.0, 200, "made", "D_T", OTHERS)],
        columns=[*ROWS, "referee", "dataset", "labels"],
    )  # fmt: skip
    own, raw, chosen = coverage_expected(rows)
    assert "(b)" in own.says
    assert [each.outcome for each in (own, raw, chosen)] == ["refuted", "shown", "shown"]
    assert chosen.found.value == 10  # type: ignore[union-attr]
    without = coverage_expected(rows[rows["system"] == "a"])
    assert [each.outcome for each in without] == ["shown", "not measured", "not measured"]


def test_released_variants_are_compared_with_the_paper_s() -> None:
    pairs = pd.DataFrame({"x": ["a", "b"], "y": ["a", "b"], "context_id": ["c", "d"]})
    worse = pairs.assign(y="z")
    (gap,) = variants_expected(
        {"paper": pairs, "variant": worse},
        lambda xs, ys: pd.Series(xs).eq(pd.Series(ys)).to_numpy(float),
        Bootstrap(50),
    )
    assert gap.found.value == pytest.approx(-100)  # type: ignore[union-attr]


@pytest.mark.parametrize(("pairs", "better"), [(1.5, 1), (0.9, 0)])
def test_a_chosen_point_is_better_if_nothing_of_it_is_worse(pairs: float, better: int) -> None:
    rows = [
        ("truer pairs", "gain, points", 4.0, 1.0, 7.0, 9),
        ("truer pairs", "pairs, of this run's", pairs, pairs - 0.2, pairs + 0.2, 9),
    ]
    (found,) = better_expected(pd.DataFrame(rows, columns=ROWS))
    assert found.found == better
