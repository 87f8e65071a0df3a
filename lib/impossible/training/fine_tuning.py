"""Students of datasets: the split, the schedule, the folder (paper §3.3).

What is kept of a training run depends on its data, base and parameters only, never on the clock:
a run that was interrupted ends with the same files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, item_rng
from impossible.errors import DataError
from impossible.training.student import Student
from impossible.training.student_training import train_student
from impossible.training.trainer import History, TrainingSettings, steps_for


def split_by_context(
    dataset: pd.DataFrame, fraction: float, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and dev pairs such that no context has pairs in both.

    Pairs of one context say nearly the same; split by pairs, dev would measure memory. Which
    contexts go to dev depends on the seed and the contexts' names, not on their order.

    Args:
        dataset: DATASET frame.
        fraction: of the contexts held out, (0, 1); at least one, unless there is only one.
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
        params: `student_learning_rate`, `student_batch_size`, `student_warmup`, `dtype`, `seed`.
    """
    return TrainingSettings(
        steps=steps,
        learning_rate=params.student_learning_rate,
        batch_size=params.student_batch_size,
        warmup=min(params.student_warmup, 0.99),
        dtype=params.dtype,
        seed=params.seed,
    )


def settings_for(n_pairs: int, params: Params, epochs: float | None = None) -> TrainingSettings:
    """The parameters `student_*` as steps: one evaluation on dev per epoch.

    Args:
        n_pairs: training pairs, ≥ 1.
        params: as in `settings_of`, and `student_epochs`, `student_patience`.
        epochs: in place of `student_epochs`, all of them: `student_patience` does not count either.

    >>> params = Params.load("base")
    >>> settings_for(130, params).steps, settings_for(130, params, epochs=2).steps
    (24, 6)
    """
    size = params.student_batch_size
    steps = steps_for(n_pairs, size, params.student_epochs if epochs is None else epochs)
    patience = params.student_patience if epochs is None else 0
    once = steps_for(n_pairs, size, 1)
    return replace(settings_of(steps, params), evaluate_every=once, patience=patience)


def train_on(
    dataset: pd.DataFrame,
    base: Student,
    params: Params,
    run: RunFolder,
    name: str,
    epochs: float | None = None,
) -> Student:
    """Train a student on a dataset and save it in `models/NAME`.

    Args:
        dataset: DATASET frame, from any source.
        base: in float32; its weights are changed in place.
        params: see `settings_for`, and `student_dev_fraction`, `student_adapter_rank`.
        run: gets `models/NAME`; checkpoints lie in `work/NAME` until training is complete.
        name: folder name, for example "student".
        epochs: over the whole dataset, after which the last weights are kept; none of it is held
            out. By default the best weights on dev are kept, of at most `student_epochs`.

    Raises:
        DataError: the dataset is empty.
    """
    places = (run.models / name, run.work / f"{name}-training")
    return train_into(*places, dataset, base, params, epochs)


def train_into(
    out: Path,
    checkpoints: Path,
    dataset: pd.DataFrame,
    base: Student,
    params: Params,
    epochs: float | None = None,
) -> Student:
    """`train_on` with other places: of the model, and of checkpoints until it is complete."""
    if dataset.empty:
        raise DataError(
            f"There is no pair to train {out.name} on: no candidate passed the thresholds. Look at "
            "the funnel of the notebook before, loosen a threshold (entailment_threshold, "
            "rouge_l_max, ted_min) or raise n_contexts, k or n_inputs."
        )
    train, dev = dataset, dataset.head(0)
    if epochs is None:
        train, dev = split_by_context(dataset, params.student_dev_fraction, params.seed)
    pairs, held_out = (
        list(zip(part["source"], part["target"], strict=True)) for part in (train, dev)
    )
    settings = settings_for(len(pairs), params, epochs)
    return train_student(
        base, pairs, held_out, settings, out, checkpoints, params.student_adapter_rank
    )


def train_students(
    datasets: Mapping[str, pd.DataFrame],
    load_base: Callable[[], Student],
    params: Params,
    run: RunFolder,
    prefix: str,
    epochs: float | None = None,
) -> dict[str, Student]:
    """A student of each dataset, alike in everything but their pairs.

    Args:
        datasets: name → DATASET frame; the caller draws equal numbers of pairs.
        load_base: loads the base anew.
        params, run, epochs: as for `train_on`.
        prefix: of the models' folders, `models/PREFIX-NAME`.
    """
    return {
        name: train_on(frame, load_base(), params, run, f"{prefix}-{_slug(name)}", epochs)
        for name, frame in datasets.items()
    }


def _slug(name: str) -> str:
    """A name as part of a folder's name: letters, digits and underscores."""
    return re.sub(r"\W+", "_", name).strip("_").lower()


def loss_curve(history: History) -> pd.DataFrame:
    """A training run's losses as `figures.loss_curves` draws them.

    Returns:
        Columns step, split ("train" or "dev"), loss (nats per token).
    """
    kept = [name for name in ("train_loss", "dev_loss") if name in history.curve]
    curve = history.curve.melt("step", kept, var_name="split", value_name="loss")
    return curve.assign(split=curve["split"].str.removesuffix("_loss"))
