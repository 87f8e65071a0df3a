"""Word overlap of two sentences: ROUGE-L (equal to the `rouge-score` package) and Jaccard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from impossible.text.sentence_boundaries import words


def rouge_tokens(text: str) -> list[str]:
    """Tokens of the `rouge-score` package without stemmer: lower-cased runs of a-z and 0-9."""
    return re.findall(r"[a-z0-9]+", text.lower())


def rouge_l(x: str, y: str) -> float:
    """ROUGE-L F1 of two sentences in [0, 1]; symmetric; 0 when either has no token.

    Equal to ``rouge_score.rouge_scorer.RougeScorer(["rougeL"])`` without stemmer (paper section 4;
    checked on MRPC, where Copy-Input gives the paper's 65.7).

    >>> round(rouge_l("the cat sat", "the cat ran off"), 4)
    0.5714
    """
    a, b = rouge_tokens(x), rouge_tokens(y)
    return 2 * LCSseq.similarity(a, b) / max(1, len(a) + len(b))


def rouge_l_matrix(sentences: Sequence[str]) -> NDArray[np.float64]:
    """ROUGE-L F1 of all pairs of n sentences, shape (n, n), symmetric.

    >>> rouge_l_matrix(["a b", "b a", "c"]).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    tokens = [rouge_tokens(sentence) for sentence in sentences]
    lengths = np.array([len(row) for row in tokens], dtype=np.int64)
    common = cdist(tokens, tokens, scorer=LCSseq.similarity, dtype=np.int64)
    return np.asarray(2 * common / np.maximum(lengths[:, None] + lengths, 1), dtype=np.float64)


def jaccard(x: str, y: str) -> float:
    """Jaccard similarity of the sets of words of two sentences in [0, 1] (Table 1).

    0 when both sentences have no word.

    >>> jaccard("The cat sat.", "the cat ran")
    0.5
    """
    a, b = set(words(x)), set(words(y))
    return len(a & b) / max(1, len(a | b))


def jaccards(xs: Iterable[str], ys: Iterable[str]) -> NDArray[np.float64]:
    """`jaccard` of each x and its y, shape (n,).

    >>> jaccards(["The cat sat."], ["the cat ran"])
    array([0.5])
    """
    return np.array([jaccard(x, y) for x, y in zip(xs, ys, strict=True)])
