"""The names in a text: words with a capital letter that do not owe it to their place."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_](?:[\w'’&-]|\.(?=\w))*")
#: After these a word has a capital anyway.
_OPENING = re.compile(r"(?:^|[.?!:;]|[\"“‘(\[—–])[\s\"“‘(\[—–]*$")
_PRONOUN = re.compile(r"I(?:['’].*)?")


def names(text: str) -> frozenset[str]:
    """Words that begin with a capital letter within a sentence, in lower case.

    Names of people, places, organizations, titles, days and months; not the first word of a
    sentence, a quotation or a clause after a colon, of which nobody can tell, and not "I". A
    possessive ending and the points of an abbreviation are left out.

    >>> sorted(names("On Monday, the U.S. sued Harvard’s press. It lost, and I'm glad."))
    ['harvard', 'monday', 'us']
    """
    return frozenset(
        _plain(found.group())
        for found in _WORD.finditer(text)
        if found.group()[0].isupper()
        and not _OPENING.search(text, 0, found.start())
        and not _PRONOUN.fullmatch(found.group())
    )


def words_as_names(text: str) -> frozenset[str]:
    """All words as `names` writes them: a name may stand at the beginning of the other text."""
    return frozenset(_plain(found.group()) for found in _WORD.finditer(text))


def _plain(word: str) -> str:
    return re.sub(r"['’]s?$", "", word.lower().replace(".", ""))
