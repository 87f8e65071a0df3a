"""The words of the in-vitro world, read from `lexicon.yaml` and `frames.yaml`.

Nothing here knows sentences: it answers what a word means, what lies above it, and how it is
written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from impossible.config.yaml_files import read_yaml

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Noun:
    """A concept: its parent, its forms, its adjective group, and whether it is a named instance.

    forms: (singular, plural) pairs; an empty string where that number does not occur.
    proper: written with a capital letter and tagged NNP.
    accusative: of a pronoun ("me"): how it is written where it is no subject.
    """

    concept: str
    parent: str
    forms: tuple[tuple[str, str], ...]
    named: bool = False
    proper: bool = False
    group: str = ""
    accusative: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """A prepositional role of a frame: name, preposition, the concepts that may fill it."""

    name: str
    preposition: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A predicate: see the head of frames.yaml. verbs: (base, past, participle) triples."""

    name: str
    domain: str
    verbs: tuple[tuple[str, str, str], ...]
    nouns: tuple[str, ...]
    agent: tuple[str, ...]
    theme: tuple[str, ...]
    roles: tuple[Role, ...]
    dative: str
    parent: str
    antonym: str


@dataclass
class Lexicon:
    """All concepts, frames, adjectives and modifier phrases."""

    nouns: dict[str, Noun] = field(default_factory=dict)
    frames: dict[str, Frame] = field(default_factory=dict)
    # (group, surface) → attribute id; group → ids; (group, id) → surfaces; (group, id) → antonym id
    attribute_of: dict[tuple[str, str], str] = field(default_factory=dict)
    attributes: dict[str, list[str]] = field(default_factory=dict)
    attribute_forms: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    attribute_antonyms: dict[tuple[str, str], str] = field(default_factory=dict)
    modifiers: dict[str, Any] = field(default_factory=dict)
    number_words: dict[int, str] = field(default_factory=dict)
    _above: dict[str, frozenset[str]] = field(default_factory=dict)

    def ancestors(self, concept: str) -> frozenset[str]:
        """The concept and everything above it."""
        found = self._above.get(concept)
        if found is None:
            noun = self.nouns.get(concept)
            above = self.ancestors(noun.parent) if noun and noun.parent else frozenset()
            found = self._above[concept] = above | {concept}
        return found

    def is_a(self, concept: str, other: str) -> bool:
        """Whether `concept` is `other` or lies below it."""
        return concept == other or other in self.ancestors(concept)

    def has_number(self, concept: str, number: str) -> bool:
        """Whether a concept occurs in this number ("sg", or any other for the plural)."""
        noun = self.nouns[concept]
        if noun.named or concept == "money":
            return number == "sg" or concept == "money"
        return any(form[0 if number == "sg" else 1] for form in noun.forms)

    def frame_is_a(self, frame: str, other: str) -> bool:
        """Whether `frame` is `other` or entails it."""
        while frame and frame != other:
            frame = self.frames[frame].parent if frame in self.frames else ""
        return bool(frame)

    def antonym_frame(self, frame: str) -> str:
        """The opposite predicate, or ""."""
        return self.frames[frame].antonym if frame in self.frames else ""

    def below(self, concept: str, named: bool) -> list[str]:
        """Leaves below a concept: named instances, or common nouns without more special ones."""
        parents = {noun.parent for noun in self.nouns.values() if not noun.named}
        return [
            name
            for name, noun in self.nouns.items()
            if noun.named == named and self.is_a(name, concept) and (named or name not in parents)
        ]


def _inflect(base: str) -> tuple[str, str, str]:
    """Past tense and participle of a regular verb; "base/past/participle" gives them outright."""
    if "/" in base:
        first, past, participle = base.split("/")
        return first, past, participle
    if base.endswith("e"):
        past = base + "d"
    elif base.endswith("y") and base[-2] not in "aeiou":
        past = base[:-1] + "ied"
    else:
        past = base + "ed"
    return base, past, past


def _plural(noun: str) -> str:
    """The plural of the nouns that the YAML file lists in the singular only."""
    if noun.endswith("man"):
        return noun[:-3] + "men"
    return noun[:-1] + "ies" if noun.endswith("ty") else noun + "s"


def _add(lexicon: Lexicon, concept: str, parent: str, forms: Sequence[str], **kind: Any) -> None:
    if concept in lexicon.nouns:
        raise ValueError(f"lexicon.yaml defines {concept!r} twice")
    pairs = tuple(form.partition("|")[::2] for form in forms)  # "singular|plural"
    lexicon.nouns[concept] = Noun(concept, parent, pairs, **kind)


def _load_nouns(raw: dict[str, Any], lexicon: Lexicon) -> None:
    """All nouns; their order in the lexicon is that of the pools from which samples are drawn."""
    for concept, entry in raw["nouns"].items():
        group = entry.get("adjectives", "")
        _add(lexicon, concept, entry.get("parent", ""), entry["forms"], group=group)
    _load_people(raw, lexicon)
    for kind, entry in raw["organizations"].items():
        forms = [f"{form}|{_plural(form)}" for form in entry["forms"]]
        _add(lexicon, kind, entry["parent"], forms)
        _add_named(lexicon, entry["names"], kind, proper=True)
    _add(lexicon, "country", "", ["country|countries"])
    for country, cities in raw["places"].items():
        _add_named(lexicon, [country], "country", proper=True)
        _add_named(lexicon, cities, country, proper=True)
    for kind, entry in raw["drugs"].items():
        _add(lexicon, kind, "drug", entry["forms"], group="treatment")
        _add_named(lexicon, entry["names"], kind)
    for kind, entry in raw["diseases"].items():
        _add(lexicon, kind, "disease", [f"{form}|" for form in entry["forms"]])
        for forms in entry["members"]:
            _add(lexicon, forms[0], kind, forms, named=True)
    _add_named(lexicon, raw["genes"], "gene", proper=True)
    _add_named(lexicon, raw["proteins"], "protein")
    for kind, names in raw["products"].items():
        _add_named(lexicon, names, kind, proper=True)
    for kind, members in raw["acquaintances"].items():
        for forms in members:
            _add(lexicon, forms[0], kind, forms, named=True)
    me = raw["speaker"]
    _add(lexicon, "speaker", me["parent"], [me["subject"]], named=True, accusative=me["object"])
    _add(lexicon, "money", "", [])


def _load_people(raw: dict[str, Any], lexicon: Lexicon) -> None:
    """Professions, and below each a person for every pair of given name and family name."""
    for profession, entry in raw["people"].items():
        forms = [f"{form}|{_plural(form)}" for form in entry["forms"]]
        _add(lexicon, profession, "person", forms)
        for family in entry["names"]:
            names = [f"{given} {family}" for given in raw["given_names"]]
            _add_named(lexicon, names, profession, proper=True)


def _add_named(lexicon: Lexicon, names: list[str], parent: str, proper: bool = False) -> None:
    for name in names:
        _add(lexicon, name, parent, [name], named=True, proper=proper)


def _load_adjectives(raw: dict[str, Any], lexicon: Lexicon) -> None:
    """An entry is one group of synonyms, or two with opposite meanings."""
    for group, entries in raw["adjectives"].items():
        for sides in entries:
            for forms in sides:
                lexicon.attributes.setdefault(group, []).append(forms[0])
                lexicon.attribute_forms[group, forms[0]] = forms
                for form in forms:
                    lexicon.attribute_of[group, form] = forms[0]
            if len(sides) == 2:
                (first, *_), (second, *_) = sides
                lexicon.attribute_antonyms[group, first] = second
                lexicon.attribute_antonyms[group, second] = first


def _load_frames(raw: dict[str, Any], lexicon: Lexicon) -> None:
    antonyms: dict[str, str] = {}  # both ways; the file names each pair once
    for frames in raw.values():
        for name, entry in frames.items():
            if "antonym" in entry:
                antonyms[name], antonyms[entry["antonym"]] = entry["antonym"], name
    for domain, frames in raw.items():
        for name, entry in frames.items():
            lexicon.frames[name] = Frame(
                name=name,
                domain=domain,
                verbs=tuple(_inflect(verb) for verb in entry["verbs"]),
                nouns=tuple(entry["nouns"]),
                agent=tuple(entry.get("agent", ())),
                theme=tuple(entry["theme"]),
                roles=tuple(
                    Role(role, str(spec[0]), tuple(spec[1:]))
                    for role, spec in entry.get("roles", {}).items()
                ),
                dative=entry.get("dative", ""),
                parent=entry.get("parent", ""),
                antonym=antonyms.get(name, ""),
            )


@cache
def load_lexicon() -> Lexicon:
    """Read the two YAML files once."""
    raw = read_yaml(HERE / "lexicon.yaml")
    lexicon = Lexicon(modifiers=raw["modifiers"])
    _load_nouns(raw, lexicon)
    _load_adjectives(raw, lexicon)
    _load_frames(read_yaml(HERE / "frames.yaml"), lexicon)
    tens = {n: w for n, w in raw["number_words"].items() if n >= 20}
    lexicon.number_words = dict(raw["number_words"])
    for ten, word in tens.items():
        for unit in range(1, 10):
            small = "one" if unit == 1 else raw["number_words"][unit]
            lexicon.number_words[ten + unit] = f"{word}-{small}"
    return lexicon


LEXICON = load_lexicon()
