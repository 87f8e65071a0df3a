"""Pairs scored by hand: what is not given is accepted, by whatever critics there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.data.schemas import FLAG, SCORE
from impossible.errors import ParameterError
from impossible.filtering.build_dataset import apply_thresholds
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.critics import CRITICS, SCORES
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds

BASE = Params.load("base")
STRICT = Params.load("base", {"similarity_min": 0.8, "name_consistency": True, "ted_min": 12})
PAIRS = pd.DataFrame({"context_id": "c", "x": ["a", "b"], "y": ["c", "d"]}, index=[7, 3])


@pytest.mark.parametrize("params", [BASE, STRICT], ids=["base", "strict"])
@pytest.mark.parametrize("task", [Thresholds.paraphrase, Thresholds.summary])
def test_all_that_is_not_given_is_accepted(params: Params, task: type[Thresholds]) -> None:
    thresholds = task(params)
    scored = hand_scored(PAIRS, thresholds)
    assert set(scored) == {*PAIRS, *(field.name for field in SCORES)}
    assert list(scored.index) == [7, 3]
    assert len(apply_thresholds(scored, thresholds)[0]) == len(PAIRS)


def test_what_is_given_stays_and_decides() -> None:
    thresholds = Thresholds.paraphrase(STRICT)
    scored = hand_scored(PAIRS.assign(p_xy=[0.9, 0.1]), thresholds)
    assert scored["p_xy"].tolist() == pytest.approx([0.9, 0.1])
    assert scored["p_xy"].dtype == "float32"
    kept, funnel = apply_thresholds(scored, thresholds)
    assert kept["x"].tolist() == ["a"]
    assert set(funnel["reason"]) == {"kept", "entailment"}


class Between(Critic):
    """A critic of its own kind: a low score, a high one, and a flag that must not be set."""

    name = "between"
    columns = (SCORE("low"), SCORE("high"), FLAG("refused"))
    most = np.inf

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        return {}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        low, high = scores["low"].to_numpy(), scores["high"].to_numpy()
        between = (low < 0.3) & (high > 0.7) & (high <= self.most)
        return np.asarray(between & ~scores["refused"].to_numpy(bool))


def test_another_critic_is_filled_in_or_named() -> None:
    thresholds, critic = Thresholds.paraphrase(BASE), Between()
    scored = hand_scored(PAIRS, thresholds, [*CRITICS, critic])
    assert critic.accepts(scored, thresholds).all()
    critic.most = 0.9
    with pytest.raises(ParameterError, match="between accepts none .* give low, high, refused"):
        hand_scored(PAIRS, thresholds, [critic])
