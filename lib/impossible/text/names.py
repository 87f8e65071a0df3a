"""The names in a text: words with a capital letter that do not owe it to their place."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_](?:[\w'’&-]|\.(?=\w))*")
#: A word after one of these, or after the end of a clause, has a capital anyway.
_MARKS = r"\"“‘(\[—–"
_ENDS, _BETWEEN = ".?!:;", re.compile(rf"[\s{_MARKS}]*")
_PRONOUN = re.compile(r"I(?:['’].*)?")


def names(text: str) -> frozenset[str]:
    """Words that begin with a capital letter within a sentence, in lower case.

    Names of people, places, organizations, titles, days and months; not the first word of a
    sentence, a quotation or a clause after a colon, of which nobody can tell, and not "I". A
    possessive ending and the points of an abbreviation are left out.

    >>> sorted(names("On Monday, the U.S. sued Harvard’s press. It lost, and I'm glad."))
    ['harvard', 'monday', 'us']
    """
    found, end = set(), 0
    for match in _WORD.finditer(text):
        word, before, end = match.group(), text[end : match.start()], match.end()
        first = match.start() == len(before)
        if word[0].isupper() and not _opens(before, first) and not _PRONOUN.fullmatch(word):
            found.add(_plain(word))
    return frozenset(found)


def _opens(before: str, first: bool) -> bool:
    """Whether a sentence or quotation begins after these characters, `first` in the text."""
    rest = before[::-1]
    marks = _BETWEEN.match(rest)[0]  # type: ignore[index]
    rest = rest[len(marks) :]
    return bool(marks.strip()) or (rest[0] in _ENDS if rest else first)


def words_as_names(text: str) -> frozenset[str]:
    """All words as `names` writes them: a name may stand at the beginning of the other text."""
    return frozenset(_plain(found.group()) for found in _WORD.finditer(text))


def _plain(word: str) -> str:
    return re.sub(r"['’]s?$", "", word.lower().replace(".", ""))
