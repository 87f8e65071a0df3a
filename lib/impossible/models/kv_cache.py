"""Keys and values written in place: of samples that share one prefix, or of rows of their own.

`transformers` copies the whole cache at every token, and the keys of a group of query heads once
for each of them. Here the samples of one context attend to one copy of its prefix by a plain matrix
product, and to their own tokens, 5-10 times faster than by its attention on CPU; rows after
different prompts attend to their own keys, a group of heads at once, 6 times faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface, DynamicCache
from transformers.cache_utils import DynamicLayer

SHARING = frozenset({"gpt2", "biogpt", "llama"})  # decoders whose attention is the plain one
_GROWTH = 32  # positions added to a full layer at once
_ATTENTION = "impossible_in_place"


class _SharedLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values of one layer: those of the prefix, and of the samples' own tokens.

    Args:
        keys, values: of the prefix, (1, heads, positions, size).
        rows: samples.
    """

    def __init__(self, keys: Tensor, values: Tensor, rows: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self.prefix_keys, self.prefix_values = keys[0], values[0]  # (heads, positions, size)
        self._length = 0
        _, heads, _, size = keys.shape
        self._room = keys.new_empty((2, rows, heads, _GROWTH, size))  # keys, values

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        """Write one position; attention is handed the layer itself."""
        if self._length == self._room.shape[3]:
            self._room = torch.cat([self._room, torch.empty_like(self._room[:, :, :, :_GROWTH])], 3)
        self._room[0, :, :, self._length] = key_states[:, :, 0]
        self._room[1, :, :, self._length] = value_states[:, :, 0]
        self._length += 1
        self.keys, self.values = self._room[:, :, :, : self._length]
        return self, self

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Keep these rows."""
        self._room = self._room.index_select(1, beam_idx)

    def get_seq_length(self) -> int:
        """Positions seen, with the prefix."""
        return self.prefix_keys.shape[1] + self._length


def shared(cache: DynamicCache, rows: int) -> DynamicCache:
    """A cache of `rows` samples that share the one row of `cache` (inside `sharing` only)."""
    result, layers = DynamicCache(), list[Any](cache.layers)
    result.layers = [_SharedLayer(layer.keys, layer.values, rows) for layer in layers]
    return result


class _RowLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values of one layer, every row with a prompt of its own and room to write.

    Args:
        keys, values: of the prompts, (rows, heads, positions, size), padded on the left.
        bias: -inf where a row is padded, else 0, (rows, 1, 1, positions + steps).
    """

    def __init__(self, keys: Tensor, values: Tensor, bias: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self.bias, self._length = bias, keys.shape[2]
        rows, heads, _, size = keys.shape
        self._room = keys.new_empty((2, rows, heads, bias.shape[-1], size))  # keys, values
        self._room[:, :, :, : self._length] = torch.stack([keys, values])

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        """Write one position; attention is handed the layer itself."""
        self._room[0, :, :, self._length] = key_states[:, :, 0]
        self._room[1, :, :, self._length] = value_states[:, :, 0]
        self._length += 1
        return self, self

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Keep these rows."""
        self._room, self.bias = self._room.index_select(1, beam_idx), self.bias[beam_idx]

    @property
    def heads(self) -> int:
        """Heads of keys."""
        return self._room.shape[2]

    def get_seq_length(self) -> int:
        """Positions seen, with padding."""
        return self._length

    def attend(self, query: Tensor, scaling: float) -> Tensor:
        """(rows, heads of keys, group, size) → the same."""
        keys, values = self._room[:, :, :, : self._length]
        bias = self.bias[..., : self._length]
        return functional.scaled_dot_product_attention(query, keys, values, bias, scale=scaling)


def in_rows(cache: DynamicCache, bias: Tensor, repeats: int) -> DynamicCache:
    """A cache of `repeats` rows after each prompt of `cache`, to be written (inside `sharing`).

    Args:
        cache: of prompts padded on the left.
        bias: see `_RowLayer`, of all rows.
        repeats: rows for each prompt.
    """
    result, layers = DynamicCache(), list[Any](cache.layers)
    result.layers = [
        _RowLayer(
            layer.keys.repeat_interleave(repeats, 0), layer.values.repeat_interleave(repeats, 0),
            bias,
        )
        for layer in layers
    ]  # fmt: skip
    return result


@contextmanager
def sharing(model: Any) -> Iterator[None]:
    """Let `model` attend to caches of `shared` and `in_rows`."""
    kept = model.config._attn_implementation
    model.config._attn_implementation = _ATTENTION
    try:
        yield
    finally:
        model.config._attn_implementation = kept


def _attend(
    module: Any, query: Tensor, layer: Any, _: Any, mask: Any, scaling: float, **__: Any
) -> tuple[Tensor, None]:
    """Attention of one new token per row: query (rows, heads, 1, size) → (rows, 1, heads, size).

    A head of keys may serve a group of query heads, as in Llama.
    """
    rows, heads, _one, size = query.shape
    if isinstance(layer, _RowLayer):
        groups = query.view(rows, layer.heads, heads // layer.heads, size)
        return layer.attend(groups, scaling).reshape(rows, 1, heads, size), None
    kv, prefix = layer.prefix_keys.shape[:2]
    grouped = query.view(rows, kv, heads // kv, size)
    to_own = (grouped.unsqueeze(3) * layer.keys.unsqueeze(2)).sum(-1)  # (rows, kv, group, own)
    flat = grouped.transpose(0, 1).reshape(kv, -1, size)  # (kv, rows · group, size)
    to_prefix = (flat @ layer.prefix_keys.transpose(1, 2)).view(kv, rows, -1, prefix)
    scores = torch.cat([to_prefix.transpose(0, 1), to_own], -1).float() * scaling
    weights = scores.softmax(-1).to(query.dtype)  # (rows, kv, group, prefix + own)
    on_prefix = weights[..., :prefix].transpose(0, 1).reshape(kv, -1, prefix)
    from_prefix = (on_prefix @ layer.prefix_values).view(kv, rows, -1, size).transpose(0, 1)
    from_own = (weights[..., prefix:].unsqueeze(-1) * layer.values.unsqueeze(2)).sum(3)
    return (from_prefix + from_own).reshape(rows, 1, heads, size), None


AttentionInterface.register(_ATTENTION, _attend)
