"""Differences in the columns of the paper's tables, from metric rows, for the ledger of claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.evaluation.bootstrap import Interval, independent_difference
from impossible.evaluation.expectations import interval_of

TABLE1_COLUMNS = ("cosine", "h2", "h3", "msttr", "jaccard", "ted_3", "ted_f")
Numbers = dict[str, list[float]]


def gains_over_people(rows: pd.DataFrame, people: Sequence[str]) -> Numbers:
    """D_para minus the mean of people's sets, in the columns of Table 1.

    Args:
        rows: METRIC_ROWS of corpora of as many pairs each (`corpus_quality.quality_rows`).
        people: names of the sets that people wrote.

    Returns:
        "D_para − people, METRIC" → value, low, high, the sets taken as given and independent; a
        column that either side lacks is not there.
    """
    found: Numbers = {}
    for metric in TABLE1_COLUMNS:
        theirs = [interval_of(rows, name, metric) for name in people]
        known = [each for each in theirs if np.isfinite(each.bounds).all()]
        gain = independent_difference(interval_of(rows, "D_para", metric), _mean(known))
        if np.isfinite(gain.value):
            found[f"D_para − people, {metric}"] = gain.bounds
    return found


def _mean(parts: Sequence[Interval]) -> Interval:
    """The mean of independent estimates; NaN of none."""
    if not parts:
        return Interval(np.nan, np.nan, np.nan, 0)
    value, n = float(np.mean([each.value for each in parts])), len(parts)
    below = float(np.linalg.norm([each.value - each.low for each in parts])) / n
    above = float(np.linalg.norm([each.high - each.value for each in parts])) / n
    return Interval(value, value - below, value + above, sum(each.n for each in parts))


def gains_in_table8(rows: Mapping[str, pd.DataFrame]) -> Numbers:
    """M_para and its control minus a round trip (BT) in the iBLEU of Table 8, by test set.

    Args:
        rows: test set → METRIC_ROWS of systems.

    Returns:
        "TEST SET: SYSTEM − round trip, ibleu_table8" → value, low, high; both systems answer the
        same sentences, so that an interval of independent samples is rather too wide.
    """
    found: Numbers = {}
    for name, here in rows.items():
        for system in ("M_para", "shuffled M_para"):
            ends = (interval_of(here, each, "ibleu_table8") for each in (system, "round trip"))
            gain = independent_difference(*ends)
            if np.isfinite(gain.value):
                found[f"{name}: {system} − round trip, ibleu_table8"] = gain.bounds
    return found
