"""In what two facts differ, so that errors can be grouped by it."""

from __future__ import annotations

from .facts import KINDS, Entity, Fact, modifier_entails
from .lexicon import LEXICON

#: Every name that `differences` gives, in its order.
DIFFERENCES = (
    "predicate", "negation", "name", "participant", "participant left out", "hypernym", "number",
    "adjective", *(text for kind in KINDS for text in (kind, f"{kind} left out")),
)  # fmt: skip


def differences(x: Fact, y: Fact) -> tuple[str, ...]:
    """The respects in which x and y differ, out of `DIFFERENCES`; their order makes no difference.

    Facts of unrelated predicates are about different events, so that nothing else is compared.
    "hypernym" is a predicate, participant or place that is more general on one side; "… left out"
    is what only one side tells; "name" is one named participant in the place of another.

    >>> from .facts import Modifier, make_fact
    >>> fire = {"agent": Entity("fire"), "theme": Entity("school")}
    >>> monday = Modifier("time", "Monday")
    >>> differences(make_fact("destroy", fire, [monday]), make_fact("damage", fire))
    ('hypernym', 'time left out')
    """
    if not (LEXICON.frame_is_a(x.frame, y.frame) or LEXICON.frame_is_a(y.frame, x.frame)):
        return ("predicate",)
    found = {"hypernym"} if x.frame != y.frame else set()
    if x.negated != y.negated:
        found.add("negation")
    for name in {*dict(x.roles), *dict(y.roles)}:
        found |= _of_participants(x.role(name), y.role(name))
    for kind in KINDS:
        found |= _of_modifiers(x, y, kind)
    return tuple(name for name in DIFFERENCES if name in found)


def _of_participants(x: Entity | None, y: Entity | None) -> set[str]:
    """Differences of what fills one role; another participant has nothing to compare."""
    if x is None or y is None:
        return {"participant left out"}
    if not (LEXICON.is_a(x.concept, y.concept) or LEXICON.is_a(y.concept, x.concept)):
        both_named = LEXICON.nouns[x.concept].named and LEXICON.nouns[y.concept].named
        return {"name" if both_named else "participant"}
    differ = {
        "hypernym": x.concept != y.concept,
        "number": x.number != y.number,
        "adjective": x.attribute != y.attribute,
    }
    return {name for name, yes in differ.items() if yes}


def _of_modifiers(x: Fact, y: Fact, kind: str) -> set[str]:
    """Differences of the modifiers of one kind, of which a fact has at most one."""
    first, second = ([m for m in fact.modifiers if m.kind == kind] for fact in (x, y))
    if (not first and not second) or first == second:
        return set()
    if not first or not second:
        return {f"{kind} left out"}
    a, b = first[0], second[0]
    return {"hypernym" if modifier_entails(a, b) or modifier_entails(b, a) else kind}
