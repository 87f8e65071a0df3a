"""Small edits of a sentence after which somebody else, another time or a surer claim is meant.

Readers find these most often in pairs that an NLI model takes for paraphrases: "we" for "I", "has
set up" for "will launch", "will" for "aims to", "caused by" for "linked to".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from impossible.training.same_meaning import Change

#: Whose or who → who else; from "we" nothing leads to "I", which it holds.
_OTHERS = {
    "i": ("we", "they"), "we": ("they",), "they": ("i", "we"), "he": ("she",), "she": ("he",),
    "my": ("our", "his", "their"), "our": ("his", "their"), "his": ("my", "our", "their"),
    "their": ("my", "our", "his"),
}  # fmt: skip
_PERSON = re.compile(
    r"(?:^|(?<=[a-z,;] ))(I|[Ww]e|[Tt]hey|[Hh]e|[Ss]he|[Mm]y|[Oo]ur|[Hh]is|[Tt]heir)\b"
    r"( am| are| was| were|'m|'re)?(?!\w)"
)
_BE = {" am": " are", "'m": "'re", " was": " were", " are": " am", "'re": "'m", " were": " was"}
_TENSES = {
    "was": "will be", "were": "will be", "is": "will be", "are": "will be", "has been": "will be",
    "have been": "will be", "had": "will have", "plans to": "used to", "did not": "will not",
}  # fmt: skip
#: What is said with care, what is then claimed, and whether the claim holds what is said with care.
_CLAIMS = [
    ("may", "will", True), ("might", "will", True), ("could", "will", False),
    ("aims to", "will", False), ("plans to", "will", False), ("hopes to", "will", False),
    ("wants to", "will", False), ("aim to", "will", False), ("plan to", "will", False),
    ("tried to", "managed to", True), ("tries to", "manages to", True),
    ("has the potential to", "will", True), ("have the potential to", "will", True),
    ("is expected to", "is certain to", False), ("are expected to", "are certain to", False),
    ("suggest that", "prove that", False), ("suggests that", "proves that", False),
    ("suggested that", "proved that", False), ("believed that", "knew that", True),
    ("linked to", "caused by", True), ("associated with", "caused by", True),
    ("often", "always", True), ("sometimes", "always", True), ("usually", "always", True),
    ("some of the", "all of the", True), ("many of the", "all of the", True),
    ("most of the", "all of the", True), ("one of the", "none of the", False),
    ("nearly", "more than", False), ("at least", "at most", False), ("the potential", "the", False),
    ("likely to", "certain to", False), ("probably", "certainly", False),
    ("can help", "will help", False), ("is said to be", "is", False),
    ("seemed to be", "was", False), ("appears to be", "is", False), ("seems to be", "is", False),
]  # fmt: skip
_REPORTED = re.compile(
    r"(?:The \w+|He|She|They|We|[A-Z]\w+) (?:said|says|claims?|claimed|believes?|thinks?|thought"
    r"|argued|argues) that ((?:the|he|she|they|we|it|this|these|his|her|their|our) [^?!;:\"]+\.)"
)
_NEGATED = re.compile(r"(?i)\b(?:no|not|never|nor|none|if|whether|without|every|all)\b|n't|\?")


def persons(text: str) -> Iterator[Change]:
    """Somebody else: "I am late" and "they are late"."""
    for found in _PERSON.finditer(text):
        who, be = found[1].lower(), found[2] or ""
        for other in _OTHERS[who]:
            form = _BE.get(be, be) if "i" in (who, other) else be
            first = other.capitalize() if found.start() == 0 or other == "i" else other
            yield text, f"{text[: found.start()]}{first}{form}{text[found.end() :]}"


def tenses(text: str) -> Iterator[Change]:
    """What is, was or will be, either way: "was closed" and "will be closed"."""
    if _NEGATED.search(text):
        return
    for old, new in _TENSES.items():
        for found in re.finditer(rf"\b{old}\b(?! (?:going|supposed|about|to)\b)", text):
            edited = text[: found.start()] + new + text[found.end() :]
            yield text, edited
            yield edited, text


def stronger_claims(text: str) -> Iterator[tuple[str, str, bool]]:
    """Two sentences and whether the second follows from the first.

    >>> list(stronger_claims("It may rain."))
    [('It may rain.', 'It will rain.', False), ('It will rain.', 'It may rain.', True)]
    """
    if _NEGATED.search(text):
        return
    for weak, strong, holds in _CLAIMS:
        for found in re.finditer(rf"\b{weak}\b", text):
            edited = text[: found.start()] + strong + text[found.end() :]
            yield text, edited, False
            if holds:
                yield edited, text, True


def unreported_claims(text: str) -> Iterator[Change]:
    """What somebody says, as a fact, either way."""
    if found := _REPORTED.fullmatch(text):
        claim = found[1][0].upper() + found[1][1:]
        yield text, claim
        yield claim, text
