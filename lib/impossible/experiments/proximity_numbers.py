"""What notebook 02 records and expects: all numbers of proximity, gaps to given contexts too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_mean
from impossible.evaluation.expectations import Expected, per_cent
from impossible.experiments.proximity_statistics import (
    end_difference,
    length_matched_gap,
    named,
    weakest_end_difference,
)


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


def proximity_expected(
    claims: pd.DataFrame, every: pd.DataFrame, own: pd.DataFrame, far: pd.DataFrame, judge: str,
    params: Params,
) -> list[Expected]:  # fmt: skip
    """What notebook 02 expects of the ratio, with what was found.

    Args:
        claims, own, far, judge: as for `proximity_numbers`.
        every: judged pairs of one context, those of the surface too.
    """
    where = {"length": "longest − shortest context", "temperature": "hottest − coldest"}
    lines = {"length": "temperature", "temperature": "length"}
    ends, steps = [], []
    for row in claims[claims["column"].isin(["critic", "judge"])].to_dict("records"):
        axis, ratio = row["axis"], f"ratio ({named(row['column'], judge)})"
        difference = f"{ratio}, {where[axis]}, % points"
        ends.append(_beyond(difference, per_cent(row["ends"]), axis))
        steps.append(_beyond(f"τ of the {ratio} over {axis}s", row["tau"], axis, 2))
    surface = [
        _beyond(
            f"ratio ({named(column, judge)}), {where[axis]}, at the weakest {lines[axis]} of the "
            "surface, % points",
            per_cent(weakest_end_difference(every, column, axis, params)),
            axis,
        )
        for axis in where
        for column in ("critic", "judge")
    ]
    cold, cold_far = (
        part[part["temperature"] == params.sentence_temperature] for part in (own, far)
    )
    control = [
        Expected(
            f"ratio ({named(column, judge)}), one context − two contexts, % points",
            per_cent(length_matched_gap(cold, cold_far, column, params)),
            over=0,
        )
        for column in ("critic", "judge")
    ]
    return [*ends, *steps, *surface, *control]


def _beyond(says: str, found: Interval, axis: str, digits: int = 1) -> Expected:
    """The ratio rises with length and falls with temperature."""
    if axis == "length":
        return Expected(says, found, over=0, digits=digits)
    return Expected(says, found, under=0, digits=digits)


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
