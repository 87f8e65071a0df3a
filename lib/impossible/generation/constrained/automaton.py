"""The automaton of lexical constraints over tokens: what a token does, and what is still to pay.

For every state of the matcher and every token: the state after it, the words that occurred in it,
and whether it is allowed. Tokens that do the same in every state form a class, so that the tables
have some hundred columns and not the whole vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from transformers.convert_slow_tokenizer import bytes_to_unicode

from impossible.generation.constrained.constraints import ConstraintError, Constraints, Matcher

NEVER = 1 << 20  # tokens to an end that cannot be reached
_MARKS = b".?!"  # end a sentence
_Ints = NDArray[np.int64]


def token_bytes(tokenizer: Any) -> list[bytes]:
    """The bytes that each token writes (byte-level BPE, or pieces with "▁" or "</w>" for a blank);
    none for a special token.
    """
    special = set(tokenizer.all_special_ids)
    pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    texts = ["" if i in special or piece is None else piece for i, piece in enumerate(pieces)]
    letters: dict[int, str] = bytes_to_unicode()  # type: ignore[no-untyped-call]
    table = {character: byte for byte, character in letters.items()}
    if all(character in table for text in texts for character in text):
        return [bytes(table[character] for character in text) for text in texts]
    return [text.replace("▁", " ").replace("</w>", " ").encode() for text in texts]


@dataclass(frozen=True)
class TokenTexts:
    """Tokens as the automaton reads them.

    Args:
        texts: bytes of each token; tokens without any are not used. A token that holds one of .?!
            is an end: it is allowed only when all required words have occurred, and what stands
            behind the mark does not count.
        stops: tokens that end the text, such as the end of text; they stand for a boundary.
    """

    texts: tuple[bytes, ...]
    stops: frozenset[int] = frozenset()

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, tokenizer: Any, banned: tuple[str, ...] = ()) -> TokenTexts:
        """Those of a tokenizer, without the tokens that have a banned character."""
        wrong = [character.encode() for character in banned]
        texts = (b"" if any(w in t for w in wrong) else t for t in token_bytes(tokenizer))
        return cls(tuple(texts), frozenset({tokenizer.eos_token_id} - {None}))

    @cached_property
    def end(self) -> NDArray[np.bool_]:
        """Whether a token ends the text or sentence, shape (tokens,)."""
        pairs = enumerate(self.texts)
        return np.array([i in self.stops or bool({*text} & {*_MARKS}) for i, text in pairs])

    @cached_property
    def by_first_byte(self) -> dict[int, list[tuple[int, bytes]]]:
        """Usable tokens with what counts of them, by their first byte."""
        groups = dict[int, list[tuple[int, bytes]]]()
        for token, text in enumerate(self.texts):
            cut = next((i + 1 for i, byte in enumerate(text) if byte in _MARKS), len(text))
            if read := b"\n" if token in self.stops else text[:cut]:
                groups.setdefault(read[0], []).append((token, read))
        return groups


class Automaton:
    """Constraints compiled for the tokens of a tokenizer.

    Args:
        constraints: what the text, up to its end, must and must not hold.

    Attributes:
        kind: class of each token, shape (tokens,); the last class is never allowed.
        state, words, allowed: what a class does, shape (states, classes): the state after it, bits
            of the required words that occur in it, whether it breaks no ban.
        cost: exactly the fewest tokens to an end at which all required words have occurred, shape
            (sets of words, states); `NEVER` if there is none.

    Raises:
        ConstraintError: no text can meet the constraints.

    Example:
        >>> tokens = TokenTexts((b" a", b" b", b"."))
        >>> both = Automaton(Constraints((("a",), ("b",))), tokens)
        >>> both.least, both.need(1, 0).tolist()  # at the start the full stop must wait
        (3, [3, 3, 1048576])
    """

    def __init__(self, constraints: Constraints, tokens: TokenTexts) -> None:
        self.tokens = tokens
        n = len(constraints.required)
        forms = [(form, i) for i, word in enumerate(constraints.required) for form in word]
        self.matcher = Matcher.of([*forms, *((form, n) for form in constraints.banned)])
        self.everything, self._ban = (1 << n) - 1, 1 << n
        self._compile()
        self.cost = self._costs()
        self.least = int(self.cost[0, 1])  # fewest tokens of a text
        if self.least >= NEVER:
            raise ConstraintError(
                f"the constraints ({constraints or 'the end of the text'}) cannot hold in any text "
                "that the tokens can spell; change the words or the bans"
            )

    def _compile(self) -> None:
        """Tables of token classes. Few states follow a first byte: the rest is read from those."""
        matcher, size = self.matcher, len(self.matcher.ends)
        self.kind = np.full(len(self.tokens.texts), -1, dtype=np.int64)
        columns: dict[bytes, int] = {}  # state after each state, words and ban in it, end → class
        for head, group in self.tokens.by_first_byte.items():
            firsts, place = np.unique(matcher.step[:, head], return_inverse=True)
            state, words = self._read_rest(firsts, [text[1:] for _, text in group])
            occurred = matcher.ends * matcher.separator[head]  # what was pending
            known: dict[bytes, int] = {}
            for (token, _), after, seen in zip(group, state.T, words.T, strict=True):
                end = self.tokens.end[token]
                name = after.tobytes() + seen.tobytes() + end.tobytes()
                if name not in known:
                    column = np.concatenate([after[place], seen[place] | occurred, [end]])
                    known[name] = columns.setdefault(column.tobytes(), len(columns))
                self.kind[token] = known[name]
        table: _Ints = np.stack([np.frombuffer(c, dtype=np.int64) for c in columns], axis=1)
        self.state, words, self.end = table[:size], table[size:-1], table[-1].astype(bool)
        self.words, self.allowed = words & self.everything, (words & self._ban) == 0
        self.kind[self.kind < 0] = len(columns)

    def _read_rest(self, firsts: _Ints, rests: list[bytes]) -> tuple[_Ints, _Ints]:
        """State and bits of words after the bytes that follow a token's first one."""
        step, ends, separator = self.matcher.step, self.matcher.ends, self.matcher.separator
        state = np.repeat(firsts[:, None], len(rests), axis=1)
        words = np.zeros_like(state)
        sizes = np.array([len(rest) for rest in rests])
        for column in range(sizes.max()):
            longer = np.nonzero(sizes > column)[0]
            byte = np.array([rests[i][column] for i in longer])
            words[:, longer] |= ends[state[:, longer]] * separator[byte]
            state[:, longer] = step[state[:, longer], byte]
        return state, words | (ends[state] & self._ban)  # no token ends on a banned word

    def _costs(self) -> _Ints:
        """`cost`, by the sets of words from the largest to the smallest.

        Quiet tokens, in which no word occurs and nothing ends, lead from state to state; then one
        comes in which something happens.
        """
        size = len(self.state)
        start, column = np.nonzero(self.allowed)
        goal, words = self.state[start, column], self.words[start, column]
        dims, end = (size, size, self._ban, 2), self.end[column].astype(int)
        codes = np.unique(np.ravel_multi_index((start, goal, words, end), dims))
        start, goal, words, end = np.unravel_index(codes, dims)
        quiet = (words == 0) & (end == 0)
        edges = (np.ones(quiet.sum()), (start[quiet], goal[quiet]))
        between = shortest_path(csr_array(edges, shape=(size, size)), unweighted=True)
        between = np.minimum(between, NEVER).astype(np.int32)  # (states, states)
        start, goal, words, end = (part[~quiet] for part in (start, goal, words, end))
        cost = np.full((self._ban, size), NEVER, dtype=np.int64)
        for number in range(self.everything, -1, -1):
            after, known = words | number, np.zeros(0, dtype=np.int64)
            ended = np.where(after == self.everything, 0, NEVER)
            while True:  # once, unless a word occurs again
                exits = np.full(size, NEVER, dtype=np.int64)
                np.minimum.at(exits, start, 1 + np.where(end, ended, cost[after, goal]))
                if np.array_equal(exits, known):
                    break
                known, finite = exits, exits < NEVER
                cost[number] = (between[:, finite] + exits[finite]).min(axis=1, initial=NEVER)
        return cost

    def need(self, state: int, seen: int) -> _Ints:
        """Tokens to the end if a token comes next, itself counted; `NEVER`: it is not allowed.

        `seen` are bits of the words that have occurred.
        """
        after = self.words[state] | seen
        ended = np.where(after == self.everything, 0, NEVER)
        left = np.where(self.end, ended, self.cost[after, self.state[state]])
        need = np.where(self.allowed[state], np.minimum(1 + left, NEVER), NEVER)
        return np.append(need, NEVER)[self.kind]

    def gain(self, state: int, seen: int) -> NDArray[np.float64]:
        """Required words that a text wins with each token (-1: loses), -inf: it is not allowed.

        A word that is complete but for what follows it counts while the text goes on.
        """
        pending = self.matcher.ends & self.everything
        now = (int(pending[state]) | seen).bit_count()
        hoped = np.where(self.end, 0, pending[self.state[state]])
        after = np.bitwise_count(self.words[state] | seen | hoped).astype(float)
        gain = np.where(self.allowed[state], after - now, -np.inf)
        return np.append(gain, -np.inf)[self.kind]

    def read(self, tokens: _Ints) -> tuple[_Ints, _Ints, NDArray[np.bool_]]:
        """State, bits of the words seen, and whether it has ended, after rows of tokens (rows, n).

        What follows an end does not count.
        """
        state = np.ones(len(tokens), dtype=np.int64)
        seen, over = np.zeros_like(state), np.zeros(len(tokens), dtype=bool)
        for column in tokens.T:
            kind = np.minimum(self.kind[column], len(self.end) - 1)
            seen = np.where(over, seen, seen | self.words[state, kind])
            state = np.where(over, state, self.state[state, kind])
            over = over | self.tokens.end[column]
        return state, seen, over
