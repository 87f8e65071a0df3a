"""Caches of keys and values that do not copy: room to grow, and one prefix shared by all samples.

`transformers` repeats the prefix for every sample and copies the whole cache at every token. Here
the samples of one context attend to one copy of its prefix by a plain matrix product, and to their
own tokens in a slab that is written in place: 5-10 times faster than its attention on CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, DynamicCache
from transformers.cache_utils import DynamicLayer

__all__ = ["SHARING", "expanded", "shared", "sharing"]

SHARING = frozenset({"gpt2", "biogpt"})  # decoders whose attention is the plain one
_GROWTH = 32  # positions added to a full slab at once
_ATTENTION = "impossible_shared_prefix"


class _Slab(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values of one layer with room to grow: a step writes one position, copies none."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self._length = keys.shape[2]
        self._keys, self._values = self._grown(keys), self._grown(values)
        self._show()

    def _grown(self, tensor: Tensor) -> Tensor:
        rows, heads, positions, size = tensor.shape
        larger = tensor.new_empty((rows, heads, positions + _GROWTH, size))
        larger[:, :, :positions] = tensor
        return larger

    def _show(self) -> None:
        self.keys = self._keys[:, :, : self._length]
        self.values = self._values[:, :, : self._length]

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        """Write the new positions and return all."""
        start, self._length = self._length, self._length + key_states.shape[2]
        while self._length > self._keys.shape[2]:
            self._keys, self._values = self._grown(self._keys), self._grown(self._values)
        self._keys[:, :, start : self._length] = key_states
        self._values[:, :, start : self._length] = value_states
        self._show()
        return self.keys, self.values

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Keep these rows."""
        self._keys = self._keys.index_select(0, beam_idx)
        self._values = self._values.index_select(0, beam_idx)
        self._show()


class _Shared(_Slab):  # type: ignore[no-untyped-call]
    """A slab for the samples' own tokens beside the prefix (heads, positions, size) they share."""

    def __init__(self, keys: Tensor, values: Tensor, rows: int) -> None:
        self.prefix_keys, self.prefix_values = keys[0], values[0]
        super().__init__(*(t[:, :, :0].expand(rows, -1, -1, -1) for t in (keys, values)))

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Any:
        """Write the new position; attention is handed the layer itself."""
        super().update(key_states, value_states)
        return self, self

    def get_seq_length(self) -> int:
        """Positions seen, with the prefix."""
        return self.prefix_keys.shape[1] + self._length


def expanded(cache: DynamicCache, rows: int) -> DynamicCache:
    """A cache of `rows` samples, each with a copy of the one row of `cache`, with room to grow."""
    result, layers = DynamicCache(), list[Any](cache.layers)
    result.layers = [
        _Slab(*(t.expand(rows, -1, -1, -1) for t in (layer.keys, layer.values))) for layer in layers
    ]
    return result


def shared(cache: DynamicCache, rows: int) -> DynamicCache:
    """A cache of `rows` samples that share the one row of `cache` (inside `sharing` only)."""
    result, layers = DynamicCache(), list[Any](cache.layers)
    result.layers = [_Shared(layer.keys, layer.values, rows) for layer in layers]
    return result


@contextmanager
def sharing(model: Any) -> Iterator[None]:
    """Let `model` attend to `shared` caches."""
    kept = model.config._attn_implementation
    model.config._attn_implementation = _ATTENTION
    try:
        yield
    finally:
        model.config._attn_implementation = kept


def _attend(
    module: Any, query: Tensor, layer: Any, _: Any, mask: Any, scaling: float, **__: Any
) -> tuple[Tensor, None]:
    """Attention of one new token per row: query (rows, heads, 1, size) → (rows, 1, heads, size)."""
    to_own = (query * layer.keys).sum(-1).transpose(0, 1)  # (heads, rows, own)
    single = query.transpose(0, 1)[:, :, 0]  # (heads, rows, size)
    to_prefix = single @ layer.prefix_keys.transpose(1, 2)  # (heads, rows, prefix)
    weights = (torch.cat([to_prefix, to_own], -1).float() * scaling).softmax(-1).to(query.dtype)
    prefix = layer.prefix_keys.shape[1]
    from_prefix = weights[..., :prefix] @ layer.prefix_values  # (heads, rows, size)
    own = weights[..., prefix:].transpose(0, 1).unsqueeze(-1)  # (rows, heads, own, 1)
    from_own = (own * layer.values).sum(2)  # (rows, heads, size)
    return (from_prefix.transpose(0, 1) + from_own).unsqueeze(1), None


AttentionInterface.register(_ATTENTION, _attend)
