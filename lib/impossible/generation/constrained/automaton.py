"""The automaton of lexical constraints over tokens: what a token does, and what is still to pay.

For every state of the byte automaton and every token: the state after it, the words that occurred
in it, and whether it is allowed. Tokens that do the same in every state form a class, so that the
tables have some hundred columns and not the whole vocabulary. `cost` is exact: the fewest tokens
that lead from a state and a set of words that have occurred to an end at which all clauses hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from impossible.generation.constrained.constraints import (
    Clause,
    ConstraintError,
    Matcher,
    banned_words,
    checked,
    clauses_held,
    tracked_words,
)
from impossible.generation.constrained.vocabulary import Vocabulary

__all__ = ["NEVER", "Automaton"]

NEVER = 1 << 20  # tokens to an end that cannot be reached
MOST = 12  # words whose occurrence is remembered: tables have 2 ** MOST rows
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


@dataclass
class Automaton:
    """Constraints compiled for a vocabulary.

    Args:
        cnf: clauses, all of which must hold when the text (or its sentence) ends. A clause of one
            negative literal is a ban: at no token may the text so far hold the word; so a word
            that begins with a banned one can be written by one token only. Words in other negative
            literals are looked at in the end only.
        vocabulary: the tokens.

    Attributes:
        kind: class of each token, shape (tokens,); the last class is never allowed.
        state: shape (states, classes), state after a token. words: bits of the words that occurred
            in it. banned, end: whether it breaks a ban, and `Vocabulary.kinds` of the class.
        held: which clauses hold, shape (sets of words, clauses).
        cost: fewest tokens to an end, shape (sets of words, states); `NEVER` if there is none.

    Raises:
        ConstraintError: no text can meet the constraints; the sentence names the clause if one
            alone is to blame.

    Example:
        >>> from impossible.generation.constrained.constraints import must
        >>> tokens = Vocabulary((b" a", b" b", b"."), marks=".")
        >>> both = Automaton([must("a"), must("b")], tokens)
        >>> both.least(), both.need(both.matcher.start(), 0).tolist() # the full stop must wait
        (3, [3, 3, 1048576])
    """

    cnf: Sequence[Clause]
    vocabulary: Vocabulary
    matcher: Matcher = field(init=False)

    def __post_init__(self) -> None:
        self.cnf = checked(self.cnf)
        words = tracked_words(self.cnf)
        if len(words) > MOST:
            raise ConstraintError(
                f"the constraints ask for {len(words)} different words, at most {MOST} can be "
                "followed; ask for fewer (bans do not count)"
            )
        self._bans = 1 << len(words)  # one bit for all banned words
        banned = [(form, len(words)) for each in banned_words(self.cnf) for form in each.forms]
        wanted = [(form, number) for number, word in enumerate(words) for form in sorted(word)]
        self._refuse_marks([form for form, _ in wanted])
        self.matcher = Matcher.of([*wanted, *banned])
        self.held = clauses_held(self.cnf, words)
        self._tracked = words
        self._compile()
        self.cost = self._costs()
        if self.least() >= NEVER:
            raise ConstraintError(self._reason())

    def _refuse_marks(self, forms: Sequence[str]) -> None:
        wrong = [form for form in forms if set(form) & set(self.vocabulary.marks)]
        if wrong:
            raise ConstraintError(
                f"{wrong[0]!r} holds an end mark ({self.vocabulary.marks}) and cannot be asked for "
                "within a sentence; leave it out"
            )

    def _compile(self) -> None:
        """Tables of token classes: what all tokens of a class do in every state."""
        columns: dict[bytes, int] = {}
        self.kind = np.full(len(self.vocabulary.texts), -1, np.int32)
        separator = self.matcher.separator
        alone: dict[bytes, int] = {}  # class of tokens of one byte, by what the byte does
        for head, tokens, read, sizes in self.vocabulary.groups:
            mark = [int(self.vocabulary.kinds[tokens[0]]), int(separator[head])]
            does = self.matcher.step[:, head].tobytes() + bytes(mark)
            if read.size > 1 or does not in alone:
                self._sort_in(columns, head, tokens, read, sizes)
                if read.size == 1:
                    alone[does] = int(self.kind[tokens[0]])
            else:
                self.kind[tokens[0]] = alone[does]
        self.kind[self.kind < 0] = len(columns)
        table: Longs = np.stack([np.frombuffer(each, np.int64) for each in columns], axis=1)
        rest, end = np.divmod(table, 3)
        rest, banned = np.divmod(rest, 2)
        state, words = np.divmod(rest, self._bans)
        self.state, self.words = state.astype(np.int32), words.astype(np.int32)
        self.banned, self.end = banned.astype(bool), np.asarray(end)[0]

    def _sort_in(
        self, columns: dict[bytes, int], head: int, tokens: Longs, read: Ints, sizes: Ints
    ) -> None:
        """Give the tokens that begin with the byte `head` their classes.

        Few states follow the first byte, whatever the state before: the rest is read from those.
        """
        ends, first = self.matcher.ends, self.matcher.step[:, head]
        firsts, place = np.unique(first, return_inverse=True)
        state, words, banned = self._read(firsts, read, sizes)
        occurred = ends * self.matcher.separator[head]  # what was pending has now occurred
        kinds: dict[bytes, int] = {}  # what is read after the first byte → class
        for i, token in enumerate(tokens.tolist()):
            rest = np.stack([state[:, i], words[:, i], banned[:, i]])
            end = int(self.vocabulary.kinds[token])
            name = rest.tobytes() + bytes([end])
            if name not in kinds:
                after, seen, broken = rest[:, place]
                seen = (seen | occurred) & (self._bans - 1)
                broken = broken | ((occurred & self._bans) > 0)
                code = ((after * self._bans + seen) * 2 + broken) * 3 + end
                kinds[name] = columns.setdefault(code.tobytes(), len(columns))
            self.kind[token] = kinds[name]

    def _read(self, firsts: Ints, read: Ints, sizes: Ints) -> tuple[Longs, Longs, Longs]:
        """State, words and whether a ban breaks after the bytes that follow the first one.

        Words behind an end mark belong to the next sentence and do not count; bans do.
        """
        step, ends, separator = self.matcher.step, self.matcher.ends, self.matcher.separator
        marks = list(self.vocabulary.marks.encode())
        state = np.repeat(firsts[:, None].astype(np.int64), len(read), axis=1)
        words, broken = np.zeros_like(state), np.zeros_like(state)
        counts = np.ones(len(read), bool)
        for column in range(1, read.shape[1]):
            longer = int((sizes > column).sum())
            byte = read[:longer, column]
            counts[:longer] &= ~np.isin(read[:longer, column - 1], marks)
            cut = np.nonzero(separator[byte])[0]
            found = ends[state[:, cut]]
            words[:, cut] |= np.where(counts[cut], found, 0)
            broken[:, cut] |= (found & self._bans) > 0
            state[:, :longer] = step[state[:, :longer], byte]
        broken |= (ends[state] & self._bans) > 0  # no token ends on a banned word
        return state, words, broken

    def _costs(self) -> Ints:
        """Fewest tokens to an end, by the sets of words from the largest to the smallest."""
        self._complete: NDArray[np.bool_] = np.asarray(self.held.all(axis=1))
        cost = np.full((len(self.held), len(self.state)), NEVER, np.int32)
        rows, columns = np.nonzero((self.words > 0) & ~self.banned)  # where a word occurs
        leaving, starts = np.unique(rows, return_index=True)
        between = self._distances(leaving)
        words, there, end = self.words[rows, columns], self.state[rows, columns], self.end[columns]
        for number in range(len(self.held) - 1, -1, -1):
            after = words | number
            closed = (end > 0) & ~self._complete[after]
            best = self._ending(number)
            while len(rows):  # once, unless a word occurs again
                first = np.where(end == 2, 0, np.minimum(cost[after, there], NEVER)) + 1
                exits = np.minimum.reduceat(np.where(closed, NEVER, first), starts)
                exits = np.minimum(exits, best[leaving])
                found = np.minimum(best, (between + exits).min(axis=1))
                if (found >= cost[number]).all():
                    break
                best = cost[number] = np.minimum(found, NEVER)
            cost[number] = np.minimum(best, cost[number])
        return cost

    def _distances(self, goals: Longs) -> Ints:
        """Fewest tokens from each state to `goals` in which no word occurs and nothing ends."""
        size = len(self.state)
        joined = np.eye(size, dtype=np.float32)
        rows, columns = np.nonzero((self.words == 0) & ~self.banned & (self.end == 0))
        joined[rows, self.state[rows, columns]] = 1
        reached = np.eye(size, dtype=np.float32)[:, goals]
        found = np.where(reached > 0, 0, NEVER).astype(np.int32)
        for steps in range(1, size + 1):
            reached = np.minimum(joined @ reached, 1)
            fresh = (reached > 0) & (found == NEVER)
            if not fresh.any():
                break
            found[fresh] = steps
        return found

    def _ending(self, number: int) -> Ints:
        """Fewest tokens to an end, from each state, if no further word has to occur."""
        size = len(self.state)
        if not self._complete[number]:
            return np.full(size, NEVER, np.int32)
        stays = ~self.banned & ((self.words | number) == number)
        best = np.where((stays & (self.end == 2)).any(axis=1), 1, NEVER)
        going = np.where(stays & (self.end < 2), self.state, size)
        while True:
            through = np.append(best, NEVER)[going].min(axis=1, initial=NEVER) + 1
            if (through >= best).all():
                return best.astype(np.int32)
            best = np.minimum(best, through)

    def least(self, before: str = "") -> int:
        """Fewest tokens with which a continuation of `before` can meet all and end."""
        return int(self.cost[0, self.matcher.start(before)])

    def require(self, longest: int, before: str = "") -> None:
        """Raise a ConstraintError unless `longest` tokens are enough."""
        if self.least(before) > longest:
            raise ConstraintError(
                f"the constraints need at least {self.least(before)} tokens with the end, and "
                f"{longest} are allowed; allow more or ask for fewer words"
            )

    def need(self, state: int, seen: int, over: bool = False) -> Ints:
        """Tokens needed from here to the end if a token comes next, itself counted.

        Args:
            state: of the byte automaton.
            seen: bits of the words that have occurred.
            over: an end was written before, so that only bans are left.

        Returns:
            shape (tokens,); `NEVER` for a token that is not allowed.
        """
        return self.class_need(state, seen, over)[self.kind]

    def class_need(self, state: int, seen: int, over: bool = False) -> Ints:
        """`need` by class of tokens: shape (classes + 1,); the last is never allowed."""
        after = self.words[state] | seen
        open_ = np.where(self.end == 2, 0, self.cost[after, self.state[state]]) + 1
        closed = (self.end > 0) & ~self._complete[after]
        found = np.where(over, 0, np.where(closed, NEVER, open_))
        found = np.where(self.banned[state], NEVER, np.minimum(found, NEVER))
        return np.append(found, NEVER).astype(np.int32)

    def advance(
        self, state: Longs, seen: Longs, over: NDArray[np.bool_], tokens: Longs
    ) -> tuple[Longs, Longs, NDArray[np.bool_]]:
        """State, words seen and whether an end was written, after one token per row: (rows,)."""
        kind = np.minimum(self.kind[tokens], self.state.shape[1] - 1)
        return (
            self.state[state, kind].astype(np.int64),
            np.where(over, seen, seen | self.words[state, kind]),
            over | (self.end[kind] == 2),
        )

    def partial(self, seen: int) -> NDArray[np.float32]:
        """The longest begun part, 0 to 1, of a word that an open clause asks for, per state."""
        asked = [
            self._tracked.index(literal.words)
            for number, clause in enumerate(self.cnf) if not self.held[seen, number]
            for literal in clause if not literal.negative
        ]  # fmt: skip
        read: NDArray[np.float32] = self.matcher.partial[:, asked].max(axis=1, initial=0)
        return read

    def _reason(self) -> str:
        """Why no text can meet the constraints."""
        bans = [clause for clause in self.cnf if len(clause) == 1 and clause[0].negative]
        names = " and ".join(str(clause[0]).removeprefix("no ") for clause in bans)
        for number, clause in enumerate(self.cnf, 1):
            if clause not in bans and len(self.cnf) > 1 + len(bans):
                try:
                    Automaton([clause, *bans], self.vocabulary)
                except ConstraintError:
                    return _sentence(f"clause {number} ({_clause(clause)})", names)
        asked = [clause for clause in self.cnf if clause not in bans]
        told = "; ".join(map(_clause, asked)) if asked else "the end of the text"
        return _sentence(f"the constraints ({told})", names)


def _clause(clause: Clause) -> str:
    return " or ".join(map(str, clause)) or "without a literal"


def _sentence(what: str, banned: str) -> str:
    condition = f" without what is banned ({banned})" if banned else ""
    return (
        f"{what} cannot hold in any text that the tokens can spell{condition}; "
        f"change the words{' or the bans' if banned else ''}"
    )
