"""Next sentences of a context (paper section 3.1): k samples, of which rules accept some.

The unit of work is one context with its k samples; its random numbers belong to its id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import pandas as pd

from impossible.config.fields import Domain
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, item_rng
from impossible.data.schemas import SENTENCES
from impossible.data.units import Scored, Unit, map_units
from impossible.errors import DataError
from impossible.generation.contexts import draw_contexts, plan_contexts
from impossible.generation.paragraphs import source_sentences
from impossible.models.causal_generation import sample_continuations, text_rules
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.sentence_boundaries import (
    first_sentence,
    opening_words,
    rejected_by,
    rejection_reason,
)


def sample_sentences(
    lm: LanguageModel,
    contexts: pd.DataFrame,
    params: Params,
    stage: str = "sentences",
    temperature: float | None = None,
    n: int = 1,
) -> pd.DataFrame:
    """Sample k next sentences after each context and apply the acceptance rules.

    Args:
        lm: the teacher.
        contexts: CONTEXTS.
        params: reads seed, domains, k, sentence_top_p, sentence_temperature,
            sentence_max_new_tokens, no_repeat_ngram_size, min_characters, rejections.
        stage: name of the random stream; the same at another temperature means common random
            numbers, which makes temperatures comparable.
        temperature: instead of `params.sentence_temperature`.
        n: sentences that each sample goes on for; above 1 it is a paragraph.

    Returns:
        SENTENCES, k rows per context: `text` is the accepted first sentence, or the first n, or ""
        with the `reason` of the rejection.
    """
    domains = {domain.name: domain for domain in params.domains}
    if unknown := set(contexts["domain"]) - set(domains):
        raise DataError(
            f"The contexts are of the domains {sorted(unknown)}, which the parameters do not have: "
            "name them in `domains`, or draw the contexts again."
        )
    rules = {
        name: text_rules(lm, domain.banned, params.no_repeat_ngram_size)
        for name, domain in domains.items()
    }
    nucleus = Nucleus(
        params.sentence_top_p, params.sentence_temperature if temperature is None else temperature
    )
    shape, rows = (params.k, n * params.sentence_max_new_tokens), []
    for context in contexts.itertuples():
        domain = domains[str(context.domain)]
        numbers = item_rng(params.seed, stage, str(context.context_id)).random(shape)
        raw = sample_continuations(lm, str(context.text), numbers, nucleus, rules[domain.name], n)
        for number, text in enumerate(raw):
            accepted = accept_sentences(
                text, n, params.min_characters, domain.refused, params.rejections
            )
            rows.append((context.context_id, context.domain, number, text, *accepted))
    return pd.DataFrame(rows, columns=SENTENCES.names)


def accept_sentence(
    continuation: str,
    min_characters: int = 3,
    refused: Sequence[str] = (),
    rejections: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[str, str]:
    """The first sentence of a continuation and "", or "" and why it is rejected.

    Args:
        continuation: raw text of a sample.
        min_characters: of a sentence.
        refused: what no sentence may hold, in any case; the released code refuses links and
            "edit:" in its forum domain.
        rejections: reason → regular expressions that are not to be found in a sentence; the first
            that is gives the reason.

    >>> accept_sentence(" Prices rose. Then they"), accept_sentence(" Prices rose and")
    (('Prices rose.', ''), ('', 'no_end'))
    >>> accept_sentence("Edit: prices rose.", refused=["edit:"])
    ('', 'refused')
    >>> accept_sentence("User: prices rose.", rejections={"chat": ["^User:"]})
    ('', 'chat')
    """
    sentence = first_sentence(continuation)
    reason = rejection_reason(sentence, min_characters)
    if not reason and any(text.lower() in sentence.lower() for text in refused):
        reason = "refused"
    reason = reason or rejected_by(sentence, rejections)
    return ("" if reason else sentence), reason


def accept_sentences(continuation: str, n: int, *rules: Any) -> tuple[str, str]:
    """The first n sentences of a continuation and "", or "" and why one of them is rejected.

    A sentence that stands twice is no second one: the reason is "repeats".

    Args:
        continuation: raw text of a sample.
        n: sentences, ≥ 1.
        rules: what else `accept_sentence` takes, in its order.

    >>> accept_sentences(" Prices rose. Then they  fell. Now", 2)
    ('Prices rose. Then they  fell.', '')
    >>> accept_sentences(" Prices rose. Then they", 2), accept_sentences(" Prices rose.", 2)
    (('', 'no_end'), ('', 'too_short'))
    """
    sentences: list[str] = []
    rest = continuation
    for _ in range(n):
        sentence, reason = accept_sentence(rest, *rules)
        if reason or sentence in sentences:
            return "", reason or "repeats"
        sentences.append(sentence)
        rest = rest.strip(" \t")[len(sentence) :]
    return " ".join(sentences), ""


def draw_sentences(
    run: RunFolder, lm: LanguageModel, contexts: pd.DataFrame, params: Params,
    stage: str = "sentences", temperature: float | None = None, n: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """`sample_sentences`, one context a unit, kept in `work/STAGE[-T]`."""
    how = {"stage": stage, "temperature": temperature, "n": n}
    units = [
        Unit(str(row["context_id"]), {**how, "domain": row["domain"], "text": row["text"]})
        for row in contexts.to_dict("records")
    ]
    folder = stage if temperature is None else f"{stage}-{temperature:g}"
    return map_units(_sample_unit, units, params, run, folder, SENTENCES, lm)[0]


def draw_paragraphs(
    run: RunFolder, lm: LanguageModel, contexts: pd.DataFrame, params: Params, task: str = "summary"
) -> pd.DataFrame | None:
    """What the teacher writes after each context to be summarized: k paragraphs, or nothing.

    Args:
        run: they are kept in `work/paragraphs`.
        lm: the teacher.
        contexts: CONTEXTS.
        params: reads paragraph_sentences and what `sample_sentences` reads.
        task: "summary" or "paraphrase".

    Returns:
        SENTENCES, each `text` a paragraph of which every sentence is accepted; None where sources
        are single sentences, which the next sentences are themselves.
    """
    n = source_sentences(params, task)
    return draw_sentences(run, lm, contexts, params, "paragraphs", n=n) if n > 1 else None


def _sample_unit(unit: Unit, params: Params, lm: LanguageModel) -> Scored:
    context = pd.DataFrame([{"context_id": unit.id, **unit.payload}])
    how = (unit.payload[name] for name in ("stage", "temperature", "n"))
    return sample_sentences(lm, context, params, *how), pd.DataFrame()


def sentences_of(
    contexts: pd.DataFrame,
    min_characters: int = 3,
    domains: Sequence[Domain] = (),
    rejections: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> pd.DataFrame:
    """The sentences of which the teacher's contexts consist, by the same acceptance rules.

    Args:
        contexts: CONTEXTS.
        min_characters: of a sentence.
        domains: what each of them refuses.
        rejections: as for `accept_sentence`.

    Returns:
        SENTENCES: `n_sentences` rows per context, `sample` is the index in the text; a sentence
        that is not there is rejected as too short.

    Example:
        "Abstract: Prices rose. He left." with the prefix "Abstract:" gives two rows.
    """
    rows = []
    refused = {domain.name: domain.refused for domain in domains}
    for row in contexts.itertuples(index=False):
        prefix = str(row.prefix)
        rest = str(row.text)[len(prefix) - len(opening_words(prefix)) :].strip()
        for index in range(int(row.n_sentences)):
            raw = first_sentence(rest)
            rest = rest[len(raw) :].strip()
            holds = refused.get(str(row.domain), ())
            sentence = accept_sentence(raw, min_characters, holds, rejections)
            rows.append((row.context_id, row.domain, index, raw, *sentence))
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
        params: reads n_inputs (sentences, counted before acceptance), min_characters, and what
            `plan_contexts` and `write_contexts` read.
        stage: name of the random stream; another one than that of the first dataset.

    Returns:
        SENTENCES, n_inputs rows (fewer if contexts could not be completed).
    """
    plans = plan_contexts(params, params.n_inputs, stage)  # enough, even at one sentence each
    totals = accumulate(plan.n_sentences for plan in plans)
    used = 1 + next(i for i, total in enumerate(totals) if total >= params.n_inputs)
    anything = params.fixed(rejections={})  # rejected are sentences, not all that they stand among
    written = draw_contexts(run, lm, plans[:used], anything, stage)
    sentences = sentences_of(written, params.min_characters, params.domains, params.rejections)
    return sentences.head(params.n_inputs)


def draw_fresh(
    run: RunFolder, lm: LanguageModel, params: Params, known: Collection[str]
) -> pd.DataFrame:
    """`draw_inputs`, with sentences that are `known` already rejected as not_fresh."""
    drawn = draw_inputs(run, lm, params)
    stale = drawn["text"].isin(list(known)) & (drawn["reason"] == "")
    return drawn.assign(reason=drawn["reason"].mask(stale, "not_fresh"))


def acceptance_counts(sentences: pd.DataFrame, contexts: pd.DataFrame) -> pd.DataFrame:
    """What became of the samples of each context.

    Args:
        sentences: SENTENCES.
        contexts: CONTEXTS.

    Returns:
        A row per context in their order: context_id, domain, n_sentences, samples, accepted, and
        distinct (different accepted strings).
    """
    texts = sentences["text"].where(sentences["reason"] == "")
    groups = texts.groupby(sentences["context_id"])
    counts = groups.agg(samples="size", accepted="count", distinct="nunique")
    table = contexts[["context_id", "domain", "n_sentences"]]
    counted = counts.reindex(table["context_id"], fill_value=0).reset_index(drop=True)
    return pd.concat([table.reset_index(drop=True), counted.astype(int)], axis=1)
