"""Pairs for the same number of teacher tokens, by way of generating: notebook 17."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.evaluation.expectations import Expected
from impossible.report import tables
from impossible.report.figures import system_dots
from impossible.report.side_by_side import Shows

YIELD_TITLES = {
    "kept": "kept pairs per 1,000 tokens ↑",
    "true": "true pairs (judge) per 1,000 tokens ↑",
    "precision": "precision, % (judge) ↑",
}
#: Two differences for each expectation of the notebook, in its order; 1: above 0, -1: below.
DECIDING = {
    "soft − free": 1, "soft − soft, foreign keywords": 1, "hard − parallel": -1,
    "soft − parallel": -1, "parallel and hard − parallel": 1, "parallel and soft − parallel": 1,
}  # fmt: skip


def yields_by_way(
    stage: Shows, rows: pd.DataFrame, ways: Iterable[str], source: str, data: Sequence[Path]
) -> list[Any]:
    """Save figure and table `sequential_yield`.

    Args:
        stage: of the notebook.
        rows: METRIC_ROWS of `generation_yield.way_rows`.
        ways: all of them, pools too.
        source: contexts, tokens and kind of intervals, in words.
        data: files that the numbers come from.

    Returns:
        What is to be displayed.
    """
    caption = (
        "Pairs kept for the same number of teacher tokens, by way of generating; pools spend half "
        "on each part. Hard, soft: sampled, searched under constraints of x; free: without any; "
        "foreign keywords: those of another context's sentence. Blue: next sentences of one "
        f"context; hollow: controls; –: no pair. {source}"
    )
    controls = [name for name in ways if "foreign" in name or name == "free"]
    wide = tables.wide(rows.replace({"metric": YIELD_TITLES}), digits=2)
    picture = system_dots(rows, YIELD_TITLES, controls, ["parallel"])
    return [
        stage.table("sequential_yield", wide, caption, data, None, rows),
        stage.figure("sequential_yield", picture, caption, data),
    ]


def yield_expected(gaps: pd.DataFrame) -> list[Expected]:
    """What notebook 17 expects, with what was found; `gaps` of `generation_yield.rate_gaps`."""
    return [
        Expected(
            f"kept pairs per 1,000 tokens: {name}",
            gaps.at[name, "kept"],
            digits=2,
            **{"over" if sign > 0 else "under": 0},
        )
        for name, sign in DECIDING.items()
    ]


def yield_gaps(stage: Shows, gaps: pd.DataFrame, source: str, data: Sequence[Path]) -> Any:
    """Save table `sequential_gaps`, with a reading of the differences that decide.

    Args:
        stage, source, data: as for `yields_by_way`.
        gaps: of `generation_yield.rate_gaps`.
    """
    says = [f"{name}: {tables.against(*gaps.at[name, 'kept'].bounds)}" for name in DECIDING]
    caption = (
        "Differences in pairs per 1,000 teacher tokens, contexts resampled together; true: by the "
        f"judge. {source}"
    )
    shown = gaps.map(lambda gap: tables.interval(gap.value, gap.low, gap.high, 2))
    shown = shown.rename_axis("difference").reset_index()
    reading = "Kept pairs: " + "; ".join(says)
    return stage.table("sequential_gaps", shown, caption, data, None, None, 2, reading)
