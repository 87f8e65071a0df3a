"""Units on Ray: the same bytes as here, whatever is killed; and one sentence for what is wrong.

What needs Ray itself is slow, starts a cluster on this machine, and is skipped where Ray is not
installed; how the driver hands out units is tested with a stand-in.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.data import ray_executor
from impossible.data.digests import digest
from impossible.data.executors import LocalExecutor, executor_for
from impossible.data.ray_executor import RayExecutor, require_ray
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import FUNNEL
from impossible.data.units import Unit, map_units
from impossible.errors import DataError, ParameterError, RunError
from impossible.filtering.resumable_scoring import score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.generation.contexts import draw_contexts, plan_contexts
from impossible.generation.next_sentences import draw_sentences
from impossible.runner.models import RunModels
from impossible.runner.preflight import cell_values, kernel_environment
from impossible.runner.run import run_all
from impossible.training.self_distillation import score_candidates

Frames = tuple[pd.DataFrame, pd.DataFrame]
NAMES = [f"u{number}" for number in range(8)]


def logged(unit: Unit, params: Params, models: Any) -> Frames:
    """A row of the unit; its name goes to a file, since other processes compute it."""
    with open(unit.payload["log"], "a") as file:
        file.write(f"{unit.id}\n")
    time.sleep(unit.payload.get("seconds", 0))
    rows = pd.DataFrame([(unit.id, "seen", params.k)], columns=FUNNEL.names)
    return rows, pd.DataFrame()


def killed_once(unit: Unit, params: Params, models: Any) -> Frames:
    """Its worker is killed in the middle of u3, the first time."""
    frames = logged(unit, params, models)
    if unit.id == "u3" and Path(unit.payload["log"]).read_text().split().count("u3") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return frames


def always_killed(unit: Unit, params: Params, models: Any) -> Frames:
    frames = logged(unit, params, models)
    if unit.id == "u3":
        os.kill(os.getpid(), signal.SIGKILL)
    return frames


def failing(unit: Unit, params: Params, models: Any) -> Frames:
    raise DataError(f"{unit.id} is bad")


@pytest.fixture
def run(checkout: Path) -> RunFolder:
    return RunFolder.open(checkout / "results" / "test")


def units(run: RunFolder, **payload: Any) -> list[Unit]:
    return [Unit(name, {"log": str(run.root / "log"), **payload}) for name in NAMES]


def mapped(run: RunFolder, function: Any, executor: Any = None, **payload: Any) -> pd.DataFrame:
    params = Params.load("test")
    where = (params, run, "work", FUNNEL)
    return map_units(function, units(run, **payload), *where, executor=executor)[0]


def calls(run: RunFolder) -> Counter[str]:
    log = run.root / "log"
    return Counter(log.read_text().split() if log.is_file() else [])


def parts(run: RunFolder) -> dict[str, str]:
    return {path.name: digest(path) for path in run.work.rglob("*.parquet")}


def emptied(run: RunFolder) -> RunFolder:
    for path in [*run.work.rglob("*.parquet"), *run.root.glob("log")]:
        path.unlink()
    return run


# The choice


def test_the_parameters_choose_and_ray_is_not_imported_for_it() -> None:
    chosen = Params.load("base", {"executor": "ray", "ray_address": "head:6379", "workers": 8})
    executor = executor_for(chosen, 100)
    assert isinstance(executor, RayExecutor)
    assert (executor.workers, executor.address) == (8, "head:6379")
    assert list(executor.run([])) == []
    assert "ray" not in sys.modules or find_spec("ray")
    assert chosen.read == frozenset()
    assert isinstance(executor_for(Params.load("base", {"workers": 1}), 100), LocalExecutor)
    assert chosen.notebooks_at_once == 1
    assert Params.load("base", {"workers": 8}).notebooks_at_once == 8


def test_what_was_computed_locally_is_not_computed_on_ray(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(self: RayExecutor, tasks: Sequence[Any]) -> Iterator[Path]:
        assert not tasks
        return iter(())

    here = mapped(run, logged)
    monkeypatch.setattr(RayExecutor, "run", nothing)
    params = Params.load("test", {"executor": "ray", "ray_address": "head:6379"})
    there = map_units(logged, units(run), params, run, "work", FUNNEL)[0]
    assert there.equals(here)


def test_kernels_are_told_and_executed_notebooks_do_not_name_machines(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = Params.load("test", {"executor": "ray", "ray_address": "head:6379", "workers": 8})
    assert cell_values(params, run.root)["overrides"] == {}
    for name, value in kernel_environment(params, run).items():
        monkeypatch.setenv(name, value)
    kernel = Params.load("test")
    assert kernel.plain("ray_address") == "head:6379"
    assert kernel.plain("workers") == 8
    assert kernel.origins["seed"] == "test"


@pytest.mark.parametrize(
    "wrong", [{"executor": "slurm"}, {"ray_address": "ray://head:10001"}, {"ray_address": "head"}]
)
def test_a_wrong_choice_is_told_with_what_is_allowed(wrong: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match=r"'local' or 'ray'|host:port"):
        Params.load("base", wrong)


def test_without_ray_nothing_starts(
    checkout: Path, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("01_a", inputs=[], outputs=[])
    monkeypatch.setattr(ray_executor, "find_spec", lambda name: None)
    params = Params.load("test", {"executor": "ray"})
    with pytest.raises(RunError, match=r"pip install -e '\.\[ray\]'"):
        run_all(params, checkout / "results" / "test")
    assert not (checkout / "results" / "test").exists()


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_an_address_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, silent: bool) -> None:
    def health_check(command: list[str], timeout: float, **_: Any) -> Any:
        if silent:
            raise subprocess.TimeoutExpired(command, timeout)
        return SimpleNamespace(returncode=1)

    monkeypatch.setattr(ray_executor, "find_spec", lambda name: True)
    monkeypatch.setattr(subprocess, "run", health_check)
    with pytest.raises(RunError, match="head:6379: no Ray cluster answered within 30 seconds"):
        require_ray("head:6379")


# The driver, with a stand-in for Ray


@dataclass
class StandIn:
    """Ray in this process: an actor computes when `wait` asks for its answer, the last one first.

    Attributes:
        ready: how many actors ever start.
    """

    ready: int = 2
    most: int = 0
    killed: int = 0
    futures: list[Any] = field(default_factory=list)

    class exceptions:
        RayActorError = OutOfMemoryError = MemoryError

    def is_initialized(self) -> bool:
        return True

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def put(self, thing: Any) -> Any:
        return thing

    def remote(self, **_: Any) -> Any:
        return lambda kind: SimpleNamespace(remote=lambda *args: self.actor(kind(*args)))

    def actor(self, worker: Any) -> Any:
        started, self.ready = self.ready > 0, self.ready - 1

        def call(method: Any) -> Any:
            return SimpleNamespace(remote=lambda *args: self.future(started, method, args))

        return SimpleNamespace(complaint=call(worker.complaint), compute=call(worker.compute))

    def future(self, started: bool, method: Any, args: Any) -> str:
        self.futures.append((started, method, args))
        return f"{len(self.futures) - 1}"

    def wait(self, busy: list[str], timeout: float | None) -> tuple[list[str], list[str]]:
        self.most = max(self.most, len(busy))
        return [ref for ref in busy if self.futures[int(ref)][0]][-1:], []

    def get(self, ref: Any) -> Any:
        if not isinstance(ref, str):
            return ref
        _, method, args = self.futures[int(ref)]
        return method(*args)

    def kill(self, actor: Any) -> None:
        self.killed += 1


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    ray = StandIn()
    monkeypatch.setitem(sys.modules, "ray", ray)  # type: ignore[arg-type]
    monkeypatch.setattr(ray_executor, "find_spec", lambda name: True)
    return ray


def test_a_worker_has_one_unit_at_a_time_and_late_ones_are_not_waited_for(
    run: RunFolder, stand_in: StandIn
) -> None:
    frame = mapped(run, logged, RayExecutor(3))
    assert frame["context_id"].tolist() == NAMES
    assert calls(run) == Counter(NAMES)
    assert stand_in.most == 3
    assert stand_in.killed == 3
    far = parts(run)
    assert mapped(emptied(run), logged).equals(frame)
    assert parts(run) == far


def test_errors_come_as_they_are_and_actors_end(run: RunFolder, stand_in: StandIn) -> None:
    with pytest.raises(DataError, match="^u. is bad$"):
        mapped(run, failing, RayExecutor(2))
    assert stand_in.killed == 2


def test_no_worker_starts(run: RunFolder, stand_in: StandIn) -> None:
    stand_in.ready = 0
    with pytest.raises(RunError, match="within 600 seconds: each needs 1 CPU.* has 2 CPUs and 0"):
        mapped(run, logged, RayExecutor(2))


def test_a_worker_must_see_the_folder_and_have_the_same_package(
    run: RunFolder, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = ray_executor._Worker(1, {}, [None])
    assert worker.complaint(str(run.root), ray_executor.package_digest()) == ""
    assert "at the same path" in worker.complaint(f"{run.root}/x", ray_executor.package_digest())
    assert "another version" in worker.complaint(str(run.root), "other")
    monkeypatch.setattr(ray_executor._Worker, "complaint", lambda *_: "It cannot serve.")
    with pytest.raises(RunError, match="It cannot serve"):
        mapped(run, logged, RayExecutor(2))


# Ray itself

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: pip install -e '.[ray]'"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Room for four workers, which find the functions of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        ray = ray_executor._connected("", 4)
        yield ray
        ray.shutdown()


def everything(run: RunFolder, models: Path, **values: Any) -> tuple[dict[str, str], Any]:
    """Contexts, sentences, pairs and candidates by tiny models: all parts, and the last rows."""
    given: dict[str, Any] = {
        "teacher": str(models / "teacher"), "critic": str(models / "critic"), "encoder": "none",
        "student_base": str(models / "student"), "parser": "flat", "context_sentences_max": 1,
        "k": 6, "sentence_max_new_tokens": 20, "context_max_new_tokens": 20, "n_candidates": 3,
        "candidate_top_p": 0.5, "length_ratio_max": 3.0, "device": "cpu", "dtype": "float32",
        "domains": [{"name": "news", "prefixes": [tiny.PREFIX], "banned": ["\n"]}],
    }  # fmt: skip
    params = Params.load("test", {**given, **values})
    loaded, limits = RunModels(run, params), Thresholds.paraphrase(params)
    contexts = draw_contexts(run, loaded.teacher, plan_contexts(params, 4), params)
    sentences = draw_sentences(run, loaded.teacher, contexts, params)
    score_sentences(run, sentences, loaded, limits)
    inputs = sentences[sentences["reason"] == ""].drop_duplicates("text").head(3)
    inputs = inputs.assign(input_id=inputs["text"])
    scored, _ = score_candidates(run, inputs, loaded.student(), loaded, limits)
    assert len(contexts) == 4
    assert len(inputs) == 3
    return parts(run), scored


@needs_ray
@pytest.mark.slow
def test_every_kind_of_unit_has_the_same_digest(
    run: RunFolder, tmp_path: Path, cluster: Any
) -> None:
    models = tmp_path / "tiny"
    for name, built in {
        "teacher": tiny.reader(), "critic": tiny.critic(), "student": tiny.t5()
    }.items():  # fmt: skip
        tiny.save(models / name, *built)
    here, rows = everything(run, models)
    assert len(here) > 8
    for workers in (1, 2, 4):
        there, other = everything(emptied(run), models, executor="ray", workers=workers)
        assert there == here
        pd.testing.assert_frame_equal(other, rows)


@needs_ray
@pytest.mark.slow
def test_a_killed_worker_repeats_its_unit_and_no_other(run: RunFolder, cluster: Any) -> None:
    frame = mapped(run, killed_once, RayExecutor(2))
    assert calls(run) == Counter(NAMES) + Counter(["u3"])
    there = parts(run)
    (emptied(run).root / "log").write_text("u3\n")
    assert mapped(run, killed_once).equals(frame)
    assert parts(run) == there


@needs_ray
@pytest.mark.slow
def test_a_unit_that_kills_its_worker_ends_the_run_and_the_others_stay(
    run: RunFolder, cluster: Any
) -> None:
    with pytest.raises(RunError, match="died 4 times at the unit u3"):
        mapped(run, always_killed, RayExecutor(1))
    assert calls(run) == {"u0": 1, "u1": 1, "u2": 1, "u3": 4}
    assert len(parts(run)) == 3
    with pytest.raises(DataError, match="^u3 is bad$"):
        map_units(
            failing, units(run)[3:4], Params.load("test"), run, "work", FUNNEL,
            executor=RayExecutor(1),
        )  # fmt: skip


@needs_ray
@pytest.mark.slow
def test_a_killed_driver_is_resumed_with_any_executor(run: RunFolder) -> None:
    program = (
        "import test_ray as t; from pathlib import Path;"
        f"t.mapped(t.RunFolder(Path({str(run.root)!r})), t.logged, t.RayExecutor(2), seconds=1)"
    )
    folders = [str(Path(__file__).parent), *filter(None, sys.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    driver = subprocess.Popen([sys.executable, "-c", program], env=environment)
    deadline = time.monotonic() + 900
    while len(parts(run)) < 2 and time.monotonic() < deadline:
        assert driver.poll() is None
        time.sleep(0.05)
    driver.kill()
    driver.wait()
    time.sleep(3)  # in which workers that live on would write more
    written, begun = parts(run), calls(run)
    assert 2 <= len(written) < len(NAMES)
    assert begun.total() <= len(written) + 2
    mapped(run, logged, seconds=1)
    assert calls(run).total() == begun.total() + len(NAMES) - len(written)
    assert written.items() <= parts(run).items()
    there = parts(run)
    mapped(emptied(run), logged, seconds=1)
    assert parts(run) == there


@needs_ray
@pytest.mark.slow
def test_a_port_where_something_else_listens() -> None:
    begin = time.monotonic()
    other = socket.create_server(("127.0.0.1", 0))
    with other, pytest.raises(RunError, match="no Ray cluster answered"):
        require_ray(f"127.0.0.1:{other.getsockname()[1]}")
    assert time.monotonic() - begin < ray_executor.ANSWER + 10


@needs_ray
@pytest.mark.slow
def test_a_cluster_that_runs_already(run: RunFolder, cluster: Any) -> None:
    cluster.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = [sys.executable, "-m", "ray.scripts.scripts"]
    start = ["start", "--head", f"--port={port}", "--num-cpus=1", "--include-dashboard=false"]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    environment.pop("IMPOSSIBLE_ROOT")  # the driver tells it
    head = subprocess.Popen(
        [*program, *start, "--block"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                require_ray(f"127.0.0.1:{port}")
                break
            except RunError:
                time.sleep(1)
        mapped(run, logged, RayExecutor(2, f"127.0.0.1:{port}"))  # one finds room
    finally:
        cluster.shutdown()  # a driver ends with its cluster
        head.terminate()
        head.wait(30)
    assert calls(run) == Counter(NAMES)
