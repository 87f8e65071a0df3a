"""Lexical constraints: which words a text must or must not hold, and an automaton that watches it.

A set of constraints is in conjunctive normal form: every clause must hold, and a clause holds when
one of its literals does. A literal is a word or phrase in one or more forms that occurs, or does
not. The automaton (Aho and Corasick 1975) reads *bytes*: however a tokenizer cuts a text, the same
letters lead to the same state, and one table serves all rows.

Boundaries: a form counts between two characters that are neither letters nor digits, or at the
beginning or end of the text: "art" is in "art-house" and "the art's", not in "party". Characters
beyond ASCII are letters, except those of UTF-8 that begin with the bytes C2 and E2 (blanks, dashes,
quotes, signs); so are bytes that are no UTF-8. A first letter may be a capital: "rain" also stands
for "Rain", not the reverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from impossible.errors import ImpossibleError

__all__ = [
    "Clause", "ConstraintError", "Literal", "Matcher", "banned_words", "checked", "clauses_held",
    "must", "must_not", "one_each", "tracked_words",
]  # fmt: skip

INSIDE, START = 0, 1  # states: within a word that is no form's; at a boundary
CONTINUING = range(0x80, 0xC0)  # bytes within a character of UTF-8
SYMBOLS = (0xC2, 0xE2)  # first bytes of characters that are no letters


class ConstraintError(ImpossibleError):
    """Constraints that no text can meet, or none within the tokens allowed."""


@dataclass(frozen=True)
class Literal:
    """A word or phrase that occurs, or does not.

    Args:
        forms: its forms, such as inflections; each begins and ends with a letter or digit.
        negative: none of the forms may occur (else one of them must).

    Raises:
        ConstraintError: there is no form, or one of another shape.

    >>> str(Literal(("rise", "rose"), negative=True))
    'no rise/rose'
    """

    forms: tuple[str, ...]
    negative: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.forms, str) or not all(isinstance(form, str) for form in self.forms):
            raise ConstraintError(
                f"the forms of a word are a tuple of texts, got {self.forms!r}; write for example "
                "must('rise', 'rose') or Literal(('rise', 'rose'))"
            )
        for form in self.forms:
            if not form or not (form[0].isalnum() and form[-1].isalnum()):
                raise ConstraintError(
                    f"a constraint must begin and end with a letter or digit, got {form!r}; "
                    "write words as they stand between blanks or punctuation"
                )
        if not self.forms:
            raise ConstraintError("a literal has no form; name at least one word")

    @property
    def words(self) -> frozenset[str]:
        """What identifies the word: a literal and its negation have the same."""
        return frozenset(self.forms)

    def __str__(self) -> str:
        """The forms as a reader sees them."""
        return ("no " if self.negative else "") + "/".join(self.forms)


Clause = tuple[Literal, ...]


def must(*forms: str) -> Clause:
    """The clause that one of these forms occurs; for two words that must both occur, two clauses.

    >>> [str(literal) for literal in must("rise", "rose")]
    ['rise/rose']
    """
    return (Literal(forms),)


def must_not(*forms: str) -> Clause:
    """The clause that none of these forms occurs: they are banned.

    >>> [str(literal) for literal in must_not("may", "might")]
    ['no may/might']
    """
    return (Literal(forms, negative=True),)


def checked(cnf: Iterable[Clause]) -> tuple[Clause, ...]:
    """The clauses of one text as a tuple.

    Raises:
        ConstraintError: something in it is no clause.

    >>> len(checked([must("rise", "rose"), must_not("may")]))
    2
    """
    clauses = tuple(cnf)
    for clause in clauses:
        if not (isinstance(clause, tuple) and all(isinstance(each, Literal) for each in clause)):
            raise ConstraintError(
                f"constraints of a text are a list of clauses, and {clause!r} is none; write for "
                "example [must('rise', 'rose'), must_not('may')], such a list for each prefix"
            )
    return clauses


def one_each(prefixes: Sequence[object], given: Sequence[object], what: str) -> None:
    """Raise a ConstraintError unless there are as many of `given` as prefixes."""
    if len(given) != len(prefixes):
        raise ConstraintError(
            f"there are {len(prefixes)} prefixes and {len(given)} {what}; give one for each prefix"
        )


@dataclass(frozen=True)
class Matcher:
    """A deterministic automaton over bytes that finds whole forms.

    Attributes:
        step: state after a byte, shape (states, 256).
        ends: bits of the words of which a form ends at a state, shape (states,); it has occurred
            once the text ends there or a byte follows that is no letter.
        partial: the longest part of a form of word w read at a state, shape (states, words), 0-1.
        separator: whether a byte is no part of a word, shape (256,).

    Example:
        >>> matcher = Matcher.of({"art": 0})
        >>> [matcher.occurs(text) for text in ("a party", "art", "Art-house", "the arts")]
        [0, 1, 1, 0]
    """

    step: NDArray[np.int32]
    ends: NDArray[np.int64]
    partial: NDArray[np.float32]
    separator: NDArray[np.bool_]

    @classmethod
    def of(cls, forms: Mapping[str, int] | Iterable[tuple[str, int]]) -> Matcher:
        """Build from forms, each with the number of its word."""
        pairs = list(forms.items() if isinstance(forms, Mapping) else forms)
        width = 1 + max((word for _, word in pairs), default=0)
        children: list[dict[int, int]] = [{}, {}]
        ends = [0, 0]
        partial: list[NDArray[np.float32]] = [np.zeros(width, np.float32) for _ in ends]
        for form, word in pairs:
            for text in {form, form[:1].upper() + form[1:]}:
                node, letters = START, text.encode()
                for place, byte in enumerate(letters, 1):
                    if byte not in children[node]:
                        children[node][byte] = len(children)
                        children.append({})
                        ends.append(0)
                        partial.append(np.zeros(width, np.float32))
                    node = children[node][byte]
                    partial[node][word] = max(float(partial[node][word]), place / len(letters))
                ends[node] |= 1 << word
        return cls._linked(children, ends, partial)

    @classmethod
    def _linked(
        cls, children: list[dict[int, int]], ends: list[int], partial: list[NDArray[np.float32]]
    ) -> Matcher:
        """Follow, from each state, the longest end of what was read that begins a form."""
        separator = _separators()
        step = np.zeros((len(children), 256), dtype=np.int32)
        step[INSIDE] = np.where(separator, START, INSIDE)
        step[START] = step[INSIDE]
        step[START, CONTINUING] = START  # the rest of a sign of several bytes is no letter
        fallback = [INSIDE] * len(children)
        queue = [START]
        for node in queue:
            for byte, child in children[node].items():
                fallback[child] = int(step[fallback[node] if node != START else INSIDE, byte])
                ends[child] |= ends[fallback[child]]
                partial[child] = np.maximum(partial[child], partial[fallback[child]])
                step[child] = step[fallback[child]]
                queue.append(child)
            for byte, child in children[node].items():
                step[node, byte] = child
        return cls(step, np.array(ends, np.int64), np.array(partial), separator)

    def start(self, before: str = "") -> int:
        """The state after a text whose words do not count: a boundary, or within a word."""
        return INSIDE if before and before[-1].isalnum() else START

    def occurs(self, text: str) -> int:
        """Bits of the words that occur in a whole text."""
        state, seen = START, 0
        for byte in text.encode():
            if self.separator[byte]:
                seen |= int(self.ends[state])
            state = int(self.step[state, byte])
        return seen | int(self.ends[state])


def _separators() -> NDArray[np.bool_]:
    """Whether a byte is no letter or digit and begins no letter."""
    table = np.array([byte < 0x80 and not chr(byte).isalnum() for byte in range(256)])
    table[list(SYMBOLS)] = True
    return table


def banned_words(cnf: Sequence[Clause]) -> list[Literal]:
    """The literals that are clauses of their own and negative: never to be written."""
    return [clause[0] for clause in cnf if len(clause) == 1 and clause[0].negative]


def tracked_words(cnf: Sequence[Clause]) -> list[frozenset[str]]:
    """The words whose occurrence decides the other clauses, each once, in order of appearance."""
    others = [clause for clause in cnf if not (len(clause) == 1 and clause[0].negative)]
    return list(dict.fromkeys(literal.words for clause in others for literal in clause))


def clauses_held(cnf: Sequence[Clause], words: Sequence[frozenset[str]]) -> NDArray[np.bool_]:
    """Which clauses hold for every set of words: shape (2 ** words, clauses), bit i is word i.

    Bans always hold: what breaks them is never written.
    """
    sets = np.arange(1 << len(words))
    held = np.ones((len(sets), len(cnf)), dtype=bool)
    for number, clause in enumerate(cnf):
        if not (len(clause) == 1 and clause[0].negative):
            has = [(sets >> words.index(each.words) & 1 == 1) != each.negative for each in clause]
            held[:, number] = np.logical_or.reduce([*has, np.zeros(len(sets), bool)])
    return held
