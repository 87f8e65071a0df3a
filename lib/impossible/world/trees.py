"""The grammar in the place of a constituency parser (`parser: grammar`)."""

from __future__ import annotations

from collections.abc import Sequence

from impossible.world import tree


class GrammarParser:
    """Trees with Penn labels of the sentences of the closed world."""

    def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
        """The tree of each sentence, None outside the grammar.

        >>> GrammarParser().parse_many(["The blaze destroyed a school.", "Buy now!"])[1] is None
        True
        """
        return [tree(sentence) for sentence in sentences]
