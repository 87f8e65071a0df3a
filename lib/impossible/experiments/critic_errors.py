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

from impossible.config.params import Params
from impossible.evaluation.bootstrap import Bootstrap
from impossible.filtering.funnel import precision_recall, share_by_group

__all__ = [
    "by_trait", "calibration", "directed", "false_acceptance", "survivors", "traits",
    "unordered",
]  # fmt: skip

#: Last words by which constructions form families; others stand for themselves.
FAMILIES = ("passive", "cleft", "relative", "nominalization", "existential")
BANDS = (10, 15, 20)  # words: the last of each band of lengths
RAREST = 30  # pairs: a group with fewer is not shown


def unordered(pairs: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Each unordered pair of a context once, with the critic's decision.

    Args:
        pairs: PAIRS; a pair may stand there in one order or in both.
        threshold: least P_NLI in both directions, [0, 1]; a direction that was not computed counts
            as refused, because the other lies below the floor.

    Returns:
        context_id, x (the shorter text: its direction was asked first), y, p_xy, p_yx, accepted.
    """
    x, y = pairs["x"], pairs["y"]
    first = (x.str.len() < y.str.len()) | ((x.str.len() == y.str.len()) & (x <= y))
    columns = {
        "context_id": pairs["context_id"],
        "x": x.where(first, y),
        "y": y.where(first, x),
        "p_xy": pairs["p_xy"].where(first, pairs["p_yx"]),
        "p_yx": pairs["p_yx"].where(first, pairs["p_xy"]),
    }
    once = pd.DataFrame(columns).drop_duplicates(["context_id", "x", "y"]).reset_index(drop=True)
    least = np.float32(threshold)
    return once.assign(accepted=(once["p_xy"] >= least) & (once["p_yx"] >= least))


def family(construction: str, negated: bool = False) -> str:
    """The family of a construction: "negation", one of `FAMILIES`, or its own name.

    >>> family("short passive"), family("pseudo-cleft"), family("failure", True), family("active")
    ('passive', 'cleft', 'negation', 'active')
    """
    if negated:
        return "negation"
    return next((name for name in FAMILIES if construction.endswith(name)), construction)


def traits(known: Mapping[str, Mapping[str, object]]) -> pd.DataFrame:
    """Which groups each sentence belongs to, as a table of bool.

    Args:
        known: sentence → construction, negated, modifiers (joined by "+"), counted and words, as
            `oracle.traits` gives them; a sentence with none belongs to no group.

    Returns:
        A row per sentence; a column per group: families of constructions, "modifier: KIND" and
        "modifier: none", "number", and "words: …".
    """
    parsed = {text: found for text, found in known.items() if found}
    columns: dict[str, dict[str, bool]] = {}
    for text, found in parsed.items():
        groups = [family(str(found["construction"]), bool(found["negated"]))]
        groups += [f"modifier: {kind}" for kind in str(found["modifiers"]).split("+")]
        groups += ["number"] * bool(found["counted"]) + [
            f"words: {_band(int(str(found['words'])))}"
        ]
        for group in groups:
            columns.setdefault(group, {})[text] = True
    order = sorted(columns, key=_place)
    table = pd.DataFrame(columns, index=list(known), columns=order)
    return table.notna()


def _band(words: int) -> str:
    """The band of lengths that a number of words falls in.

    >>> _band(10), _band(11), _band(30)
    ('1–10', '11–15', '21 or more')
    """
    starts = (1, *(last + 1 for last in BANDS))
    for start, last in zip(starts, BANDS, strict=False):
        if words <= last:
            return f"{start}–{last}"
    return f"{starts[-1]} or more"


def _place(group: str) -> tuple[int, float, str]:
    """Constructions first, then modifiers, number, and lengths from short to long."""
    kind = ["modifier", "number", "words"]
    start = group.partition(":")[0]
    digits = "".join(c if c.isdigit() else " " for c in group).split()
    place = kind.index(start) + 1 if start in kind else 0
    return place, float(digits[0]) if digits else -1.0 * group.endswith("none"), group


def by_trait(judged: pd.DataFrame, groups: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Precision and recall of the critic by what a pair is made of.

    Args:
        judged: `unordered` with the column `true` (1, 0, or NaN: not known, left out).
        groups: `traits`; a pair belongs to every group that one of its sentences belongs to.
        params: reads seed, bootstrap_samples, confidence.

    Returns:
        group ("all pairs" first), series ("precision" or "recall"), value, low, high, n; groups
        with fewer than `RAREST` pairs to divide by are left out.
    """
    member = {name: set(groups.index[groups[name]]) for name in groups}
    masks = {"all pairs": np.ones(len(judged), dtype=bool)}
    for name, texts in member.items():
        masks[name] = (judged["x"].isin(texts) | judged["y"].isin(texts)).to_numpy()
    parts = []
    for name, inside in masks.items():
        rows = judged[inside & judged["true"].notna().to_numpy()]
        found = precision_recall(
            rows["accepted"],
            rows["true"],
            rows["context_id"],
            bootstrap=Bootstrap.from_params(params),
        )
        parts.append(found.rename(columns={"group": "series"}).assign(group=name))
    table = pd.concat(parts, ignore_index=True)
    frequent = table.groupby("group")["n"].transform("min") >= RAREST
    columns = ["group", "series", "value", "low", "high", "n"]
    return table.loc[frequent | (table["group"] == "all pairs"), columns].reset_index(drop=True)


def false_acceptance(judged: pd.DataFrame, params: Params) -> pd.DataFrame:
    """The share of pairs that differ in one respect alone which the critic accepts all the same.

    Args:
        judged: `unordered` with `difference` (`oracle.differences`); "" is no difference.
        params: as for `by_trait`.

    Returns:
        As `corpora.share_by_group`, the largest share first; no group below `RAREST` pairs.
    """
    wrong = judged[judged["difference"] != ""]
    shares = share_by_group(
        wrong["accepted"].astype(float), list(wrong["difference"]), wrong["context_id"],
        bootstrap=Bootstrap.from_params(params),
    )  # fmt: skip
    frequent = shares[shares["n"] >= RAREST]
    return frequent.sort_values("value", ascending=False, kind="stable").reset_index(drop=True)


def directed(judged: pd.DataFrame, truth: ArrayLike, back: ArrayLike) -> pd.DataFrame:
    """Both directions of every pair as predictions of entailment, one row each.

    Args:
        judged: `unordered`.
        truth: 1, 0 or NaN, whether x entails y, shape (n,).
        back: the same for y and x.

    Returns:
        context_id, series ("asked first" or "asked back"), p, true; without what was not computed
        or is not known. The second direction is asked only where the first is not refuted.
    """
    sides = {"asked first": ("p_xy", truth), "asked back": ("p_yx", back)}
    parts = [
        pd.DataFrame(
            {
                "context_id": judged["context_id"], "series": name, "p": judged[column],
                "true": np.asarray(known, dtype=float),
            }
        )
        for name, (column, known) in sides.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True).dropna()


def calibration(predictions: pd.DataFrame, params: Params, bins: int = 10) -> pd.DataFrame:
    """Share that is true among predictions of about the same probability, as figures draw it.

    Args:
        predictions: `directed`.
        params: as for `by_trait`.
        bins: of equal width over [0, 1]; empty ones are left out.

    Returns:
        series, predicted (mean of the bin), observed, low, high, n; without predictions one row
        that has n = 0.
    """
    parts = []
    for name, rows in predictions.groupby("series", sort=False):
        place = np.minimum((rows["p"] * bins).astype(int), bins - 1)
        order = sorted(set(place))
        shares = share_by_group(
            rows["true"],
            list(place),
            rows["context_id"],
            order=order,
            bootstrap=Bootstrap.from_params(params),
        )
        mean = rows["p"].astype(float).groupby(place).mean().loc[order].to_numpy()
        shares = shares.rename(columns={"value": "observed"}).drop(columns="group")
        parts.append(shares.assign(predicted=mean, series=name))
    if not parts:  # a picture with a gap, not an error
        parts = [pd.DataFrame({"series": ["asked first"], "n": 0})]
    columns = ["series", "predicted", "observed", "low", "high", "n"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def survivors(
    corpora: Mapping[str, pd.DataFrame], params: Params, expected: Sequence[str] = ()
) -> pd.DataFrame:
    """Which kinds of false pair a dataset holds, as shares of all its pairs.

    Args:
        corpora: name → DATASET with `difference`.
        params: as for `by_trait`.
        expected: kinds shown even where none is left.

    Returns:
        group (kind of difference, the most frequent over all corpora first), series (corpus),
        value, low, high, n (pairs of the corpus), count (of this kind).
    """
    totals = pd.concat([frame["difference"] for frame in corpora.values()]).value_counts()
    shares = sum(frame["difference"].value_counts(normalize=True).reindex(totals.index).fillna(0)
                 for frame in corpora.values())  # fmt: skip
    names = [name for name in pd.Series(shares).sort_values(ascending=False).index if name]
    rows = []
    for kind in dict.fromkeys([*names, *expected]):
        for corpus, frame in corpora.items():
            hit = (frame["difference"] == kind).astype(float)
            share = share_by_group(
                hit, [kind] * len(hit), frame["context_id"], bootstrap=Bootstrap.from_params(params)
            )
            rows.append(share.assign(series=corpus, count=int(hit.sum())))
    columns = ["group", "series", "value", "low", "high", "n", "count"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)
