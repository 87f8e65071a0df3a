"""What ways of generating yield for the same number of teacher tokens.

All ways are judged by the same critics, gates and diversity filter; what differs is which pairs
they propose and what these cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_sums, ratio
from impossible.evaluation.metric_rows import MetricRows
from impossible.filtering.build_dataset import Diversity, apply_thresholds
from impossible.filtering.critic import Models, TextPairs
from impossible.filtering.pair_scores import SCORED, score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.signature import signature

__all__ = [
    "candidate_pairs", "counted", "kept_pairs", "pooled", "rate", "rate_gap", "score_proposed",
    "within", "yield_rows",
]  # fmt: skip


def within(rows: pd.DataFrame, budget: float) -> pd.DataFrame:
    """The rows of each context that its first `budget` tokens paid for.

    >>> rows = pd.DataFrame({"context_id": "c", "tokens": [5, 5, 5]})
    >>> len(within(rows, 12))
    2
    """
    spent = rows.groupby("context_id", sort=False)["tokens"].cumsum()
    return rows[spent <= budget].reset_index(drop=True)


def pooled(parallel: pd.DataFrame, sequential: pd.DataFrame, budget: float) -> pd.DataFrame:
    """Half of the budget for either way. An x that the first half has written is not paid again.

    Args:
        parallel, sequential: SEQUENCES of one method each, in the order of writing.
        budget: tokens for each context.

    Example:
        >>> first = pd.DataFrame({"context_id": "c", "x": "", "y": ["A.", "B."], "tokens": 4})
        >>> then = pd.DataFrame({"context_id": "c", "x": "A.", "y": ["", "A!"], "tokens": 4})
        >>> pooled(first, then, 16)["tokens"].tolist()
        [4, 4, 0, 4]
    """
    ours = within(parallel, budget / 2)
    known = set(zip(ours["context_id"], ours["y"], strict=True))
    named = zip(sequential["context_id"], sequential["x"], strict=True)
    again = np.array([pair in known for pair in named], dtype=bool)
    price = ~sequential.duplicated(["context_id", "x"])  # the row of an x before its y
    theirs = sequential.assign(tokens=sequential["tokens"].mask(price & again, 0))
    return pd.concat([ours, within(theirs, budget / 2)], ignore_index=True)


def candidate_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Unordered pairs of different sentences: context_id, a, b with a < b, each once.

    Of sequential generation each x with each y written after it; of parallel generation any two
    samples of a context.
    """
    found: dict[tuple[str, str, str], None] = {}
    for context_id, group in rows[rows["y"] != ""].groupby("context_id", sort=False):
        if (group["x"] == "").all():
            texts = sorted(set(group["y"]))
            pairs = [(a, b) for i, a in enumerate(texts) for b in texts[i + 1 :]]
        else:
            pairs = list(zip(group["x"], group["y"], strict=True))
        for a, b in pairs:
            if a != b:
                found[str(context_id), min(a, b), max(a, b)] = None
    return pd.DataFrame(list(found), columns=["context_id", "a", "b"])


def score_proposed(
    candidates: pd.DataFrame, models: Models, thresholds: Thresholds
) -> pd.DataFrame:
    """PAIRS of both orders of `candidate_pairs`, by the scores and cheap gates of parallel ones.

    Args:
        candidates: context_id, a, b.
        models, thresholds: as for `pair_scores.score_pairs`.
    """
    unique = candidates.drop_duplicates(["context_id", "a", "b"])
    orders = ({"a": "x", "b": "y"}, {"a": "y", "b": "x"})
    both = [unique.rename(columns=names)[["context_id", "x", "y"]] for names in orders]
    frame = pd.concat(both, ignore_index=True)
    pairs = TextPairs.of(frame["x"].tolist(), frame["y"].tolist())
    scores, reason = score_pairs(pairs, models, thresholds)
    return pd.concat([frame, scores], axis=1)[reason == SCORED].reset_index(drop=True)


def kept_pairs(
    candidates: pd.DataFrame,
    scored: pd.DataFrame,
    thresholds: Thresholds,
    diversity: Diversity,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What gates leave of candidates, and what of that the diversity filter leaves.

    Args:
        candidates: context_id, a, b.
        scored: PAIRS that hold their scores; what failed a cheap gate is not there.
        thresholds: of paraphrases.
        diversity: such as `Algorithm1`.
    """
    orders = ({"a": "x", "b": "y"}, {"a": "y", "b": "x"})
    both = [candidates.rename(columns=names)[["context_id", "x", "y"]] for names in orders]
    proposed = pd.concat(both).drop_duplicates()
    mine = scored.drop_duplicates(["context_id", "x", "y"]).merge(proposed)
    passed, _ = apply_thresholds(mine, thresholds)
    return passed, diversity(passed, mine)


def counted(
    spent: pd.DataFrame,
    kept: pd.DataFrame,
    contexts: Sequence[str],
    weight: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Pairs kept and tokens spent of each context: columns kept, tokens; index context_id.

    Args:
        spent: SEQUENCES rows whose tokens were paid.
        kept: a row per pair, with context_id.
        contexts: all of them, also those without a pair.
        weight: what each pair counts, for example 1 if it is true, else 0; None: 1.

    Example:
        >>> rows = pd.DataFrame({"context_id": ["c", "c", "d"], "tokens": [5, 5, 7]})
        >>> counted(rows, pd.DataFrame({"context_id": ["c"]}), ["c", "d"])["tokens"].tolist()
        [10, 7]
    """
    frame = pd.DataFrame(index=pd.Index(contexts, name="context_id"))
    values = pd.Series(1.0 if weight is None else weight, index=kept.index, dtype=float)
    frame["kept"] = values.groupby(kept["context_id"]).sum().reindex(contexts, fill_value=0)
    frame["tokens"] = spent.groupby("context_id")["tokens"].sum().reindex(contexts, fill_value=0)
    return frame


def yield_rows(
    name: str,
    spent: pd.DataFrame,
    kept: pd.DataFrame,
    truth: NDArray[np.float64],
    contexts: Sequence[str],
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """METRIC_ROWS of one way: kept and true pairs per 1,000 teacher tokens, and precision in %.

    Args:
        name: of the way.
        spent, kept, contexts: as for `counted`.
        truth: 1, 0 or NaN (nothing can be said) for each kept pair.
        bootstrap: of the intervals; contexts are drawn.
    """
    rows = MetricRows(name, kept["context_id"].to_numpy(), bootstrap)
    for metric, weight in (("kept", None), ("true", truth)):
        found = rate(counted(spent, kept, contexts, weight), bootstrap)
        if metric == "true" and np.isnan(truth).any():
            rows.missing(metric, "not all pairs can be judged")
        else:
            rows.add(metric, found, signature(metric, n=found.n, per="1,000 tokens"))
    if len(kept):
        rows.mean("precision", 100 * truth)
    else:
        rows.missing("precision", "no pair was kept")
    return rows.frame()


def rate(counts: pd.DataFrame, bootstrap: Bootstrap) -> Interval:
    """Kept pairs per 1,000 teacher tokens, contexts resampled."""
    columns = counts[["kept", "tokens"]].to_numpy(float) * [1000, 1]
    return bootstrap_sums(columns, ratio, None, bootstrap)


def rate_gap(a: pd.DataFrame, b: pd.DataFrame, bootstrap: Bootstrap) -> Interval:
    """Rate of a minus rate of b on the same contexts, which are resampled together."""
    columns = np.hstack([part[["kept", "tokens"]].to_numpy(float) * [1000, 1] for part in (a, b)])
    return bootstrap_sums(
        columns, lambda sums: ratio(sums[..., :2]) - ratio(sums[..., 2:]), None, bootstrap,
    )  # fmt: skip
