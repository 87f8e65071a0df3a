"""Beam search under lexical constraints: a bonus for what holds, beams kept for every set of it.

Many prefixes are searched at once, each under its own constraints; a step of the model takes the
beams of all that are still open. The loop knows no model: it is given a step and calls it, as
`sampling.generate` does. What a prefix finds does not depend on the prefixes beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impossible.errors import ModelError
from impossible.generation.constrained.automaton import Automaton

__all__ = ["Hypothesis", "Soft", "beam_search"]

Longs = NDArray[np.int64]
Floats = NDArray[np.float32]


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
    """Texts that go on, one per row, those of a prefix together and in the order of prefixes."""

    owner: Longs  # number of the prefix
    tokens: list[tuple[int, ...]]
    total: Tensor  # log-probability
    state: Longs
    seen: Longs


def beam_search(
    forward: Callable[[Tensor], Tensor],
    reorder: Callable[[Tensor, Longs], None],
    logits: Tensor,
    automata: Sequence[Automaton],
    longest: Sequence[int],
    soft: Soft,
    before: Sequence[str] = (),
) -> list[tuple[list[Hypothesis], int]]:
    """Search for the texts of the highest score after each prefix.

    Of the candidates (every beam with every allowed token) each set of clauses held is a group;
    the next beams are the best of each group, then the second best of each, and so on. Beams are
    ranked by log-probability + bonus · clauses held + partial · begun part, finished texts by
    log-probability / length ** `length` + bonus · clauses held. A prefix is closed, and its beams
    leave the batch, when `width` texts in which all its clauses hold are finished, or after its
    `longest` tokens.

    Args:
        forward: tokens (beams,) → logits of the next (beams, vocabulary); beams of all prefixes
            that are open, in the order of prefixes.
        reorder: (beams,) of the step before that the next tokens continue, and (beams,) the number
            of the prefix of each; a prefix that is missing is closed.
        logits: of the first token after each prefix (prefixes, vocabulary).
        automata: the constraints of each prefix, all for one vocabulary; bans are never broken.
        longest: most tokens after each prefix.
        soft: settings.
        before: the text of each prefix; (): none.

    Returns:
        For each prefix at most `width` finished texts, best first (ties: by tokens), and the number
        of tokens for which the model was asked.

    Raises:
        ConstraintError: `soft.hard`, and `longest` tokens are too few for a prefix.
    """
    starts = before or [""] * len(automata)
    for automaton, most, text in zip(automata, longest, starts, strict=True):
        if soft.hard:
            automaton.require(most, text)
    known = {id(each): _View(each, soft, logits) for each in automata}
    views, limits = [known[id(each)] for each in automata], np.array(longest, np.int64)
    finished: list[list[Hypothesis]] = [[] for _ in views]
    computed = np.zeros(len(views), np.int64)
    beams = _start(automata, starts, logits)
    for step in range(limits.max(initial=0)):
        rows = _Rows(views, beams, limits - step)
        total = beams.total[:, None] + logits.float().log_softmax(-1)
        for number, fresh in rows.ended(total, soft).items():
            every = sorted(finished[number] + fresh, key=lambda each: (-each.score, each.tokens))
            finished[number] = every[: soft.width]
        whole = [view.whole(found) for view, found in zip(views, finished, strict=True)]
        open_ = (np.array(whole) < soft.width) & (limits > step + 1)
        picked = rows.chosen(total, soft.width, open_)
        if not len(picked):
            break
        beams, kept, last = _next(automata, beams, total, picked)
        computed += np.bincount(beams.owner, minlength=len(views))
        reorder(kept, beams.owner)
        logits = forward(last)
    return list(zip(finished, computed.tolist(), strict=True))


def _start(automata: Sequence[Automaton], before: Sequence[str], logits: Tensor) -> _Beams:
    """One beam without tokens for each prefix."""
    pairs = zip(automata, before, strict=True)
    state = np.array([automaton.matcher.start(text) for automaton, text in pairs], np.int64)
    total = logits.new_zeros(len(state), dtype=torch.float)
    return _Beams(np.arange(len(state)), [()] * len(state), total, state, np.zeros_like(state))


def _next(
    automata: Sequence[Automaton], beams: _Beams, total: Tensor, picked: Tensor
) -> tuple[_Beams, Tensor, Tensor]:
    """The beams after a choice, which of the old they continue, and their last tokens."""
    kept, last = picked // total.shape[1], picked % total.shape[1]
    rows, tokens = kept.cpu().numpy(), last.cpu().numpy()
    owner, state, seen = beams.owner[rows], beams.state[rows], beams.seen[rows]
    for number, part in _parts(owner):
        over = np.zeros(len(owner[part]), bool)
        moved = automata[number].advance(state[part], seen[part], over, tokens[part])
        state[part], seen[part] = moved[:2]
    pairs = zip(rows.tolist(), tokens.tolist(), strict=True)
    texts = [(*beams.tokens[row], token) for row, token in pairs]
    return _Beams(owner, texts, total.flatten()[picked], state, seen), kept, last


def _parts(owner: Longs) -> Iterator[tuple[int, slice]]:
    """The prefixes and their rows."""
    for number in dict.fromkeys(owner.tolist()):
        yield number, slice(*np.searchsorted(owner, [number, number + 1]))


def _places(*keys: Longs) -> Longs:
    """The place of each row among those of the same keys, which stand together."""
    new = np.any([np.diff(key, prepend=key[:1] - 1) != 0 for key in keys], axis=0)
    starts: Longs = np.nonzero(new)[0]
    places: Longs = np.arange(len(new)) - starts[np.cumsum(new) - 1]
    return places


@dataclass(frozen=True)
class _Row:
    """What an automaton says about the next token, by class, and about tokens that end a text."""

    need: Floats  # tokens to the end
    gain: Floats  # of a text that goes on; -inf where it ends
    group: Floats  # clauses held, as a number
    common: tuple[float, float]  # groups of most tokens; -1: none
    end_need: Floats
    end_held: Longs  # number of clauses


def _common(sizes: NDArray[Any]) -> tuple[float, float]:
    """The two groups of most tokens."""
    first, second = np.argsort(-np.append(sizes, 0), kind="stable")[:2].tolist()
    return first, second if sizes[second : second + 1].any() else -1


class _View:
    """An automaton's rows, each computed once; few classes stand for the whole vocabulary."""

    def __init__(self, automaton: Automaton, soft: Soft, logits: Tensor) -> None:
        self.automaton, self.soft = automaton, soft
        held = automaton.held
        self.count = held.sum(axis=1)
        self.group = np.unique(held, axis=0, return_inverse=True)[1].ravel()
        self.begun = np.stack([automaton.partial(seen) for seen in range(len(held))])
        never = len(automaton.end)  # the class of what is no token
        kind = np.full(logits.shape[-1], never, np.int64)
        kind[: len(automaton.kind)] = automaton.kind
        ends = np.nonzero(np.append(automaton.end == 2, False)[kind])[0]
        self.size, self.end_kind = np.bincount(kind, minlength=never + 1), kind[ends]
        self.kind, self.ends = (torch.from_numpy(t).to(logits.device) for t in (kind, ends))
        self._known: dict[tuple[int, int], _Row] = {}

    def whole(self, found: Sequence[Hypothesis]) -> int:
        """The number of texts in which all clauses hold."""
        return sum(each.held == len(self.automaton.cnf) for each in found)

    def row(self, state: int, seen: int) -> _Row:
        """What may follow a state and words seen."""
        if (state, seen) not in self._known:
            self._known[state, seen] = self._row(state, seen)
        return self._known[state, seen]

    def _row(self, state: int, seen: int) -> _Row:
        machine, soft = self.automaton, self.soft
        after, there = machine.words[state] | seen, machine.state[state]
        # a word that is complete but for what follows it counts while texts go on
        hoped = after | (machine.matcher.ends[there] & (len(self.count) - 1))
        gain = soft.bonus * self.count[hoped] + soft.partial * self.begun[hoped, there]
        gain[machine.end == 2] = -np.inf
        group, held = np.append(self.group[hoped], 0), np.append(self.count[after], 0)
        need = machine.class_need(state, seen, over=not soft.hard).astype(np.float32)
        return _Row(
            need,
            np.append(gain, -np.inf).astype(np.float32),
            group.astype(np.float32),
            _common(np.bincount(group, self.size)),
            need[self.end_kind],
            held[self.end_kind],
        )


class _Rows:
    """The rows of all beams of one step."""

    def __init__(self, views: Sequence[_View], beams: _Beams, left: Longs) -> None:
        self.views, self.beams = views, beams
        self.left = np.where(left > 0, left, -1)[beams.owner]  # without a token left nothing may
        keys = zip(beams.owner, beams.state.tolist(), beams.seen.tolist(), strict=True)
        self.rows = [views[owner].row(state, seen) for owner, state, seen in keys]

    def ended(self, total: Tensor, soft: Soft) -> dict[int, list[Hypothesis]]:
        """Texts that an end token finishes, by prefix; of each beam at most `width`."""
        ends = self.views[0].ends
        closed = np.stack([row.end_need for row in self.rows]) > self.left[:, None]
        every = total[:, ends].masked_fill(torch.from_numpy(closed).to(total.device), -torch.inf)
        values, places = every.topk(min(soft.width, len(ends)))
        lines = zip(values.tolist(), places.tolist(), ends[places].tolist(), strict=True)
        found: dict[int, list[Hypothesis]] = {}
        for beam, line in enumerate(lines):
            text, held = self.beams.tokens[beam], self.rows[beam].end_held
            for value, place, token in zip(*line, strict=True):
                if value == -np.inf:
                    break
                score = value / (len(text) + 1) ** soft.length + soft.bonus * int(held[place])
                one = Hypothesis((*text, token), value, int(held[place]), score)
                found.setdefault(int(self.beams.owner[beam]), []).append(one)
        return found

    def chosen(self, total: Tensor, width: int, open_: NDArray[np.bool_]) -> Tensor:
        """Flat places in `total` of the next beams of each open prefix.

        They are the best of each group, then the next best of each, until there are `width`.
        """
        device, size, owner = total.device, total.shape[1], self.beams.owner
        left = np.where(open_[owner], self.left, -1)
        pairs = zip(self.rows, left, strict=True)
        ranked = total + self._spread([np.where(r.need <= n, r.gain, -np.inf) for r, n in pairs])
        groups = self._spread([row.group for row in self.rows])
        # the two groups of most tokens (a word began, or ended, or neither): the best are enough
        shift = size * torch.arange(len(owner), device=device)[:, None]
        rest, found = ranked.clone(), []
        for common in torch.tensor([row.common for row in self.rows], device=device).T:
            here = groups == common[:, None]
            best = ranked.masked_fill(~here, -torch.inf).topk(min(width, size))
            found.append((best.indices + shift)[best.values > -torch.inf])
            rest.masked_fill_(here, -torch.inf)
        places = torch.cat([*found, (rest > -torch.inf).flatten().nonzero()[:, 0]])
        values, group = (part.flatten()[places].cpu().numpy() for part in (ranked, groups))
        whose = owner[places.cpu().numpy() // size]
        order = np.lexsort((-values, group, whose))
        values, group, whose = values[order], group[order], whose[order]
        turn = np.lexsort((-values, _places(whose, group), whose))
        taken = order[turn[_places(whose[turn]) < width]]
        return places[torch.from_numpy(taken).to(device)]

    def _spread(self, tables: Sequence[NDArray[Any]]) -> Tensor:
        """Numbers of classes, one table per beam → of tokens (beams, vocabulary)."""
        found = []
        for number, part in _parts(self.beams.owner):
            kind = self.views[number].kind
            table = torch.from_numpy(np.stack(tables[part]).astype(np.float32))
            found.append(table.to(kind.device).index_select(1, kind))
        return torch.cat(found)
