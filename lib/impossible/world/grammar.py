"""Sentences to facts, by the table in `constructions.py` from which `realize` writes.

A sentence is the yield of one construction, with a fronted modifier ("On Monday, …") or a source
("police said that …") before it or neither, and a full stop. {M} holds any number of modifiers in
any order, {D} one of manner, and no kind of modifier occurs twice. Noun phrases agree with was and
were, fillers are of the types their roles allow, and prepositional roles come in the frame's order.

`analyze` understands every sentence that `realize` can write, and gives the fact and the tree it
was written from, with one exception: in "the drug that they took on Friday" it takes "took on" for
the verb and gives None (1 sentence in 4000). It is also somewhat wider than `realize`: for example
it accepts "in Lyon, France", "the 12 workers", an attribution before other modifiers or before
"was", an apposition in any noun phrase, a person in a pseudo-cleft, and either of a and an before
a nominalization. A sentence that breaks one of the rules above gives None.

There is no search: phrases are recognised from left to right, each the longest possible and none
taken back; their symbols make a key such as ("NP", "be", "V", "by", "NP", "M"); an index of all
keys gives the constructions to try, and the first that fits is the analysis. A sentence costs
about a tenth of a millisecond.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from .constructions import Construction
from .facts import Entity, Fact, Modifier, fits, make_fact
from .layouts import INDEX, VERB_TAGS, Slot, applicable, assemble, free_roles
from .lexicon import LEXICON, Frame
from .phrases import ANYWHERE, OPENING, Phrase, common_phrase, lookup, money, named_variants
from .surface import tokenize

#: Tree of a pronoun → whether it is a subject.
PRONOUNS = {
    tree: kind == "bare"
    for name, noun in LEXICON.nouns.items()
    if noun.accusative
    for kind, tree in named_variants(name)
}
BE = {"was": False, "were": True}  # form → whether it is plural


@dataclass(slots=True)
class Analysis:
    """A parsed sentence: its fact, its construction and the phrases in the construction's slots."""

    fact: Fact
    construction: Construction
    slots: tuple[Slot, ...]
    phrases: list[list[Phrase]]
    opening: Phrase | None

    def tree(self) -> str:
        """The constituency tree with Penn labels."""
        filling: dict[Slot, str] = defaultdict(str)
        for (slot, argument), found in zip(self.slots, self.phrases, strict=True):
            tree = " ".join(phrase.tree for phrase in found)
            if slot == "P":
                filling["X", ""] += f"(PP (IN {argument}) "
            elif slot == "X":
                filling["X", ""] += tree + ") "
            elif slot == "V":
                filling[slot, argument] = tree.replace("@", VERB_TAGS[argument])
            elif slot == "G":
                filling[slot, argument] = re.sub(r"^\(NP \(DT the\) (.*)\)$", r"\1", tree)
            else:
                filling[slot, argument] = tree
        return assemble(self.construction, filling, self.opening)


def _phrases(tokens: list[str]) -> tuple[Phrase | None, list[list[Phrase]]]:
    """Split tokens into phrases: what opens the sentence, then one list per symbol."""
    groups: list[list[Phrase]] = []
    opened, position = lookup(OPENING, tokens, 0)
    opening = opened[0] if opened else None
    after_determiner = False
    while position < len(tokens):
        phrase, position = _next(tokens, position, after_determiner)
        if phrase.symbol == "M" and groups and groups[-1][0].symbol == "M":
            groups[-1].append(phrase)
        else:
            groups.append([phrase])
        after_determiner = phrase.symbol in ("the", "art", "'s")
    return opening, groups


def _next(tokens: list[str], position: int, after_determiner: bool) -> tuple[Phrase, int]:
    """The longest phrase that starts here and where it ends; a word of no phrase stands alone."""
    known, end = lookup(ANYWHERE, tokens, position)
    built = common_phrase(tokens, position) or money(tokens, position)
    if built is not None and built.end >= end:
        return built, built.end
    if known:
        if len(known) > 1:  # "increase" is a verb and a nominalization
            wanted = "N" if after_determiner else "V"
            known = [phrase for phrase in known if phrase.symbol == wanted] or known
        return known[0], end
    token = tokens[position]
    if token in BE:
        return Phrase("be", [token], f"(VBD {token})", BE[token]), position + 1
    if token in ("a", "an"):
        return Phrase("art", [token], f"(DT {token})"), position + 1
    return Phrase(token, [token], f"(@ {token})"), position + 1


def analyze(sentence: str) -> Analysis | None:
    """Parse one sentence with its full stop; None when it is outside the grammar.

    >>> analyze("The blaze destroyed a school.").construction.name
    'active'
    >>> analyze("Blaze the school destroyed.") is None
    True
    """
    tokens = tokenize(sentence)
    if tokens is None or len(tokens) < 3 or tokens.pop() != ".":
        return None
    if not (tokens[0][0].isupper() or tokens[0][0] in "$0123456789"):
        return None
    if tokens[0] not in ANYWHERE:  # no name: the capital is only that of the sentence
        tokens[0] = tokens[0][0].lower() + tokens[0][1:]
    opening, groups = _phrases(tokens)
    key = tuple(group[0].symbol for group in groups)
    for construction, slots in INDEX.get(key, ()):
        fact = _bind(construction, slots, groups, opening)
        if fact is not None:
            return Analysis(fact, construction, slots, groups, opening)
    return None


def _bind(
    construction: Construction,
    slots: tuple[Slot, ...],
    groups: list[list[Phrase]],
    opening: Phrase | None,
) -> Fact | None:
    """The fact these phrases express in this construction, or None."""
    bound: dict[str, Phrase] = {}
    extras: list[tuple[str, Phrase]] = []
    modifiers: list[Modifier] = list(opening.readings[:1]) if opening else []
    head: Phrase | None = None
    form = ""
    for (slot, argument), group in zip(slots, groups, strict=True):
        if slot in ("M", "D"):
            modifiers += [phrase.readings[0] for phrase in group]
            if slot == "D" and (len(group) > 1 or group[0].readings[0].kind != "manner"):
                return None
        elif slot == "X":
            extras.append((argument, group[0]))
        elif slot in ("V", "N"):
            head, form = group[0], argument or "noun"
        else:
            bound[f"G:{argument}" if slot == "G" else slot] = group[0]
    if head is None or not _agrees(construction, slots, groups, bound):
        return None
    if len({modifier.kind for modifier in modifiers}) != len(modifiers):
        return None
    for name, kind in head.readings:
        if kind != form:
            continue
        roles = _fill(LEXICON.frames[name], construction, bound, extras)
        if roles is not None and _generic_fits(bound, roles):
            return make_fact(name, roles, modifiers, construction.negated)
    return None


def _agrees(
    construction: Construction,
    slots: tuple[Slot, ...],
    groups: list[list[Phrase]],
    bound: dict[str, Phrase],
) -> bool:
    """was/were agree with their slot; a fixed "was" is singular, and so is what takes 's.

    A pronoun has the case of its slot, and no 's.
    """
    for (slot, argument), group in zip(slots, groups, strict=True):
        if group[0].tree in PRONOUNS:
            possessed = slot == "A" and construction.uses_possessive
            if PRONOUNS[group[0].tree] != (slot in construction.subjects) or possessed:
                return False
        if slot == "BE" and group[0].plural != bound[argument].plural:
            return False
        if slot == "" and argument == "was" and group[0].plural:
            return False
        if (slot, argument) == ("", "'s") and bound["A"].plural:
            return False
    return True


def _fill(
    frame: Frame,
    construction: Construction,
    bound: dict[str, Phrase],
    extras: list[tuple[str, Phrase]],
) -> dict[str, Entity] | None:
    """Roles of a frame from the bound phrases, or None when a filler is of the wrong type."""
    if not applicable(frame, construction):
        return None
    wanted: list[tuple[str, Phrase, tuple[str, ...]]] = []
    if "A" in bound:
        wanted.append(("agent", bound["A"], frame.agent))
    wanted.append(("theme", bound["T"], frame.theme))
    if "R" in bound:
        recipient = next(role for role in frame.roles if role.name == frame.dative)
        wanted.append((recipient.name, bound["R"], recipient.types))
    remaining = iter(free_roles(frame, construction))
    for preposition, phrase in extras:  # `remaining` is used up: the order is the frame's
        role = next((role for role in remaining if role.preposition == preposition), None)
        if role is None:
            return None
        wanted.append((role.name, phrase, role.types))
    roles: dict[str, Entity] = {}
    for name, phrase, types in wanted:
        entity = next((e for e in phrase.readings if fits(e, types)), None)
        if entity is None:
            return None
        roles[name] = entity
    return roles


def _generic_fits(bound: dict[str, Phrase], roles: dict[str, Entity]) -> bool:
    """Whether "the firm that …" is "the" and a bare common noun directly above the named filler."""
    for slot, role in (("A", "agent"), ("T", "theme")):
        phrase = bound.get("G:" + slot)
        if phrase is None:
            continue
        noun = LEXICON.nouns[roles[role].concept]
        # A count or an adjective would show in the reading
        bare = Entity(noun.parent) in phrase.readings
        if not (noun.named and bare and phrase.tree.startswith("(NP (DT the)")):
            return False
    return True
