"""Sample sentences from a language model (paper §3.1).

The prefix of a context is computed once and its cache shared by all samples; a sample stops as
soon as its sentence is certain to be complete. Results do not depend on how rows and contexts are
batched: a text is a function of its prefix, its uniforms and the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache

from impossible.errors import ModelError
from impossible.models.batching import token_ids
from impossible.models.kv_cache import SHARING, expanded, shared, sharing
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus, bucketed_rows, generate
from impossible.text.sentence_boundaries import find_sentence_end

__all__ = [
    "Nucleus",
    "banning",
    "check_window",
    "continuations",
    "decode",
    "end_ids",
    "sample_contexts",
    "sample_continuations",
]

MARKS = frozenset(".?!")
ROWS = 512  # most samples in one forward pass
Uniforms = NDArray[np.float64]
Forbid = Callable[[Tensor, Sequence[int], list[list[int]]], Tensor]
SENTENCE = Nucleus(0.9, 0.7)
CONTEXT = Nucleus(0.9, 1.0)


@torch.inference_mode()
def sample_continuations(
    lm: LanguageModel,
    prefixes: Sequence[str],
    uniforms: Sequence[Uniforms],
    nucleus: Nucleus = SENTENCE,
    banned: Iterable[str] = (),
    sentences: int | Sequence[int] = 1,
    no_repeat_ngram_size: int = 0,
    rows: int = ROWS,
) -> list[list[str]]:
    """Sample k continuations after each prefix.

    Args:
        lm: the teacher.
        prefixes: contexts.
        uniforms: for each prefix an array (k, max_new_tokens) of numbers in [0, 1), from
            `store.item_rng(seed, stage, context_id).random((k, max_new_tokens))`.
        nucleus: top_p and temperature; the paper's are 0.9 and 0.7 (code: 0.5).
        banned: characters that are never generated (paper: a newline for news).
        sentences: sentences after which a sample may stop; one number, or one for each prefix.
        no_repeat_ngram_size: n > 0 forbids any n-gram to occur twice (released code: 3).
        rows: most samples computed together; memory only, no effect on the result.

    Returns:
        For each prefix k raw continuations. Each holds at least its first `sentences` sentences
        and perhaps the start of the next: `text.sentences.first_sentence` is what it would be had
        the sample gone on to max_new_tokens.

    Raises:
        ModelError: a prefix is empty, or with max_new_tokens exceeds the model's window.
    """
    wanted = [sentences] * len(prefixes) if isinstance(sentences, int) else list(sentences)
    ids = dict(zip(prefixes, token_ids(lm.tokenizer, list(prefixes), True), strict=True))
    groups: dict[tuple[str, int], list[tuple[int, int]]] = {}  # (prefix, length) → its samples
    for i, (prefix, numbers) in enumerate(zip(prefixes, uniforms, strict=True)):
        k, longest = numbers.shape
        check_window(lm, prefix, len(ids[prefix]), longest)
        groups.setdefault((prefix, longest), []).extend((i, sample) for sample in range(k))
    results: list[list[str]] = [[""] * len(numbers) for numbers in uniforms]
    for (prefix, _), samples in groups.items():
        forbid = banning(lm, banned, no_repeat_ngram_size, ids[prefix])
        for start in range(0, len(samples), rows):
            part = samples[start : start + rows]
            numbers = np.stack([uniforms[i][sample] for i, sample in part])
            counts = [wanted[i] for i, _ in part]
            texts = continuations(lm, ids[prefix], numbers, nucleus, counts, forbid)
            for (i, sample), text in zip(part, texts, strict=True):
                results[i][sample] = text
    return results


@torch.inference_mode()
def continuations(
    lm: LanguageModel,
    prefix: list[int],
    uniforms: Uniforms,
    nucleus: Nucleus,
    sentences: Sequence[int],
    forbid: Forbid,
) -> list[str]:
    """Sample continuations of one prefix, computed together; its cache is shared by all rows.

    Args:
        lm: the teacher.
        prefix: token ids, at least one; `check_window` tells whether they fit.
        uniforms: (rows, max_new_tokens) numbers in [0, 1), one row per continuation.
        nucleus: top_p and temperature.
        sentences: for each row the sentences after which it may stop.
        forbid: puts tokens that must not follow at -inf, such as `banning`.

    Returns:
        Raw text of each row, as in `sample_continuations`.
    """
    once = DynamicCache()
    batch = torch.tensor([prefix], device=lm.device)
    out = lm.model(input_ids=batch, past_key_values=once, use_cache=True)
    rows = len(bucketed_rows(range(len(uniforms))))
    plain = lm.model.config.model_type in SHARING
    copies = torch.zeros(rows, dtype=torch.long, device=lm.device)
    cache = shared(once, rows) if plain else expanded(once, copies)

    def keep(kept: Any) -> None:
        cache.reorder_cache(kept)

    def forward(tokens: Tensor) -> Tensor:
        step = lm.model(input_ids=tokens, past_key_values=cache, use_cache=True)
        result: Tensor = step.logits[:, -1]
        return result

    logits = out.logits[:, -1].expand(rows, -1)
    finished = _sentence_test(lm, sentences)
    with sharing(lm.model) if plain else nullcontext():
        tokens = generate(forward, keep, logits, uniforms, nucleus, finished, forbid)
    return [decode(lm.tokenizer, row) for row in tokens]


def sample_contexts(
    lm: LanguageModel,
    prefixes: Sequence[str],
    n_sentences: Sequence[int],
    uniforms: Sequence[Uniforms],
    nucleus: Nucleus = CONTEXT,
    banned: Iterable[str] = (),
) -> list[str]:
    """Write one context per prefix: the prefix and `n_sentences` sentences (paper §3.1).

    Args:
        lm: the teacher.
        prefixes: opening lines; may repeat.
        n_sentences: sentences wanted after each prefix, ≥ 1.
        uniforms: for each context an array (max_new_tokens,).
        nucleus: the paper's is 0.9 at temperature 1.0.
        banned: characters that are never generated.

    Returns:
        Texts `prefix + " " + sentences`, or "" where the model ended before enough sentences.
    """
    arrays = [np.asarray(u)[None] for u in uniforms]
    raw = sample_continuations(lm, prefixes, arrays, nucleus, banned, n_sentences)
    cut = [_cut(texts[0], n) for texts, n in zip(raw, n_sentences, strict=True)]
    return [f"{p} {text}".strip() if text else "" for p, text in zip(prefixes, cut, strict=True)]


def _cut(text: str, sentences: int) -> str:
    """The first sentences of a text, or '' if it has fewer."""
    end = _end_of(text, sentences, final=True)
    return " ".join(text[:end].split()) if end >= 0 else ""


def _end_of(text: str, sentences: int, final: bool) -> int:
    """Index after the n-th sentence, -1 if it is not (surely) complete."""
    end = 0
    for _ in range(sentences):
        step = find_sentence_end(text[end:], final=final)
        if step < 0:
            return -1
        end += step
    return end


def _sentence_test(lm: LanguageModel, sentences: Sequence[int]) -> Callable[[int, list[int]], bool]:
    """Whether a row is complete; text is decoded only after a token with an end mark."""
    texts = _token_texts(lm.tokenizer)
    marked = [bool(MARKS & set(text)) for text in texts]
    ends = end_ids(lm)
    pending = [False] * len(sentences)

    def finished(row: int, tokens: list[int]) -> bool:
        last = tokens[-1]
        if last in ends:
            return True
        pending[row] = pending[row] or marked[last]
        if not pending[row]:
            return False
        text = decode(lm.tokenizer, tokens).rstrip("\ufffd")  # half of a character may follow
        return _end_of(text, sentences[row], final=False) >= 0

    return finished


def banning(
    lm: LanguageModel, banned: Iterable[str], ngram: int = 0, prefix: Sequence[int] = ()
) -> Forbid:
    """What never follows: tokens with a banned character, no text, or a repeated n-gram.

    Args:
        lm: the teacher.
        banned: single characters; a token that has one of them is never generated.
        ngram: n > 0 forbids any n-gram of tokens to occur twice, 0 allows it.
        prefix: token ids before the continuation, whose n-grams count too.

    Returns:
        A `forbid` for `continuations`: logits (slots, vocabulary) with -inf where forbidden.

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
    tokens = [i for i, text in enumerate(texts) if characters & set(text) and i not in special]
    # other special tokens, and entries that pad the matrix, are no text
    tokens += special - end_ids(lm)
    tokens += range(len(texts), lm.model.config.vocab_size)
    out = torch.tensor(sorted(set(tokens)), dtype=torch.long, device=lm.device)
    bias = torch.zeros(lm.model.config.vocab_size, device=lm.device)
    bias[out] = -torch.inf

    def forbid(logits: Tensor, rows: Sequence[int], sampled: list[list[int]]) -> Tensor:
        logits = logits.float() + bias
        for slot, row in enumerate(rows if ngram else ()):
            logits[slot, _repeats([*prefix, *sampled[row]], ngram)] = -torch.inf
        return logits

    return forbid


def _repeats(tokens: list[int], n: int) -> list[int]:
    """Tokens that would make an n-gram occur twice."""
    tail = tokens[len(tokens) - n + 1 :]
    spans = range(len(tokens) - n + 1)
    return [tokens[i + n - 1] for i in spans if tokens[i : i + n - 1] == tail]


def check_window(lm: LanguageModel, text: str, length: int, added: int) -> None:
    if length == 0:
        raise ModelError("a context must not be empty; give it a prefix such as 'Abstract:'")
    if length + added > lm.window:
        raise ModelError(
            f"a context of {length} tokens with {added} new ones exceeds the window of {lm.window} "
            f"tokens of {lm.name!r}; shorten the context or lower max_new_tokens: {text[:60]!r}…"
        )


def end_ids(lm: LanguageModel) -> frozenset[int]:
    return frozenset({lm.tokenizer.eos_token_id} - {None})


def decode(tokenizer: Any, tokens: list[int]) -> str:
    text: str = tokenizer.decode(
        tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return text


@lru_cache(maxsize=8)
def _token_texts(tokenizer: Any) -> tuple[str, ...]:
    """Text of each token."""
    return tuple(
        tokenizer.decode([i], clean_up_tokenization_spaces=False) for i in range(len(tokenizer))
    )
