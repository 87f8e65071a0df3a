"""Quality of corpora of pairs: the columns of the paper's Table 1, lengths and likeness.

A value that cannot be computed (no encoder, no parser, too little text) is null with the reason,
and never counts as zero. Nothing is rounded. Likeness is times 100, as in the paper's tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.data.human_datasets import read_pairs, take
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_mean, half_samples
from impossible.evaluation.metric_rows import Encoder, MetricRows, as_report
from impossible.evaluation.metrics import NO_ENCODER, word_ratio
from impossible.evaluation.paraphrase_metrics import cosines, encoder_name
from impossible.text import bleu, lexical_diversity
from impossible.text.rouge import jaccard, rouge_l
from impossible.text.sentence_boundaries import words
from impossible.text.signature import signature
from impossible.text.tree_edit_distance import ted, top_layers

__all__ = ["corpus_quality", "quality_file"]

Parser = Callable[[str], str | None]
NO_PARSER = "no constituency parser was given"


def corpus_quality(
    pairs: pd.DataFrame,
    system: str = "",
    encoder: Encoder | None = None,
    parser: Parser | None = None,
    n: int | None = None,
    bootstrap: Bootstrap = Bootstrap(),
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
        bootstrap: of the intervals: bootstrap over contexts for means,
            `half_samples` for entropies, bootstrap over segments for MSTTR.

    Returns:
        `records.METRIC_ROWS`: cosine, h2, h3 (bits), msttr, jaccard, ted_3, ted_f, self_bleu,
        rouge_l, length_ratio, words_source, words_target. Entropy and MSTTR are over all sources
        followed by all targets.
    """
    frame = take(pairs, n, bootstrap.seed)
    origin = str(frame["origin"].iloc[0]) if "origin" in frame and len(frame) else "corpus"
    clusters = frame["context_id"].to_numpy() if "context_id" in frame else np.arange(len(frame))
    rows = MetricRows(system or origin, clusters, bootstrap)
    sources, targets = frame["source"].tolist(), frame["target"].tolist()
    if encoder is None:
        rows.missing("cosine", NO_ENCODER)
    else:
        rows.mean("cosine", 100 * cosines(encoder, sources, targets), encoder=encoder_name(encoder))
    _lexical(rows, sources, targets)
    _syntactic(rows, sources, targets, parser)
    _overlap(rows, sources, targets)
    return rows.frame()


def _lexical(rows: MetricRows, sources: list[str], targets: list[str]) -> None:
    """H2, H3, MSTTR over all sentences, Jaccard over pairs."""
    sentences = [*sources, *targets]
    for name, order in (("h2", 2), ("h3", 3)):
        ids, owners = lexical_diversity.ngram_ids(sentences, order)
        pair = owners % max(1, len(sources))

        def entropy(mask: NDArray[np.bool_], ids: Any = ids, pair: Any = pair) -> float:
            return lexical_diversity.entropy_bits(ids[mask[pair]])

        interval = half_samples(entropy, rows.clusters, rows.bootstrap)
        rows.add(name, interval, signature(name, n=interval.n, unit="bits", text="both"))
    ratios = 100 * lexical_diversity.segment_ratios(sentences)
    interval = bootstrap_mean(ratios, None, rows.bootstrap)
    length = lexical_diversity.MSTTR_SEGMENT
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


def _overlap(rows: MetricRows, sources: list[str], targets: list[str]) -> None:
    rows.mean("self_bleu", bleu.self_bleu(sources, targets), bleu="sentence", smooth="add-k[1.00]")
    alike = [rouge_l(x, y) for x, y in zip(sources, targets, strict=True)]
    rows.mean("rouge_l", 100 * np.array(alike), tok="rouge-score", stem="no")
    ratios = [word_ratio(x, y) for x, y in zip(sources, targets, strict=True)]
    rows.mean("length_ratio", ratios, unit="words")
    rows.mean("words_source", [len(words(text)) for text in sources], tok="words")
    rows.mean("words_target", [len(words(text)) for text in targets], tok="words")


def quality_file(
    lines: Iterable[str],
    name: str,
    encoder: Encoder | None = None,
    parser: Parser | None = None,
    n: int | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> dict[str, Any]:
    """Quality of JSON lines ``{"source", "target"}`` (command ``impossible quality``).

    Returns and raises as `score_file`; metrics as `corpus_quality`.
    """
    frame = read_pairs(lines, name)
    rows = corpus_quality(frame, name, encoder, parser, n, bootstrap)
    size = len(frame) if n is None else min(n, len(frame))
    return as_report(rows, name, size, bootstrap)
