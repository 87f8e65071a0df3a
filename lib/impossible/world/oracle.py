"""The truth about in-vitro sentences, for looking at results; never used to make them.

Only notebooks and tests call this module, in cells marked as such. Outside the closed world nothing
parses, every verdict is "unparsed" and every share is missing: the notebooks then show gaps.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np

from impossible import world
from impossible.evaluation.judges import Judge
from impossible.world.facts import Fact

__all__ = [
    "SHORT", "Oracle", "coverage", "differences", "entailed", "equivalent", "good_summaries",
    "parse", "share_kept", "traits", "verdict",
]  # fmt: skip

SHORT = 0.8  # longest gold summary and headline, of the source's characters

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


def differences(xs: Sequence[str], ys: Sequence[str]) -> list[str]:
    """In what each y differs from its x, one name per pair, to group errors by.

    Args:
        xs, ys: n sentences each.

    Returns:
        "" for the same meaning, a name of `world.DIFFERENCES` where that alone differs, "several"
        where more does, and "outside the grammar" where x or y does not parse.

    >>> differences(["A fire destroyed a school."], ["The blaze damaged the school."])
    ['hypernym']
    """
    return [_difference(parse(x), parse(y)) for x, y in zip(xs, ys, strict=True)]


def _difference(x: Fact | None, y: Fact | None) -> str:
    if x is None or y is None:
        return "outside the grammar"
    found = world.differences(x, y) if x != y else ()
    return "several" if len(found) > 1 else "".join(found)


def entailed(xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
    """Whether each y follows from its x: what a faithful summary must do.

    Returns:
        (n,) floats: 1 follows; 0 does not, or y is outside the grammar; NaN where x is.
    """
    return np.array(
        [
            np.nan if parse(x) is None else float(verdict(x, y) in ("equivalent", "entails"))
            for x, y in zip(xs, ys, strict=True)
        ]
    )


def coverage(xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
    """The share of the essential content of each x, its predicate and participants, that y keeps.

    A participant is kept when y has the same or a more general one in its role; a predicate
    likewise; both count only under the same polarity. Modifiers are not essential.

    Returns:
        (n,) shares in [0, 1]; 0 where y is outside the grammar, NaN where x is.

    >>> coverage(["The blaze destroyed a school on Monday."], ["A school was damaged."]).round(2)
    array([0.67])
    """
    return np.array([_kept(parse(x), parse(y)) for x, y in zip(xs, ys, strict=True)])


def share_kept(x: Fact, y: Fact) -> float:
    """The share of the predicate and participants of x that y tells, in [0, 1] (`coverage`)."""
    if x.negated != y.negated or not world.LEXICON.frame_is_a(x.frame, y.frame):
        return 0.0
    found = [
        (other := y.role(name)) is not None and world.entity_entails(entity, other)
        for name, entity in x.roles
    ]
    return (1 + sum(found)) / (1 + len(found))


def _kept(x: Fact | None, y: Fact | None) -> float:
    if x is None:
        return np.nan
    return 0.0 if y is None else share_kept(x, y)


def good_summaries(xs: Sequence[str], ys: Sequence[str], longest: float = SHORT) -> np.ndarray:
    """Whether each y is a good summary of its x: follows, leaves out nothing essential, is short.

    Args:
        xs, ys: n sentences each.
        longest: characters of y / characters of x; the default is the paper's gate (§3.6).

    Returns:
        (n,) floats: 1 good; 0 not, or y is outside the grammar; NaN where x is.

    >>> good_summaries(["The blaze destroyed a school on Monday."], ["A fire destroyed a school."])
    array([1.])
    """
    short = [len(y) <= longest * len(x) for x, y in zip(xs, ys, strict=True)]
    whole = (coverage(xs, ys) == 1) & np.array(short, dtype=bool)
    follows = entailed(xs, ys)
    return np.where(whole, follows, 0 * follows)  # what is missing stays missing


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


class Oracle(Judge):
    """The judge called "oracle": exact for sentences of the closed world, silent about others."""

    name = "oracle"

    def entails(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        """See `entailed`."""
        return entailed(xs, ys)

    def equivalent(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        """See `equivalent`."""
        return equivalent(xs, ys)

    def coverage(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        """See `coverage`."""
        return coverage(xs, ys)

    def meaning(self, text: str) -> Hashable:
        """The fact that a sentence tells; outside the grammar the sentence itself."""
        return parse(text) or text
