"""ROUGE-L against a naive reference and the rouge-score package; Jaccard by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.text.rouge import jaccard, rouge_l, rouge_l_matrix
from rouge_score.rouge_scorer import RougeScorer

SCORER = RougeScorer(["rougeL"])
sentences = st.lists(
    st.sampled_from(["a", "b", "c", "The", "the", ".", "3.5", "don't", "é", "—"]), max_size=12
).map(" ".join)


EDGES = [("", ""), ("", "a"), ("a", "a"), ("a b", "c d"), ("a", "b"), ("...", "?!"), ("É", "e")]


@pytest.mark.parametrize(("x", "y"), EDGES)
def test_edge_cases_equal_rouge_score(x: str, y: str) -> None:
    assert rouge_l(x, y) == pytest.approx(SCORER.score(x, y)["rougeL"].fmeasure, abs=1e-9)


@given(sentences, sentences)
def test_equals_rouge_score(x: str, y: str) -> None:
    assert rouge_l(x, y) == pytest.approx(SCORER.score(x, y)["rougeL"].fmeasure, abs=1e-9)


@given(st.lists(st.one_of(sentences, st.text("ab ", min_size=120, max_size=160)), max_size=5))
def test_matrix_is_all_pairs(texts: list[str]) -> None:
    expected = np.array([rouge_l(x, y) for x in texts for y in texts])
    assert np.allclose(rouge_l_matrix(texts).ravel(), expected, atol=1e-12)


@pytest.mark.parametrize("length", [63, 64, 65])
def test_matrix_at_the_word_size_of_bit_parallel_code(length: int) -> None:
    text = " ".join(f"w{i}" for i in range(length))
    assert rouge_l_matrix([text, text])[0, 1] == 1.0


def test_jaccard() -> None:
    assert jaccard("The cat sat.", "the cat ran") == 0.5
    assert jaccard("a", "b") == jaccard("", "") == jaccard("!", "?") == 0.0
