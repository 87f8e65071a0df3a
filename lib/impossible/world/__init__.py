"""The in-vitro world: a small English with a grammar, a meaning and an oracle.

`parse` is the inverse of `realize`; `entails`, `equivalent` and `judge` tell the truth about
facts and sentences. The pipeline never imports this package (a test enforces it): its semantics
judge the experiment, and only `trees.GrammarParser` serves it, in place of another parser.
"""

from __future__ import annotations

from functools import lru_cache

from .differences import DIFFERENCES, differences
from .facts import (
    OUTSIDE_NEGATION,
    Entity,
    Fact,
    Modifier,
    entails,
    entity_entails,
    equivalent_facts,
    make_fact,
)
from .grammar import analyze
from .lexicon import LEXICON
from .realize import realize

__all__ = [
    "DIFFERENCES", "LEXICON", "OUTSIDE_NEGATION", "Entity", "Fact", "Modifier", "differences",
    "entails", "entity_entails", "equivalent_facts", "judge", "make_fact", "parse", "realize",
    "tree",
]  # fmt: skip


@lru_cache(maxsize=200_000)
def parse(sentence: str) -> Fact | None:
    """What a sentence means, or None for a sentence outside the grammar; remembered.

    >>> parse("The blaze destroyed a school.") == parse("A school was wrecked by the fire.")
    True
    """
    analysis = analyze(sentence)
    return analysis.fact if analysis else None


def tree(sentence: str) -> str | None:
    """The constituency tree with Penn labels, or None outside the grammar.

    >>> tree("The blaze destroyed a school.")
    '(S (NP (DT the) (NN blaze)) (VP (VBD destroyed) (NP (DT a) (NN school))) (. .))'
    """
    analysis = analyze(sentence)
    return analysis.tree() if analysis else None


def judge(x: str, y: str) -> str:
    """How two sentences relate in truth.

    Returns:
        "equivalent", "entails" (x says more), "entailed" (y says more), "different", or "unparsed"
        when one of them is outside the grammar.

    >>> judge("The blaze destroyed a school.", "The fire damaged the school.")
    'entails'
    """
    first, second = parse(x), parse(y)
    if first is None or second is None:
        return "unparsed"
    forward, backward = entails(first, second), entails(second, first)
    if forward and backward:
        return "equivalent"
    return "entails" if forward else "entailed" if backward else "different"
