"""Token ids of texts, and batches of rows of similar length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from impossible.errors import ModelError

Result = TypeVar("Result")
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


def by_length(rows: Sequence[Ids], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of rows in batches of similar length, of at most `batch_tokens` with padding.

    >>> list(by_length([[1, 2, 3], [4], [5, 6, 7], [8, 9]], 6))
    [[1, 3], [0, 2]]
    """
    batch: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: len(rows[i])):
        if batch and (len(batch) + 1) * len(rows[i]) > batch_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def as_memory_allows(
    batches: Iterable[list[int]], compute: Callable[[list[int]], Result]
) -> Iterator[tuple[list[int], Result]]:
    """Each batch with what is computed of it; one that a GPU's memory does not hold, in halves.

    Args:
        batches: indices of rows.
        compute: of some rows; those of a batch do not depend on each other.

    Raises:
        ModelError: one row alone does not fit.

    >>> list(as_memory_allows([[3, 1], [2]], sum))
    [([3, 1], 4), ([2], 2)]
    """
    for batch in batches:
        waiting = [batch]
        while waiting:
            rows = waiting.pop(0)
            try:
                result = compute(rows)
            except torch.OutOfMemoryError as full:
                if len(rows) == 1:
                    first = str(full).partition("\n")[0][:200]
                    raise ModelError(
                        f"the memory of the device does not hold one text alone ({first}): end "
                        "what else runs there, set dtype=bfloat16 or device=cpu, or give a "
                        "smaller model"
                    ) from full
            else:
                yield rows, result
                continue
            torch.cuda.empty_cache()  # here, where the error no longer holds the tensors
            waiting[:0] = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]


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


def model_batch(rows: Sequence[Ids], pad: int, device: torch.device) -> dict[str, Tensor]:
    """What an encoder reads; no mask where nothing is padded, which is faster."""
    batch = {"input_ids": padded(rows, pad).to(device)}
    mask = mask_of(rows)
    return batch if mask.all() else batch | {"attention_mask": mask.to(device)}


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real tokens, of unit norm: (b, length, d), (b, length) → float32 (b, d)."""
    weights = mask.unsqueeze(-1).float()
    mean = (hidden.float() * weights).sum(1) / weights.sum(1).clamp(min=1)
    return functional.normalize(mean, dim=-1)
