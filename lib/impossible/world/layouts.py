"""Layouts: the orders of slots that a construction allows, and how a sentence finds its own.

A key is the sequence of symbols of a sentence, such as ("NP", "be", "V", "by", "NP", "M"). Every
layout of every construction is listed under its key once, so that parsing needs no search.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from .constructions import CONSTRUCTIONS, LEAF, Construction
from .lexicon import LEXICON, Frame, Role
from .phrases import Phrase

Slot = tuple[str, str]  # name and argument, as in a template
Key = tuple[str, ...]
VERB_TAGS = {"past": "VBD", "part": "VBN", "base": "VB"}


def assemble(construction: Construction, filling: dict[Slot, str], opening: Phrase | None) -> str:
    """Put subtrees into the construction's template, with what opens the sentence before it."""
    core = LEAF.sub(
        lambda m: filling.get((m[1], m[2] or ""), "") if m[1] else m[0], construction.template
    )
    if opening is None:
        tree = f"(S {core} (. .))"
    elif opening.symbol == "H":
        tree = f"(S {opening.tree.replace('@', f'(S {core})')} (. .))"
    else:
        tree = f"(S {opening.tree} {core} (. .))"
    return re.sub(r"\s+\)", ")", re.sub(r"\s+", " ", tree))


def applicable(frame: Frame, construction: Construction) -> bool:
    """Whether the construction suits the frame's valency."""
    if construction.frames == "intransitive":
        return not frame.agent
    if construction.frames == "dative":
        return bool(frame.dative)
    return bool(frame.agent)


def free_roles(frame: Frame, construction: Construction) -> list[Role]:
    """The prepositional roles left for {X}: the dative recipient may have a slot of its own."""
    return [
        role
        for role in frame.roles
        if not (construction.frames == "dative" and role.name == frame.dative)
    ]


def _patterns(construction: Construction) -> set[tuple[str, ...]]:
    """The preposition sequences that the {X} slot can hold."""
    found: set[tuple[str, ...]] = {()}
    for frame in LEXICON.frames.values():
        prepositions = [role.preposition for role in free_roles(frame, construction)]
        for size in range(1, len(prepositions) + 1):
            found |= set(combinations(prepositions, size))
    return found


def _layouts(construction: Construction) -> Iterator[tuple[Key, tuple[Slot, ...]]]:
    """All (key, slots) pairs of a construction: with and without {D}, {M} and each {X} pattern."""
    for pattern in sorted(_patterns(construction)):
        for adverb in (False, True) if construction.uses("D") else (False,):
            for tail in (False, True):
                slots: list[Slot] = []
                for slot, argument in construction.leaves:
                    if slot == "X":
                        for preposition in pattern:
                            slots += [("P", preposition), ("X", preposition)]
                    elif (slot == "D" and not adverb) or (slot == "M" and not tail):
                        continue
                    else:
                        slots.append((slot, argument))
                yield tuple(_symbol(slot) for slot in slots), tuple(slots)


def _symbol(slot: Slot) -> str:
    """The symbol of the phrases that may fill a slot; a fixed word is its own symbol."""
    name, argument = slot
    if name in ("A", "T", "R", "X"):
        return "NP"
    if name in ("D", "M"):
        return "M"
    if name in ("", "P"):
        return "be" if argument == "was" else argument
    return {"BE": "be", "ART": "art", "V": "V", "N": "N", "G": "N1"}[name]


def _index() -> dict[Key, list[tuple[Construction, tuple[Slot, ...]]]]:
    """For each key, the constructions and slots it may be, in the order of the table."""
    index: dict[Key, list[tuple[Construction, tuple[Slot, ...]]]] = defaultdict(list)
    for construction in CONSTRUCTIONS:
        for key, slots in _layouts(construction):
            # "the firm that": the article belongs to the template, yet is read as one noun phrase.
            merged = " ".join(key).replace("the N1", "NP").split()
            kept = [
                slot for i, slot in enumerate(slots) if not (key[i] == "the" and key[i + 1] == "N1")
            ]
            index[tuple(merged)].append((construction, tuple(kept)))
    return dict(index)


INDEX = _index()
