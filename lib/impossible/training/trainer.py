"""Training on transformers' Trainer, the same for every model of the package.

AdamW, linear warm-up then a cosine, gradient clipping, bf16 where the device has it, batches of
examples of similar length, early stopping on a dev loss, best weights restored. Everything is
decided by the seed; an interrupted run goes on at its last epoch and ends with the same weights.
Several processes (`accelerate launch`) share each batch, so that a step stays what it is.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from impossible.data.digests import digest
from impossible.data.progress import bar
from impossible.errors import DataError, ModelError
from impossible.models.precision import dtype_named
from impossible.training.checkpoints import last_checkpoint, own_folder, remove
from impossible.training.processes import agreed, is_first_process, share_of, wait_for_all

TrainingExample = Mapping[str, Any]  # "input_ids" and whatever else the collator reads
Collate = Callable[[list[Any]], dict[str, Tensor]]  # examples → padded tensors
Loss = Callable[[Any, dict[str, Tensor]], Tensor]  # (model, batch) → mean loss


@dataclass(frozen=True)
class TrainingSettings:
    """What one training run does.

    Args:
        steps: optimizer steps in all, ≥ 1.
        learning_rate: peak of AdamW's step size, > 0.
        batch_size: examples per step, ≥ 1.
        warmup: fraction of `steps` with a linearly rising rate, [0, 1).
        final_rate: last learning rate as a fraction of the peak, [0, 1].
        weight_decay: on matrices only.
        evaluate_every: steps between evaluations on dev; 0: ten evaluations in all.
        patience: evaluations without improvement before stopping; 0 never stops early.
        dtype: of matrix products: "auto", "bfloat16" or "float32"; weights stay in float32.
        seed: of shuffles, dropout and new adapters.
    """

    steps: int
    learning_rate: float = 1e-3
    batch_size: int = 64
    warmup: float = 0.05
    final_rate: float = 0.05
    weight_decay: float = 0.1
    evaluate_every: int = 0
    patience: int = 0
    dtype: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1:
            raise ModelError(
                "training needs at least one step of at least one example, "
                f"got steps={self.steps} and batch_size={self.batch_size}"
            )
        if not self.learning_rate > 0:
            raise ModelError(f"learning_rate must be positive, got {self.learning_rate}")
        if not 0 <= self.warmup < 1 or not 0 <= self.final_rate <= 1:
            raise ModelError(
                "warmup must lie in [0, 1) and final_rate in [0, 1], "
                f"got {self.warmup} and {self.final_rate}"
            )

    @property
    def interval(self) -> int:
        """Steps between evaluations."""
        return min(self.evaluate_every or max(1, self.steps // 10), self.steps)


@dataclass(frozen=True)
class History:
    """The loss curve of a run.

    Attributes:
        curve: one row per evaluation: step, epoch, learning_rate, train_loss (mean since the last
            row) and, with a dev set, dev_loss.
        best_step: step whose weights the model carries now.
        stopped_early: whether patience ended the run.
    """

    curve: pd.DataFrame
    best_step: int
    stopped_early: bool

    @property
    def best_loss(self) -> float:
        """Dev loss at `best_step` (train loss without a dev set)."""
        column = "dev_loss" if "dev_loss" in self.curve else "train_loss"
        return float(self.curve.set_index("step").loc[self.best_step, column])


def steps_for(n_examples: int, batch_size: int, epochs: float) -> int:
    """Optimizer steps in `epochs` epochs of `n_examples`, at least one.

    >>> steps_for(1000, 64, 3)
    48
    """
    return max(1, round(epochs * -(-n_examples // batch_size)))


def train_model(
    model: Any,
    examples: Sequence[TrainingExample],
    collate: Collate,
    settings: TrainingSettings,
    dev: Sequence[TrainingExample] = (),
    checkpoints: Path | None = None,
    loss: Loss | None = None,
    key: str = "",
) -> History:
    """Train `model` in place and return its loss curve.

    Args:
        model: a `transformers` model or a peft one, in float32, on the device to train on.
        examples: training examples, at least one.
        collate: makes a batch of examples.
        settings: see `TrainingSettings`.
        dev: examples whose mean loss decides which weights are kept; none: the last ones are.
        checkpoints: folder for resuming, removed when training is complete; checkpoints of other
            examples, settings or `key` are not used. None: an interrupted run starts anew.
        loss: in place of the model's own, `model(**batch).loss`.
        key: names the weights at the start.

    Raises:
        DataError: no examples.
        ModelError: the loss is no longer a number.
    """
    if not examples:
        raise DataError("there is nothing to train on: the training set is empty")
    device, use_cache = model.device, getattr(model.config, "use_cache", None)
    with tempfile.TemporaryDirectory() as scratch, _eager_attention(model):
        arguments = _arguments(settings, device, bool(dev))  # from here on all processes know
        arguments.output_dir = agreed(scratch)
        if checkpoints is not None:
            name = digest([asdict(settings), list(examples), list(dev), key])
            arguments.output_dir = str(own_folder(checkpoints, name[:16]))
        trainer = _Trainer(
            model,
            arguments,
            collate,
            train_dataset=list(examples),
            eval_dataset=list(dev) or None,
            callbacks=[_Watch(settings, type(model).__name__, bool(dev))],
        )
        trainer.loss, trainer.dtype = loss, dtype_named(settings.dtype, device)
        trainer.remove_callback(PrinterCallback)
        if dev and settings.patience:
            trainer.add_callback(EarlyStoppingCallback(settings.patience))
        try:
            trainer.train(resume_from_checkpoint=last_checkpoint(Path(arguments.output_dir)))
        except torch.OutOfMemoryError as full:  # a smaller batch would train another model
            raise ModelError(
                f"the memory of the device does not hold {settings.batch_size} examples: lower "
                "student_batch_size, set dtype=bfloat16 or student_adapter_rank, or give a "
                "smaller model"
            ) from full
        wait_for_all()  # before the scratch folder goes
    if checkpoints is not None:
        remove(checkpoints)
    if use_cache is not None:
        model.config.use_cache = use_cache  # which Trainer turns off
    model.to(device).eval()
    return _history(trainer.state, settings)


class _Trainer(Trainer):
    """Trainer under our own autocast, with another loss if there is one."""

    loss: Loss | None = None
    dtype = torch.float32

    def compute_loss_context_manager(self) -> Any:
        half = self.dtype is torch.bfloat16
        return torch.autocast(self.args.device.type, torch.bfloat16, enabled=half)

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self.loss is None:
            return super().compute_loss(model, inputs, *args, **kwargs)
        return self.loss(model, inputs)

    def prediction_step(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
        with torch.no_grad(), self.compute_loss_context_manager():
            return self.compute_loss(model, self._prepare_inputs(inputs)), None, None


class _Watch(TrainerCallback):
    """Draws a bar, evaluates after the last step too, and tells of a diverged run."""

    def __init__(self, settings: TrainingSettings, label: str, dev: bool) -> None:
        self.settings, self.label, self.dev = settings, label, dev

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar = bar(
            total=state.max_steps, initial=state.global_step, desc=self.label,
            disable=not is_first_process(),
        )  # fmt: skip

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.update()
        if state.global_step == state.max_steps:
            control.should_log = True
            control.should_evaluate = control.should_save = self.dev

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise ModelError(
                f"the training loss is {loss} at step {state.global_step}; lower the learning "
                f"rate (now {self.settings.learning_rate})"
            )

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.close()


def _arguments(settings: TrainingSettings, device: torch.device, dev: bool) -> TrainingArguments:
    interval = settings.interval
    result = TrainingArguments(
        max_steps=settings.steps,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=share_of(settings.batch_size),
        per_device_eval_batch_size=settings.batch_size,
        train_sampling_strategy="group_by_length",
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": settings.final_rate},
        warmup_steps=math.ceil(settings.warmup * settings.steps),
        weight_decay=settings.weight_decay,
        adam_beta2=0.98,  # runs are short
        optim="adamw_torch_fused",
        logging_steps=interval,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if dev else "no",
        eval_steps=interval,
        save_steps=interval,
        save_total_limit=1,
        load_best_model_at_end=dev,
        metric_for_best_model="loss" if dev else None,
        greater_is_better=False if dev else None,
        restore_callback_states_from_checkpoint=True,
        seed=settings.seed,
        use_cpu=device.type == "cpu",
        remove_unused_columns=False,
        dataloader_pin_memory=device.type != "cpu",
        disable_tqdm=True,
        report_to="none",
    )
    result._n_gpu = min(result.n_gpu, 1)  # one device: not split by DataParallel
    return result


@contextmanager
def _eager_attention(model: Any) -> Iterator[None]:
    """On CPU the backward pass of fused attention takes several times longer than the plain one."""
    kept = model.config._attn_implementation
    if model.device.type == "cpu":
        model.set_attn_implementation("eager")
    yield
    model.set_attn_implementation(kept)


def _history(state: Any, settings: TrainingSettings) -> History:
    names = {
        "step": "step", "epoch": "epoch", "learning_rate": "learning_rate",
        "loss": "train_loss", "eval_loss": "dev_loss",
    }  # fmt: skip
    log = pd.DataFrame(state.log_history)[lambda frame: frame.columns.intersection(names)]
    curve = log.groupby("step", as_index=False).first().dropna(subset="loss")
    curve = curve[[name for name in names if name in curve]].rename(columns=names)
    best = state.best_global_step or state.global_step
    return History(curve.reset_index(drop=True), best, state.global_step < settings.steps)
