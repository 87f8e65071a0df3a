"""Pairs: equal to a naive reference, every pair counted once, tightening is free."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.io import read_frame, write_frame
from impossible.data.schemas import DATASET, FUNNEL
from impossible.errors import DataError, ParameterError
from impossible.filtering import critics, pair_scores
from impossible.filtering.build_dataset import (
    apply_thresholds,
    as_dataset,
    build_dataset,
    require_pairs,
)
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.critic import Critic
from impossible.filtering.critics import PAIRS, SCORES
from impossible.filtering.diversity_filter import Algorithm1
from impossible.filtering.funnel import continued
from impossible.filtering.pair_scores import score_context
from impossible.filtering.thresholds import Thresholds
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


def models(critic: FakeCritic) -> SimpleNamespace:
    return SimpleNamespace(critic=critic, parser=FlatParser())


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
LIMITS = Thresholds.paraphrase(PARAMS)
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


def scored(critic: FakeCritic, texts: list[str] = tiny.SENTENCES) -> pd.DataFrame:
    return score_context("c", texts, models(critic), LIMITS)[0]


def reference(sentences: list[str], critic: FakeCritic, params: Params) -> tuple[set, Counter]:
    """Every ordered pair of samples, one after another, every score computed plainly."""
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
    pairs, before = score_context("c", sentences, models(FakeCritic()), LIMITS)
    kept, after = apply_thresholds(pairs, LIMITS)
    expected, counts = reference(sentences, FakeCritic(), PARAMS)
    assert set(zip(kept["x"], kept["y"], strict=True)) == expected
    both = continued(before, after, "scored")
    assert dict(zip(both["reason"], both["n"], strict=True)) == dict(counts)
    assert both["n"].sum() == len(sentences) * (len(sentences) - 1)
    reached = before.loc[before["reason"] == "scored", "n"].sum()
    assert reached == after["n"].sum() == len(pairs)


def test_the_critic_is_asked_once_and_backwards_only_for_survivors() -> None:
    critic = FakeCritic()
    pairs = scored(critic, tiny.SENTENCES * 2)
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


def test_scores_survive_parquet(tmp_path: Path) -> None:
    pairs, funnel = score_context("c", tiny.SENTENCES, models(FakeCritic()), LIMITS)
    write_frame(tmp_path / "pairs.parquet", pairs.assign(domain="news"), PAIRS)
    write_frame(tmp_path / "funnel.parquet", funnel, FUNNEL)
    again = read_frame(tmp_path / "pairs.parquet", PAIRS)
    assert apply_thresholds(again, LIMITS)[1].equals(apply_thresholds(pairs, LIMITS)[1])
    assert list(pairs.columns) == ["context_id", "x", "y", *(field.name for field in SCORES)]


def test_tightening_is_free_and_loosening_is_an_error() -> None:
    pairs = scored(FakeCritic(0.9))
    assert len(apply_thresholds(pairs, LIMITS)[0]) > 0
    assert len(apply_thresholds(pairs, LIMITS.fix(entailment_threshold=0.95))[0]) == 0
    with pytest.raises(ParameterError, match="below entailment_floor"):
        apply_thresholds(pairs, LIMITS.fix(entailment_threshold=0.2))
    wide = pairs.assign(ted=np.float32(np.nan), ted_lower=1.0, ted_upper=99.0)
    with pytest.raises(DataError, match=r"ted_min=6 is not decided"):
        apply_thresholds(wide, LIMITS)
    with pytest.raises(ParameterError, match="there is no parameter ted_mim"):
        LIMITS.fix(ted_mim=3)


def test_no_sentences_give_no_pairs() -> None:
    for sentences in ([], ["Prices rose."], ["Prices rose."] * 3):
        pairs, funnel = score_context("c", sentences, models(FakeCritic()), LIMITS)
        assert len(pairs) == 0
        assert funnel["n"].sum() == len(sentences) * max(0, len(sentences) - 1)
        assert apply_thresholds(pairs, LIMITS)[1]["n"].sum() == 0


def test_a_random_critic_keeps_other_pairs() -> None:
    """Destroyed signal: shuffling the scores of the pairs changes what is kept."""
    pairs = scored(FakeCritic())
    order = np.random.default_rng(0).permutation(len(pairs))
    shuffled = pairs.assign(p_xy=pairs["p_xy"].to_numpy()[order])
    first = apply_thresholds(pairs, LIMITS)[1].set_index("reason")["n"].to_dict()
    assert apply_thresholds(shuffled, LIMITS)[1].set_index("reason")["n"].to_dict() != first


def test_a_new_critic_is_one_class_and_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoCities(Critic):
        name, columns, exits = "city", (), True

        def score(self, pairs, models, thresholds):  # type: ignore[no-untyped-def]
            return {"city": np.array([float("Norvane" in x + y) for x, y in pairs])}

        def accepts(self, scores, thresholds):  # type: ignore[no-untyped-def]
            return scores["city"].to_numpy() == 0

    from impossible.data.schemas import SCORE

    NoCities.columns = (SCORE("city"),)
    entries = (NoCities(), *critics.CRITICS)
    score = pair_scores.score_pairs
    texts = pair_scores.all_pairs(tiny.SENTENCES)
    frame, reason = score(texts, models(FakeCritic()), LIMITS, critics=entries)
    told = ["Norvane" in x + y for x, y in texts]
    assert (reason == "city").tolist() == told
    assert frame["city"].tolist() == [float(each) for each in told]
    assert "city" in frame.columns


def test_a_dataset_is_counted_to_the_last_pair() -> None:
    critic = FakeCritic(0.9)
    parts = [scored(critic).assign(context_id=name, domain=name) for name in ("c", "d")]
    pairs = pd.concat(parts, ignore_index=True)  # the same texts twice: repeated
    dataset, funnel = build_dataset(pairs, LIMITS, Algorithm1(critic, PARAMS))
    assert funnel["n"].sum() == len(pairs)
    counts = funnel.groupby("reason")["n"].sum()
    assert counts["kept"] == counts["repeated"] == len(dataset) > 0
    assert counts["diversity"] > 0
    assert set(dataset["domain"]) == {"c"}
    assert set(dataset["task"]) == {"paraphrase"}
    write = [field.name for field in DATASET]
    assert list(dataset[write].columns) == write


def test_an_empty_dataset_names_what_to_blame() -> None:
    funnel = pd.DataFrame(
        {"reason": ["ted", "entailment", "ted", "scored"], "n": [5, 8, 4, 99], "context_id": "c"}
    )
    with pytest.raises(DataError, match=r"only 0 pairs.*'ted' dropped most \(9 pairs\)"):
        require_pairs(funnel[:0], funnel)
    with pytest.raises(DataError, match="no candidates at all"):
        require_pairs(funnel[:0], funnel[:0])
    require_pairs(funnel, funnel)


def test_dataset_ids_follow_the_texts() -> None:
    row = {"p_xy": 0.9, "p_yx": 0.9, "rouge_l": 0.3, "ted": np.nan, "context_id": "c"}
    pairs = pd.DataFrame([{"x": "a", "y": "b", **row}, {"x": "b", "y": "a", **row}] * 2)
    frame = as_dataset(pairs, "teacher")
    assert len(frame) == 2
    assert frame["pair_id"].is_unique
    assert set(frame["origin"]) == {"teacher"}
    assert frame["domain"].isna().all()
