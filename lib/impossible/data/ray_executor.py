"""Units of work on Ray: a pool of actors, each with the models in its memory.

A worker writes its parts into the run folder itself, atomically, as a local process does: the
folder, the checkout and the models have the same paths on all machines. The driver hands every
worker one unit at a time, so that a worker that is killed repeats one unit, and a driver that is
killed loses what is in flight and nothing else. Ray is imported when units are computed on it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from impossible.config.places import ROOT_VARIABLE, project_root
from impossible.data.digests import package_digest
from impossible.errors import ImpossibleError, RunError

ANSWER = 30  # seconds in which a cluster must answer
START = 600  # seconds in which the first worker must start, where machines are perhaps only booted
RETRIES = 3  # of a unit whose worker died
KEEPS = "what was computed is kept"

#: A cluster of this process tells nobody, and is patient: where a worker takes longer than a minute
#: to start, as on a busy machine, Ray would give it up and then wait for it for ever.
OWN_CLUSTER = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_register_timeout_seconds": f"{START}"}

#: Of the driver's environment: where models lie, what may be asked of a network, how much is told.
ENVIRONMENT = (
    "IMPOSSIBLE_CACHE", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE",
    "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM", "TRANSFORMERS_VERBOSITY",
)  # fmt: skip


class RayExecutor:
    """Computes tasks on Ray, in any order.

    Args:
        workers: most actors; those for which the cluster has no room yet join when it has.
        address: `host:port` of the head node; "auto": the cluster on this machine; "": a cluster
            of this process, which ends with it.
        threads: of each actor, as in the driver: results may depend on it.
        gpu: each actor has a GPU of its own.
    """

    def __init__(self, workers: int, address: str = "", threads: int = 1, gpu: bool = False):
        self.workers, self.address, self.threads, self.gpu = workers, address, threads, gpu

    def run(self, tasks: Sequence[Any]) -> Iterator[Path]:
        """See `executors.Executor`; the tasks are those of one `map_units`, with the same models.

        Raises:
            RunError: Ray is not installed, the cluster does not answer or gives no worker, a worker
                has another package or does not see the run folder, or a unit kills its worker.
        """
        if not tasks:
            return
        ray = _connected(self.address, self.workers * self.threads)
        models = ray.put(tasks[0].models)  # once, and as long as an actor may start anew
        pool = self._pool(ray, min(self.workers, len(tasks)), models)
        waiting, left = iter(tasks), len(tasks)
        folder: Path = tasks[0].folder
        folder.mkdir(parents=True, exist_ok=True)
        check = (str(folder), package_digest())
        busy: dict[Any, tuple[Any, Any]]
        busy = {actor.complaint.remote(*check): (actor, None) for actor in pool}
        started = False
        try:
            while left:
                done, _ = ray.wait(list(busy), timeout=None if started else START)
                if not done:
                    raise RunError(self._no_worker(ray))
                started = True
                actor, task = busy.pop(done[0])
                path = _answer(ray, done[0], task)
                if (following := next(waiting, None)) is not None:
                    sent = replace(following, models=None)
                    busy[actor.compute.remote(sent)] = (actor, following)
                if task is not None:
                    left -= 1
                    yield path
        finally:
            for actor in pool:
                ray.kill(actor)

    def _pool(self, ray: Any, size: int, models: Any) -> list[Any]:
        """Actors that start as the cluster has room, and anew whenever one is killed."""
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        environment[ROOT_VARIABLE] = str(project_root())
        kind = ray.remote(
            num_cpus=self.threads, num_gpus=int(self.gpu), max_restarts=-1, max_task_retries=RETRIES
        )(_Worker)
        # in a list, so that an actor fetches them itself, when its environment is set
        return [kind.remote(self.threads, environment, [models]) for _ in range(size)]

    def _no_worker(self, ray: Any) -> str:
        what = f"{self.threads} CPU{' and a GPU' if self.gpu else ''}"
        there = {name: ray.cluster_resources().get(name, 0) for name in ("CPU", "GPU")}
        return (
            f"No Ray worker started within {START} seconds: each needs {what}, and the cluster has "
            f"{there['CPU']:g} CPUs and {there['GPU']:g} GPUs, perhaps used by others; free some, "
            f"or set executor to local, and run again; {KEEPS}."
        )


class _Worker:
    """What an actor is: it has the models, and computes one task at a time."""

    def __init__(self, threads: int, environment: dict[str, str], stored: list[Any]) -> None:
        os.environ.update(environment)
        import torch

        torch.set_num_threads(threads)
        self._stored, self._models = stored, None

    def complaint(self, folder: str, code: str) -> str:
        """Why this worker cannot serve; empty if it can."""
        import platform

        if not Path(folder).is_dir():
            return (
                f"The machine {platform.node()} of the Ray cluster does not see {folder}: give "
                "with --results a folder that lies at the same path on all machines."
            )
        if package_digest() != code:
            return (
                f"The machine {platform.node()} of the Ray cluster has another version of this "
                "package: install the same checkout on all machines."
            )
        return ""

    def compute(self, task: Any) -> Path | ImpossibleError:
        """Compute a task with this worker's models and write its part."""
        import ray

        if self._models is None:
            self._models = ray.get(self._stored[0])
        try:
            path: Path = replace(task, models=self._models).compute()
        except ImpossibleError as bad:  # the driver raises it as it is
            return bad
        return path


def require_ray(address: str) -> None:
    """Refuse at once if Ray is not installed, or no cluster answers at a `host:port`.

    Raises:
        RunError: within `ANSWER` seconds.
    """
    if find_spec("ray") is None:
        raise RunError(
            "executor = ray needs Ray, which is not installed: install the extra with "
            "pip install -e '.[ray]' in the checkout, or set executor to local."
        )
    if address in ("", "auto"):
        return
    # Ray itself would go on trying for minutes.
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check"]
    command += ["--skip-version-check", "--address", address]
    try:
        status = subprocess.run(command, capture_output=True, timeout=ANSWER).returncode
    except subprocess.TimeoutExpired:
        status = 1
    if status:
        raise RunError(
            f"ray_address = {address}: no Ray cluster answered within {ANSWER} seconds: start one "
            "there (ray start --head), correct the address, or leave it empty for this machine."
        )


def _connected(address: str, cpus: int) -> Any:
    """Ray, connected to a cluster; see `OWN_CLUSTER`."""
    require_ray(address)
    import ray

    if ray.is_initialized():
        return ray
    for name, value in OWN_CLUSTER.items():
        os.environ.setdefault(name, value)
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address:
            ray.init(address, **quiet)
        else:
            ray.init("local", num_cpus=cpus, include_dashboard=False, **quiet)
    except Exception as bad:  # Ray raises many kinds, down to Exception itself
        reason = str(bad).strip().partition("\n")[0]
        raise RunError(
            f"ray_address = {address or 'empty'}: Ray cannot be used ({reason}): start a cluster "
            "of the same Ray and Python (ray start --head), or set executor to local."
        ) from bad
    return ray


def _answer(ray: Any, done: Any, task: Any) -> Any:
    """The part that a worker wrote; nothing from a worker that is ready."""
    try:
        answer = ray.get(done)
    except (ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError) as dead:
        where = f"at the unit {task.unit.id}" if task else "before its first unit"
        raise RunError(
            f"A Ray worker died {RETRIES + 1} times {where}, probably for lack of memory: lower "
            f"batch_tokens or workers and run again; {KEEPS}."
        ) from dead
    if isinstance(answer, ImpossibleError):
        raise answer
    if task is None and answer:
        raise RunError(answer)
    return answer
