"""Contexts that the teacher did not write: human text, or documents of the closed world.

The first version of the paper opens with contexts from human news (XSUM, section 2); the final one
lets the teacher write them. Both can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from impossible.config.places import resolve
from impossible.config.plugins import load_plugin
from impossible.data.own_text import read_documents
from impossible.data.run_folder import item_rng
from impossible.data.schemas import CONTEXTS
from impossible.generation.contexts import Plan
from impossible.text.sentence_boundaries import sentence_end

#: Names of sources that come with the package; others are `module:function`, or files.
_SOURCES = {"in-vitro": "impossible.world.openings:document_opening"}


def given_contexts(name: str | Sequence[str], plans: Sequence[Plan], seed: int = 0) -> pd.DataFrame:
    """As many contexts as planned, of the same domains and lengths, from given text.

    Args:
        name: "in-vitro" (fresh documents of the closed world); a `module:function` of domain,
            number of sentences and random generator that returns (prefix, text) or None; a file or
            folder for `own_text.read_documents`, relative to the checkout; or the documents
            themselves; empty: no context.
        plans: of `plan_contexts`.
        seed: which documents are drawn, and from a file in which order.

    Returns:
        CONTEXTS; plans for which no document is long enough are left out. Documents stand without
        the plan's prefix, serve any domain, and each is used once.

    Raises:
        DataError: the file cannot be read, or holds no document.
    """
    rows = []
    draw = _drawing(name, seed) if name else lambda plan: None
    for plan in plans:
        if found := draw(plan):
            prefix, text = found
            rows.append((plan.context_id, plan.domain, plan.n_sentences, prefix, text))
    return pd.DataFrame(rows, columns=CONTEXTS.names)


_Draw = Callable[[Plan], "tuple[str, str] | None"]


def _drawing(name: str | Sequence[str], seed: int) -> _Draw:
    if not isinstance(name, str):
        return _documents(name, seed)
    if name not in _SOURCES and ":" not in name:
        return _documents([each.text for each in read_documents(resolve(name))], seed)
    opening = load_plugin(_SOURCES.get(name, name))

    def draw(plan: Plan) -> tuple[str, str] | None:
        rng = item_rng(seed, "given context", plan.context_id)
        found: tuple[str, str] | None = opening(plan.domain, plan.n_sentences, rng)
        return found

    return draw


def _documents(texts: Sequence[str], seed: int) -> _Draw:
    """Documents in random order; one that is too short is left for a shorter context."""
    order = item_rng(seed, "given contexts", "order").permutation(len(texts))
    left = [texts[i].strip() for i in order]
    not_found: list[int] = []  # lengths for which no document is left, nor for longer ones

    def draw(plan: Plan) -> tuple[str, str] | None:
        if not_found and plan.n_sentences >= min(not_found):
            return None
        for i in reversed(range(len(left))):
            end = sentence_end(left[i], plan.n_sentences)
            if 0 <= end < len(left[i]):  # a next sentence was still to come
                return "", " ".join(left.pop(i)[:end].split())
        not_found.append(plan.n_sentences)
        return None

    return draw
