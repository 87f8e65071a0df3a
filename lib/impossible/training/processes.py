"""The processes that train one model together, as `accelerate launch` starts them; else just one.

All of them read the same data and end with the same weights; the first one alone writes.
"""

from __future__ import annotations

import os
from typing import TypeVar

import torch
from torch import distributed

from impossible.errors import ModelError

Thing = TypeVar("Thing")


def process_count() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first_process() -> bool:
    """Whether this one writes."""
    return os.environ.get("RANK", "0") == "0"


def wait_for_all() -> None:
    """Go on when every process has come so far."""
    if distributed.is_initialized():
        distributed.barrier()


def agreed(thing: Thing) -> Thing:
    """What the first process gives, in all of them."""
    if distributed.is_initialized():
        several = [thing]
        distributed.broadcast_object_list(several, 0)
        return several[0]
    return thing


def share_of(batch_size: int) -> int:
    """Examples of a batch that each process computes, so that a step stays what it is.

    Raises:
        ModelError: they are no whole number.
    """
    share, left = divmod(batch_size, process_count())
    if left or not share:
        raise ModelError(
            f"a batch of {batch_size} examples cannot be shared evenly among {process_count()} "
            "processes: set student_batch_size to a multiple of their number"
        )
    return share


def own_device(name: str) -> str:
    """The device of this process: of several on a machine, each has a GPU of its own."""
    if name == "auto" and process_count() > 1 and torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return name
