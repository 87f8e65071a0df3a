"""Token ids to batches: padding, buckets of similar length, span corruption.

Every batch is a function of (seed, epoch, example numbers) alone, so that a resumed run sees the
batches the interrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from impossible.errors import DataError
from impossible.training.loop import Batch, Batches

IGNORE = -100  # label that no loss counts
MEGABATCH = 50  # batches whose examples are sorted together by length
Ids = Sequence[int]
Collate = Callable[[Sequence[int], int], Batch]  # (example numbers, epoch) -> padded tensors


def bucketed(lengths: Sequence[int], collate: Collate, batch_size: int, seed: int) -> Batches:
    """Epoch → shuffled batches whose examples have similar lengths."""
    sizes = np.asarray(lengths)

    def batches(epoch: int) -> Iterator[Batch]:
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(sizes))
        chunks: list[np.ndarray] = []
        for start in range(0, len(order), MEGABATCH * batch_size):
            mega = order[start : start + MEGABATCH * batch_size]
            mega = mega[np.argsort(sizes[mega], kind="stable")]
            chunks += [mega[i : i + batch_size] for i in range(0, len(mega), batch_size)]
        for i in rng.permutation(len(chunks)):
            yield collate([int(number) for number in chunks[i]], epoch)

    return batches


def seq2seq_batch(picked: Sequence[tuple[Ids, Ids]], pad: int) -> Batch:
    sources, targets = [x for x, _ in picked], [y for _, y in picked]
    return {
        "input_ids": padded(sources, pad),
        "attention_mask": mask_of(sources),
        "labels": padded(targets, IGNORE),
    }


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


def span_corruption(
    ids: Ids, rng: np.random.Generator, sentinels: Ids, density: float = 0.15, span: float = 3.0
) -> tuple[list[int], list[int]]:
    """Replace random spans by sentinels: (ids with sentinels, sentinels with the spans).

    The number of masked tokens and of spans is fixed by the length, as in T5; where they lie is
    random. Spans never touch and the text never starts with one.

    Example: ids [5, 6, 7, 8] might give ([5, 6, s0, 8], [s0, 7, s1]).
    """
    n = len(ids)
    if n < 2:
        return list(ids), [sentinels[0]]
    noise = min(max(round(n * density), 1), n - 1)
    spans = min(max(round(noise / span), 1), noise, n - noise, len(sentinels) - 1)
    masked = _composition(noise, spans, rng)
    kept = _composition(n - noise, spans, rng)
    source: list[int] = []
    target: list[int] = []
    at = 0
    for i, (keep, mask) in enumerate(zip(kept, masked, strict=True)):
        source += [*ids[at : at + keep], sentinels[i]]
        target += [sentinels[i], *ids[at + keep : at + keep + mask]]
        at += keep + mask
    return source, [*target, sentinels[spans]]


def _composition(total: int, parts: int, rng: np.random.Generator) -> list[int]:
    """`total` as a sum of `parts` positive numbers, each way equally likely."""
    cuts: Any = np.sort(rng.choice(total - 1, parts - 1, replace=False)) + 1 if parts > 1 else ()
    return [int(size) for size in np.diff([0, *cuts, total])]


def sentinel_ids(tokenizer: Any) -> list[int]:
    """Ids of <extra_id_0>, <extra_id_1>, …; a DataError if there are none."""
    vocabulary = tokenizer.get_vocab()
    found = [vocabulary[name] for i in range(100) if (name := f"<extra_id_{i}>") in vocabulary]
    if len(found) < 2:
        raise DataError(
            "span corruption needs sentinel tokens <extra_id_0>, <extra_id_1>, … in the tokenizer; "
            f"found {len(found)}"
        )
    return found
