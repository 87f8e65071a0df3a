"""Write a fact as a sentence, in one of its many ways."""

from __future__ import annotations

import numpy as np

from .constructions import BY_NAME, CONSTRUCTIONS, Construction
from .facts import Entity, Fact, Modifier
from .layouts import VERB_TAGS, Slot, applicable, assemble, free_roles
from .lexicon import LEXICON
from .modifiers import modifier_variants
from .phrases import Phrase, named_variants
from .surface import article, detokenize, leaves, verb_tree, words_of

Rng = np.random.Generator
NOMINAL = 0.25  # weight of nominalizations in forums, where people say what they did
DEFINITE = 0.6  # share of "the" in common noun phrases that are neither counted nor mass


def constructions_for(fact: Fact) -> list[Construction]:
    """The constructions that can express this fact, in the table's order."""
    frame = LEXICON.frames[fact.frame]
    theme = fact.role("theme")
    agent = fact.role("agent")
    found = []
    for construction in CONSTRUCTIONS:
        if not applicable(frame, construction) or construction.negated != fact.negated:
            continue
        if bool(frame.agent) and construction.needs_agent != (agent is not None):
            continue
        if construction.frames == "dative" and fact.role(frame.dative) is None:
            continue
        if construction.uses("N") and not frame.nouns:
            continue
        # "What the firm hired was a worker" is odd English
        if construction.name == "pseudo-cleft" and theme and _is_animate(theme):
            continue
        if construction.uses_possessive and agent and not _takes_s(agent):
            continue
        generic = [argument for slot, argument in construction.leaves if slot == "G"]
        if not all(_has_generic(fact, argument) for argument in generic):
            continue
        found.append(construction)
    return found


def _takes_s(entity: Entity) -> bool:
    """Whether the grammar writes 's after it: after singulars that are no pronoun."""
    return entity.number == "sg" and not LEXICON.nouns[entity.concept].accusative


def _is_animate(entity: Entity) -> bool:
    kinds = ("person", "patient", "animal", "folk", "pet")
    return any(LEXICON.is_a(entity.concept, kind) for kind in kinds)


def _has_generic(fact: Fact, slot: str) -> bool:
    """Whether the slot's filler is named and what stands above it is a count noun ("the firm")."""
    entity = fact.role("agent" if slot == "A" else "theme")
    if entity is None:
        return False
    noun = LEXICON.nouns[entity.concept]
    return (
        noun.named
        and not noun.accusative
        and any(singular and plural for singular, plural in LEXICON.nouns[noun.parent].forms)
    )


def realize_tree(fact: Fact, rng: Rng, construction: str | None = None) -> str:
    """The constituency tree of a random realization, of this construction or a random one."""
    chosen = _choose(fact, construction, rng)
    opening, adverb, tail = _place_modifiers(fact, chosen, rng)
    filling = _fill(fact, chosen, rng) | {("D", ""): adverb, ("M", ""): tail}
    return assemble(chosen, filling, opening)


def _choose(fact: Fact, name: str | None, rng: Rng) -> Construction:
    possible = constructions_for(fact)
    if name is not None:
        possible = [c for c in possible if c is BY_NAME.get(name)]
    if not possible:
        raise ValueError(f"no construction {name or ''} for {fact}")
    informal = LEXICON.frames[fact.frame].domain == "forum"
    weights = np.array([c.weight * (NOMINAL if informal and c.uses("N") else 1) for c in possible])
    return possible[rng.choice(len(possible), p=weights / weights.sum())]


def _fill(fact: Fact, chosen: Construction, rng: Rng) -> dict[Slot, str]:
    """Subtrees for the slots of the construction, except those of the modifiers."""
    filling: dict[Slot, str] = {}
    frame = LEXICON.frames[fact.frame]
    verb = frame.verbs[rng.integers(len(frame.verbs))]
    slots = {"A": fact.role("agent"), "T": fact.role("theme"), "R": fact.role(frame.dative)}
    plural: dict[str, bool] = {}
    for index, (slot, argument) in enumerate(chosen.leaves):
        entity = slots.get(slot)
        if entity is not None:
            # An apposition opens sentences only, and never before a fixed word such as 's
            first = index == 0 and chosen.leaves[1][0] != ""
            subject = slot in chosen.subjects
            filling[slot, ""], plural[slot] = noun_phrase(entity, rng, first, subject)
        elif slot == "V":
            form = verb[("base", "past", "part").index(argument)]
            filling[slot, argument] = verb_tree(VERB_TAGS[argument], form)
        elif slot == "N":
            nominal = frame.nouns[rng.integers(len(frame.nouns))]
            filling[slot, ""] = leaves("NN", nominal)
            filling["ART", ""] = f"(DT {article(nominal)})"
        elif slot == "G":
            filling[slot, argument] = _generic(slots[argument], rng)
        elif slot == "X":
            filling[slot, ""] = _prepositional(fact, chosen, rng)
    for slot, argument in chosen.leaves:  # only now is it known what the verb agrees with
        if slot == "BE":
            filling[slot, argument] = "(VBD were)" if plural[argument] else "(VBD was)"
    return filling


def realize(fact: Fact, rng: Rng, construction: str | None = None) -> str:
    """A random sentence that says `fact`; see `realize_tree`.

    >>> from impossible.world.facts import make_fact
    >>> fact = make_fact("destroy", {"agent": Entity("storm"), "theme": Entity("ferry")})
    >>> realize(fact, np.random.default_rng(1), "passive")
    'The ferry was wrecked by a storm.'
    """
    return detokenize(words_of(realize_tree(fact, rng, construction)))


def _generic(entity: Entity | None, rng: Rng) -> str:
    assert entity is not None
    parent = LEXICON.nouns[LEXICON.nouns[entity.concept].parent]
    singular = [form for form, _ in parent.forms if form]
    return leaves("NN", singular[rng.integers(len(singular))])


def _prepositional(fact: Fact, construction: Construction, rng: Rng) -> str:
    found = []
    for role in free_roles(LEXICON.frames[fact.frame], construction):
        entity = fact.role(role.name)
        if entity is not None:
            found.append(f"(PP (IN {role.preposition}) {noun_phrase(entity, rng)[0]})")
    return " ".join(found)


def noun_phrase(
    entity: Entity, rng: Rng, apposition: bool = False, subject: bool = False
) -> tuple[str, bool]:
    """A noun phrase for an entity, and whether it is plural.

    `apposition`: "Halden, a carmaker," may be used; `subject`: a verb phrase follows ("I" rather
    than "me").
    """
    if entity.concept == "money":
        return _money(entity.number, rng), True
    noun = LEXICON.nouns[entity.concept]
    if noun.named:
        variants = named_variants(entity.concept)
        kind = rng.choice(["bare", "title", "apposition"], p=[0.75, 0.15, 0.1])
        kind = "bare" if kind == "apposition" and not apposition else kind
        if noun.accusative:
            kind = "bare" if subject else "accusative"
        fitting = [t for k, t in variants if k == kind] or [t for k, t in variants if k == "bare"]
        return fitting[rng.integers(len(fitting))], False
    return _common(entity, rng)


def _money(number: str, rng: Rng) -> str:
    style = rng.integers(3)
    if style == 0:
        return f"(NP (QP (CD ${number}) (CD million)))"
    amount = number if style == 1 else LEXICON.number_words[int(number)]
    return f"(NP (QP (CD {amount}) (CD million)) (NNS dollars))"


def _common(entity: Entity, rng: Rng) -> tuple[str, bool]:
    noun = LEXICON.nouns[entity.concept]
    wants_plural = entity.number != "sg"
    forms = [(s, p) for s, p in noun.forms if (p if wants_plural else s)]
    singular, plural = forms[rng.integers(len(forms))]
    words = []
    if entity.number.isdigit():
        spelled = LEXICON.number_words[int(entity.number)]
        words.append(("CD", entity.number if rng.random() < 0.5 else spelled))
    if entity.attribute:
        adjectives = LEXICON.attribute_forms[noun.group, entity.attribute]
        words.append(("JJ", adjectives[rng.integers(len(adjectives))]))
    words.append(("NNS" if wants_plural else "NN", plural if wants_plural else singular))
    mass = not wants_plural and not plural
    bare = wants_plural or mass
    if rng.random() < DEFINITE and not (mass or entity.number.isdigit()):
        words.insert(0, ("DT", "the"))
    elif not bare:
        words.insert(0, ("DT", article(words[0][1])))
    return f"(NP {' '.join(leaves(tag, word) for tag, word in words)})", wants_plural


def _place_modifiers(
    fact: Fact, construction: Construction, rng: Rng
) -> tuple[Phrase | None, str, str]:
    """What opens the sentence, the adverb before the verb, and the tail."""
    opening: Phrase | None = None
    adverb = ""
    tail: list[str] = []
    quote = ""
    order = [fact.modifiers[i] for i in rng.permutation(len(fact.modifiers))]
    for modifier in sorted(order, key=lambda m: m.kind != "attribution"):
        if modifier.kind == "attribution":
            quotable = construction.ends_with_modifiers
            position = rng.choice(["front", "head", "quote"], p=[0.3, 0.3, 0.4])
            position = "head" if position == "quote" and not quotable else position
        elif modifier.kind == "manner" and construction.uses("D") and rng.random() < 0.45:
            position = "adverb"
        else:
            position = "front" if opening is None and rng.random() < 0.3 else "tail"
        tree = _variant(modifier, position, rng)
        if tree is None:
            position, tree = "tail", _variant(modifier, "tail", rng) or ""
        if position in ("front", "head"):
            opening = _opening(modifier, position, tree)
        elif position == "adverb":
            adverb = tree
        elif position == "quote":
            quote = tree
        else:
            tail.append(tree)
    return opening, adverb, " ".join([*tail, quote])


def _opening(modifier: Modifier, position: str, tree: str) -> Phrase:
    if position == "head":
        return Phrase("H", [modifier], tree)
    return Phrase("F", [modifier], f"{tree} (, ,)")


def _variant(modifier: Modifier, position: str, rng: Rng) -> str | None:
    kinds = {"front": ("any", "front"), "tail": ("any",)}.get(position, (position,))
    fitting = [tree for kind, tree in modifier_variants(modifier) if kind in kinds]
    return fitting[rng.integers(len(fitting))] if fitting else None
