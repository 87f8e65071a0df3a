"""Modifiers: which values exist, and the ways to write each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from .facts import KINDS, Modifier
from .lexicon import LEXICON
from .surface import leaves

Variants = tuple[tuple[str, str], ...]


@cache
def modifier_values(kind: str, domain: str) -> tuple[str, ...]:
    """The canonical values that a modifier of this kind can take in a domain.

    The order is part of every sample: values are drawn by their index.

    >>> modifier_values("time", "news")[0], modifier_values("place", "news")[:2]
    ('Monday', ('France', 'Lyon'))
    """
    if kind == "place":
        return tuple(LEXICON.below("country", True))
    table = LEXICON.modifiers[kind]
    if kind == "quantity":
        units = ("percent", *table["duration"][1])
        return tuple(f"{unit} {count}" for unit in units for count in range(2, 100))
    if kind == "time":
        names = [name for group in table["prefix"].values() for name in group]
        return (*names, *(forms[0] for forms in table["phrases"]))
    if kind == "manner":
        return tuple(forms[0] for forms in table["adverbs"])
    groups = table["causes"][domain] if kind == "reason" else table[domain]
    return tuple(forms[0] for forms in groups)


def all_modifiers() -> list[Modifier]:
    """Every modifier of the world, once."""
    domains = tuple(LEXICON.modifiers["attribution"])
    found = [
        Modifier(kind, value)
        for kind in KINDS
        for domain in domains
        for value in modifier_values(kind, domain)
    ]
    return list(dict.fromkeys(found))


@cache
def modifier_variants(modifier: Modifier) -> Variants:
    """The ways to write a modifier, as (position, tree) pairs.

    Positions: "any" (fronted or after the verb), "last" (likewise, but only parsed), "front",
    "head" (around the sentence, whose place is "@"), "quote" (", police said"), "adverb" (before
    the verb).

    >>> modifier_variants(Modifier("time", "Monday"))
    (('any', '(PP (IN on) (IN Monday))'),)
    """
    return _WRITERS[modifier.kind](modifier.value)


def _time(value: str) -> Variants:
    table = LEXICON.modifiers["time"]
    phrases = [f"{word} {value}" for word, names in table["prefix"].items() if value in names]
    phrases = phrases or _synonyms(table["phrases"], value)
    return tuple(("any", f"(PP {leaves('IN', phrase)})") for phrase in phrases)


def _place(value: str) -> Variants:
    country = LEXICON.nouns[value].parent
    plain = ("any", f"(PP (IN in) (NP (NNP {value})))")
    if country == "country":
        return (plain,)
    return (plain, ("last", f"(PP (IN in) (NP (NP (NNP {value})) (, ,) (NP (NNP {country}))))"))


def _reason(value: str) -> Variants:
    table = LEXICON.modifiers["reason"]
    causes = _synonyms([group for domain in table["causes"].values() for group in domain], value)
    return tuple(
        ("any", f"(PP {leaves('IN', marker)} (NP {leaves('NN', cause)}))")
        for marker in table["markers"]
        for cause in causes
    )


def _manner(value: str) -> Variants:
    adverbs = _synonyms(LEXICON.modifiers["manner"]["adverbs"], value)
    trees = {adverb: f"(ADVP {leaves('RB', adverb)})" for adverb in adverbs}
    anywhere = [("any", tree) for tree in trees.values()]
    # "on purpose" follows the verb only
    return (*anywhere, *(("adverb", trees[adverb]) for adverb in adverbs if " " not in adverb))


def _quantity(value: str) -> Variants:
    unit, _, number = value.partition(" ")
    preposition, tag = ("by", "NN") if unit == "percent" else ("for", "NNS")
    return tuple(
        ("any", f"(PP (IN {preposition}) (NP (CD {count}) ({tag} {unit})))")
        for count in (number, LEXICON.number_words[int(number)])
    )


def _attribution(value: str) -> Variants:
    if value == "opinion":
        return _opinion()
    groups = [group for domain in LEXICON.modifiers["attribution"].values() for group in domain]
    found: list[tuple[str, str]] = []
    for source in _synonyms(groups, value):
        noun = f"(NP {leaves('NN', source)})"
        found.append(("front", f"(PP (VBG according) (PP (TO to) {noun}))"))
        found.append(("quote", f"(, ,) (PP (VBG according) (PP (TO to) {noun}))"))
        for verb in ("said", "reported"):
            found.append(("quote", f"(, ,) (PRN {noun} (VP (VBD {verb})))"))
            found.append(("head", f"{noun} (VP (VBD {verb}) (SBAR (IN that) @))"))
    return tuple(found)


def _opinion() -> Variants:
    """The writer as the source: "in my opinion", "I think that …"."""
    table = LEXICON.modifiers["opinion"]
    found: list[tuple[str, str]] = []
    for phrase in table["phrases"]:
        tree = f"(PP {leaves('IN', phrase)})"
        found += [("front", tree), ("quote", f"(, ,) {tree}")]
    for verb in table["heads"]:
        found.append(("head", f"(NP (PRP I)) (VP (VBP {verb}) (SBAR (IN that) @))"))
    return tuple(found)


def _synonyms(groups: list[list[str]], value: str) -> list[str]:
    """The group of synonyms that this canonical value, its first member, stands for."""
    return next(forms for forms in groups if forms[0] == value)


_WRITERS: dict[str, Callable[[str], Variants]] = {
    "time": _time,
    "place": _place,
    "reason": _reason,
    "manner": _manner,
    "quantity": _quantity,
    "attribution": _attribution,
}
