"""Nucleus sampling with given random numbers, and rules of what may be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from impossible.errors import ModelError
from impossible.models.batching import token_ids

_SHORTLIST = 64  # tokens that are sorted first; the nucleus rarely holds more
_BLOCK = 64  # tokens whose maximum is looked at first


@dataclass(frozen=True)
class Nucleus:
    """How a token is chosen.

    Args:
        top_p: smallest set of most probable tokens with at least this mass, (0, 1].
        temperature: divides the logits, [0, 5]; 0 takes the most probable token.
    """

    top_p: float
    temperature: float

    def __post_init__(self) -> None:
        if not 0 < self.top_p <= 1:
            raise ModelError(f"top_p must lie in (0, 1], got {self.top_p}")
        if not 0 <= self.temperature <= 5:
            raise ModelError(f"temperature must lie in [0, 5], got {self.temperature}")

    def choose(self, logits: Tensor, uniforms: Tensor) -> Tensor:
        """One token per row: logits (rows, vocabulary), uniforms in [0, 1) (rows,) → (rows,)."""
        if self.temperature == 0:
            return logits.argmax(-1)
        scaled = logits.float() / self.temperature
        # exp of differences and one sum: a softmax whose normalizer is only needed as a number
        weights = scaled.sub_(scaled.amax(-1, keepdim=True)).exp_()
        limit = self.top_p * weights.sum(-1)  # (rows,)
        return _pick(weights, limit, uniforms, _SHORTLIST)


def _pick(weights: Tensor, limit: Tensor, uniforms: Tensor, size: int) -> Tensor:
    """Tokens (rows,) from the `size` largest weights; where they are too few, from more."""
    whole = size >= weights.shape[-1]
    top, tokens = weights.sort(-1, descending=True) if whole else _largest(weights, size)
    chosen = tokens.gather(-1, _invert(top, limit, uniforms))[:, 0]
    if not whole:
        short = (top.sum(-1) < limit).nonzero()[:, 0]
        if len(short):
            chosen[short] = _pick(weights[short], limit[short], uniforms[short], 8 * size)
    return chosen


def _largest(weights: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """`weights.topk(size)`: among the `size` blocks with the largest maxima are all of these."""
    rows, n = weights.shape
    if n % _BLOCK or n // _BLOCK <= size:
        return tuple(weights.topk(size))  # type: ignore[return-value]
    blocks = weights.view(rows, -1, _BLOCK)
    chosen = blocks.amax(-1).topk(size).indices  # (rows, size)
    few = blocks.gather(1, chosen[..., None].expand(-1, -1, _BLOCK)).view(rows, -1)
    top, place = few.topk(size)
    return top, chosen.gather(1, place // _BLOCK) * _BLOCK + place % _BLOCK


def _invert(top: Tensor, limit: Tensor, uniforms: Tensor) -> Tensor:
    """Place (rows, 1) where the distribution over falling weights passes the uniform number."""
    before = top.cumsum(-1)  # (rows, n), rising
    # the nucleus ends with the first token at which the limit is reached
    last = torch.searchsorted(before, limit[:, None]).clamp(max=top.shape[-1] - 1)
    mass = before.gather(-1, last)
    place = torch.searchsorted(before, uniforms.to(mass.dtype)[:, None] * mass, right=True)
    return torch.minimum(place, last)


class NucleusSampler(LogitsProcessor):
    """Draws the token itself, so that `generate` without sampling takes what was drawn.

    Faster than sampling by `generate`, which sorts the whole vocabulary, and decided by given
    numbers alone.

    Args:
        nucleus: how a token is drawn.
        uniforms: numbers in [0, 1), (rows, steps); 0 draws the most probable token.
    """

    def __init__(self, nucleus: Nucleus, uniforms: Tensor) -> None:
        self.nucleus, self._columns = nucleus, iter(uniforms.unbind(1))

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (rows, vocabulary) of which only the drawn token's is not -inf."""
        drawn = self.nucleus.choose(scores, next(self._columns).to(scores.device))[:, None]
        return torch.full_like(scores, -torch.inf).scatter_(1, drawn, 0.0)


class AvoidWords(LogitsProcessor):
    """Forbids each row words of its own: as spelled, with a capital, inside a text or first.

    Words that begin with all pieces of such a word in the tokenizer are forbidden too.

    Args:
        tokenizer: of the model.
        words: for each row its words.
    """

    def __init__(self, tokenizer: Any, words: Sequence[Sequence[str]]) -> None:
        def pieces(word: str) -> list[tuple[int, ...]]:
            both = (word, word[:1].upper() + word[1:])
            forms = [space + form for space in ("", " ") for form in both]
            return [tuple(row) for row in token_ids(tokenizer, forms, False)]

        known = {word: pieces(word) for row in words for word in row}
        self.unwanted = [{piece for word in row for piece in known[word]} for row in words]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores with the last piece of a word at -inf where the pieces before it stand."""
        scores = scores.clone()
        for row, written in enumerate(input_ids.tolist()):
            for *before, last in self.unwanted[row]:
                if written[len(written) - len(before) :] == before:
                    scores[row, last] = -torch.inf
        return scores


class BeginOtherwise(LogitsProcessor):
    """Forbids each row to begin with the first word of a text; for one call of `generate`.

    A student that begins as its source does mostly copies it to the end.

    Args:
        tokenizer: of the model.
        texts: for each row its text.
    """

    def __init__(self, tokenizer: Any, texts: Sequence[str]) -> None:
        firsts = [text.split()[0] for text in texts]
        forms = {word: [word, f" {word}"] for word in firsts}
        pieces = {
            word: [row[0] for row in token_ids(tokenizer, both, False)]
            for word, both in forms.items()
        }
        self.unwanted = [pieces[word] for word in firsts]
        self.begun = False

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """At the first step, scores with the first piece of the word at -inf."""
        if self.begun:
            return scores
        self.begun, scores = True, scores.clone()
        for row, tokens in enumerate(self.unwanted):
            scores[row, tokens] = -torch.inf
        return scores
