"""What the laboratory's notebooks 01, 14 and 22a to 22g expect, on numbers made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.experiments.ablation import ablation_expected, rounds_expected
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
from impossible.world.assessment import in_vitro_critic_expected, teacher_expected
from numpy.typing import NDArray

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


def asked(paraphrases: int, spoken: int) -> pd.DataFrame:
    """100 answers zero-shot and few-shot; so many are paraphrases, so many are of the grammar."""
    rows = [
        (f"teacher, {kind}", "different" if i < spoken else "unparsed", float(i < paraphrases))
        for kind in ("zero-shot", "few-shot") for i in range(100)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["group", "verdict", "paraphrase"])


def test_a_usable_teacher_is_fluent_reads_its_context_and_cannot_paraphrase() -> None:
    rows = [
        (str(d), n, 10 * (1.5 if n == 0 else 0.9), 10 * (2 + d % 2), 10 * (1.5 + d % 3), 10)
        for d in range(30) for n in (0, 1)
    ]  # fmt: skip
    names = [f"nats_{kind}" for kind in ("own context", "other context", "no context")]
    items = pd.DataFrame(rows, columns=["document", "before", *names, "tokens"])
    found = teacher_expected(asked(2, 99), items, Bootstrap(50))
    assert [each.outcome for each in found] == ["shown"] * 5
    # first sentences are harder, yet the context does nothing for the second ones
    deaf = items.assign(**dict.fromkeys(names, items["nats_no context"]))
    deaf.loc[deaf["before"] == 0, names] *= 3
    worse = teacher_expected(asked(80, 60), deaf, Bootstrap(50))
    assert [each.outcome for each in worse] == ["refuted"] * 3 + ["open"] * 2


def test_a_usable_critic_is_mostly_right_and_knows_it() -> None:
    judged = pd.DataFrame({
        "gold": ["entailment"] * 50 + ["neutral"] * 50,
        "correct": [1] * 95 + [0] * 5,
        "p_entailment": [0.95] * 50 + [0.1] * 50,
    })  # fmt: skip
    found = in_vitro_critic_expected(judged, [0.1] * 100, 0.75, 2)
    assert [each.outcome for each in found] == ["shown"] * 4
    blind = judged.assign(correct=0, gold="neutral")
    worse = in_vitro_critic_expected(blind, [0.9] * 100, 0.75, 0)
    assert [each.outcome for each in worse] == ["refuted"] * 4


def test_each_part_left_out_has_its_direction() -> None:
    lines = {
        ("− entailment − full", "fidelity"): -6, ("shuffled − full", "bert_ibleu"): -9,
        ("− self-distillation − full", "bert_ibleu"): 3,
        ("− diversity (D_T) − − self-distillation", "paraphrase"): -3,
        ("− ted − full", "rouge_l_source"): 4, ("B + critics − full", "paraphrase"): -8,
    }  # fmt: skip
    gains = pd.DataFrame([(*name, x, x - 1, x + 1, 9) for name, x in lines.items()], columns=ROWS)
    gaps = gains.head(1).assign(system="all gates − entailment", metric="passing true")
    found = ablation_expected(gains, gaps, ["B", "B + critics"])
    outcomes = {each.says: each.outcome for each in found}
    assert len(found) == 10
    assert outcomes["fidelity, %: − entailment − full"] == "shown"
    assert outcomes["BERT-iBLEU: − self-distillation − full"] == "refuted"
    assert outcomes["BERT-iBLEU: − diversity (D_T) − − self-distillation"] == "not measured"
    assert outcomes["ROUGE-L to source: − ted − full"] == "shown"
    assert outcomes["valid paraphrase, %: B + critics − full"] == "shown"
    assert found[-1].outcome == "refuted"


class SameText(Judge):
    """Equal strings mean the same."""

    def equivalent(self, xs: Sequence[str], ys: Sequence[str]) -> NDArray[np.float64]:
        return np.array([float(x == y) for x, y in zip(xs, ys, strict=True)])


def test_a_later_round_may_lose_five_points() -> None:
    good = pd.DataFrame({"source": list("abcd") * 9, "context_id": [str(i) for i in range(36)]})
    good["target"] = good["source"]
    bad = good.assign(target=["z", *good["target"][1:]])
    worse = good.assign(target=["z"] * 30 + ["a"] * 6)
    scores = pd.DataFrame({"system": ["full"] * 40 + ["round 2"] * 40, "item": [*range(40)] * 2})
    scores["fidelity"] = [100.0] * 40 + [0.0] * 20 + [100.0] * 20
    how = (SameText(), Bootstrap(200))
    fallen, kept, alike = rounds_expected(scores, {"round 1": good, "round 2": bad}, *how)
    assert [fallen.outcome, fallen.bound, kept.outcome] == ["refuted", "> −5", "open"]
    assert (alike.outcome, alike.bound) == ("shown", "< 5")
    nearer = rounds_expected(scores, {"round 1": worse, "round 2": good}, *how)[-1]
    assert nearer.outcome == "refuted", "its targets repeat more of their sources"
    assert (
        rounds_expected(scores, {"round 1": good, "round 2": worse}, *how)[1].outcome == "refuted"
    )
    assert rounds_expected(scores, {"round 1": good}, *how) == []
