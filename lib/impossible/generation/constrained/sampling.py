"""Sample under lexical constraints (version 1 of the paper: sequential generation).

A token is allowed only if all clauses can still hold in the tokens that are left, so every text
meets them. Results do not depend on what is computed together: every prefix is computed by itself,
in full buckets of rows. For the soft search see `searching`.

    lm = load_teacher("in-vitro/teacher")
    clauses = [must("court", "courts"), must("cleared", "freed"), must_not("jury")]  # all must hold
    uniforms = np.random.default_rng(0).random((100, 40))  # k samples of at most 40 tokens
    texts = sample_constrained(lm, ["LONDON (Reuters) --"], [clauses], [uniforms])[0]
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import LogitsProcessor

from impossible.generation.constrained.automaton import NEVER, Automaton
from impossible.generation.constrained.constraints import Clause, ConstraintError, checked, one_each
from impossible.generation.constrained.vocabulary import Vocabulary
from impossible.models.batching import token_ids
from impossible.models.causal_generation import (
    ROWS,
    SENTENCE,
    Uniforms,
    banning,
    check_window,
    continuations,
)
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus

__all__ = ["ConstraintProcessor", "HardRule", "sample_constrained"]

MARKS = ".?!"  # ends of a sentence
#: State, words seen and whether an end was written, of each row.
_Rows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]


class HardRule:
    """The `forbid` of `sampling.generate`: tokens after which the constraints could not be met.

    Args:
        automaton: the compiled constraints, the same for all rows.
        longest: max_new_tokens.
        before: the text before the continuation.

    Raises:
        ConstraintError: `longest` tokens are too few.
    """

    def __init__(self, automaton: Automaton, longest: int, before: str = "") -> None:
        automaton.require(longest, before)
        self.automaton, self.longest, self.before = automaton, longest, before
        self._needs = _Needs(automaton)
        self._rows: _Rows | None = None
        self._read = 0

    def __call__(self, logits: Tensor, rows: Sequence[int], sampled: list[list[int]]) -> Tensor:
        """Logits (slots, vocabulary) with -inf where forbidden."""
        if self._rows is None:
            self._rows = _fresh(len(sampled), self.automaton.matcher.start(self.before))
        length = max(len(sampled[row]) for row in rows)  # of the rows that go on
        if length > self._read:
            alive = [row for row in dict.fromkeys(rows) if len(sampled[row]) == length]
            last = np.array([sampled[row][-1] for row in alive])
            moved = self.automaton.advance(*_picked(self._rows, alive), last)
            for part, new in zip(self._rows, moved, strict=True):
                part[alive] = new
            self._read = length
        need = self._needs(logits, *_picked(self._rows, rows))
        return logits.masked_fill(need > self.longest - length, -torch.inf)


class ConstraintProcessor(LogitsProcessor):
    """The same rule for `model.generate(logits_processor=[…])`, sampling or beam search.

    Args:
        automaton: the compiled constraints, with the end-of-text token among its stops.
        prompt_length: tokens of the prompt, which do not count.
        max_new_tokens: as given to `generate`.
        before: the text of the prompt.

    Raises:
        ConstraintError: `max_new_tokens` are too few.
    """

    def __init__(
        self, automaton: Automaton, prompt_length: int, max_new_tokens: int, before: str = ""
    ) -> None:
        automaton.require(max_new_tokens, before)
        self.automaton, self.longest, self.before = automaton, max_new_tokens, before
        self.prompt_length, self._needs = prompt_length, _Needs(automaton)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (rows, vocabulary) with -inf where forbidden; rows may have been reordered."""
        written = input_ids[:, self.prompt_length :].cpu().numpy()
        rows = _fresh(len(written), self.automaton.matcher.start(self.before))
        for column in written.T:
            rows = self.automaton.advance(*rows, column)
        left = self.longest - written.shape[1]
        return scores.masked_fill(self._needs(scores, *rows) > left, -torch.inf)


def _fresh(rows: int, start: int) -> _Rows:
    """Rows that have no token yet."""
    return np.full(rows, start), np.zeros(rows, np.int64), np.zeros(rows, bool)


def _picked(parts: _Rows, rows: Sequence[int]) -> _Rows:
    """Some rows."""
    state, seen, over = parts
    return state[rows], seen[rows], over[rows]


class _Needs:
    """`Automaton.need` for rows: each state is computed once and kept on the model's device."""

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton
        self._place: dict[Hashable, int] = {}
        self._table = torch.empty(0)

    def __call__(self, logits: Tensor, state: Any, seen: Any, over: Any) -> Tensor:
        """Tokens needed with each next token, shape of `logits`."""
        keys = list(zip(state.tolist(), seen.tolist(), over.tolist(), strict=True))
        fresh = [key for key in dict.fromkeys(keys) if key not in self._place]
        if fresh:
            rows = np.full((len(fresh), logits.shape[-1]), NEVER, np.int32)
            for row, key in zip(rows, fresh, strict=True):
                row[: len(self.automaton.kind)] = self.automaton.need(*key)
            new = torch.from_numpy(rows).to(logits.device)
            self._place |= {key: len(self._place) + i for i, key in enumerate(fresh)}
            self._table = torch.cat([self._table, new]) if len(self._table) else new
        places = torch.tensor([self._place[key] for key in keys], device=logits.device)
        return self._table[places]


@torch.inference_mode()
def sample_constrained(
    lm: LanguageModel,
    prefixes: Sequence[str],
    constraints: Sequence[Sequence[Clause]],
    uniforms: Sequence[Uniforms],
    nucleus: Nucleus = SENTENCE,
    banned: Iterable[str] = (),
    rows: int = ROWS,
) -> list[list[str]]:
    """`decoding.sample_continuations` of one sentence each, under hard constraints.

    Args:
        lm: the teacher.
        prefixes: contexts.
        constraints: for each prefix the clauses that its sentences meet.
        uniforms: for each prefix an array (k, max_new_tokens) of numbers in [0, 1): they decide
            what is drawn, so that a generator's seed is the seed of the samples.
        nucleus: top_p and temperature, of what is allowed.
        banned: characters that are never generated.
        rows: most samples computed together; no effect on the result.

    Returns:
        For each prefix k raw continuations. Up to the end mark each meets its clauses; an end mark
        (also one within "3.5") is not written before. No continuation holds a banned word.

    Raises:
        ConstraintError: constraints cannot be met, or not in max_new_tokens; not one set of
            clauses and one array for each prefix.
        ModelError: a prefix is empty or too long for the window.

    Example: see the module's text.
    """
    one_each(prefixes, constraints, "sets of constraints")
    one_each(prefixes, uniforms, "arrays of uniforms")
    if wrong := [np.shape(numbers) for numbers in uniforms if np.ndim(numbers) != 2]:
        raise ConstraintError(
            f"an array of uniforms has the shape {wrong[0]}; it must be (k, max_new_tokens)"
        )
    constraints = [checked(cnf) for cnf in constraints]
    characters = list(banned)
    vocabulary = Vocabulary.of(lm.tokenizer, MARKS, tuple(characters))
    ids = token_ids(lm.tokenizer, list(prefixes), True)
    automata: dict[Hashable, Automaton] = {}
    for prefix, cnf, row, numbers in zip(prefixes, constraints, ids, uniforms, strict=True):
        check_window(lm, prefix, len(row), numbers.shape[1])
        if tuple(cnf) not in automata:
            automata[tuple(cnf)] = Automaton(tuple(cnf), vocabulary)
        automata[tuple(cnf)].require(numbers.shape[1], prefix)
    results: list[list[str]] = []
    for prefix, cnf, row, numbers in zip(prefixes, constraints, ids, uniforms, strict=True):
        plain = banning(lm, characters)
        found: list[str] = []
        for start in range(0, len(numbers), rows):
            part = numbers[start : start + rows]
            rule = HardRule(automata[tuple(cnf)], part.shape[1], prefix)
            both = _after(plain, rule)
            found += continuations(lm, row, part, nucleus, [1] * len(part), both)
        results.append(found)
    return results


def _after(first: Any, second: Any) -> Any:
    """One `forbid` after another."""
    return lambda logits, rows, sampled: second(first(logits, rows, sampled), rows, sampled)
