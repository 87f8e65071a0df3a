"""What the pictures of what only an oracle shows are, and what their numbers say, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impossible.experiments.critic_noise import level
from impossible.filtering.funnel import share_rows

__all__ = [
    "CAPTIONS", "accepted", "calibrated", "caption", "curves", "noisy", "precise",
    "rows", "sampled", "surviving",
]  # fmt: skip

#: Captions by the name of the picture or table; braces are filled by `caption`.
CAPTIONS = {
    "critic": "Precision and recall of the critic among the pairs that reached it, by "
    "construction, modifiers, numbers and length in words.",
    "accepted": "Pairs that are not equivalent, by the one respect in which they differ: the "
    "share that the critic accepts all the same.",
    "calibration": "Predicted entailment against its true share, for the direction that is asked "
    "first (the shorter sentence entails the longer) and the other, asked where the first is not "
    "refuted.",
    "survivors": "False pairs that survive all gates, by the respect in which they differ.",
    "noise": "True pairs of datasets of {pairs} pairs that a degraded critic accepts, and outputs "
    "of their students for {items} held-out sentences (for these, items are resampled).",
    "frontier": "{points} combinations of thresholds on the stored scores: unordered pairs kept, "
    "and the true share of them. A line joins entailment thresholds; lines of one mark differ in "
    "the largest ROUGE-L. Large marks: this run's point, and the better points that half of the "
    "contexts chose; the picture shows all contexts.",
    "better": "Points chosen on one half of the contexts and reported on the other.",
    "classes": "What the first samples of a context hold, mean over contexts: different sentences "
    "and meanings, meanings said in two or more ways (in all and per 100 samples), and equivalent "
    "pairs of different sentences.",
    "class_axes": "What {k} samples of a context hold, by sentences of the context ({contexts} "
    "contexts) and by temperature ({few} contexts).",
    "added": "{pairs} pairs each of D_T and D_para: constructions of the targets (picture); "
    "changes of form, words and lengths, x source, y target (table; numbers of different words "
    "with half-sample intervals).",
    "filters": "Filters of the paper and of the released code on the samples of {contexts} "
    "contexts: pairs left, and the true share of them.",
    "sampling": "Samples of the paper and of the released code (temperature {temperature:g}, no "
    "{no_repeat_ngram_size}-gram twice) with the filters of both, after the same {few} contexts.",
    "students": "Students of {noisy} pairs of a degraded critic and of {pairs} pairs of either "
    "code's filters, and paired differences, for {items} held-out sentences: faithful outputs, "
    "and faithful ones that differ enough from the source. By the oracle; items are resampled.",
}

UNKNOWN = "Nothing parses, so no truth is known."


def caption(name: str, source: str = "", **values: object) -> str:
    """The caption of a picture or table.

    Args:
        name: one of `CAPTIONS`.
        source: a last sentence: where the truth is from and what is resampled.
        values: for the braces.

    >>> caption("survivors", "By the oracle.")
    'False pairs that survive all gates, by the respect in which they differ. By the oracle.'
    """
    return f"{CAPTIONS[name].format(**values)} {source}".strip()


def rows(shares: pd.DataFrame, metric: str = "share, %") -> pd.DataFrame:
    """Shares of groups as METRIC_ROWS in per cent; a column `series` names the metric."""
    named = share_rows(shares, metric)
    return named.assign(metric=shares["series"]) if "series" in shares else named


def precise(table: pd.DataFrame) -> str:
    """Where precision and recall are worst.

    Args:
        table: `critic_errors.by_trait`.
    """
    wide = table.set_index(["series", "group"])[["value", "low", "high"]].dropna()
    if wide.empty:
        return UNKNOWN
    texts = []
    for name in ("precision", "recall"):
        whole, groups = wide.loc[name, "value"]["all pairs"], wide.loc[name].drop("all pairs")
        text = f"The critic's {name} is {100 * whole:.1f}%"
        if len(groups):
            worst = groups["value"].idxmin()
            found = groups.loc[worst]
            text += f", lowest in the group “{worst}”: {_interval(found)}"
        texts.append(text + ".")
    return " ".join(texts)


def accepted(table: pd.DataFrame) -> str:
    """Which differences the critic overlooks, and which it never does.

    Args:
        table: `critic_errors.false_acceptance`.
    """
    if table.empty or list(table["group"]) == ["outside the grammar"]:
        return UNKNOWN
    first, never = table.iloc[0], table.loc[table["value"] == 0, "group"]
    seen = ", ".join(f"{name}" for name in never) or "no kind"
    return (
        f"Of pairs that differ in “{first['group']}” alone the critic accepts {_interval(first)}, "
        f"the most of all kinds. It accepts no pair of these kinds: {seen}."
    )


def calibrated(curve: pd.DataFrame) -> str:
    """What the highest probabilities are worth.

    Args:
        curve: `critic_errors.calibration`.
    """
    if not curve["n"].sum():
        return UNKNOWN
    texts = []
    for name, part in curve.groupby("series", sort=False):
        top, share = part.iloc[-1], part["n"].iloc[-1] / part["n"].sum()
        texts.append(
            f"{str(name).capitalize()}: predictions about {top['predicted']:.2f}, "
            f"{100 * share:.0f}% of all, are true in {_interval(top, 'observed')} of cases."
        )
    return " ".join(texts)


def surviving(table: pd.DataFrame) -> str:
    """The most frequent kind of false pair in each dataset, and its share of the false ones.

    Args:
        table: `critic_errors.survivors`.
    """
    if table.loc[table["group"] == "outside the grammar", "value"].eq(1).any():
        return UNKNOWN
    texts = []
    for name, part in table.groupby("series", sort=False):
        total, top = part["count"].sum(), part.loc[part["count"].idxmax()]
        what = f"; {int(top['count'])} of them: {top['group']}" if total else ""
        texts.append(f"{name} holds {total:,} false pairs of {int(top['n']):,}{what}.")
    return " ".join(texts)


def noisy(chain: pd.DataFrame) -> str:
    """How far an error of the critic goes.

    Args:
        chain: `noise.chain`.
    """
    value = chain.pivot(index="noise", columns="metric", values="value")
    low, high = value.index.min(), value.index.max()
    if value.isna().to_numpy().any() or low == high:
        return UNKNOWN
    first, last = value.loc[low], value.loc[high]
    data, student = last["pairs true"] - first["pairs true"], last["fidelity"] - first["fidelity"]
    return (
        f"From {level(low)} to {level(high)} the true pairs of the dataset go from "
        f"{first['pairs true']:.0f}% to {last['pairs true']:.0f}%, faithful outputs from "
        f"{first['fidelity']:.0f}% to {last['fidelity']:.0f}%. A point of truth lost in the "
        f"dataset costs the student {student / data if data else np.nan:.2f} points."
    )


def curves(means: pd.DataFrame, measure: str, label: str) -> str:
    """Where along each axis a count is highest.

    Args:
        means: `classes.means` with the column `axis`.
        measure: a name of `classes.MEASURES`.
        label: what is counted, in words.
    """
    texts = []
    for axis, part in means[means["series"] == measure].dropna().groupby("axis", sort=False):
        best, worst = part.loc[part["value"].idxmax()], part.loc[part["value"].idxmin()]
        texts.append(
            f"By {axis}, {label} are most at {best['x']:g} ({best['value']:.1f}, {best['low']:.1f} "
            f"to {best['high']:.1f}) and fewest at {worst['x']:g} ({worst['value']:.1f}, "
            f"{worst['low']:.1f} to {worst['high']:.1f})."
        )
    return " ".join(texts) or UNKNOWN


def sampled(measured: pd.DataFrame, first: str, second: str) -> str:
    """Yield and truth of two variants, in two sentences.

    Args:
        measured: `variants.measured`.
        first, second: names of variants.
    """
    found = measured.set_index(["metric", "system"])
    texts = []
    for metric in ("pairs per context", "pairs true, %"):
        a, b = (found.loc[(metric, name)] for name in (first, second))
        if np.isnan(a["value"]) or np.isnan(b["value"]):
            return UNKNOWN
        texts.append(
            f"{metric.capitalize()}: {first} {_interval(a, scale=1)}, "
            f"{second} {_interval(b, scale=1)}."
        )
    return " ".join(texts)


def _interval(row: pd.Series, column: str = "value", scale: float = 100) -> str:
    """A share with its bounds: `39.5% (34.1 to 45.0)`."""
    value, low, high = (scale * float(row[name]) for name in (column, "low", "high"))
    return f"{value:.1f}{'%' * (scale == 100)} ({low:.1f} to {high:.1f})"
