"""Contexts that the teacher did not write: human text, or documents of the closed world.

The first version of the paper opens with contexts from human news (XSUM, section 2); the final one
lets the teacher write them. Both can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from impossible.config.places import resolve
from impossible.config.plugins import load
from impossible.data.run_folder import item_rng
from impossible.data.schemas import CONTEXTS
from impossible.errors import DataError
from impossible.generation.contexts import Plan
from impossible.text.sentence_boundaries import sentence_end

__all__ = ["given_contexts"]

#: Names of sources that come with the package; others are `module:function` or a text file.
_SOURCES = {"in-vitro": "impossible.world.openings:document_opening"}


def given_contexts(name: str, plans: Sequence[Plan], seed: int = 0) -> pd.DataFrame:
    """As many contexts as planned, of the same domains and lengths, from given text.

    Args:
        name: "in-vitro" (fresh documents of the closed world); a `module:function` of domain,
            number of sentences and random generator that returns (prefix, text) or None; or a
            UTF-8 text file with one document a line, relative to the checkout; empty: no context.
        plans: of `plan_contexts`.
        seed: which documents are drawn, and from a file in which order.

    Returns:
        CONTEXTS; plans for which no document is long enough are left out. Lines of a file stand
        without the plan's prefix and serve any domain.

    Raises:
        DataError: the file cannot be read, or holds no line.
    """
    rows = []
    draw = _drawing(name, seed) if name else lambda plan: None
    for plan in plans:
        if found := draw(plan):
            prefix, text = found
            rows.append((plan.context_id, plan.domain, plan.n_sentences, prefix, text))
    return pd.DataFrame(rows, columns=CONTEXTS.names)


_Draw = Callable[[Plan], "tuple[str, str] | None"]


def _drawing(name: str, seed: int) -> _Draw:
    if name not in _SOURCES and ":" not in name:
        return _lines(name, seed)
    opening = load(_SOURCES.get(name, name))

    def draw(plan: Plan) -> tuple[str, str] | None:
        rng = item_rng(seed, "given context", plan.context_id)
        found: tuple[str, str] | None = opening(plan.domain, plan.n_sentences, rng)
        return found

    return draw


def _lines(name: str, seed: int) -> _Draw:
    """Lines of a file, each used once, in random order."""
    path = resolve(name)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as bad:
        raise DataError(f"{path} cannot be read as UTF-8 text ({bad}): name another file.") from bad
    left = [line.strip() for line in lines if line.strip()]
    if not left:
        raise DataError(f"{path} holds no document: write one a line.")
    order = item_rng(seed, "given contexts", "order").permutation(len(left))
    left = [left[i] for i in order]

    def draw(plan: Plan) -> tuple[str, str] | None:
        while left:
            text = left.pop()
            end = sentence_end(text, plan.n_sentences)
            if 0 <= end < len(text):  # a next sentence was still to come
                return "", " ".join(text[:end].split())
        return None

    return draw
