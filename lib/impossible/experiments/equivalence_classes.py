"""Equivalence classes among the samples of a context: what more samples, heat or context bring.

A class is all wordings of one meaning. The method lives on classes with two or more wordings, since
the diversity filter keeps about one pair of each; pairs within a class grow much faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_mean, bootstrap_ratio

__all__ = ["MEASURES", "growth", "means", "reading", "rows", "share_of_last", "steps_to"]

Meaning = Callable[[str], Hashable | None]

#: Columns of `growth` and what they count.
MEASURES = {
    "strings": "different sentences",
    "meanings": "different meanings",
    "classes": "meanings said in two or more ways",
    "pairs": "equivalent pairs of different sentences",
    "per_100": "such meanings per 100 samples",
}


def steps_to(k: int, n: int = 10) -> list[int]:
    """About n numbers of samples in equal steps up to k, from the first step on.

    >>> steps_to(100), steps_to(16, 4)
    ([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], [4, 8, 12, 16])
    """
    return sorted({round(k * (i + 1) / n) for i in range(n)} - {0})


def growth(sentences: pd.DataFrame, meaning: Meaning, steps: Sequence[int]) -> pd.DataFrame:
    """What the first k samples of each context hold, for growing k.

    Args:
        sentences: SENTENCES; refused samples count as samples and add nothing.
        meaning: sentence → what it says, or None where that is not known (`oracle.parse`).
        steps: values of k, in samples.

    Returns:
        A row per context and step: context_id, k, and the columns `MEASURES`. Sentences without a
        meaning are counted as strings only; where no sentence at all has one, what needs meanings
        is NaN.

    Example:
        Of "a", "b", "a", "c", where a and b mean the same, the first two give one class with one
        pair; all four give three strings, two meanings, one class and one pair.
    """
    good = sentences[sentences["reason"] == ""]
    said = {text: meaning(text) for text in dict.fromkeys(good["text"])}
    known = any(one is not None for one in said.values())
    rows = []
    for name, group in sentences.groupby("context_id", sort=False):
        first = group[group["reason"] == ""].drop_duplicates("text")
        for k in steps:
            there = first.loc[first["sample"] < k, "text"]
            sizes = Counter(one for text in there if (one := said[text]) is not None).values()
            classes = sum(size > 1 for size in sizes)
            pairs = sum(size * (size - 1) // 2 for size in sizes)
            counts = [len(sizes), classes, pairs, 100 * classes / k]
            rows.append((name, k, len(there), *(counts if known else [np.nan] * len(counts))))
    columns = ["context_id", "k", *MEASURES]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(MEASURES, float))


def means(grown: pd.DataFrame, by: str, params: Params) -> pd.DataFrame:
    """Means over contexts with intervals, for each value of a column.

    Args:
        grown: `growth`, perhaps with more columns.
        by: for example "k", "n_sentences" or "temperature".
        params: reads seed, bootstrap_samples, confidence.

    Returns:
        x (the value of `by`), series (a name of `MEASURES`), value, low, high, n (contexts).
    """
    rows = []
    for x, part in grown.groupby(by):
        for name in MEASURES:
            found = bootstrap_mean(
                part[name], part["context_id"], Bootstrap.from_params(params),
            )  # fmt: skip
            rows.append((float(str(x)), name, found.value, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=["x", "series", "value", "low", "high", "n"])


def rows(found: pd.DataFrame) -> pd.DataFrame:
    """`means` as METRIC_ROWS; a column `axis` is part of the name."""
    names = [f"{axis} {x:g}" for axis, x in zip(found["axis"], found["x"], strict=True)]
    titles = found["series"].map(MEASURES)
    table = found.assign(system=names, metric=titles, signature="oracle")
    return table[["system", "metric", "value", "low", "high", "n", "signature"]]


def share_of_last(grown: pd.DataFrame, measure: str, params: Params) -> Interval:
    """What half of the samples already hold, as a share of what all hold, contexts resampled.

    Args:
        grown: `growth`; the step nearest to half of the largest k stands for the half.
        measure: a name of `MEASURES`.
        params: as for `means`.
    """
    ks = sorted(set(grown["k"]))
    half = min(ks, key=lambda k: abs(k - ks[-1] / 2))
    table = grown.pivot(index="context_id", columns="k", values=measure)[[half, ks[-1]]].dropna()
    return bootstrap_ratio(table[half], table[ks[-1]], None, Bootstrap.from_params(params))


def reading(grown: pd.DataFrame, params: Params) -> str:
    """Whether many samples pay, in two sentences."""
    k = max(grown["k"])
    classes, pairs = (share_of_last(grown, name, params) for name in ("classes", "pairs"))
    rate = means(grown, "k", params).query("series == 'per_100'").set_index("x")["value"]
    if not np.isfinite(classes.value):
        return "Nothing parses, so no meaning is known."
    return (
        f"Half of the {k} samples already hold {100 * classes.value:.0f}% "
        f"({100 * classes.low:.0f} to {100 * classes.high:.0f}) of the meanings said in two or "
        f"more ways, and {100 * pairs.value:.0f}% of the equivalent pairs. The yield of such "
        f"meanings per 100 samples is {rate.iloc[-1]:.1f} at {k} samples and highest, "
        f"{rate.max():.1f}, at {rate.idxmax():.0f}."
    )
