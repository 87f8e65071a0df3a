"""A critic that learns from its student's candidates: votes by hand, training, and outcomes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from impossible.config.params import Params
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.experiments import coevolving_critic as coevolving
from impossible.experiments.coevolving_critic import AS_MANY, PRECISION, YIELD
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.training.further_training import trained_further
from impossible.training.trainer import TrainingSettings

BOOTSTRAP = Bootstrap(samples=200)
LIMITS = Thresholds.paraphrase(Params.load("base"))
PAIRS = [(a, b) for a in tiny.SENTENCES for b in tiny.SENTENCES if a != b]


class Told:
    """A critic that says yes to the pairs that it is told."""

    def __init__(self, yes: set[tuple[str, str]]) -> None:
        self.yes = yes

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        return np.array([0.9 if pair in self.yes else 0.1 for pair in pairs])

    def entails(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        return self.probabilities(pairs) > 0.5


class Truth(Judge):
    """What begins with "true" follows from everything, and everything from it."""

    name = "oracle"

    def entails(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        return np.array([float("false" not in x + y) for x, y in zip(xs, ys, strict=True)])


def both(*pairs: str) -> set[tuple[str, str]]:
    return {pair for a, b in pairs for pair in ((a, b), (b, a))}


def candidates(ys: Sequence[str], x: str = "x", **scores: object) -> pd.DataFrame:
    frame = pd.DataFrame({"y": list(ys)}).assign(x=x, input_id=f"i-{x}", context_id=f"c-{x}")
    return frame.assign(
        domain="news", candidate=range(len(ys)), **{"p_xy": 0.5, "p_yx": 0.5, **scores}
    )


def test_votes_by_hand() -> None:
    # x = b = c; d follows from b and c and they from it, but the critic refuses it for x
    critic = Told(both("xb", "xc", "bc", "bd", "cd"))
    votes = coevolving.consistency_votes(candidates("bcde"), critic, 0.75)
    assert len(votes) == 8
    found = votes.set_index(["premise", "hypothesis"])
    d, back = found.loc[("x", "d")], found.loc[("d", "x")]
    assert (d["verdict"], d["voters"], d["vote"]) == (0, 3, pytest.approx(2 / 3))
    assert (back["verdict"], back["voters"], back["vote"]) == (0, 3, pytest.approx(2 / 3))
    assert tuple(found.loc[("x", "b"), ["verdict", "voters", "vote"]]) == (1, 2, 1)
    assert tuple(found.loc[("x", "e"), ["verdict", "voters", "vote"]]) == (0, 3, 0)
    labels = coevolving.consistent_labels(votes).set_index(["premise", "hypothesis"])
    assert labels["follows"].to_dict() == {
        ("x", "d"): 1, ("d", "x"): 1, ("x", "e"): 0, ("e", "x"): 0,
    }  # fmt: skip
    assert labels["overruled"].sum() == 2


def test_directions_are_asked_apart_and_the_unasked_have_no_voice() -> None:
    critic = Told(both("xb", "xc", "bc") | {("b", "d"), ("c", "d"), ("x", "d")})
    asked = candidates("bcd")
    unasked = candidates("f", p_xy=np.nan, p_yx=np.nan)
    votes = coevolving.consistency_votes(pd.concat([asked, unasked]), critic, 0.75)
    found = votes.set_index(["premise", "hypothesis"])["vote"]
    assert (found["x", "d"], found["d", "x"]) == (1, 0)
    assert "f" not in set(votes["hypothesis"])
    assert coevolving.consistency_votes(unasked, critic, 0.75).empty


def test_no_context_teaches_and_is_filtered() -> None:
    every = pd.concat([candidates("ab", str(i)) for i in range(9)], ignore_index=True)
    teach, held_out = coevolving.two_halves(every, 3, 0)
    assert teach["input_id"].nunique() == held_out["input_id"].nunique() == 3
    assert not set(teach["context_id"]) & set(held_out["context_id"])


def critic_of(labels: tuple[str, ...] = tiny.LABELS) -> EntailmentCritic:
    return EntailmentCritic(LanguageModel(*tiny.critic(labels=labels), "tiny", "0"))


@pytest.mark.parametrize("labels", [tiny.LABELS, ("other", "entailment")])
def test_a_critic_learns_what_follows_and_stays_as_it_was(labels: tuple[str, ...]) -> None:
    critic = critic_of(labels)
    before = critic.probabilities(PAIRS)
    weights = {name: each.clone() for name, each in critic.lm.model.state_dict().items()}
    follows = before < np.median(before)  # the contrary of what it says
    settings = TrainingSettings(60, 3e-3, 16, weight_decay=0.0)
    further = trained_further(critic, PAIRS, list(follows), settings)
    after = further.probabilities(PAIRS)
    assert after[follows].mean() > after[~follows].mean() + 0.3
    assert np.array_equal(critic.probabilities(PAIRS), before)
    assert all(torch.equal(weights[n], each) for n, each in critic.lm.model.state_dict().items())
    assert further.fingerprint != critic.fingerprint
    again = trained_further(critic, PAIRS, list(follows), settings)
    assert np.array_equal(again.probabilities(PAIRS), after)
    with pytest.raises(DataError, match="nothing to train on"):
        trained_further(critic, [], [], settings)


def test_permuted_labels_are_the_same_labels_and_none_make_no_critic() -> None:
    critic = critic_of()
    labels = pd.DataFrame(PAIRS[:40], columns=["premise", "hypothesis"])
    labels["follows"] = [1, 0] * 20
    critics = coevolving.evolved_critics(critic, labels, 0)
    assert list(critics) == ["unchanged", "retrained", "permuted labels"]
    said = [each.probabilities(PAIRS) for each in critics.values()]
    assert not any(np.array_equal(said[a], said[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert list(coevolving.evolved_critics(critic, labels.head(0), 0)) == ["unchanged"]


def test_only_what_the_nli_critic_says_is_scored_anew() -> None:
    x, good, bad = (
        "The old school burned down.",
        "Down burned the old school.",
        "The school is old.",
    )
    models = SimpleNamespace(critic=Told(set()), encoder=None, parser=FlatParser())
    limits = LIMITS.fix(ted_min=1, rouge_l_max=1.0, length_ratio_min=0.1)
    asked = candidates([good, bad], x)
    found = coevolving.rescored(asked, Told({(x, good), (good, x)}), models, limits)
    assert found["p_yx"].tolist() == pytest.approx([0.9, 0.1])
    assert found["y"].tolist() == [good, bad]
    assert found["input_id"].tolist() == asked["input_id"].tolist()
    assert math.isnan(found["ted"].iloc[1]), "trees are compared for what entails only"


def scored(sure: dict[str, float], n: int = 30) -> pd.DataFrame:
    """n inputs with these candidates, "KIND X" → P both ways."""
    parts = []
    for i in range(n):
        ys = [f"{kind} {i}" for kind in sure]
        frame = candidates(ys, str(i)).assign(p_xy=list(sure.values()), p_yx=list(sure.values()))
        parts.append(frame.assign(rouge_l=np.linspace(0.2, 0.4, len(ys))))
    return hand_scored(pd.concat(parts, ignore_index=True), LIMITS)


def test_a_critic_that_learned_the_truth_is_better_and_a_spoilt_one_worse() -> None:
    frames = {
        "unchanged": scored({"false": 0.8, "true": 0.9}).assign(
            p_xy=lambda f: f["p_xy"].where(f.index % 4 < 2, 0.8)  # surer of half the true ones
        ),
        "retrained": scored({"false": 0.6, "true": 0.9}),
        "permuted labels": scored({"false": 0.9, "true": 0.6}),
    }
    outcomes = coevolving.outcomes_of_critics(frames, LIMITS, Truth())
    rows = coevolving.outcome_rows(outcomes, BOOTSTRAP)
    value = rows.set_index(["system", "metric"])["value"]
    assert value["unchanged", YIELD] == value["retrained", YIELD] == 100
    assert value["unchanged", PRECISION] == 0, "the false one has the lower ROUGE-L"
    assert value["retrained", PRECISION] == 100
    assert value["permuted labels", PRECISION] == 0
    gaps = coevolving.outcome_gaps(outcomes, BOOTSTRAP)
    gap = gaps.set_index(["system", "metric"])["value"]
    assert gap["retrained − unchanged", PRECISION] == 100
    assert value["retrained", AS_MANY] == 50, "as many as the unchanged one accepts: all 60"

    fewer = {name: frame.copy() for name, frame in frames.items()}
    fewer["retrained"] = scored({"false": 0.2, "true": 0.9})  # 30 at its floor, and so of all
    value = coevolving.outcome_rows(
        coevolving.outcomes_of_critics(fewer, LIMITS, Truth()), BOOTSTRAP
    ).set_index(["system", "metric"])["value"]
    assert value["retrained", AS_MANY] == 100
    assert value["permuted labels", AS_MANY] == 0
    assert 0 < value["unchanged", AS_MANY] < 100


def test_expectations_are_shown_of_the_truth_and_not_measured_of_nothing() -> None:
    labels = pd.DataFrame({
        "premise": "x", "hypothesis": ["true"] * 9 + ["false"] * 9, "verdict": [0] * 9 + [0] * 9,
        "follows": [1] * 9 + [0] * 9, "context_id": [f"c{i}" for i in range(18)],
    })  # fmt: skip
    labels["overruled"] = labels["follows"] != labels["verdict"]
    about = coevolving.label_rows(labels, Truth(), BOOTSTRAP)
    value = about.set_index(["system", "metric"])["value"]
    assert value["all labels", "the critic's verdict is right, %"] == 50
    assert value["all labels", "the label is right, %"] == 100
    assert value["overruled", "the critic's verdict is right, %"] == 0
    frames = {"unchanged": scored({"false": 0.9, "true": 0.8}), "retrained": scored({"true": 0.9})}
    outcomes = coevolving.outcomes_of_critics(frames, LIMITS, Truth())
    gaps = coevolving.outcome_gaps(outcomes, BOOTSTRAP)
    said = [each.outcome for each in coevolving.coevolution_expected(about, gaps)]
    assert said[0] == "shown"
    assert said[-1] == "not measured", "there is no third critic"

    nothing = coevolving.label_rows(labels.head(0), Judge(), BOOTSTRAP)
    alone = coevolving.outcomes_of_critics({"unchanged": scored({"a": 0.1}, 3)}, LIMITS, Judge())
    yields = coevolving.outcome_rows(alone, BOOTSTRAP).query("metric == @YIELD")["value"]
    assert yields.tolist() == pytest.approx([0, math.nan, math.nan], nan_ok=True)
    gaps = coevolving.outcome_gaps(alone, BOOTSTRAP)
    outcomes_of = [each.outcome for each in coevolving.coevolution_expected(nothing, gaps)]
    assert set(outcomes_of) == {"not measured"}
