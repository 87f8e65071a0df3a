"""Scores are computed once: after an interruption, and when a threshold changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.resumable_scoring import RememberedCritic, score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.training.self_distillation import score_candidates
from impossible.training.student import load_student

SENTENCES = [
    "A fire destroyed the school.",
    "The school burned down.",
    "The school burned down.",
    "",
]


class Counting:
    """A critic that answers by length, counts its calls and may break down."""

    def __init__(self, breaks_at: int = 10**9) -> None:
        self.lm = SimpleNamespace(digest="critic")
        self.asked: list[tuple[str, str]] = []
        self.breaks_at = breaks_at

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        self.asked += pairs
        if len(self.asked) > self.breaks_at:
            raise KeyboardInterrupt
        return np.array([len(x) % 7 / 7 for x, _ in pairs])


def models(critic: Counting) -> SimpleNamespace:
    return SimpleNamespace(critic=critic, parser=FlatParser())


def paraphrase(**values: object) -> Thresholds:
    return Thresholds.paraphrase(Params.load("base", {"workers": 1, **values}))


def frame(contexts: int = 20) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"context_id": f"c{i}", "domain": "news", "text": f"{text[:-1]} {i}." if text else "",
             "reason": "" if text else "no_end"}
            for i in range(contexts)
            for text in SENTENCES
        ]
    )  # fmt: skip


def test_counts_are_complete_and_a_threshold_asks_nothing(tmp_path: Path) -> None:
    run, critic = RunFolder.open(tmp_path), Counting()
    limits = paraphrase(entailment_threshold=0.6, length_ratio_max=3.0)
    pairs, funnel = score_sentences(run, frame(), models(critic), limits)
    assert set(pairs["domain"]) == {"news"}
    assert set(funnel.groupby("context_id")["n"].sum()) == {6}  # 3 accepted: 3 x 2 ordered pairs
    assert funnel.set_index("reason").loc["identical", "n"].sum() == 40
    again = Counting()
    stricter = paraphrase(entailment_threshold=0.9, length_ratio_max=3.0)
    same = score_sentences(run, frame(), models(again), stricter)[0]
    pd.testing.assert_frame_equal(same, pairs)
    assert critic.asked
    assert not again.asked


def test_interrupted_scoring_ends_the_same(tmp_path: Path) -> None:
    limits, first = paraphrase(length_ratio_max=3.0), RunFolder.open(tmp_path / "a")
    whole = score_sentences(first, frame(), models(Counting()), limits)
    run = RunFolder.open(tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        score_sentences(run, frame(), models(Counting(breaks_at=20)), limits)
    assert 0 < len(list((run.work / "pairs").iterdir())) < 20
    parts = score_sentences(run, frame(), models(Counting()), limits)
    for one, other in zip(whole, parts, strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("build", [tiny.t5, tiny.llama])
def test_candidates_add_up_and_are_written_once(build: Any, tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path)
    student = load_student(str(tiny.save(tmp_path / "model", *build())))
    given = {"n_candidates": 3, "sentence_max_new_tokens": 4, "candidate_top_p": 0.5}
    inputs = pd.DataFrame({"input_id": ["i0", "i1"], "text": tiny.SENTENCES[:2]})
    inputs = inputs.assign(context_id="c", domain="news")
    scored, funnel = score_candidates(run, inputs, student, models(Counting()), paraphrase(**given))
    assert funnel.groupby("input_id")["n"].sum().to_dict() == {"i0": 3, "i1": 3}
    assert funnel.set_index("reason")["n"].get("scored", pd.Series(0)).sum() == len(scored)
    again, stricter = Counting(), paraphrase(**given, entailment_threshold=0.9)
    same = score_candidates(run, inputs, student, models(again), stricter)
    pd.testing.assert_frame_equal(same[0], scored)
    assert not again.asked


def test_a_part_of_the_candidates_begins_otherwise(tmp_path: Path) -> None:
    asked: list[tuple[int, bool, int]] = []

    class Told(tiny.student(tiny.llama).__class__):  # type: ignore[misc]
        def generate(self, sources: Any, n: int, *, seed: int, **how: Any) -> list[list[str]]:
            asked.append((n, how["begin_otherwise"], seed))
            return [[f"{how['begin_otherwise']} {i}" for i in range(n)] for _ in sources]

    base = tiny.student(tiny.llama)
    student = Told(base.model, base.tokenizer, "told", "0")
    inputs = pd.DataFrame({"input_id": ["i0", "i1"], "text": tiny.SENTENCES[:2]})
    inputs = inputs.assign(context_id="c", domain="news")
    run, limits = RunFolder.open(tmp_path), paraphrase(n_candidates=5, candidates_otherwise=0.4)
    _, funnel = score_candidates(run, inputs, student, models(Counting()), limits)
    assert [(n, otherwise) for n, otherwise, _ in asked] == [(3, False), (2, True)]
    assert asked[0][2] != asked[1][2], "other random numbers"
    assert funnel.groupby("input_id")["n"].sum().to_dict() == {"i0": 5, "i1": 5}


def test_a_judgement_is_remembered(tmp_path: Path) -> None:
    run, first = RunFolder.open(tmp_path), Counting()
    pairs = [("a", "bb"), ("bb", "a"), ("a", "bb")]
    found = RememberedCritic(first, run, "judged").probabilities(pairs)
    assert first.asked == pairs[:2]
    second = Counting()
    remembered = RememberedCritic(second, run, "judged")
    assert len(remembered) == 2
    np.testing.assert_array_equal(remembered.probabilities([*pairs, ("c", "d")])[:3], found)
    assert second.asked == [("c", "d")]


def test_what_the_source_shows_too_is_no_fault_of_a_candidate(tmp_path: Path) -> None:
    class Told(tiny.student(tiny.llama).__class__):  # type: ignore[misc]
        def generate(self, sources: Any, n: int, **how: Any) -> list[list[str]]:
            return [["in may costs went up .", "see www here ."] for _ in sources]

    base = tiny.student(tiny.llama)
    student = Told(base.model, base.tokenizer, "told", "0")
    texts = ["prices rose in may .", "Prices rose in May."]  # a lower-cased test set, and another
    inputs = pd.DataFrame({"input_id": ["low", "high"], "text": texts, "context_id": "c"})
    rejections = {"fragment": ["^[^A-Z]", ":$"], "link": ["www"]}
    limits = paraphrase(n_candidates=2, rejections=rejections)
    run = RunFolder.open(tmp_path)
    scored, funnel = score_candidates(
        run, inputs.assign(domain="news"), student, models(Counting()), limits
    )
    assert scored["input_id"].tolist() == ["low"]
    assert scored["y"].tolist() == ["in may costs went up ."]
    counts = funnel.set_index(["input_id", "reason"])["n"].to_dict()
    assert counts == {
        ("low", "scored"): 1, ("low", "link"): 1, ("high", "fragment"): 2,
    }  # fmt: skip
