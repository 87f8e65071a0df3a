"""Train the four kinds of model the package uses, all through `fitting.fit`.

A language model on documents, a classifier on sentence pairs, a sequence-to-sequence model on
pairs or on span corruption, and a sentence encoder on pairs that should lie close together.
Examples are tokenized once; batches hold examples of similar length, so little is padded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from impossible.errors import DataError
from impossible.models.batching import (
    IGNORE,
    Collate,
    bucketed,
    mask_of,
    mean_pool,
    padded,
    sentinel_ids,
    seq2seq_batch,
    span_corruption,
    token_ids,
)
from impossible.training.loop import Batch, History, Loss, TrainingSettings, fit

__all__ = [
    "MAX_TOKENS",
    "History",
    "TrainingSettings",
    "fit",
    "steps_for",
    "train_causal_lm",
    "train_classifier",
    "train_encoder",
    "train_seq2seq",
    "train_span_corruption",
]

MAX_TOKENS = 512  # of a source and of a target; what is longer is cut


def steps_for(n_examples: int, batch_size: int, epochs: float) -> int:
    """Optimizer steps in `epochs` passes over `n_examples`, at least one.

    Example: `steps_for(1000, 64, 3)` is 48 (16 batches an epoch).
    """
    return max(1, round(epochs * -(-n_examples // batch_size)))


def train_causal_lm(
    model: nn.Module,
    tokenizer: Any,
    documents: Sequence[str],
    settings: TrainingSettings,
    batch_size: int = 64,
    dev: Sequence[str] = (),
    checkpoint: Path | None = None,
    max_tokens: int = 0,
) -> History:
    """Train a language model on documents, each starting at position 0 and ended by eos.

    Documents are not packed back to back: a context is always given at position 0, so training
    shows it there.

    Args:
        model: a decoder such as `GPT2LMHeadModel`.
        tokenizer: its fast tokenizer, with an eos token.
        documents: texts.
        settings: see `TrainingSettings`.
        batch_size: documents per step.
        dev: texts for early stopping; none → no early stopping.
        checkpoint: file for resuming.
        max_tokens: longer documents are cut into pieces of this size; 0 → the model's window.

    Raises:
        DataError: no documents.
    """
    config: Any = model.config
    window = max_tokens or int(getattr(config, "max_position_embeddings", 0) or 1024)

    def encode(texts: Sequence[str]) -> list[list[int]]:
        rows = [[*ids, tokenizer.eos_token_id] for ids in token_ids(tokenizer, texts, False)]
        return [row[i : i + window] for row in rows for i in range(0, len(row), window)]

    def task(texts: Sequence[str]) -> tuple[list[int], Collate]:
        rows = encode(texts)

        def collate(chosen: Sequence[int], epoch: int) -> Batch:
            # no attention mask: under causal attention, padding on the right is never seen
            picked = [rows[i] for i in chosen]
            return {"input_ids": padded(picked, 0), "labels": padded(picked, IGNORE)}

        return [len(row) for row in rows], collate

    return train_task(model, task, documents, dev, model_loss, settings, batch_size, checkpoint)


def train_classifier(
    model: nn.Module,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    labels: Sequence[int],
    settings: TrainingSettings,
    batch_size: int = 64,
    dev: tuple[Sequence[tuple[str, str]], Sequence[int]] | None = None,
    checkpoint: Path | None = None,
) -> History:
    """Train a cross-encoder on (premise, hypothesis) pairs; labels index `config.id2label`."""
    for given, numbers in ((pairs, labels), dev or ((), ())):
        if len(given) != len(numbers):
            raise DataError(f"{len(given)} pairs but {len(numbers)} labels; give one for each pair")

    def task(examples: Sequence[tuple[tuple[str, str], int]]) -> tuple[list[int], Collate]:
        rows = token_ids(tokenizer, [pair for pair, _ in examples], True)

        def collate(chosen: Sequence[int], epoch: int) -> Batch:
            picked = [rows[i] for i in chosen]
            return {
                "input_ids": padded(picked, tokenizer.pad_token_id),
                "attention_mask": mask_of(picked),
                "labels": torch.tensor([examples[i][1] for i in chosen]),
            }

        return [len(row) for row in rows], collate

    held_out = list(zip(*dev, strict=True)) if dev else []
    train = list(zip(pairs, labels, strict=True))
    return train_task(model, task, train, held_out, model_loss, settings, batch_size, checkpoint)


def train_seq2seq(
    model: nn.Module,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    settings: TrainingSettings,
    batch_size: int = 64,
    dev: Sequence[tuple[str, str]] = (),
    checkpoint: Path | None = None,
    max_tokens: int = MAX_TOKENS,
) -> History:
    """Train an encoder-decoder by maximum likelihood of target given source (paper §3.2).

    Args:
        model: such as `T5ForConditionalGeneration`.
        tokenizer: its fast tokenizer; adds eos itself.
        pairs: (source, target) texts.
        settings: see `TrainingSettings`.
        batch_size: pairs per step.
        dev: pairs for early stopping; none → no early stopping.
        checkpoint: file for resuming.
        max_tokens: sources and targets are cut to this length.

    Raises:
        DataError: no pairs.
    """

    def task(examples: Sequence[tuple[str, str]]) -> tuple[list[int], Collate]:
        sources = token_ids(tokenizer, [x for x, _ in examples], True, max_tokens)
        targets = token_ids(tokenizer, [y for _, y in examples], True, max_tokens)

        def collate(chosen: Sequence[int], epoch: int) -> Batch:
            picked = [(sources[i], targets[i]) for i in chosen]
            return seq2seq_batch(picked, tokenizer.pad_token_id)

        return [len(x) + len(y) for x, y in zip(sources, targets, strict=True)], collate

    return train_task(model, task, pairs, dev, model_loss, settings, batch_size, checkpoint)


def train_span_corruption(
    model: nn.Module,
    tokenizer: Any,
    texts: Sequence[str],
    settings: TrainingSettings,
    batch_size: int = 64,
    dev: Sequence[str] = (),
    checkpoint: Path | None = None,
    density: float = 0.15,
    span: float = 3.0,
    max_tokens: int = 512,
) -> History:
    """Pretrain an encoder-decoder as T5: restore masked spans (Raffel et al. 2020, §3.1.4).

    The spans are drawn anew in every epoch, always the same for the same (seed, epoch, text).

    Args:
        density: share of tokens masked, (0, 1).
        span: mean length of a masked span in tokens.

    Raises:
        DataError: no texts, or a tokenizer without `<extra_id_0>` … sentinels.
    """
    sentinels = sentinel_ids(tokenizer)

    def task(examples: Sequence[str]) -> tuple[list[int], Collate]:
        rows = token_ids(tokenizer, examples, False, max_tokens)

        def collate(chosen: Sequence[int], epoch: int) -> Batch:
            picked = []
            for i in chosen:
                rng = np.random.default_rng([settings.seed, epoch, i])
                parts = span_corruption(rows[i], rng, sentinels, density, span)
                source, target = ([*part, tokenizer.eos_token_id] for part in parts)
                picked.append((source, target))
            return seq2seq_batch(picked, tokenizer.pad_token_id)

        return [len(row) for row in rows], collate

    return train_task(model, task, texts, dev, model_loss, settings, batch_size, checkpoint)


def train_encoder(
    model: nn.Module,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    settings: TrainingSettings,
    batch_size: int = 64,
    dev: Sequence[tuple[str, str]] = (),
    checkpoint: Path | None = None,
    temperature: float = 0.05,
) -> History:
    """Train a sentence encoder so that the two texts of a pair lie close (Gao et al. 2021, SimCSE).

    Every other second text of the batch is a negative. Pairs (x, x) give the unsupervised variant:
    dropout makes the two embeddings differ.

    Args:
        temperature: of the softmax over cosines.
    """

    def task(examples: Sequence[tuple[str, str]]) -> tuple[list[int], Collate]:
        rows = [token_ids(tokenizer, [pair[side] for pair in examples], True) for side in (0, 1)]

        def collate(chosen: Sequence[int], epoch: int) -> Batch:
            picked = [rows[side][i] for side in (0, 1) for i in chosen]  # 2b rows: all x, all y
            return {
                "input_ids": padded(picked, tokenizer.pad_token_id),
                "attention_mask": mask_of(picked),
            }

        return [len(row) for row in rows[0]], collate

    def loss(encoder: nn.Module, batch: Batch) -> Tensor:
        hidden = encoder(**batch).last_hidden_state  # (2b, length, d)
        x, y = mean_pool(hidden, batch["attention_mask"]).chunk(2)  # (b, d) each
        cosines = x @ y.T / temperature  # (b, b)
        return functional.cross_entropy(cosines, torch.arange(len(x), device=cosines.device))

    return train_task(model, task, pairs, dev, loss, settings, batch_size, checkpoint)


def train_task(
    model: nn.Module,
    task: Callable[[Any], tuple[list[int], Collate]],
    train: Sequence[Any],
    dev: Sequence[Any],
    loss: Loss,
    settings: TrainingSettings,
    batch_size: int,
    checkpoint: Path | None,
) -> History:
    """Common part of every task: batches by length, dev loss over all dev examples, `fit`."""
    if not train:
        raise DataError("there is nothing to train on: the training set is empty")
    lengths, collate = task(train)
    batches = bucketed(lengths, collate, batch_size, settings.seed)
    evaluate = None
    if dev:
        evaluate = _dev_loss(model, *task(dev), loss, batch_size)
    per_step = round(float(np.mean(lengths)) * min(batch_size, len(lengths)))
    label = f"{type(model).__name__}: {min(batch_size, len(lengths))} x {np.mean(lengths):.0f}"
    print(
        f"{label} tokens = {per_step:,} a step x {settings.steps:,} steps = "
        f"{per_step * settings.steps / 1e6:.1f}M tokens, "
        f"{settings.steps * batch_size / len(lengths):.1f} passes over {len(lengths):,} examples"
    )
    key = hashlib.sha256(repr((batch_size, list(train), list(dev))).encode()).hexdigest()
    return fit(model, batches, loss, settings, evaluate, checkpoint, type(model).__name__, key)


def _dev_loss(
    model: nn.Module, lengths: list[int], collate: Collate, loss: Loss, batch_size: int
) -> Callable[[], float]:
    """Mean dev loss, weighted by the number of labels in each batch."""
    order = [int(i) for i in np.argsort(lengths, kind="stable")]

    def compute() -> float:
        device = next(model.parameters()).device
        total, weight = 0.0, 0
        for start in range(0, len(order), batch_size):
            batch = collate(order[start : start + batch_size], 0)
            labels = batch.get("labels", batch["input_ids"][:, 0])
            count = int((labels != IGNORE).sum())
            moved = {name: tensor.to(device) for name, tensor in batch.items()}
            total += float(loss(model, moved)) * count
            weight += count
        return total / weight

    return compute


def model_loss(model: nn.Module, batch: Batch) -> Tensor:
    value: Tensor = model(**batch).loss
    return value
