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
from impossible.filtering.constituency_parser import get_parser
from impossible.filtering.resumable_scoring import (
    RememberedCritic,
    score_candidates,
    score_sentences,
)
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


def frame(contexts: int = 20) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"context_id": f"c{i}", "text": f"{text[:-1]} {i}." if text else "",
             "reason": "" if text else "no_end"}
            for i in range(contexts)
            for text in SENTENCES
        ]
    )  # fmt: skip


def test_counts_are_complete_and_a_threshold_asks_nothing(tmp_path: Path) -> None:
    run, parser = RunFolder.open(tmp_path), get_parser("flat")
    params = Params.load("base", {"entailment_threshold": 0.6, "length_ratio_max": 3.0})
    critic = Counting()
    pairs, funnel = score_sentences(run, frame(), critic, parser, params)
    assert set(funnel.groupby("context_id")["n"].sum()) == {6}  # 3 accepted: 3 x 2 ordered pairs
    assert funnel.set_index("reason").loc["identical", "n"].sum() == 40
    again = Counting()
    stricter = params.model_copy(update={"entailment_threshold": 0.9})
    pd.testing.assert_frame_equal(score_sentences(run, frame(), again, parser, stricter)[0], pairs)
    assert critic.asked
    assert not again.asked


def test_interrupted_scoring_ends_the_same(tmp_path: Path) -> None:
    params, parser = Params.load("base", {"length_ratio_max": 3.0}), get_parser("flat")
    whole = score_sentences(RunFolder.open(tmp_path / "a"), frame(), Counting(), parser, params)
    run = RunFolder.open(tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        score_sentences(run, frame(), Counting(breaks_at=20), parser, params)
    last = sorted((run.work / "pairs").glob("part-*"))[-1]
    last.unlink()  # killed after the funnel's part and before that of the pairs
    parts = score_sentences(run, frame(), Counting(), parser, params)
    for one, other in zip(whole, parts, strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("build", [tiny.t5, tiny.llama])
def test_candidates_add_up_and_are_written_once(build: Any, tmp_path: Path) -> None:
    run, parser = RunFolder.open(tmp_path), get_parser("flat")
    student = load_student(str(tiny.save(tmp_path / "model", *build())))
    given = {"n_candidates": 3, "sentence_max_new_tokens": 4, "candidate_top_p": 0.5}
    params = Params.load("base", given)
    inputs = pd.DataFrame({"input_id": ["i0", "i1"], "text": tiny.SENTENCES[:2]})
    scored, dropped = score_candidates(run, inputs, student, Counting(), parser, params)
    assert len(scored) + dropped["n"].sum() == 6
    again, looser = Counting(), params.model_copy(update={"rouge_l_max": 0.9})
    same = score_candidates(run, inputs, student, again, parser, looser)
    pd.testing.assert_frame_equal(same[0], scored)
    assert not again.asked


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
