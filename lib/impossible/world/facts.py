"""What a sentence of the in-vitro world means, and when one meaning follows from another.

A `Fact` is a predicate (frame) with typed roles, a polarity and at most one modifier of each kind.
Meaning is truth in a closed world of single events: a positive sentence is true when some event
fits it, a negative one when none does. So a positive fact entails every fact that says less (a
modifier dropped, a hypernym for a word, "workers" for "12 workers"), and a negative one every fact
that says more. Reasons and attributions lie outside the scope of the negation; sources are
reliable, so an attribution may be dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .lexicon import LEXICON

KINDS = ("time", "place", "reason", "manner", "quantity", "attribution")
OUTSIDE_NEGATION = frozenset({"reason", "attribution"})


@dataclass(frozen=True, slots=True)
class Entity:
    """What fills a role.

    concept: id in the lexicon; number: "sg", "pl" or a count as text ("12"); attribute: id of an
    adjective within the concept's group, or "".

    >>> Entity("worker", "12", "young")
    Entity(concept='worker', number='12', attribute='young')
    """

    concept: str
    number: str = "sg"
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class Modifier:
    """A modifier: kind (one of `KINDS`) and the canonical value, for example time, "Monday"."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Fact:
    """frame: id in frames.yaml; roles and modifiers: sorted by name; negated: polarity."""

    frame: str
    roles: tuple[tuple[str, Entity], ...]
    modifiers: tuple[Modifier, ...] = ()
    negated: bool = False

    def role(self, name: str) -> Entity | None:
        """The filler of a role, or None."""
        return next((entity for role, entity in self.roles if role == name), None)

    def core(self) -> tuple[str, ...]:
        """Predicate and concepts only: the unit by which train, dev and test are split."""
        return (self.frame, *(f"{role}={entity.concept}" for role, entity in self.roles))


def make_fact(
    frame: str,
    roles: dict[str, Entity],
    modifiers: list[Modifier] | tuple[Modifier, ...] = (),
    negated: bool = False,
) -> Fact:
    """A fact in canonical order, so that equal meanings are equal objects."""
    ordered = tuple(sorted(modifiers, key=lambda m: (m.kind, m.value)))
    return Fact(frame, tuple(sorted(roles.items())), ordered, negated)


def entity_entails(x: Entity, y: Entity) -> bool:
    """Whether everything that is an x is a y."""
    if not LEXICON.is_a(x.concept, y.concept):
        return False
    if y.attribute and x.attribute != y.attribute:
        return False
    return x.number == y.number or (y.number == "pl" and x.number.isdigit())


def fits(entity: Entity, types: tuple[str, ...]) -> bool:
    """Whether an entity may fill a role of these types."""
    above = LEXICON.ancestors(entity.concept)
    return any(kind in above for kind in types)


def modifier_entails(x: Modifier, y: Modifier) -> bool:
    """Whether modifier x is at least as special as y (Lyon is in France)."""
    if x.kind != y.kind:
        return False
    return x.value == y.value or (x.kind == "place" and LEXICON.is_a(x.value, y.value))


def _event_entails(x: Fact, y: Fact, kinds: frozenset[str]) -> bool:
    """Whether every event that fits x fits y, looking at the modifiers of these kinds."""
    if not LEXICON.frame_is_a(x.frame, y.frame):
        return False
    for name, wanted in y.roles:
        given = x.role(name)
        if given is None or not entity_entails(given, wanted):
            return False
    return _modifiers_entail(x, y, kinds)


def _modifiers_entail(x: Fact, y: Fact, kinds: frozenset[str]) -> bool:
    return all(
        any(modifier_entails(given, wanted) for given in x.modifiers)
        for wanted in y.modifiers
        if wanted.kind in kinds
    )


def entails(x: Fact, y: Fact) -> bool:
    """Whether y is true whenever x is.

    >>> fire = make_fact("destroy", {"agent": Entity("fire"), "theme": Entity("school")})
    >>> entails(fire, replace(fire, frame="damage")), entails(replace(fire, frame="damage"), fire)
    (True, False)
    """
    if x.negated != y.negated:
        return False
    if not x.negated:
        return _event_entails(x, y, frozenset(KINDS))
    inside = frozenset(KINDS) - OUTSIDE_NEGATION
    return _event_entails(y, x, inside) and _modifiers_entail(x, y, OUTSIDE_NEGATION)


def equivalent_facts(x: Fact, y: Fact) -> bool:
    """Entailment both ways."""
    return entails(x, y) and entails(y, x)


def contradicts(x: Fact, y: Fact) -> bool:
    """Whether x and y cannot both be true: opposite polarity, opposite predicate, or another count.

    Sound but not complete: what it does not recognise is called neutral.
    """
    if entails(x, replace(y, negated=not y.negated)) or entails(
        y, replace(x, negated=not x.negated)
    ):
        return True
    if x.negated or y.negated:
        return False
    if LEXICON.antonym_frame(x.frame) == y.frame or LEXICON.antonym_frame(y.frame) == x.frame:
        same = replace(y, frame=x.frame)
        return _event_entails(x, same, frozenset(KINDS)) or _event_entails(
            same, x, frozenset(KINDS)
        )
    return _counts_differ(x, y)


def _counts_differ(x: Fact, y: Fact) -> bool:
    """The same event told with two different counts of one participant."""
    if x.frame != y.frame or x.modifiers != y.modifiers or len(x.roles) != len(y.roles):
        return False
    different = 0
    for (name, a), (other, b) in zip(x.roles, y.roles, strict=True):
        if name != other or replace(a, number="sg") != replace(b, number="sg"):
            return False
        if a.number != b.number:
            if not (a.number.isdigit() and b.number.isdigit()):
                return False
            different += 1
    return different == 1


def label(x: Fact, y: Fact) -> str:
    """The gold label of premise x and hypothesis y: entailment, contradiction or neutral."""
    if entails(x, y):
        return "entailment"
    return "contradiction" if contradicts(x, y) else "neutral"
