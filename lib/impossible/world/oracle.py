"""The truth about sentences of the closed world: for evaluation only, never used in training.

Outside the closed world nothing parses, and every verdict is missing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from impossible import world
from impossible.evaluation.bootstrap import Floats
from impossible.evaluation.judges import Judge, Texts
from impossible.world.facts import Fact


class Oracle(Judge):
    """The judge called "oracle": exact, and silent about a source outside the grammar.

    An output outside the grammar is no English of this world: it follows from nothing and keeps
    nothing.
    """

    name = "oracle"

    def entails(self, xs: Texts, ys: Texts) -> Floats:
        return _verdicts(xs, ys, ("equivalent", "entails"))

    def equivalent(self, xs: Texts, ys: Texts) -> Floats:
        return _verdicts(xs, ys, ("equivalent",))

    def coverage(self, xs: Texts, ys: Texts) -> Floats:
        """The fraction of predicate and participants of each x that y keeps.

        A participant is kept when y has the same or a more general one in its role; a predicate
        likewise; both count only under the same polarity. Modifiers are not essential.

        >>> x, y = "The blaze destroyed a school on Monday.", "A school was damaged."
        >>> Oracle().coverage([x], [y]).round(2)
        array([0.67])
        """
        return np.array(
            [_kept(world.parse(x), world.parse(y)) for x, y in zip(xs, ys, strict=True)]
        )

    def meaning(self, text: str) -> Hashable:
        """The fact that a sentence tells; outside the grammar the sentence itself."""
        return world.parse(text) or text


_ORACLE = Oracle()
equivalent, entailed = _ORACLE.equivalent, _ORACLE.entails


def _verdicts(xs: Texts, ys: Texts, wanted: Sequence[str]) -> Floats:
    pairs = zip(xs, ys, strict=True)
    return np.array(
        [np.nan if world.parse(x) is None else world.judge(x, y) in wanted for x, y in pairs], float
    )


def named_differences(xs: Texts, ys: Texts) -> list[str]:
    """In what each y differs from its x, one name per pair, to group errors by.

    "" for the same meaning, a name of `world.DIFFERENCES` where that alone differs, "several" where
    more does, and "outside the grammar" where x or y does not parse.

    >>> named_differences(["A fire destroyed a school."], ["The blaze damaged the school."])
    ['hypernym']
    """
    return [_difference(world.parse(x), world.parse(y)) for x, y in zip(xs, ys, strict=True)]


def _difference(x: Fact | None, y: Fact | None) -> str:
    if x is None or y is None:
        return "outside the grammar"
    found = world.differences(x, y) if x != y else ()
    return "several" if len(found) > 1 else "".join(found)


def fraction_kept(x: Fact, y: Fact) -> float:
    """The fraction of predicate and participants of x that y tells (`Oracle.coverage`)."""
    if x.negated != y.negated or not world.LEXICON.frame_is_a(x.frame, y.frame):
        return 0.0
    kept = [
        (other := y.role(name)) is not None and world.entity_entails(entity, other)
        for name, entity in x.roles
    ]
    return (1 + sum(kept)) / (1 + len(kept))


def _kept(x: Fact | None, y: Fact | None) -> float:
    if x is None:
        return np.nan
    return 0.0 if y is None else fraction_kept(x, y)


def traits(sentence: str) -> dict[str, object]:
    """What a sentence is made of, to group errors by; empty outside the grammar.

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
