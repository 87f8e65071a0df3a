"""One plain training loop for every model of the package.

AdamW, linear warm-up then cosine decay, gradient clipping, bf16 autocast, early stopping on a dev
loss, best weights restored. An interrupted run that is started again ends with the same weights:
batches and dropout depend on (seed, epoch) and (seed, step) only, and a checkpoint is one
safetensors file, weights and optimizer moments as tensors, the rest as JSON in its header.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm.auto import tqdm

from impossible.errors import ModelError
from impossible.models.precision import resolve

Batch = dict[str, Tensor]
Batches = Callable[[int], Iterator[Batch]]
Loss = Callable[[nn.Module, Batch], Tensor]


@dataclass(frozen=True)
class TrainingSettings:
    """What one training run does.

    Args:
        steps: optimizer steps in all (> 0); the learning rate reaches `final_rate` at the last one.
        learning_rate: peak of AdamW's step size (> 0).
        warmup: fraction of `steps` with a linearly rising rate, [0, 1).
        final_rate: last learning rate as a fraction of the peak, [0, 1].
        weight_decay: on matrices only, as in nanoGPT (not on biases and norms).
        clip: largest norm of the gradient (> 0).
        betas: AdamW's decay rates; 0.98 rather than 0.999 because runs are short.
        evaluate_every: steps between evaluations on dev; 0 means ten evaluations in all.
        patience: evaluations without improvement before stopping; 0 never stops early.
        checkpoint_every: steps between checkpoints; 0 means at each evaluation.
        dtype: of matrix products: "auto", "bfloat16" or "float32" (see `arithmetic`); weights and
            optimizer stay in float32.
        seed: of shuffles and dropout.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup: float = 0.05
    final_rate: float = 0.05
    weight_decay: float = 0.1
    clip: float = 1.0
    betas: tuple[float, float] = (0.9, 0.98)
    evaluate_every: int = 0
    patience: int = 0
    checkpoint_every: int = 0
    dtype: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ModelError(f"training needs at least one step, got steps={self.steps}")
        if not self.learning_rate > 0 or not self.clip > 0:
            raise ModelError(
                f"learning_rate and clip must be positive, got {self.learning_rate} and {self.clip}"
            )
        if not 0 <= self.warmup < 1 or not 0 <= self.final_rate <= 1:
            raise ModelError(
                "warmup must lie in [0, 1) and final_rate in [0, 1], "
                f"got {self.warmup} and {self.final_rate}"
            )

    @property
    def interval(self) -> int:
        """Steps between evaluations."""
        return self.evaluate_every or max(1, self.steps // 10)

    def rate(self, step: int) -> float:
        """Learning rate of `step` (0-based): linear warm-up, then half a cosine."""
        rising = math.ceil(self.warmup * self.steps)
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        progress = (step - rising) / max(1, self.steps - rising)
        share = self.final_rate + (1 - self.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))
        return self.learning_rate * share


@dataclass
class History:
    """The loss curve of a run.

    Attributes:
        rows: one dict per evaluation: step, epoch, learning_rate, train_loss (mean since the last
            row) and dev_loss (absent without a dev set).
        best_step: step whose weights the model carries now.
        best_loss: dev loss at `best_step` (train loss without a dev set).
        stopped_early: whether patience ended the run.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    best_step: int = 0
    best_loss: float = math.inf
    stopped_early: bool = False

    def frame(self) -> pd.DataFrame:
        """The rows as a data frame."""
        return pd.DataFrame(self.rows)

    def csv(self) -> str:
        """The rows as CSV text."""
        return str(self.frame().to_csv(index=False, lineterminator="\n"))

    @property
    def misses(self) -> int:
        """Evaluations since the best one."""
        return sum(row["step"] > self.best_step for row in self.rows)


@dataclass
class _Progress:
    """Everything but tensors that a resumed run needs."""

    step: int = 0
    epoch: int = 0
    position: int = 0
    running: float = 0.0
    counted: int = 0
    history: History = field(default_factory=History)


def fit(
    model: nn.Module,
    batches: Batches,
    loss: Loss,
    settings: TrainingSettings,
    dev: Callable[[], float] | None = None,
    checkpoint: Path | None = None,
    label: str = "training",
    key: str = "",
) -> History:
    """Train `model` in place and return its loss curve.

    Args:
        model: any module; trained on the device its weights are on.
        batches: epoch number → that epoch's batches, always the same for the same number.
        loss: (model, batch) → mean loss of the batch, a scalar tensor.
        settings: see `TrainingSettings`.
        dev: computes the dev loss of the model as it stands; lower is better. The best weights
            are restored at the end.
        checkpoint: file for resuming; one of other settings, another model or another `key` is
            ignored, and the file is removed when training is complete.
        label: of the progress bar.
        key: names the training data.

    Raises:
        ModelError: no batches, or a loss that is no longer a number.
    """
    device = next(model.parameters()).device
    optimizer = _optimizer(model, settings)
    progress, best = _Progress(), dict[str, Tensor]()
    key = _key(model, settings, key)
    if checkpoint is not None and checkpoint.exists():
        progress, best = _load(checkpoint, key, model, optimizer, progress)
    bar = tqdm(total=settings.steps, initial=progress.step, desc=label, mininterval=1.0)
    with torch.random.fork_rng(devices=[]), bar:
        for batch in _stream(batches, progress, settings.steps):
            progress.running += _step(model, batch, loss, optimizer, settings, progress.step)
            progress.counted += 1
            progress.step += 1
            bar.update()
            last = progress.step == settings.steps
            if last or progress.step % settings.interval == 0:
                best = _evaluate(model, dev, settings, progress, best)
                bar.set_postfix(loss=f"{progress.history.rows[-1]['train_loss']:.3f}")
            stop = bool(settings.patience) and progress.history.misses >= settings.patience
            due = progress.step % (settings.checkpoint_every or settings.interval) == 0
            if checkpoint is not None and due and not (last or stop):
                _save(checkpoint, key, model, optimizer, progress, best)
            if stop and not last:
                progress.history.stopped_early = True
                break
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name in best:
                weight.copy_(best[name].to(device))
    model.eval()
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return progress.history


def _optimizer(model: nn.Module, settings: TrainingSettings) -> torch.optim.AdamW:
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    # One fused kernel instead of a Python loop over tensors: 3x less time per step for small models
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas, fused=True)


def _stream(batches: Batches, progress: _Progress, steps: int) -> Iterator[Batch]:
    """Batches from where `progress` stands to the last step, epoch after epoch."""
    while progress.step < steps:
        started = progress.position
        for batch in islice(batches(progress.epoch), started, None):
            progress.position += 1
            yield batch
            if progress.step >= steps:
                return
        if progress.position == 0:
            raise ModelError("there is nothing to train on: the training set has no batch")
        progress.epoch, progress.position = progress.epoch + 1, 0


def _step(
    model: nn.Module,
    batch: Batch,
    loss: Loss,
    optimizer: torch.optim.AdamW,
    settings: TrainingSettings,
    step: int,
) -> float:
    device = next(model.parameters()).device
    # Dropout depends on the step alone, so that a resumed run repeats the same noise
    torch.manual_seed(settings.seed * 1_000_003 + step)
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = settings.rate(step)
    with _autocast(device, settings.dtype):
        value = loss(model, {name: tensor.to(device) for name, tensor in batch.items()})
    value.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    number = float(value.detach())
    if not math.isfinite(number):
        raise ModelError(
            f"the training loss is {number} at step {step + 1}; lower the learning rate "
            f"(now {settings.learning_rate})"
        )
    return number


def _evaluate(
    model: nn.Module,
    dev: Callable[[], float] | None,
    settings: TrainingSettings,
    progress: _Progress,
    best: dict[str, Tensor],
) -> dict[str, Tensor]:
    """Add a row to the loss curve; return the best weights seen so far."""
    history = progress.history
    row: dict[str, float] = {
        "step": progress.step,
        "epoch": progress.epoch,
        "learning_rate": settings.rate(progress.step - 1),
        "train_loss": progress.running / progress.counted,
    }
    progress.running, progress.counted = 0.0, 0
    value = row["train_loss"]
    if dev is not None:
        value = row["dev_loss"] = evaluate(model, dev, settings.dtype)
    history.rows.append(row)
    if dev is not None and value >= history.best_loss:
        return best
    history.best_step, history.best_loss = progress.step, value
    if dev is None:  # nothing to choose by: the last weights are the result
        return {}
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def evaluate(model: nn.Module, dev: Callable[[], float], dtype: str = "auto") -> float:
    """`dev()` with dropout off, without gradients, under the same autocast as training."""
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode(), _autocast(device, dtype):
        return dev()


def _autocast(device: torch.device, dtype: str) -> torch.autocast:
    short = resolve(dtype, device) is torch.bfloat16
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=short)


def _key(model: nn.Module, settings: TrainingSettings, data: str) -> str:
    shapes = {name: list(weight.shape) for name, weight in model.named_parameters()}
    return json.dumps(
        {"settings": asdict(settings), "shapes": shapes, "data": data}, sort_keys=True
    )


def _save(
    path: Path,
    key: str,
    model: nn.Module,
    optimizer: torch.optim.AdamW,
    progress: _Progress,
    best: dict[str, Tensor],
) -> None:
    """Write the checkpoint in one atomic rename."""
    tensors = {f"best.{name}": tensor for name, tensor in best.items()}
    for name, weight in model.named_parameters():
        tensors[f"model.{name}"] = weight.detach()
        for moment in ("exp_avg", "exp_avg_sq", "step"):
            if weight in optimizer.state:
                tensors[f"{moment}.{name}"] = optimizer.state[weight][moment]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, temporary, {"key": key, "progress": json.dumps(asdict(progress))})
    os.replace(temporary, path)


def _load(
    path: Path, key: str, model: nn.Module, optimizer: torch.optim.AdamW, fresh: _Progress
) -> tuple[_Progress, dict[str, Tensor]]:
    """Restore model and optimizer from `path`, or leave them alone if it is of another run."""
    device = next(model.parameters()).device
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("key") != key:
                return fresh, {}
            tensors = {name: file.get_tensor(name).to(device) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):  # a file of another kind is as good as none
        return fresh, {}
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(tensors[f"model.{name}"])
            if f"step.{name}" in tensors:
                moments = ("exp_avg", "exp_avg_sq", "step")
                optimizer.state[weight] = {m: tensors[f"{m}.{name}"] for m in moments}
    raw = json.loads(metadata["progress"])
    progress = _Progress(**{**raw, "history": History(**raw["history"])})
    best = {n.removeprefix("best."): t for n, t in tensors.items() if n.startswith("best.")}
    return progress, best
