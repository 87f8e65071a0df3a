"""What each part of the method is worth: gates left out, parts given to other corpora (Table 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.errors import ParameterError
from impossible.evaluation.bootstrap import Bootstrap, Interval
from impossible.evaluation.corpus_quality import quality_rows
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.filtering.pair_scores import Critic, Parser, gate, score_pairs
from impossible.training.self_distillation import choose, dataset

__all__ = ["GATES", "chosen_from", "filtered", "truth_by_round", "without"]

#: For each critic the values that let every pair through.
GATES: dict[str, dict[str, Any]] = {
    "entailment": {"entailment_threshold": 0.0, "entailment_floor": 0.0},
    "rouge_l": {"rouge_l_max": 1.0},
    "ted": {"ted_min": 0},
    "length_ratio": {"length_ratio_min": 0.0, "length_ratio_max": 100.0},
    "numbers": {"number_consistency": False},
}


def without(scored: pd.DataFrame, params: Params, left_out: str = "") -> pd.DataFrame:
    """Scored pairs that pass all gates but one.

    Args:
        scored: all scored candidates, with columns `pairs.SCORES`.
        params: thresholds.
        left_out: a name of `GATES`; "": no gate is left out.

    Returns:
        The rows that pass. Without the entailment gate, pairs that the critic refused have no tree
        distance; they pass that gate too.

    Raises:
        ParameterError: there is no such gate.
    """
    if left_out and left_out not in GATES:
        raise ParameterError(f"There is no gate {left_out!r}: leave out one of {', '.join(GATES)}.")
    if left_out == "entailment":
        far = scored["ted_lower"].isna()
        scored = scored.assign(ted=scored["ted"].mask(far, np.inf))
        scored = scored.fillna({"p_xy": 0.0, "p_yx": 0.0})
    return gate(scored, params.fixed(**GATES.get(left_out, {})))[0]


def chosen_from(
    scored: pd.DataFrame, inputs: pd.DataFrame, params: Params, left_out: str = "", origin: str = ""
) -> pd.DataFrame:
    """The dataset that self-distillation makes of scored candidates, perhaps without a gate.

    Args:
        scored: schema CANDIDATES.
        inputs: input_id and context_id; candidates of other inputs are left out.
        params, left_out: as for `without`.
        origin: of the corpus.

    Returns:
        DATASET: at most one pair per input, the one with the lowest ROUGE-L.
    """
    mine = scored[scored["input_id"].isin(inputs["input_id"])].reset_index(drop=True)
    return dataset(choose(without(mine, params, left_out))[0], inputs, origin or left_out)


def filtered(
    corpus: pd.DataFrame, critic: Critic, parser: Parser, params: Params
) -> tuple[pd.DataFrame, int]:
    """The pairs of any corpus that the critics accept.

    Args:
        corpus: DATASET, from any source.
        critic, parser, params: as for our own pairs.

    Returns:
        (DATASET with scores, number of pairs that came in).
    """
    corpus = corpus.reset_index(drop=True)  # a part of a corpus keeps the numbers of its rows
    sources, targets = corpus["source"].tolist(), corpus["target"].tolist()
    scores = score_pairs(sources, targets, critic, parser, params)
    named = corpus[["context_id", "pair_id"]].rename(columns={"pair_id": "input_id"})
    frame = pd.concat([named, pd.DataFrame({"x": sources, "y": targets}), scores], axis=1)
    return dataset(gate(frame, params)[0], origin=_origin(corpus)), len(corpus)


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


def _origin(corpus: pd.DataFrame) -> str:
    origins: Sequence[str] = list(dict.fromkeys(corpus["origin"]))
    return ", ".join(origins)
