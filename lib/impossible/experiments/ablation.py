"""What each part of the method is worth: gates left out, parts given to other corpora (Table 6)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from impossible.errors import ParameterError
from impossible.evaluation.bootstrap import Bootstrap, Interval
from impossible.evaluation.corpus_quality import quality_rows
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.filtering.build_dataset import KEPT, apply_thresholds, as_dataset, rejections
from impossible.filtering.critic import Models, TextPairs
from impossible.filtering.critics import REASONS
from impossible.filtering.pair_scores import score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.training.self_distillation import LowestOverlap

__all__ = ["chosen_from", "filtered", "truth_by_round", "without"]


def without(scored: pd.DataFrame, thresholds: Thresholds, left_out: str = "") -> pd.DataFrame:
    """Scored candidates that all critics but one accept.

    Without the entailment critic, pairs that it had rejected have no tree distance; they pass.

    Args:
        scored: CANDIDATES.
        thresholds: of the other critics.
        left_out: name of a critic; "": none is left out.

    Raises:
        ParameterError: there is no such critic.
    """
    if left_out and left_out not in REASONS:
        names = ", ".join(REASONS)
        raise ParameterError(f"There is no critic {left_out!r}: leave out one of {names}.")
    if left_out == "entailment":
        scored = scored.assign(ted=scored["ted"].mask(scored["ted_lower"].isna(), np.inf))
    return scored[rejections(scored, thresholds, left_out) == KEPT].reset_index(drop=True)


def chosen_from(
    scored: pd.DataFrame, thresholds: Thresholds, left_out: str = "", origin: str = ""
) -> pd.DataFrame:
    """The dataset that self-distillation makes of scored candidates, perhaps without a critic.

    Args:
        scored: CANDIDATES.
        thresholds, left_out: as for `without`.
        origin: of the corpus.

    Returns:
        DATASET: at most one pair per input, the one with the lowest ROUGE-L.
    """
    passed = without(scored, thresholds, left_out)
    return as_dataset(LowestOverlap()(passed, scored), origin or left_out, thresholds.task)


def filtered(corpus: pd.DataFrame, models: Models, thresholds: Thresholds) -> pd.DataFrame:
    """The pairs of any corpus that the critics accept, with scores.

    Args:
        corpus: DATASET, from any source.
        models, thresholds: as for our own pairs.
    """
    frame = corpus.rename(columns={"source": "x", "target": "y"}).reset_index(drop=True)
    frame = frame[["context_id", "domain", "x", "y"]]
    scores, _ = score_pairs(
        TextPairs.of(frame["x"].tolist(), frame["y"].tolist()), models, thresholds
    )
    origin = ", ".join(dict.fromkeys(corpus["origin"]))
    passed, _ = apply_thresholds(pd.concat([frame, scores], axis=1), thresholds)
    return as_dataset(passed, origin, thresholds.task)


def truth_by_round(
    made: Mapping[str, pd.DataFrame], judge: Judge, bootstrap: Bootstrap = Bootstrap()
) -> pd.DataFrame:
    """How true and how varied the datasets of successive rounds are.

    Args:
        made: round → DATASET.
        judge: who says which pairs are true.
        bootstrap: of the intervals.

    Returns:
        METRIC_ROWS: `pairs true` in per cent, self_bleu and h2 of as many pairs as the smallest
        round has, and the number of all pairs.
    """
    least = min(map(len, made.values()))  # entropies of different sizes do not compare
    rows = quality_rows(made, least, bootstrap=bootstrap, judge=judge)
    rows = rows[rows["metric"].isin(["fidelity", "self_bleu", "h2"])]
    parts = [rows.replace({"metric": {"fidelity": "pairs true"}})]
    for name, frame in made.items():
        number = Interval(float(len(frame)), float("nan"), float("nan"), len(frame))
        count = MetricRows(name, None, bootstrap)
        count.add("pairs", number, "count")
        parts.append(count.frame())
    return pd.concat(parts, ignore_index=True)
