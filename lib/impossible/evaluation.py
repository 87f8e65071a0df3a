"""Scores of predictions and quality of corpora, each value with n, a signature and an interval.

A value that cannot be computed (no encoder, no parser, too little text) is null with the reason,
and never counts as zero. Nothing is rounded. Likeness is times 100, as in the paper's tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.datasets import read_pairs, read_predictions, take
from impossible.metric_rows import Encoder, MetricRows, as_report
from impossible.statistics import bootstrap_mean, half_samples
from impossible.text import bleu, diversity
from impossible.text.overlap import jaccard, rouge_l
from impossible.text.sentences import words
from impossible.text.signature import signature
from impossible.text.similarity import bert_ibleu, cosine, ibleu
from impossible.trees import ted, top_layers

__all__ = ["corpus_quality", "quality_file", "score_file", "score_predictions"]

Floats = NDArray[np.float64]
Parser = Callable[[str], str | None]
NO_ENCODER = "no sentence encoder was given"
NO_PARSER = "no constituency parser was given"


def score_predictions(
    frame: pd.DataFrame,
    encoder: Encoder | None = None,
    confidence: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score systems' outputs against references and sources (paper section 4, Table 2).

    Args:
        frame: `records.PREDICTIONS`; several systems may be in it.
        encoder: for BERT-iBLEU and cosine; None: these are null.
        confidence, samples, seed: of the bootstrap over items.

    Returns:
        `records.METRIC_ROWS`: per system bleu (sentence variant), bleu_corpus, ibleu, ibleu_corpus,
        rouge_l (best reference), rouge_l_source, self_bleu (output against source), bert_ibleu,
        bert_score and cosine (output and source), length_ratio (output / source, in words).
    """
    parts = []
    for system, group in frame.groupby("system", sort=False):
        rows = MetricRows(str(system), group["item"].to_numpy(), confidence, samples, seed)
        sources, outputs = group["source"].tolist(), group["output"].tolist()
        references = [list(texts) for texts in group["references"]]
        own = _score_words(rows, sources, outputs, references)
        _score_meaning(rows, sources, outputs, own, encoder)
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True) if parts else MetricRows("", None, 0, 0, 0).frame()


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
    rows.mean("length_ratio", _length_ratio(sources, outputs), unit="words")
    return own


def _ibleu_of_sums(sums: Floats) -> Floats:
    half = sums.shape[-1] // 2
    return ibleu(bleu.bleu_from_sums(sums[..., :half]), bleu.bleu_from_sums(sums[..., half:]))


def _score_meaning(
    rows: MetricRows, sources: list[str], outputs: list[str], own: Floats, encoder: Encoder | None
) -> None:
    """BERT-iBLEU, BERTScore and cosine of output and source."""
    if encoder is None:
        for metric in ("bert_ibleu", "bert_score", "cosine"):
            rows.missing(metric, NO_ENCODER)
        return
    said = np.array([bool(output.strip()) for output in outputs])
    score, likeness = np.zeros(len(said)), np.zeros(len(said))  # an empty output means nothing
    if said.any():
        ys = [output for output, full in zip(outputs, said, strict=True) if full]
        xs = [source for source, full in zip(sources, said, strict=True) if full]
        score[said], likeness[said] = encoder.bert_score(ys, xs), _cosine(encoder, xs, ys)
    combined = bert_ibleu(score, own / 100)
    rows.mean("bert_ibleu", 100 * combined, beta=4, **_named(encoder), of="output,source")
    rows.mean("bert_score", 100 * score, **_named(encoder), of="output,source")
    rows.mean("cosine", 100 * likeness, **_named(encoder))


def _named(encoder: Encoder) -> dict[str, str]:
    digest = getattr(getattr(encoder, "lm", None), "digest", type(encoder).__name__)
    return {"encoder": str(digest)[:12]}


def _cosine(encoder: Encoder, a: list[str], b: list[str]) -> Floats:
    return cosine(np.asarray(encoder.embed(a)), np.asarray(encoder.embed(b)))


def _length_ratio(sources: Sequence[str], targets: Sequence[str]) -> Floats:
    before = np.array([len(words(text)) for text in sources], dtype=float)
    after = np.array([len(words(text)) for text in targets], dtype=float)
    return np.asarray(after / np.where(before > 0, before, np.nan))


def corpus_quality(
    pairs: pd.DataFrame,
    system: str = "",
    encoder: Encoder | None = None,
    parser: Parser | None = None,
    n: int | None = None,
    confidence: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Quality of a corpus of pairs: the columns of the paper's Table 1, and lengths and likeness.

    Args:
        pairs: columns source and target; context_id, if there, names pairs that are not
            independent (intervals resample contexts).
        system: name in the result; default the `origin` column's, else "corpus".
        encoder: for cosine; without one it is null.
        parser: for TED-3 and TED-F, from a sentence to a bracketed tree or None; pairs of which one
            does not parse are missing there. Without a parser both are null.
        n: draw n pairs by `seed` first. Entropies grow with n: compare corpora at equal n only.
        confidence, samples, seed: of the intervals: bootstrap over contexts for means,
            `half_samples` for entropies, bootstrap over segments for MSTTR.

    Returns:
        `records.METRIC_ROWS`: cosine, h2, h3 (bits), msttr, jaccard, ted_3, ted_f, self_bleu,
        rouge_l, length_ratio, words_source, words_target. Entropy and MSTTR are over all sources
        followed by all targets.
    """
    frame = take(pairs, n, seed)
    origin = str(frame["origin"].iloc[0]) if "origin" in frame and len(frame) else "corpus"
    clusters = frame["context_id"].to_numpy() if "context_id" in frame else np.arange(len(frame))
    rows = MetricRows(system or origin, clusters, confidence, samples, seed)
    sources, targets = frame["source"].tolist(), frame["target"].tolist()
    if encoder is None:
        rows.missing("cosine", NO_ENCODER)
    else:
        rows.mean("cosine", 100 * _cosine(encoder, sources, targets), **_named(encoder))
    _lexical(rows, sources, targets)
    _syntactic(rows, sources, targets, parser)
    _likeness(rows, sources, targets)
    return rows.frame()


def _lexical(rows: MetricRows, sources: list[str], targets: list[str]) -> None:
    """H2, H3, MSTTR over all sentences, Jaccard over pairs."""
    sentences = [*sources, *targets]
    for name, order in (("h2", 2), ("h3", 3)):
        ids, owners = diversity.ngram_ids(sentences, order)
        pair = owners % max(1, len(sources))

        def entropy(mask: NDArray[np.bool_], ids: Any = ids, pair: Any = pair) -> float:
            return diversity.entropy_bits(ids[mask[pair]])

        count = min(200, rows.samples)
        interval = half_samples(entropy, rows.clusters, count, rows.confidence, rng=rows.seed)
        rows.add(name, interval, signature(name, n=interval.n, unit="bits", text="both"))
    ratios = 100 * diversity.segment_ratios(sentences)
    interval = bootstrap_mean(ratios, None, rows.samples, rows.confidence, rng=rows.seed)
    length = diversity.MSTTR_SEGMENT
    text = signature("msttr", n=interval.n, unit=f"segments of {length} words", text="both")
    rows.add("msttr", interval, text if len(ratios) else f"fewer than {length} words")
    values = [jaccard(x, y) for x, y in zip(sources, targets, strict=True)]
    rows.mean("jaccard", 100 * np.array(values), tok="words")


def _syntactic(rows: MetricRows, xs: list[str], ys: list[str], parser: Parser | None) -> None:
    """TED of whole trees and of their top 3 layers, words removed; null without a parser."""
    if parser is None:
        for metric in ("ted_3", "ted_f"):
            rows.missing(metric, NO_PARSER)
        return
    trees = {text: parser(text) for text in dict.fromkeys([*xs, *ys])}
    full, top = np.full(len(xs), np.nan), np.full(len(xs), np.nan)
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        a, b = trees[x], trees[y]
        if a is not None and b is not None:
            full[i], top[i] = ted(a, b), ted(top_layers(a), top_layers(b))
    if np.isnan(full).all():
        for metric in ("ted_3", "ted_f"):
            rows.missing(metric, "no pair parses")
        return
    rows.mean("ted_3", top, words="no", layers=3)
    rows.mean("ted_f", full, words="no", layers="all")


def _likeness(rows: MetricRows, sources: list[str], targets: list[str]) -> None:
    rows.mean("self_bleu", bleu.self_bleu(sources, targets), bleu="sentence", smooth="add-k[1.00]")
    alike = [rouge_l(x, y) for x, y in zip(sources, targets, strict=True)]
    rows.mean("rouge_l", 100 * np.array(alike), tok="rouge-score", stem="no")
    rows.mean("length_ratio", _length_ratio(sources, targets), unit="words")
    rows.mean("words_source", [len(words(text)) for text in sources], tok="words")
    rows.mean("words_target", [len(words(text)) for text in targets], tok="words")


def score_file(
    lines: Iterable[str],
    name: str,
    encoder: Encoder | None = None,
    confidence: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Score JSON lines ``{"source", "output", "references": […]}`` (command ``impossible score``).

    Returns:
        ``{"file", "n", "confidence", "samples", "seed", "scores": {metric: {"value", "low", "high",
        "n", "signature"}}}``; a missing value is None and has "reason" instead of a signature.

    Raises:
        DataError: naming the file and the line of the first bad one.
    """
    frame = read_predictions(lines, name)
    rows = score_predictions(frame, encoder, confidence, samples, seed)
    return as_report(rows, name, len(frame), confidence, samples, seed)


def quality_file(
    lines: Iterable[str],
    name: str,
    encoder: Encoder | None = None,
    parser: Parser | None = None,
    n: int | None = None,
    confidence: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Quality of JSON lines ``{"source", "target"}`` (command ``impossible quality``).

    Returns and raises as `score_file`; metrics as `corpus_quality`.
    """
    frame = read_pairs(lines, name)
    rows = corpus_quality(frame, name, encoder, parser, n, confidence, samples, seed)
    size = len(frame) if n is None else min(n, len(frame))
    return as_report(rows, name, size, confidence, samples, seed)
