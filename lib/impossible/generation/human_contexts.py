"""Contexts that the teacher did not write: human text, or documents of the closed world.

The first version of the paper opens with contexts from human news (XSUM, section 2); the final one
lets the teacher write them. Both can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from impossible.config.places import resolve
from impossible.data.run_folder import item_rng
from impossible.data.schemas import CONTEXTS
from impossible.errors import DataError
from impossible.generation.contexts import Plan
from impossible.text.sentence_boundaries import first_sentence

__all__ = ["given_contexts"]

ATTEMPTS = 200  # documents looked at for one that is long enough


def given_contexts(name: str, plans: Sequence[Plan], seed: int = 0) -> pd.DataFrame:
    """As many contexts as planned, of the same domains and lengths, from given text.

    Args:
        name: "in-vitro" (fresh documents of the closed world), or a UTF-8 text file with one
            document a line, relative to the checkout; empty: no context.
        plans: of `contexts.plan_contexts`.
        seed: which documents are drawn, and from a file in which order.

    Returns:
        `records.CONTEXTS`; plans for which no document is long enough are left out. Lines of a
        file stand without the plan's prefix and serve any domain.

    Raises:
        DataError: the file cannot be read, or holds no line.
    """
    if not name:
        return pd.DataFrame(columns=CONTEXTS.names)
    draw = _world(seed) if name == "in-vitro" else _lines(name, seed)
    rows = []
    for plan in plans:
        if found := draw(plan):
            prefix, text = found
            rows.append((plan.context_id, plan.domain, plan.n_sentences, prefix, text))
    return pd.DataFrame(rows, columns=CONTEXTS.names)


Draw = Callable[[Plan], "tuple[str, str] | None"]


def _world(seed: int) -> Draw:
    """Documents of the closed world, drawn as those that its models learned from."""
    from impossible.world.documents import DOMAINS, sample_document  # read only when asked for

    def draw(plan: Plan) -> tuple[str, str] | None:
        if plan.domain not in DOMAINS:
            raise DataError(
                f"The closed world has no documents of the domain {plan.domain}, only of "
                f"{', '.join(DOMAINS)}: set given_contexts to a text file, or to nothing."
            )
        rng = item_rng(seed, "given context", plan.context_id)
        for _ in range(ATTEMPTS):
            document = sample_document(rng, domains=[plan.domain])
            if len(document.sentences) > plan.n_sentences:  # a next sentence was still to come
                sentences = document.sentences[: plan.n_sentences]
                return document.prefix, " ".join((document.prefix, *sentences))
        return None

    return draw


def _lines(name: str, seed: int) -> Draw:
    """Lines of a file, each used once."""
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
            if text := _opening(left.pop(), plan.n_sentences):
                return "", text
        return None

    return draw


def _opening(text: str, n: int) -> str:
    """The first n sentences of a text; empty if it has no more than n."""
    rest, found = text, []
    for _ in range(n):
        sentence = first_sentence(rest)
        if not sentence:
            return ""
        found.append(sentence)
        rest = rest[rest.index(sentence) + len(sentence) :].strip()
    return " ".join(found) if rest else ""
