"""Sentences as lists of words and commas, so that single words can be edited or exchanged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

Units = tuple[str, ...]
Synonyms = Mapping[str, Sequence[str]]
_LONGEST = 3  # words of the longest phrase that is looked up
_PARTS = re.compile(r"[,;:]|[^\s,;:](?:\S*[^\s,;:])?")
_MARK = re.compile(r"[.?!]+['\"\u201d\u2019)]*$")

_LISTED = """
a an the this that these those it its he him his she her hers they them their theirs we us our i me
my you your who whom whose which what when where why how there here of in on at by for from to with
as into over under about after before during between through up down out off than then and or but
if because while so too very also is are was were be been being am has have had having do does did
doing done will would shall should can could might must some any each all both other such own same
just only again more most once further against until
"""
#: Words that say little by themselves. "not", "no" and numbers are not among them, which say much,
#: nor is "may", which is a month as well.
FUNCTION_WORDS = frozenset(_LISTED.split())


def units(sentence: str) -> tuple[Units, str]:
    """The units of a sentence (words; commas, semicolons and colons after them) and its end mark.

    Blanks between words count as one; the mark is "" where there is none. `joined` is the inverse.

    >>> units("In May, 3.5 tons fell.")
    (('In', 'May', ',', '3.5', 'tons', 'fell'), '.')
    """
    text = sentence.strip()
    end = _MARK.search(text)
    mark = end.group() if end else ""
    return tuple(_PARTS.findall(text.removesuffix(mark))), mark


def joined(words: Sequence[str], mark: str = "") -> str:
    """The sentence of some units.

    >>> joined(("In", "May", ",", "it", "fell"), ".")
    'In May, it fell.'
    """
    return re.sub(r" ([,;:])(?= |$)", r"\1", " ".join(words)) + mark


def content_words(words: Sequence[str]) -> Units:
    """The units that are no function words and have a letter or a digit, in order.

    >>> content_words(("In", "May", ",", "it", "did", "not", "fall"))
    ('May', 'not', 'fall')
    """
    content = (word for word in words if word.lower() not in FUNCTION_WORDS)
    return tuple(word for word in content if any(map(str.isalnum, word)))


def synonym_table(groups: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Each phrase → its group of phrases with one meaning; of several groups, one after the other.

    >>> synonym_table([("theater", "playhouse"), ("play", "theater")])["theater"]
    ['theater', 'playhouse', 'play', 'theater']
    """
    synonyms: dict[str, list[str]] = {}
    for group in groups:
        for phrase in group:
            synonyms.setdefault(phrase, []).extend(group)
    return synonyms


def replace_synonyms(
    text: str, synonyms: Synonyms, rng: np.random.Generator, rate: float
) -> list[str]:
    """The words of a text, some phrases of up to three words exchanged for synonyms.

    The longest phrase is looked up first, with a small letter at its start too. One that ends in a
    comma is left alone; full stops at the end of the text stay there. A fraction `rate` of the
    phrases of the `synonym_table` are exchanged, each for a random one of its group and so perhaps
    for itself.

    >>> rng = np.random.default_rng(0)
    >>> replace_synonyms("The theater burned.", synonym_table([("theater", "playhouse")]), rng, 1.0)
    ['The', 'playhouse', 'burned.']
    """
    body = text.rstrip(".")
    words, result, at = body.split(), list[str](), 0
    while at < len(words):
        for size in range(min(_LONGEST, len(words) - at), 0, -1):
            phrase = " ".join(words[at : at + size])
            group = synonyms.get(phrase[:1].lower() + phrase[1:], synonyms.get(phrase))
            if group:
                break
        if group and rng.random() < rate:
            phrase = group[int(rng.integers(len(group)))]
        result += phrase.split()
        at += size
    return [*result[:-1], result[-1] + text[len(body) :]] if result else []
