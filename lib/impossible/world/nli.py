"""Labelled sentence pairs, from which the in-vitro critic is trained like any NLI model.

Annotators err, so a share of the labels is wrong; pairs are made from facts of one split only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .documents import DOMAINS, draw_facts, random_script, role_types, split_of
from .facts import Entity, Fact, Modifier, fits, label, make_fact
from .lexicon import LEXICON
from .modifiers import modifier_values
from .realize import Rng, constructions_for, realize

LABELS = ("entailment", "neutral", "contradiction")
NOISE = 0.03  # share of labels an annotator gets wrong


@dataclass(frozen=True)
class Example:
    """A labelled pair of sentences.

    label: what the annotator says; gold: the truth; edits: names of the changes by which the two
    facts came apart, none for two wordings of one fact.
    """

    premise: str
    hypothesis: str
    label: str
    gold: str
    edits: tuple[str, ...]
    premise_fact: Fact
    hypothesis_fact: Fact


def _with_role(fact: Fact, role: str, entity: Entity) -> Fact | None:
    """The fact with another filler, if the filler is of the right type and has that number."""
    if not fits(entity, role_types(fact.frame, role)) or not LEXICON.has_number(
        entity.concept, entity.number
    ):
        return None
    roles = dict(fact.roles)
    roles[role] = entity
    return replace(fact, roles=tuple(sorted(roles.items())))


def _random_role(fact: Fact, rng: Rng) -> tuple[str, Entity]:
    return fact.roles[rng.integers(len(fact.roles))]


def drop_modifier(fact: Fact, rng: Rng) -> Fact | None:
    """Leave out one modifier."""
    if not fact.modifiers:
        return None
    gone = fact.modifiers[rng.integers(len(fact.modifiers))]
    return replace(fact, modifiers=tuple(m for m in fact.modifiers if m != gone))


def change_modifier(fact: Fact, rng: Rng) -> Fact | None:
    """Another value for one modifier."""
    if not fact.modifiers:
        return None
    old = fact.modifiers[rng.integers(len(fact.modifiers))]
    new = _other_modifier(old, fact, rng)
    return make_fact(
        fact.frame, dict(fact.roles), [new if m == old else m for m in fact.modifiers], fact.negated
    )


def _other_modifier(old: Modifier, fact: Fact, rng: Rng) -> Modifier:
    if old.kind == "quantity":
        unit, _, number = old.value.partition(" ")
        return Modifier("quantity", f"{unit} {2 + (int(number) + rng.integers(1, 90)) % 97}")
    if old.kind == "place" and rng.random() < 0.4 and LEXICON.nouns[old.value].parent != "country":
        return Modifier("place", LEXICON.nouns[old.value].parent)
    domain = LEXICON.frames[fact.frame].domain
    pool = modifier_values(old.kind, domain)
    return Modifier(old.kind, pool[rng.integers(len(pool))])


def generalize(fact: Fact, rng: Rng) -> Fact | None:
    """A hypernym for one filler or for the predicate."""
    parent = LEXICON.frames[fact.frame].parent
    if parent and rng.random() < 0.4:
        return replace(fact, frame=parent)
    role, entity = _random_role(fact, rng)
    noun = LEXICON.nouns[entity.concept]
    if not noun.parent:
        return None
    attribute = (
        "" if noun.named or LEXICON.nouns[noun.parent].group != noun.group else entity.attribute
    )
    return _with_role(fact, role, Entity(noun.parent, entity.number, attribute))


def swap_filler(fact: Fact, rng: Rng) -> Fact | None:
    """Another participant of the same kind."""
    role, entity = _random_role(fact, rng)
    noun = LEXICON.nouns[entity.concept]
    if not noun.parent:
        return None
    siblings = LEXICON.below(noun.parent, noun.named)
    concept = siblings[rng.integers(len(siblings))] if siblings else entity.concept
    return _with_role(fact, role, Entity(concept, entity.number))


def change_attribute(fact: Fact, rng: Rng) -> Fact | None:
    """Add, drop or replace an adjective."""
    role, entity = _random_role(fact, rng)
    group = LEXICON.nouns[entity.concept].group
    if not group:
        return None
    options = ["", *LEXICON.attributes[group]]
    antonym = LEXICON.attribute_antonyms.get((group, entity.attribute))
    attribute = antonym if antonym and rng.random() < 0.4 else options[rng.integers(len(options))]
    if entity.attribute and rng.random() < 0.5:
        attribute = ""
    return _with_role(fact, role, replace(entity, attribute=attribute))


def change_number(fact: Fact, rng: Rng) -> Fact | None:
    """Another count, or none."""
    counted = [(r, e) for r, e in fact.roles if e.number.isdigit()]
    if not counted:
        return None
    role, entity = counted[rng.integers(len(counted))]
    other = str(2 + (int(entity.number) + rng.integers(1, 90)) % 97)
    if entity.concept != "money" and rng.random() < 0.3:
        other = "pl"
    return _with_role(fact, role, replace(entity, number=other))


def oppose(fact: Fact, rng: Rng) -> Fact | None:
    """The antonym of the predicate."""
    other = LEXICON.antonym_frame(fact.frame)
    if not other:
        return None
    fitting = all(fits(entity, role_types(other, role)) for role, entity in fact.roles)
    return replace(fact, frame=other) if fitting else None


def negate(fact: Fact, rng: Rng) -> Fact | None:
    """The other polarity."""
    return replace(fact, negated=not fact.negated)


def exchange(fact: Fact, rng: Rng) -> Fact | None:
    """Agent and theme change places, if both fit."""
    agent, theme = fact.role("agent"), fact.role("theme")
    if agent is None or theme is None:
        return None
    swapped = _with_role(fact, "agent", theme)
    return _with_role(swapped, "theme", agent) if swapped else None


EDITS = {
    drop_modifier: 0.26,
    change_modifier: 0.14,
    generalize: 0.14,
    swap_filler: 0.14,
    change_attribute: 0.08,
    change_number: 0.06,
    oppose: 0.08,
    negate: 0.07,
    exchange: 0.03,
}


def sample_example(
    rng: Rng, split: str = "train", noise: float = NOISE, domains: Sequence[str] = DOMAINS
) -> Example:
    """A random labelled pair; `noise` is the share of wrong labels.

    Args:
        split: "train": both facts are of this split (see `documents.split_of`). "dev", "test": the
            fact that both start from is; an edit may lead out of it, since to ask for both would
            leave hardly any pair with another participant or a hypernym.
    """
    editors, weights = list(EDITS), np.array(list(EDITS.values()))
    while True:
        facts = [
            f for f in draw_facts(*random_script(rng, domains), rng) if split_of(f.core()) == split
        ]
        if not facts:
            continue
        chosen = facts[rng.integers(len(facts))]
        sides = [chosen, chosen]
        names: list[str] = []
        if len(facts) > 1 and rng.random() < 0.06:
            sides[1] = facts[rng.integers(len(facts))]
            names.append("other_sentence")
        for _ in range(rng.choice(3, p=[0.3, 0.45, 0.25])):
            editor = editors[rng.choice(len(editors), p=weights / weights.sum())]
            side = int(rng.integers(2))
            edited = editor(sides[side], rng)
            if edited is not None and edited != sides[side]:
                sides[side] = edited
                names.append(editor.__name__)
        inside = split != "train" or all(split_of(f.core()) == split for f in sides)
        if inside and all(constructions_for(f) for f in sides):
            break
    gold = label(sides[0], sides[1])
    given = LABELS[rng.integers(3)] if rng.random() < noise else gold
    premise, hypothesis = (realize(fact, rng) for fact in sides)
    return Example(premise, hypothesis, given, gold, tuple(names), sides[0], sides[1])
