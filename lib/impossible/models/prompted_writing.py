"""Write several texts after each of many prompts, all together.

What a decoder-only student does: `transformers`' `generate` in fewer passes and without copies. A
row leaves the batch when its text is complete, and what it draws is decided by its own numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, LogitsProcessor

from impossible.models.kv_cache import in_rows, sharing
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus

WRITERS = frozenset({"gpt2", "llama"})  # decoders that `write_after` can run

_FULL = 7 / 8  # of the rows in use, below which complete ones leave the batch


@torch.inference_mode()
def write_after(
    lm: LanguageModel,
    prompts: Sequence[list[int]],
    uniforms: Tensor,
    nucleus: Nucleus,
    ends: Collection[int],
    at_first: Iterable[LogitsProcessor] = (),
) -> list[list[int]]:
    """Sample texts after prompts.

    Args:
        lm: a model of `WRITERS`.
        prompts: their token ids, none empty.
        uniforms: numbers in [0, 1), (prompts, n, longest text in tokens); 0 takes the most probable
            token.
        nucleus: top_p and temperature.
        ends: tokens that end a text and do not belong to it.
        at_first: rules of the first token of each text.

    Returns:
        Token ids of n texts after each prompt, prompt by prompt.
    """
    n, longest = uniforms.shape[1:]
    logits, cache, places = _read(lm, prompts, n, longest)
    nothing = torch.empty(len(logits), 0, dtype=torch.long, device=lm.device)
    for rule in at_first:
        logits = rule(nothing, logits)
    numbers = uniforms.flatten(0, 1).to(lm.device)
    written: list[list[int]] = [[] for _ in range(len(numbers))]
    slots, done = list(range(len(numbers))), set[int]()  # the text of each row; complete texts
    with sharing(lm.model):
        for step in range(longest):
            picked = nucleus.choose(logits.float(), numbers[:, step])
            for text, token in zip(slots, picked.tolist(), strict=True):
                if token in ends:
                    done.add(text)
                elif text not in done:
                    written[text].append(token)
            if len(done) == len(written) or step + 1 == longest:
                break
            going = [i for i, text in enumerate(slots) if text not in done]
            if len(going) <= _FULL * len(slots):
                kept = torch.tensor(going, device=lm.device)
                cache.reorder_cache(kept)
                picked, numbers, places = picked[kept], numbers[kept], places[kept]
                slots = [slots[i] for i in going]
            places = places + 1
            out = lm.model(
                input_ids=picked[:, None], position_ids=places, past_key_values=cache,
                use_cache=True,
            )  # fmt: skip
            logits = out.logits[:, -1]
    return written


def _read(
    lm: LanguageModel, prompts: Sequence[list[int]], n: int, longest: int
) -> tuple[Tensor, Any, Tensor]:
    """Logits after each prompt, n times; the cache of all rows; the last position of each row."""
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in prompts], device=lm.device)
    lengths = torch.tensor([len(row) for row in prompts], device=lm.device)
    mask = torch.arange(width, device=lm.device) >= width - lengths[:, None]
    cache = DynamicCache()
    # the last position as an index, not as a slice, of which the output layer copies its weights
    out = lm.model(
        input_ids=ids, attention_mask=mask.long(), past_key_values=cache, use_cache=True,
        position_ids=(mask.long().cumsum(-1) - 1).clamp(min=0),
        logits_to_keep=torch.tensor([width - 1], device=lm.device),
    )  # fmt: skip
    bias = torch.zeros(mask.shape, dtype=out.logits.dtype, device=lm.device)
    bias = torch.nn.functional.pad(bias.masked_fill(~mask, -torch.inf), (0, longest))
    bias = bias.repeat_interleave(n, 0)[:, None, None]
    rows = out.logits[:, -1].repeat_interleave(n, 0)
    return rows, in_rows(cache, bias, n), (lengths - 1).repeat_interleave(n)[:, None]
