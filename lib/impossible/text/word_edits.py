"""Sentences as lists of units, words and commas apart, so that single words can be edited."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["FUNCTION_WORDS", "Units", "content_words", "joined", "units"]

Units = tuple[str, ...]
_PARTS = re.compile(r"[,;:]|[^\s,;:](?:\S*[^\s,;:])?")
_MARK = re.compile(r"[.?!]+['\"\u201d\u2019)]*$")

_LISTED = """
a an the this that these those it its he him his she her hers they them their theirs we us our i me
my you your who whom whose which what when where why how there here of in on at by for from to with
as into over under about after before during between through up down out off than then and or but
if because while so too very also is are was were be been being am has have had having do does did
doing done will would shall should can could might must some any each all both other such own same
just only again more most once further
"""
#: Words that say little by themselves. "not", "no" and numbers are not among them, which say much,
#: nor is "may", which is a month as well.
FUNCTION_WORDS = frozenset(_LISTED.split())


def units(sentence: str) -> tuple[Units, str]:
    """The units of a sentence and the mark at its end.

    Args:
        sentence: one sentence; blanks between words count as one.

    Returns:
        (words, and the commas, semicolons and colons that follow words; end mark or ""). `joined`
        is the inverse.

    >>> units("In May, 3.5 tons fell.")
    (('In', 'May', ',', '3.5', 'tons', 'fell'), '.')
    """
    text = sentence.strip()
    found = _MARK.search(text)
    mark = found.group() if found else ""
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
    return tuple(
        word for word in words
        if word.lower() not in FUNCTION_WORDS and any(map(str.isalnum, word))
    )  # fmt: skip
