"""A teacher adapted to text before it writes: continued pretraining by LoRA.

Gururangan et al. 2020 (Don't Stop Pretraining) let a model read text of its domain first. Here an
adapter on every linear layer learns it (Hu et al. 2022), so that the teacher itself stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from impossible.config.params import Params
from impossible.data.digests import digest
from impossible.data.run_folder import RunFolder, item_rng
from impossible.data.units import Scored, Unit
from impossible.errors import DataError
from impossible.models.batching import token_ids
from impossible.models.likelihood import perplexity
from impossible.models.loading import LanguageModel, load_teacher
from impossible.models.model_saving import save_model
from impossible.training.distillation import kept_model, trained_record
from impossible.training.objectives import pieces_of, train_on_pieces
from impossible.training.student_training import with_adapter
from impossible.training.trainer import History, TrainingSettings, steps_for

_LEAST = 5  # documents: one of them is held out
_HELD_OUT = 10  # every tenth document decides when to stop
_PIECE = 256  # tokens that are read together; most paragraphs are shorter
_BATCH = 8  # pieces in a step: some hundred documents still give some dozen steps an epoch


def documents_to_adapt(documents: Sequence[str], seed: int = 0) -> tuple[list[str], list[str]]:
    """The documents that a teacher reads, and those that decide when it stops.

    Args:
        documents: different texts, of which the final measurement holds none.
        seed: of the choice; every tenth, at least one, is held out.

    Raises:
        DataError: there are fewer than five.

    >>> read, held_out = documents_to_adapt(["One.", "Two.", "Three.", "Four.", "Five."])
    >>> len(read), len(held_out)
    (4, 1)
    """
    if len(documents) < _LEAST:
        raise DataError(
            f"the text has {len(documents)} documents besides those held out for the measurement, "
            f"and a teacher is adapted to {_LEAST} at least: give more text, or leave out "
            "--adapt-teacher"
        )
    order = item_rng(seed, "adapted teacher", "order").permutation(len(documents))
    n = max(1, len(documents) // _HELD_OUT)
    return [documents[i] for i in order[n:]], [documents[i] for i in order[:n]]


def adapted_teacher(run: RunFolder, documents: Sequence[str], params: Params) -> Path:
    """The folder of the teacher's adapter to these documents; trained if it is not there.

    Args:
        run: gets `models/teacher`; checkpoints lie in `work/` until training is complete. Other
            documents, parameters or another teacher adapt it anew.
        documents: as for `documents_to_adapt`.
        params: reads teacher, teacher_adapter_rank, teacher_learning_rate, teacher_epochs, seed,
            dtype and device.

    Returns:
        A folder for `load_teacher`. Its metrics.json has perplexity_before and perplexity_after,
        on the documents that decided when to stop.

    Raises:
        DataError: too few documents, or of one token each.

    Example:
        `models.teacher_named(str(adapted_teacher(run, documents, params)))`
    """
    return kept_model(_adapt_unit, Unit("teacher", list(documents)), params, run)


def _adapt_unit(unit: Unit, params: Params, given: Any) -> Scored:
    _, run = given
    teacher = load_teacher(params.teacher, None, "float32", params.device)
    if teacher.tokenizer.pad_token_id is None:
        teacher.tokenizer.pad_token = teacher.tokenizer.eos_token
    parts = documents_to_adapt(unit.payload, params.seed)
    read, held_out = (_pieces(teacher, part) for part in parts)
    if not read or not held_out:
        raise DataError("a teacher cannot be adapted to documents of a single word: give longer")
    settings = _settings(len(read), params)
    before, key = perplexity(teacher, held_out), f"{teacher.digest} {params.teacher_adapter_rank}"
    model = with_adapter(teacher, params.teacher_adapter_rank, params.seed)
    history = train_on_pieces(
        model, teacher.tokenizer, read, settings, held_out, run.work / f"{unit.id}-training", key
    )
    perplexities = {
        "perplexity_before": before,
        "perplexity_after": perplexity(replace(teacher, model=model), held_out),
    }
    recipe = {
        "model": unit.id, "base": teacher.name, "base_digest": teacher.digest,
        "seed": settings.seed, "documents": len(parts[0]), "dev_documents": len(parts[1]),
        "tokens": sum(map(len, read)), "data_digest": digest(list(parts)),
        "batch_size": settings.batch_size, "steps": settings.steps, "warmup": settings.warmup,
        "learning_rate": settings.learning_rate, "adapter_rank": params.teacher_adapter_rank,
    }  # fmt: skip
    folder = run.models / unit.id
    save_model(folder, model, teacher.tokenizer, recipe, perplexities | _noted(history))
    return trained_record(folder)


def _settings(pieces: int, params: Params) -> TrainingSettings:
    """One evaluation an epoch; the first without gain is the last."""
    return TrainingSettings(
        steps=steps_for(pieces, _BATCH, params.teacher_epochs),
        learning_rate=params.teacher_learning_rate,
        batch_size=_BATCH,
        evaluate_every=steps_for(pieces, _BATCH, 1),
        patience=1,
        dtype=params.dtype,
        seed=params.seed,
    )


def _noted(history: History) -> dict[str, Any]:
    last = int(history.curve["step"].iloc[-1])
    return {
        "best_step": history.best_step, "last_step": last, "stopped_early": history.stopped_early
    }  # fmt: skip


def _pieces(lm: LanguageModel, documents: Sequence[str]) -> list[list[int]]:
    """Token ids of documents, long ones in pieces; none ends with a token that ends a text.

    The teacher is to go on after a context, and that a document ends is nothing to learn.
    """
    rows = token_ids(lm.tokenizer, list(documents), True)
    return [piece for piece in pieces_of(rows, min(_PIECE, lm.window)) if len(piece) > 1]
