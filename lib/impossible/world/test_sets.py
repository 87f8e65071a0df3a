"""Sentences of the closed world with gold answers: test items, headlines, realizations.

The grammar makes them; the pipeline never sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from impossible import world
from impossible.data.run_folder import item_rng
from impossible.errors import ParameterError
from impossible.world.documents import DOMAINS, sample_document
from impossible.world.facts import Fact
from impossible.world.oracle import fraction_kept
from impossible.world.realize import constructions_for, realize
from impossible.world.surface import detokenize, words_of

#: Plain forms, the first to be preferred.
PLAIN = (
    "active", "passive", "short passive", "intransitive", "negation", "negated passive",
    "negated short passive", "intransitive negation",
)  # fmt: skip
N_REFERENCES = 4  # gold realizations of each item
ATTEMPTS = 20  # draws until a realization differs from the source
#: Gold summary and headline, of the source's characters, as the task's threshold asks.
LONGEST_SUMMARY = 0.8


def short_examples(n: int, seed: int) -> list[tuple[str, str]]:
    """The shortest n of a dozen items as (source, a paraphrase), to be shown in a prompt."""
    spare = world_items(12, seed)
    spare = spare.loc[spare["source"].str.len().sort_values().index].head(n)
    return [(x, ys[0]) for x, ys in zip(spare["source"], spare["references"], strict=True)]


def world_items(
    n: int, seed: int = 0, task: str = "paraphrase", *, domain: str | None = None
) -> pd.DataFrame:
    """The test set "world": sentences about facts that no training document tells.

    A gold summary tells the predicate and its participants without modifiers and adjectives, as far
    as that follows: who did not resign on Friday may have resigned on Monday.

    Args:
        n: items; item i is the same for every n > i.
        task: "paraphrase", or "summary": sentences with something to leave out.

    Returns:
        Columns id, source, references (`N_REFERENCES`, from as many constructions as possible, all
        different from the source), context (the document up to the sentence), domain.
    """
    rows: list[dict[str, object]] = []
    known: set[Fact] = set()
    attempt = 0
    while len(rows) < n:
        rng = item_rng(seed, "test set", str(attempt))
        attempt += 1
        document = sample_document(rng, "test", _domains(domain))
        fact, source = document.facts[-1], document.sentences[-1]
        target, longest = (_essence(fact), LONGEST_SUMMARY) if task == "summary" else (fact, np.inf)
        references = _references(target, source, rng, longest)
        if fact in known or len(references) < N_REFERENCES:
            continue
        known.add(fact)
        context = " ".join((document.prefix, *document.sentences[:-1]))
        row = {"id": f"test-{len(rows):05d}", "source": source, "references": references}
        rows.append({**row, "context": context, "domain": document.domain})
    return pd.DataFrame(rows)


def _references(fact: Fact, source: str, rng: np.random.Generator, longest: float) -> list[str]:
    """Different realizations, a new construction each as long as there are any."""
    names = [construction.name for construction in constructions_for(fact)]
    order = [names[i] for i in rng.permutation(len(names))]
    texts: list[str] = []
    for name in order * 4:
        text = realize(fact, rng, name)
        if text != source and text not in texts and len(text) <= longest * len(source):
            texts.append(text)
        if len(texts) == N_REFERENCES:
            break
    return texts


def _essence(fact: Fact) -> Fact:
    """The fact without what can be left out."""
    if fact.negated:
        kept = [m for m in fact.modifiers if m.kind not in world.OUTSIDE_NEGATION]
        return world.make_fact(fact.frame, dict(fact.roles), kept, True)
    bare = {name: replace(entity, attribute="") for name, entity in fact.roles}
    return world.make_fact(fact.frame, bare)


def _domains(domain: str | None) -> tuple[str, ...]:
    """The domain, if the closed world has it; None is any."""
    if domain is not None and domain not in DOMAINS:
        raise ParameterError(
            f"The closed world has no domain {domain!r}: choose one of {', '.join(DOMAINS)}."
        )
    return DOMAINS if domain is None else (domain,)


def headlines(n: int, seed: int = 0, domain: str = "news") -> pd.DataFrame:
    """A stand-in for a corpus that people wrote, where Gigaword would stand: sentences, headlines.

    One domain, one headline for a sentence, and nothing in it but words of the sentence in their
    order: all that can go goes, as long as a sentence is left that follows and tells predicate and
    participants. Real headlines reword more, and leave out articles and verbs; ours stay sentences,
    so that the oracle reads what their student writes. It is no part of the pipeline.

    n pairs, each of another fact and another document (pair i is the same for every n > i), in the
    columns source, target, context_id (the document's name), domain.

    Source: the form is that of Rush et al. 2015; any sentence of a document serves, not only its
    first, lest few predicates occur.
    """
    rows: list[tuple[str, str, str, str]] = []
    known: set[Fact] = set()
    attempt = 0
    while len(rows) < n:
        rng = item_rng(seed, "headlines", str(attempt))
        attempt += 1
        document = sample_document(rng, "train", _domains(domain))
        index = int(rng.integers(len(document.facts)))
        fact, source = document.facts[index], document.sentences[index]
        target = _headline(fact, words_of(world.tree(source) or ""))
        if fact not in known and len(target) <= LONGEST_SUMMARY * len(source):
            known.add(fact)
            rows.append((source, target, f"document-{attempt - 1:05d}", domain))
    return pd.DataFrame(rows, columns=["source", "target", "context_id", "domain"])


def _headline(fact: Fact, tokens: list[str]) -> str:
    """What is left when runs of words are deleted, the longest first, as often as one can go."""
    for size in range(len(tokens) - 1, 0, -1):
        for start in range(len(tokens) - size + 1):
            rest = tokens[:start] + tokens[start + size :]
            told = world.parse(detokenize(rest))
            if told and world.entails(fact, told) and fraction_kept(fact, told) == 1:
                return _headline(fact, rest)
    return detokenize(tokens)


def realizations(texts: Sequence[str], seed: int = 0, plain: bool = False) -> list[list[str]]:
    """For each text one other realization by the grammar; none for a text outside it.

    `plain`: always the same plain form (the first of `PLAIN` that fits, other than the text's own):
    what a strong generator with little variety writes.
    """
    return [_realization(text, item_rng(seed, "wordings", text), plain) for text in texts]


def _realization(text: str, rng: np.random.Generator, plain: bool) -> list[str]:
    analysis = world.grammar.analyze(text)
    if analysis is None:
        return []
    names = {c.name for c in constructions_for(analysis.fact)} - {analysis.construction.name}
    fitting = [name for name in PLAIN if name in names]
    drawn = (
        realize(analysis.fact, rng, fitting[0] if plain and fitting else None)
        for _ in range(ATTEMPTS)
    )
    other = next((found for found in drawn if found != text), None)
    return [] if other is None else [other]
