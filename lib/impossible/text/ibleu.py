"""Metrics that weigh a reference's similarity against the source's (paper section 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ibleu(
    bleu_reference: ArrayLike, bleu_source: ArrayLike, alpha: float = 0.7
) -> NDArray[np.float64]:
    """iBLEU = alpha · BLEU(y, references) − (1 − alpha) · BLEU(y, x) (Sun and Zhou 2012).

    The weight 0.7 follows from the paper's Copy-Input rows: 0.7·44.4 − 30 = 1.1.

    >>> round(float(ibleu(44.4, 100.0)), 2)
    1.08
    """
    return np.asarray(alpha * np.asarray(bleu_reference) - (1 - alpha) * np.asarray(bleu_source))


def bert_ibleu(bertscore: ArrayLike, selfbleu: ArrayLike, beta: float = 4.0) -> NDArray[np.float64]:
    """BERT-iBLEU in [0, 1]: harmonic mean of BERTScore and 1 - self-BLEU (Niu et al. 2021).

    ((beta / BERTScore + 1 / (1 - selfBLEU)) / (beta + 1))⁻¹, with self-BLEU in [0, 1] and their
    beta of 4. Where a term of the mean is 0 the mean is 0 by continuity: for a copy of the source,
    as in the paper's Copy-Input row, and for an output with no similarity at all (BERTScore ≤ 0,
    for example an empty one).

    >>> bert_ibleu([0.9, 1.0], [0.25, 1.0]).round(4).tolist()
    [0.8654, 0.0]
    """
    meaning, novelty = np.asarray(bertscore, dtype=float), 1 - np.asarray(selfbleu, dtype=float)
    defined = (meaning > 0) & (novelty > 1e-9)  # sacrebleu's 100 is not exact to the last bit
    mean = (beta + 1) / (beta / np.where(defined, meaning, 1) + 1 / np.where(defined, novelty, 1))
    missing = np.isnan(meaning) | np.isnan(novelty)
    return np.asarray(np.where(missing, np.nan, np.where(defined, mean, 0.0)))


def cosine(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cosine of the rows of two matrices of shape (n, d), shape (n,); NaN for a zero row."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((a * b).sum(axis=1) / np.where(norms > 0, norms, np.nan))
