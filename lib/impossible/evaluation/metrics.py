"""The package's metrics as `evaluate.Metric` classes: instantiated, not loaded, so no network.

Example:
    >>> from impossible.evaluation.metrics import RougeL
    >>> RougeL().compute(predictions=["a b c d"], references=[["a b c e"]])["rouge_l"]
    75.0
"""

from __future__ import annotations

from typing import Any, ClassVar

import datasets
import evaluate
import numpy as np

from impossible.evaluation.metric_rows import Encoder
from impossible.text import bleu, ibleu, lexical_diversity, rouge

__all__ = ["BertIBleu", "IBleu", "NgramDiversity", "RougeL", "SelfBleu", "SentenceBleu"]

_TEXT = datasets.Value("string")
_MANY = datasets.Sequence(_TEXT)
_PAPER = "Jung et al., Impossible Distillation, NAACL 2024 (section 4)"


class _Local(evaluate.Metric):  # type: ignore[misc]
    """A metric kept in memory: nothing is downloaded and no cache file is written."""

    columns: ClassVar[dict[str, Any]]
    about: str

    def __init__(self, **settings: Any) -> None:
        super().__init__(keep_in_memory=True, **settings)

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.about,
            citation=_PAPER,
            inputs_description=", ".join(self.columns),
            features=datasets.Features(self.columns),
        )


class RougeL(_Local):
    """Mean ROUGE-L F1 × 100 against the best reference, as `rouge-score` without stemmer."""

    columns: ClassVar[dict[str, Any]] = {"predictions": _TEXT, "references": _MANY}
    about = "ROUGE-L F1 x 100, best reference, no stemmer"

    def _compute(self, predictions: list[str], references: list[list[str]]) -> dict[str, float]:
        best = [
            max(rouge.rouge_l(output, reference) for reference in texts)
            for output, texts in zip(predictions, references, strict=True)
        ]
        return {"rouge_l": 100 * float(np.mean(best))}


class SentenceBleu(_Local):
    """Mean lower-cased, add-one smoothed sentence BLEU: the paper's variant."""

    columns: ClassVar[dict[str, Any]] = {"predictions": _TEXT, "references": _MANY}
    about = "mean sentence BLEU, lower-cased, add-one smoothing"

    def _compute(self, predictions: list[str], references: list[list[str]]) -> dict[str, Any]:
        value = bleu.sentence_bleu_mean(predictions, references)
        return {"bleu": value, "signature": bleu.bleu_signature("sentence", len(predictions))}


class IBleu(_Local):
    """iBLEU of outputs against references and sources."""

    columns: ClassVar[dict[str, Any]] = {
        "predictions": _TEXT,
        "references": _MANY,
        "sources": _TEXT,
    }
    about = "iBLEU = alpha BLEU(y, references) - (1 - alpha) BLEU(y, x)"

    def _compute(
        self,
        predictions: list[str],
        references: list[list[str]],
        sources: list[str],
        alpha: float = 0.7,
    ) -> dict[str, float]:
        reference = bleu.sentence_bleu_mean(predictions, references)
        source = bleu.sentence_bleu_mean(predictions, [[text] for text in sources])
        return {"ibleu": float(ibleu.ibleu(reference, source, alpha))}


class SelfBleu(_Local):
    """Mean sentence BLEU of outputs against their sources."""

    columns: ClassVar[dict[str, Any]] = {"predictions": _TEXT, "sources": _TEXT}
    about = "mean sentence BLEU of the output against its source"

    def _compute(self, predictions: list[str], sources: list[str]) -> dict[str, float]:
        return {"self_bleu": float(bleu.self_bleu(sources, predictions).mean())}


class BertIBleu(_Local):
    """BERT-iBLEU × 100; the encoder is given at construction."""

    columns: ClassVar[dict[str, Any]] = {"predictions": _TEXT, "sources": _TEXT}
    about = "BERT-iBLEU x 100 (Niu et al. 2021)"

    def __init__(self, encoder: Encoder, **settings: Any) -> None:
        self.encoder = encoder
        super().__init__(**settings)

    def _compute(
        self, predictions: list[str], sources: list[str], beta: float = 4.0
    ) -> dict[str, float]:
        meaning = self.encoder.bert_score(predictions, sources)
        own = bleu.self_bleu(sources, predictions) / 100
        return {"bert_ibleu": 100 * float(ibleu.bert_ibleu(meaning, own, beta).mean())}


class NgramDiversity(_Local):
    """H2 and H3 in bits and MSTTR × 100 of a set of sentences (NaN where there is too little)."""

    columns: ClassVar[dict[str, Any]] = {"predictions": _TEXT}
    about = "H2, H3 (bits) and MSTTR x 100"

    def _compute(self, predictions: list[str]) -> dict[str, float]:
        return {
            "h2": lexical_diversity.ngram_entropy(predictions, 2),
            "h3": lexical_diversity.ngram_entropy(predictions, 3),
            "msttr": 100 * lexical_diversity.msttr(predictions),
        }
