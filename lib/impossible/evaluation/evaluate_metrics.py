"""The registry of metrics for the library `evaluate`, which loads this file by its path, offline.

Example:
    >>> import evaluate
    >>> metric = evaluate.load(__file__, "rouge_l", keep_in_memory=True)
    >>> metric.compute(predictions=["a b c d"], references=[["a b c e"]])["rouge_l"]
    75.0
"""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
import pandas as pd

from impossible.evaluation.metric import Written
from impossible.evaluation.metrics import CORPUS_METRICS, ENCODED, JUDGED, METRICS
from impossible.evaluation.paraphrase_metrics import with_similarities

_TEXT = datasets.Value("string")
_NAMES = [name for name in METRICS if name not in JUDGED]


class ImpossibleMetric(evaluate.Metric):  # type: ignore[misc]
    """One metric of the registry; its name is the configuration."""

    def _info(self) -> evaluate.MetricInfo:
        columns = {"predictions": _TEXT}
        if self.config_name in METRICS:
            columns |= _columns(self.config_name)
        elif self.config_name not in CORPUS_METRICS:
            known = ", ".join([*_NAMES, *CORPUS_METRICS])
            raise ValueError(f"There is no metric {self.config_name!r}: give one of {known}.")
        return evaluate.MetricInfo(
            description=f"{self.config_name} of Impossible Distillation",
            citation="Jung et al., Impossible Distillation, NAACL 2024 (section 4)",
            inputs_description=", ".join(columns),
            features=datasets.Features(columns),
        )

    def _compute(self, predictions: list[str], encoder: Any = None, **given: Any) -> dict[str, Any]:
        """`encoder`: a `models.sentence_encoder.SentenceEncoder`, for the metrics that need one."""
        name, n = self.config_name, len(predictions)
        if name in CORPUS_METRICS:
            return {name: CORPUS_METRICS[name](predictions)}
        frame = pd.DataFrame({"output": predictions})
        frame["source"] = given.get("sources", [""] * n)
        frame["references"] = given.get("references", [[]] * n)
        if name in ENCODED:
            frame = with_similarities(frame, encoder, references=name.endswith("references"))
        texts = Written(frame)
        return {name: METRICS[name].score(texts), "signature": METRICS[name].signature(name, n)}


def _columns(name: str) -> dict[str, Any]:
    """The columns that a metric reads besides the predictions."""
    references = METRICS[name].lacks.startswith("no references") or name.endswith("references")
    sources = not references or name.startswith("ibleu")
    columns = {"sources": _TEXT} if sources else {}
    return columns | ({"references": datasets.Sequence(_TEXT)} if references else {})
