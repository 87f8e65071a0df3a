"""Folders of checkpoints, from which an interrupted training goes on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers.trainer_utils import get_last_checkpoint

from impossible.training.processes import is_first_process, wait_for_all


def own_folder(checkpoints: Path, name: str) -> Path:
    """The folder of the training of this name; those of others, and torn checkpoints, go."""
    if is_first_process():
        for other in checkpoints.glob("*"):
            if other.name != name:
                shutil.rmtree(other)
        for each in (checkpoints / name).glob("checkpoint-*"):
            if not (each / "trainer_state.json").is_file():  # which is written last
                shutil.rmtree(each)
    wait_for_all()
    return checkpoints / name


def last_checkpoint(folder: Path) -> str | None:
    """The last one in a folder."""
    find: Any = get_last_checkpoint
    return find(str(folder)) if folder.is_dir() else None


def remove(checkpoints: Path) -> None:
    """Remove all, when every process has ended."""
    wait_for_all()
    if is_first_process():
        shutil.rmtree(checkpoints, ignore_errors=True)
