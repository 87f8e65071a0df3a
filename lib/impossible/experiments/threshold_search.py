"""How true and how many: every combination of thresholds on stored scores, and a better choice.

Only in a world with an oracle can thresholds be chosen by the truth. A point that was chosen and
is judged on the same contexts looks better than it is, so contexts are halved: one half chooses,
the other reports.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.data.run_folder import item_rng
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_ratio, bootstrap_sums, ratio
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.experiments.pair_samples import Truth, affordable
from impossible.filtering.build_dataset import apply_thresholds
from impossible.filtering.constituency_parser import Trees
from impossible.filtering.thresholds import Thresholds
from impossible.text.tree_edit_distance import pair_trees, ted

#: Thresholds that are tried, besides those of the run.
GRID: Mapping[str, Sequence[float]] = {
    "entailment_threshold": (0.5, 0.6, 0.75, 0.85, 0.9, 0.95, 0.97, 0.975),
    "rouge_l_max": (0.45, 0.55, 0.65, 0.75),
    "ted_min": (0, 8, 12),
}
POINT = list(GRID)  # columns that name a point


def allowed_values(
    thresholds: Thresholds, name: str, grid: Mapping[str, Sequence[float]] = GRID
) -> list[float]:
    """Values of a threshold that stored scores decide, with the run's own, ascending.

    None is below the floor or above what the cheap critics let through.
    """
    least = thresholds.entailment_floor if name == "entailment_threshold" else -np.inf
    most = thresholds.rouge_l_max if name == "rouge_l_max" else np.inf
    values = {*grid[name], getattr(thresholds, name)}
    return sorted(value for value in values if least <= value <= most)


def grid_of(thresholds: Thresholds, grid: Mapping[str, Sequence[float]] = GRID) -> pd.DataFrame:
    """All combinations of `allowed_values`: a row per point, `POINT` and this_run."""
    values = [allowed_values(thresholds, name, grid) for name in POINT]
    points = pd.DataFrame(list(product(*values)), columns=POINT).astype({"ted_min": int})
    here = pd.Series({name: getattr(thresholds, name) for name in POINT})
    return points.assign(this_run=(points[POINT] == here).all(axis=1))


def sensitivity(
    pairs: pd.DataFrame, thresholds: Thresholds, judge: Judge, names: Sequence[str]
) -> pd.DataFrame:
    """What one changed threshold at a time does to the PAIRS that all critics accept.

    Returns:
        threshold (of `names`, as in `GRID`), value, this_run, pairs, and "equivalent (JUDGE), %" by
        the judge's verdicts as they are.
    """
    rows, by = [], judge.name + ", raw" * bool(judge.errors)
    for name in names:
        for value in allowed_values(thresholds, name):
            kept = apply_thresholds(pairs, thresholds.fix(**{name: value}))[0]
            asked = affordable({name: kept}, judge, thresholds.seed)[name]
            said = pd.Series(judge.equivalent(list(asked["x"]), list(asked["y"])), dtype=float)
            here = value == getattr(thresholds, name)
            rows.append((name, value, here, len(kept), 100 * said.mean()))
    columns = ["threshold", "value", "this_run", "pairs", f"equivalent ({by}), %"]
    return pd.DataFrame(rows, columns=columns)


def decided(
    pairs: pd.DataFrame, trees: Trees, floor: float, values: Sequence[float]
) -> pd.DataFrame:
    """The pairs among which thresholds choose, each unordered pair once.

    Args:
        floor: entailment_floor; below it in a direction no threshold keeps a pair.
        values: of `ted_min`.

    Returns:
        context_id, x, y, lesser (of both probabilities), rouge_l, and ted: a distance on the same
        side of every value as the exact one, which is computed only where bounds leave one open.
    """
    lesser = pairs[["p_xy", "p_yx"]].min(axis=1, skipna=False)
    rows = pairs.assign(lesser=lesser)[lesser >= np.float32(floor)]
    sides = np.sort(rows[["x", "y"]].to_numpy(dtype=str), axis=1)
    rows = rows.assign(x=sides[:, 0], y=sides[:, 1]).drop_duplicates(["context_id", "x", "y"])
    low, high = rows["ted_lower"].fillna(0), rows["ted_upper"].fillna(np.inf)
    far = rows["ted"].fillna(low)
    unsure = np.logical_or.reduce([(low < value) & (high >= value) for value in values])
    for i in rows.index[unsure & rows["ted"].isna()]:
        far[i] = ted(*pair_trees(rows.at[i, "x"], rows.at[i, "y"], trees)[:2])
    columns = ["context_id", "x", "y", "lesser", "rouge_l", "ted"]
    return rows.assign(ted=far)[columns].reset_index(drop=True)


def point_counts(pairs: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """What every point of `grid_of` keeps of every context.

    `pairs` are `decided`, with the column `true` (1, 0, or NaN: left out).

    Returns:
        The columns of `points`, context_id, kept, true; a row per point and context of `pairs`.
    """
    known = pairs[pairs["true"].notna()]
    contexts = sorted(set(pairs["context_id"]))
    parts = []
    for point in points.to_dict("records"):
        kept = known[
            (known["lesser"] >= np.float32(point["entailment_threshold"]))
            & (known["rouge_l"] <= np.float32(point["rouge_l_max"]))
            & (known["ted"] >= point["ted_min"])
        ]
        sums = kept.groupby("context_id")["true"].agg(kept="size", true="sum")
        sums = sums.reindex(contexts, fill_value=0).rename_axis("context_id").reset_index()
        parts.append(sums.assign(**{str(name): value for name, value in point.items()}))
    return pd.concat(parts, ignore_index=True)[[*points, "context_id", "kept", "true"]]


def frontier_points(counted: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Pairs and precision of every point of `point_counts`.

    Returns:
        `POINT`, this_run, pairs, value (true fraction of them), low, high; NaN where none is kept.
    """
    rows = []
    for key, part in counted.groupby([*POINT, "this_run"], sort=False):
        found = bootstrap_ratio(part["true"], part["kept"], None, bootstrap)
        rows.append((*key, int(part["kept"].sum()), *found.bounds))
    return pd.DataFrame(rows, columns=[*POINT, "this_run", "pairs", "value", "low", "high"])


def halves(contexts: Sequence[str], seed: int) -> tuple[set[str], set[str]]:
    """Contexts in two halves by chance, which for a name depends on the seed alone."""
    draws = {n: item_rng(seed, "half of the contexts", n).random() for n in sorted(set(contexts))}
    order = sorted(draws, key=draws.__getitem__)
    return set(order[: len(order) // 2]), set(order[len(order) // 2 :])


def better_points(points: pd.DataFrame) -> pd.DataFrame:
    """The run's point and the best in two directions; ties go to the more, then to the truer.

    Three rows of `frontier_points` by `choice`: "this run"; "more pairs", the most at no lower
    precision; "truer pairs", the highest precision at no fewer pairs. Both can be the run's own
    point.
    """
    here = points[points["this_run"]].iloc[0]
    more = points[points["this_run"] | (points["value"] >= here["value"])]
    truer = more[more["pairs"] >= here["pairs"]]
    chosen = {
        "this run": here,
        "more pairs": more.sort_values(["pairs", "value"], kind="stable").iloc[-1],
        "truer pairs": truer.sort_values(["value", "pairs"], kind="stable").iloc[-1],
    }
    return pd.DataFrame(chosen).T.rename_axis("choice").infer_objects()


def reported(chosen: pd.DataFrame, counted: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """The `better_points` on other contexts (`point_counts`) than those that chose them.

    METRIC_ROWS, a system per choice: precision, gain over this run's, and the number of pairs
    relative to this run's; contexts are drawn.
    """

    def gain(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(100 * (ratio(sums[..., :2]) - ratio(sums[..., 2:])))

    def counts(point: pd.Series) -> NDArray[np.float64]:
        same = (counted[POINT] == point[POINT]).all(axis=1)
        rows = counted[same].sort_values("context_id")
        return np.asarray(rows[["true", "kept"]], dtype=np.float64)

    base, parts = counts(chosen.loc["this run"]), []
    for choice, point in chosen.iterrows():
        columns = np.hstack([counts(point), base])
        rows = MetricRows(str(choice), None, bootstrap)
        true = 100 * columns[:, 0]
        rows.add("precision, %", bootstrap_ratio(true, columns[:, 1], None, bootstrap), "oracle")
        rows.add("gain, points", bootstrap_sums(columns, gain, None, bootstrap), "oracle")
        pairs = bootstrap_ratio(columns[:, 1], columns[:, 3], None, bootstrap)
        rows.add("pairs, of this run's", pairs, "oracle")
        parts.append(rows.frame().assign(n=int(columns[:, 1].sum())))
    return pd.concat(parts, ignore_index=True)


def search_thresholds(
    pairs: pd.DataFrame, truth: Truth, trees: Trees, thresholds: Thresholds, bootstrap: Bootstrap
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The whole search: every point, those that one half of the contexts chooses, the other half.

    Args:
        pairs: PAIRS.
        truth: (xs, ys) → 1, 0 or NaN (cannot be judged).

    Returns:
        (`frontier_points` over all contexts, the rows of these that the first half chose by
        `better_points`, `reported` by the second half).
    """
    points = grid_of(thresholds)
    once = decided(pairs, trees, thresholds.entailment_floor, sorted(set(points["ted_min"])))
    counted = point_counts(once.assign(true=truth(list(once["x"]), list(once["y"]))), points)
    first, second = (
        counted[counted["context_id"].isin(half)]
        for half in halves(list(counted["context_id"]), thresholds.seed)
    )
    chosen, everywhere = (
        better_points(frontier_points(first, bootstrap)),
        frontier_points(counted, bootstrap),
    )
    there = chosen[POINT].reset_index().merge(everywhere, on=POINT).set_index("choice")
    return everywhere, there, reported(chosen, second, bootstrap)


def better_expected(report: pd.DataFrame) -> list[Expected]:
    """Whether some chosen point is better than this run's on contexts that did not choose it.

    `report` is `reported`. A point is better if it has truer pairs or more, beyond the interval,
    and not fewer or less true ones.
    """
    gains = {"truer pairs": ("gain, points", 0.0), "more pairs": ("pairs, of this run's", 1.0)}
    better = 0
    for choice in gains:
        found = {name: interval_of(report, choice, name) for name, _ in gains.values()}
        beyond = any(found[name].low > bound for name, bound in gains.values())
        better += beyond and all(found[name].value >= bound for name, bound in gains.values())
    known = report.loc[report["system"].isin(gains), "value"].notna().any()
    says = "chosen points (of 2) that are better on the half of the contexts that reports, count"
    return [Expected(says, float(better) if known else math.nan, over=0)]
