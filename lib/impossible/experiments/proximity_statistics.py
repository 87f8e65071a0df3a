"""What the judged pairs of `proximity` say: the points of Figure 3, its surface, and its trends.

A *point* is a set of contexts at one temperature. Intervals resample contexts, because pairs of one
context are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from impossible.config.params import Params
from impossible.data.human_datasets import available, human_pairs
from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_mean, bootstrap_sums
from impossible.evaluation.corpus_comparison import detokenized
from impossible.text.bleu import self_bleu

__all__ = [
    "PAPER_HUMAN", "contrast", "gap", "human_line", "kendall", "monotonicity", "panels", "ratios",
    "reading", "surface", "verdicts",
]  # fmt: skip

FEWEST = 5  # contexts at each point of a trend or cell; with fewer there is no interval
PAPER_HUMAN = 39.0  # Self-BLEU of human paraphrases (MRPC) in Figure 3

Floats = NDArray[np.float64]


def panels(judged: pd.DataFrame, temperature: float) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """The points of Figure 3: (axis, x, rows), over lengths at one temperature, then the other way.

    Args:
        judged: `JUDGED`, perhaps with more columns.
        temperature: of the panel over lengths.
    """
    for length, rows in judged[judged["temperature"] == temperature].groupby("n_sentences"):
        yield "length", float(length), rows
    for heat, rows in judged[judged["mixed"]].groupby("temperature"):
        yield "temperature", float(heat), rows


def ratios(judged: pd.DataFrame, series: Mapping[str, str], params: Params) -> pd.DataFrame:
    """Values of all points with intervals, as `figures.proximity_curves` draws them.

    Args:
        judged: `JUDGED` with further columns.
        series: name of a line → column to average (NaN = missing, not counted).
        params: reads seed, temperature, bootstrap_samples, confidence.

    Returns:
        axis, x, series, value, low, high, n; a point without a value is left out.
    """
    rows = []
    for axis, x, point in panels(judged, params.sentence_temperature):
        for name, column in series.items():
            found = bootstrap_mean(
                point[column].to_numpy(dtype=float),
                point["context_id"].to_numpy(),
                Bootstrap.from_params(params),
            )
            if np.isfinite(found.value):
                rows.append((axis, x, name, found.value, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=["axis", "x", "series", "value", "low", "high", "n"])


def surface(judged: pd.DataFrame, series: Mapping[str, str], params: Params) -> pd.DataFrame:
    """Context length × temperature: the mean over contexts of their share, with its interval.

    Every context counts the same, whether many of its pairs were judged (those of the panels) or
    few (those of `proximity.draw_surface`).

    Args:
        judged: `JUDGED` with further columns.
        series: name of a map → column to average (NaN = missing, not counted).
        params: reads seed, bootstrap_samples, confidence.

    Returns:
        n_sentences, temperature, series, value, low, high and n (contexts with a value); a cell
        without a value stays, as NaN with n = 0. No interval with fewer than `FEWEST` contexts.
    """
    cells = ["n_sentences", "temperature"]
    means = judged.groupby([*cells, "context_id"], as_index=False)[list(series.values())].mean()
    rows = []
    for (length, heat), cell in means.groupby(cells):
        for name, column in series.items():
            found = bootstrap_mean(cell[column], None, Bootstrap.from_params(params))
            found = _cautious(found, int(cell[column].notna().sum()))
            rows.append((length, heat, name, found.value, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=[*cells, "series", "value", "low", "high", "n"])


def contrast(judged: pd.DataFrame, column: str, axis: str, params: Params) -> Interval:
    """Mean of a column at the last point of an axis minus that at the first, with its interval.

    Contexts are resampled; over temperatures the same contexts stand at both ends, so the
    difference is paired. With fewer than `FEWEST` contexts at an end there is no interval.

    Args:
        judged: `JUDGED` with `column`.
        column: what is averaged.
        axis: "length" or "temperature".
        params: reads seed, temperature, bootstrap_samples, confidence.
    """
    points = [rows for name, _, rows in panels(judged, params.sentence_temperature) if name == axis]
    return _across([*points[:1], *points[-1:]], column, _difference, params)


def gap(a: pd.DataFrame, b: pd.DataFrame, column: str, params: Params) -> Interval:
    """Mean of a column after some contexts minus that after others, contexts resampled.

    Each length of context counts the same: the two may hold different numbers of each, and length
    is what the mean depends on most. A length that one side lacks is left out.

    Args:
        a, b: `JUDGED` with `column`.
        column: what is averaged.
        params: reads seed, bootstrap_samples, confidence.
    """
    a, b = (part[part[column].notna()] for part in (a, b))
    lengths = sorted({*a["n_sentences"]} & {*b["n_sentences"]})
    points = [part[part["n_sentences"] == length] for length in lengths for part in (b, a)]
    return _across(
        points, column, lambda m: np.asarray((m[..., 1::2] - m[..., ::2]).mean(-1)), params
    )


def monotonicity(judged: pd.DataFrame, column: str, axis: str, params: Params) -> Interval:
    """Whether a curve rises at every step of an axis: `kendall` of all its points.

    The ends alone say nothing about the way between them. Contexts are resampled, as for
    `contrast`; arguments as there. A point without a value is left out.

    Returns:
        τ in [-1, 1] with its interval; no value with fewer than two points.
    """
    points = [
        rows
        for name, _, rows in panels(judged, params.sentence_temperature)
        if name == axis and rows[column].notna().any()
    ]
    return _across(points, column, kendall, params)


def kendall(values: ArrayLike) -> Floats:
    """Kendall's τ between values and their order, shape (…, k) → (…).

    Of all pairs of places, the part whose later value is larger minus the part whose later value
    is smaller: 1 rises everywhere, -1 falls everywhere (τ-a: equal values count for neither).

    Source: Kendall 1938.

    >>> float(kendall([0.1, 0.3, 0.2]).round(3))
    0.333
    """
    curve = np.asarray(values, dtype=np.float64)
    steps = [curve[..., j] - curve[..., i] for i, j in combinations(range(curve.shape[-1]), 2)]
    if not steps:
        return np.full(curve.shape[:-1], np.nan)
    return np.asarray(np.sign(np.stack(steps, axis=-1)).mean(axis=-1))


def _difference(values: Floats) -> Floats:
    """Second value minus first, shape (…, 2) → (…)."""
    return np.asarray(values[..., 1] - values[..., 0])


def _mean_difference(values: Floats) -> Floats:
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
    blocks = [np.zeros((len(rows), 2 * len(points))) for rows in present]
    for place, (block, rows) in enumerate(zip(blocks, present, strict=True)):
        block[:, 2 * place], block[:, 2 * place + 1] = rows[column], 1  # sum and count
    found = bootstrap_sums(
        np.concatenate(blocks),
        lambda sums: statistic(_means(sums)),
        np.concatenate([rows["context_id"].to_numpy() for rows in present]),
        Bootstrap.from_params(params),
        smallest=(fewest := min(rows["context_id"].nunique() for rows in present)),
    )
    return _cautious(found, fewest)


def _means(sums: Floats) -> Floats:
    """Means from sums and counts in turn, shape (…, 2 k) → (…, k); NaN where nothing was drawn."""
    counts = sums[..., 1::2]
    return np.asarray(sums[..., 0::2] / np.where(counts == 0, np.nan, counts))


def _cautious(found: Interval, contexts: int) -> Interval:
    """The interval, or the value alone when it rests on fewer than `FEWEST` contexts."""
    return found if contexts >= FEWEST else Interval(found.value, np.nan, np.nan, found.n)


def reading(found: Interval, sign: int) -> str:
    """What an interval says about a claim: it is positive (sign 1), negative (-1) or none (0).

    >>> reading(Interval(0.2, 0.1, 0.3, 50), 1), reading(Interval(0.2, 0.1, 0.3, 50), 0)
    ('holds', 'refuted: the interval lies above 0')
    """
    if not np.isfinite(found.value):
        return "not run"
    if not np.isfinite(found.low):
        return "no interval"
    if found.low <= 0 <= found.high:
        return "undecided: the interval contains 0" if sign else "no change seen"
    if found.value * sign > 0:
        return "holds"
    side = "lies above 0" if found.value > 0 else "lies below 0"
    return f"refuted: the interval {side}"


def verdicts(
    judged: pd.DataFrame, claims: Sequence[tuple[str, str, str, int]], params: Params
) -> pd.DataFrame:
    """Each claim about a curve by its two ends and by all its points.

    Args:
        judged: `JUDGED` with the columns that the claims name.
        claims: (claim in words, column, axis, sign), the last as in `reading`.
        params: as for `contrast`.

    Returns:
        claim, column, axis; ends and tau (`Interval`); ends_say and tau_says (`reading`).
    """
    rows = []
    for claim, column, axis, sign in claims:
        ends, tau = (f(judged, column, axis, params) for f in (contrast, monotonicity))
        rows.append((claim, column, axis, ends, tau, reading(ends, sign), reading(tau, sign)))
    names = ["claim", "column", "axis", "ends", "tau", "ends_say", "tau_says"]
    return pd.DataFrame(rows, columns=names)


def human_line(folder: str = "") -> tuple[float, str]:
    """Self-BLEU of human paraphrases (MRPC), and whether it is "measured" or the "paper"'s.

    Args:
        folder: of the human datasets; without it, or without MRPC in it, the paper's value stands.

    Returns:
        A value in [0, 100]. Measured: `text.bleu.self_bleu` of the positives of the test set, the
        same measure as in our curves.
    """
    if not folder or available(folder)["mrpc"]:
        return PAPER_HUMAN, "paper"
    pairs = human_pairs("mrpc", folder)
    texts = (pairs[side].map(detokenized).tolist() for side in ("source", "target"))
    return float(self_bleu(*texts).mean()), "measured"
