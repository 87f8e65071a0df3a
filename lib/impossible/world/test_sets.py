"""Sentences of the in-vitro world with gold answers: test and dev items, headlines, wordings.

The grammar makes them; the pipeline never sees them. As `oracle`, only notebooks and tests call it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from impossible import world
from impossible.data.run_folder import item_rng
from impossible.errors import ParameterError
from impossible.world.documents import DOMAINS, sample_document
from impossible.world.facts import Fact
from impossible.world.oracle import SHORT, share_kept
from impossible.world.realize import constructions_for, realize
from impossible.world.surface import detokenize, words_of

__all__ = ["headlines", "held_out_set", "load", "summary_set", "wordings"]

#: Plain forms, the first to be preferred.
PLAIN = (
    "active", "passive", "short passive", "intransitive", "negation", "negated passive",
    "negated short passive", "intransitive negation",
)  # fmt: skip
ATTEMPTS = 20  # draws until a wording differs from the source


def load(n: int, seed: int = 0, task: str = "paraphrase") -> pd.DataFrame:
    """The test set called "world" (`evaluation.test_sets`): n items with four references each."""
    made = held_out_set(n, seed) if task == "paraphrase" else summary_set(n, seed, 4)
    return made.rename(columns={"item": "id"})


def held_out_set(
    n: int, seed: int = 0, n_references: int = 4, split: str = "test", domain: str | None = None
) -> pd.DataFrame:
    """Test sentences about facts that no training document tells, with gold paraphrases.

    Args:
        n: sentences.
        seed: root of the randomness; item i is the same for every n > i.
        n_references: gold wordings per sentence, from as many constructions as possible, all
            different from the source.
        split: "test", "dev" for choosing settings, or "train" for facts that documents may tell.
        domain: of all sentences, such as "biomedical"; None: any.

    Returns:
        Columns item, source, references (list of str), context (the document up to the sentence),
        domain.

    Raises:
        ParameterError: the closed world has no such domain.
    """
    return _drawn(n, seed, split, lambda fact: fact, n_references, domain=domain)


def summary_set(
    n: int, seed: int = 0, n_references: int = 3, split: str = "test", domain: str | None = None
) -> pd.DataFrame:
    """Test sentences with something to leave out, and gold summaries.

    A gold summary tells the predicate and its participants without modifiers and adjectives, as
    far as that follows: who did not resign on Friday may have resigned on Monday.

    Args:
        n, seed, n_references, split, domain: as for `held_out_set`.

    Returns:
        As `held_out_set`; every reference follows from its source and has at most 0.8 of its
        characters, as the gate of the task asks.

    Raises:
        ParameterError: the closed world has no such domain.
    """
    return _drawn(n, seed, split, _essence, n_references, SHORT, domain)


def headlines(n: int, seed: int = 0, domain: str = "news") -> pd.DataFrame:
    """A stand-in for a corpus that people wrote, where Gigaword would stand: sentences, headlines.

    One domain, one headline for a sentence, and nothing in it but words of the sentence in their
    order: all that can go goes, as long as a sentence is left that follows and tells predicate and
    participants. Real headlines reword more, and leave out articles and verbs; ours stay sentences,
    so that the oracle reads what their student writes. It is no part of the pipeline.

    Args:
        n: pairs, each of another fact and another document.
        seed: root of the randomness; pair i is the same for every n > i.
        domain: of the documents, whose facts are those that training documents may tell.

    Returns:
        Columns source, target, context_id (the document's name), domain. A target has at most
        `SHORT` of the characters of its source, as the gate of the task asks.

    Raises:
        ParameterError: the closed world has no such domain.

    Source: the form is that of Rush et al. 2015; any sentence of a document serves, not only its
    first, lest few predicates occur.
    """
    rows: list[tuple[str, str, str, str]] = []
    known: set[Fact] = set()
    attempt = 0
    while len(rows) < n:
        rng = item_rng(seed, "headlines", str(attempt))
        attempt += 1
        document = sample_document(rng, "train", _chosen(domain))
        place = int(rng.integers(len(document.facts)))
        fact, source = document.facts[place], document.sentences[place]
        target = _headline(fact, words_of(world.tree(source) or ""))
        if fact not in known and len(target) <= SHORT * len(source):
            known.add(fact)
            rows.append((source, target, f"document-{attempt - 1:05d}", domain))
    return pd.DataFrame(rows, columns=["source", "target", "context_id", "domain"])


def _headline(fact: Fact, tokens: list[str]) -> str:
    """What is left when runs of words are deleted, the longest first, as often as one can go."""
    for size in range(len(tokens) - 1, 0, -1):
        for start in range(len(tokens) - size + 1):
            rest = tokens[:start] + tokens[start + size :]
            told = world.parse(detokenize(rest))
            if told is not None and world.entails(fact, told) and share_kept(fact, told) == 1:
                return _headline(fact, rest)
    return detokenize(tokens)


def _chosen(domain: str | None) -> tuple[str, ...]:
    """The domain, if the closed world has it; None is any."""
    if domain is not None and domain not in DOMAINS:
        raise ParameterError(
            f"The closed world has no domain {domain!r}: choose one of {', '.join(DOMAINS)}."
        )
    return DOMAINS if domain is None else (domain,)


def _essence(fact: Fact) -> Fact:
    """The fact without what can be left out."""
    if fact.negated:
        kept = [m for m in fact.modifiers if m.kind not in world.OUTSIDE_NEGATION]
        return world.make_fact(fact.frame, dict(fact.roles), kept, True)
    bare = {name: replace(entity, attribute="") for name, entity in fact.roles}
    return world.make_fact(fact.frame, bare)


def wordings(texts: Sequence[str], seed: int = 0, plain: bool = False) -> list[list[str]]:
    """For each text one other wording by the grammar; none for a text outside it.

    Args:
        texts: sentences.
        seed: root of the randomness.
        plain: always the same plain form (the first that fits of active, passive, short passive,
            intransitive, negation, other than the text's own): what a strong generator with little
            variety writes.
    """
    return [_wording(text, item_rng(seed, "wordings", text), plain) for text in texts]


def _wording(text: str, rng: np.random.Generator, plain: bool) -> list[str]:
    analysis = world.grammar.analyze(text)
    if analysis is None:
        return []
    names = [c.name for c in constructions_for(analysis.fact)]
    fitting = [name for name in PLAIN if name in names and name != analysis.construction.name]
    name = fitting[0] if plain and fitting else None
    for _ in range(ATTEMPTS):
        found = realize(analysis.fact, rng, name)
        if found != text:
            return [found]
    return []


def _drawn(
    n: int,
    seed: int,
    split: str,
    target: Callable[[Fact], Fact],
    n_references: int,
    longest: float = np.inf,
    domain: str | None = None,
) -> pd.DataFrame:
    """Sources, and wordings of what `target` makes of their facts, `longest` times as long."""
    rows: list[dict[str, object]] = []
    known: set[Fact] = set()
    attempt = 0
    while len(rows) < n:
        rng = item_rng(seed, f"{split} set", str(attempt))
        attempt += 1
        document = sample_document(rng, split, _chosen(domain))
        fact, source = document.facts[-1], document.sentences[-1]
        references = _references(target(fact), source, n_references, rng, longest)
        if fact in known or len(references) < n_references:
            continue
        known.add(fact)
        context = " ".join((document.prefix, *document.sentences[:-1]))
        item = f"{split}-{len(rows):05d}"
        rows.append(
            {
                "item": item,
                "source": source,
                "references": references,
                "context": context,
                "domain": document.domain,
            }
        )
    return pd.DataFrame(rows)


def _references(
    fact: Fact, source: str, wanted: int, rng: np.random.Generator, longest: float
) -> list[str]:
    """Different wordings, a new construction each as long as there are any."""
    names = [construction.name for construction in constructions_for(fact)]
    order = [names[i] for i in rng.permutation(len(names))]
    found: list[str] = []
    for name in order * 4:
        sentence = realize(fact, rng, name)
        if sentence != source and sentence not in found and len(sentence) <= longest * len(source):
            found.append(sentence)
        if len(found) == wanted:
            break
    return found
