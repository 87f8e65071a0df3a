"""Let an encoder-decoder rewrite sentences: candidates of a student, translations (paper §3.3).

Results do not depend on how rows are batched: a text is a function of its source, its uniforms, the
constraints and the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache

from impossible.models.batching import token_ids
from impossible.models.causal_generation import (
    CONTEXT,
    ROWS,
    Forbid,
    Uniforms,
    check_window,
    decode,
    end_ids,
)
from impossible.models.kv_cache import expanded
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus, bucketed_rows, generate

__all__ = ["GREEDY", "generate_candidates", "rewrite"]

GREEDY = Nucleus(greedy=True)


def rewrite(model: LanguageModel, sources: Sequence[str], max_new_tokens: int = 100) -> list[str]:
    """The most probable output for each source, token by token.

    Args:
        model: an encoder-decoder.
        sources: what it reads.
        max_new_tokens: longest output, tokens.

    Raises:
        ModelError: a source is longer than the model's window.
    """
    zeros = [np.zeros((1, max_new_tokens))] * len(sources)
    return [found[0] for found in generate_candidates(model, sources, zeros, GREEDY)]


@torch.inference_mode()
def generate_candidates(
    student: LanguageModel,
    sources: Sequence[str],
    uniforms: Sequence[Uniforms],
    nucleus: Nucleus = CONTEXT,
    rows: int = ROWS,
    avoid: Sequence[Iterable[str]] = (),
) -> list[list[str]]:
    """Let a student write n candidates for each source (paper §3.3).

    Args:
        student: an encoder-decoder.
        sources: sentences to paraphrase.
        uniforms: for each source an array (n_candidates, max_new_tokens) in [0, 1).
        nucleus: the authors' code samples at 0.9; `Nucleus(greedy=True)` for evaluation.
        rows: most candidates computed together; no effect on the result.
        avoid: for each source, words that its candidates must not contain (negative lexical
            constraints), as spelled and with a capital; neither are words that begin with all
            pieces of such a word in the tokenizer. Empty: no constraints.

    Returns:
        For each source its n candidates, without surrounding blanks.

    Raises:
        ModelError: a source is longer than the student's window.
    """
    ids = token_ids(student.tokenizer, list(sources), True)
    for source, row in zip(sources, ids, strict=True):
        check_window(student, source, len(row), 0)
    results: list[list[str]] = [[] for _ in sources]
    shapes = [(len(row), u.shape) for row, u in zip(ids, uniforms, strict=True)]
    for batch in _batches(shapes, rows):
        numbers = np.concatenate([uniforms[i][a:b] for i, a, b in batch])
        parts = [(ids[i], b - a) for i, a, b in batch]
        words = [
            frozenset(avoid[i]) if avoid else frozenset() for i, a, b in batch for _ in range(a, b)
        ]
        tokens = _translate(student, parts, numbers, nucleus, _avoiding(student, words))
        for i, a, b in batch:
            results[i] += [decode(student.tokenizer, row).strip() for row in tokens[: b - a]]
            tokens = tokens[b - a :]
    return results


def _batches(
    shapes: Sequence[tuple[int, tuple[int, ...]]], rows: int
) -> list[list[tuple[int, int, int]]]:
    """Groups of (source, first candidate, last + 1), of equal length and ≤ `rows` candidates."""
    groups: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for i, (length, (k, longest)) in enumerate(shapes):
        pieces = [(i, start, min(start + rows, k)) for start in range(0, k, rows)]
        groups.setdefault((length, longest), []).extend(pieces)
    batches: list[list[tuple[int, int, int]]] = []
    for pieces in groups.values():
        size = rows
        for piece in pieces:
            added = piece[2] - piece[1]
            if size + added > rows:
                batches.append([])
                size = 0
            batches[-1].append(piece)
            size += added
    return batches


def _translate(
    student: LanguageModel,
    parts: Sequence[tuple[list[int], int]],
    uniforms: Uniforms,
    nucleus: Nucleus,
    forbid: Forbid,
) -> list[list[int]]:
    """Candidates for sources of equal length, each with its number of candidates."""
    model, device = student.model, student.device
    order = bucketed_rows(range(len(parts)))  # sources, the first repeated to fill the bucket
    source = torch.tensor([parts[i][0] for i in order], device=device)
    encoded = model.get_encoder()(input_ids=source)
    cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
    start = torch.full((len(order), 1), model.config.decoder_start_token_id, device=device)
    out = model(
        encoder_outputs=encoded, decoder_input_ids=start, past_key_values=cache, use_cache=True
    )
    copies = [i for i, (_, count) in enumerate(parts) for _ in range(count)]
    index = torch.tensor(bucketed_rows(copies), device=device)
    cache = EncoderDecoderCache(
        expanded(cache.self_attention_cache, index), expanded(cache.cross_attention_cache, index)
    )
    hidden = [encoded.last_hidden_state[index]]

    def keep(kept: Any) -> None:
        cache.reorder_cache(kept)
        hidden[0] = hidden[0][kept]

    def forward(tokens: Tensor) -> Tensor:
        step = model(
            encoder_outputs=(hidden[0],),
            decoder_input_ids=tokens,
            past_key_values=cache,
            use_cache=True,
        )
        result: Tensor = step.logits[:, -1]
        return result

    ends = end_ids(student)
    return generate(
        forward,
        keep,
        out.logits[:, -1][index],
        uniforms,
        nucleus,
        lambda row, tokens: tokens[-1] in ends,
        forbid,
    )


def _avoiding(student: LanguageModel, words: Sequence[frozenset[str]]) -> Forbid:
    """Puts the last piece of a row's unwanted words at -inf where the pieces before it stand."""
    forms = {word: _forms(word) for row in words for word in row}
    every = [form for found in forms.values() for form in found]
    pieces = dict(zip(every, token_ids(student.tokenizer, every, False), strict=True))
    unwanted = [
        {tuple(pieces[form]) for word in row for form in forms[word]} for row in words
    ]  # for each row sequences of tokens

    def forbid(logits: Tensor, rows: Sequence[int], sampled: list[list[int]]) -> Tensor:
        for slot, row in enumerate(rows if every else ()):
            for *before, last in unwanted[row]:
                if sampled[row][len(sampled[row]) - len(before) :] == before:
                    logits[slot, last] = -torch.inf
        return logits

    return forbid


def _forms(word: str) -> list[str]:
    """A word as it may stand in a text: inside or first, as it is or with a capital."""
    return [space + form for space in ("", " ") for form in (word, word[:1].upper() + word[1:])]
