"""BLEU in the two variants of the paper's tables, and self-BLEU; all in [0, 100].

- *corpus*: sacreBLEU with its defaults, what a reader expects under "BLEU".
- *sentence*: the mean of lower-cased sentence BLEU with add-one smoothing of the 2- to 4-gram
  precisions (Lin and Och 2004). The paper does not state its variant; for Copy-Input on MRPC and
  ParaSCI this one gives 44.0 and 42.3 beside the paper's 44.4 and 42.8, the corpus variant 47.5 and
  45.8. It is the default wherever a BLEU enters another metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sacrebleu import __version__ as sacrebleu_version
from sacrebleu.metrics.bleu import BLEU

from impossible.text.signature import signature

__all__ = [
    "bleu_from_sums", "bleu_signature", "bleu_statistics", "corpus_bleu", "self_bleu",
    "sentence_bleu", "sentence_bleu_mean",
]  # fmt: skip

_ORDER = 4
# `effective_order` changes nothing here (smoothed totals are never zero) but sacrebleu asks for it.
_SENTENCE = BLEU(lowercase=True, smooth_method="add-k", smooth_value=1, effective_order=True)
_COUNTER = BLEU(effective_order=True)  # only its counts are read


def sentence_bleu(output: str, references: Sequence[str]) -> float:
    """Lower-cased, add-one smoothed BLEU of one sentence against its references, in [0, 100].

    0 when no word is shared. Equal to sacrebleu's with "add-k" smoothing of 1 in lower case.

    Example:
        >>> round(sentence_bleu("The cat sat.", ["the cat sat ."]), 6)
        100.0
    """
    return _sentence(output, tuple(references))


@lru_cache(maxsize=2**16)
def _sentence(output: str, references: tuple[str, ...]) -> float:
    return float(_SENTENCE.sentence_score(output, list(references)).score)


def sentence_bleu_mean(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Mean sentence BLEU: the variant nearest to the paper's tables (module docstring)."""
    return float(np.mean([sentence_bleu(o, r) for o, r in zip(outputs, references, strict=True)]))


def bleu_statistics(
    outputs: Sequence[str], references: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    """Sufficient statistics of corpus BLEU, one row per sentence, shape (n, 10).

    Columns: output length, reference length, then matches and totals of 1- to 4-grams. The corpus
    score depends only on their sum, so a bootstrap resamples rows instead of sentences.
    """
    rows = []
    for output, refs in zip(outputs, references, strict=True):
        score = _COUNTER.sentence_score(output, list(refs))
        rows.append([score.sys_len, score.ref_len, *score.counts, *score.totals])
    return np.array(rows, dtype=np.float64).reshape(-1, 2 + 2 * _ORDER)


def bleu_from_sums(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corpus BLEU in [0, 100] from summed `bleu_statistics`, shape (…, 10) → (…).

    Smoothing as in sacrebleu's default ("exp"): the k-th zero match count is replaced by 2^-k.
    """
    system, reference = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + _ORDER], sums[..., 2 + _ORDER :]
    zeros = np.cumsum(matches == 0, axis=-1)
    smoothed = np.where(matches == 0, 0.5**zeros, matches)
    logs = np.log(smoothed / np.maximum(totals, 1)).mean(axis=-1)
    brevity = np.minimum(0.0, 1 - reference / np.maximum(system, 1))
    defined = (totals > 0).all(axis=-1) & (matches > 0).any(axis=-1)
    return np.asarray(np.where(defined, 100 * np.exp(logs + brevity), 0.0), dtype=np.float64)


def corpus_bleu(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU in [0, 100], equal to ``sacrebleu.corpus_bleu``; any number of references each.

    Example:
        >>> round(corpus_bleu(["a b c d e"], [["a b c d f"]]), 2)
        66.87
    """
    return float(bleu_from_sums(bleu_statistics(outputs, references).sum(axis=0)))


def self_bleu(sources: Sequence[str], targets: Sequence[str]) -> NDArray[np.float64]:
    """Sentence BLEU of each target against its source, shape (n,), in [0, 100]; high = similar."""
    return np.array([sentence_bleu(y, [x]) for x, y in zip(sources, targets, strict=True)])


def bleu_signature(variant: str, n: int) -> str:
    """Signature of a BLEU score; `variant` is 'corpus' or 'sentence'."""
    case, smooth = ("mixed", "exp") if variant == "corpus" else ("lc", "add-k[1.00]")
    library = {"case": case, "tok": "13a", "smooth": smooth, "sacrebleu": sacrebleu_version}
    return signature(f"bleu_{variant}", n=n, **library)
