"""Where constituency trees come from: the place that CoreNLP has in the paper.

Only trees pass through here: the in-vitro grammar's knowledge of meaning stays out of the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable

from impossible.errors import ParameterError

Parser = Callable[[str], str | None]


def _no_tree(sentence: str) -> str | None:
    return None


def get_parser(name: str) -> Parser:
    """A function from a sentence to its bracketed tree, or None where it finds none.

    Args:
        name: "grammar" (the in-vitro grammar; None outside it) or "flat" (never a tree, so that
            pairs are compared as flat trees, which is word edit distance).

    Raises:
        ParameterError: an unknown name.

    >>> get_parser("flat")("A dog barked.") is None
    True
    """
    if name == "flat":
        return _no_tree
    if name == "grammar":
        from impossible.world import tree  # read only when asked for

        return tree
    raise ParameterError(
        f'parser is {name!r}, but only "grammar" and "flat" exist; choose one of them.'
    )
