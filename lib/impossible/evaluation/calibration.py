"""Fractions of independent outcomes with Wilson's intervals, and the calibration of a critic."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from impossible.evaluation.bootstrap import Interval, cluster_codes

BINS = 10  # of a calibration curve: a tenth of the range of probabilities each


def fraction(
    outcomes: ArrayLike, confidence: float = 0.95, clusters: ArrayLike | None = None
) -> Interval:
    """Fraction of ones among outcomes that are present, with its Wilson (1927) interval.

    Outcomes are zeros and ones, NaN is missing and not counted. They are independent, or alike
    within clusters: then the interval is that of as many independent ones as say no more (Kish
    1965, the design effect; never more than there are).

    >>> fraction([1, 1, 0, float("nan")]).n
    3
    """
    from statsmodels.stats.proportion import proportion_confint  # slow to import

    values = np.asarray(outcomes, dtype=np.float64)
    present = ~np.isnan(values)
    values = values[present]
    if not len(values):
        return Interval(np.nan, np.nan, np.nan, 0)
    mean, n = float(values.mean()), float(len(values))
    if clusters is not None:
        n /= _design_effect(values, cluster_codes(clusters)[present])
    low, high = proportion_confint(mean * n, n, 1 - confidence, method="wilson")
    return Interval(mean, float(low), float(high), len(values))


def _design_effect(values: NDArray[np.float64], clusters: NDArray[Any]) -> float:
    """Variance of a mean over clusters, over that of independent outcomes; at least 1."""
    mean, n = values.mean(), len(values)
    off = np.bincount(cluster_codes(clusters), values - mean)
    alone = n * mean * (1 - mean)
    if len(off) < 2 or not alone:
        return 1.0
    return max(1.0, float((off**2).sum() * len(off) / (len(off) - 1) / alone))


def paired_difference(first: ArrayLike, second: ArrayLike, confidence: float = 0.95) -> Interval:
    """Fraction of ones in `first` minus that in `second`, paired, with an interval.

    Outcomes are zeros and ones, NaN is missing. Where few pairs differ a bootstrap of them is too
    narrow; this is Wald's interval after half a pair was added to each of the four kinds (Agresti
    and Min 2005, *Simple improved confidence intervals for comparing matched proportions*).

    >>> paired_difference([1, 1, 0, 0], [1, 0, 0, 0]).value
    0.25
    """
    gains = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    gains = gains[~np.isnan(gains)]
    if not (n := len(gains)):
        return Interval(np.nan, np.nan, np.nan, 0)
    more, fewer, total = (gains > 0).sum() + 0.5, (gains < 0).sum() + 0.5, n + 2
    middle = (more - fewer) / total
    spread = np.sqrt((more + fewer) / total - middle**2) / np.sqrt(total)
    width = ndtri(0.5 + confidence / 2) * spread
    low, high = (float(np.clip(middle + sign * width, -1, 1)) for sign in (-1, 1))
    return Interval(float(gains.mean()), low, high, n)


def fractions(
    frame: pd.DataFrame, by: Iterable[str], outcome: str, confidence: float = 0.95
) -> pd.DataFrame:
    """Fraction of ones of a column for each of several groupings, as figures draw them.

    Returns:
        by, group ("BY: value", or the value if there is one grouping only), value, low, high, n;
        groups in the order of their numbers, "none" first and other texts after it.
    """
    columns, rows = list(by), []
    for column in columns:
        for name in sorted(frame[column].unique(), key=_natural):
            found = fraction(frame.loc[frame[column] == name, outcome], confidence)
            group = f"{column}: {name}" if len(columns) > 1 else str(name)
            rows.append((column, group, *found.bounds, found.n))
    return pd.DataFrame(rows, columns=["by", "group", "value", "low", "high", "n"])


def _natural(name: object) -> tuple[float, str]:
    """Sorts "1–5" before "11–15" and "none" before all texts."""
    text = str(name)
    number = re.search(r"\d+", text)
    return (float(number.group()) if number else -1.0 if text == "none" else 0.0), text


def calibration_curve(
    probabilities: ArrayLike, outcomes: ArrayLike, confidence: float = 0.95
) -> pd.DataFrame:
    """Fraction that came true among predictions in [0, 1] of about the same probability.

    Returns:
        predicted (mean of the bin), observed, low, high, n; empty bins are left out.
    """
    from sklearn.calibration import calibration_curve as curve

    observed, predicted = curve(outcomes, probabilities, n_bins=BINS)
    places = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], np.asarray(probabilities))
    values = pd.Series(np.asarray(outcomes)).groupby(places)
    found = [fraction(part, confidence) for _, part in values]
    columns = {"predicted": predicted, "observed": observed}
    return pd.DataFrame(
        columns | {name: [getattr(each, name) for each in found] for name in ("low", "high", "n")}
    )


def calibration_error(curve: pd.DataFrame) -> float:
    """Mean distance of prediction and observation over a calibration curve, weighted by n.

    Source: expected calibration error, Naeini et al. 2015.
    """
    return float(np.average((curve["predicted"] - curve["observed"]).abs(), weights=curve["n"]))
