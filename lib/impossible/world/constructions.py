"""The constructions: one table from which sentences are both generated and parsed.

A template is a Penn-style tree with slots. {A} agent, {T} theme, {R} dative recipient, {G:T} the
common noun that stands above a named filler, {V:past} a verb form, {N} a nominalization with its
article in {ART}, {X} the prepositional roles, {D} a manner adverb before the verb, {M} the
modifiers after it, {BE:T} was/were agreeing with a slot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

LEAF = re.compile(r"\{([A-Z]+)(?::(\w+))?\}|\(([^\s(){}]+) ([^\s(){}]+)\)")


@dataclass(frozen=True)
class Construction:
    """One way to say a fact.

    name: unique; template: see the module; weight: how often it is chosen; frames: "transitive",
    "intransitive" or "dative"; needs_agent: whether the agent is expressed; negated: the polarity.
    """

    name: str
    template: str
    weight: float
    frames: str = "transitive"
    needs_agent: bool = True
    negated: bool = False

    @cached_property
    def leaves(self) -> tuple[tuple[str, str], ...]:
        """The yield of the template: (slot, argument) pairs, or ("", word) for fixed words."""
        return tuple(
            (match[1], match[2] or "") if match[1] else ("", match[4])
            for match in LEAF.finditer(self.template)
        )

    @property
    def ends_with_modifiers(self) -> bool:
        """Whether {M} closes the sentence, so that ", police said" may follow."""
        return self.leaves[-1][0] == "M"

    @property
    def uses_possessive(self) -> bool:
        """Whether the agent takes 's, which this grammar writes after singulars only."""
        return ("", "'s") in self.leaves

    @cached_property
    def subjects(self) -> frozenset[str]:
        """The slots that a verb phrase follows: there a pronoun is "I" and not "me"."""
        return frozenset(re.findall(r"\{([ATR])\} \(VP", self.template))

    def uses(self, slot: str) -> bool:
        """Whether the template has this slot."""
        return any(name == slot for name, _ in self.leaves)


BY = "(PP (IN by) {A})"

CONSTRUCTIONS: tuple[Construction, ...] = (
    Construction("active", "{A} (VP {D} {V:past} {T} {X} {M})", 8),
    Construction("passive", "{T} (VP {BE:T} (VP {D} {V:part} {X} " + BY + " {M}))", 5),
    Construction(
        "short passive", "{T} (VP {BE:T} (VP {D} {V:part} {X} {M}))", 5, needs_agent=False),
    Construction("double object", "{A} (VP {D} {V:past} {R} {T} {X} {M})", 7, frames="dative"),
    Construction("recipient passive",
        "{R} (VP {BE:R} (VP {D} {V:part} {T} {X} " + BY + " {M}))", 4, frames="dative"),
    Construction("agent cleft",
        "(NP (PRP it)) (VP (VBD was) {A}"
        " (SBAR (WHNP (WDT that)) (S (VP {D} {V:past} {T} {X} {M}))))", 2),
    Construction("theme cleft",
        "(NP (PRP it)) (VP (VBD was) {T}"
        " (SBAR (WHNP (WDT that)) (S {A} (VP {D} {V:past} {X} {M}))))", 2),
    Construction("pseudo-cleft",
        "(SBAR (WHNP (WP what)) (S {A} (VP {D} {V:past} {X} {M}))) (VP {BE:T} {T})", 2),
    Construction("agent relative",
        "(NP (NP (DT the) {G:A}) (SBAR (WHNP (WDT that)) (S (VP {D} {V:past} {T} {X} {M}))))"
        " (VP (VBD was) {A})", 3),
    Construction("theme relative",
        "{T} (VP (VBD was) (NP (NP (DT the) {G:T})"
        " (SBAR (WHNP (WDT that)) (S {A} (VP {D} {V:past} {X} {M})))))", 3),
    Construction("nominalization",
        "(NP (NP (DT the) {N}) (PP (IN of) {T}) {X} " + BY + ") (VP (VBD occurred) {M})", 3),
    Construction("possessive nominalization",
        "(NP (NP {A} (POS 's)) {N} (PP (IN of) {T}) {X}) (VP (VBD occurred) {M})", 3),
    Construction("existential",
        "(NP (EX there)) (VP (VBD was) (NP (NP {ART} {N}) (PP (IN of) {T}) {X} " + BY + ") {M})",
        2),
    Construction("light verb",
        "{A} (VP (VBD carried) (PRT (RP out)) (NP (NP (DT the) {N}) (PP (IN of) {T}) {X}) {M})", 2),
    Construction("short nominalization",
        "(NP (NP (DT the) {N}) (PP (IN of) {T}) {X}) (VP (VBD occurred) {M})",
        3, needs_agent=False),
    Construction(
        "negation", "{A} (VP (VBD did) (RB not) (VP {D} {V:base} {T} {X} {M}))", 4, negated=True),
    Construction("failure",
        "{A} (VP (VBD failed) (S (VP (TO to) (VP {D} {V:base} {T} {X} {M}))))", 3, negated=True),
    Construction("negated passive",
        "{T} (VP {BE:T} (RB not) (VP {D} {V:part} {X} " + BY + " {M}))", 3, negated=True),
    Construction("negated short passive",
        "{T} (VP {BE:T} (RB not) (VP {D} {V:part} {X} {M}))", 3, needs_agent=False, negated=True),
    Construction("intransitive", "{T} (VP {D} {V:past} {X} {M})", 7, frames="intransitive"),
    Construction("subject cleft",
        "(NP (PRP it)) (VP (VBD was) {T} (SBAR (WHNP (WDT that)) (S (VP {D} {V:past} {X} {M}))))",
        2, frames="intransitive"),
    Construction("intransitive nominalization",
        "(NP (NP (DT the) {N}) (PP (IN of) {T}) {X}) (VP (VBD occurred) {M})",
        3, frames="intransitive"),
    Construction("intransitive existential",
        "(NP (EX there)) (VP (VBD was) (NP (NP {ART} {N}) (PP (IN of) {T}) {X}) {M})",
        2, frames="intransitive"),
    Construction("intransitive relative",
        "(NP (NP (DT the) {G:T}) (SBAR (WHNP (WDT that)) (S (VP {D} {V:past} {X} {M}))))"
        " (VP (VBD was) {T})", 2, frames="intransitive"),
    Construction("intransitive negation",
        "{T} (VP (VBD did) (RB not) (VP {D} {V:base} {X} {M}))",
        4, frames="intransitive", negated=True),
    Construction("intransitive failure",
        "{T} (VP (VBD failed) (S (VP (TO to) (VP {D} {V:base} {X} {M}))))",
        3, frames="intransitive", negated=True),
)  # fmt: skip
BY_NAME = {construction.name: construction for construction in CONSTRUCTIONS}
