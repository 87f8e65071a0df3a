"""Scores of predictions, each value with n, a signature and an interval.

A value that cannot be computed (no encoder, no parser, too little text) is null with the reason,
and never counts as zero. Nothing is rounded. Likeness is times 100, as in the paper's tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.data.human_datasets import read_predictions
from impossible.data.schemas import LIKENESS
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.metric_rows import Encoder, MetricRows, as_report
from impossible.text import bleu
from impossible.text.ibleu import bert_ibleu, cosine, ibleu
from impossible.text.rouge import rouge_l
from impossible.text.sentence_boundaries import words

__all__ = ["score_file", "score_predictions", "with_likeness"]

Floats = NDArray[np.float64]
NO_ENCODER = "no sentence encoder was given"


def with_likeness(
    frame: pd.DataFrame, encoder: Encoder | None, references: bool = False
) -> pd.DataFrame:
    """Predictions with what an encoder says of them, so that scores need no model any more.

    Args:
        frame: `records.PREDICTIONS`.
        encoder: None: all is null.
        references: also the likeness to the references, which summaries are scored by.

    Returns:
        The frame with the columns `encoder` (the first digits of its digest) and
        `records.LIKENESS`. An empty output is like nothing: 0.
    """
    if encoder is None:
        return frame.assign(encoder=None, **dict.fromkeys(LIKENESS, np.nan))
    found = {name: np.zeros(len(frame)) for name in LIKENESS}
    if not references:
        found["bert_score_references"][:] = np.nan
    said = np.array([bool(output.strip()) for output in frame["output"]], dtype=bool)
    if said.any():
        full = frame[said]
        outputs, sources = full["output"].tolist(), full["source"].tolist()
        found["bert_score"][said] = encoder.bert_score(outputs, sources)
        found["cosine"][said] = likeness(encoder, sources, outputs)
        if references:
            wanted = [list(texts) for texts in full["references"]]
            found["bert_score_references"][said] = _best(encoder, outputs, wanted)
    return frame.assign(encoder=encoder_name(encoder), **found)


def _best(encoder: Encoder, outputs: list[str], references: list[list[str]]) -> Floats:
    """BERTScore of each output and the reference most like it; NaN without a reference."""
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
) -> pd.DataFrame:
    """Score systems' outputs against references and sources (paper section 4, Table 2).

    Args:
        frame: `records.PREDICTIONS`; several systems may be in it.
        encoder: for BERT-iBLEU and cosine; None: these come from the columns of `with_likeness`,
            and are null where it did not run.
        bootstrap: of the bootstrap over items.

    Returns:
        `records.METRIC_ROWS`: per system bleu (sentence variant), bleu_corpus, ibleu, ibleu_corpus,
        rouge_l (best reference), rouge_l_source, self_bleu (output against source), bert_ibleu,
        bert_score and cosine (output and source), length_ratio (output / source, in words).
    """
    if encoder is not None or "encoder" not in frame:
        frame = with_likeness(frame, encoder)
    parts = []
    for system, group in frame.groupby("system", sort=False):
        rows = MetricRows(str(system), group["item"].to_numpy(), bootstrap)
        sources, outputs = group["source"].tolist(), group["output"].tolist()
        references = [list(texts) for texts in group["references"]]
        own = _score_words(rows, sources, outputs, references)
        _score_meaning(rows, group, own)
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True) if parts else MetricRows("", None).frame()


def _score_words(
    rows: MetricRows, sources: list[str], outputs: list[str], references: list[list[str]]
) -> Floats:
    """BLEU, iBLEU, ROUGE-L, self-BLEU and length; returns each output's self-BLEU."""
    n = len(outputs)
    reference = np.array(
        [bleu.sentence_bleu(o, r) for o, r in zip(outputs, references, strict=True)]
    )
    own = bleu.self_bleu(sources, outputs)
    sentence, corpus = bleu.bleu_signature("sentence", n), bleu.bleu_signature("corpus", n)
    ones = np.ones(n)

    def mean(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0] / sums[..., 1])

    rows.sums("bleu", np.column_stack([reference, ones]), mean, sentence)
    columns = bleu.bleu_statistics(outputs, references)
    rows.sums("bleu_corpus", columns, bleu.bleu_from_sums, corpus)
    rows.sums(
        "ibleu", np.column_stack([ibleu(reference, own), ones]), mean, f"ibleu|alpha:0.7|{sentence}"
    )
    both = np.hstack([columns, bleu.bleu_statistics(outputs, [[s] for s in sources])])
    rows.sums("ibleu_corpus", both, _ibleu_of_sums, f"ibleu|alpha:0.7|{corpus}")
    best = [
        max(rouge_l(output, text) for text in texts)
        for output, texts in zip(outputs, references, strict=True)
    ]
    rows.mean("rouge_l", 100 * np.array(best), tok="rouge-score", stem="no", refs="best")
    alike = [rouge_l(o, s) for o, s in zip(outputs, sources, strict=True)]
    rows.mean("rouge_l_source", 100 * np.array(alike), tok="rouge-score", stem="no")
    rows.sums("self_bleu", np.column_stack([own, ones]), mean, f"self_bleu|{sentence}")
    rows.mean("length_ratio", length_ratio(sources, outputs), unit="words")
    return own


def _ibleu_of_sums(sums: Floats) -> Floats:
    half = sums.shape[-1] // 2
    return ibleu(bleu.bleu_from_sums(sums[..., :half]), bleu.bleu_from_sums(sums[..., half:]))


def _score_meaning(rows: MetricRows, group: pd.DataFrame, own: Floats) -> None:
    """BERT-iBLEU, BERTScore and cosine of output and source."""
    if group["encoder"].isna().any():
        for metric in ("bert_ibleu", "bert_score", "cosine"):
            rows.missing(metric, NO_ENCODER)
        return
    name = ", ".join(group["encoder"].unique())
    score = group["bert_score"].to_numpy(dtype=float)
    combined = bert_ibleu(score, own / 100)
    rows.mean("bert_ibleu", 100 * combined, beta=4, encoder=name, of="output,source")
    rows.mean("bert_score", 100 * score, encoder=name, of="output,source")
    rows.mean("cosine", 100 * group["cosine"].to_numpy(dtype=float), encoder=name)


def encoder_name(encoder: Encoder) -> str:
    """First digits of the encoder's digest."""
    digest = getattr(getattr(encoder, "lm", None), "digest", type(encoder).__name__)
    return str(digest)[:12]


def likeness(encoder: Encoder, a: list[str], b: list[str]) -> Floats:
    """Cosine of the sentences' embeddings, pair by pair."""
    return cosine(np.asarray(encoder.embed(a)), np.asarray(encoder.embed(b)))


def length_ratio(sources: Sequence[str], targets: Sequence[str]) -> Floats:
    """Words of each target per word of its source; NaN for a source without words."""
    before = np.array([len(words(text)) for text in sources], dtype=float)
    after = np.array([len(words(text)) for text in targets], dtype=float)
    return np.asarray(after / np.where(before > 0, before, np.nan))


def score_file(
    lines: Iterable[str],
    name: str,
    encoder: Encoder | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> dict[str, Any]:
    """Score JSON lines ``{"source", "output", "references": […]}`` (command ``impossible score``).

    Returns:
        ``{"file", "n", "samples", "confidence", "seed", "scores": {metric: {"value", "low", "high",
        "n", "signature"}}}``; a missing value is None and has "reason" instead of a signature.

    Raises:
        DataError: naming the file and the line of the first bad one.
    """
    frame = read_predictions(lines, name)
    rows = score_predictions(frame, encoder, bootstrap)
    return as_report(rows, name, len(frame), bootstrap)
