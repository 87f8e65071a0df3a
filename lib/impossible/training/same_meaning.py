"""Small edits of a human sentence that do not change what it says, and some that look alike but do.

A model that sees small edits only where they change the meaning learns that a small edit means
"no": it then denies that a sentence follows from itself. So most of these edits are harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Change = tuple[str, str]  # before, after

_SHORT = {
    "will not": "won't", "is not": "isn't", "are not": "aren't", "was not": "wasn't",
    "were not": "weren't", "do not": "don't", "does not": "doesn't", "did not": "didn't",
    "cannot": "can't", "could not": "couldn't", "would not": "wouldn't", "has not": "hasn't",
    "should not": "shouldn't", "have not": "haven't", "it is": "it's", "they are": "they're",
    "we are": "we're", "you are": "you're",
}  # fmt: skip
_SYNONYMS = [
    ("big", "large"), ("began", "started"), ("begins", "starts"), ("bought", "purchased"),
    ("buy", "purchase"), ("car", "automobile"), ("children", "kids"), ("film", "movie"),
    ("quickly", "rapidly"), ("a long", "a lengthy"), ("sick", "ill"),
    ("currently", "at the moment"),
    ("physician", "doctor"), ("trying to", "attempting to"), ("tried to", "attempted to"),
    ("entire", "whole"), ("huge", "enormous"), ("answered", "replied"), ("closed", "shut"),
    ("photo", "photograph"), ("pants", "trousers"), ("bike", "bicycle"), ("sofa", "couch"),
    ("helped", "assisted"), ("nearly", "almost"),
    ("because of", "due to"), ("everyone", "everybody"), ("someone", "somebody"),
    ("beautiful", "lovely"), ("sad", "unhappy"), ("often", "frequently"),
    ("percent", "per cent"), ("enough", "sufficient"), ("needed", "required"), ("rich", "wealthy"),
    ("may", "might"), ("suggest that", "indicate that"), ("suggests that", "indicates that"),
    ("linked to", "associated with"), ("shows that", "demonstrates that"),
    ("aims to", "intends to"), ("plans to", "intends to"), ("usually", "generally"),
    ("probably", "most likely"), ("studied", "examined"), ("results", "findings"),
    ("help", "assist"), ("important", "significant"), ("difficult", "hard"),
    ("method", "approach"), ("show that", "demonstrate that"),
]  # fmt: skip
_ANTONYMS = [
    ("big", "small"), ("large", "small"), ("long", "short"), ("early", "late"), ("old", "young"),
    ("before", "after"), ("first", "last"), ("hot", "cold"), ("open", "closed"), ("high", "low"),
    ("rich", "poor"), ("bought", "sold"), ("began", "ended"), ("inside", "outside"),
    ("good", "bad"), ("happy", "sad"), ("fast", "slow"), ("won", "lost"),
    ("increased", "decreased"), ("rose", "fell"), ("full", "empty"), ("north", "south"),
]  # fmt: skip
_TIMES = (
    "on Monday", "on Thursday", "in May", "in October", "last week", "in 2003", "yesterday",
    "after a long debate", "in the end", "for the second time", "because of the rain",
)  # fmt: skip
#: A first word that is written small inside a sentence.
_FIRST = re.compile(r"(The|A|An|He|She|They|It|We|His|Her|This|These|Two|Some|Many|People)\b")
_PLAIN = re.compile(r"[A-Z][^.?!;:\"]{20,110}\.")
_UNSURE = re.compile(r"(?i)\b(?:if|not|no|never|every|all|will|would|can|should|may)\b|n't")
_THAT = re.compile(r"(?<=[a-z] )(said|says|believes|thinks|thought|announced|knew) that (?=[a-z])")
_NO_THAT = re.compile(r"(?<=[a-z] )(said|says|believes|thinks|thought) (?=(?:he|she|they|it|we)\b)")
#: Members whose order says nothing: words of a list, names joined by "and".
_MEMBERS = re.compile(
    r"(?<=[a-z] )([a-z]{3,}), ([a-z]{3,})(?=,? (?:and|or) (?![a-z]+ing\b)[a-z]{3,}\b)"
)
_BOTH = re.compile(
    r"(?<![\w-])([a-z]+ )([A-Z][a-z]{2,})( and )([A-Z][a-z]{2,})(?=[,.](?!\w)| [a-z])"
)
_OF_THE = re.compile(r"\b([Tt]he )([a-z]{4,})( of the )([a-z]{4,})\b(?! [a-z]+(?:s|ing)\b)")


def copies(text: str) -> Iterator[Change]:
    """The sentence itself."""
    yield text, text


def contractions(text: str) -> Iterator[Change]:
    """ "will not" and "won't", either way."""
    yield from _exchanged(text, list(_SHORT.items()))


def synonyms(text: str) -> Iterator[Change]:
    """A word and another one for the same, either way."""
    yield from _exchanged(text, _SYNONYMS)


def antonyms(text: str) -> Iterator[Change]:
    """A word and its opposite: as small an edit, and another meaning."""
    if not _UNSURE.search(text):
        yield from _exchanged(text, _ANTONYMS)


def reported_that(text: str) -> Iterator[Change]:
    """ "said that he" and "said he", either way."""
    for found in _THAT.finditer(text):
        yield text, f"{text[: found.start()]}{found[1]} {text[found.end() :]}"
    for found in _NO_THAT.finditer(text):
        yield text, f"{text[: found.start()]}{found[1]} that {text[found.end() :]}"


def moved_adverbials(text: str) -> Iterator[Change]:
    """A time or reason at the end of a sentence and at its beginning, either way."""
    if not (_PLAIN.fullmatch(text) and _FIRST.match(text)) or _UNSURE.search(text):
        return
    inside = text[0].lower() + text[1:]
    for time in _TIMES:
        last, first = f"{text[:-1]} {time}.", f"{time[0].upper()}{time[1:]}, {inside}"
        yield last, first
        yield first, last


def reordered_members(text: str) -> Iterator[Change]:
    """Members of a list, or two names joined by "and", in another order."""
    for found in _MEMBERS.finditer(text):
        yield text, f"{text[: found.start()]}{found[2]}, {found[1]}{text[found.end() :]}"
    for found in _BOTH.finditer(text):
        before, one, both, two = found.groups()
        yield text, f"{text[: found.start()]}{before}{two}{both}{one}{text[found.end() :]}"


def exchanged_nouns(text: str) -> Iterator[Change]:
    """ "the A of the B" and "the B of the A": the same words, and another meaning."""
    for found in _OF_THE.finditer(text):
        the, one, of, two = found.groups()
        if one != two:
            yield text, f"{text[: found.start()]}{the}{two}{of}{one}{text[found.end() :]}"


def _exchanged(text: str, pairs: list[tuple[str, str]]) -> Iterator[Change]:
    for both in pairs:
        for old, new in (both, both[::-1]):
            article = (
                "" if (old[0] in "aeiou") == (new[0] in "aeiou") else r"(?<!\b[Aa] )(?<!\b[Aa]n )"
            )
            for found in re.finditer(rf"(?<![\w'-]){article}{re.escape(old)}(?![\w'-])", text):
                yield text, text[: found.start()] + new + text[found.end() :]
