"""Self-distillation: candidates are accounted for, the most different survivor is chosen."""

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
from impossible.data.io import write_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.errors import DataError
from impossible.filtering.build_dataset import as_pairs
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.critics import CANDIDATES
from impossible.filtering.funnel import funnel_by_context, ordered_pairs
from impossible.filtering.resumable_scoring import score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.training.distillation import (
    PAIR_TESTS,
    candidate_tests,
    dataset_of_candidates,
    dataset_of_pairs,
    first_dataset,
)
from impossible.training.self_distillation import LowestOverlap, fresh_inputs, score_candidates

PARAMS = Params.load(
    "base", {"n_candidates": 5, "sentence_max_new_tokens": 8, "ted_min": 0, "rouge_l_max": 0.9}
)
LIMITS = Thresholds.paraphrase(PARAMS)
STUDENT = tiny.student()


class Yes:
    """Accepts everything."""

    lm = SimpleNamespace(digest="yes")

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        return np.ones(len(pairs))


MODELS = SimpleNamespace(critic=Yes(), parser=FlatParser())


def score(
    folder: Path, inputs: pd.DataFrame, stage: str = "round1", student: Any = STUDENT
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return score_candidates(RunFolder.open(folder), inputs, student, MODELS, LIMITS, stage)


INPUTS = pd.DataFrame(
    {
        "input_id": ["i0", "i1"],
        "text": ["The bank sold a ship.", "Prices rose."],
        "context_id": ["c0", "c1"],
        "domain": "news",
    }
)


def test_the_survivor_with_the_lowest_overlap_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = INPUTS["text"][0]
    texts = [
        "A ship was sold by it.",
        source,
        "",
        "The bank sold its ship.",
        "The bank sold its ship.",
    ]
    written = {source: texts, "Prices rose.": ["Prices rose."] * 5}
    monkeypatch.setattr(
        type(STUDENT), "generate", lambda _, xs, *__, **how: [written[x] for x in xs]
    )
    scored, before = score(tmp_path, INPUTS)
    made = dataset_of_candidates(scored, before, LIMITS)
    dataset = made.dataset
    assert dataset[["source", "target", "context_id", "domain", "origin"]].values.tolist() == [
        [source, texts[0], "c0", "news", "student"]
    ]
    assert scored["candidate"].tolist() == [0, 3]
    assert made.passed["y"].tolist() == [texts[0], texts[3]]
    assert made.total == 2 * PARAMS.n_candidates
    assert made.funnel.set_index(["input_id", "reason"])["n"].to_dict() == {
        ("i0", "identical"): 1,
        ("i0", "empty"): 1,
        ("i0", "duplicate"): 1,
        ("i0", "kept"): 1,
        ("i0", "not_chosen"): 1,
        ("i1", "identical"): 5,
    }
    by_context = funnel_by_context(made.funnel, INPUTS)
    assert by_context.groupby("context_id")["n"].sum().to_dict() == {"c0": 5, "c1": 5}
    assert set(made.funnel["reason"]) <= {*candidate_tests(PARAMS), "kept"}
    write_frame(tmp_path / "a.parquet", dataset, DATASET)
    write_frame(tmp_path / "b.parquet", scored, CANDIDATES)


def test_pairs_scored_before_give_the_same_dataset(tmp_path: Path) -> None:
    run, texts = RunFolder.open(tmp_path), [*tiny.SENTENCES[:4], tiny.SENTENCES[0], ""]
    sentences = pd.DataFrame({"context_id": "c", "domain": "news", "text": texts})
    sentences["reason"] = ["" if text else "no_end" for text in texts]
    made = first_dataset(run, sentences, MODELS, LIMITS)
    again = dataset_of_pairs(run, *score_sentences(run, sentences, MODELS, LIMITS), MODELS, LIMITS)
    assert ordered_pairs(sentences) == {"c": made.total} == {"c": 5 * 4}
    assert set(made.funnel["reason"]) <= {*PAIR_TESTS, "kept"}
    assert len(made.passed) > len(made.dataset) > 0
    for name in ("scored", "passed", "dataset", "funnel"):
        pd.testing.assert_frame_equal(getattr(made, name), getattr(again, name))
    pairs = as_pairs(made.dataset).merge(made.passed, on=["context_id", "x", "y"])
    assert len(pairs) == len(made.dataset)


def test_a_funnel_that_lost_something_makes_no_dataset(tmp_path: Path) -> None:
    scored, before = score(tmp_path, INPUTS)
    with pytest.raises(DataError, match="came in"):
        dataset_of_candidates(scored.iloc[1:], before, LIMITS)


@pytest.mark.parametrize("build", [tiny.t5, tiny.llama])
def test_real_candidates_are_all_counted_and_rounds_differ(build: Any, tmp_path: Path) -> None:
    student = tiny.student(build)
    names = [f"i{n}" for n in range(8)]
    texts = pd.DataFrame({"input_id": names, "text": tiny.SENTENCES}).assign(
        context_id="c", domain="news"
    )
    scored, funnel = score(tmp_path / "a", texts, student=student)
    assert (funnel.groupby("input_id")["n"].sum() == PARAMS.n_candidates).all()
    again, _ = score(tmp_path / "b", texts, student=student)
    pd.testing.assert_frame_equal(scored, again)
    other, _ = score(tmp_path / "a", texts, "round2", student)
    assert other["y"].tolist() != scored["y"].tolist()


def test_ties_go_by_text() -> None:
    kept = pd.DataFrame(
        {"input_id": ["a", "a", "b"], "y": ["q", "p", "r"], "rouge_l": [0.5, 0.5, 0.9]}
    )
    assert LowestOverlap()(kept, kept)["y"].tolist() == ["p", "r"]


def test_fresh_inputs_are_the_accepted_texts_once_each() -> None:
    drawn = pd.DataFrame(
        {
            "context_id": ["c", "c", "d", "d"], "sample": [0, 1, 0, 1], "raw": "",
            "text": ["A.", "B.", "A.", "C."], "reason": ["", "", "", "not fresh"],
        }
    )  # fmt: skip
    assert fresh_inputs(drawn)[["input_id", "text"]].to_numpy().tolist() == [
        ["c-0", "A."],
        ["c-1", "B."],
    ]
