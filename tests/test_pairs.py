"""Pairs: equal to a naive reference, every pair counted once, chunking and tightening free."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.errors import DataError, ParameterError
from impossible.filtering.pair_scores import (
    SCORES,
    cheap_funnel,
    gate,
    score_context,
    score_contexts,
    whole_funnel,
)
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.text.numbers import number_values
from impossible.text.rouge import rouge_l
from impossible.text.tree_edit_distance import flat_tree, ted


class FakeCritic:
    """Says something fixed about every pair, and remembers what it was asked."""

    def __init__(self, always: float | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.always = always

    def p(self, x: str, y: str) -> float:
        if self.always is not None:
            return self.always
        return hashlib.sha256(f"{x}|{y}".encode()).digest()[0] / 255

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        self.asked += pairs
        return np.array([self.p(x, y) for x, y in pairs], dtype=np.float64)


def no_parser(sentence: str) -> None:
    return None


PARAMS = Params.load(
    "base",
    {
        "entailment_threshold": 0.6,
        "entailment_floor": 0.3,
        "rouge_l_max": 0.6,
        "ted_min": 6,
        "length_ratio_min": 0.7,
        "length_ratio_max": 1.4,
    },
)
SENTENCES = st.lists(
    st.sampled_from(
        [
            *tiny.SENTENCES,
            "A council opened the new bridge at Norvane.",
            "The bridge in Norvane was new.",
            "The mayor sold 13 old ships to the bank.",
            "Prices rose.",
            "A bank bought twelve ships.",
        ]
    ),
    max_size=14,
)


def reference(sentences: list[str], critic: FakeCritic, params: Params) -> tuple[set, Counter]:
    """Every ordered pair of samples, one after another, every gate computed plainly."""
    kept, funnel, seen = set(), Counter(), set()
    for i, x in enumerate(sentences):
        for j, y in enumerate(sentences):
            if i == j:
                continue
            ratio = np.float32(len(y) / len(x))
            if x == y:
                reason = "identical"
            elif (x, y) in seen:
                reason = "duplicate"
            elif not np.float32(params.length_ratio_min) <= ratio <= np.float32(1.4):
                reason = "length_ratio"
            elif number_values(x) != number_values(y):
                reason = "numbers"
            elif np.float32(rouge_l(x, y)) > np.float32(params.rouge_l_max):
                reason = "rouge_l"
            elif min(critic.p(x, y), critic.p(y, x)) < params.entailment_threshold:
                reason = "entailment"
            elif ted(flat_tree(x), flat_tree(y)) < params.ted_min:
                reason = "ted"
            else:
                reason = "kept"
                kept.add((x, y))
            seen.add((x, y))
            funnel[reason] += 1
    return kept, funnel


@settings(max_examples=40, deadline=None)
@given(SENTENCES)
def test_equal_to_a_naive_reference(sentences: list[str]) -> None:
    pairs, before = score_context("c", sentences, FakeCritic(), no_parser, PARAMS)
    kept, after = gate(pairs, PARAMS)
    expected, counts = reference(sentences, FakeCritic(), PARAMS)
    assert set(zip(kept["x"], kept["y"], strict=True)) == expected
    both = whole_funnel(before, after)
    assert cheap_funnel({"c": sentences}, PARAMS).values.tolist() == before.values.tolist()
    assert dict(zip(both["reason"], both["n"], strict=True)) == dict(counts)
    assert both["n"].sum() == len(sentences) * (len(sentences) - 1)
    scored = before.loc[before["reason"] == "scored", "n"].sum()
    assert scored == after["n"].sum() == len(pairs)


def test_the_critic_is_asked_once_and_backwards_only_for_survivors() -> None:
    critic = FakeCritic()
    pairs, _ = score_context("c", tiny.SENTENCES * 2, critic, no_parser, PARAMS)
    assert len(critic.asked) == len(set(critic.asked))
    shorter = {(a, b) for a, b in critic.asked if (len(a), a) <= (len(b), b)}
    backwards = {(b, a) for a, b in shorter if critic.p(a, b) >= 0.3}
    assert set(critic.asked) == shorter | backwards
    for row in pairs.itertuples():
        for p, pair in ((row.p_xy, (row.x, row.y)), (row.p_yx, (row.y, row.x))):
            assert np.isnan(p) if pair not in critic.asked else p == np.float32(critic.p(*pair))
        assert not np.isnan(row.rouge_l)
        if not np.isnan(row.ted_lower):
            exact = ted(flat_tree(row.x), flat_tree(row.y))
            assert row.ted_lower <= exact <= row.ted_upper
            assert np.isnan(row.ted) or row.ted == exact
            assert row.tree_fallback


def test_chunking_of_contexts_changes_nothing() -> None:
    lm = LanguageModel(*tiny.critic(), "tiny", "0")
    critic = EntailmentCritic(lm)
    loose = PARAMS.model_copy(update={"entailment_floor": 0.1})
    contexts = {f"c{i}": tiny.SENTENCES[i:] + tiny.SENTENCES[:2] for i in range(4)}
    pairs, funnel = score_contexts(contexts, critic, no_parser, loose)
    for name, sentences in contexts.items():
        alone, counts = score_context(name, sentences, critic, no_parser, loose)
        part = pairs[pairs["context_id"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone, rtol=1e-4)
        whole = funnel[funnel["context_id"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(whole, counts)
    assert pairs["p_xy"].notna().any()


def test_scores_survive_parquet(tmp_path: Any) -> None:
    from impossible.data.run_folder import read_frame, write_frame
    from impossible.data.schemas import FUNNEL, PAIRS

    pairs, funnel = score_context("c", tiny.SENTENCES, FakeCritic(), no_parser, PARAMS)
    write_frame(tmp_path / "pairs.parquet", pairs, PAIRS)
    write_frame(tmp_path / "funnel.parquet", funnel, FUNNEL)
    again = read_frame(tmp_path / "pairs.parquet", PAIRS)
    assert gate(again, PARAMS)[1].equals(gate(pairs, PARAMS)[1])
    assert list(pairs.columns) == ["context_id", "x", "y", *SCORES]


def test_tightening_is_free_and_loosening_is_refused() -> None:
    pairs, _ = score_context("c", tiny.SENTENCES, FakeCritic(0.9), no_parser, PARAMS)
    kept, _ = gate(pairs, PARAMS)
    stricter = PARAMS.model_copy(update={"entailment_threshold": 0.95})
    assert len(kept) > 0
    assert len(gate(pairs, stricter)[0]) == 0
    with pytest.raises(ParameterError, match="below entailment_floor"):
        gate(pairs, PARAMS.model_copy(update={"entailment_threshold": 0.2}))
    wide = pairs.assign(ted=np.float32(np.nan), ted_lower=1.0, ted_upper=99.0)
    with pytest.raises(DataError, match=r"ted_min=6 is not decided"):
        gate(wide, PARAMS)


def test_no_sentences_give_no_pairs() -> None:
    for sentences in ([], ["Prices rose."], ["Prices rose."] * 3):
        pairs, funnel = score_context("c", sentences, FakeCritic(), no_parser, PARAMS)
        assert len(pairs) == 0
        assert funnel["n"].sum() == len(sentences) * max(0, len(sentences) - 1)
        assert gate(pairs, PARAMS)[1]["n"].sum() == 0


def test_a_random_critic_keeps_other_pairs() -> None:
    """Destroyed signal: shuffling the scores of the pairs changes what is kept."""
    pairs, _ = score_context("c", tiny.SENTENCES, FakeCritic(), no_parser, PARAMS)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(pairs))
    shuffled = pairs.assign(p_xy=pairs["p_xy"].to_numpy()[order])
    first = gate(pairs, PARAMS)[1].set_index("reason")["n"].to_dict()
    assert gate(shuffled, PARAMS)[1].set_index("reason")["n"].to_dict() != first
