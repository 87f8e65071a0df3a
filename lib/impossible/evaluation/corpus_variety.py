"""How varied corpora of summaries are, ours beside others and human ones, at equal size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from impossible.data.human_datasets import HUMAN, SUMMARIES, available, human_pairs, take
from impossible.evaluation.bootstrap import Bootstrap, Interval
from impossible.evaluation.corpus_comparison import detokenized, quality_rows
from impossible.evaluation.metric_rows import MetricRows
from impossible.evaluation.metrics import novelty

__all__ = ["difference_rows", "diversity_rows", "human_summaries", "square_and_add"]


def square_and_add(a: Interval, b: Interval) -> Interval:
    """a − b of two independent estimates, from their intervals.

    Each bound lies as far from the difference as the two distances make together, root of squares.
    A statistic such as an entropy, whose resampling is biased, needs no resampling of its
    difference this way.

    Source: MOVER, Zou and Donner 2008 (https://doi.org/10.1002/sim.3095).

    >>> square_and_add(Interval(9.0, 6.0, 12.0, 50), Interval(5.0, 1.0, 9.0, 50)).bounds
    [4.0, -1.0, 9.0]
    """
    low = ((a.value - a.low) ** 2 + (b.high - b.value) ** 2) ** 0.5
    high = ((a.high - a.value) ** 2 + (b.value - b.low) ** 2) ** 0.5
    value = a.value - b.value
    return Interval(value, value - low, value + high, a.n + b.n)


def diversity_rows(
    corpora: Mapping[str, pd.DataFrame],
    n: int,
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """How varied summaries are: the measures of Table 1, and novelty and compression.

    Args:
        corpora: name → pairs with context_id.
        n: pairs drawn from each: entropies grow with their number.
        bootstrap: of the intervals.

    Returns:
        METRIC_ROWS of `comparison.quality_rows`, with `novelty` (% of a target's word pairs that
        its source lacks) and `compression` (characters of target / source, %).
    """
    rows = [quality_rows(corpora, n, None, None, bootstrap)]
    for name, frame in corpora.items():
        drawn = take(frame, n, bootstrap.seed)
        pairs = list(zip(drawn["source"], drawn["target"], strict=True))
        more = MetricRows(name, drawn["context_id"].to_numpy(), bootstrap)
        more.mean("novelty", [100 * novelty(x, y) for x, y in pairs])
        more.mean("compression", [100 * len(y) / len(x) for x, y in pairs])
        rows.append(more.frame())
    return pd.concat(rows, ignore_index=True)


def difference_rows(
    rows: pd.DataFrame, versus: Iterable[tuple[str, str]], metrics: Sequence[str]
) -> pd.DataFrame:
    """One corpus minus another of other texts, for every measure, by `square_and_add`.

    Args:
        rows: METRIC_ROWS of `diversity_rows`.
        versus: pairs of corpora that share no context.
        metrics: which.

    Returns:
        METRIC_ROWS whose `system` is "CORPUS − OTHER".
    """
    found = {
        (row.system, row.metric): Interval(row.value, row.low, row.high, row.n)
        for row in rows.itertuples()
    }
    parts = []
    for ours, other in versus:
        made = MetricRows(f"{ours} − {other}", None)
        for metric in metrics:
            gap = square_and_add(found[ours, metric], found[other, metric])
            made.add(metric, gap, f"difference of {metric}")
        parts.append(made.frame())
    return pd.concat(parts, ignore_index=True)


def human_summaries(folder: str = "") -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Short rewritings that people wrote, detokenized, and a sentence for each that is not there.

    Args:
        folder: of the human datasets; "": none.

    Returns:
        (title → pairs, title → how to get it); every dataset is in one of the two.
    """
    sets = SUMMARIES | {"wiki_conciseness": HUMAN["wiki_conciseness"]}
    found, absent = {}, {}
    advice = available("", list(sets))  # without the folder's path, which is this machine's
    for name, lacking in available(folder, list(sets)).items():
        if lacking:
            absent[sets[name].title] = advice[name]
            continue
        pairs = human_pairs(name, folder)
        texts = {side: pairs[side].map(detokenized) for side in ("source", "target")}
        found[sets[name].title] = pairs.assign(**texts)
    return found, absent
