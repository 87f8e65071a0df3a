"""How true and how many: every combination of thresholds on stored scores, and a better choice.

Only in a world with an oracle can thresholds be chosen by the truth. A point that was chosen and
is judged on the same contexts looks better than it is, so contexts are halved: one half chooses,
the other reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.data.run_folder import item_rng
from impossible.evaluation.bootstrap import (
    Bootstrap,
    Interval,
    bootstrap_ratio,
    bootstrap_sums,
    ratio,
)
from impossible.filtering.pair_scores import Parser, gate
from impossible.text.tree_edit_distance import pair_trees, ted, ted_bounds

__all__ = [
    "GRID", "POINT", "at", "choose", "counts", "decided", "explored", "grid_of", "halves",
    "reading", "reported", "rows", "summed",
]  # fmt: skip

#: Thresholds that are tried, besides those of the run.
GRID: dict[str, tuple[float, ...]] = {
    "entailment_threshold": (0.5, 0.6, 0.75, 0.85, 0.9, 0.95, 0.97, 0.975),
    "rouge_l_max": (0.45, 0.55, 0.65, 0.75),
    "ted_min": (0, 8, 12),
}
POINT = list(GRID)  # columns that name a point

Floats = NDArray[np.float64]
Judge = Callable[[Sequence[str], Sequence[str]], Floats]


def grid_of(params: Params, grid: Mapping[str, Sequence[float]] | None = None) -> pd.DataFrame:
    """The points that stored scores decide: none looser than the run's cheap gates and floor.

    Args:
        params: reads entailment_threshold, entailment_floor, rouge_l_max, ted_min.
        grid: threshold → values; default `GRID`. The run's own value is added.

    Returns:
        A row per point: `POINT` and this_run.
    """
    tried = {name: {*values, getattr(params, name)} for name, values in (grid or GRID).items()}
    least = {"entailment_threshold": params.entailment_floor}
    most = {"rouge_l_max": params.rouge_l_max}
    values = [
        sorted(v for v in tried[name] if least.get(name, v) <= v <= most.get(name, v))
        for name in POINT
    ]
    points = pd.DataFrame(list(product(*values)), columns=POINT).astype({"ted_min": int})
    here = np.logical_and.reduce([points[name] == getattr(params, name) for name in POINT])
    return points.assign(this_run=here)


def decided(
    pairs: pd.DataFrame, parser: Parser, params: Params, values: Sequence[float]
) -> pd.DataFrame:
    """The pairs among which thresholds choose, each unordered pair once, with exact tree distances.

    Args:
        pairs: PAIRS.
        parser: sentence → bracketed tree or None.
        params: reads entailment_floor; below it in a direction no threshold keeps a pair.
        values: of `ted_min`; where the saved bounds leave one open, the distance is computed.
    """
    floor = np.float32(params.entailment_floor)
    rows = pairs[(pairs["p_xy"] >= floor) & (pairs["p_yx"] >= floor)]
    texts = pd.DataFrame(np.sort(rows[["x", "y"]].to_numpy(dtype=str), axis=1), rows.index)
    frame = rows[~texts.assign(c=rows["context_id"]).duplicated()].reset_index(drop=True)
    columns = {name: frame[name].to_numpy(copy=True) for name in ("ted", "ted_lower", "ted_upper")}
    low, high, parse = columns["ted_lower"], columns["ted_upper"], cache(parser)
    unsure = np.zeros(len(frame), dtype=bool)
    for value in (value for value in values if value > 0):
        unsure |= np.isnan(low) | ((low < value) & (high >= value))
    for place in np.flatnonzero(unsure & np.isnan(columns["ted"])):
        x, y = sorted((frame.at[place, "x"], frame.at[place, "y"]))
        trees = pair_trees(x, y, parse)[:2]
        low[place], high[place] = ted_bounds(*trees)
        columns["ted"][place] = ted(*trees)
    return frame.assign(**columns)


def counts(pairs: pd.DataFrame, points: pd.DataFrame, params: Params) -> pd.DataFrame:
    """What every point keeps of every context.

    Args:
        pairs: `decided`, with the column `true` (1, 0, or NaN: left out).
        points: `grid_of`.
        params: the other thresholds.

    Returns:
        The columns of `points`, context_id, kept, true; a row per point and context of `pairs`.
    """
    known = pairs[pairs["true"].notna()]
    contexts = sorted(set(pairs["context_id"]))
    parts = []
    for point in points.to_dict("records"):
        kept = gate(known, params.fixed(**{name: point[name] for name in POINT}))[0]
        sums = kept.groupby("context_id")["true"].agg(["size", "sum"])
        sums = sums.reindex(contexts, fill_value=0)
        columns = {"context_id": contexts, "kept": sums["size"], "true": sums["sum"]}
        parts.append(pd.DataFrame(columns).assign(**point))
    table = pd.concat(parts, ignore_index=True)
    return table[[*points.columns, "context_id", "kept", "true"]]


def summed(counted: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Pairs and precision of every point.

    Args:
        counted: `counts`.
        params: reads seed, bootstrap_samples, confidence.

    Returns:
        `POINT`, this_run, pairs, value (true share of them), low, high; NaN where nothing is kept.
    """
    rows = []
    for key, part in counted.groupby([*POINT, "this_run"], sort=False):
        found = _ratio(part[["true", "kept"]].to_numpy(), params)
        rows.append((*key, int(part["kept"].sum()), found.value, found.low, found.high))
    return pd.DataFrame(rows, columns=[*POINT, "this_run", "pairs", "value", "low", "high"])


def halves(contexts: Sequence[str], seed: int) -> tuple[set[str], set[str]]:
    """Contexts in two halves by chance, which for a name depends on the seed alone."""
    names = sorted(set(contexts))
    draws = [item_rng(seed, "half of the contexts", name).random() for name in names]
    order = [names[i] for i in np.argsort(draws, kind="stable")]
    return set(order[: len(order) // 2]), set(order[len(order) // 2 :])


def choose(points: pd.DataFrame) -> dict[str, pd.Series]:
    """The run's point and the best in two directions; ties go to the more, then to the truer.

    Args:
        points: `summed` of the contexts that choose.

    Returns:
        "this run"; "more pairs", the most at no lower precision; "truer pairs", the highest
        precision at no fewer pairs. Both can be the run's own point.
    """
    here = points[points["this_run"]].iloc[0]
    more = points[points["this_run"] | (points["value"] >= here["value"])]
    truer = more[more["pairs"] >= here["pairs"]]
    return {
        "this run": here,
        "more pairs": more.sort_values(["pairs", "value"], kind="stable").iloc[-1],
        "truer pairs": truer.sort_values(["value", "pairs"], kind="stable").iloc[-1],
    }


def reported(
    chosen: Mapping[str, pd.Series], counted: pd.DataFrame, params: Params
) -> pd.DataFrame:
    """The chosen points on other contexts than those that chose them.

    Args:
        chosen: `choose`.
        counted: `counts` of the contexts that report.
        params: as for `summed`.

    Returns:
        choice, `POINT`, pairs and precision where it was chosen; `pairs_here` (Interval of the
        number relative to this run's), `precision` and `gain` (Intervals; precision minus this
        run's, contexts drawn together).
    """
    base = _of(counted, chosen["this run"])
    rows = []
    for choice, point in chosen.items():
        own = _of(counted, point)
        joined = own.merge(base, on="context_id", suffixes=("", "_base"))
        columns = joined[["true", "kept", "true_base", "kept_base"]].to_numpy(float)
        rows.append(
            {
                "choice": choice, **{name: point[name] for name in POINT},
                "chosen_pairs": int(point["pairs"]), "chosen_precision": float(point["value"]),
                "pairs": int(own["kept"].sum()), "precision": _ratio(columns[:, :2], params),
                "yield": _ratio(columns[:, [1, 3]], params), "gain": _gain(columns, params),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def explored(
    pairs: pd.DataFrame, judge: Judge, parser: Parser, params: Params
) -> tuple[pd.DataFrame, dict[str, pd.Series], pd.DataFrame]:
    """The whole search: every point, those that one half of the contexts chooses, the other half.

    Args:
        pairs: PAIRS.
        judge: (xs, ys) → 1, 0 or NaN (nothing can be said) for each pair.
        parser: sentence → bracketed tree or None.
        params: thresholds, seed, bootstrap_samples, confidence.

    Returns:
        (`summed` over all contexts, `choose` by the first half, `reported` by the second half).
    """
    points = grid_of(params)
    once = decided(pairs, parser, params, list(points["ted_min"].unique()))
    once["true"] = judge(list(once["x"]), list(once["y"]))
    counted = counts(once, points, params)
    first, second = (
        counted[counted["context_id"].isin(half)]
        for half in halves(list(counted["context_id"]), params.seed)
    )
    chosen = choose(summed(first, params))
    return summed(counted, params), chosen, reported(chosen, second, params)


def at(points: pd.DataFrame, point: pd.Series) -> dict[str, Any]:
    """The row of `summed` that has the thresholds of a point."""
    same = np.logical_and.reduce([points[name] == point[name] for name in POINT])
    return dict(points[same].iloc[0])


def rows(table: pd.DataFrame) -> pd.DataFrame:
    """`reported` as METRIC_ROWS, the thresholds in the name; shares in per cent."""
    metrics = {
        "precision, %": ("precision", 100.0), "gain, points": ("gain", 100.0),
        "pairs, of this run's": ("yield", 1.0),
    }  # fmt: skip
    parts = []
    for row in table.to_dict("records"):
        name = (
            f"{row['choice']}: P ≥ {row['entailment_threshold']:g}, "
            f"ROUGE-L ≤ {row['rouge_l_max']:g}, TED ≥ {row['ted_min']:g}"
        )
        where = {"precision where chosen, %": 100 * row["chosen_precision"]}
        found = [(title, Interval(value, np.nan, np.nan, 0)) for title, value in where.items()]
        for title, (column, scale) in metrics.items():
            ours = row[column]
            value, low, high = (scale * one for one in (ours.value, ours.low, ours.high))
            found.append((title, Interval(value, low, high, row["pairs"])))
        for title, ours in found:
            parts.append((name, title, ours.value, ours.low, ours.high, row["pairs"], "oracle"))
    columns = ["system", "metric", "value", "low", "high", "n", "signature"]
    return pd.DataFrame(parts, columns=columns)


def reading(table: pd.DataFrame) -> str:
    """What `reported` says, in one sentence for each direction."""
    rows = table.set_index("choice")
    more, loss = rows.loc["more pairs", ["yield", "gain"]]
    kept, truer = rows.loc["truer pairs", ["yield", "gain"]]
    if np.isnan(loss.value):
        return "Nothing parses, or nothing is kept, so no truth is known."
    return (
        f"On the contexts that did not choose, the point for more pairs keeps "
        f"{_told(more, 1, '.2f')} times as many and changes precision by "
        f"{_told(loss, 100, '+.1f')} points. The point for truer pairs keeps "
        f"{_told(kept, 1, '.2f')} times as many and changes precision by "
        f"{_told(truer, 100, '+.1f')} points."
    )


def _told(found: Interval, scale: float, form: str) -> str:
    """A number with its bounds: `+1.7 (-0.2 to +4.7)`."""
    value, low, high = (format(scale * x, form) for x in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"


def _of(counted: pd.DataFrame, point: pd.Series) -> pd.DataFrame:
    same = np.logical_and.reduce([counted[name] == point[name] for name in POINT])
    return counted.loc[same, ["context_id", "kept", "true"]]


def _ratio(columns: Floats, params: Params) -> Interval:
    """First column over the second, contexts resampled."""
    bootstrap = Bootstrap.from_params(params)
    return bootstrap_ratio(columns[:, 0], columns[:, 1], None, bootstrap)


def _gain(columns: Floats, params: Params) -> Interval:
    """Difference of two ratios over the same contexts."""

    def difference(sums: Floats) -> Floats:
        return ratio(sums[..., :2]) - ratio(sums[..., 2:])

    bootstrap = Bootstrap.from_params(params)
    return bootstrap_sums(columns, difference, None, bootstrap)
