"""Train language models and classifiers: examples for `trainer.train_model`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import DataCollatorForSeq2Seq, DataCollatorWithPadding

from impossible.errors import DataError
from impossible.models.batching import token_ids
from impossible.training.trainer import History, TrainingExample, TrainingSettings, train_model


def train_causal_lm(
    model: Any,
    tokenizer: Any,
    documents: Sequence[str],
    settings: TrainingSettings,
    dev: Sequence[str] = (),
) -> History:
    """Train a decoder on documents, each starting at position 0 and ended by eos.

    Documents are not packed back to back: a context is always given at position 0, so training
    shows it there. A document longer than the window is cut into pieces.

    Raises:
        DataError: no documents.
    """
    window = int(getattr(model.config, "max_position_embeddings", 0) or 1024)

    def encode(texts: Sequence[str]) -> list[list[int]]:
        rows = [[*ids, tokenizer.eos_token_id] for ids in token_ids(tokenizer, texts, False)]
        return pieces_of(rows, window)

    return train_on_pieces(model, tokenizer, encode(documents), settings, encode(dev))


def pieces_of(rows: Sequence[list[int]], longest: int) -> list[list[int]]:
    """Token ids of documents, cut where they are longer.

    >>> pieces_of([[1, 2, 3], [4]], 2)
    [[1, 2], [3], [4]]
    """
    return [row[i : i + longest] for row in rows for i in range(0, len(row), longest)]


def train_on_pieces(
    model: Any,
    tokenizer: Any,
    pieces: Sequence[list[int]],
    settings: TrainingSettings,
    dev: Sequence[list[int]] = (),
    checkpoints: Path | None = None,
    key: str = "",
) -> History:
    """`train_causal_lm` on token ids as they are.

    Args:
        pieces, dev: each at most as long as the window.
        checkpoints, key: as for `train_model`.
    """
    examples, held_out = ([{"input_ids": x, "labels": x} for x in part] for part in (pieces, dev))
    collate = DataCollatorForSeq2Seq(tokenizer)
    return train_model(model, examples, collate, settings, held_out, checkpoints, key=key)


def train_classifier(
    model: Any,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    labels: Sequence[int],
    settings: TrainingSettings,
    dev: tuple[Sequence[tuple[str, str]], Sequence[int]] = ((), ()),
) -> History:
    """Train a cross-encoder on (premise, hypothesis) pairs; labels index `config.id2label`.

    Raises:
        DataError: no pairs, or not one label for each.
    """

    def encode(given: Sequence[tuple[str, str]], numbers: Sequence[int]) -> list[TrainingExample]:
        if len(given) != len(numbers):
            raise DataError(f"{len(given)} pairs but {len(numbers)} labels; give one for each pair")
        rows = token_ids(tokenizer, given, True)
        return [{"input_ids": r, "label": n} for r, n in zip(rows, numbers, strict=True)]

    collate = DataCollatorWithPadding(tokenizer)
    return train_model(model, encode(pairs, labels), collate, settings, encode(*dev))
