"""Contexts that the teacher did not write."""

from __future__ import annotations

from pathlib import Path

import pytest
from impossible.config.params import Params
from impossible.errors import DataError
from impossible.generation.contexts import Plan, plan_contexts
from impossible.generation.human_contexts import given_contexts
from impossible.text.sentence_boundaries import first_sentence

PLANS = plan_contexts(Params.load("laboratory"), 20, "given", [1, 3])


def test_documents_of_the_world_fit_the_plans() -> None:
    found = given_contexts("in-vitro", PLANS)
    assert found["domain"].tolist() == [plan.domain for plan in PLANS]
    assert found["n_sentences"].tolist() == [plan.n_sentences for plan in PLANS]
    for row in found.itertuples():
        assert row.text.startswith(row.prefix)
        rest, count = row.text[len(row.prefix) :].strip(), 0
        while rest:
            rest, count = rest[len(first_sentence(rest)) :].strip(), count + 1
        assert count == row.n_sentences
    assert given_contexts("in-vitro", PLANS[5:6])["text"].iloc[0] == found["text"].iloc[5]
    assert not given_contexts("in-vitro", PLANS, seed=1)["text"].equals(found["text"])


def test_lines_of_a_file_are_used_once_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "documents.txt"
    path.write_text("One came. Two left. Three stayed.\n\nOnly one is here.\nA. B went. C ran.\n")
    plans = [Plan(f"c{i}", "news", "LONDON --", 2) for i in range(5)]
    found = given_contexts(str(path), plans)
    assert found["prefix"].tolist() == [""] * len(found)
    assert "One came. Two left." in set(found["text"])
    assert found["text"].is_unique
    assert not found["text"].str.contains("Only one").any()


def test_no_context_and_no_text(tmp_path: Path) -> None:
    assert given_contexts("", PLANS).empty
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(DataError, match="holds no document"):
        given_contexts(str(tmp_path / "empty.txt"), PLANS)
    with pytest.raises(DataError, match="Cannot read"):
        given_contexts(str(tmp_path / "absent.txt"), PLANS)
    (tmp_path / "latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        given_contexts(str(tmp_path / "latin.txt"), PLANS)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "documents.txt"
    path.write_text("One came. Two left.\n", encoding="utf-8-sig")
    plans = [Plan("c", "news", "LONDON --", 1)]
    assert given_contexts(str(path), plans)["text"].tolist() == ["One came."]
