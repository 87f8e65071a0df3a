"""Scores of predictions: each metric of the registry with n, a signature and an interval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from impossible.data.json_lines import read_predictions
from impossible.data.progress import bar
from impossible.data.schemas import SIMILARITIES
from impossible.evaluation.bootstrap import Bootstrap, Floats
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric import Written
from impossible.evaluation.metric_rows import Encoder, MetricRows, as_report
from impossible.evaluation.metrics import PARAPHRASE
from impossible.text.ibleu import cosine


def with_similarities(
    frame: pd.DataFrame, encoder: Encoder | None, references: bool = False
) -> pd.DataFrame:
    """PREDICTIONS with what an encoder says of them, so that scores need no model any more.

    With `references` also the similarity to these, which summaries are scored by. The new columns
    are `encoder` (see `encoder_names`) and `schemas.SIMILARITIES`; without an encoder all is null.
    An empty output is similar to nothing: 0, also to references where there are any.
    """
    if encoder is None:
        return frame.assign(encoder=None, **dict.fromkeys(SIMILARITIES, np.nan))
    scores = {name: np.zeros(len(frame)) for name in SIMILARITIES}
    known = frame["references"].str.len() > 0 if references else np.zeros(len(frame), dtype=bool)
    scores["bert_score_references"][~np.asarray(known, dtype=bool)] = np.nan
    full = np.array([bool(output.strip()) for output in frame["output"]], dtype=bool)
    if full.any():
        answered = frame[full]
        outputs, sources = answered["output"].tolist(), answered["source"].tolist()
        scores["bert_score"][full] = encoder.bert_score(outputs, sources)
        scores["cosine"][full] = cosines(encoder, sources, outputs)
        if references:
            texts = [list(each) for each in answered["references"]]
            scores["bert_score_references"][full] = _best(encoder, outputs, texts)
    read = [frame["source"], frame["output"], *([frame["references"]] if references else [])]
    return frame.assign(encoder=encoder_names(encoder, *read), **scores)


def _best(encoder: Encoder, outputs: list[str], references: list[list[str]]) -> Floats:
    """BERTScore of each output and the reference most similar to it; NaN without a reference."""
    owners = np.repeat(np.arange(len(outputs)), [len(texts) for texts in references])
    best = np.full(len(outputs), np.nan)
    if len(owners):
        texts = [text for texts in references for text in texts]
        scores = encoder.bert_score([outputs[i] for i in owners], texts)
        np.fmax.at(best, owners, np.asarray(scores, dtype=np.float64))
    return best


def score_predictions(
    frame: pd.DataFrame,
    encoder: Encoder | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    metrics: Iterable[str] = PARAPHRASE,
    judge: Judge | None = None,
    **limits: float,
) -> pd.DataFrame:
    """METRIC_ROWS, by system and metric, of PREDICTIONS of one or more systems (paper §4, Table 2).

    Args:
        encoder: for metrics of similarity; None: these come from the columns of
            `with_similarities`, and are null where it did not run.
        metrics: names in `metrics.METRICS`.
        judge: for judged metrics; None: they are null.
        limits: `rouge_l_max` and `longest` of `metric.Written`.
    """
    if encoder is not None or "encoder" not in frame:
        frame = with_similarities(frame, encoder)
    parts = [MetricRows("", None).frame()]
    for system, group in frame.groupby("system", sort=False):
        rows = MetricRows(str(system), group["item"].to_numpy(), bootstrap)
        texts = Written(group, judge or Judge(), **limits)
        for name in metrics:
            rows.score(name, texts)
        parts.append(rows.frame())
    return pd.concat(parts[1:] or parts, ignore_index=True)


def encoder_names(encoder: Any, *columns: Iterable[Any]) -> list[str]:
    """For each row first digits of the encoder's digest, and whether it read a text in part only.

    `columns` are what it reads, a text or a list of texts in each row; an encoder that is not of
    `models.sentence_encoder` reads whole texts.
    """
    name = str(getattr(getattr(encoder, "lm", None), "digest", type(encoder).__name__))[:12]
    rows = [[t for each in row for t in ([each] if isinstance(each, str) else each)]
            for row in zip(*columns, strict=True)]  # fmt: skip
    if not hasattr(encoder, "longer"):
        return [name] * len(rows)
    texts = list(dict.fromkeys(text for row in rows for text in row))
    cut = {text for text, long in zip(texts, encoder.longer(texts), strict=True) if long}
    mark = f"{name} on the first {encoder.longest} tokens" if cut else name
    return [name if cut.isdisjoint(row) else mark for row in rows]


def cosines(encoder: Encoder, a: list[str], b: list[str]) -> Floats:
    """Cosine of the sentences' embeddings, pair by pair."""
    return cosine(np.asarray(encoder.embed(a)), np.asarray(encoder.embed(b)))


def score_file(
    lines: Iterable[str],
    name: str,
    encoder: Encoder | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> dict[str, Any]:
    """Score JSON lines ``{"source", "output", "references": […]}`` (command ``impossible score``).

    Returns:
        ``{"file", "n", "confidence", "samples", "seed", "scores": {metric: {"value", "low", "high",
        "n", "signature"}}}``; a missing value is None and has "reason" instead of a signature.

    Raises:
        DataError: naming the file and the line of the first bad one.
    """
    frame = read_predictions(bar(lines, desc="lines", delay=1), name)
    metrics = bar(PARAPHRASE, desc="metrics", delay=1)
    rows = score_predictions(frame, encoder, bootstrap, metrics)
    return as_report(rows, name, len(frame), bootstrap)
