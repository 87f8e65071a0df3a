"""Train a student on a corpus: the same few lines for D_T, D_para and any other pairs (§3.3).

What is kept of a training run depends on its data, base and parameters only, never on the clock:
a run that was interrupted ends with the same files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, digest, item_rng
from impossible.errors import DataError
from impossible.models.loading import LanguageModel, load_student, save_model
from impossible.training.objectives import History, TrainingSettings, steps_for, train_seq2seq

__all__ = [
    "Trained",
    "loss_curve",
    "settings_for",
    "settings_of",
    "split_by_context",
    "train_student",
    "train_students",
]


@dataclass(frozen=True)
class Trained:
    """A trained student.

    Attributes:
        student: the model as saved: the best weights on dev, or the last after fixed passes.
        history: its loss curve; `recipe`, `metrics`: what lies beside the weights as JSON.
    """

    student: LanguageModel
    history: History
    recipe: dict[str, object]
    metrics: dict[str, object]


def split_by_context(
    dataset: pd.DataFrame, fraction: float, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and dev pairs such that no context has pairs in both.

    Pairs of one context say nearly the same; split by pairs, dev would measure memory. Which
    contexts go to dev depends on the seed and the contexts' names, not on their order.

    Args:
        dataset: DATASET frame.
        fraction: share of the contexts held out, (0, 1); at least one, unless there is only one.
        seed: root of the randomness.

    Returns:
        (train, dev), rows in the order of `dataset`; dev is empty when there is one context.
    """
    contexts = sorted(set(dataset["context_id"]))
    draws = [item_rng(seed, "student dev split", name).random() for name in contexts]
    n_dev = min(max(1, round(fraction * len(contexts))), len(contexts) - 1)
    held_out = {contexts[i] for i in np.argsort(draws, kind="stable")[:n_dev]}
    in_dev = dataset["context_id"].isin(held_out)
    return dataset[~in_dev], dataset[in_dev]


def settings_of(steps: int, params: Params) -> TrainingSettings:
    """How a student is trained for a fixed number of steps, without dev pairs.

    Args:
        steps: of the optimizer, ≥ 1.
        params: `student_learning_rate`, `student_warmup`, `dtype`, `seed`.
    """
    return TrainingSettings(
        steps=steps,
        learning_rate=params.student_learning_rate,
        warmup=min(params.student_warmup, 0.99),
        dtype=params.dtype,
        seed=params.seed,
    )


def settings_for(n_pairs: int, params: Params, passes: float | None = None) -> TrainingSettings:
    """The parameters `student_*` as steps: one evaluation on dev per epoch.

    Args:
        n_pairs: training pairs, ≥ 1.
        params: `student_epochs`, `student_batch_size`, `student_learning_rate`, `student_warmup`,
            `student_patience`, `dtype`, `seed`.
        passes: over the pairs, in place of `student_epochs`, all of them: `student_patience` does
            not count either.

    >>> settings_for(130, Params()).steps, settings_for(130, Params(), passes=2).steps
    (24, 6)
    """
    size = params.student_batch_size
    if passes is not None:
        return settings_of(steps_for(n_pairs, size, passes), params)
    return replace(
        settings_of(steps_for(n_pairs, size, params.student_epochs), params),
        evaluate_every=steps_for(n_pairs, size, 1),
        patience=params.student_patience,
    )


def train_student(
    dataset: pd.DataFrame,
    base: LanguageModel,
    params: Params,
    run: RunFolder,
    name: str,
    passes: float | None = None,
) -> Trained:
    """Train `base` on a corpus by maximum likelihood of target given source and save it.

    Args:
        dataset: DATASET frame, from any source.
        base: an encoder-decoder in float32; its weights are changed in place.
        params: `student_*`, `dtype`, `seed`; see `settings_for`.
        run: gets `models/NAME` (weights, tokenizer, recipe.json, metrics.json); the checkpoint for
            resuming lies in `work/NAME.safetensors` until training is complete.
        name: folder name, for example "student".
        passes: over the whole corpus, after which the last weights are kept; none of it is held
            out. By default the best weights on dev are kept, of at most `student_epochs` passes.

    Raises:
        DataError: the corpus is empty.
    """
    if dataset.empty:
        raise DataError(
            f"There is no pair to train {name} on: no candidate passed the gates. Look at the "
            "funnel of the notebook before, loosen a gate (entailment_threshold, rouge_l_max, "
            "ted_min) or raise n_contexts, k or n_inputs."
        )
    train, dev = dataset, dataset.head(0)
    if passes is None:
        train, dev = split_by_context(dataset, params.student_dev_fraction, params.seed)
    settings = settings_for(len(train), params, passes)
    pairs, held_out = (
        list(zip(part["source"], part["target"], strict=True)) for part in (train, dev)
    )
    history = train_seq2seq(
        base.model, base.tokenizer, pairs, settings, params.student_batch_size, held_out,
        run.work / f"{name}.safetensors",
    )  # fmt: skip
    recipe: dict[str, object] = {
        "model": name, "base": base.name, "base_digest": base.digest, "seed": params.seed,
        "pairs": len(train), "dev_pairs": len(dev), "data_digest": digest([pairs, held_out]),
        "batch_size": params.student_batch_size, "steps": settings.steps,
        "learning_rate": settings.learning_rate, "warmup": settings.warmup,
    }  # fmt: skip
    loss = "dev_loss" if passes is None else "train_loss"
    metrics: dict[str, object] = {
        loss: history.best_loss, "best_step": history.best_step,
        "last_step": history.rows[-1]["step"], "stopped_early": history.stopped_early,
    }  # fmt: skip
    folder = run.models / name
    save_model(folder, base.model, base.tokenizer, recipe, metrics)
    # Read back what was written: later stages see these weights, not the unrounded ones
    student = load_student(str(folder), run, device=str(base.device))
    return Trained(student, history, recipe, metrics)


def train_students(
    corpora: Mapping[str, pd.DataFrame],
    base: Callable[[], LanguageModel],
    params: Params,
    run: RunFolder,
    prefix: str,
    passes: int | None = None,
) -> dict[str, LanguageModel]:
    """A student of each corpus, alike in everything but their pairs.

    Args:
        corpora: name → DATASET frame; the caller draws equal numbers of pairs.
        base: loads the encoder-decoder anew.
        params, run, passes: as for `train_student`.
        prefix: of the models' folders, `models/PREFIX-NAME`.
    """
    return {
        name: train_student(frame, base(), params, run, f"{prefix}-{_slug(name)}", passes).student
        for name, frame in corpora.items()
    }


def _slug(name: str) -> str:
    """A name as part of a folder's name: letters, digits and underscores."""
    return re.sub(r"\W+", "_", name).strip("_").lower()


def loss_curve(history: History, run: str = "") -> pd.DataFrame:
    """A training run's losses as `figures.loss_curves` draws them.

    Returns:
        Columns step, split ("train" or "dev"), loss (nats per token), and run if it is named.
    """
    frame = history.frame()
    splits = [split for split in ("train", "dev") if f"{split}_loss" in frame]
    parts = [
        pd.DataFrame({"step": frame["step"], "split": split, "loss": frame[f"{split}_loss"]})
        for split in splits
    ]
    curve = pd.concat(parts, ignore_index=True)
    return curve.assign(run=run) if run else curve
