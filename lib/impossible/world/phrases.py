"""From tokens to phrases: noun phrases, verbs, nominalizations, modifiers.

Phrases that can be listed (names, appositions, verbs, modifiers) lie in tries, which hold the very
trees that `realize` writes; noun phrases with a count or an adjective are put together from their
parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .facts import Entity
from .lexicon import LEXICON, Frame, Noun
from .modifiers import all_modifiers, modifier_variants
from .surface import article, leaves, verb_tree, words_of

Trie = dict[Any, Any]  # word → Trie, and None → the phrases that end here
NUMBERS = {word: str(number) for number, word in LEXICON.number_words.items()}


@dataclass(slots=True)
class Phrase:
    """A recognised phrase.

    symbol: NP, V, N, M (a modifier in the sentence), F (a fronted one), H ("police said that"), or
        the word itself; in the trie of common nouns sg, pl or mass.
    readings: what it may mean: entities, (frame, form) pairs, modifiers, concepts or the word.
    tree: bracketed, without the sentence's capital letter.
    plural: for agreement.
    end: where it ends in the sentence; 0 in the tries, which serve all sentences.
    """

    symbol: str
    readings: list[Any]
    tree: str
    plural: bool = False
    end: int = 0


def _insert(trie: Trie, words: list[str], reading: Phrase) -> None:
    """Add a phrase; one with the same words and symbol only gains its readings."""
    node = trie
    for word in words:
        node = node.setdefault(word, {})
    known = node.setdefault(None, [])
    for phrase in known:
        if phrase.symbol == reading.symbol:
            phrase.readings += [r for r in reading.readings if r not in phrase.readings]
            return
    known.append(reading)


def lookup(trie: Trie, tokens: list[str], start: int) -> tuple[list[Phrase], int]:
    """The longest phrase that starts here, in all its kinds, and where it ends."""
    node = trie
    best: list[Phrase] = []
    end = start
    for position in range(start, len(tokens)):
        if tokens[position] not in node:
            break
        node = node[tokens[position]]
        if None in node:
            best, end = node[None], position + 1
    return best, end


def named_variants(concept: str) -> list[tuple[str, str]]:
    """The ways to write a named thing: (kind, tree); kinds bare, title, apposition, accusative."""
    noun = LEXICON.nouns[concept]
    if noun.accusative:
        subject, _ = noun.forms[0]
        return [
            (kind, f"(NP (PRP {word}))")
            for kind, word in (("bare", subject), ("accusative", noun.accusative))
        ]
    found = [
        ("bare", f"(NP {leaves('NNP' if noun.proper else 'NN', form)})") for form, _ in noun.forms
    ]
    parent = LEXICON.nouns[noun.parent]
    if parent.named or LEXICON.is_a(concept, "country"):
        return found
    if not any(LEXICON.is_a(concept, kind) for kind in ("person", "organization", "drug")):
        return found  # only they may be introduced by what they are
    written = noun.forms[0][0]
    name = leaves("NNP" if noun.proper else "NN", written)
    for title, _ in parent.forms:
        found.append(("title", f"(NP (DT the) {leaves('NN', title)} {name})"))
        if written != written.lower():  # drugs take a title only
            described = f"(NP (DT {article(title)}) {leaves('NN', title)})"
            found.append(("apposition", f"(NP (NP {name}) (, ,) {described} (, ,))"))
    return found


def build_tries() -> tuple[Trie, Trie, Trie]:
    """Phrases anywhere, phrases that open a sentence, and common nouns."""
    anywhere: Trie = {}
    opening: Trie = {}
    common: Trie = {}
    _insert_modifiers(anywhere, opening)
    for name, noun in LEXICON.nouns.items():
        if noun.named:
            for _, tree in named_variants(name):
                _insert(anywhere, words_of(tree), Phrase("NP", [Entity(name)], tree))
        else:
            _insert_common(common, noun)
    for frame in LEXICON.frames.values():
        _insert_predicate(anywhere, frame)
    return anywhere, opening, common


def _insert_modifiers(anywhere: Trie, opening: Trie) -> None:
    for modifier in all_modifiers():
        for position, tree in modifier_variants(modifier):
            words = words_of(tree)
            if position == "head":
                _insert(opening, words[:-1], Phrase("H", [modifier], tree))  # all but the "@"
            if position in ("any", "last", "front"):
                _insert(opening, [*words, ","], Phrase("F", [modifier], f"{tree} (, ,)"))
            if position in ("any", "last", "quote"):
                _insert(anywhere, words, Phrase("M", [modifier], tree))


def _insert_predicate(anywhere: Trie, frame: Frame) -> None:
    for forms in frame.verbs:
        for form, kind in zip(forms, ("base", "past", "part"), strict=True):
            tree = verb_tree("@", form)  # the tag is set where the form is known
            _insert(anywhere, form.split(), Phrase("V", [(frame.name, kind)], tree))
    for nominal in frame.nouns:
        phrase = Phrase("N", [(frame.name, "noun")], leaves("NN", nominal))
        _insert(anywhere, nominal.split(), phrase)


def _insert_common(common: Trie, noun: Noun) -> None:
    """Both numbers of a noun; one without a plural is a mass noun."""
    for singular, plural in noun.forms:
        mass = bool(singular) and not plural
        if singular:
            _insert(common, singular.split(), Phrase("mass" if mass else "sg", [noun.concept], ""))
        if plural:
            _insert(common, plural.split(), Phrase("pl", [noun.concept], ""))


ANYWHERE, OPENING, COMMON = build_tries()
ADJECTIVES = {surface for _, surface in LEXICON.attribute_of}


def number_value(token: str) -> str | None:
    """A count from 2 to 99 as digits, or None."""
    if token in NUMBERS:
        return NUMBERS[token]
    return token if token.isdigit() and 2 <= int(token) <= 99 and token[0] != "0" else None


def money(tokens: list[str], start: int) -> Phrase | None:
    """An amount: $12 million, 12 million dollars or twelve million dollars."""
    first = tokens[start]
    following = tokens[start + 1 : start + 3]
    if first.startswith("$") and following[:1] == ["million"]:
        value = number_value(first[1:])
        if value and value == first[1:]:
            tree = f"(NP (QP (CD {first}) (CD million)))"
            return Phrase("NP", [Entity("money", value)], tree, True, start + 2)
    value = number_value(first)
    if value and following == ["million", "dollars"]:
        tree = f"(NP (QP (CD {first}) (CD million)) (NNS dollars))"
        return Phrase("NP", [Entity("money", value)], tree, True, start + 3)
    return None


def common_phrase(tokens: list[str], start: int) -> Phrase | None:
    """[article] [count] [adjective] noun."""
    padded = [*tokens[start : start + 3], "", "", ""]  # an article, a count and an adjective
    tags: list[str] = []
    determiner = padded[0] if padded[0] in ("a", "an", "the") else ""
    if determiner:
        tags.append(f"(DT {determiner})")
    count = number_value(padded[len(tags)])
    if count:
        tags.append(f"(CD {padded[len(tags)]})")
    adjective = padded[len(tags)] if padded[len(tags)] in ADJECTIVES else ""
    if adjective:
        tags.append(f"(JJ {adjective})")
    position = start + len(tags)
    nouns, end = lookup(COMMON, tokens, position)
    for noun in nouns:
        number = _number(noun.symbol, determiner, count)
        if number is None:
            continue
        if determiner in ("a", "an") and determiner != article(tokens[start + 1]):
            continue
        entities = _described(noun.readings, number, adjective)
        if entities:
            tag = "NNS" if noun.symbol == "pl" else "NN"
            words = " ".join([*tags, leaves(tag, " ".join(tokens[position:end]))])
            return Phrase("NP", entities, f"(NP {words})", noun.symbol == "pl", end)
    return None


def _number(kind: str, determiner: str, count: str | None) -> str | None:
    """The number of a noun phrase, or None when its parts do not agree."""
    if count:
        return count if kind == "pl" and determiner in ("", "the") else None
    if kind == "pl":
        return "pl" if determiner in ("", "the") else None
    if kind == "mass":
        return "sg" if determiner in ("", "the") else None
    return "sg" if determiner else None


def _described(concepts: list[str], number: str, adjective: str) -> list[Entity]:
    """The concepts that take this adjective (all without one), as entities."""
    if not adjective:
        return [Entity(concept, number) for concept in concepts]
    found = []
    for concept in concepts:
        attribute = LEXICON.attribute_of.get((LEXICON.nouns[concept].group, adjective))
        if attribute:
            found.append(Entity(concept, number, attribute))
    return found
