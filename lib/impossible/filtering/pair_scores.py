"""From the sentences of a context to scored pairs, and from scored pairs to kept ones (paper §3.2).

Scoring is dear and gating is free. Cheap gates come first, so few pairs reach the critic; every
ordered pair of samples is counted, kept or dropped by one reason (the funnel). A threshold may be
tightened after scoring; what a looser one would need was never computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.errors import DataError, ParameterError
from impossible.text.numbers import number_values
from impossible.text.rouge import rouge_l, rouge_l_matrix
from impossible.text.tree_edit_distance import at_least, pair_trees, ted_bounds

__all__ = [
    "CHEAP",
    "SCORES",
    "cheap_funnel",
    "gate",
    "score_context",
    "score_contexts",
    "score_pairs",
    "whole_funnel",
]

Parser = Callable[[str], str | None]
CHEAP = ("length_ratio", "numbers", "rouge_l")  # gates before the critic, in order of cost
SCORES = (
    "rouge_l",
    "length_ratio",
    "numbers_consistent",
    "ted",
    "ted_lower",
    "ted_upper",
    "tree_fallback",
    "p_xy",
    "p_yx",
)


class Critic(Protocol):
    """What scoring needs of `critics.EntailmentCritic`."""

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """P(entailment) of each (premise, hypothesis)."""
        ...


def score_context(
    context_id: str, sentences: Sequence[str], critic: Critic, parser: Parser, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`score_contexts` of one context."""
    return score_contexts({context_id: sentences}, critic, parser, params)


def score_contexts(
    contexts: Mapping[str, Sequence[str]], critic: Critic, parser: Parser, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score all ordered pairs of the accepted sentences of each context.

    Args:
        contexts: context id → its accepted sentences (with repetitions).
        critic: judges all contexts' pairs in one go; the result does not depend on the grouping.
        parser: sentence → bracketed tree or None.
        params: thresholds of the cheap gates, `entailment_floor`, `ted_min`.

    Returns:
        pairs (schema PAIRS; unique ordered pairs that passed the cheap gates) and funnel (schema
        FUNNEL; reasons identical, duplicate, length_ratio, numbers, rouge_l and scored, which sum
        to m(m-1) for m sentences). `gate` splits "scored" further.

    Example:
        Of "a", "a", "b" the six ordered pairs are two identical, two duplicate and two unique.
    """
    columns: dict[str, list[Any]] = {"context_id": [], "x": [], "y": [], "rouge_l": []}
    funnel: list[tuple[str, str, int]] = []
    for context_id, sentences in contexts.items():
        unique, rouge, counts, alive = _cheap(sentences, params)
        funnel += [(context_id, reason, n) for reason, n in counts.items() if n]
        first, second = np.nonzero(alive)
        columns["context_id"] += [context_id] * len(first)
        columns["x"] += [unique[i] for i in first]
        columns["y"] += [unique[j] for j in second]
        columns["rouge_l"] += rouge[first, second].tolist()
    pairs = pd.DataFrame(columns)
    scores = score_pairs(columns["x"], columns["y"], critic, parser, params, columns["rouge_l"])
    frame = pd.concat([pairs[["context_id", "x", "y"]], scores], axis=1)
    return frame, pd.DataFrame(funnel, columns=["context_id", "reason", "n"])


def cheap_funnel(contexts: Mapping[str, Sequence[str]], params: Params) -> pd.DataFrame:
    """The funnel of `score_contexts` without a critic: milliseconds per context."""
    rows = [
        (context_id, reason, n)
        for context_id, sentences in contexts.items()
        for reason, n in _cheap(sentences, params)[2].items()
        if n
    ]
    return pd.DataFrame(rows, columns=["context_id", "reason", "n"]).astype({"n": "int64"})


def whole_funnel(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What became of every ordered pair of samples: `scored` is replaced by what `gate` says."""
    parts = [before[before["reason"] != "scored"], after]
    return pd.concat(parts, ignore_index=True).astype({"n": "int64"})


def _cheap(
    sentences: Sequence[str], params: Params
) -> tuple[list[str], NDArray[np.float64], dict[str, int], NDArray[np.bool_]]:
    """Unique sentences, their ROUGE-L matrix, counts by reason, and which ordered pairs go on."""
    counts = Counter(sentences)
    unique = sorted(counts)
    total = len(sentences) * (len(sentences) - 1)
    identical = sum(n * (n - 1) for n in counts.values())
    ordered = len(unique) * (len(unique) - 1)
    reasons = {"identical": identical, "duplicate": total - identical - ordered}
    rouge = rouge_l_matrix(unique)
    lengths = np.array([len(s) for s in unique], dtype=np.float64)
    values = [number_values(s) for s in unique]
    group = {value: i for i, value in enumerate(dict.fromkeys(values))}
    numbers = np.array([group[value] for value in values])
    ratio = lengths[None, :] / np.maximum(lengths[:, None], 1)  # [x, y] = |y| / |x|
    failed = _cheap_failures(ratio, numbers[:, None] == numbers[None, :], rouge, params)
    alive = ~np.eye(len(unique), dtype=bool)
    for reason in CHEAP:
        reasons[reason] = int((alive & failed[reason]).sum())
        alive &= ~failed[reason]
    return unique, rouge, reasons | {"scored": int(alive.sum())}, alive


def _cheap_failures(
    ratio: NDArray[Any], same_numbers: NDArray[Any], rouge: NDArray[Any], params: Params
) -> dict[str, NDArray[np.bool_]]:
    """For each cheap gate, which pairs it drops; scores are compared as stored, in 32 bits."""
    ratio, rouge = ratio.astype(np.float32), rouge.astype(np.float32)
    low, high = np.float32(params.length_ratio_min), np.float32(params.length_ratio_max)
    return {
        "length_ratio": (ratio < low) | (ratio > high),
        "numbers": ~same_numbers.astype(bool) & params.number_consistency,
        "rouge_l": rouge > np.float32(params.rouge_l_max),
    }


def score_pairs(
    x: Sequence[str],
    y: Sequence[str],
    critic: Critic,
    parser: Parser,
    params: Params,
    rouge: Sequence[float] | None = None,
) -> pd.DataFrame:
    """All scores of ordered pairs, as columns `SCORES` (float32; NaN where not computed).

    The critic first judges whether the shorter text entails the longer, which fails more often.
    Only pairs at or above `entailment_floor` are judged the other way and get tree distances: the
    bounds always, the exact distance where the bounds leave `ted_min` open. Where `both_directions`
    is off, x ⇒ y alone is judged; where `ted_min` is 0, there is no distance to compute.
    """
    xs = pd.Series(x, dtype=object)
    ys = pd.Series(y, dtype=object)
    ratio = ys.str.len().to_numpy(float) / np.maximum(xs.str.len().to_numpy(float), 1)
    values = {s: number_values(s) for s in {*x, *y}}
    found = [rouge_l(a, b) for a, b in zip(x, y, strict=True)] if rouge is None else rouge
    judge = _both_ways if params.both_directions else _one_way
    p_xy, p_yx = judge(x, y, critic, params.entailment_floor)
    floor = np.float32(params.entailment_floor)
    compared = (p_xy >= floor) & (p_yx >= floor) & (params.ted_min > 0)
    parse = cache(parser)
    frame = pd.DataFrame(
        {
            "rouge_l": np.asarray(found, dtype=np.float32),
            "length_ratio": ratio.astype(np.float32),
            "numbers_consistent": [values[a] == values[b] for a, b in zip(x, y, strict=True)],
        }
    )
    trees = [
        _distances(a, b, parse, params.ted_min) if near else (np.nan, np.nan, np.nan, None)
        for a, b, near in zip(x, y, compared, strict=True)
    ]
    for place, name in enumerate(("ted", "ted_lower", "ted_upper")):
        frame[name] = np.array([row[place] for row in trees], dtype=np.float32)
    frame["tree_fallback"] = pd.Series([row[3] for row in trees], dtype="boolean")
    return frame.assign(p_xy=p_xy, p_yx=p_yx)


def _one_way(
    x: Sequence[str], y: Sequence[str], critic: Critic, floor: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """P(x⇒y); P(y⇒x) is not computed."""
    unique = list(dict.fromkeys(zip(x, y, strict=True)))
    known = dict(zip(unique, critic.probabilities(unique), strict=True))
    forward = np.array([known[pair] for pair in zip(x, y, strict=True)], dtype=np.float32)
    return forward, np.full(len(forward), np.nan, dtype=np.float32)


def _both_ways(
    x: Sequence[str], y: Sequence[str], critic: Critic, floor: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """P(x⇒y) and P(y⇒x); the second direction only where the first reaches the floor."""
    forward = [_shorter_first(a, b) for a, b in zip(x, y, strict=True)]
    unique = list(dict.fromkeys(forward))
    known = dict(zip(unique, critic.probabilities(unique), strict=True))
    back = [(b, a) for (a, b) in unique if np.float32(known[a, b]) >= np.float32(floor)]
    known |= dict(zip(back, critic.probabilities(back), strict=True))
    p_xy = [known.get(pair, np.nan) for pair in zip(x, y, strict=True)]
    p_yx = [known.get(pair, np.nan) for pair in zip(y, x, strict=True)]
    return np.array(p_xy, dtype=np.float32), np.array(p_yx, dtype=np.float32)


def _shorter_first(a: str, b: str) -> tuple[str, str]:
    return (a, b) if (len(a), a) <= (len(b), b) else (b, a)


def _distances(
    a: str, b: str, parser: Parser, threshold: int
) -> tuple[float, float, float, bool | None]:
    """(exact distance or NaN, lower bound, upper bound, whether flat trees were compared)."""
    tree_a, tree_b, fallback = pair_trees(*_shorter_first(a, b), parser)
    lower, upper = ted_bounds(tree_a, tree_b)
    exact = at_least(tree_a, tree_b, threshold)[1]
    if exact is not None:
        return exact, lower, upper, fallback
    return (lower if lower == upper else np.nan), lower, upper, fallback


def gate(pairs: pd.DataFrame, params: Params) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply every threshold to scored pairs: pure pandas, computes no score.

    Args:
        pairs: rows with the columns `SCORES` and `context_id` (or `input_id`).
        params: thresholds; they may be stricter than those of the scoring, not looser.

    Returns:
        (kept pairs, funnel with reasons length_ratio, numbers, rouge_l, entailment, ted and kept).
        A pair is counted once, under the first gate that drops it.

    Raises:
        ParameterError: the threshold lies below the floor down to which both directions exist.
        DataError: `ted_min` needs an exact distance that was not computed.
    """
    if params.entailment_threshold < params.entailment_floor:
        raise ParameterError(
            f"entailment_threshold is {params.entailment_threshold}, below entailment_floor "
            f"{params.entailment_floor}: scores there are incomplete; lower the floor "
            "and score again"
        )
    item = "context_id" if "context_id" in pairs else "input_id"
    failed: dict[str, NDArray[np.bool_]] = _cheap_failures(
        pairs["length_ratio"].to_numpy(),
        pairs["numbers_consistent"].to_numpy(bool),
        pairs["rouge_l"].to_numpy(),
        params,
    )
    least = np.float32(params.entailment_threshold)
    # a comparison with NaN is false: what was not computed had been refuted one way
    entailed = pairs["p_xy"].to_numpy() >= least
    if params.both_directions:
        entailed &= pairs["p_yx"].to_numpy() >= least
    reason = np.full(len(pairs), "kept", dtype=object)
    failed |= {"entailment": ~entailed}
    failed |= {"ted": _too_close(pairs, params.ted_min, ~np.logical_or.reduce([*failed.values()]))}
    for name in reversed(failed):  # the first gate is written last
        reason[failed[name]] = name
    counts = (
        pd.DataFrame({item: pairs[item].to_numpy(), "reason": reason})
        .groupby([item, "reason"], sort=False)
        .size()
        .rename("n")
        .reset_index()
    )
    return pairs[reason == "kept"].reset_index(drop=True), counts


def _too_close(pairs: pd.DataFrame, least: int, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the tree distance is below `least`, among the pairs asked about."""
    if least == 0:  # no distance is, and none was computed
        return np.zeros(len(pairs), dtype=bool)
    exact = pairs["ted"].to_numpy()
    far = (exact >= least) | (pairs["ted_lower"].to_numpy() >= least)
    near = (exact < least) | (pairs["ted_upper"].to_numpy() < least)
    undecided = int((asked & ~far & ~near).sum())
    if undecided:
        raise DataError(
            f"ted_min={least} is not decided by the saved bounds for {undecided} pairs; "
            "score them again with this ted_min"
        )
    return np.asarray(asked & near)
