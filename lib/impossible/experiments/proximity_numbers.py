"""What notebook 02 records: all numbers of proximity, among them the gaps to given contexts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_mean
from impossible.experiments.proximity_statistics import end_difference, length_matched_gap, named


def given_gaps(
    own: pd.DataFrame, far: pd.DataFrame, given: pd.DataFrame, judge: str, params: Params
) -> dict[str, Interval]:
    """Equivalent pairs after contexts of the teacher minus those after contexts of others.

    `own` and `far` are judged pairs of the panels, of one context and of two (the control); those
    at `sentence_temperature` are compared with those after `given` contexts.
    """
    cold, cold_far = (
        part[part["temperature"] == params.sentence_temperature] for part in (own, far)
    )
    compared = (("own", "judge", cold), ("own", "critic", cold), ("control", "judge", cold_far))
    return {
        f"{name} − given contexts, {named(column, judge)}": length_matched_gap(
            part, given, column, params
        )
        for name, column, part in compared
    }


def proximity_numbers(
    own: pd.DataFrame, far: pd.DataFrame, claims: pd.DataFrame, gaps: Mapping[str, Interval],
    human: tuple[float, str], judge: str, params: Params,
) -> dict[str, Any]:  # fmt: skip
    """Every mean and every interval of the notebook by its name, in which the judge's stands.

    Args:
        own, far: judged pairs of the panels, of one context and of two.
        claims: of `proximity_statistics.claim_verdicts`.
        gaps: of `given_gaps`.
        human: Self-BLEU of human paraphrases and where it is from.
        judge: its name.
    """
    value, source = human
    means = own[["judge", "self_bleu", "self_bleu_judge"]].mean()
    numbers: dict[str, Any] = {
        "ratio": own["critic"].mean(), f"ratio_{judge}": means["judge"],
        "ratio_control": far["critic"].mean(), "self_bleu": means["self_bleu"],
        f"self_bleu_{judge}": means["self_bleu_judge"], f"self_bleu_human_{source}": value,
        "precision": own.loc[own["critic"] > 0, "judge"].mean(),
    }  # fmt: skip
    for row in claims.to_dict("records"):
        curve = f"{named(row['column'], judge)}_{row['axis']}"
        numbers |= {curve: row["ends"].bounds, f"tau_{curve}": row["tau"].bounds}
    cold = own[own["temperature"] == params.sentence_temperature]
    how = Bootstrap.from_params(params)
    over = bootstrap_mean(cold["self_bleu"] - value, cold["context_id"], how)
    numbers |= {name: gap.bounds for name, gap in gaps.items()}
    return numbers | control_differences(far, judge, params) | {"self_bleu_over_human": over.bounds}


def control_differences(far: pd.DataFrame, judge: str, params: Params) -> dict[str, list[float]]:
    """`end_difference` of the control pairs along both axes, as notebooks record it."""
    columns = {"critic": "critic", judge: "judge", "self_bleu": "similarity"}
    return {
        f"control_{name}_{axis}": end_difference(far, column, axis, params).bounds
        for name, column in columns.items()
        for axis in ("length", "temperature")
    }
