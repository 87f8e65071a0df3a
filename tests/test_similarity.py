"""The encoder before the NLI critic: what it lets through, and that it can be off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.errors import ParameterError
from impossible.filtering.critic import TextPairs
from impossible.filtering.pair_scores import score_context
from impossible.filtering.similarity import Similarity
from impossible.filtering.thresholds import Thresholds

VECTORS = {"a": [1.0, 0.0], "b": [0.6, 0.8], "c": [-1.0, 0.0]}


class Encoder:
    """Embeds by hand and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, sentences: Any) -> Any:
        self.asked += sentences
        return np.array([VECTORS[text] for text in sentences], dtype=np.float32)


def limits(least: float) -> Thresholds:
    return Thresholds.paraphrase(Params.load("base", {"similarity_min": least}))


def test_the_cosine_is_that_of_the_vectors_and_each_text_is_embedded_once():
    models: Any = SimpleNamespace(encoder=Encoder())
    pairs = TextPairs.of(["a", "b", "a"], ["b", "c", "c"])
    found = Similarity().score(pairs, models, limits(0.5))["similarity"]
    assert found == pytest.approx([0.6, -0.6, -1.0])
    assert sorted(models.encoder.asked) == ["a", "b", "c"]


def test_at_minus_one_no_encoder_is_asked_and_every_pair_passes():
    models: Any = SimpleNamespace(encoder=None)
    found = Similarity().score(TextPairs.of(["a"], ["b"]), models, limits(-1.0))
    assert np.isnan(found["similarity"]).all()
    assert Similarity().accepts(pd.DataFrame(found), limits(-1.0)).all()


def test_a_threshold_without_an_encoder_is_one_clear_sentence():
    models: Any = SimpleNamespace(encoder=None)
    with pytest.raises(ParameterError, match="similarity_min asks for a sentence encoder"):
        Similarity().score(TextPairs.of(["a"], ["b"]), models, limits(0.5))


def test_the_nli_critic_sees_only_what_is_similar_enough():
    asked: list[Any] = []

    def probabilities(pairs: Any) -> Any:
        asked.extend(pairs)
        return np.full(len(pairs), 0.9)

    critic = SimpleNamespace(probabilities=probabilities)
    parser = SimpleNamespace(parse_many=lambda texts: [None] * len(texts))
    models: Any = SimpleNamespace(encoder=Encoder(), critic=critic, parser=parser)
    pairs, funnel = score_context("c0", ["a", "b", "c"], models, limits(0.5))
    assert set(asked) == {("a", "b"), ("b", "a")}
    assert funnel.set_index("reason")["n"].to_dict() == {"similarity": 4, "scored": 2}
    assert pairs["similarity"].tolist() == pytest.approx([0.6, 0.6])
