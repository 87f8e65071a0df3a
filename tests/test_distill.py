"""Self-distillation: candidates are accounted for, the most different survivor is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.data.run_folder import write_frame
from impossible.data.schemas import CANDIDATES, DATASET
from impossible.errors import DataError
from impossible.training.self_distillation import (  # fmt: skip
    choose,
    dataset,
    fresh_inputs,
    paraphrase,
    relabel,
    require_pairs,
    select,
)

PARAMS = Params.load(
    "base", {"n_candidates": 5, "sentence_max_new_tokens": 8, "ted_min": 0, "rouge_l_max": 0.9}
)
STUDENT = tiny.student()


class Yes:
    """Accepts everything."""

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        return np.ones(len(pairs))


def no_parser(sentence: str) -> None:
    return None


def written(monkeypatch: pytest.MonkeyPatch, texts: list[list[str]]) -> None:
    monkeypatch.setattr(type(STUDENT), "generate", lambda *_, **__: texts)


INPUTS = pd.DataFrame(
    {
        "input_id": ["i0", "i1"],
        "text": ["The bank sold a ship.", "Prices rose."],
        "context_id": ["c0", "c1"],
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
    written(monkeypatch, [texts, ["Prices rose."] * 5])
    kept, scored, funnel = relabel(INPUTS, STUDENT, Yes(), no_parser, PARAMS, "round1")
    assert kept[["source", "target", "context_id", "origin"]].values.tolist() == [
        [source, texts[0], "c0", "round1"]
    ]
    assert scored["candidate"].tolist() == [0, 3]
    counts = funnel.set_index(["input_id", "reason"])["n"].to_dict()
    assert counts == {
        ("i0", "identical"): 1,
        ("i0", "empty"): 1,
        ("i0", "duplicate"): 1,
        ("i0", "kept"): 1,
        ("i0", "not_chosen"): 1,
        ("i1", "identical"): 5,
    }
    again, coarse = select(scored, INPUTS, PARAMS, "round1")
    pd.testing.assert_frame_equal(again, kept)
    assert coarse.groupby("input_id")["n"].sum().to_dict() == {"i0": 5, "i1": 5}
    write_frame(tmp_path / "a.parquet", kept, DATASET)
    write_frame(tmp_path / "b.parquet", scored, CANDIDATES)


@pytest.mark.parametrize("build", [tiny.t5, tiny.llama])
def test_real_candidates_are_all_counted_and_follow_the_stage(build: Any) -> None:
    student = tiny.student(build)
    texts = pd.DataFrame({"input_id": [f"i{n}" for n in range(8)], "text": tiny.SENTENCES})
    _, scored, funnel = relabel(texts, student, Yes(), no_parser, PARAMS)
    assert (funnel.groupby("input_id")["n"].sum() == PARAMS.n_candidates).all()
    _, again, _ = relabel(texts, student, Yes(), no_parser, PARAMS)
    pd.testing.assert_frame_equal(again, scored, check_exact=True)
    _, other, _ = relabel(texts, student, Yes(), no_parser, PARAMS, "round2")
    assert other["y"].tolist() != scored["y"].tolist()


def test_ties_go_by_text() -> None:
    kept = pd.DataFrame(
        {"input_id": ["a", "a", "b"], "y": ["q", "p", "r"], "rouge_l": [0.5, 0.5, 0.9]}
    )
    chosen, _ = choose(kept)
    assert chosen["y"].tolist() == ["p", "r"]


def test_an_empty_dataset_is_refused_with_the_gate_to_blame() -> None:
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
    frame = dataset(pairs)
    assert len(frame) == 2
    assert frame["pair_id"].is_unique
    assert set(frame["origin"]) == {"teacher"}


def test_paraphrase_is_a_function_of_seed_and_text(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "student", *tiny.t5())
    texts = tiny.SENTENCES[:2]
    got = paraphrase(texts, folder, n=3, seed=1, max_new_tokens=8)
    assert [len(row) for row in got] == [3, 3]
    assert paraphrase(texts, STUDENT, n=3, seed=1, max_new_tokens=8) == got
    assert paraphrase(texts, STUDENT, n=3, seed=2, max_new_tokens=8) != got
    assert len(paraphrase(texts, STUDENT, max_new_tokens=8)[0]) == 1
    with pytest.raises(DataError, match="text 2 is empty"):
        paraphrase(["a", " "], STUDENT)
    with pytest.raises(DataError, match="at least 1"):
        paraphrase(["a"], STUDENT, n=0)


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
