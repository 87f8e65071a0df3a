"""The paper's filters beside those of the authors' released code, one difference at a time.

The differences are read from their code: sentences are joined by the label of one direction and
the lowest reverse score stays; ROUGE is tested after that; the number check tests one direction
twice, so that numbers which only y has go unseen; contexts that do not fit into memory are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_mean
from impossible.evaluation.metric_rows import MetricRows
from impossible.filtering.diversity_filter import Entail, diversity_filter
from impossible.filtering.pair_scores import Critic, Parser, gate, score_pairs
from impossible.text.numbers import number_values
from impossible.text.rouge import rouge_l_matrix

__all__ = [
    "FILTERS",
    "SAMPLING",
    "WIDER",
    "by_label",
    "costly",
    "datasets",
    "let_through",
    "measured",
    "scored_more",
]

WIDER = 5  # contexts whose filters are compared, for each that is sampled anew: they cost less
SAMPLING: dict[str, Any] = {"sentence_temperature": 0.5, "no_repeat_ngram_size": 3}  # released code
LOST = 0.1  # share of the contexts, the dearest, that a lack of memory loses
LABEL = 0.5  # above it entailment is the first of all labels

#: Variants of the filters: name → what is as in the released code.
FILTERS: dict[str, frozenset[str]] = {
    "paper": frozenset(),
    "edges as released": frozenset({"edges"}),
    "dedup as released": frozenset({"edges", "choice"}),
    "ROUGE after dedup": frozenset({"rouge"}),
    "numbers one way": frozenset({"numbers"}),
    "costly contexts lost": frozenset({"memory"}),
    "all as released": frozenset({"edges", "choice", "rouge", "numbers", "memory"}),
}

Pair = tuple[str, str]


def let_through(sentences: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Ordered pairs that the released code shows its critic and the paper's gates do not.

    Args:
        sentences: SENTENCES; rows with a `reason` are left out.
        params: reads length_ratio_min, length_ratio_max, rouge_l_max.

    Returns:
        context_id, x, y, rouge_l: different strings with a length ratio in the limits, such that
        every number of x is in y; and ROUGE-L is above the limit or y has a number more.
    """
    parts = []
    good = sentences[sentences["reason"] == ""]
    for name, group in good.groupby("context_id", sort=False)["text"]:
        texts = sorted(set(group))
        values = [number_values(text) for text in texts]
        rouge = rouge_l_matrix(texts).astype(np.float32)
        lengths = np.array([len(text) for text in texts], dtype=float)
        ratio = (lengths[None, :] / lengths[:, None]).astype(np.float32)
        inside = (ratio >= np.float32(params.length_ratio_min)) & (
            ratio <= np.float32(params.length_ratio_max)
        )
        np.fill_diagonal(inside, False)
        told = np.array([[a <= b for b in values] for a in values], dtype=bool)
        same = np.array([[a == b for b in values] for a in values], dtype=bool)
        near = rouge > np.float32(params.rouge_l_max)
        first, second = np.nonzero(inside & told & (near | ~same))
        columns = {"x": [texts[i] for i in first], "y": [texts[j] for j in second]}
        parts.append(pd.DataFrame({"context_id": name, **columns, "rouge_l": rouge[first, second]}))
    return pd.concat(parts, ignore_index=True)


def scored_more(
    sentences: pd.DataFrame, critic: Critic, parser: Parser, params: Params
) -> pd.DataFrame:
    """The pairs of `let_through` with all their scores, as PAIRS."""
    more = let_through(sentences, params)
    found = score_pairs(
        more["x"].tolist(), more["y"].tolist(), critic, parser, params, more["rouge_l"].tolist()
    )
    return pd.concat([more[["context_id", "x", "y"]], found], axis=1)


def by_label(scored: pd.DataFrame, ask: Callable[[Sequence[Pair]], NDArray[np.float64]]) -> Entail:
    """Whether the critic's first label is entailment, from stored scores as far as they go.

    A probability above one half is the first label of all; below it another label may be ahead or
    not, and counts as ahead.

    Args:
        scored: PAIRS.
        ask: P(premise ⇒ hypothesis) of pairs that are not among them.

    Returns:
        A function of text pairs that gives 1.0 or 0.0, as `filters.diversity_filter` wants it.
    """
    known: dict[Pair, float] = {}
    for x, y, p_xy, p_yx in scored[["x", "y", "p_xy", "p_yx"]].itertuples(index=False):
        known |= {pair: p for pair, p in (((x, y), p_xy), ((y, x), p_yx)) if p == p}

    def entails(pairs: Sequence[Pair]) -> NDArray[np.float64]:
        fresh = list(dict.fromkeys(pair for pair in pairs if pair not in known))
        known.update(zip(fresh, ask(fresh) if fresh else [], strict=True))
        return np.array([known[pair] > LABEL for pair in pairs], dtype=np.float64)

    return entails


def costly(sentences: pd.DataFrame, share: float = LOST) -> set[str]:
    """The contexts that cost the critic most: those that a lack of memory loses first.

    A context costs what its ordered pairs of different sentences have in characters, (m - 1) times
    twice the length of its m sentences.

    Args:
        sentences: SENTENCES.
        share: of the contexts with accepted sentences, [0, 1].
    """
    good = sentences[sentences["reason"] == ""].drop_duplicates(["context_id", "text"])
    lengths = good["text"].str.len().groupby(good["context_id"])
    cost = 2 * (lengths.size() - 1) * lengths.sum()
    order = cost.sort_index().sort_values(ascending=False, kind="stable")
    return set(order.index[: round(share * len(order))])


def datasets(
    pairs: pd.DataFrame, more: pd.DataFrame, sentences: pd.DataFrame, ask: Entail, params: Params
) -> dict[str, pd.DataFrame]:
    """The dataset that each variant of `FILTERS` makes of the same scores.

    Args:
        pairs: PAIRS as scored for the paper's gates.
        more: `scored_more`.
        sentences: SENTENCES, for the contexts that are lost.
        ask: P(premise ⇒ hypothesis) of text pairs, for the diversity filter.
        params: thresholds.

    Returns:
        name → pairs in columns of PAIRS; no pair twice.
    """
    near = more["rouge_l"] > np.float32(params.rouge_l_max)
    unsaid = ~more["numbers_consistent"].astype(bool)
    label, lost = by_label(pd.concat([pairs, more], ignore_index=True), ask), costly(sentences)
    found = {}
    for name, released in FILTERS.items():
        added = more[(~near | ("rouge" in released)) & (~unsaid | ("numbers" in released))]
        shown = pd.concat([pairs, added], ignore_index=True)
        if "memory" in released:
            shown = shown[~shown["context_id"].isin(lost)]
        loose = {"rouge_l_max": 1.0} if "rouge" in released else {}
        loose |= {"number_consistency": False} if "numbers" in released else {}
        kept = gate(shown.reset_index(drop=True), params.fixed(**loose))[0]
        thinned = _thinned(kept, shown, released, ask, label, params)
        thinned = thinned[thinned["rouge_l"] <= np.float32(params.rouge_l_max)]
        found[name] = thinned.drop_duplicates(["x", "y"]).reset_index(drop=True)
    return found


def _thinned(
    kept: pd.DataFrame, shown: pd.DataFrame, released: frozenset[str], ask: Entail, label: Entail,
    params: Params,
) -> pd.DataFrame:  # fmt: skip
    """Algorithm 1 in the paper's variant, with the released edges, or with their choice too."""
    if "choice" in released:
        return diversity_filter(kept, label, dedup="released")
    if "edges" in released:  # the released choice of the lowest score, made to take the best pair
        best = kept.assign(p_yx=-(kept["p_xy"] + kept["p_yx"]))
        left = diversity_filter(best, label, dedup="released")[["context_id", "x", "y"]]
        return left.merge(kept, on=["context_id", "x", "y"])
    texts = {*kept["x"], *kept["y"]}
    known = shown[shown["x"].isin(texts) & shown["y"].isin(texts)]
    return diversity_filter(kept, ask, params.entailment_threshold, known)


def measured(
    made: Mapping[str, pd.DataFrame], contexts: Sequence[str],
    judge: Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]], params: Params,
) -> pd.DataFrame:  # fmt: skip
    """Yield and precision of datasets that were made of the same contexts.

    Args:
        made: name → context_id, x, y.
        contexts: all contexts, also those of which nothing is left.
        judge: (sources, targets) → 1, 0 or NaN (nothing can be said).
        params: reads seed, bootstrap_samples, confidence.

    Returns:
        METRIC_ROWS: "pairs per context", "pairs true, %" and "contexts with pairs, %"; contexts
        resampled.
    """
    bootstrap = Bootstrap.from_params(params)
    parts = []
    for name, frame in made.items():
        rows = MetricRows(name, None, bootstrap)
        counts = frame.groupby("context_id").size().reindex(sorted(set(contexts)), fill_value=0)
        rows.mean("pairs per context", counts.to_numpy(dtype=float))
        true = bootstrap_mean(
            100 * judge(list(frame["x"]), list(frame["y"])), frame["context_id"],
            Bootstrap.from_params(params),
        )  # fmt: skip
        rows.add("pairs true, %", true, "oracle")
        rows.mean("contexts with pairs, %", 100.0 * (counts > 0).to_numpy(dtype=float))
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)
