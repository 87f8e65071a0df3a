"""What ratings say: Krippendorff's alpha, mean ratings with intervals, the paper's Table 3.

Every number made of synthetic ratings is named "synthetic: …", wherever it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import metadata
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.data.run_folder import item_rng
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_mean, half_samples
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.human.forms import SCALE
from impossible.evaluation.human.returned_ratings import SYNTHETIC
from impossible.evaluation.metric_rows import MetricRows
from impossible.text.signature import signature

PAPER_ALPHA = 0.62  # the paper says neither for which question nor at which level of measurement


def alpha(ratings: pd.DataFrame) -> float:
    """Krippendorff's alpha at the ordinal level: 1 full agreement, 0 chance, below 0 worse.

    `ratings` has unit and value, a row per rater and unit, of *one* question. NaN with one rater,
    or where all gave one value.

    Source: Krippendorff 2011; the `krippendorff` package.

    >>> round(alpha(pd.DataFrame({"unit": list("aabbcc"), "value": [1, 1, 3, 3, 1, 3]})), 3)
    0.444
    """
    return _alpha(_counts(ratings))


def _counts(ratings: pd.DataFrame) -> NDArray[np.int64]:
    """How many raters gave each value, shape (units, 3), by unit."""
    counts = pd.crosstab(ratings["unit"], ratings["value"])
    return np.asarray(counts.reindex(columns=list(SCALE), fill_value=0))


def _alpha(counts: NDArray[np.int64], chosen: NDArray[np.bool_] | slice = slice(None)) -> float:
    counts = counts[chosen]
    paired = counts[counts.sum(axis=1) > 1]
    if np.count_nonzero(paired.sum(axis=0)) < 2:  # nothing to disagree about, or nobody to
        return float("nan")
    return float(
        krippendorff.alpha(value_counts=paired, value_domain=SCALE, level_of_measurement="ordinal")
    )


def agreement_rows(ratings: pd.DataFrame, bootstrap: Bootstrap = Bootstrap()) -> pd.DataFrame:
    """Alpha of each question as METRIC_ROWS of the system "agreement".

    Resampled are items, all their outputs together, without replacement (`half_samples`): a copy
    of a unit would agree with itself.
    """
    raters, origin = ratings["rater"].nunique(), ratings["origin"].iloc[0]
    items = ratings.groupby("unit")["item"].first().to_numpy()
    out = MetricRows(_mark(ratings) + "agreement", items, bootstrap)
    for name in dict.fromkeys(ratings["question"]):
        counts = _counts(_of(ratings, name))
        if np.isnan(_alpha(counts)):
            twice = bool((counts.sum(axis=1) > 1).any())
            out.missing(name, "all answers are alike" if twice else "no output has two raters")
            continue

        interval = half_samples(partial(_alpha, counts), items, bootstrap)
        text = signature(
            "alpha", n=interval.n, level="ordinal", raters=raters, ratings=origin,
            lib=f"krippendorff:{metadata.version('krippendorff')}",
        )  # fmt: skip
        out.add(name, interval, text)
    return out.frame()


def _of(frame: pd.DataFrame, question: str) -> pd.DataFrame:
    return frame[frame["question"] == question]


def mean_rating_rows(
    ratings: pd.DataFrame, key: Mapping[str, Any], bootstrap: Bootstrap = Bootstrap()
) -> pd.DataFrame:
    """Mean rating per system and question as METRIC_ROWS, items resampled (Table 3).

    The mean is over raters first, then over items. An output that several systems wrote (the kit's
    `key` says which) counts for each of them.
    """
    means = _means(ratings, key)
    raters, origin = ratings["rater"].nunique(), ratings["origin"].iloc[0]
    parts = []
    for system in key["systems"]:
        own = means[means["system"] == system]
        rows = MetricRows(_mark(ratings) + system, None, bootstrap)
        for name in key["questions"]:
            rows.mean(name, _of(own, name)["value"], scale="1..3", raters=raters, ratings=origin)
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def _means(ratings: pd.DataFrame, key: Mapping[str, Any]) -> pd.DataFrame:
    """Mean over raters: unit, item, question, value, system; a row for each that wrote the unit."""
    means = ratings.groupby(["unit", "item", "question"], as_index=False)["value"].mean()
    means["system"] = means["unit"].map(lambda unit: key["units"][unit]["systems"])
    return means.explode("system")


def ratings_expected(
    ratings: pd.DataFrame, key: Mapping[str, Any], alphas: pd.DataFrame,
    bootstrap: Bootstrap = Bootstrap(),
) -> list[Expected]:  # fmt: skip
    """What notebook 16 expects of people, with what was found.

    Args:
        ratings, key: as for `mean_rating_rows`; systems are compared item by item.
        alphas: of `agreement_rows`, and of shuffled ratings, their system named "…, shuffled".
        bootstrap: over items.
    """
    head, means = _mark(ratings), _means(ratings, key)
    ours, teachers = "M_para", [name for name in key["systems"] if name.startswith("teacher")]
    asked = [("faithful", name, 0.0) for name in teachers if "best of" not in name]
    asked.append(("dissimilar", "student", -0.1))
    expected = []
    for question, other, bound in asked:
        table = _of(means, question).pivot(index="item", columns="system", values="value")
        table = table.reindex(columns=[ours, other]).astype(float)
        gain = bootstrap_mean(table[ours] - table[other], None, bootstrap)
        said = f"{head}{question}, {ours} − {other}"
        expected.append(Expected(said, gain, over=bound, digits=2))
    for row in alphas.itertuples():
        found = interval_of(alphas, str(row.system), str(row.metric))
        said = f"{head}α, {row.metric}"
        if str(row.system).endswith("shuffled"):
            expected.append(Expected(f"{said}, shuffled", found, under=0.1, digits=2))
        else:
            expected.append(Expected(said, found, over=0, digits=2))
    return expected


def _mark(ratings: pd.DataFrame) -> str:
    """Mark that the name of every number from synthetic ratings begins with."""
    return f"{SYNTHETIC}: " if (ratings["origin"] == SYNTHETIC).any() else ""


def shuffled_ratings(ratings: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The same values, each rater's given to other outputs: the control with the signal destroyed.

    Values stay with their rater and question, so that only the agreement is lost.
    """
    parts = []
    for (rater, question), rows in ratings.groupby(["rater", "question"]):
        rng = item_rng(seed, f"ratings of {rater}, shuffled", question)
        parts.append(rows.assign(value=rng.permutation(rows["value"])))
    return pd.concat(parts).sort_index()
