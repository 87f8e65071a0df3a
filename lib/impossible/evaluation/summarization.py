"""Sentence summaries by systems that need no training (paper §3.6, Table 5)."""

from __future__ import annotations

import re
from collections.abc import Callable

from nltk.tree import Tree

from impossible.evaluation.systems import System, of_sources
from impossible.text.tree_edit_distance import parse_bracketed

__all__ = ["first_words", "pruned"]

#: Prepositions whose phrases mostly name participants, so that deletion spares them.
SPARED = ("by", "from", "of", "to", "with")
DROPPED = ("ADVP", "JJ", "PRN")


def first_words(fraction: float = 0.5) -> System:
    """The first words of the source and a full stop: the baseline of DUC and Gigaword ("lead").

    Args:
        fraction: of the source's words, (0, 1]; the usual 75 bytes or 8 words are about half of a
            headline corpus' sentence.
    """

    def start(source: str) -> str:
        tokens = source.split()
        return " ".join(tokens[: max(1, round(fraction * len(tokens)))]).rstrip(",.") + "."

    return of_sources(lambda sources: [start(source) for source in sources])


def pruned(parser: Callable[[str], str | None]) -> System:
    """The source without its modifiers: sentence compression by deletion in the tree.

    Deleted are adverb phrases, adjectives, parentheses, and prepositional phrases but those of
    `SPARED`. A sentence that does not parse stays as it is.

    Args:
        parser: sentence → bracketed tree or None.

    Source: in the manner of Hedge Trimmer (Dorr et al. 2003).
    """

    def shortened(source: str) -> str:
        tree = parser(source)
        return source if tree is None else _pruned(tree)

    return of_sources(lambda sources: [shortened(source) for source in sources])


def _pruned(tree: str) -> str:
    text = " ".join(_kept_words(parse_bracketed(tree)))
    text = re.sub(r" (?=[,.]|'s)", "", text)
    text = re.sub(r"^[, ]+|,(?=[,.])", "", text)
    return text[:1].upper() + text[1:]


def _kept_words(tree: Tree | str) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    kept = [word for child in tree for word in _kept_words(child)]
    if tree.label() in DROPPED or (tree.label() == "PP" and "".join(kept[:1]) not in SPARED):
        return []
    return kept
