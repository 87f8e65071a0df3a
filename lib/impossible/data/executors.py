"""Where units of work are computed: here one after the other, by forked processes, or on Ray."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import torch

from impossible.config.params import Params
from impossible.errors import RunError


class Computable(Protocol):
    """A task: `units.Task`."""

    def compute(self) -> Path:
        """Compute it and write its part."""
        ...


class Executor(Protocol):
    """Computes tasks anywhere, in any order."""

    def run(self, tasks: Sequence[Computable]) -> Iterator[Path]:
        """Compute each task; yields a part as soon as it is written."""
        ...


class LocalExecutor:
    """Computes one task after the other in this process."""

    def run(self, tasks: Sequence[Computable]) -> Iterator[Path]:
        """See `Executor`."""
        for task in tasks:
            yield task.compute()


_tasks: Sequence[Computable] = ()  # what forked processes find in their memory


class ForkExecutor:
    """Shares tasks among forked processes: models that are loaded are there without a copy.

    Args:
        processes: how many, ≥ 1.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes

    def run(self, tasks: Sequence[Computable]) -> Iterator[Path]:
        """See `Executor`.

        Raises:
            RunError: a process was killed; what the others wrote is kept.
        """
        global _tasks
        _tasks = tasks
        context = get_context("fork")
        pool = ProcessPoolExecutor(self.processes, context, initializer=_die_with_the_parent)
        try:
            waiting = [pool.submit(_compute, number) for number in range(len(tasks))]
            for done in as_completed(waiting):
                yield done.result()
        except BrokenProcessPool as broken:
            raise RunError(
                "A process that computed units was killed, probably for lack of memory: set "
                "workers to 1 and run again; what was computed is kept."
            ) from broken
        finally:
            pool.shutdown(cancel_futures=True)
            _tasks = ()


def local_executor(workers: int, tasks: int) -> Executor:
    """Forked processes where they are safe and pay, else this process.

    Safe: on Linux, without a GPU in use, with one thread a process (a forked process waits for
    ever for the threads that it did not inherit).
    """
    processes = min(workers, tasks)
    safe = (
        sys.platform == "linux" and torch.get_num_threads() == 1 and not torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    )
    return ForkExecutor(processes) if processes > 1 and safe else LocalExecutor()


def executor_for(params: Params, tasks: int) -> Executor:
    """Where the run's parameters (workers, executor, ray_address) say that tasks are computed.

    Results do not depend on it, so it does not count as read. On Ray a worker has a GPU of its own
    if this process has one: models in one kind of arithmetic only come out alike.
    """
    workers = params.plain("workers")
    if params.plain("executor") == "local":
        return local_executor(workers, tasks)
    from impossible.data.ray_executor import RayExecutor

    gpu = params.plain("device") != "cpu" and torch.cuda.is_available()
    return RayExecutor(workers, params.plain("ray_address"), torch.get_num_threads(), gpu)


def _compute(number: int) -> Path:
    return _tasks[number].compute()


def _die_with_the_parent() -> None:
    """Also where the parent is killed, which nobody else would tell its children."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
