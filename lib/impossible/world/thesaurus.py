"""A thesaurus of the in-vitro world: the wordings of one thing side by side, as a book lists them.

Text of the web holds dictionaries, so an off-the-shelf encoder-decoder knows words as synonyms
before it sees a pair of sentences. The student base reads this thesaurus for the same reason; the
teacher does not, and no entry is a sentence or tells a fact.
"""

from __future__ import annotations

from collections.abc import Iterator

from impossible.world.lexicon import LEXICON


def entries(by_form: bool = False) -> list[tuple[str, ...]]:
    """Groups of two or more wordings with one meaning; a wording may stand in several.

    Past tense and participle of a verb stand with its nominalizations, unless `by_form`, so that
    any wording of a group can stand in the place of another; a numeral's digits stand with its
    words. Few sentences have base forms ("failed to destroy"); they are left out.

    >>> [entry for entry in entries() if "theater" in entry]
    [('theater', 'playhouse')]
    """
    predicates = _forms() if by_form else _predicates()
    groups = (*predicates, *_nouns(), *_adjectives(), *_modifiers(), *_numerals())
    unique = dict.fromkeys(tuple(dict.fromkeys(group)) for group in groups)
    return [group for group in unique if len(group) > 1]


def entries_by_form() -> list[tuple[str, ...]]:
    """Groups of which any word can stand in the place of another."""
    return entries(by_form=True)


def _predicates() -> Iterator[list[str]]:
    for frame in LEXICON.frames.values():
        yield [form for verb in frame.verbs for form in verb[1:]] + list(frame.nouns)


def _forms() -> Iterator[list[str]]:
    for frame in LEXICON.frames.values():
        yield [past for _, past, _ in frame.verbs]
        yield [participle for _, _, participle in frame.verbs]
        yield list(frame.nouns)


def _nouns() -> Iterator[list[str]]:
    for noun in LEXICON.nouns.values():
        for number in (0, 1):
            yield [form[number] for form in noun.forms if form[number]]


def _adjectives() -> Iterator[list[str]]:
    yield from LEXICON.attribute_forms.values()


def _modifiers() -> Iterator[list[str]]:
    modifiers = LEXICON.modifiers
    yield from modifiers["time"]["phrases"]
    yield from modifiers["manner"]["adverbs"]
    yield modifiers["reason"]["markers"]
    yield modifiers["opinion"]["phrases"]
    yield modifiers["opinion"]["heads"]
    for by_domain in (modifiers["reason"]["causes"], modifiers["attribution"]):
        for groups in by_domain.values():
            yield from groups


def _numerals() -> Iterator[list[str]]:
    for number, word in LEXICON.number_words.items():
        yield [str(number), word]
