"""Paraphrastic proximity: how often two next sentences of one context mean the same (section 2).

A *point* of the figure is a set of contexts at one temperature. Contexts and sentences come from
`contexts`; here pairs are drawn, judged in both directions by the critic, and summed up with
intervals that resample contexts, because pairs of one context are not independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from impossible.params import Params
from impossible.statistics import Interval, bootstrap, bootstrap_mean
from impossible.store import RunFolder, Shards, digest, item_rng, map_items, stage_key

__all__ = [
    "JUDGED", "contrast", "decided", "draw_judged", "identical_share", "judge", "mixed_lengths",
    "panels", "random_pairs", "ratios", "reading",
]  # fmt: skip

CONTROL_SHARE = 4  # one control pair per so many pairs: its ratio is near zero, few suffice
FEWEST = 5  # contexts at each end of a contrast; with fewer there is no interval
ITEMS_AT_ONCE = 32  # contexts per shard; no effect on results

#: One row per judged pair. item = context at a temperature; a pair of one context, or (control) a
#: sentence of it with one of another context; `p_yx` is null where `p_xy` is below the floor.
JUDGED = pa.schema(
    [
        pa.field("item", pa.string(), nullable=False),
        pa.field("context_id", pa.string(), nullable=False),
        pa.field("n_sentences", pa.int8(), nullable=False),
        pa.field("temperature", pa.float64(), nullable=False),
        pa.field("mixed", pa.bool_(), nullable=False),  # belongs to the panel over temperatures
        pa.field("control", pa.bool_(), nullable=False),
        pa.field("x", pa.string(), nullable=False),
        pa.field("y", pa.string(), nullable=False),
        pa.field("p_xy", pa.float32()),
        pa.field("p_yx", pa.float32()),
    ],
    metadata={"item": "item"},
)


class Critic(Protocol):
    """What this module needs of `critics.EntailmentCritic`."""

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.floating]:
        """P_NLI(premise entails hypothesis) of each (premise, hypothesis), shape (n,)."""


def random_pairs(
    first: Sequence[str], second: Sequence[str] | None, n: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Draw n different pairs of samples whose texts differ.

    Args:
        first: accepted sentences of a context; a text that was sampled twice counts twice.
        second: sentences of another context to pair them with; None: pairs within `first`.
        n: pairs wanted; all there are if fewer.
        rng: source of the draw and of the order within a pair.

    Returns:
        Pairs (x, y), x ≠ y: a sentence is no paraphrase of itself, and at low temperature pairs of
        equal texts would be counted as proximity.

    >>> random_pairs(["a", "b", "a"], ["b"], 5, np.random.default_rng(0))
    [('a', 'b'), ('a', 'b')]
    """
    if second is None:
        left, right = np.triu_indices(len(first), 1)
        pool = list(first)
    else:
        left, right = (part.ravel() for part in np.indices((len(first), len(second))))
        pool, right = [*first, *second], right + len(first)
    _, codes = np.unique(np.array(pool, dtype=object), return_inverse=True)
    usable = np.flatnonzero(codes[left] != codes[right]) if pool else np.array([], dtype=int)
    chosen = np.sort(rng.permutation(usable)[:n])
    swap = rng.random(len(chosen)) < (0.5 if second is None else 0.0)
    pairs = ((pool[left[i]], pool[right[i]]) for i in chosen)
    return [(y, x) if turned else (x, y) for (x, y), turned in zip(pairs, swap, strict=True)]


def judge(
    critic: Critic, pairs: Sequence[tuple[str, str]], floor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Judge pairs in both directions, the second only where the first does not decide.

    Args:
        critic: the NLI model.
        pairs: (x, y).
        floor: the second direction is computed where P(x ⇒ y) ≥ floor (entailment_floor).

    Returns:
        P(x ⇒ y) and P(y ⇒ x), the latter NaN where not computed.
    """
    forward = np.asarray(critic.probabilities(list(pairs)), dtype=np.float64)
    backward = np.full(len(pairs), np.nan)
    open_rows = np.flatnonzero(forward >= floor)
    if len(open_rows):
        turned = [(pairs[i][1], pairs[i][0]) for i in open_rows.tolist()]
        backward[open_rows] = critic.probabilities(turned)
    return forward, backward


def decided(judged: pd.DataFrame, threshold: float) -> pd.Series[float]:
    """1.0 where the critic says entailment both ways, else 0.0 (paper section 2).

    Args:
        judged: p_xy, p_yx; a p_yx that was not computed means p_xy is below the floor.
        threshold: at least the floor, in [0, 1].
    """
    return ((judged["p_xy"] >= threshold) & (judged["p_yx"] >= threshold)).astype(float)


def mixed_lengths(contexts: pd.DataFrame, n: int) -> set[str]:
    """Ids of about n contexts with all lengths in equal number: those of the temperature panel."""
    share = max(1, round(n / contexts["n_sentences"].nunique())) if len(contexts) else 0
    return set(contexts.groupby("n_sentences").head(share)["context_id"])


def draw_judged(
    run: RunFolder, critic: Critic, critic_digest: str, contexts: pd.DataFrame,
    sentences: Mapping[float, pd.DataFrame], params: Params, stage: str = "proximity",
) -> pd.DataFrame:  # fmt: skip
    """Draw and judge the pairs of every context at every temperature, resumably.

    Args:
        run: the run folder; shards lie in `work/STAGE-pairs`.
        critic: the NLI model, with the digest that goes into the key.
        contexts: `records.CONTEXTS`.
        sentences: temperature → `records.SENTENCES` of (some of) the contexts.
        params: reads seed, temperature, proximity_contexts, proximity_pairs, entailment_floor.
        stage: name of the random stream.

    Returns:
        `JUDGED`, proximity_pairs rows per context and temperature (fewer where there are not as
        many pairs), and a quarter as many control pairs: a sentence of the context with one of the
        next context of the same domain and length.
    """
    texts = {
        (str(name), heat): group["text"].tolist()
        for heat, frame in sentences.items()
        for name, group in frame[frame["reason"] == ""].groupby("context_id")
    }
    rows = contexts.set_index("context_id")
    others = _others(contexts)
    mixed = mixed_lengths(contexts, params.proximity_contexts)
    names = {"seed", "proximity_pairs", "proximity_contexts", "entailment_floor"}
    values = params.model_dump(include=names) | {"stage": stage}
    values["texts"] = digest([[*place, *found] for place, found in texts.items()])
    key = stage_key(values, ["impossible.proximity", "impossible.critics"], models=[critic_digest])

    def compute(places: list[tuple[str, float]]) -> pd.DataFrame:
        found = []
        for name, heat in places:
            rng = item_rng(params.seed, f"{stage} pairs", name)
            n = params.proximity_pairs
            other = texts.get((others.get(name, ""), heat), [])
            own = random_pairs(texts[name, heat], None, n, rng)
            far = random_pairs(texts[name, heat], other, max(1, n // CONTROL_SHARE), rng)
            start = (f"{name} {heat:g}", name, rows.at[name, "n_sentences"], heat, name in mixed)
            found += [(*start, False, x, y) for x, y in own]
            found += [(*start, True, x, y) for x, y in far]
        frame = pd.DataFrame(found, columns=JUDGED.names[:-2])
        pairs = list(zip(frame["x"], frame["y"], strict=True))
        forward, backward = judge(critic, pairs, params.entailment_floor)
        return frame.assign(p_xy=forward, p_yx=backward)

    return map_items(
        list(texts),
        lambda place: f"{place[0]} {place[1]:g}",
        compute,
        Shards(run.work / f"{stage}-pairs", key, JUDGED),
        ITEMS_AT_ONCE,
        "pairs judged",
    )


def _others(contexts: pd.DataFrame) -> dict[str, str]:
    """For each context the next one of its domain and length; none for a context without such."""
    found: dict[str, str] = {}
    for _, group in contexts.groupby(["domain", "n_sentences"]):
        names = group["context_id"].tolist()
        if len(names) > 1:
            found.update(zip(names, [*names[1:], names[0]], strict=True))
    return found


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
    """Values of all points with intervals, as `figures.proximity` draws them.

    Args:
        judged: `JUDGED` with further columns.
        series: name of a line → column to average (NaN = missing, not counted).
        params: reads seed, temperature, bootstrap_samples, confidence.

    Returns:
        axis, x, series, value, low, high, n; a point without a value is left out.
    """
    rows = []
    for axis, x, point in panels(judged, params.temperature):
        for name, column in series.items():
            found = bootstrap_mean(
                point[column].to_numpy(dtype=float),
                point["context_id"].to_numpy(),
                params.bootstrap_samples,
                params.confidence,
                params.seed,
            )
            if np.isfinite(found.value):
                rows.append((axis, x, name, found.value, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=["axis", "x", "series", "value", "low", "high", "n"])


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
    points = [rows for name, _, rows in panels(judged, params.temperature) if name == axis]
    if not points:
        return Interval(np.nan, np.nan, np.nan, 0)
    ends, fewest = [], FEWEST
    for sign, rows in enumerate((points[0], points[-1])):
        present = rows[rows[column].notna()]
        columns = np.zeros((len(present), 4))
        columns[:, 2 * sign], columns[:, 2 * sign + 1] = present[column], 1
        ends.append((columns, present["context_id"].to_numpy()))
        fewest = min(fewest, present["context_id"].nunique())
    found = bootstrap(
        np.concatenate([columns for columns, _ in ends]),
        _difference,
        np.concatenate([names for _, names in ends]),
        params.bootstrap_samples,
        params.confidence,
        params.seed,
    )
    return found if fewest >= FEWEST else Interval(found.value, np.nan, np.nan, found.n)


def _difference(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Second ratio minus first; sums (…, 4) = numerator, denominator of the first, the second."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = sums[..., 0::2] / np.where(sums[..., 1::2] == 0, np.nan, sums[..., 1::2])
    return np.asarray(shares[..., 1] - shares[..., 0])


def reading(found: Interval, sign: int) -> str:
    """What a contrast says about a claim that it is positive (sign 1) or negative (-1).

    >>> reading(Interval(0.2, 0.1, 0.3, 50), 1)
    'holds'
    """
    if not np.isfinite(found.value):
        return "not run"
    if not np.isfinite(found.low):
        return "no interval"
    if found.low <= 0 <= found.high:
        return "undecided: the interval contains 0"
    return "holds" if found.value * sign > 0 else "refuted: the interval lies on the other side"


def identical_share(sentences: pd.DataFrame) -> float:
    """Share of pairs of accepted samples of a context whose texts are equal, mean over contexts.

    Args:
        sentences: `records.SENTENCES`.
    """
    shares = []
    for _, texts in sentences[sentences["reason"] == ""].groupby("context_id")["text"]:
        counts, n = texts.value_counts().to_numpy(), len(texts)
        if n > 1:
            shares.append((counts * (counts - 1)).sum() / (n * (n - 1)))
    return float(np.mean(shares)) if shares else float("nan")
