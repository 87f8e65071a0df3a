"""Domains: what a teacher of its own is worth, and pairs of one domain against pooled ones (v1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.config.schema import Domain
from impossible.data.human_datasets import take
from impossible.data.run_folder import RunFolder
from impossible.filtering.diversity_filter import thinned
from impossible.filtering.pair_scores import Parser, gate
from impossible.filtering.resumable_scoring import score_sentences
from impossible.generation.contexts import domain_of, draw_contexts, draw_sentences, plan_contexts
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.training.self_distillation import dataset


def pairs_of_domain_teacher(
    run: RunFolder,
    teacher: LanguageModel,
    domain: Domain,
    params: Params,
    critic: EntailmentCritic,
    parser: Parser,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """All steps from a teacher of one domain to its pairs, in pieces kept in `work/`.

    Args:
        run: the run folder.
        teacher: writes the contexts and the sentences.
        domain: its prefixes, and what it never writes.
        params: of the run; `domain_contexts` says how many contexts.
        critic, parser: those of the run.

    Returns:
        (CONTEXTS, SENTENCES, pairs that pass all thresholds and the diversity filter as DATASET).
    """
    alone, stage = params.fixed(domains=[domain]), f"{domain.name} alone"
    plans = plan_contexts(alone, params.domain_contexts, stage)
    contexts = draw_contexts(run, teacher, plans, alone, stage)
    sentences = draw_sentences(run, teacher, contexts, alone, f"{stage} sentences")
    scored, _ = score_sentences(run, sentences, critic, parser, alone, f"{stage} pairs")
    kept, _ = gate(scored, alone)
    diverse = thinned(kept, critic, alone, scored)
    return contexts, sentences, dataset(diverse, origin=f"teacher of {domain.name}")


def first_contexts(contexts: pd.DataFrame, n: int) -> pd.DataFrame:
    """The first n contexts of each domain: as many as a teacher of its own wrote.

    Lengths come in turn within a domain, so the first n of every teacher have the same lengths.
    """
    return contexts.groupby("domain", sort=False).head(n)


def yield_per_context(
    contexts: pd.DataFrame, sentences: pd.DataFrame, pairs: pd.DataFrame, teacher: str
) -> pd.DataFrame:
    """What came of each context.

    Args:
        contexts: CONTEXTS.
        sentences: SENTENCES; those of other contexts are left out.
        pairs: DATASET of pairs within contexts; likewise.
        teacher: name in the result.

    Returns:
        teacher, domain, context_id, accepted (sentences), distinct (different ones), pairs (kept).
    """
    accepted = sentences[sentences["reason"] == ""].groupby("context_id")["text"]
    counts = {
        "accepted": accepted.size(),
        "distinct": accepted.nunique(),
        "pairs": pairs.groupby("context_id").size(),
    }
    frame = contexts[["domain", "context_id"]].reset_index(drop=True)
    for name, numbers in counts.items():
        frame[name] = frame["context_id"].map(numbers).fillna(0).astype(int)
    return frame.assign(teacher=teacher)


def bits_per_character(teacher: LanguageModel, items: pd.DataFrame) -> pd.Series:
    """Bits per character of each item's source after its context.

    Per character, not per token: teachers with different tokenizers can be compared.

    Args:
        teacher: the language model.
        items: source, context.
    """
    nats = surprise(teacher, items["context"].tolist(), items["source"].tolist())["nats"]
    lengths = items["source"].str.len().to_numpy() + 1  # the space before it
    return pd.Series(nats.to_numpy() / np.log(2) / lengths, index=items.index)


def split_by_domain(pairs: pd.DataFrame, params: Params) -> dict[str, pd.DataFrame]:
    """A corpus of this run divided by the domains of its contexts; empty parts are left out."""
    domains = pd.Series([domain_of(c, params) for c in pairs["context_id"]], index=pairs.index)
    parts = {domain.name: pairs[domains == domain.name] for domain in params.domains}
    return {name: part for name, part in parts.items() if len(part)}


def equally_many(
    parts: Mapping[str, pd.DataFrame], limit: int, seed: int
) -> dict[str, pd.DataFrame]:
    """As many pairs of each part, at most `limit`, drawn by the seed."""
    size = min([limit, *map(len, parts.values())])
    return {name: take(part, size, seed) for name, part in parts.items()}


def at_home_and_away(
    scores: pd.DataFrame, domains: pd.Series, alone: Mapping[str, str], metrics: Sequence[str]
) -> pd.DataFrame:
    """Two imaginary systems to compare a pooled student with, item by item.

    Args:
        scores: item scores of all students: system, item and the metrics.
        domains: item → its domain.
        alone: domain → the system that has seen this domain only.
        metrics: columns of `scores`.

    Returns:
        Item scores of "alone, at home" (each item's score by the student of its own domain) and
        "alone, away" (the mean of the other students' scores).
    """
    seen = scores["system"].map({system: domain for domain, system in alone.items()})
    at_home = seen == scores["item"].map(domains)
    parts = []
    for name, chosen in (("alone, at home", at_home), ("alone, away", ~at_home)):
        of_item = scores[chosen & seen.notna()].groupby("item", sort=False)
        parts.append(of_item[list(metrics)].mean().reset_index().assign(system=name))
    return pd.concat(parts, ignore_index=True)
