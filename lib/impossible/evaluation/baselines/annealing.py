"""Search among sentences by small edits: Metropolis–Hastings, cooled or at constant temperature.

A move replaces, inserts or deletes one word of the current sentence; a rule accepts it or not. At
constant temperature T this is CGMH (Miao et al. 2019), which visits sentences in proportion to
f^(1/T); cooled to zero it is UPSA (Liu et al. 2020), which climbs to a sentence of large f. What f
is and which words are proposed is the reader's business (`search`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from impossible.errors import ModelError
from impossible.evaluation.bootstrap import Floats
from impossible.text.word_edits import Units

DELETE, INSERT = 1, 2  # operations; 0 replaces
RANDOM_PER_STEP = 4  # random numbers: operation, position, word, acceptance


class Reading(Protocol):
    """What a reader says of one sentence: its log f, -inf where f is 0, and what fits into it."""

    @property
    def log_score(self) -> float: ...

    def words(self, position: int, old: str | None) -> Floats:
        """Log probability of each proposed word at a position, for `old` or between words."""


class Reader(Protocol):
    """What scores sentences, and proposes the words of a vocabulary."""

    @property
    def vocabulary(self) -> Sequence[str]: ...

    def read(self, items: Sequence[int], sentences: Sequence[Units]) -> list[Reading]:
        """A reading of each sentence, which stands for the item of that number."""


@dataclass(frozen=True)
class Schedule:
    """Temperatures of a search.

    Args:
        steps: moves tried, ≥ 0.
        start: first temperature, > 0: a move to a sentence with half the f is accepted with
            probability 0.5^(1/start).
        cooling: fraction of the temperature lost at the end, [0, 1]: 0 constant (CGMH), 1 down to
            zero (UPSA).

    >>> [Schedule(4, 0.2, 1.0).temperature(step) for step in (0, 2, 4)]
    [0.2, 0.1, 0.0]
    """

    steps: int
    start: float
    cooling: float

    def __post_init__(self) -> None:
        if self.steps < 0 or not self.start > 0 or not 0 <= self.cooling <= 1:
            raise ModelError(
                f"a search needs steps ≥ 0, a temperature > 0 and a cooling in [0, 1], got {self}"
            )

    def temperature(self, step: int) -> float:
        """Temperature of a step, falling linearly as in UPSA."""
        return self.start * (1 - self.cooling * step / max(1, self.steps))

    @property
    def corrected(self) -> bool:
        """Whether acceptance makes up for uneven proposals: an annealed search does not (UPSA)."""
        return self.cooling == 0


def acceptance_probability(gain: float, temperature: float, correction: float = 0.0) -> float:
    """Probability that a move is accepted: min(1, (f'/f)^(1/T) · g(x|x')/g(x'|x)).

    Args:
        gain: log f' - log f; NaN where both are 0: rejected.
        temperature: T ≥ 0; at 0 what is not worse is accepted.
        correction: log g(x|x') - log g(x'|x) (Hastings); 0: none.

    >>> [acceptance_probability(math.log(0.5), t) for t in (1.0, 0.5, 0.0)]
    [0.5, 0.25, 0.0]
    """
    if math.isnan(gain) or correction == -math.inf:
        return 0.0
    if temperature == 0:
        return float(gain >= 0)
    return math.exp(min(0.0, gain / temperature + correction))


class WordList:
    """Words in a fixed order, with log probabilities given in that order."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.index = {word: i for i, word in enumerate(words)}

    def log_probability(self, logs: Floats, word: str) -> float:
        """Of a word; -inf for one that is never proposed."""
        return float(logs[self.index[word]]) if word in self.index else -math.inf

    def draw(self, logs: Floats, uniform: float) -> tuple[str, float]:
        """The word at which the cumulative distribution passes `uniform`, and its log."""
        rising = np.exp(logs).cumsum()
        i = int(np.searchsorted(rising, uniform * rising[-1], side="right"))
        i = min(i, len(logs) - 1)
        return self.words[i], float(logs[i])


@dataclass(frozen=True)
class Move:
    """A proposed sentence and the log of g(old|new) / g(new|old)."""

    sentence: Units
    correction: float


def propose(
    sentence: Units, reading: Reading, vocabulary: WordList, longest: int, uniforms: Floats
) -> Move | None:
    """A random edit of one word; None where the edit is not possible.

    Replacing, inserting and deleting are equally likely, as are the positions; a word is drawn from
    g, as `reading.words` says. `longest` is the most units; one unit always stays. `uniforms` in
    [0, 1) choose operation, position and word.

    The correction of an insertion is -log g(word): there are n + 1 positions to insert into n words
    and n + 1 words to delete again. That of a deletion is log g(word), of a replacement log g(old |
    word) - log g(word | old). A word that is never proposed has g = 0: a corrected search does not
    give it up, since it could not come back.
    """
    n = len(sentence)
    operation = int(3 * uniforms[0])
    i = int(uniforms[1] * (n + (operation == INSERT)))
    if n == 0 or (operation == DELETE and n == 1) or (operation == INSERT and n >= longest):
        return None
    before, old, after = sentence[:i], sentence[i : i + 1], sentence[i + 1 :]
    if operation == DELETE:
        back = vocabulary.log_probability(reading.words(i, None), old[0])
        return Move(before + after, back)
    if operation == INSERT:
        word, log = vocabulary.draw(reading.words(i, None), uniforms[2])
        return Move((*before, word, *sentence[i:]), -log)
    word, log = vocabulary.draw(reading.words(i, old[0]), uniforms[2])
    back = vocabulary.log_probability(reading.words(i, word), old[0])
    return Move((*before, word, *after), back - log)


def anneal(
    reader: Reader,
    starts: Sequence[Units],
    uniforms: Sequence[Floats],
    schedule: Schedule,
    longest: Sequence[int],
    visit: Callable[[list[Units]], None] = lambda states: None,
) -> list[Units]:
    """The sentence of largest f that each chain has seen, the start if none has f > 0.

    Args:
        uniforms: n arrays (steps, `RANDOM_PER_STEP`) in [0, 1), which decide an item's chain.
        longest: most units of each item's sentences.
        visit: is shown the states after each step.
    """
    states, vocabulary = list(starts), WordList(reader.vocabulary)
    readings = reader.read(range(len(states)), states)
    best = [(reading.log_score, state) for reading, state in zip(readings, states, strict=True)]
    for step in range(schedule.steps):
        moves: dict[int, Move] = {}
        for i, state in enumerate(states):
            move = propose(state, readings[i], vocabulary, longest[i], uniforms[i][step])
            if move is not None and move.sentence != state:
                moves[i] = move
        proposed = reader.read(list(moves), [move.sentence for move in moves.values()])
        for (i, move), reading in zip(moves.items(), proposed, strict=True):
            if reading.log_score > best[i][0]:
                best[i] = (reading.log_score, move.sentence)
            gain = reading.log_score - readings[i].log_score
            correction = move.correction if schedule.corrected else 0.0
            chance = acceptance_probability(gain, schedule.temperature(step), correction)
            if uniforms[i][step][3] < chance:
                states[i], readings[i] = move.sentence, reading
        visit(states)
    return [sentence for _, sentence in best]
