"""Equivalence classes among a context's samples: what more samples, temperature, context bring.

A class is all realizations of one meaning. The method lives on classes with two or more of them,
since the diversity filter keeps about one pair of each; pairs within a class grow much faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import numpy as np
import pandas as pd

from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_mean, bootstrap_ratio

Meaning = Callable[[str], Hashable | None]

#: Columns of `growth` and what they count.
CLASS_MEASURES = {
    "strings": "different sentences",
    "meanings": "different meanings",
    "classes": "meanings said in two or more ways",
    "pairs": "equivalent pairs of different sentences",
    "per_100": "such meanings per 100 samples",
}


def steps_to(k: int) -> list[int]:
    """Ten numbers of samples in equal steps up to k; fewer where k is less than ten.

    >>> steps_to(100), steps_to(3)
    ([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], [1, 2, 3])
    """
    return sorted({round(k * (i + 1) / 10) for i in range(10)} - {0})


def growth(sentences: pd.DataFrame, meaning: Meaning, steps: Sequence[int]) -> pd.DataFrame:
    """What the first k samples of each context hold, for growing k.

    Args:
        sentences: SENTENCES; rejected samples count as samples and add nothing.
        meaning: sentence → what it says, or None where that is not known (`world.parse`).
        steps: values of k, in samples.

    Returns:
        A row per context and step: context_id, k, and the columns `CLASS_MEASURES`. Sentences
        without a meaning are counted as strings only; where no sentence at all has one, what needs
        meanings is NaN.
    """
    good = sentences[sentences["reason"] == ""]
    meanings = {text: meaning(text) for text in dict.fromkeys(good["text"])}
    known = any(one is not None for one in meanings.values())
    rows = []
    for name, group in sentences.groupby("context_id", sort=False):
        first = group[group["reason"] == ""].drop_duplicates("text")
        for k in steps:
            texts = first.loc[first["sample"] < k, "text"]
            sizes = Counter(one for text in texts if (one := meanings[text]) is not None).values()
            classes = sum(size > 1 for size in sizes)
            pairs = sum(size * (size - 1) // 2 for size in sizes)
            counts = [len(sizes), classes, pairs, 100 * classes / k]
            rows.append((name, k, len(texts), *(counts if known else [np.nan] * len(counts))))
    columns = ["context_id", "k", *CLASS_MEASURES]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(CLASS_MEASURES, float))


def class_means(grown: pd.DataFrame, by: str, bootstrap: Bootstrap) -> pd.DataFrame:
    """Means over contexts with intervals, for each value of a column `by` of `growth`, such as "k".

    Returns:
        axis (`by`), x (its value), series (a name of `CLASS_MEASURES`), value, low, high, n
        (contexts); with system, metric and signature it is METRIC_ROWS too.
    """
    rows = []
    for x, part in grown.groupby(by):
        for name, title in CLASS_MEASURES.items():
            mean = bootstrap_mean(part[name], part["context_id"], bootstrap)
            rows.append((by, float(str(x)), name, *mean.bounds, mean.n, f"{by} {x:g}", title))
    columns = ["axis", "x", "series", "value", "low", "high", "n", "system", "metric"]
    return pd.DataFrame(rows, columns=columns).assign(signature="oracle")


def half_of_all(grown: pd.DataFrame, measure: str, bootstrap: Bootstrap) -> Interval:
    """What half of the samples hold of a measure, as a fraction of what all hold.

    The step of `growth` nearest to half of the largest k stands for the half.
    """
    steps = sorted(set(grown["k"]))
    half = min(steps, key=lambda k: abs(k - steps[-1] / 2))
    table = grown.pivot(index="context_id", columns="k", values=measure)[[half, steps[-1]]].dropna()
    return bootstrap_ratio(table[half], table[steps[-1]], None, bootstrap)
