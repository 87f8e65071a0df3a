"""Beam search under lexical constraints: a bonus for what holds, beams kept for every set of it.

The loop knows no model: it is given a step and calls it, as `sampling.generate` does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impossible.automaton import NEVER, Automaton
from impossible.errors import ModelError

__all__ = ["Hypothesis", "Soft", "beam_search"]


@dataclass(frozen=True)
class Soft:
    """How beams are ranked.

    Args:
        width: beams, ≥ 1.
        bonus: for each clause that holds, nats, ≥ 0. An end without it costs that much.
        partial: for the begun part of a word that an open clause asks for, nats, ≥ 0.
        length: power of the length by which the log-probability of a finished text is divided;
            0 none, 1 per token.
        hard: only texts in which all clauses hold.
    """

    width: int = 16
    bonus: float = 10.0
    partial: float = 1.0
    length: float = 1.0
    hard: bool = False

    def __post_init__(self) -> None:
        if self.width < 1 or min(self.bonus, self.partial, self.length) < 0:
            raise ModelError(f"a beam search needs width ≥ 1 and no negative number, got {self}")


@dataclass(frozen=True)
class Hypothesis:
    """A finished text: its tokens with the end, log-probability (nats), clauses held, score."""

    tokens: tuple[int, ...]
    log_probability: float
    held: int
    score: float


@dataclass
class _Beams:
    """Texts that go on, one per row: tokens, log-probability, state and words seen."""

    tokens: list[tuple[int, ...]]
    total: Tensor
    state: NDArray[np.int64]
    seen: NDArray[np.int64]


def beam_search(
    forward: Callable[[Tensor], Tensor],
    reorder: Callable[[Tensor], None],
    logits: Tensor,
    automaton: Automaton,
    longest: int,
    soft: Soft,
    before: str = "",
) -> tuple[list[Hypothesis], int]:
    """Search for the texts of the highest score.

    Of the candidates (every beam with every allowed token) each set of clauses held is a group;
    the next beams are the best of each group, then the second best of each, and so on. Beams are
    ranked by log-probability + bonus · clauses held + partial · begun part, finished texts by
    log-probability / length ** `length` + bonus · clauses held. It stops when `width` texts in
    which all clauses hold are finished, or after `longest` tokens.

    Args:
        forward: tokens (beams,) → logits of the next (beams, vocabulary).
        reorder: beams (beams,) of the step before that the next tokens continue.
        logits: of the first token (1, vocabulary).
        automaton: the constraints; bans are never broken.
        longest: most tokens.
        soft: settings.
        before: the text before.

    Returns:
        At most `width` finished texts, best first (ties: by tokens), and the number of tokens for
        which the model was asked.

    Raises:
        ConstraintError: `soft.hard`, and `longest` tokens are too few.
    """
    if soft.hard:
        automaton.require(longest, before)
    view, finished, computed = _View(automaton, soft), list[Hypothesis](), 0
    start = automaton.matcher.start(before)
    beams = _Beams([()], logits.new_zeros(1, dtype=torch.float), np.array([start]), np.array([0]))
    for step in range(longest):
        rows = view.rows(beams, logits.shape[-1])
        allowed = view.table("need", rows, logits.device) <= longest - step
        total = beams.total[:, None] + logits.float().log_softmax(-1)
        total = total.masked_fill(~allowed, -torch.inf)
        finished += view.ended(beams, rows, total)
        finished = sorted(finished, key=lambda each: (-each.score, each.tokens))[: soft.width]
        whole = sum(each.held == len(automaton.cnf) for each in finished)
        picked = view.chosen(rows, total)
        if not len(picked) or whole == soft.width or step + 1 == longest:
            break
        beams, kept, last = _next(automaton, beams, total, picked)
        reorder(kept)
        logits = forward(last)
        computed += len(picked)
    return finished, computed


def _next(
    automaton: Automaton, beams: _Beams, total: Tensor, picked: Tensor
) -> tuple[_Beams, Tensor, Tensor]:
    """The beams after a choice, which of the old they continue, and their last tokens."""
    kept, last = picked // total.shape[1], picked % total.shape[1]
    rows, tokens = kept.cpu().numpy(), last.cpu().numpy()
    over = np.zeros(len(rows), bool)
    state, seen, _ = automaton.advance(beams.state[rows], beams.seen[rows], over, tokens)
    pairs = zip(rows.tolist(), tokens.tolist(), strict=True)
    texts = [(*beams.tokens[row], token) for row, token in pairs]
    return _Beams(texts, total.flatten()[picked], state, seen), kept, last


class _View:
    """What the automaton says about the next token, computed once per state and words seen."""

    def __init__(self, automaton: Automaton, soft: Soft) -> None:
        self.automaton, self.soft = automaton, soft
        held = automaton.held
        self.count = held.sum(axis=1)
        self.group = np.unique(held, axis=0, return_inverse=True)[1].ravel()
        self.begun = np.stack([automaton.partial(seen) for seen in range(len(held))])
        self._known: dict[Hashable, dict[str, NDArray[np.float32]]] = {}

    def rows(self, beams: _Beams, width: int) -> list[dict[str, NDArray[np.float32]]]:
        """For each beam: tokens needed, gain and group of every token, and whether it is an end."""
        keys = list(zip(beams.state.tolist(), beams.seen.tolist(), strict=True))
        for state, seen in dict.fromkeys(keys):
            if (state, seen) not in self._known:
                self._known[state, seen] = self._row(state, seen, width)
        return [self._known[key] for key in keys]

    def _row(self, state: int, seen: int, width: int) -> dict[str, NDArray[np.float32]]:
        machine, soft = self.automaton, self.soft
        after, there = machine.words[state] | seen, machine.state[state]
        # a word that is complete but for what follows it counts while texts go on
        hoped = after | (machine.matcher.ends[there] & (len(self.count) - 1))
        found = {
            "gain": soft.bonus * self.count[hoped] + soft.partial * self.begun[hoped, there],
            "group": self.group[hoped],
            "held": self.count[after],
            "end": machine.end == 2,
        }
        row = {
            name: np.append(values, 0).astype(np.float32)[machine.kind]
            for name, values in found.items()
        }
        row["need"] = machine.need(state, seen, over=not self.soft.hard).astype(np.float32)
        return {
            name: np.pad(values, (0, width - len(values)), constant_values=NEVER * (name == "need"))
            for name, values in row.items()
        }

    def table(
        self, name: str, rows: list[dict[str, NDArray[np.float32]]], device: torch.device
    ) -> Tensor:
        """One of the rows' numbers, shape (beams, vocabulary)."""
        return torch.from_numpy(np.stack([row[name] for row in rows])).to(device)

    def ended(
        self, beams: _Beams, rows: list[dict[str, NDArray[np.float32]]], total: Tensor
    ) -> list[Hypothesis]:
        """Texts that an end token finishes; of each beam at most `width`."""
        end = self.table("end", rows, total.device) > 0
        values, tokens = total.masked_fill(~end, -torch.inf).topk(
            min(self.soft.width, total.shape[1])
        )
        found = []
        for row, text in enumerate(beams.tokens):
            for value, token in zip(values[row].tolist(), tokens[row].tolist(), strict=True):
                if value == -np.inf:
                    break
                held = int(rows[row]["held"][token])
                length = (len(text) + 1) ** self.soft.length
                score = value / length + self.soft.bonus * held
                found.append(Hypothesis((*text, token), value, held, score))
        return found

    def chosen(self, rows: list[dict[str, NDArray[np.float32]]], total: Tensor) -> Tensor:
        """Flat places of the next beams in `total`: of each group the best, then the next best."""
        device, width = total.device, total.shape[1]
        going = self.table("end", rows, device) == 0
        ranked = (total + self.table("gain", rows, device)).masked_fill(~going, -torch.inf)
        groups = self.table("group", rows, device)
        # most tokens of a beam change nothing: of those the best are enough
        plain = groups == groups.mode(-1, keepdim=True).values
        best = ranked.masked_fill(~plain, -torch.inf).topk(min(self.soft.width, width))
        first = best.indices + width * torch.arange(len(rows), device=device)[:, None]
        likely = first[best.values > -torch.inf]
        places = torch.cat([likely, (~plain).flatten().nonzero()[:, 0]])
        places = places[ranked.flatten()[places] > -torch.inf]
        values, group = (part.flatten()[places].cpu().numpy() for part in (ranked, groups))
        order = np.lexsort((-values, group))
        starts = np.searchsorted(group[order], group[order])
        place_in_group = np.arange(len(order)) - starts
        turn = np.lexsort((-values[order], place_in_group))[: self.soft.width]
        return places[torch.from_numpy(order[turn]).to(device)]
