"""Sentence summaries by systems that need no training (paper §3.6, Table 5)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
from nltk.tree import Tree

from impossible.evaluation.prompting import answers
from impossible.evaluation.systems import System
from impossible.models.loading import LanguageModel
from impossible.text.tree_edit_distance import parse_bracketed

__all__ = ["first_words", "pruned", "tldr"]

#: Prepositions whose phrases mostly name participants, so that deletion spares them.
SPARED = frozenset({"by", "from", "of", "to", "with"})
DROPPED = frozenset({"ADVP", "JJ", "PRN"})


def first_words(share: float = 0.5) -> System:
    """The first words of the source and a full stop: the baseline of DUC and Gigaword ("lead").

    Args:
        share: of the source's words, (0, 1]; the usual 75 bytes or 8 words are about half of a
            headline corpus' sentence.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        texts = [str(source).split() for source in items["source"]]
        cut = [" ".join(text[: max(1, round(share * len(text)))]) for text in texts]
        return [text.rstrip(",.") + "." for text in cut]

    return answer


def pruned(parser: Callable[[str], str | None]) -> System:
    """The source without its modifiers: sentence compression by deletion in the tree.

    What a constituency tree shows without a lexicon is left out: adverb phrases, adjectives,
    parentheses, and prepositional phrases but those of `SPARED`. A sentence that does not parse
    stays as it is.

    Args:
        parser: sentence → bracketed tree or None.

    Source: in the manner of Hedge Trimmer (Dorr et al. 2003).
    """

    def answer(items: pd.DataFrame) -> list[str]:
        trees = [parser(str(source)) for source in items["source"]]
        pairs = zip(items["source"], trees, strict=True)
        return [str(source) if tree is None else _pruned(tree) for source, tree in pairs]

    return answer


def _pruned(tree: str) -> str:
    """The sentence of the tree without what `pruned` deletes."""
    text = " ".join(_spared(parse_bracketed(tree)))
    text = re.sub(r" (?=[,.]|'s)", "", text)
    text = re.sub(r"^[, ]+|,(?=[,.])", "", text)
    return text[:1].upper() + text[1:]


def _spared(tree: Tree) -> list[str]:
    """Words of a tree that stay."""
    kept: list[str] = []
    for child in tree:
        if isinstance(child, str):
            kept.append(child)
        elif child.label() not in DROPPED:
            inside = _spared(child)
            if child.label() != "PP" or (inside and inside[0] in SPARED):
                kept += inside
    return kept


def tldr(lm: LanguageModel, max_new_tokens: int = 60) -> System:
    """A language model asked for a summary, zero-shot; greedy, the first sentence counts.

    The prompt of Radford et al. (2019), section 3.6: the text and "TL;DR:".
    """

    def answer(items: pd.DataFrame) -> list[str]:
        return answers(lm, [f"{source} TL;DR:" for source in items["source"]], max_new_tokens)

    return answer
