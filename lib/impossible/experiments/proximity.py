"""Paraphrastic proximity: how often two next sentences of one context mean the same (section 2).

Contexts and sentences come from `contexts`; here pairs are drawn and judged in both directions by
the critic. What they say is summed up by `trends`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, item_rng
from impossible.data.units import Scored, Unit, map_units
from impossible.generation.next_sentences import draw_sentences
from impossible.models.loading import LanguageModel

__all__ = [
    "JUDGED", "decided", "draw_judged", "draw_surface", "identical_share", "in_panels", "judge",
    "mixed_lengths", "random_pairs", "surface_contexts",
]  # fmt: skip

CONTROL_SHARE = 4  # one control pair per so many pairs: its ratio is near zero, few suffice

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
    run: RunFolder, critic: Critic, contexts: pd.DataFrame,
    sentences: Mapping[float, pd.DataFrame], params: Params, stage: str = "proximity",
) -> pd.DataFrame:  # fmt: skip
    """Draw and judge the pairs of every context at every temperature, resumably.

    Args:
        run: the run folder; parts lie in `work/STAGE-pairs`.
        critic: the NLI model.
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
    units = []
    for (name, heat), found in texts.items():
        payload = {
            "context_id": name, "n_sentences": int(rows.at[name, "n_sentences"]),
            "temperature": heat, "mixed": name in mixed, "stage": f"{stage} pairs",
            "texts": found, "others": texts.get((others.get(name, ""), heat), []),
        }  # fmt: skip
        units.append(Unit(f"{name} {heat:g}", payload))
    return map_units(_judge_unit, units, params, run, f"{stage}-pairs", JUDGED, critic)[0]


def _judge_unit(unit: Unit, params: Params, critic: Critic) -> Scored:
    """The pairs of a context at a temperature, and those with sentences of another one."""
    given = unit.payload
    rng = item_rng(params.seed, given["stage"], given["context_id"])
    n = params.proximity_pairs
    own = random_pairs(given["texts"], None, n, rng)
    far = random_pairs(given["texts"], given["others"], max(1, n // CONTROL_SHARE), rng)
    frame = pd.DataFrame([*own, *far], columns=["x", "y"])
    frame = frame.assign(item=unit.id, control=[False] * len(own) + [True] * len(far))
    frame = frame.assign(**{name: given[name] for name in JUDGED.names if name in given})
    forward, backward = judge(critic, list(zip(frame["x"], frame["y"], strict=True)),
                              params.entailment_floor)  # fmt: skip
    return frame.assign(p_xy=forward, p_yx=backward), pd.DataFrame()


def _others(contexts: pd.DataFrame) -> dict[str, str]:
    """For each context the next one of its domain and length; none for a context without such."""
    found: dict[str, str] = {}
    for _, group in contexts.groupby(["domain", "n_sentences"]):
        names = group["context_id"].tolist()
        if len(names) > 1:
            found.update(zip(names, [*names[1:], names[0]], strict=True))
    return found


def surface_contexts(contexts: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Contexts that a cell of the surface needs besides those of the temperature panel.

    Args:
        contexts: `records.CONTEXTS` of the panel over lengths, proximity_contexts of each length.
        params: reads proximity_contexts, proximity_surface_contexts (per length, in all).
    """
    first = contexts.groupby("n_sentences").head(params.proximity_surface_contexts)
    return first[~first["context_id"].isin(mixed_lengths(contexts, params.proximity_contexts))]


def draw_surface(
    run: RunFolder, lm: LanguageModel, critic: Critic, contexts: pd.DataFrame,
    params: Params,
) -> pd.DataFrame:  # fmt: skip
    """Judge what the surface length × temperature needs beyond the two panels, at less cost.

    The panel over lengths is one row of the surface, and the contexts of the temperature panel are
    a few of every cell. Here further contexts follow at the other temperatures. Contexts differ
    more than pairs of one context, so more contexts with fewer pairs make a cell more precise.

    Args:
        run, critic: as for `draw_judged`.
        lm: the teacher.
        contexts: as for `surface_contexts`.
        params: what sentences need, and proximity_surface_contexts, proximity_surface_pairs; twice
            as many sentences as pairs are sampled, so that pairs need not share one (at most k).

    Returns:
        `JUDGED` with `mixed` false, so that the rows belong to neither panel.
    """
    pairs = params.proximity_surface_pairs
    fewer = params.model_copy(update={"k": min(params.k, 2 * pairs), "proximity_pairs": pairs})
    more = surface_contexts(contexts, params)
    heats = sorted({*params.proximity_temperatures} - {params.sentence_temperature})
    sentences = {
        heat: draw_sentences(run, lm, more, fewer, "surface-sentences", heat) for heat in heats
    }
    return draw_judged(run, critic, more, sentences, fewer, "surface").assign(mixed=False)


def in_panels(judged: pd.DataFrame, temperature: float) -> pd.Series[bool]:
    """Which rows of `JUDGED` belong to a panel of Figure 3, not to the surface alone."""
    return judged["mixed"] | (judged["temperature"] == temperature)


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
