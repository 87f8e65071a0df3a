"""What tables and pictures of pairs and corpora are made of.

Cheap arithmetic over saved scores: nothing here loads a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from impossible.config.params import Params
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_mean

__all__ = [
    "check_funnel", "chosen_by_chance", "continued", "distinct_pairs", "dropped_by",
    "example_context", "funnel_table", "nearest_to", "pair_edges",
    "precision_recall", "sensitivity", "share_by_group", "share_rows",
]  # fmt: skip


def check_funnel(funnel: pd.DataFrame, expected: Mapping[str, int], item: str) -> int:
    """Check that nothing was lost: per item, dropped + kept = what came in.

    Args:
        funnel: `reason`, `n` and the column `item`.
        expected: item → number of pairs that came in.
        item: name of the item column.

    Returns:
        The number of pairs that came in, over all items.

    Raises:
        DataError: an item whose counts do not add up; this is a bug, not the user's fault.
    """
    found = funnel.groupby(item)["n"].sum().to_dict()
    for name in sorted({*found, *expected}):
        if found.get(name, 0) != expected.get(name, 0):
            raise DataError(
                f"{item} {name}: {expected.get(name, 0):,} pairs came in and "
                f"{found.get(name, 0):,} are accounted for; rerun the stage with --force."
            )
    return int(sum(expected.values()))


def funnel_table(
    funnel: pd.DataFrame, order: Sequence[str] | None = None, kept: str = "kept"
) -> pd.DataFrame:
    """The funnel summed over items: reason, n, share of what came in, share of what was left.

    Args:
        funnel: `reason`, `n`.
        order: reasons in the order in which they are tested; by default that of the frame. A
            reason that dropped nothing is shown with 0.
        kept: the reason that means "not dropped"; it comes last.
    """
    counts = funnel.groupby("reason", sort=False)["n"].sum()
    named = dict.fromkeys([*(order or []), *counts.index])
    reasons = [*(reason for reason in named if reason != kept), kept]
    table = pd.DataFrame({"reason": reasons, "n": [int(counts.get(r, 0)) for r in reasons]})
    left = table["n"].sum() - table["n"].cumsum() + table["n"]  # what reached this test
    table["of all"] = table["n"] / max(1, table["n"].sum())
    table["of those left"] = table["n"] / left.clip(lower=1)
    return table


def sensitivity(
    measure: Callable[[Params], Mapping[str, object]],
    params: Params,
    grid: Mapping[str, Sequence[float]],
) -> pd.DataFrame:
    """What one changed parameter at a time does.

    Args:
        measure: parameters → numbers by name, from saved scores.
        params: this run's parameters; other values stay as they are.
        grid: parameter → values to try. This run's value is added.

    Returns:
        parameter, value, this_run (bool) and the numbers; values rise within a parameter.
    """
    rows = []
    for name, tried in grid.items():
        here = getattr(params, name)
        for value in sorted({*tried, here}):
            numbers = measure(params.model_copy(update={name: value}))
            rows.append({"parameter": name, "value": value, "this_run": value == here, **numbers})
    return pd.DataFrame(rows)


def share_by_group(
    values: ArrayLike,
    groups: Sequence[object],
    clusters: ArrayLike | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    order: Sequence[object] | None = None,
) -> pd.DataFrame:
    """Mean of 0/1 values per group with its bootstrap interval, as `fraction_dots` draws it.

    Args:
        values: 0, 1 or NaN (missing, left out) per row.
        groups: group of each row.
        clusters: what is drawn together, for example the context.
        bootstrap: of the bootstrap.
        order: groups in this order; by default that of first appearance.

    Returns:
        group, value, low, high, n; a group with no value present has NaN and n = 0.
    """
    numbers, names = np.asarray(values, dtype=float), np.asarray(groups, dtype=object)
    drawn = None if clusters is None else np.asarray(clusters)
    rows = []
    for group in order or dict.fromkeys(names):
        chosen = (names == group) & ~np.isnan(numbers)
        inside = None if drawn is None else drawn[chosen]
        share = bootstrap_mean(numbers[chosen], inside, bootstrap)
        low, high, n = share.low, share.high, int(chosen.sum())
        rows.append({"group": group, "value": share.value, "low": low, "high": high, "n": n})
    return pd.DataFrame(rows, columns=["group", "value", "low", "high", "n"])


def precision_recall(
    passed: ArrayLike,
    truth: ArrayLike,
    clusters: ArrayLike | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """How right a decision is: precision and recall with bootstrap intervals.

    Args:
        passed: what was decided, bool per row.
        truth: 0, 1 or NaN (not known, left out) per row.
        clusters: what is drawn together.
        bootstrap: of the intervals.

    Returns:
        Two rows, "precision" (true among passed) and "recall" (passed among true), as
        `share_by_group` gives them.
    """
    decided, true = np.asarray(passed, dtype=bool), np.asarray(truth, dtype=float)
    names = np.arange(len(true)) if clusters is None else np.asarray(clusters)
    values = [*true[decided], *decided[true == 1].astype(float)]
    groups = ["precision"] * int(decided.sum()) + ["recall"] * int((true == 1).sum())
    drawn = np.concatenate([names[decided], names[true == 1]])
    return share_by_group(values, groups, drawn, bootstrap, ["precision", "recall"])


def share_rows(
    shares: pd.DataFrame, metric: str = "share, %", scale: float = 100.0
) -> pd.DataFrame:
    """Shares of groups as METRIC_ROWS, for `tables.wide` and (scale 1) `figures.fraction_dots`.

    Args:
        shares: group, value, low, high in [0, 1], n; such as from `share_by_group`.
        metric: name of the number.
        scale: 100 for per cent, 1 for shares.
    """
    rows = shares.rename(columns={"group": "system"}).assign(metric=metric, signature="share")
    rows[["value", "low", "high"]] *= scale
    return rows[["system", "metric", "value", "low", "high", "n", "signature"]]


def chosen_by_chance(
    pairs: pd.DataFrame, kept: pd.DataFrame, item: str, rng: np.random.Generator
) -> pd.DataFrame:
    """A random critic: of each item as many rows as were kept, but which ones is chance.

    The destroyed-signal control of a choice by scores.

    Args:
        pairs: rows that could have been chosen.
        kept: rows that were; no item has more than in `pairs`.
        item: name of the item column.
        rng: generator.
    """
    wanted = kept.groupby(item).size()
    places = pairs.reset_index(drop=True).groupby(item, sort=True).indices
    drawn = [rng.choice(places[name], n, replace=False) for name, n in wanted.items()]
    rows = np.sort(np.concatenate(drawn)) if drawn else np.array([], dtype=int)
    return pairs.iloc[rows].reset_index(drop=True)


def example_context(kept: pd.DataFrame, survivors: pd.DataFrame, most: int = 40) -> pd.DataFrame:
    """The kept pairs of one context that makes a readable picture of the diversity filter.

    Args:
        kept: pairs before the filter, not empty. survivors: after it.
        most: pairs; contexts with more are left out, unless there are no others.

    Returns:
        Rows of `kept` of the context with most survivors, then most pairs, then the first by name.
    """
    sizes = pd.DataFrame({"n": kept.groupby("context_id").size()})
    sizes["left"] = survivors.groupby("context_id").size().reindex(sizes.index, fill_value=0)
    small = sizes[sizes["n"] <= most]
    order = (small if len(small) else sizes).sort_values(["left", "n"], ascending=False)
    return kept[kept["context_id"] == order.index[0]]


def pair_edges(
    pairs: pd.DataFrame, entail: Callable[[Sequence[tuple[str, str]]], Any], threshold: float
) -> list[tuple[int, int]]:
    """The edges of Algorithm 1 between pairs of one context, spelled out for a picture.

    Args:
        pairs: x, y; the index names the nodes.
        entail: P(premise ⇒ hypothesis) of text pairs.
        threshold: an edge joins i and j where P(x_i⇒x_j) or P(y_i⇒y_j), either way, exceeds it.
    """
    joined: set[tuple[int, int]] = set()
    for side in ("x", "y"):
        texts = list(dict.fromkeys(pairs[side]))
        asked = [(a, b) for a in texts for b in texts if a != b]
        close = {p for p, value in zip(asked, entail(asked), strict=True) if value > threshold}
        rows = list(zip(pairs.index, pairs[side], strict=True))
        joined |= {
            (i, j) for i, a in rows for j, b in rows
            if i < j and (a == b or (a, b) in close or (b, a) in close)
        }  # fmt: skip
    return sorted(joined)


def continued(funnel: pd.DataFrame, later: pd.DataFrame, through: str) -> pd.DataFrame:
    """A funnel whose rows of the reason `through` are replaced by what became of them later."""
    return pd.concat([funnel[funnel["reason"] != through], later], ignore_index=True)


def dropped_by(before: pd.DataFrame, after: pd.DataFrame, reason: str, item: str) -> pd.DataFrame:
    """Funnel of one step: per item how many rows it dropped, under `reason`, and how many it kept.

    Returns:
        Columns `item`, reason (`reason` or "kept") and n; no rows with n = 0.
    """
    came, left = before.groupby(item).size(), after.groupby(item).size()
    left = left.reindex(came.index, fill_value=0)
    parts = {reason: came - left, "kept": left}
    rows = [
        {item: name, "reason": why, "n": int(n)}
        for why, counts in parts.items()
        for name, n in counts.items()
        if n
    ]
    return pd.DataFrame(rows, columns=[item, "reason", "n"])


def nearest_to(frame: pd.DataFrame, score: pd.Series, threshold: float, n: int = 3) -> pd.DataFrame:
    """The rows whose score lies nearest to a threshold, on either side, nearest first."""
    distance = (score - threshold).abs().dropna()
    return frame.loc[distance.sort_values(kind="stable").index[:n]]


def distinct_pairs(sentences: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """A random sample of all unordered pairs of different sentences of one context.

    The base against which critics are judged: what two next sentences are before any gate.

    Args:
        sentences: SENTENCES frame; rows with a `reason` are left out.
        n: pairs wanted; all of them if there are fewer.
        rng: generator.

    Returns:
        context_id, x, y; every pair is equally likely, so contexts with more different sentences
        have more pairs.
    """
    good = sentences[sentences["reason"] == ""]
    texts = {i: sorted(set(group)) for i, group in good.groupby("context_id", sort=False)["text"]}
    ends = np.cumsum([len(t) * (len(t) - 1) // 2 for t in texts.values()], dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    names, rows = list(texts), []
    for place in np.sort(rng.choice(total, size=min(n, total), replace=False)):
        context = int(np.searchsorted(ends, place, side="right"))
        number = int(place - (ends[context - 1] if context else 0))
        # pairs are numbered (1,0), (2,0), (2,1), (3,0), …: j is the last with j(j-1)/2 <= number
        j = int((1 + np.sqrt(1 + 8 * number)) // 2)
        group = texts[names[context]]
        rows.append((names[context], group[number - j * (j - 1) // 2], group[j]))
    return pd.DataFrame(rows, columns=["context_id", "x", "y"])
