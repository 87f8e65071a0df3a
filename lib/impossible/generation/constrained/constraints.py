"""Lexical constraints: which words a text must and must not hold, and a matcher that finds them.

The matcher (Aho and Corasick 1975) reads *bytes*: however a tokenizer cuts a text, the same letters
lead to the same state.

Boundaries: a form counts between two characters that are neither letters nor digits, or at the
beginning or end of the text: "art" is in "art-house" and "the art's", not in "party". Characters
beyond ASCII are letters, except those of UTF-8 that begin with the bytes C2 and E2 (blanks, dashes,
quotes, signs). A first letter may be a capital: "rain" also stands for "Rain", not the reverse.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from impossible.errors import ImpossibleError

_MOST = 12  # required words: tables have 2 ** 12 rows
_INSIDE, _START = 0, 1  # states: within a word that is no form's; at a boundary
_CONTINUING = range(0x80, 0xC0)  # bytes within a character of UTF-8
_SYMBOLS = (0xC2, 0xE2)  # first bytes of characters that are no letters


class ConstraintError(ImpossibleError):
    """Constraints that no text can meet, or none within the tokens allowed."""


@dataclass(frozen=True)
class Constraints:
    """What a text must and must not hold.

    Args:
        required: words, at most 12; each as its forms (inflections), one of which must occur.
        banned: words or phrases, none of which may occur: at no token may the text so far hold
            one, so that a word that begins with a banned one is written by one token only.

    Raises:
        ConstraintError: a form does not begin and end with a letter or digit; a word has no form.

    >>> str(Constraints((("rise", "rose"),), ("may",)))
    'rise/rose, no may'
    """

    required: tuple[tuple[str, ...], ...] = ()
    banned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = (self.required, self.banned, *self.required)
        if not all(isinstance(part, tuple) for part in parts):
            raise ConstraintError(
                f"required words are tuples of forms, banned ones a tuple of words; got {self!r}, "
                "write for example Constraints((('rise', 'rose'),), ('may',))"
            )
        if len(self.required) > _MOST or not all(self.required):
            raise ConstraintError(
                f"there are {len(self.required)} required words, perhaps one without a form; ask "
                f"for at most {_MOST}, each with a form (bans do not count)"
            )
        for form in (*self.banned, *(form for word in self.required for form in word)):
            if not form or not (form[0].isalnum() and form[-1].isalnum()):
                raise ConstraintError(
                    f"a constraint must begin and end with a letter or digit, got {form!r}; "
                    "write words as they stand between blanks or punctuation"
                )

    def __str__(self) -> str:
        """The words as a reader sees them."""
        return ", ".join([*map("/".join, self.required), *(f"no {form}" for form in self.banned)])


@dataclass(frozen=True)
class Matcher:
    """A deterministic automaton over bytes that finds whole forms; it starts in state 1.

    Attributes:
        step: state after a byte, shape (states, 256).
        ends: bits of the words of which a form ends at a state, shape (states,); it has occurred
            once the text ends there or a byte follows that is no letter.
        separator: whether a byte is no part of a word, shape (256,).
    """

    step: NDArray[np.int64]
    ends: NDArray[np.int64]
    separator: NDArray[np.bool_]

    @classmethod
    def of(cls, forms: Iterable[tuple[str, int]]) -> Matcher:
        """Build from forms, each with the number of its word."""
        children: list[dict[int, int]] = [{}, {}]  # a trie whose root is the boundary
        ends = [0, 0]
        for form, word in forms:
            for text in {form, form[:1].upper() + form[1:]}:
                node = _START
                for byte in text.encode():
                    if byte not in children[node]:
                        children[node][byte] = len(children)
                        children.append({})
                        ends.append(0)
                    node = children[node][byte]
                ends[node] |= 1 << word
        separator = np.array([byte < 0x80 and not chr(byte).isalnum() for byte in range(256)])
        separator[list(_SYMBOLS)] = True
        step = np.zeros((len(children), 256), dtype=np.int64)
        step[[_INSIDE, _START]] = np.where(separator, _START, _INSIDE)
        step[_START, _CONTINUING] = _START  # the rest of a sign of several bytes is no letter
        fallback = [_INSIDE] * len(children)  # the longest end of what was read that begins a form
        queue = [_START]
        for node in queue:
            for byte, child in children[node].items():
                fallback[child] = int(step[fallback[node], byte])
                ends[child] |= ends[fallback[child]]
                step[child] = step[fallback[child]]
                queue.append(child)
            for byte, child in children[node].items():
                step[node, byte] = child
        return cls(step, np.array(ends, dtype=np.int64), separator)
