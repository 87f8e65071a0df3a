"""Quality of corpora of pairs: the columns of the paper's Table 1, similarity, lengths, fidelity.

A value that cannot be computed (no encoder, no parser, a silent judge, too little text) is null
with the reason, and never counts as zero. Nothing is rounded. Entropies grow with the number of
pairs: compare corpora at equal n only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.data.human_datasets import take
from impossible.evaluation.bootstrap import (
    Bootstrap,
    Interval,
    bootstrap_contrast,
    bootstrap_mean,
    half_samples,
    independent_difference,
)
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric import Written
from impossible.evaluation.metric_rows import Encoder, MetricRows, as_report
from impossible.evaluation.metrics import METRICS
from impossible.evaluation.paraphrase_metrics import cosines, encoder_names
from impossible.filtering.constituency_parser import Trees
from impossible.text import lexical_diversity
from impossible.text.bleu import self_bleu
from impossible.text.rouge import jaccard, jaccards
from impossible.text.sentence_boundaries import words
from impossible.text.signature import signature
from impossible.text.tree_edit_distance import ted, top_layers

#: Metrics of the registry that are means over pairs, with the target as output.
OF_PAIRS = ("self_bleu", "rouge_l_source", "length_ratio", "compression", "novelty")
CORPUS_TITLES = {
    "h2": "H2, bits ↑", "h3": "H3, bits ↑", "msttr": "MSTTR ↑", "jaccard": "Jaccard ↓",
    "ted_3": "TED-3 ↑", "ted_f": "TED-F ↑", "words_source": "words per source",
    "words_target": "words per target",
} | {name: METRICS[name].title for name in ("cosine", *OF_PAIRS, "fidelity")}  # fmt: skip


def corpus_quality(
    pairs: pd.DataFrame,
    system: str = "",
    encoder: Encoder | None = None,
    parser: Trees | None = None,
    n: int | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    judge: Judge | None = None,
) -> pd.DataFrame:
    """Every measure of a corpus of pairs (source, target).

    Intervals: bootstrap over contexts (`context_id`, if there) for means, `half_samples` for
    entropies, bootstrap over segments for MSTTR.

    Args:
        system: name in the result; default the `origin` column's, else "corpus".
        encoder: for cosine; without one it is null.
        parser: for TED-3 and TED-F; pairs of which one does not parse are missing there.
        n: draw n pairs by the seed first.
        judge: for fidelity; without one it has no row.

    Returns:
        `schemas.METRIC_ROWS` of h2, h3 (bits) and msttr over all sources followed by all targets;
        cosine, jaccard, ted_3, ted_f, `OF_PAIRS`, words_source, words_target, fidelity.
    """
    frame = take(pairs, n, bootstrap.seed)
    origin = str(frame["origin"].iloc[0]) if "origin" in frame and len(frame) else "corpus"
    clusters = frame["context_id"].to_numpy() if "context_id" in frame else np.arange(len(frame))
    rows = MetricRows(system or origin, clusters, bootstrap)
    sources, targets = frame["source"].tolist(), frame["target"].tolist()
    scored = frame.assign(output=frame["target"])
    if encoder is not None:
        similar = cosines(encoder, sources, targets)
        names = encoder_names(encoder, sources, targets)
        scored = scored.assign(encoder=names, cosine=similar)
    texts = Written(scored, judge or Judge())
    rows.score("cosine", texts)
    _lexical(rows, [*sources, *targets])
    rows.mean("jaccard", 100 * texts.each(jaccard), tok="words")
    _syntactic(rows, texts, parser)
    for metric in OF_PAIRS:
        rows.score(metric, texts)
    rows.mean("words_source", [len(words(text)) for text in sources], tok="words")
    rows.mean("words_target", [len(words(text)) for text in targets], tok="words")
    if judge is not None:
        rows.score("fidelity", texts)
    return rows.frame()


def _lexical(rows: MetricRows, sentences: list[str]) -> None:
    """H2, H3 and MSTTR over all sentences."""
    for name, order in (("h2", 2), ("h3", 3)):
        ids, owners = lexical_diversity.ngram_ids(sentences, order)
        pair = owners % max(1, len(sentences) // 2)
        interval = half_samples(partial(_entropy, ids, pair), rows.clusters, rows.bootstrap)
        text = signature(name, n=interval.n, unit="bits", text="both")
        rows.add(name, interval, text if len(ids) else f"no sentence has {order} words")
    ratios = 100 * lexical_diversity.segment_ratios(sentences)
    interval = bootstrap_mean(ratios, None, rows.bootstrap)
    length = lexical_diversity.MSTTR_SEGMENT
    text = signature("msttr", n=interval.n, unit=f"segments of {length} words", text="both")
    rows.add("msttr", interval, text if len(ratios) else f"fewer than {length} words")


def _entropy(ids: NDArray[Any], pair: NDArray[Any], mask: NDArray[np.bool_]) -> float:
    return lexical_diversity.entropy_bits(ids[mask[pair]])


def _syntactic(rows: MetricRows, texts: Written, parser: Trees | None) -> None:
    """TED of whole trees and of their top 3 layers, words removed; null without a parser."""
    parsed = parser or (lambda text: None)
    trees = {text: parsed(text) for text in dict.fromkeys([*texts.sources, *texts.outputs])}

    def distance(layers: Callable[[str], str]) -> NDArray[np.float64]:
        both = [(trees[x], trees[y]) for x, y in zip(texts.sources, texts.outputs, strict=True)]
        return np.array([ted(layers(a), layers(b)) if a and b else np.nan for a, b in both])

    for metric, layers, kept in (("ted_3", top_layers, 3), ("ted_f", str, "all")):
        values = distance(layers)
        if parser is None or np.isnan(values).all():
            rows.missing(metric, "no pair parses" if parser else "no parser was given")
        else:
            rows.mean(metric, values, words="no", layers=kept)


def quality_rows(
    corpora: Mapping[str, pd.DataFrame],
    n: int,
    encoder: Encoder | None = None,
    parser: Trees | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    judge: Judge | None = None,
) -> pd.DataFrame:
    """`corpus_quality` of each corpus at n pairs: METRIC_ROWS with the corpus as `system`."""
    parts = [
        corpus_quality(frame, name, encoder, parser, n, bootstrap, judge)
        for name, frame in corpora.items()
    ]
    return pd.concat(parts, ignore_index=True)


def corpus_gap(
    a: pd.DataFrame,
    b: pd.DataFrame,
    measure: Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]],
    bootstrap: Bootstrap = Bootstrap(),
) -> Interval:
    """Mean of a measure over the pairs of one corpus minus that over another's.

    Contexts that both have are drawn together. `measure` maps (sources, targets) to a value for
    each pair, NaN where it is missing.
    """
    ours, theirs = (measure(list(part["source"]), list(part["target"])) for part in (a, b))
    return bootstrap_contrast(ours, theirs, a["context_id"], b["context_id"], bootstrap)


def corpus_gaps(
    corpora: Mapping[str, pd.DataFrame],
    versus: Iterable[tuple[str, str]],
    n: int,
    judge: Judge,
    bootstrap: Bootstrap = Bootstrap(),
) -> dict[str, list[float]]:
    """Self-BLEU, Jaccard and fidelity of corpora minus those of others, at n pairs of each.

    Args:
        corpora: name → DATASET.
        versus: (corpus, other); a corpus against itself is one half of its pairs minus the other,
            which shows what chance does.
        n: pairs drawn by the bootstrap's seed.
        judge: says whether pairs mean the same.
        bootstrap: of intervals.

    Returns:
        "CORPUS − OTHER, METRIC" → value, low, high, in points.
    """
    measures = {"self_bleu": (self_bleu, 1.0), "jaccard": (jaccards, 100.0)}
    measures["fidelity"] = judge.equivalent, 100.0
    gaps = {}
    for ours, other in versus:
        a, b = (take(corpora[name], n, bootstrap.seed) for name in (ours, other))
        title = f"{ours} − {other}" if ours != other else "half − other half"
        if ours == other:
            a, b = a.iloc[: n // 2], a.iloc[n // 2 :]
        for metric, (measure, scale) in measures.items():
            gap = corpus_gap(a, b, measure, bootstrap)
            gaps[f"{title}, {metric}"] = [scale * bound for bound in gap.bounds]
    return gaps


def rivals_expected(
    gaps: Mapping[str, Sequence[float]], rows: pd.DataFrame, rivals: Iterable[str], n: int,
    judge: Judge,
) -> list[Expected]:  # fmt: skip
    """What notebook 10 expects of D_para and of its controls, with what was found.

    Args:
        gaps: of `corpus_gaps`, D_para minus each rival.
        rows: METRIC_ROWS of all corpora. Distances of trees are compared as if the corpora shared
            no sentence, which makes their intervals wider.
        rivals: corpora of the same sentences.
        n: pairs of each corpus.
        judge: of `gaps`.
    """
    titles = {"self_bleu": "Self-BLEU", "jaccard": "Jaccard"}
    true, alike, truer = f"equivalent ({judge.unaided('equivalence')})", [], []
    for rival in rivals:
        two = f"D_para − {rival}"
        found = {}
        for metric in (*titles, "fidelity"):
            value, low, high = gaps[f"{two}, {metric}"]
            found[metric] = Interval(value, low, high, 2 * n)
        alike += [Expected(f"{titles[m]}: {two}", found[m], under=0) for m in titles]
        ends = (interval_of(rows, name, "ted_f") for name in ("D_para", rival))
        alike.append(Expected(f"TED-F: {two}", independent_difference(*ends), over=0))
        truer.append(Expected(f"{true}, % points: {two}", found["fidelity"], over=0))
    gold, mixed = (
        interval_of(rows, name, "fidelity").value for name in ("gold", "shuffled D_para")
    )
    control = [
        Expected("equivalent in the gold corpus, %", gold, over=90),
        Expected("equivalent among shuffled pairs of D_para, %", mixed, under=10),
    ]
    return [*alike, *truer, *control]


def corpus_differences(
    rows: pd.DataFrame, versus: Iterable[tuple[str, str]], metrics: Sequence[str]
) -> pd.DataFrame:
    """One corpus minus another that shares no context, by `independent_difference`.

    METRIC_ROWS whose `system` is "CORPUS − OTHER".
    """
    found = {
        (row.system, row.metric): Interval(row.value, row.low, row.high, row.n)
        for row in rows.itertuples()
    }
    parts = []
    for ours, other in versus:
        part = MetricRows(f"{ours} − {other}", None)
        for metric in metrics:
            gap = independent_difference(found[ours, metric], found[other, metric])
            part.add(metric, gap, f"difference of {metric}")
        parts.append(part.frame())
    return pd.concat(parts, ignore_index=True)


def quality_report(
    pairs: pd.DataFrame,
    name: str,
    encoder: Encoder | None = None,
    parser: Trees | None = None,
    n: int | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> dict[str, Any]:
    """Quality of the pairs of `json_lines.read_pairs` (command ``impossible quality``).

    Returns as `score_file`; metrics as `corpus_quality`.
    """
    rows = corpus_quality(pairs, name, encoder, parser, n, bootstrap)
    return as_report(rows, name, len(pairs) if n is None else min(n, len(pairs)), bootstrap)
