"""Search for sentences under lexical constraints with a language model (version 1 of the paper).

A beam search whose score is the log-probability and a bonus for what holds (NeuroLogic decoding, Lu
et al. 2021, https://aclanthology.org/2021.naacl-main.339). Prefixes of any lengths are searched
together; each keeps a full bucket of rows and attends to its own tokens only, so that what it finds
does not depend on the prefixes beside it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache

from impossible.generation.constrained.automaton import Automaton
from impossible.generation.constrained.beam_search import Hypothesis, Soft, beam_search
from impossible.generation.constrained.constraints import Clause, ConstraintError, checked, one_each
from impossible.generation.constrained.sampling import MARKS
from impossible.generation.constrained.vocabulary import Vocabulary
from impossible.models.batching import token_ids
from impossible.models.causal_generation import check_window, decode
from impossible.models.kv_cache import SHARING, expanded, keep_prefixes, shared, sharing
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import BUCKET

__all__ = ["search_constrained"]

BATCH = 16_384  # tokens of prefixes and beams computed together
Longs = NDArray[np.int64]


@torch.inference_mode()
def search_constrained(
    lm: LanguageModel,
    prefixes: Sequence[str],
    constraints: Sequence[Sequence[Clause]],
    max_new_tokens: int | Sequence[int],
    soft: Soft | None = None,
    banned: Iterable[str] = (),
    batch_tokens: int = BATCH,
    skip: bool = False,
) -> list[tuple[list[str], int]]:
    """The best sentences after each prefix by `beams.beam_search`.

    Args:
        lm: the teacher.
        prefixes, constraints: for each prefix its clauses.
        max_new_tokens: longest sentence, tokens; one number, or one for each prefix.
        soft: settings of the search.
        banned: characters that are never generated.
        batch_tokens: most tokens computed together, of prefixes and of their beams at full length
            (at least one prefix); memory only, no effect on the result.
        skip: a prefix whose constraints cannot be met has no sentences and costs nothing, instead
            of an error for all.

    Returns:
        For each prefix (its sentences, best first; tokens that the teacher computed, all beams).
        Many differ in little, an end mark or an article, as beams do; one cut at the most tokens
        has no end mark.

    Raises:
        ConstraintError: constraints cannot be met (or, with `soft.hard`, not in max_new_tokens);
            not one set of clauses for each prefix.
        ModelError: a prefix is empty or too long for the window.

    Example:
        `search_constrained(lm, [context], [[must("court"), must_not("jury")]], 40)[0][0]` are the
        sentences after a context, of which the best hold "court".
    """
    one_each(prefixes, constraints, "sets of constraints")
    constraints = [checked(cnf) for cnf in constraints]
    settings = soft or Soft()
    longest = (
        [max_new_tokens] * len(prefixes) if isinstance(max_new_tokens, int) else max_new_tokens
    )
    vocabulary = Vocabulary.of(lm.tokenizer, MARKS, tuple(banned))
    ids = token_ids(lm.tokenizer, list(prefixes), True)
    for prefix, row, most in zip(prefixes, ids, longest, strict=True):
        check_window(lm, prefix, len(row), most)
    compiled: dict[Hashable, Automaton] = {}
    fine = []
    for place, (cnf, prefix, most) in enumerate(zip(constraints, prefixes, longest, strict=True)):
        try:
            if tuple(cnf) not in compiled:
                compiled[tuple(cnf)] = Automaton(tuple(cnf), vocabulary)
            if settings.hard:
                compiled[tuple(cnf)].require(most, prefix)
        except ConstraintError:
            if not skip:
                raise
        else:
            fine.append(place)
    results: list[tuple[list[str], int]] = [([], 0) for _ in prefixes]
    ragged = lm.model.config.model_type in SHARING
    costs = {i: len(ids[i]) + _full(settings.width) * longest[i] for i in fine}
    for chunk in _chunks({i: len(ids[i]) for i in fine}, costs, batch_tokens, ragged):
        stepper = _Stepper(lm, [ids[i] for i in chunk], settings.width)
        with sharing(lm.model) if ragged else nullcontext():
            found = beam_search(
                stepper.forward,
                stepper.reorder,
                stepper.first,
                [compiled[tuple(constraints[i])] for i in chunk],
                [longest[i] for i in chunk],
                settings,
                [prefixes[i] for i in chunk],
            )
        for i, (texts, computed) in zip(chunk, found, strict=True):
            results[i] = (_texts(lm, texts), computed)
    return results


def _texts(lm: LanguageModel, found: Iterable[Hypothesis]) -> list[str]:
    """Different texts, in order."""
    return list(dict.fromkeys(decode(lm.tokenizer, list(each.tokens)) for each in found))


def _full(width: int) -> int:
    """Rows of one prefix: full buckets."""
    return -(-width // BUCKET) * BUCKET


def _chunks(
    lengths: dict[int, int], costs: dict[int, int], budget: int, ragged: bool
) -> Iterator[list[int]]:
    """Places of prefixes that are computed together; of one length unless they may be ragged."""
    chunk: list[int] = []
    spent = 0
    for place in lengths if ragged else sorted(lengths, key=lengths.__getitem__):
        other = not ragged and lengths[place] != lengths[chunk[0] if chunk else place]
        if chunk and (other or spent + costs[place] > budget):
            yield chunk
            chunk, spent = [], 0
        chunk.append(place)
        spent += costs[place]
    if chunk:
        yield chunk


class _Stepper:
    """The model after prefixes; the beams of each fill a block of rows, the first one repeated.

    Args:
        lm: the model.
        prefixes: token ids; of one length unless the model can share prefixes.
        width: most beams of a prefix.

    Attributes:
        first: logits after each prefix (prefixes, vocabulary).
    """

    def __init__(self, lm: LanguageModel, prefixes: Sequence[list[int]], width: int) -> None:
        self.lm, self.rows = lm, _full(width)
        self.ragged = lm.model.config.model_type in SHARING
        once = [DynamicCache() for _ in prefixes]
        self.first = torch.cat([self._read(*pair) for pair in zip(prefixes, once, strict=True)])
        self.lengths = np.array([len(prefix) for prefix in prefixes])
        self.open: Longs = np.arange(len(prefixes))  # the prefix of each block
        self.slots = self._to(self.open * self.rows)  # the row of each beam
        self._filled, self._steps = self.slots, 0
        if self.ragged:
            self.cache = shared(once, self.rows)
        else:
            self.cache = expanded(_joined(once), self._to(np.repeat(self.open, self.rows)))

    def _read(self, prefix: list[int], cache: DynamicCache) -> Tensor:
        ids = torch.tensor([prefix], device=self.lm.device)
        logits: Tensor = self.lm.model(input_ids=ids, past_key_values=cache, use_cache=True).logits
        return logits[:, -1]

    def _to(self, numbers: Longs) -> Tensor:
        return torch.from_numpy(numbers).to(self.lm.device)

    def reorder(self, kept: Tensor, owner: Longs) -> None:
        """Let the beams be those that continue `kept`; drop the blocks of prefixes that closed."""
        numbers, starts, counts = np.unique(owner, return_index=True, return_counts=True)
        place = np.arange(self.rows)
        filled = np.where(place < counts[:, None], place, 0) + starts[:, None]  # beam of each row
        self._filled = self._to(filled.ravel())
        self.cache.reorder_cache(self.slots[kept][self._filled])  # type: ignore[arg-type]
        if self.ragged and len(numbers) < len(self.open):
            keep_prefixes(self.cache, np.searchsorted(self.open, numbers).tolist())
        block = np.repeat(np.arange(len(numbers)), counts)
        self.slots = self._to(block * self.rows + np.arange(len(owner)) - np.repeat(starts, counts))
        self.open = numbers

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (beams, vocabulary) after one more token of each beam."""
        places = np.repeat(self.lengths[self.open] + self._steps, self.rows)[:, None]
        positions = {"position_ids": self._to(places)} if self.ragged else {}
        self._steps += 1
        ids = tokens[self._filled][:, None]
        step = self.lm.model(input_ids=ids, past_key_values=self.cache, use_cache=True, **positions)
        logits: Tensor = step.logits[self.slots, -1]
        return logits


def _joined(caches: Sequence[DynamicCache]) -> DynamicCache:
    """One cache with the rows of caches of the same length."""
    layers = zip(*(cache.layers for cache in caches), strict=True)
    pairs = [
        tuple(torch.cat([getattr(one, name) for one in layer]) for name in ("keys", "values"))
        for layer in layers
    ]
    return DynamicCache(pairs)
