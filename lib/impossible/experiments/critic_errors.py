"""Where a critic errs, once the truth about every pair is known: by trait, by difference, by score.

Pairs are unordered here: the decision about (x, y) is that about (y, x), and counting both would
count everything twice. The truth comes in as columns; nothing here asks an oracle. Intervals
resample contexts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from impossible.evaluation.bootstrap import Bootstrap, bootstrap_contrast
from impossible.evaluation.expectations import Expected, per_cent
from impossible.evaluation.fractions import fraction_by_group, precision_recall, value_fractions

#: Last words by which constructions form families; others stand for themselves.
FAMILIES = ("passive", "cleft", "relative", "nominalization", "existential")
LENGTH_BANDS = {"1–10": 0, "11–15": 10, "16–20": 15, "21 or more": 20}  # words: more than
RAREST = 30  # pairs: a group with fewer is not shown
_BINS = 10  # of a calibration curve: a tenth of the range of probabilities each

OUTSIDE = "outside the grammar"  # as `oracle.named_differences` calls it

Traits = Mapping[str, Mapping[str, object]]  # sentence → `oracle.traits`


def unordered(pairs: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Each unordered pair of a context once, with the critic's decision.

    A direction of PAIRS that was not computed counts as rejected: the other lies below the floor.

    Returns:
        context_id, x (the shorter text: its direction was asked first), y, p_xy, p_yx, accepted.
    """
    x, y = pairs["x"], pairs["y"]
    first = (x.str.len() < y.str.len()) | ((x.str.len() == y.str.len()) & (x <= y))
    swapped = pairs.rename(columns={"x": "y", "y": "x", "p_xy": "p_yx", "p_yx": "p_xy"})
    columns = ["context_id", "x", "y", "p_xy", "p_yx"]
    once = pairs[columns].where(first, swapped[columns], axis=0)
    once = once.drop_duplicates(columns[:3]).reset_index(drop=True)
    return once.assign(accepted=(once[columns[3:]] >= np.float32(threshold)).all(axis=1))


def family(construction: str, negated: bool = False) -> str:
    """The family of a construction: "negation", one of `FAMILIES`, or its own name.

    >>> family("short passive"), family("pseudo-cleft"), family("failure", True), family("active")
    ('passive', 'cleft', 'negation', 'active')
    """
    if negated:
        return "negation"
    return next((name for name in FAMILIES if construction.endswith(name)), construction)


def trait_groups(known: Traits) -> pd.DataFrame:
    """Which groups each sentence belongs to: a row of bool per sentence.

    Groups are families of constructions, "modifier: KIND", "number" and "words: BAND". A sentence
    without known traits (construction, negated, modifiers joined by "+", counted, words) is in
    none.
    """
    parsed = {text: dict(found) for text, found in known.items() if found}
    table = pd.DataFrame.from_dict(parsed, orient="index")
    if table.empty:
        return pd.DataFrame(index=list(known))
    both = zip(table["construction"], table["negated"], strict=True)
    form = [family(str(construction), bool(negated)) for construction, negated in both]
    bands = pd.cut(
        table["words"].astype(int), [*LENGTH_BANDS.values(), np.inf], labels=list(LENGTH_BANDS)
    )
    parts = [
        pd.get_dummies(pd.Series(form, table.index)),
        table["modifiers"].astype(str).str.get_dummies("+").astype(bool).add_prefix("modifier: "),
        table[["counted"]].astype(bool).rename(columns={"counted": "number"}),
        pd.get_dummies(bands).add_prefix("words: "),
    ]
    groups = pd.concat(parts, axis=1).reindex(list(known), fill_value=False)
    return groups.loc[:, groups.any()]


def by_trait(judged: pd.DataFrame, groups: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Precision and recall of the critic by what a pair is made of.

    Args:
        judged: `unordered` with the column `true` (1, 0, or NaN: not known, left out).
        groups: `trait_groups`; a pair belongs to every group that a sentence of it belongs to.

    Returns:
        group ("all pairs" first), series ("precision" or "recall"), value, low, high, n; groups
        with fewer than `RAREST` pairs to divide by are left out.
    """
    known = judged[judged["true"].notna()]
    sides = [groups.reindex(known[side], fill_value=False).to_numpy(bool) for side in ("x", "y")]
    member = pd.DataFrame(sides[0] | sides[1], known.index, groups.columns)
    member.insert(0, "all pairs", True)
    parts = []
    for name in member:
        rows = known[member[name]]
        found = precision_recall(rows["accepted"], rows["true"], rows["context_id"], bootstrap)
        if name == "all pairs" or found["n"].min() >= RAREST:
            parts.append(found.rename(columns={"group": "series"}).assign(group=name))
    columns = ["group", "series", "value", "low", "high", "n"]
    return pd.concat(parts, ignore_index=True)[columns]


def false_acceptance(judged: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """The fraction of pairs differing in one respect alone that the critic accepts all the same.

    `judged` has `difference` (`oracle.named_differences`; "": none). The rows of
    `fraction_by_group`, the largest first; no group below `RAREST` pairs, and without any one row
    with n = 0.
    """
    wrong = judged[judged["difference"] != ""]
    found = fraction_by_group(
        wrong["accepted"].astype(float), list(wrong["difference"]), wrong["context_id"], bootstrap
    )
    frequent = found[found["n"] >= RAREST]
    if frequent.empty:
        return pd.DataFrame({"group": ["any respect"], "n": 0}).reindex(columns=found.columns)
    return frequent.sort_values("value", ascending=False, kind="stable").reset_index(drop=True)


def directed(judged: pd.DataFrame, truth: ArrayLike, back: ArrayLike) -> pd.DataFrame:
    """Both directions of every pair as predictions of entailment, one row each.

    `truth` says whether x entails y (1, 0 or NaN, shape (n,)), `back` the same for y and x.

    Returns:
        context_id, series ("asked first" or "asked back"), p, true; without what was not computed
        or is not known. The second direction is asked only where the first is not refuted.
    """
    sides = {"asked first": ("p_xy", truth), "asked back": ("p_yx", back)}
    parts = [
        judged[["context_id"]].assign(series=name, p=judged[column], true=np.asarray(known, float))
        for name, (column, known) in sides.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna()


def calibration(predictions: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Fraction that is true among predictions (`directed`) of about the same probability.

    Returns:
        series, predicted (mean of the bin), observed, low, high, n; empty bins are left out, and
        without predictions there is one row with n = 0.
    """
    parts = [pd.DataFrame({"series": ["asked first"], "n": 0})] if predictions.empty else []
    for name, rows in predictions.groupby("series", sort=False):
        place = np.minimum((rows["p"] * _BINS).astype(int), _BINS - 1)
        order = sorted(set(place))
        found = fraction_by_group(rows["true"], list(place), rows["context_id"], bootstrap, order)
        mean = rows["p"].astype(float).groupby(place).mean()
        found = found.rename(columns={"group": "predicted", "value": "observed"})
        parts.append(found.assign(predicted=found["predicted"].map(mean), series=name))
    columns = ["series", "predicted", "observed", "low", "high", "n"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def survivors(
    corpora: Mapping[str, pd.DataFrame], bootstrap: Bootstrap, expected: Sequence[str] = ()
) -> pd.DataFrame:
    """Which kinds of false pair a dataset holds, as fractions of all its pairs.

    Args:
        corpora: name → DATASET with `difference`.
        expected: kinds shown even where none is left.

    Returns:
        group (kind of difference, the most frequent over all corpora first), series (corpus),
        value, low, high, n (pairs of the corpus).
    """
    named = {name: frame["difference"] for name, frame in corpora.items()}
    frequency = pd.DataFrame({n: d.value_counts(normalize=True) for n, d in named.items()})
    order = frequency.fillna(0).sum(axis=1).sort_values(ascending=False).index
    return value_fractions(
        corpora, "difference", [*dict.fromkeys([*filter(None, order), *expected])], bootstrap
    )


def apart(rows: pd.DataFrame) -> float:
    """How many rows have an interval that lies apart from that of another row; NaN if below two.

    >>> apart(pd.DataFrame({"low": [1, 2, 5], "high": [3, 4, 6]}))
    3.0
    """
    known = rows.dropna(subset=["low", "high"])
    if len(known) < 2:
        return float("nan")
    separate = (known["low"] > known["high"].min()) | (known["high"] < known["low"].max())
    return float(separate.sum())


def errors_expected(
    traits: pd.DataFrame, judged: pd.DataFrame, curve: pd.DataFrame, bootstrap: Bootstrap
) -> list[Expected]:
    """What notebook 22a expects of a critic that errs evenly and knows what it does not know.

    Args:
        traits: `by_trait`; constructions are the groups that are no modifier, number or length.
        judged: `unordered` with `difference`.
        curve: `calibration`.
    """
    other = traits["group"].str.contains(":") | traits["group"].isin(["all pairs", "number"])
    precision = traits[~other & (traits["series"] == "precision")]
    false = judged[~judged["difference"].isin(["", OUTSIDE])]
    several = false["difference"] == "several"
    accepted, contexts = false["accepted"].astype(float), false["context_id"]
    more = bootstrap_contrast(
        accepted[~several], accepted[several], contexts[~several], contexts[several], bootstrap
    )
    known = curve.reindex(columns=["predicted", "low", "high"]).dropna()
    off = (known["predicted"] < known["low"]) | (known["predicted"] > known["high"])
    return [
        Expected(
            f"constructions (of {len(precision)}) whose precision lies apart from another's, count",
            apart(precision),
            under=1,
        ),
        Expected(
            "accepted, pairs that differ in one respect minus in several, % points",
            per_cent(more),
            over=0,
            digits=2,
        ),
        Expected(
            f"bins of probability (of {len(known)}) that leave the diagonal, count",
            float(off.sum()) if len(known) else float("nan"),
            under=1,
        ),
    ]
