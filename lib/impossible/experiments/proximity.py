"""Paraphrastic proximity: how often two next sentences of one context mean the same (section 2).

Here pairs are drawn and judged in both directions; `proximity_statistics` sums up what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, item_rng
from impossible.data.schemas import FLAG, NUMBER, SCORE, TEXT, TINY_COUNT, record_schema
from impossible.data.units import Scored, Unit, map_units
from impossible.evaluation.judges import Judge
from impossible.filtering.critic import EntailmentModel, TextPairs
from impossible.filtering.entailment import Entailment
from impossible.filtering.thresholds import Thresholds
from impossible.generation.contexts import draw_contexts, plan_contexts
from impossible.generation.human_contexts import given_contexts
from impossible.generation.next_sentences import draw_sentences
from impossible.models.loading import LanguageModel
from impossible.text.bleu import self_bleu

_CONTROLS = 4  # one control pair per so many pairs: its ratio is near zero, few suffice

#: One row per judged pair. item = context at a temperature; a pair of one context, or (control) a
#: sentence of it with one of another context; `mixed`: it belongs to the panel over temperatures;
#: `p_yx` is null where `p_xy` is below the floor.
JUDGED_PAIRS = record_schema(
    "item", item=TEXT, context_id=TEXT, n_sentences=TINY_COUNT, temperature=NUMBER, mixed=FLAG,
    control=FLAG, x=TEXT, y=TEXT, p_xy=SCORE, p_yx=SCORE,
)  # fmt: skip


def draw_proximity_contexts(run: RunFolder, lm: LanguageModel, params: Params) -> pd.DataFrame:
    """CONTEXTS of the panels: `proximity_contexts` of each of `proximity_lengths`."""
    n = params.proximity_contexts * len(params.proximity_lengths)
    plans = plan_contexts(params, n, "proximity", params.proximity_lengths)
    return draw_contexts(run, lm, plans, params, "proximity")


def mixed_lengths(contexts: pd.DataFrame, n: int) -> set[str]:
    """Ids of about n contexts with all lengths in equal number: those of the temperature panel."""
    each = max(1, round(n / contexts["n_sentences"].nunique())) if len(contexts) else 0
    return set(contexts.groupby("n_sentences").head(each)["context_id"])


def draw_by_temperature(
    run: RunFolder, lm: LanguageModel, contexts: pd.DataFrame, params: Params
) -> dict[float, pd.DataFrame]:
    """Temperature → SENTENCES: all contexts at `sentence_temperature`, those of mixed lengths else.

    Temperatures share their random numbers, so that only the temperature differs.
    """
    chosen = mixed_lengths(contexts, params.proximity_contexts)
    mixed = contexts[contexts["context_id"].isin(chosen)]
    stage, usual = "proximity-sentences", params.sentence_temperature
    return {
        t: draw_sentences(run, lm, contexts if t == usual else mixed, params, stage, t)
        for t in sorted({*params.proximity_temperatures, usual})
    }


def random_pairs(
    first: Sequence[str], second: Sequence[str] | None, n: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Draw n different pairs of samples whose texts differ, or all there are if fewer.

    Args:
        first: accepted sentences of a context; a text that was sampled twice counts twice.
        second: sentences of another context to pair them with; None: pairs within `first`.

    Returns:
        Pairs (x, y), x ≠ y, in random order within: a sentence is no paraphrase of itself, and at
        low temperature pairs of equal texts would be counted as proximity.

    >>> random_pairs(["a", "b", "a"], ["b"], 5, np.random.default_rng(0))
    [('a', 'b'), ('a', 'b')]
    """
    if second is None:
        left, right = np.triu_indices(len(first), 1)
        pool = list(first)
    else:
        left, right = (part.ravel() for part in np.indices((len(first), len(second))))
        pool, right = [*first, *second], right + len(first)
    texts = np.array(pool, dtype=object)
    chosen = np.sort(rng.permutation(np.flatnonzero(texts[left] != texts[right]))[:n])
    swap = rng.random(len(chosen)) < (0.5 if second is None else 0.0)
    pairs = ((pool[left[i]], pool[right[i]]) for i in chosen)
    return [(y, x) if turned else (x, y) for (x, y), turned in zip(pairs, swap, strict=True)]


def draw_judged_pairs(
    run: RunFolder, critic: EntailmentModel, contexts: pd.DataFrame,
    sentences: Mapping[float, pd.DataFrame], params: Params, stage: str = "proximity",
) -> pd.DataFrame:  # fmt: skip
    """Draw and judge pairs of every context at every temperature, kept in `work/STAGE-pairs`.

    `sentences` maps temperatures to SENTENCES of (some of) the contexts.

    Returns:
        JUDGED_PAIRS, proximity_pairs rows per context and temperature (fewer where there are not as
        many pairs), and a quarter as many control pairs: a sentence of the context with one of the
        next context of the same domain and length.
    """
    texts = {
        (str(name), temperature): group["text"].tolist()
        for temperature, frame in sentences.items()
        for name, group in frame[frame["reason"] == ""].groupby("context_id")
    }
    names = contexts.groupby(["domain", "n_sentences"])["context_id"]
    following = names.shift(-1).fillna(names.transform("first"))
    after = dict(zip(contexts["context_id"], following, strict=True))
    lengths = dict(zip(contexts["context_id"], contexts["n_sentences"].tolist(), strict=True))
    mixed = mixed_lengths(contexts, params.proximity_contexts)
    units = []
    for (name, temperature), own in texts.items():
        others = [] if after[name] == name else texts.get((after[name], temperature), [])
        payload = {
            "context_id": name, "n_sentences": lengths[name], "temperature": temperature,
            "mixed": name in mixed, "stage": f"{stage} pairs", "texts": own, "others": others,
        }  # fmt: skip
        units.append(Unit(f"{name} {temperature:g}", payload))
    return map_units(_judge_unit, units, params, run, f"{stage}-pairs", JUDGED_PAIRS, critic)[0]


def _judge_unit(unit: Unit, params: Params, critic: EntailmentModel) -> Scored:
    """The pairs of a context at a temperature, and those with sentences of another one."""
    given, n = unit.payload, params.proximity_pairs
    rng = item_rng(params.seed, given["stage"], given["context_id"])
    own = random_pairs(given["texts"], None, n, rng)
    far = random_pairs(given["texts"], given["others"], max(1, n // _CONTROLS), rng)
    frame = pd.DataFrame([*own, *far], columns=["x", "y"])
    frame = frame.assign(item=unit.id, control=[False] * len(own) + [True] * len(far))
    frame = frame.assign(**{name: given[name] for name in JUDGED_PAIRS.names if name in given})
    pairs, models = TextPairs.of(frame["x"], frame["y"]), SimpleNamespace(critic=critic)
    scores = Entailment().score(pairs, models, Thresholds.paraphrase(params))
    return frame.assign(**scores), pd.DataFrame()


def surface_contexts(contexts: pd.DataFrame, params: Params) -> pd.DataFrame:
    """What a cell of the surface needs of the panel over lengths besides the other panel."""
    first = contexts.groupby("n_sentences").head(params.proximity_surface_contexts)
    return first[~first["context_id"].isin(mixed_lengths(contexts, params.proximity_contexts))]


def draw_for_surface(
    run: RunFolder, lm: LanguageModel, critic: EntailmentModel, contexts: pd.DataFrame,
    params: Params,
) -> pd.DataFrame:  # fmt: skip
    """Judge what the surface length × temperature needs beyond the two panels, at less cost.

    The panel over lengths is one row of the surface, and the contexts of the temperature panel are
    a few of every cell. Here further contexts follow at the other temperatures, with fewer pairs:
    contexts differ more than pairs of one context. Twice as many sentences as pairs are sampled, so
    that pairs need not share one (at most k). The rows belong to neither panel: `mixed` is false.
    """
    pairs = params.proximity_surface_pairs
    fewer = params.model_copy(update={"k": min(params.k, 2 * pairs), "proximity_pairs": pairs})
    more, stage = surface_contexts(contexts, params), "surface-sentences"
    temperatures = sorted({*params.proximity_temperatures} - {params.sentence_temperature})
    sentences = {t: draw_sentences(run, lm, more, fewer, stage, t) for t in temperatures}
    judged = draw_judged_pairs(run, critic, more, sentences, fewer, "surface")
    return judged.assign(mixed=False)


def draw_panels_and_surface(
    run: RunFolder, lm: LanguageModel, critic: EntailmentModel, contexts: pd.DataFrame,
    sentences: Mapping[float, pd.DataFrame], params: Params,
) -> pd.DataFrame:  # fmt: skip
    """JUDGED_PAIRS of both panels, then those that the surface needs besides."""
    panels = draw_judged_pairs(run, critic, contexts, sentences, params)
    more = draw_for_surface(run, lm, critic, contexts, params)
    return pd.concat([panels, more], ignore_index=True) if len(more) else panels


def draw_after_given(
    run: RunFolder, lm: LanguageModel, critic: EntailmentModel, params: Params
) -> pd.DataFrame:
    """JUDGED_PAIRS after `proximity_contexts` contexts that the teacher did not write, if any."""
    n, lengths = params.proximity_contexts, params.proximity_lengths
    plans = plan_contexts(params, n, "given", lengths)
    contexts = given_contexts(params.given_contexts, plans, params.seed)
    after = {params.sentence_temperature: draw_sentences(run, lm, contexts, params, "given-next")}
    return draw_judged_pairs(run, critic, contexts, after, params, "given")


def with_verdicts(judged: pd.DataFrame, judge: Judge, params: Params) -> pd.DataFrame:
    """JUDGED_PAIRS with what the critic and, for evaluation only, the judge say.

    Returns:
        Further columns: critic and judge (1 equivalent, 0 not; NaN: the judge cannot say), weaker
        (the lower known probability), similarity (BLEU of y and x, in [0, 100]), self_bleu and
        self_bleu_judge (the same where critic or judge say equivalent, else NaN).
    """
    accepted = Entailment().accepts(judged, Thresholds.paraphrase(params)).astype(float)
    verdicts = pd.Series(judge.equivalent(list(judged["x"]), list(judged["y"])), judged.index)
    bleu = pd.Series(self_bleu(judged["x"], judged["y"]), judged.index)
    judged = judged.assign(critic=accepted, judge=verdicts, similarity=bleu)
    theirs, its = bleu.where(accepted > 0), bleu.where(verdicts > 0)
    weaker = judged[["p_xy", "p_yx"]].min(axis=1)
    return judged.assign(weaker=weaker, self_bleu=theirs, self_bleu_judge=its)


def verdicts_of_parts(
    judged: pd.DataFrame, judge: Judge, params: Params
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """`with_verdicts` of all pairs of one context, of those in the panels, and of their control."""
    inside = in_panels(judged, params.sentence_temperature)
    every = with_verdicts(judged[~judged["control"]], judge, params)
    far = with_verdicts(judged[inside & judged["control"]], judge, params)
    return every, every[in_panels(every, params.sentence_temperature)], far


def in_panels(judged: pd.DataFrame, temperature: float) -> pd.Series[bool]:
    """Which judged pairs belong to a panel of Figure 3, not to the surface alone."""
    return judged["mixed"] | (judged["temperature"] == temperature)


def identical_fraction(sentences: pd.DataFrame) -> float:
    """Fraction of the pairs of accepted samples of a context with equal texts, mean of contexts."""
    fractions = []
    for _, texts in sentences[sentences["reason"] == ""].groupby("context_id")["text"]:
        counts, n = texts.value_counts().to_numpy(), len(texts)
        if n > 1:
            fractions.append((counts * (counts - 1)).sum() / (n * (n - 1)))
    return float(np.mean(fractions)) if fractions else float("nan")
