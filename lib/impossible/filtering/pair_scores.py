"""From the sentences of a context to scored pairs (paper §3.2).

Scoring is expensive and applying thresholds is free, so they are apart (`build_dataset`). Cheap
critics come first and few pairs reach the models; every ordered pair of samples is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.filtering.critic import Critic, Models, TextPairs, column_types
from impossible.filtering.critics import CRITICS, REASONS
from impossible.filtering.thresholds import Thresholds

SCORED = "scored"  # reason of a pair whose scores are kept


def score_context(
    context_id: str, sentences: Sequence[str], models: Models, thresholds: Thresholds,
    sources: Sequence[str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Score all ordered pairs of the accepted sentences of a context.

    Args:
        context_id: of the context.
        sentences: with repetitions.
        models: the NLI model and the parser.
        thresholds: of the critics that exit early, and floors of others.
        sources: what x is, with repetitions; by default another of the sentences.

    Returns:
        Pairs (context_id, x, y and the critics' columns) that no critic exited early, and the
        FUNNEL of all: the reasons identical, duplicate, those of early exits, and scored sum to
        m(m-1) for m sentences, to s·m for them and s sources.

    Example:
        Of "a", "a", "b" the six ordered pairs are two identical, two duplicate and two unique.
    """
    xs, ys = Counter(sentences if sources is None else sources), Counter(sentences)
    itself = len(sentences) if sources is None else 0  # a sample is not paired with itself
    total = xs.total() * ys.total() - itself
    identical = sum(n * ys[text] for text, n in xs.items()) - itself
    pairs = pairs_between(xs, ys)
    reasons = Counter({"identical": identical, "duplicate": total - identical - len(pairs)})
    scores, reason = score_pairs(pairs, models, thresholds)
    reasons.update(reason)
    kept = pairs[reason == SCORED]
    frame = pd.DataFrame(list(kept), columns=["x", "y"])
    frame.insert(0, "context_id", context_id)
    frame = pd.concat([frame, scores[reason == SCORED].reset_index(drop=True)], axis=1)
    order = ("identical", "duplicate", *REASONS, SCORED)
    funnel = [(context_id, name, reasons[name]) for name in order if reasons[name]]
    return frame, pd.DataFrame(funnel, columns=["context_id", "reason", "n"])


def least_entailment(scores: pd.DataFrame) -> pd.Series:
    """Of each pair the least probability that the NLI critic was asked for.

    0 where it was asked for none, because a cheaper critic had rejected the pair.
    """
    return scores[["p_xy", "p_yx"]].astype(float).min(axis=1).fillna(0)


def all_pairs(texts: Sequence[str]) -> TextPairs:
    """All ordered pairs of different texts."""
    return TextPairs(texts, *np.nonzero(~np.eye(len(texts), dtype=bool)))


def pairs_between(sources: Collection[str], targets: Collection[str]) -> TextPairs:
    """All ordered pairs of a source and a different target.

    >>> list(pairs_between(["a b", "a"], ["a", "b"]))
    [('a', 'b'), ('a b', 'a'), ('a b', 'b')]
    """
    pairs = all_pairs(sorted({*sources, *targets}))
    is_source, is_target = (
        np.array([text in side for text in pairs.texts], dtype=bool) for side in (sources, targets)
    )
    return pairs[is_source[pairs.x] & is_target[pairs.y]]


def score_pairs(
    pairs: TextPairs,
    models: Models,
    thresholds: Thresholds,
    exits_after: int = 1,
    critics: Sequence[Critic] = CRITICS,
) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Ask every critic, the cheapest first.

    Args:
        pairs: n ordered pairs.
        models: the NLI model and the parser.
        thresholds: see `score_context`.
        exits_after: rejections by critics that exit early, after which a pair is shown to no
            other; 2 computes whatever an ablation of one critic needs, 0 everything.
        critics: who is asked.

    Returns:
        The critics' columns in their types, null where not computed, and for each pair the name of
        the critic after which it was shown to no other, or "scored".
    """
    reason = np.full(len(pairs), SCORED, dtype=object)
    rejected = np.zeros(len(pairs), dtype=int)  # by how many critics
    shown = np.arange(len(pairs))  # the pairs that the next critic sees
    parts = []
    for critic in critics:
        found = pd.DataFrame(dict(critic.score(pairs[shown], models, thresholds)), index=shown)
        parts.append(found)
        passed = critic.goes_on(found, thresholds)
        if critic.exits and exits_after:
            rejected[shown] += ~critic.accepts(found, thresholds)
            passed = rejected[shown] < exits_after
            reason[shown[~passed]] = critic.name
        shown = shown[passed]
    frame = pd.concat(parts, axis=1).reindex(np.arange(len(pairs)))
    return frame.astype(column_types(critics)), reason
