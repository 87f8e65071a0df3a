"""Minimal pairs by kind: one edit of a human sentence decides whether it still follows.

An NLI model trained on human pairs alone takes Thursday for Wednesday and a list for a longer one.
Such pairs, made from training premises, teach it the difference; made from test premises, they
measure it. Of every edit the direction that is certain is given, no other. About as many edits
change the meaning (here and in `changed_claims`) as do not (`same_meaning`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.errors import DataError
from impossible.training import changed_claims, same_meaning

#: What a pair can be, in the order of an English critic's outputs.
ENTAILMENT_LABELS = ENTAILMENT, NEUTRAL, CONTRADICTION = ("entailment", "neutral", "contradiction")
Edit = tuple[str, str, str]  # premise, hypothesis, label
Choose = Callable[[Sequence[str]], str]
Edits = Callable[[str, Choose], Iterator[Edit]]
_LONGEST = 200  # characters of a sentence that is used

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve")
_DIGITS = {word: str(n) for n, word in zip((*range(2, 11), 12), _NUMBERS, strict=True)}
NAMES = (
    "John", "Mary", "David", "Susan", "Peter", "Anna", "London", "Paris", "Boston", "Chicago",
    "Texas", "France", "Japan", "Canada", "Smith", "Brown", "Clinton", "Miller",
)  # fmt: skip
#: What is said of a thing and what then can be said less exactly.
HYPERNYMS = {
    "dog": "animal", "cat": "animal", "horse": "animal", "cow": "animal", "car": "vehicle",
    "truck": "vehicle", "bus": "vehicle", "man": "person", "woman": "person", "boy": "child",
    "girl": "child", "doctor": "person", "guitar": "instrument", "piano": "instrument",
    "apple": "fruit", "banana": "fruit", "rose": "flower", "hammer": "tool", "chair": "seat",
    "house": "building", "church": "building", "beer": "drink", "coffee": "drink",
    "murder": "crime", "theft": "crime", "soccer": "sport", "tennis": "sport",
    "newspaper": "publication", "magazine": "publication", "senator": "politician",
}  # fmt: skip
_NEGATED = {
    "is": "is not", "are": "are not", "was": "was not", "were": "were not", "will": "will not",
    "can": "cannot", "could": "could not", "should": "should not", "has been": "has not been",
    "have been": "have not been", "would": "would not",
}  # fmt: skip
_ADDED = (
    "in 1997", "on Monday", "in Boston", "for the second time", "before noon", "with a friend",
    "because of the rain", "against all advice", "for three hours", "last week", "to save money",
)  # fmt: skip
_LIST = re.compile(r"\b(\w{3,}), (\w{3,}),? (and|or) (\w{3,})\b")
_NAME = re.compile(rf"(?<=[a-z,] )(?:{'|'.join(NAMES)})\b|(?<=[a-z] )[A-Z][a-z]{{3,}}\b")
_ROLES = r"(man|woman|boy|girl|dog|child|doctor|teacher|company|court|president|government)"
_SWAP = re.compile(rf"\b(the|a) {_ROLES}( (?:\w+ ){{1,4}})(the|a) {_ROLES}\b", re.IGNORECASE)
_ORDERED = re.compile(r"\b(from|between) ([A-Z]\w+) (to) ([A-Z]\w+)\b")
#: Two names or numbers that change places, as in PAWS (Zhang et al. 2019).
_TWO_NAMES = re.compile(
    r"(?<=[a-z,] )([A-Z][a-z]{2,})((?: [a-z'-]+,?){1,8} )([A-Z][a-z]{2,})(?![\w ]*[A-Z])"
)
_TWO_NUMBERS = re.compile(r"(?<![\w.,$])(\d{1,4})(?![\w.,]\d)( .{3,60}? )(\d{1,4})(?![\w]|[.,]\d)")
#: Between these the order of two names says nothing.
_SYMMETRIC = re.compile(r"\b(?:and|or|met|with|between|like|married|near|both|same)\b")
_COMPARED = re.compile(r"\b(more|better|larger|older|higher|less|fewer)\b(?= .*\bthan\b)")
_OPPOSITE = {
    "more": "less", "less": "more", "better": "worse", "larger": "smaller", "older": "younger",
    "higher": "lower", "fewer": "more",
}  # fmt: skip


#: What two sentences of one context often do not share: the clause after the last comma.
_LAST_CLAUSE = re.compile(
    r"([A-Z][^,.?!;:\"]{20,90}), (which|who|where|because|while|(?:and|but|so)"
    r"(?= (?:he|she|it|they|we|I|you|the|this|there|his|her|their|is|was|are|were|has|have|had"
    r"|will|can|also|now)\b)) ([^,.?!;:\"]{15,90})\."
)
_UNSURE = re.compile(r"(?i)\b(?:no|not|never|if|every|all|unless|either|neither)\b|n't")


def _numbers(text: str, choose: Choose) -> Iterator[Edit]:
    for found in re.finditer(r"(?<![\w.,$])\d{1,4}(?:,\d{3})*(?![\w%]|[.,]\d)", text):
        old = found.group()
        digits = [d for d in "123456789" if d != old[0]]
        yield text, _put(text, found, choose(digits) + old[1:]), CONTRADICTION
    for found in re.finditer(rf"\b(?:{'|'.join(_NUMBERS)})\b", text):
        others = [word for word in _NUMBERS if word != found.group()]
        yield text, _put(text, found, choose(others)), CONTRADICTION
        yield text, _put(text, found, _DIGITS[found.group()]), ENTAILMENT


def _days(text: str, choose: Choose) -> Iterator[Edit]:
    for names in (DAYS, MONTHS):
        for found in re.finditer(rf"\b(?:{'|'.join(names)})\b", text):
            others = [name for name in names if name != found.group()]
            yield text, _put(text, found, choose(others)), CONTRADICTION


def _names(text: str, choose: Choose) -> Iterator[Edit]:
    for found in _NAME.finditer(text):
        if found.group() not in (*DAYS, *MONTHS, "May"):
            others = [name for name in NAMES if name != found.group()]
            yield text, _put(text, found, choose(others)), NEUTRAL


def _members(text: str, choose: Choose) -> Iterator[Edit]:
    if re.search(r"(?i)\b(?:no|not|never|n't|between|both|if)\b", text):
        return  # a list below a negation or "both" entails otherwise
    for found in _LIST.finditer(text):
        first, _, word, third = found.groups()
        shorter = _put(text, found, f"{first} {word} {third}")
        certain = (text, shorter) if word == "and" else (shorter, text)
        yield *certain, ENTAILMENT
        yield *certain[::-1], NEUTRAL


def _negation(text: str, choose: Choose) -> Iterator[Edit]:
    if re.search(r"(?i)\b(?:no|not|never|cannot|nothing|nobody)\b|n't", text) or "?" in text:
        return
    for found in re.finditer(rf"\b(?:{'|'.join(_NEGATED)})\b", text):
        edited = _put(text, found, _NEGATED[found.group()])
        yield text, edited, CONTRADICTION
        yield edited, text, CONTRADICTION


def _hypernyms(text: str, choose: Choose) -> Iterator[Edit]:
    if re.search(r"(?i)\b(?:no|not|never|every|all|if|without)\b|n't", text):
        return
    for found in re.finditer(rf"\ba ({'|'.join(HYPERNYMS)})\b(?! \w+(?:man|er)\b)", text):
        wider = HYPERNYMS[found.group(1)]
        general = _put(text, found, f"{'an' if wider[0] in 'aeiou' else 'a'} {wider}")
        yield text, general, ENTAILMENT
        yield general, text, NEUTRAL


def _order(text: str, choose: Choose) -> Iterator[Edit]:
    for found in _SWAP.finditer(text):
        a, one, between, b, two = found.groups()
        if one.lower() != two.lower() and " and " not in between and " or " not in between:
            yield text, _put(text, found, f"{a} {two}{between}{b} {one}"), CONTRADICTION
    for found in _TWO_NAMES.finditer(text):
        one, between, two = found.groups()
        if one != two and not _SYMMETRIC.search(between):
            yield text, _put(text, found, f"{two}{between}{one}"), NEUTRAL
    for found in _TWO_NUMBERS.finditer(text):
        one, between, two = found.groups()
        if one != two and len(between) > 4 and not _SYMMETRIC.search(between):
            yield text, _put(text, found, f"{two}{between}{one}"), NEUTRAL
    for found in _ORDERED.finditer(text):
        before, one, to, two = found.groups()
        yield text, _put(text, found, f"{before} {two} {to} {one}"), CONTRADICTION
    for found in _COMPARED.finditer(text):
        yield text, _put(text, found, _OPPOSITE[found.group()]), CONTRADICTION


def _additions(text: str, choose: Choose) -> Iterator[Edit]:
    if re.fullmatch(r"[A-Z][^.?!;:\"]{25,110}\.", text) and not re.search(
        r"(?i)\b(?:no|not|never|if|all|every|will|would|can|should|may)\b|n't", text
    ):
        longer = f"{text[:-1].rstrip()} {choose(_ADDED)}."
        yield text, longer, NEUTRAL
        yield longer, text, ENTAILMENT


def _clauses(text: str, choose: Choose, pool: Sequence[tuple[str, str]]) -> Iterator[Edit]:
    """Another last clause, of `pool` (its first word, the rest), or none."""
    if not (found := _LAST_CLAUSE.fullmatch(text)):
        return
    begin, joint, clause = found.groups()
    if others := [rest for word, rest in pool if word == joint and rest != clause]:
        other = f"{begin}, {joint} {choose(others)}."
        yield text, other, NEUTRAL
        yield other, text, NEUTRAL
    if not _UNSURE.search(begin):
        yield text, f"{begin}.", ENTAILMENT
        yield f"{begin}.", text, NEUTRAL


def _claims(text: str, choose: Choose) -> Iterator[Edit]:
    for premise, hypothesis, follows in changed_claims.stronger_claims(text):
        yield premise, hypothesis, ENTAILMENT if follows else NEUTRAL


def _labelled(changes: Callable[[str], Iterator[tuple[str, str]]], label: str) -> Edits:
    return lambda text, choose: ((x, y, label) for x, y in changes(text))


#: Kind → how a sentence is edited.
EDITS_BY_KIND: dict[str, Edits] = {
    "numbers": _numbers, "days": _days, "names": _names, "list members": _members,
    "negation": _negation, "hypernyms": _hypernyms, "word order": _order,
    "additions": _additions,
    "antonyms": _labelled(same_meaning.antonyms, CONTRADICTION),
    "copies": _labelled(same_meaning.copies, ENTAILMENT),
    "contractions": _labelled(same_meaning.contractions, ENTAILMENT),
    "synonyms": _labelled(same_meaning.synonyms, ENTAILMENT),
    "reported that": _labelled(same_meaning.reported_that, ENTAILMENT),
    "moved adverbials": _labelled(same_meaning.moved_adverbials, ENTAILMENT),
    "reordered members": _labelled(same_meaning.reordered_members, ENTAILMENT),
    "exchanged nouns": _labelled(same_meaning.exchanged_nouns, NEUTRAL),
    "persons": _labelled(changed_claims.persons, NEUTRAL),
    "tenses": _labelled(changed_claims.tenses, NEUTRAL),
    "claims": _claims,
    "reported claims": _labelled(changed_claims.unreported_claims, NEUTRAL),
}  # fmt: skip


def minimal_pairs(
    sentences: Sequence[str],
    per_kind: int | Mapping[str, int],
    seed: int = 0,
) -> pd.DataFrame:
    """Make minimal pairs of human sentences.

    Args:
        sentences: premises of the set that is to be taught or measured.
        per_kind: most pairs of a kind: of each, or of those that are named.
        seed: of the choice.

    Returns:
        premise, hypothesis, label and kind; a sentence gives at most one edit of a kind.

    >>> minimal_pairs(["Smith left on Friday."], 1)[["kind", "label"]].values.tolist()
    [['days', 'contradiction'], ['copies', 'entailment']]
    """
    rng = np.random.default_rng(seed)

    def choose(options: Sequence[str]) -> str:
        return options[int(rng.integers(len(options)))]

    texts = [" ".join(t.split()) for t in dict.fromkeys(sentences) if len(t) <= _LONGEST]
    order = rng.permutation(len(texts))
    ends = filter(None, map(_LAST_CLAUSE.fullmatch, texts))
    pool = [(end[2], end[3]) for end in ends]
    kinds = EDITS_BY_KIND | {"clauses": lambda text, choose: _clauses(text, choose, pool)}
    wanted = dict.fromkeys(kinds, per_kind) if isinstance(per_kind, int) else per_kind
    if unknown := wanted.keys() - kinds.keys():
        raise DataError(f"No kind of minimal pairs: {sorted(unknown)}; there are {list(kinds)}.")
    rows = []
    for kind, edits in kinds.items():
        made, most = 0, wanted.get(kind, 0)
        for i in order:
            if made == most:
                break
            if found := list(edits(texts[i], choose)):
                rows.append((*found[rng.integers(len(found))], kind))
                made += 1
    return pd.DataFrame(rows, columns=["premise", "hypothesis", "label", "kind"])


def _put(text: str, found: re.Match[str], new: str) -> str:
    return text[: found.start()] + new + text[found.end() :]
