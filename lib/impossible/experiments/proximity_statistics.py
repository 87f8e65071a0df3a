"""What judged pairs say: the points of Figure 3, its surface, and the paper's claims about both.

A *point* is a set of contexts at one temperature. Intervals resample contexts, because pairs of one
context are not independent. Judged pairs are those of `proximity.with_verdicts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from impossible.config.params import Params
from impossible.data.human_datasets import available, human_pairs
from impossible.evaluation.bootstrap import (
    Bootstrap,
    Floats,
    Interval,
    bootstrap_mean,
    bootstrap_sums,
)
from impossible.evaluation.corpus_comparison import detokenized
from impossible.evaluation.expectations import NOT_MEASURED, OPEN, REFUTED, SHOWN
from impossible.text.bleu import self_bleu

FEWEST_CONTEXTS = 5  # at each point of a trend or cell; with fewer there is no interval
_PAPER_HUMAN = 39.0  # Self-BLEU of human paraphrases (MRPC) in Figure 3

#: Claims of section 2: (in words, column, axis, sign: 1 rises, -1 falls, 0 stays).
PAPER_CLAIMS = (
    ("ratio rises with length (critic)", "critic", "length", 1),
    ("ratio rises with length ({judge})", "judge", "length", 1),
    ("ratio falls with temperature (critic)", "critic", "temperature", -1),
    ("ratio falls with temperature ({judge})", "judge", "temperature", -1),
    ("Self-BLEU falls with temperature", "self_bleu", "temperature", -1),
    ("Self-BLEU stays with length", "self_bleu", "length", 0),
)


def named(column: str, judge: str) -> str:
    """What a column of judged pairs is called outside: the judge's by the judge's name."""
    return judge if column == "judge" else column


def panel_points(
    judged: pd.DataFrame, temperature: float
) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """Points of Figure 3: (axis, x, rows), over lengths at one temperature, then the other way."""
    for length, rows in judged[judged["temperature"] == temperature].groupby("n_sentences"):
        yield "length", float(length), rows
    for value, rows in judged[judged["mixed"]].groupby("temperature"):
        yield "temperature", float(value), rows


def point_means(judged: pd.DataFrame, series: Mapping[str, str], params: Params) -> pd.DataFrame:
    """Values of all points with intervals, as `figures.proximity_curves` draws them.

    `series` names a line → the column to average (NaN: missing, not counted).

    Returns:
        axis, x, series, value, low, high, n, contexts; a point without a value is left out.
    """
    bootstrap, rows = Bootstrap.from_params(params), []
    for axis, x, point in panel_points(judged, params.sentence_temperature):
        for name, column in series.items():
            known = point[point[column].notna()]
            mean = bootstrap_mean(known[column], known["context_id"], bootstrap)
            rows.append((axis, x, name, *mean.bounds, mean.n, known["context_id"].nunique()))
    head = ["axis", "x", "series", "value", "low", "high", "n", "contexts"]
    return pd.DataFrame(rows, columns=head).dropna(subset="value").reset_index(drop=True)


def figure3_points(
    own: pd.DataFrame, far: pd.DataFrame, judge: str, params: Params
) -> pd.DataFrame:
    """`point_means` of critic, judge and Self-BLEU of own pairs, and of the control's critic."""
    lines = {named(column, judge): column for column in ("critic", "judge", "self_bleu")}
    parts = [point_means(own, lines, params), point_means(far, {"control": "critic"}, params)]
    return pd.concat(parts, ignore_index=True)


def surface_means(judged: pd.DataFrame, series: Mapping[str, str], params: Params) -> pd.DataFrame:
    """Context length × temperature: the mean over contexts of their fraction, with its interval.

    Every context counts the same, whether many of its pairs were judged (those of the panels) or
    few (those of `proximity.draw_for_surface`). `series` as for `point_means`.

    Returns:
        n_sentences, temperature, series, value, low, high and n (contexts with a value); a cell
        without a value stays, as NaN with n = 0. No interval with fewer than 5 contexts.
    """
    cells = ["n_sentences", "temperature"]
    means = judged.groupby([*cells, "context_id"], as_index=False)[list(series.values())].mean()
    bootstrap, rows = Bootstrap.from_params(params), []
    for cell, contexts in means.groupby(cells):
        for name, column in series.items():
            mean = bootstrap_mean(contexts[column], None, bootstrap)
            mean = _cautious(mean, int(contexts[column].notna().sum()))
            rows.append((*cell, name, *mean.bounds, mean.n))
    return pd.DataFrame(rows, columns=[*cells, "series", "value", "low", "high", "n"])


def surface_gap(maps: pd.DataFrame) -> tuple[float, str]:
    """Critic minus judge over the cells of `surface_means`, in points: the mean, and in words."""
    cells = maps.pivot(index=["n_sentences", "temperature"], columns="series", values="value")
    (judge,) = cells.columns.drop("critic")
    gap = 100 * (cells["critic"] - cells[judge])
    length, highest = cells["critic"].idxmax()
    words = f"critic highest at {length} sentences, temperature {highest:g}"
    if gap.notna().any():
        words += f"; critic minus {judge} {gap.mean():.1f} points on average, "
        words += f"from {gap.min():.1f} to {gap.max():.1f}"
    return float(gap.mean()), words


def end_difference(judged: pd.DataFrame, column: str, axis: str, params: Params) -> Interval:
    """Mean of a column at the last point of an axis minus that at the first, with its interval.

    The axis is "length" or "temperature". Contexts are resampled; over temperatures the same stand
    at both ends, so the difference is paired. No interval with fewer than 5 contexts at an end.
    """
    points = _points_of(judged, axis, params)
    return _across([*points[:1], *points[-1:]], column, _mean_step, params)


def step_trend(judged: pd.DataFrame, column: str, axis: str, params: Params) -> Interval:
    """Whether a curve rises at every step of an axis: `kendall_tau` of all its points.

    The ends alone say nothing about the way between them. Arguments as for `end_difference`; a
    point without a value is left out, and there is no value with fewer than two points.
    """
    points = [rows for rows in _points_of(judged, axis, params) if rows[column].notna().any()]
    return _across(points, column, kendall_tau, params)


def weakest_end_difference(
    judged: pd.DataFrame, column: str, axis: str, params: Params
) -> Interval:
    """`end_difference` in every row (axis "length") or column of the surface: what all have.

    Value, low and high are each the least of all rows (over temperatures, where ratios fall, the
    greatest of all columns). So they lie beyond 0 only if the intervals of all do, and on the
    other side as soon as one does. Contexts of a cell count alike, as in `surface_means`.
    """
    cells = ["temperature", "n_sentences"]
    means = judged.groupby([*cells, "context_id"], as_index=False)[column].mean()
    line, place = cells if axis == "length" else cells[::-1]
    parts = ([rows for _, rows in part.groupby(place)] for _, part in means.groupby(line))
    found = [_across([*p[:1], *p[-1:]], column, _mean_step, params) for p in parts]
    weakest = np.min if axis == "length" else np.max
    value, low, high = weakest([each.bounds for each in found], axis=0)
    return Interval(float(value), float(low), float(high), min(each.n for each in found))


def length_matched_gap(a: pd.DataFrame, b: pd.DataFrame, column: str, params: Params) -> Interval:
    """Mean of a column after some contexts minus that after others, contexts resampled.

    Each length of context counts the same: the two may hold different numbers of each, and length
    is what the mean depends on most. A length that one side lacks is left out.
    """
    a, b = (part[part[column].notna()] for part in (a, b))
    lengths = sorted({*a["n_sentences"]} & {*b["n_sentences"]})
    points = [part[part["n_sentences"] == length] for length in lengths for part in (b, a)]
    return _across(points, column, _mean_step, params)


def kendall_tau(values: ArrayLike) -> Floats:
    """Kendall's τ-a (1938) between values and their order, shape (…, k) → (…): 1 rises everywhere.

    Of all pairs of indices, the fraction whose later value is larger minus the fraction whose later
    value is smaller. scipy's takes one series at a time, a bootstrap thousands.

    >>> float(kendall_tau([0.1, 0.3, 0.2]).round(3))
    0.333
    """
    curve = np.asarray(values, dtype=np.float64)
    steps = [curve[..., j] - curve[..., i] for i, j in combinations(range(curve.shape[-1]), 2)]
    if not steps:
        return np.full(curve.shape[:-1], np.nan)
    return np.asarray(np.sign(np.stack(steps, axis=-1)).mean(axis=-1))


def _points_of(judged: pd.DataFrame, axis: str, params: Params) -> list[pd.DataFrame]:
    points = panel_points(judged, params.sentence_temperature)
    return [rows for name, _, rows in points if name == axis]


def _mean_step(values: Floats) -> Floats:
    """Mean of the second of each two values minus the first, shape (…, 2 k) → (…)."""
    return np.asarray((values[..., 1::2] - values[..., ::2]).mean(axis=-1))


def _across(
    points: Sequence[pd.DataFrame], column: str, statistic: Callable[[Floats], Floats],
    params: Params,
) -> Interval:  # fmt: skip
    """A statistic of the means of a column at several points, contexts resampled over all."""
    if len(points) < 2:
        return Interval(np.nan, np.nan, np.nan, 0)
    present = [rows[rows[column].notna()] for rows in points]
    fewest = min(rows["context_id"].nunique() for rows in present)
    blocks = [np.zeros((len(rows), 2 * len(points))) for rows in present]
    for i, (block, rows) in enumerate(zip(blocks, present, strict=True)):
        block[:, 2 * i], block[:, 2 * i + 1] = rows[column], 1  # sum and count

    def of_means(sums: Floats) -> Floats:
        counts = sums[..., 1::2]
        return statistic(sums[..., ::2] / np.where(counts == 0, np.nan, counts))

    names = np.concatenate([rows["context_id"].to_numpy() for rows in present])
    bootstrap = Bootstrap.from_params(params)
    found = bootstrap_sums(np.concatenate(blocks), of_means, names, bootstrap, smallest=fewest)
    return _cautious(found, fewest)


def _cautious(found: Interval, contexts: int) -> Interval:
    """The interval, or the value alone when it rests on too few contexts."""
    enough = contexts >= FEWEST_CONTEXTS
    return found if enough else Interval(found.value, np.nan, np.nan, found.n)


def interval_says(found: Interval, sign: int) -> str:
    """What an interval says about a claim: it is positive (sign 1), negative (-1) or none (0).

    >>> interval_says(Interval(0.2, 0.1, 0.3, 50), 1), interval_says(Interval(0.2, 0.1, 0.3, 50), 0)
    ('shown', 'refuted: the interval lies above 0')
    """
    if not np.isfinite(found.value):
        return NOT_MEASURED
    if not np.isfinite(found.low):
        return f"{OPEN}: no interval"
    if sign and np.isclose(found.low, found.high, atol=1e-9):  # as `expectations.against_bound`
        return f"{OPEN}: the interval has no width"
    if found.low <= 0 <= found.high:
        return f"{OPEN}: the interval contains 0" if sign else "no change seen"
    if found.value * sign > 0:
        return SHOWN
    return f"{REFUTED}: the interval lies {'above' if found.value > 0 else 'below'} 0"


def claim_verdicts(
    judged: pd.DataFrame, judge: str, params: Params,
    claims: Sequence[tuple[str, str, str, int]] = PAPER_CLAIMS,
) -> pd.DataFrame:  # fmt: skip
    """Each claim about a curve by its two ends and by all its points.

    Returns:
        claim, column, axis; ends and tau (`Interval`); ends_say and tau_says (`interval_says`).
    """
    rows = []
    for claim, column, axis, sign in claims:
        ends, tau = (f(judged, column, axis, params) for f in (end_difference, step_trend))
        says = (interval_says(ends, sign), interval_says(tau, sign))
        rows.append((claim.format(judge=judge), column, axis, ends, tau, *says))
    names = ["claim", "column", "axis", "ends", "tau", "ends_say", "tau_says"]
    return pd.DataFrame(rows, columns=names)


def threshold_sensitivity(judged: pd.DataFrame, thresholds: Sequence[float]) -> pd.DataFrame:
    """What other entailment thresholds, at least the floor, would have said of the same scores.

    Returns:
        threshold, ratio (equivalent pairs), precision (of them, by the judge), recall.
    """
    both, rows = judged[["p_xy", "p_yx"]].min(axis=1, skipna=False), []
    for threshold in thresholds:
        said = both >= np.float32(threshold)
        recall = said[judged["judge"] > 0].mean()
        rows.append((threshold, said.mean(), judged.loc[said, "judge"].mean(), recall))
    return pd.DataFrame(rows, columns=["threshold", "ratio", "precision", "recall"])


def proximity_examples(
    judged: pd.DataFrame, judge: str, threshold: float, n: int = 3
) -> pd.DataFrame:
    """n pairs surest to be equivalent, n surest to be rejected, n nearest to the threshold."""
    both = judged[judged[["p_xy", "p_yx"]].notna().all(axis=1)]
    near = (both["weaker"] - threshold).abs().sort_values(kind="stable").index
    kinds = {
        "equivalent": judged[judged["critic"] > 0].nlargest(n, "weaker"),
        "rejected": judged[judged["critic"] == 0].nsmallest(n, "weaker"),
        "nearest": both.loc[near[:n]],
    }
    return pd.concat(kinds)[["x", "y", "p_xy", "p_yx", "judge"]].rename(columns={"judge": judge})


def human_self_bleu(folder: str = "") -> tuple[float, str]:
    """Self-BLEU of human paraphrases (MRPC), in [0, 100], and if it is "measured" or the "paper"'s.

    Without a folder of human datasets, or without MRPC in it, the paper's value stands.
    """
    if not folder or available(folder)["mrpc"]:
        return _PAPER_HUMAN, "paper"
    pairs = human_pairs("mrpc", folder)
    texts = (pairs[side].map(detokenized).tolist() for side in ("source", "target"))
    return float(self_bleu(*texts).mean()), "measured"
