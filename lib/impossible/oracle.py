"""The truth about in-vitro sentences, for looking at results; never used to make them.

Only notebooks and tests call this module, in cells marked as such. Outside the closed world nothing
parses, every verdict is "unparsed" and every share is missing: the notebooks then show gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from impossible import world
from impossible.store import item_rng
from impossible.world.documents import sample_document
from impossible.world.facts import Fact
from impossible.world.realize import constructions_for, realize

parse = lru_cache(maxsize=200_000)(world.parse)


def verdict(x: str, y: str) -> str:
    """How x and y relate: see `world.judge`; parses are remembered.

    >>> verdict("A fire destroyed a school.", "A blaze wrecked the school.")
    'equivalent'
    """
    first, second = parse(x), parse(y)
    if first is None or second is None:
        return "unparsed"
    forward, backward = world.entails(first, second), world.entails(second, first)
    if forward and backward:
        return "equivalent"
    return "entails" if forward else "entailed" if backward else "different"


def equivalent(xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
    """Whether each y says what its x says.

    Args:
        xs, ys: n sentences each.

    Returns:
        (n,) floats: 1 equivalent; 0 not, or y is outside the grammar (no English of this world);
        NaN where x is outside the grammar, so that nothing can be said.
    """
    return np.array(
        [
            np.nan if parse(x) is None else float(verdict(x, y) == "equivalent")
            for x, y in zip(xs, ys, strict=True)
        ]
    )


def traits(sentence: str) -> dict[str, object]:
    """What a sentence is made of, to group errors by; empty outside the grammar.

    Returns:
        construction (name), modifiers (kinds joined by "+"), counted, negated, words.
    """
    analysis = world.grammar.analyze(sentence)
    if analysis is None:
        return {}
    fact = analysis.fact
    return {
        "construction": analysis.construction.name,
        "modifiers": "+".join(sorted({m.kind for m in fact.modifiers})) or "none",
        "counted": any(entity.number.isdigit() for _, entity in fact.roles),
        "negated": fact.negated,
        "words": len(sentence.split()),
    }


def held_out_set(n: int, seed: int = 0, n_references: int = 4) -> pd.DataFrame:
    """Test sentences about facts that no training document tells, with gold paraphrases.

    Args:
        n: sentences.
        seed: root of the randomness; item i is the same for every n > i.
        n_references: gold wordings per sentence, from as many constructions as possible, all
            different from the source.

    Returns:
        Columns item, source, references (list of str), context (the document up to the sentence).
    """
    rows: list[dict[str, object]] = []
    known: set[Fact] = set()
    attempt = 0
    while len(rows) < n:
        rng = item_rng(seed, "test set", str(attempt))
        attempt += 1
        document = sample_document(rng, "test")
        fact, source = document.facts[-1], document.sentences[-1]
        references = _references(fact, source, n_references, rng)
        if fact in known or len(references) < n_references:
            continue
        known.add(fact)
        context = " ".join((document.prefix, *document.sentences[:-1]))
        item = f"test-{len(rows):05d}"
        rows.append({"item": item, "source": source, "references": references, "context": context})
    return pd.DataFrame(rows)


def _references(fact: Fact, source: str, wanted: int, rng: np.random.Generator) -> list[str]:
    """Different wordings, a new construction each as long as there are any."""
    names = [construction.name for construction in constructions_for(fact)]
    order = [names[i] for i in rng.permutation(len(names))]
    found: list[str] = []
    for name in order * 4:
        sentence = realize(fact, rng, name)
        if sentence != source and sentence not in found:
            found.append(sentence)
        if len(found) == wanted:
            break
    return found
