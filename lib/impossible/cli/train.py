"""The command `impossible train`: a student of any dataset, by one process or by several."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from impossible.cli.output import named_path


def add_train(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add the command.

    Args:
        command: makes a subcommand of (commands, name, help text, handler).
        commands: the action that holds it.
    """
    train = command(commands, "train", "train a student on a dataset of a run", _train)
    train.description = (
        f"{train.description} Several processes share each batch under `accelerate launch "
        "--config_file params/accelerate/ddp.yaml -m impossible.cli train …`."
    )
    train.set_defaults(kept="; the same command goes on from the last epoch")
    train.add_argument(
        "file", metavar="FILE", type=named_path, help="data/dataset.parquet of a run, say"
    )
    train.add_argument("params", nargs="*", metavar="name=value", help="values other than PARAMS's")
    train.add_argument(
        "--out", metavar="DIR", type=named_path, required=True, help="folder of the model"
    )
    train.add_argument(
        "--params", dest="name", default="english", metavar="PARAMS",
        help="name in params/ or YAML file with student_base and student_* (default english)",
    )  # fmt: skip


def _train(options: argparse.Namespace) -> None:
    from impossible.config.params import Params
    from impossible.data.io import read_frame
    from impossible.data.schemas import DATASET
    from impossible.errors import ParameterError

    params = Params.load(options.name, options.params)
    out = options.out.absolute()
    filled = out.is_file() or (out.is_dir() and any(out.iterdir()))
    if filled and not (out / "recipe.json").is_file():
        raise ParameterError(
            f"--out {options.out} holds something else than a student: give a folder that is empty "
            "or not there yet."
        )
    remedy = "give a dataset as a run writes it, such as its data/dataset_para.parquet"
    dataset = read_frame(options.file, DATASET, remedy)

    # seconds of imports, which what is refused above need not wait for
    from impossible.training.fine_tuning import train_into
    from impossible.training.processes import is_first_process, own_device, process_count
    from impossible.training.student import load_student

    base = load_student(params.student_base, None, "float32", own_device(params.device))
    checkpoints = out.with_name(f".{out.name}-training")
    student = train_into(out, checkpoints, dataset, base, params)
    if is_first_process() and student.history:
        best, count = student.history, process_count()
        print(
            f"{out}: {len(dataset)} pairs, {count} process{'es' * (count > 1)}, "
            f"loss {best.best_loss:.3f} at step {best.best_step}"
        )
