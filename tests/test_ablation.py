"""Leaving a critic out: hand-made candidates, one for each critic to reject."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.data.schemas import DATASET
from impossible.errors import ParameterError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.experiments.ablation import (
    chosen_from,
    compared,
    filtered,
    truth_by_round,
    without,
)
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.critics import REASONS
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds
from numpy.typing import NDArray

LIMITS = Thresholds.paraphrase(
    Params.load("base", {"similarity_min": 0.5, "name_consistency": True})
)
GOOD = {
    "rouge_l": 0.5, "similarity": 0.8, "length_ratio": 1.0, "numbers_consistent": True,
    "names_known": True, "ted": 20.0, "ted_lower": 9.0, "ted_upper": 30.0, "p_xy": 0.9,
    "p_yx": 0.9,
}  # fmt: skip
BAD = {
    "entailment": {"p_xy": 0.1, "p_yx": np.nan, "ted": np.nan, "ted_lower": np.nan,
                   "ted_upper": np.nan, "rouge_l": 0.4},
    "rouge_l": {"rouge_l": 0.9},
    "similarity": {"similarity": 0.1},
    "ted": {"ted": 3.0, "ted_lower": 3.0, "ted_upper": 3.0},
    "length_ratio": {"length_ratio": 3.0},
    "numbers": {"numbers_consistent": False},
    "names": {"names_known": False},
}  # fmt: skip


def scored() -> pd.DataFrame:
    rows = [{"input_id": "a", "x": "x", "y": "good", **GOOD}]
    rows += [{"input_id": name, "x": "x", "y": name, **GOOD, **bad} for name, bad in BAD.items()]
    return hand_scored(pd.DataFrame(rows), LIMITS)


def test_a_critic_rejects_its_own_and_lets_it_through_when_left_out() -> None:
    assert set(BAD) <= set(REASONS)
    assert list(without(scored(), LIMITS)["y"]) == ["good"]
    for name in BAD:
        assert set(without(scored(), LIMITS, name)["y"]) == {"good", name}


def test_an_unknown_critic_is_an_error() -> None:
    with pytest.raises(ParameterError, match="no critic 'bleu'"):
        without(scored(), LIMITS, "bleu")


def test_chosen_from_keeps_one_pair_of_an_input() -> None:
    frame = scored().assign(input_id="a", context_id="c")
    assert chosen_from(frame, LIMITS, "entailment")["target"].tolist() == ["entailment"]
    assert chosen_from(frame, LIMITS)["target"].tolist() == ["good"]


class OnlyShort:
    """A critic that accepts pairs of short texts."""

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        return np.array([float(len(x) + len(y) < 40) for x, y in pairs])


def test_any_corpus_can_be_filtered_by_the_same_critics() -> None:
    corpus = pd.DataFrame(
        {
            "pair_id": ["1", "2", "3"], "context_id": "c", "domain": None, "origin": "other",
            "source": ["prices rose fast", "prices rose and then they fell again", "a b c"],
            "target": ["there was a rise", "first prices rose, after that they fell", "a b c"],
        }
    )  # fmt: skip
    models = SimpleNamespace(critic=OnlyShort(), parser=FlatParser())
    kept = filtered(
        corpus.set_index([[7, 3, 5]]), models, LIMITS.fix(ted_min=0, similarity_min=-1.0)
    )
    assert kept["context_id"].tolist() == ["c"]
    assert kept["source"].tolist() == ["prices rose fast"]
    assert kept["origin"].tolist() == ["other"]


def test_nothing_passes_of_no_corpus() -> None:
    models = SimpleNamespace(critic=OnlyShort(), encoder=None, parser=FlatParser())
    assert filtered(DATASET.empty_table().to_pandas(), models, LIMITS).empty


def test_each_variant_is_compared_with_what_differs_in_one_part() -> None:
    assert compared(["full", "− ted", "− diversity (D_T)"]) == [
        ("− ted", "full"), ("− diversity (D_T)", "− self-distillation"),
    ]  # fmt: skip


class Judged(Judge):
    def equivalent(self, xs: Sequence[str], ys: Sequence[str]) -> NDArray[np.float64]:
        return np.array([1.0, 0.0, 1.0, np.nan])[: len(xs)]


def test_truth_by_round() -> None:
    pairs = {"source": ["a b c"] * 4, "target": ["c b a"] * 4, "context_id": list("wxyz")}
    made = {"round 0": pd.DataFrame(pairs), "round 1": pd.DataFrame(pairs).iloc[:2]}
    rows = truth_by_round(made, Judged(), bootstrap=Bootstrap(20))
    value = rows.set_index(["system", "metric"])["value"]
    assert value["round 0", "pairs true"] == value["round 1", "pairs true"] == pytest.approx(50)
    assert value["round 0", "pairs"] == 4
    assert value["round 1", "pairs"] == 2
    assert set(rows["metric"]) == {"pairs true", "self_bleu", "h2", "pairs"}
