"""Contexts and the sentences that may follow them (paper section 3.1).

A plan says what a context is to be; the teacher writes it, then writes k next sentences after it,
of which the acceptance rules keep the well-formed ones. Whatever is random belongs to one context
id, so a text depends neither on how many contexts there are nor on how they are batched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pandas as pd

from impossible.config.fields import Domain
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, Shards, digest, item_rng, map_items, stage_key
from impossible.data.schemas import CONTEXTS, SENTENCES
from impossible.errors import DataError
from impossible.models.causal_generation import Nucleus, sample_contexts, sample_continuations
from impossible.models.loading import LanguageModel
from impossible.text.sentence_boundaries import first_sentence, rejection_reason

__all__ = [
    "Plan", "acceptance", "domain_of", "draw_contexts", "draw_inputs", "draw_sentences",
    "plan_contexts", "sample_sentences", "sentences_of", "write_contexts",
]  # fmt: skip

ATTEMPTS = 40  # a text that ends before it has enough sentences is written anew, at most so often
CONTEXTS_AT_ONCE = 128  # per shard; no effect on results
SENTENCES_AT_ONCE = 16  # contexts per shard; no effect on results


@dataclass(frozen=True)
class Plan:
    """What a context is to be, before the teacher writes it."""

    context_id: str
    domain: str
    prefix: str
    n_sentences: int


def plan_contexts(
    params: Params, n: int, stage: str = "contexts", lengths: Sequence[int] | None = None
) -> list[Plan]:
    """Plan n contexts: domains and lengths in turn (equal shares), the prefix at random.

    Args:
        params: reads seed, domains and, without `lengths`, context_sentences_min and _max.
        n: contexts.
        stage: beginning of the ids and name of the random stream: another stage, other texts.
        lengths: sentences of a context, in turn; default context_sentences_min to _max.

    Returns:
        Plans with ids `STAGE-00000`, …; plan i is the same for every n > i.

    Source: section 3.1; equal shares instead of random ones make every length as precise.

    >>> [plan.n_sentences for plan in plan_contexts(Params.load("base"), 6, lengths=[1, 5])]
    [1, 1, 5, 5, 1, 1]
    """
    if lengths is None:
        lengths = range(params.context_sentences_min, params.context_sentences_max + 1)
    plans = []
    for i in range(n):
        context_id = f"{stage}-{i:05d}"
        domain = params.domains[i % len(params.domains)]
        rng = item_rng(params.seed, f"{stage} prefix", context_id)
        prefix = domain.prefixes[rng.integers(len(domain.prefixes))] if domain.prefixes else ""
        length = lengths[(i // len(params.domains)) % len(lengths)]
        plans.append(Plan(context_id, domain.name, prefix, length))
    return plans


def domain_of(context_id: str, params: Params) -> str:
    """The domain of a context, by its number (see `plan_contexts`).

    >>> domain_of("inputs-00003", Params.load("base"))
    'bio'
    """
    return params.domains[int(context_id.rpartition("-")[2]) % len(params.domains)].name


def write_contexts(
    lm: LanguageModel, plans: Sequence[Plan], params: Params, stage: str = "contexts"
) -> pd.DataFrame:
    """Let the teacher write planned contexts.

    Args:
        lm: the teacher.
        plans: from `plan_contexts`.
        params: reads seed, domains, context_top_p, context_temperature, context_max_new_tokens.
        stage: name of the random stream.

    Returns:
        `records.CONTEXTS` in the order of `plans`, without those that after `ATTEMPTS` texts
        never had enough sentences.
    """
    nucleus = Nucleus(params.context_top_p, params.context_temperature)
    texts: dict[str, str] = {}
    for attempt in range(ATTEMPTS):
        for domain in params.domains:
            open_plans = [p for p in plans if p.domain == domain.name and p.context_id not in texts]
            uniforms = [
                item_rng(params.seed, stage, plan.context_id, attempt).random(
                    params.context_max_new_tokens
                )
                for plan in open_plans
            ]
            prefixes = [plan.prefix for plan in open_plans]
            counts = [plan.n_sentences for plan in open_plans]
            written = sample_contexts(lm, prefixes, counts, uniforms, nucleus, domain.banned)
            found = zip(open_plans, written, strict=True)
            texts.update({plan.context_id: text for plan, text in found if text})
    rows = [
        (plan.context_id, plan.domain, plan.n_sentences, plan.prefix, texts[plan.context_id])
        for plan in plans
        if plan.context_id in texts
    ]
    return pd.DataFrame(rows, columns=CONTEXTS.names)


def sample_sentences(
    lm: LanguageModel,
    contexts: pd.DataFrame,
    params: Params,
    stage: str = "sentences",
    temperature: float | None = None,
) -> pd.DataFrame:
    """Sample k next sentences after each context and apply the acceptance rules.

    Args:
        lm: the teacher.
        contexts: `records.CONTEXTS`.
        params: reads seed, domains, k, top_p, temperature, max_new_tokens, no_repeat_ngram_size,
            min_characters.
        stage: name of the random stream; the same at another temperature means common random
            numbers, which makes temperatures comparable.
        temperature: instead of `params.sentence_temperature`.

    Returns:
        `records.SENTENCES`, k rows per context: `text` is the accepted first sentence, or "" with
        the `reason` of its refusal.
    """
    heat = params.sentence_temperature if temperature is None else temperature
    raw: dict[str, list[str]] = {}
    for domain in params.domains:
        mine = contexts[contexts["domain"] == domain.name]
        ids, texts = mine["context_id"].tolist(), mine["text"].tolist()
        shape = (params.k, params.sentence_max_new_tokens)
        uniforms = [item_rng(params.seed, stage, name).random(shape) for name in ids]
        samples = sample_continuations(
            lm, texts, uniforms, Nucleus(params.sentence_top_p, heat), domain.banned,
            no_repeat_ngram_size=params.no_repeat_ngram_size,
        )  # fmt: skip
        raw.update(zip(ids, samples, strict=True))
    _no_strangers(contexts, params.domains)
    refused = {domain.name: domain.refused for domain in params.domains}
    rows = [
        (name, number, text, *accepted(text, params.min_characters, refused[domain]))
        for name, domain in zip(contexts["context_id"], contexts["domain"], strict=True)
        for number, text in enumerate(raw[name])
    ]
    return pd.DataFrame(rows, columns=SENTENCES.names)


def accepted(
    continuation: str, min_characters: int = 3, refused: Sequence[str] = ()
) -> tuple[str, str]:
    """The first sentence of a continuation and "", or "" and why it is refused.

    Args:
        continuation: raw text of a sample.
        min_characters: of a sentence.
        refused: what no sentence may hold, in any case; the released code refuses links and
            "edit:" in its forum domain.

    >>> accepted(" Prices rose. Then they"), accepted(" Prices rose and")
    (('Prices rose.', ''), ('', 'no_end'))
    >>> accepted("Edit: prices rose.", refused=["edit:"])
    ('', 'refused')
    """
    sentence = first_sentence(continuation)
    reason = rejection_reason(sentence, min_characters)
    if not reason and any(text.lower() in sentence.lower() for text in refused):
        reason = "refused"
    return ("" if reason else sentence), reason


def _no_strangers(contexts: pd.DataFrame, domains: Sequence[Domain]) -> None:
    unknown = set(contexts["domain"]) - {domain.name for domain in domains}
    if unknown:
        raise DataError(
            f"The contexts are of the domains {sorted(unknown)}, which the parameters do not have: "
            "name them in `domains`, or draw the contexts again."
        )


def draw_contexts(
    run: RunFolder, lm: LanguageModel, plans: Sequence[Plan], params: Params,
    stage: str = "contexts",
) -> pd.DataFrame:  # fmt: skip
    """`write_contexts` in pieces that survive an interruption, kept in `work/STAGE`."""
    names = ("seed", "context_top_p", "context_temperature", "context_max_new_tokens")
    values = _values(params, *names) | {"stage": stage, "plans": digest([vars(p) for p in plans])}
    key = stage_key(values, ["impossible.generation.contexts"], models=[lm.digest])
    return map_items(
        plans,
        lambda plan: plan.context_id,
        lambda chunk: write_contexts(lm, chunk, params, stage),
        Shards(run.work / stage, key, CONTEXTS),
        CONTEXTS_AT_ONCE,
        "contexts",
    )


def sentences_of(
    contexts: pd.DataFrame, min_characters: int = 3, domains: Sequence[Domain] = ()
) -> pd.DataFrame:
    """The sentences of which the teacher's contexts consist, by the same acceptance rules.

    Args:
        contexts: `records.CONTEXTS`.
        min_characters: of a sentence.
        domains: what each of them refuses.

    Returns:
        `records.SENTENCES`: `n_sentences` rows per context, `sample` is the place in the text; a
        sentence that is not there is refused as too short.

    Example:
        "Abstract: Prices rose. He left." with the prefix "Abstract:" gives two rows.
    """
    rows = []
    refused = {domain.name: domain.refused for domain in domains}
    for row in contexts.itertuples(index=False):
        rest = str(row.text)[len(str(row.prefix)) :].strip()
        for place in range(int(row.n_sentences)):
            raw = first_sentence(rest)
            rest = rest[len(raw) :].strip()
            found = accepted(raw, min_characters, refused.get(str(row.domain), ()))
            rows.append((row.context_id, place, raw, *found))
    return pd.DataFrame(rows, columns=SENTENCES.names)


def draw_inputs(
    run: RunFolder, lm: LanguageModel, params: Params, stage: str = "inputs"
) -> pd.DataFrame:
    """Fresh sentences of the teacher for a student to rewrite (section 3.3).

    They are the sentences of fresh contexts: the teacher writes all contexts of a prefix together,
    so that a sentence costs a tenth of one sampled alone after a context of its own.

    Args:
        run: the contexts are kept in `work/STAGE`.
        lm: the teacher.
        params: reads n_inputs (sentences, counted before acceptance), seed, domains,
            context_sentences_min and _max, context_top_p, context_temperature,
            context_max_new_tokens, min_characters.
        stage: name of the random stream; another one than that of the first dataset.

    Returns:
        `records.SENTENCES`, n_inputs rows (fewer if contexts could not be completed).
    """
    plans = plan_contexts(params, params.n_inputs, stage)  # enough, even at one sentence each
    totals = accumulate(plan.n_sentences for plan in plans)
    used = 1 + next(i for i, total in enumerate(totals) if total >= params.n_inputs)
    written = draw_contexts(run, lm, plans[:used], params, stage)
    drawn = sentences_of(written, params.min_characters, params.domains)
    return drawn.head(params.n_inputs)


def draw_sentences(
    run: RunFolder, lm: LanguageModel, contexts: pd.DataFrame, params: Params,
    stage: str = "sentences", temperature: float | None = None,
) -> pd.DataFrame:  # fmt: skip
    """`sample_sentences` in pieces that survive an interruption, kept in `work/STAGE[-T]`."""
    names = (
        "seed", "k", "sentence_top_p", "sentence_temperature", "sentence_max_new_tokens",
        "no_repeat_ngram_size",
        "min_characters",
    )  # fmt: skip
    heat = params.sentence_temperature if temperature is None else temperature
    values = _values(params, *names) | {"stage": stage, "temperature": heat}
    values["contexts"] = digest(contexts[["context_id", "text"]].to_dict("list"))
    key = stage_key(values, ["impossible.generation.contexts"], models=[lm.digest])
    folder = stage if temperature is None else f"{stage}-{temperature:g}"
    rows = {str(row["context_id"]): row for row in contexts.to_dict("records")}
    return map_items(
        list(rows),
        str,
        lambda ids: sample_sentences(
            lm, pd.DataFrame([rows[name] for name in ids]), params, stage, heat
        ),
        Shards(run.work / folder, key, SENTENCES),
        SENTENCES_AT_ONCE,
        f"sentences at temperature {heat:g}",
    )


def _values(params: Params, *names: str) -> dict[str, Any]:
    """Values for a key; what is never generated counts with every text."""
    banned = [[domain.name, domain.banned, domain.refused] for domain in params.domains]
    return {**params.model_dump(include={*names, "dtype"}), "banned": banned}


def acceptance(sentences: pd.DataFrame, contexts: pd.DataFrame) -> pd.DataFrame:
    """What became of the samples of each context.

    Args:
        sentences: `records.SENTENCES`.
        contexts: `records.CONTEXTS`.

    Returns:
        A row per context in their order: context_id, domain, n_sentences, samples, accepted, and
        distinct (different accepted strings).
    """
    good = sentences[sentences["reason"] == ""]
    counts = pd.DataFrame(
        {
            "samples": sentences.groupby("context_id").size(),
            "accepted": good.groupby("context_id").size(),
            "distinct": good.groupby("context_id")["text"].nunique(),
        }
    )
    table = contexts[["context_id", "domain", "n_sentences"]].merge(
        counts, left_on="context_id", right_index=True, how="left"
    )
    whole = ["samples", "accepted", "distinct"]
    return table.fillna(dict.fromkeys(whole, 0)).astype(dict.fromkeys(whole, int))
