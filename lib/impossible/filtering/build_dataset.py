"""From scored pairs to a dataset: thresholds, then one pair of each group that says the same.

The one way in which datasets are made, for every task, domain and round. Nothing is scored here.
"""

from __future__ import annotations

import hashlib
from typing import ClassVar, Protocol

import numpy as np
import pandas as pd

from impossible.errors import DataError
from impossible.filtering.critics import CRITICS
from impossible.filtering.funnel import continued, counted, dropped_by
from impossible.filtering.thresholds import Thresholds

KEPT = "kept"


class Diversity(Protocol):
    """Chooses among pairs that passed; `reason` is what the others are counted under."""

    reason: ClassVar[str]

    def __call__(self, kept: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
        """The rows of `kept` that stay; `scores` are all scored pairs."""


def apply_thresholds(
    scores: pd.DataFrame, thresholds: Thresholds
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply every critic's threshold to scored pairs.

    Args:
        scores: PAIRS or CANDIDATES.
        thresholds: those of critics that exit early may be stricter than at scoring, not looser.

    Returns:
        (pairs that all critics accept, funnel: item, reason, n). A pair is counted once, under the
        first critic that rejects it, or as kept.

    Raises:
        ParameterError, DataError: a threshold needs scores that were never computed.
    """
    reason = rejections(scores, thresholds)
    return scores[reason == KEPT].reset_index(drop=True), counted(scores, reason)


def rejections(scores: pd.DataFrame, thresholds: Thresholds, left_out: str = "") -> pd.Series:
    """The name of the first critic that rejects each pair, or "kept"; see `apply_thresholds`.

    `left_out` names a critic that is not asked.
    """
    reason = np.full(len(scores), KEPT, dtype=object)
    for critic in (critic for critic in CRITICS if critic.name != left_out):
        left = np.flatnonzero(reason == KEPT)
        reason[left[~critic.accepts(scores.iloc[left], thresholds)]] = critic.name
    return pd.Series(reason, index=scores.index)


def build_dataset(
    scores: pd.DataFrame, thresholds: Thresholds, diversity: Diversity, origin: str = "teacher"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """From scored pairs to a dataset, every pair counted.

    Args:
        scores: PAIRS or CANDIDATES.
        thresholds: of the task.
        diversity: `diversity_filter.Algorithm1` within a context, or another choice.
        origin: who wrote the targets.

    Returns:
        (DATASET, funnel: item, reason, n). Reasons are the critics' names, `diversity.reason`,
        "repeated" (the same two texts elsewhere) and "kept"; they sum to the number of scores.

    Example:
        `build_dataset(pairs, Thresholds.paraphrase(params), Algorithm1(critic, params))`
    """
    passed, funnel = apply_thresholds(scores, thresholds)
    diverse = diversity(passed, scores)
    unique = diverse.drop_duplicates(["x", "y"])
    for before, after, reason in (
        (passed, diverse, diversity.reason),
        (diverse, unique, "repeated"),
    ):
        funnel = continued(funnel, dropped_by(before, after, reason), KEPT)
    return as_dataset(unique, origin, thresholds.task), funnel


def as_dataset(pairs: pd.DataFrame, origin: str, task: str = "paraphrase") -> pd.DataFrame:
    """Pairs as DATASET, each once.

    Args:
        pairs: x, y and context_id; domain and scores where they are known.
        origin: who wrote the targets.
        task: "paraphrase", "summary" or "translation".
    """
    ids = [pair_id(x, y) for x, y in zip(pairs["x"], pairs["y"], strict=True)]
    columns = {"pair_id": ids, "source": pairs["x"], "target": pairs["y"]}
    columns |= {"context_id": pairs["context_id"], "domain": pairs.get("domain")}
    columns |= {"origin": origin, "task": task}
    scores = {name: pairs.get(name, np.nan) for name in ("p_xy", "p_yx", "rouge_l", "ted")}
    frame = pd.DataFrame(columns | scores, index=pairs.index).astype(
        dict.fromkeys(scores, "float32")
    )
    return frame.drop_duplicates("pair_id").reset_index(drop=True)


def as_pairs(dataset: pd.DataFrame) -> pd.DataFrame:
    """A DATASET with its texts named as critics and judges name them: x is the source."""
    return dataset.rename(columns={"source": "x", "target": "y"})


def pair_id(x: str, y: str) -> str:
    """The name of a pair of texts: 16 hexadecimal digits, the same wherever it turns up."""
    return hashlib.sha256(f"{x}\x1f{y}".encode()).hexdigest()[:16]


def require_pairs(dataset: pd.DataFrame, funnel: pd.DataFrame) -> None:
    """Raise DataError where there is too little to train on, naming what dropped most."""
    if len(dataset) >= 2:
        return
    dropped = funnel[~funnel["reason"].isin([KEPT, "scored"])]
    totals = dropped.groupby("reason")["n"].sum().sort_values(ascending=False, kind="stable")
    blame = "there were no candidates at all"
    if len(totals):
        blame = f"{totals.index[0]!r} dropped most ({int(totals.iloc[0]):,} pairs)"
    raise DataError(
        f"only {len(dataset)} pairs are left to train on: {blame}; loosen its threshold or sample "
        "more contexts"
    )
