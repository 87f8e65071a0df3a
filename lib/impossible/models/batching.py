"""Token ids of texts, and batches of rows of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

IGNORE = -100  # label that no loss counts
Ids = Sequence[int]


def token_ids(tokenizer: Any, texts: Sequence[Any], special: bool, cut: int = 0) -> list[list[int]]:
    """Token ids of texts or of text pairs."""
    if not texts:
        return []
    limits = {"truncation": True, "max_length": cut} if cut else {}
    pairs = isinstance(texts[0], tuple)
    columns = [list(column) for column in zip(*texts, strict=True)] if pairs else [list(texts)]
    rows: list[list[int]] = tokenizer(*columns, add_special_tokens=special, **limits).input_ids
    return rows


def padded(rows: Sequence[Ids], value: int) -> Tensor:
    """Rows of different lengths → one (rows, longest) tensor, filled on the right."""
    matrix = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for i, row in enumerate(rows):
        matrix[i, : len(row)] = row
    return torch.from_numpy(matrix)


def mask_of(rows: Sequence[Ids]) -> Tensor:
    """1 for real tokens, 0 for padding: (rows, longest)."""
    lengths = torch.tensor([len(row) for row in rows])
    return (torch.arange(int(lengths.max())) < lengths[:, None]).long()


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real tokens, of unit norm: (b, length, d), (b, length) → float32 (b, d)."""
    weights = mask.unsqueeze(-1).float()
    mean = (hidden.float() * weights).sum(1) / weights.sum(1).clamp(min=1)
    return functional.normalize(mean, dim=-1)
