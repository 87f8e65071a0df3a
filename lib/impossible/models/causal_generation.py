"""Sample sentences from a language model (paper §3.1).

The unit of work is one prefix with its samples: its keys and values are computed once and shared,
and a sample stops as soon as its sentence is certain to be complete. Random numbers are given, so
that the same unit gives the same texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import (
    DynamicCache,
    LogitsProcessor,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
)

from impossible.errors import ModelError
from impossible.models.batching import as_memory_allows, token_ids
from impossible.models.kv_cache import SHARING, shared, sharing
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.sentence_boundaries import sentence_end

Uniforms = NDArray[np.float64]
Test = Callable[[int, str], bool]
TextOf = Callable[[list[int]], str]
Ends = Callable[[int, list[int]], bool]
_MARKS = frozenset(".?!")
_FULL = 7 / 8  # of the rows in use, below which complete samples leave the batch


@torch.inference_mode()
def sample_continuations(
    lm: LanguageModel,
    prefix: str,
    uniforms: Uniforms,
    nucleus: Nucleus,
    rules: Sequence[LogitsProcessor] | None = None,
    sentences: int | Test = 1,
) -> list[str]:
    """Sample k continuations of one prefix, computed together.

    Args:
        lm: the teacher.
        prefix: a context.
        uniforms: numbers in [0, 1), shape (k, max_new_tokens), from `item_rng(…).random(shape)`.
        nucleus: top_p and temperature.
        rules: logits processors, from `text_rules` by default; they see prefix and sample.
        sentences: sentences after which a sample may stop, or a test of (sample, its text so far),
            asked after each token once the text has an end mark.

    Returns:
        k raw continuations. Each holds at least its first `sentences` sentences and perhaps the
        start of the next: its first sentence is what it would be had the sample gone on.

    Raises:
        ModelError: the prefix is empty, or with max_new_tokens exceeds the context length.
    """
    k, longest = uniforms.shape
    (row,) = lm.tokenizer([prefix]).input_ids
    check_window(lm, prefix, len(row), longest)
    apply: Any = LogitsProcessorList(text_rules(lm) if rules is None else rules)
    text_of = _text_after(lm.tokenizer, row)
    complete = sentences if callable(sentences) else _has(sentences)
    finished = _end_test(lm, k, complete, text_of)

    def sample(chosen: list[int]) -> list[list[int]]:
        numbers = torch.from_numpy(np.ascontiguousarray(uniforms[chosen])).to(lm.device)
        return _sample(
            lm, row, numbers, nucleus, apply, lambda i, tokens: finished(chosen[i], tokens)
        )

    texts = [""] * k
    for chosen, samples in as_memory_allows([list(range(k))] if k else [], sample):
        for i, tokens in zip(chosen, samples, strict=True):
            texts[i] = text_of(tokens)
    return texts


def _sample(
    lm: LanguageModel, row: list[int], numbers: Tensor, nucleus: Nucleus, apply: Any, finished: Ends
) -> list[list[int]]:
    """Tokens of samples after the tokens `row`; numbers: (samples, most tokens)."""
    k, longest = numbers.shape
    ids = torch.tensor([row], device=lm.device).expand(k, -1)
    tokens: list[list[int]] = [[] for _ in range(k)]
    slots, done = list(range(k)), set[int]()  # the sample of each row, and those that are complete
    logits, cache = _read_prefix(lm, ids[:1], k)
    with sharing(lm.model) if lm.model.config.model_type in SHARING else nullcontext():
        for step in range(longest):
            picked = nucleus.choose(apply(ids, logits.float()), numbers[slots, step])
            for sample, token in zip(slots, picked.tolist(), strict=True):
                if sample not in done:
                    tokens[sample].append(token)
                    done |= {sample} if finished(sample, tokens[sample]) else set()
            if len(done) == k or step + 1 == longest:
                break
            going = [i for i, sample in enumerate(slots) if sample not in done]
            if len(going) <= _FULL * len(slots):
                kept = torch.tensor(going, device=lm.device)
                cache.reorder_cache(kept)
                ids, picked, slots = ids[kept], picked[kept], [slots[i] for i in going]
            ids = torch.cat([ids, picked[:, None]], dim=1)
            out = lm.model(input_ids=picked[:, None], past_key_values=cache, use_cache=True)
            logits = out.logits[:, -1]
    return tokens


def _read_prefix(lm: LanguageModel, ids: Tensor, k: int) -> tuple[Tensor, Any]:
    """Logits after the prefix (1, length), one line per sample, and the cache of k samples."""
    cache = DynamicCache()
    out = lm.model(input_ids=ids, past_key_values=cache, use_cache=True)
    if lm.model.config.model_type in SHARING:
        return out.logits[:, -1].expand(k, -1), shared(cache, k)
    cache.batch_repeat_interleave(k)
    return out.logits[:, -1].expand(k, -1), cache


def _has(sentences: int) -> Test:
    """Whether a text holds so many sentences, however it goes on."""
    return lambda _, text: sentence_end(text, sentences, final=False) >= 0


def _end_test(lm: LanguageModel, k: int, complete: Test, text_of: TextOf) -> Ends:
    """Whether a sample is complete; text is decoded only after a token with an end mark."""
    marked = [bool(_MARKS & set(text)) for text in _token_texts(lm.tokenizer)]
    ends = end_ids(lm)
    pending = [False] * k

    def finished(sample: int, tokens: list[int]) -> bool:
        last = tokens[-1]
        if last in ends:
            return True
        pending[sample] = pending[sample] or marked[last]
        if not pending[sample]:
            return False
        text = text_of(tokens).rstrip("\ufffd")  # half of a character may follow
        return complete(sample, text)

    return finished


def text_rules(
    lm: LanguageModel, banned: Iterable[str] = (), no_repeat_ngram_size: int = 0
) -> list[LogitsProcessor]:
    """Logits processors: only text or the end is generated.

    Args:
        lm: the teacher.
        banned: characters; a token that has one of them is never generated (paper: a newline).
        no_repeat_ngram_size: n > 0 forbids any n-gram of tokens to occur twice, also from the
            prefix (released code: 3).

    Raises:
        ModelError: a banned string is longer than a character.
    """
    characters = set(banned)
    if any(len(character) != 1 for character in characters):
        raise ModelError(
            f"banned strings must be single characters, got {sorted(characters)}; "
            "a longer string can be spread over several tokens"
        )
    texts = _token_texts(lm.tokenizer)
    # a special token is no text, though "<|endoftext|>" has characters; an end may be chosen
    special = set(lm.tokenizer.all_special_ids)
    tokens = {i for i, text in enumerate(texts) if characters & set(text) and i not in special}
    tokens |= special - end_ids(lm)
    tokens |= set(range(len(texts), lm.model.config.vocab_size))  # they pad the matrix
    rules: list[LogitsProcessor] = [_Never(torch.tensor(sorted(tokens), device=lm.device))]
    return rules + [NoRepeatNGramLogitsProcessor(n) for n in [no_repeat_ngram_size] if n]


class _Never(LogitsProcessor):
    """These tokens are never generated; transformers' own searches the vocabulary at every step."""

    def __init__(self, tokens: Tensor) -> None:
        self.tokens = tokens.long()

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.index_fill(-1, self.tokens, -torch.inf)


def check_window(lm: LanguageModel, text: str, length: int, added: int) -> None:
    """Raise a ModelError for an empty context, or one that is too long with `added` new tokens."""
    if length == 0:
        raise ModelError("a context must not be empty; give it a prefix such as 'Abstract:'")
    if length + added > lm.window:
        raise ModelError(
            f"a context of {length} tokens with {added} new ones exceeds the window of {lm.window} "
            f"tokens of {lm.name!r}; shorten the context or lower max_new_tokens: {text[:60]!r}…"
        )


def end_ids(lm: LanguageModel) -> frozenset[int]:
    """The token that ends a text, if the tokenizer has one."""
    return frozenset({lm.tokenizer.eos_token_id} - {None})


def decode(tokenizer: Any, tokens: list[int]) -> str:
    """The text of some tokens, without special ones."""
    text: str = tokenizer.decode(
        tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return text


def _text_after(tokenizer: Any, row: list[int]) -> TextOf:
    """How tokens read that follow those of `row`, with the blank between them."""
    if not _loses_blanks(tokenizer):
        return partial(decode, tokenizer)
    start = len(decode(tokenizer, row))
    return lambda tokens: decode(tokenizer, [*row, *tokens])[start:]


@lru_cache(maxsize=8)
def _loses_blanks(tokenizer: Any) -> bool:
    """Whether a text read from its middle begins without its blank: SentencePiece, CTRL, BioGPT."""
    (ids,) = token_ids(tokenizer, ["The mayor visited the school."], False)
    parts = ((decode(tokenizer, ids[:i]), decode(tokenizer, ids[i:])) for i in range(len(ids)))
    return any(before + after != decode(tokenizer, ids) for before, after in parts)


@lru_cache(maxsize=8)
def _token_texts(tokenizer: Any) -> tuple[str, ...]:
    """Text of each token."""
    return tuple(
        tokenizer.decode([i], clean_up_tokenization_spaces=False) for i in range(len(tokenizer))
    )
