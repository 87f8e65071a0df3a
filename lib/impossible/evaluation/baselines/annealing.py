"""Search among sentences by small edits: Metropolis–Hastings, cooled or at constant temperature.

A move replaces, inserts or deletes one word of the current sentence; a rule accepts it or not. At
constant temperature T this is CGMH (Miao et al. 2019), which visits sentences in proportion to
f^(1/T); cooled to zero it is UPSA (Liu et al. 2020), which climbs to a sentence of large f. What f
is and which words are proposed is the reader's business (`objective`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from impossible.errors import ModelError
from impossible.text.word_edits import Units

__all__ = ["Move", "Reader", "Reading", "Schedule", "acceptance", "propose", "search"]

Floats = NDArray[np.float64]
DELETE, INSERT = 1, 2  # operations; 0 replaces
NUMBERS = 4  # random numbers of a step: operation, place, word, acceptance


class Reading(Protocol):
    """What a reader says of one sentence."""

    @property
    def log_score(self) -> float:
        """log f; -inf where f is 0."""

    def words(self, place: int, old: str | None) -> Floats:
        """Log probability with which each word is proposed at a place, for `old` or between."""


class Reader(Protocol):
    """What scores sentences and proposes words."""

    @property
    def vocabulary(self) -> Sequence[str]:
        """The words that are proposed, in the order of `Reading.words`."""

    def read(self, items: Sequence[int], sentences: Sequence[Units]) -> list[Reading]:
        """A reading of each sentence, which stands for the item of that number."""


@dataclass(frozen=True)
class Schedule:
    """Temperatures of a search.

    Args:
        steps: moves tried, ≥ 0.
        start: first temperature, > 0: a move to a sentence with half the f is accepted with
            probability 0.5^(1/start).
        cooling: share of the temperature lost at the end, [0, 1]: 0 constant (CGMH), 1 down to
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


def acceptance(gain: float, temperature: float, correction: float = 0.0) -> float:
    """Probability that a move is accepted: min(1, (f'/f)^(1/T) · g(x|x')/g(x'|x)).

    Args:
        gain: log f' - log f; NaN where both are 0.
        temperature: T ≥ 0; at 0 what is not worse is accepted.
        correction: log of the ratio of proposal probabilities, back and forth (Hastings); 0: none.

    Returns:
        In [0, 1]. A move between two sentences with f = 0 is refused.

    >>> acceptance(math.log(0.5), 1.0), acceptance(math.log(0.5), 0.5), acceptance(-1.0, 0.0)
    (0.5, 0.25, 0.0)
    """
    if math.isnan(gain) or correction == -math.inf:
        return 0.0
    if temperature == 0:
        return float(gain >= 0)
    return math.exp(min(0.0, gain / temperature + correction))


class Vocabulary:
    """Words in a fixed order, and the number of each."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.number = {word: number for number, word in enumerate(words)}


@dataclass(frozen=True)
class Move:
    """A proposed sentence and the log of g(old|new) / g(new|old)."""

    sentence: Units
    correction: float


def propose(
    sentence: Units, reading: Reading, vocabulary: Vocabulary, longest: int, numbers: Floats
) -> Move | None:
    """A random edit of one word; None where the edit is not possible.

    Replacing, inserting and deleting are equally likely, as are the places; a word is drawn from
    g(word | place, old word), as `reading.words` says.

    Args:
        sentence: current sentence of n units; it can be edited in n places and be lengthened in
            n + 1.
        reading: of this sentence.
        vocabulary: of the reader.
        longest: most units; one unit always stays.
        numbers: in [0, 1): operation, place, word.

    Returns:
        The move; its sentence can equal the current one. The correction of an insertion is
        -log g(word): there are n + 1 places to insert into n words and n + 1 words to delete
        again, so these cancel. That of a deletion is log g(word), and that of a replacement
        log g(old | word) - log g(word | old). A word that is never proposed has g = 0: a corrected
        search does not give it up, since it could not come back.
    """
    n = len(sentence)
    operation = int(3 * numbers[0])
    place = int(numbers[1] * (n + (operation == INSERT)))
    if n == 0 or (operation == DELETE and n == 1) or (operation == INSERT and n >= longest):
        return None
    before, old, after = sentence[:place], sentence[place : place + 1], sentence[place + 1 :]
    if operation == DELETE:
        return Move(before + after, _at(reading.words(place, None), vocabulary, old[0]))
    if operation == INSERT:
        logs = reading.words(place, None)
        word, log = _draw(logs, vocabulary, numbers[2])
        return Move((*before, word, *sentence[place:]), -log)
    word, log = _draw(reading.words(place, old[0]), vocabulary, numbers[2])
    back = _at(reading.words(place, word), vocabulary, old[0])
    return Move((*before, word, *after), back - log)


def _at(logs: Floats, vocabulary: Vocabulary, word: str) -> float:
    """Log probability of a word; -inf for one that is never proposed."""
    known = vocabulary.number.get(word)
    return -math.inf if known is None else float(logs[known])


def _draw(logs: Floats, vocabulary: Vocabulary, number: float) -> tuple[str, float]:
    """The word at which the cumulative distribution passes a number in [0, 1), and its log."""
    rising = np.exp(logs).cumsum()
    place = np.searchsorted(rising, number * rising[-1], side="right")
    chosen = int(min(place, len(logs) - 1))
    return vocabulary.words[chosen], float(logs[chosen])


def search(
    reader: Reader,
    starts: Sequence[Units],
    numbers: Sequence[Floats],
    schedule: Schedule,
    longest: Sequence[int],
    visit: Callable[[list[Units]], None] = lambda states: None,
) -> list[Units]:
    """The best sentence that each chain has seen.

    Args:
        reader: scores sentences and proposes words, for all items at once.
        starts: n sentences.
        numbers: n arrays (steps, 4) in [0, 1), which alone decide an item's chain.
        schedule: steps and temperatures.
        longest: most units of each item's sentences.
        visit: is shown the states after each step.

    Returns:
        Of each item the sentence with the largest f, the start if none has f > 0.
    """
    states, vocabulary = list(starts), Vocabulary(reader.vocabulary)
    readings = reader.read(range(len(states)), states)
    best = [(reading.log_score, state) for reading, state in zip(readings, states, strict=True)]
    for step in range(schedule.steps):
        temperature = schedule.temperature(step)
        moves: dict[int, Move] = {}
        for i, state in enumerate(states):
            move = propose(state, readings[i], vocabulary, longest[i], numbers[i][step])
            if move is not None and move.sentence != state:
                moves[i] = move
        proposed = reader.read(list(moves), [move.sentence for move in moves.values()])
        for (i, move), reading in zip(moves.items(), proposed, strict=True):
            if reading.log_score > best[i][0]:
                best[i] = (reading.log_score, move.sentence)
            gain = reading.log_score - readings[i].log_score
            correction = move.correction if schedule.corrected else 0.0
            if numbers[i][step][3] < acceptance(gain, temperature, correction):
                states[i], readings[i] = move.sentence, reading
        visit(states)
    return [sentence for _, sentence in best]
