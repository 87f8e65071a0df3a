"""BLEU against sacrebleu; iBLEU and BERT-iBLEU by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from impossible.text import bleu
from impossible.text.ibleu import bert_ibleu, cosine, ibleu

texts = st.lists(st.sampled_from(["a", "b", "The", "the", "cat", "sat."]), max_size=9).map(" ".join)
corpora = st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=6)


def corpus_bleu(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    return float(bleu.bleu_from_sums(bleu.bleu_statistics(outputs, references).sum(axis=0)))


@given(corpora)
def test_corpus_bleu_equals_sacrebleu(rows: list[tuple[str, str, str]]) -> None:
    outputs = [row[0] for row in rows]
    expected = sacrebleu.corpus_bleu(outputs, [[r[1] for r in rows], [r[2] for r in rows]]).score
    assert corpus_bleu(outputs, [list(row[1:]) for row in rows]) == pytest.approx(
        expected, abs=1e-6
    )


@given(texts, texts)
def test_sentence_bleu_equals_sacrebleu(x: str, y: str) -> None:
    reference = sacrebleu.BLEU(
        lowercase=True, smooth_method="add-k", smooth_value=1, effective_order=True
    )
    expected = reference.sentence_score(x, [y]).score
    assert bleu.sentence_bleu(x, [y]) == pytest.approx(expected, abs=1e-9)


ODD = st.lists(
    st.sampled_from(
        ["a", "the", "The", "İ", "ΣΑΣ", "1,000.5-6", ".,", "..", "-\n", "\n", "&quot;", "&AMP;",
         "x-", "<skipped>", "\u00a0", "\u200b", "经济。", "نمو", "😀", "don't", "$5%", "(b)",
         "\ud800", " "]
    ),
    max_size=12,
)  # fmt: skip
odd = st.tuples(ODD.map("".join), ODD.map(" ".join)).map(" ".join)


@given(st.lists(st.tuples(odd, st.lists(odd, min_size=1, max_size=3)), min_size=1, max_size=4))
def test_counts_of_odd_texts_are_those_of_sacrebleu(rows: list[tuple[str, list[str]]]) -> None:
    for lowercase in (False, True):
        theirs = sacrebleu.BLEU(lowercase=lowercase, effective_order=True)
        found = bleu.bleu_statistics(*map(list, zip(*rows, strict=True)), lowercase=lowercase)
        for counts, (output, references) in zip(found, rows, strict=True):
            score = theirs.sentence_score(output, references)
            expected = [score.sys_len, score.ref_len, *score.counts, *score.totals]
            assert counts.tolist() == expected


def test_many_pairs_are_counted_as_one_by_one() -> None:
    """More than are sorted at once, with more references than a few bits hold."""
    some = [f"a b c {i} d a b" for i in range(50)]
    outputs = [some[i % 50] for i in range(5_000)]
    references = [[some[(3 * i + j) % 50] for j in range(1 + i % 20)] for i in range(5_000)]
    found = bleu.bleu_statistics(outputs, references)
    for i in range(0, 5_000, 271):
        assert np.array_equal(
            found[i : i + 1], bleu.bleu_statistics(*([x[i]] for x in (outputs, references)))
        )


def test_sentence_bleu_by_hand() -> None:
    # 3 of 4 words; bigrams 2+1 of 3+1, trigrams 1+1 of 2+1, 4-grams 0+1 of 1+1; no brevity penalty
    expected = 100 * (3 / 4 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert bleu.sentence_bleu("A b c d", ["a b c e"]) == pytest.approx(expected)


def test_identical_and_disjoint() -> None:
    assert bleu.self_bleu(["the cat"], ["The cat"])[0] == pytest.approx(100)
    assert bleu.sentence_bleu("x y", ["a b"]) == bleu.sentence_bleu("", ["a"]) == 0.0
    assert corpus_bleu(["x"], [["a"]]) == 0.0


def test_ibleu_is_the_papers_copy_row() -> None:
    assert float(ibleu(44.4, 100)) == pytest.approx(1.08)
    assert float(ibleu(23.3, 100)) == pytest.approx(-13.69)


def test_bert_ibleu() -> None:
    by_hand = 1 / ((4 / 0.8 + 1 / 0.5) / 5)
    values = bert_ibleu([0.8, 1.0, 0.0, -0.1, np.nan], [0.5, 1.0, 0.0, 0.0, 0.5])
    assert values[0] == pytest.approx(by_hand)
    assert values[1:4].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(values[4])


def test_a_copy_scores_zero_through_sacrebleu() -> None:
    own = bleu.self_bleu(["the cat sat on the mat ."], ["the cat sat on the mat ."]) / 100
    assert bert_ibleu([1.0], own)[0] == 0.0


def test_cosine() -> None:
    a = np.array([[1.0, 0.0], [0.0, 0.0]])
    values = cosine(a, np.array([[1.0, 1.0], [1.0, 0.0]]))
    assert values[0] == pytest.approx(0.5**0.5)
    assert np.isnan(values[1])


def test_signatures_name_the_variant() -> None:
    assert bleu.bleu_signature("sentence", 7).startswith("bleu_sentence|n:7|case:lc|tok:13a")
    assert "smooth:exp" in bleu.bleu_signature("corpus", 7)
