"""Fine-tune a student on pairs: all weights, or an adapter on every linear layer (paper §3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import peft
import torch

from impossible.data.digests import digest
from impossible.models.loading import LanguageModel
from impossible.text.pairs import Pair
from impossible.training.processes import is_first_process, wait_for_all
from impossible.training.student import Student, load_student
from impossible.training.trainer import TrainingSettings, train_model


def train_student(
    base: Student,
    train: Sequence[Pair],
    dev: Sequence[Pair],
    settings: TrainingSettings,
    out: Path | None = None,
    checkpoints: Path | None = None,
    adapter_rank: int = 0,
) -> Student:
    """Fine-tune a student by maximum likelihood of target given source (paper §3.3).

    Args:
        base: in float32; its weights are changed in place.
        train: (source, target) pairs, at least one.
        dev: pairs that decide which weights are kept and when to stop; none: the last weights.
        settings: see `TrainingSettings`.
        out: folder for the model, with recipe.json and metrics.json; the student that is returned
            is read from it. None: not saved.
        checkpoints: folder for resuming, removed at the end; see `trainer.train_model`.
        adapter_rank: 0 trains all weights, r > 0 a LoRA adapter of rank r on every linear layer.

    Raises:
        DataError: no pairs.
        ModelError: the loss is no longer a number.
    """
    model = with_adapter(base, adapter_rank, settings.seed) if adapter_rank else base.model
    history = train_model(
        model, base.encode(train), base.collate, settings, base.encode(dev), checkpoints,
        key=f"{base.digest} {adapter_rank}",
    )  # fmt: skip
    student = replace(base, model=model, history=history)
    if out is None:
        return student
    if is_first_process():
        _save(student, base, (train, dev), settings, out, adapter_rank)
    wait_for_all()
    # Read back what was written: later stages see these weights, not the unrounded ones
    return replace(load_student(str(out), None, settings.dtype, str(base.device)), history=history)


def _save(
    student: Student, base: Student, pairs: tuple[Sequence[Pair], Sequence[Pair]],
    settings: TrainingSettings, out: Path, adapter_rank: int,
) -> None:  # fmt: skip
    """Write the model with recipe.json and metrics.json."""
    (train, dev), history = pairs, student.history
    assert history is not None
    recipe = {
        "model": out.name, "base": base.name, "base_digest": base.digest, "seed": settings.seed,
        "pairs": len(train), "dev_pairs": len(dev), "data_digest": digest([train, dev]),
        "batch_size": settings.batch_size, "steps": settings.steps, "warmup": settings.warmup,
        "learning_rate": settings.learning_rate, "adapter_rank": adapter_rank,
    }  # fmt: skip
    metrics = {
        "dev_loss" if dev else "train_loss": history.best_loss, "best_step": history.best_step,
        "last_step": int(history.curve["step"].iloc[-1]), "stopped_early": history.stopped_early,
    }  # fmt: skip
    student.save(out, recipe, metrics)


def with_adapter(base: LanguageModel, rank: int, seed: int) -> Any:
    """A model with a new LoRA adapter on every linear layer; only that is trained and saved.

    Args:
        base: in float32; its modules are changed in place.
        rank: of the adapter, ≥ 1; its scale is twice that.
        seed: of its weights.

    Source: Hu et al. 2022, LoRA.
    """
    torch.manual_seed(seed)
    model = peft.get_peft_model(
        base.model,
        peft.LoraConfig(
            task_type="SEQ_2_SEQ_LM" if base.model.config.is_encoder_decoder else "CAUSAL_LM",
            r=rank,
            lora_alpha=2 * rank,
            target_modules="all-linear",
            base_model_name_or_path=base.name,
        ),
    )
    model.peft_config["default"].base_model_name_or_path = base.name
    return model
