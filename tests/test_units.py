"""Units of long work: what is reused, what is computed anew, and that any worker gives the same."""

from __future__ import annotations

import copy
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from impossible.config.params import Params
from impossible.data.digests import digest
from impossible.data.executors import ForkExecutor, LocalExecutor, local_executor
from impossible.data.run_folder import RunFolder, unit_seed
from impossible.data.schemas import FUNNEL
from impossible.data.units import Task, Unit, map_units
from impossible.errors import DataError, RunError
from impossible.runner.models import RunModels

Frames = tuple[pd.DataFrame, pd.DataFrame]
CALLS: list[str] = []


def count(unit: Unit, params: Params, models: Any) -> Frames:
    """A row for each word, drawn `k` times; a funnel line; reads k and the seed."""
    CALLS.append(unit.id)
    n = params.k + unit_seed(params.seed, "count", unit.id) % 7
    rows = [(unit.id, word, n) for word in unit.payload]
    left_out = pd.DataFrame({"context_id": [unit.id], "reason": ["empty"], "n": [len(rows)]})
    return pd.DataFrame(rows, columns=FUNNEL.names), left_out


def with_student(unit: Unit, params: Params, models: RunModels) -> Frames:
    params.note(["models/student"])
    return count(unit, params, models)


UNITS = [Unit("a", ["x", "y"]), Unit("b", ["z"]), Unit("c", [])]


@pytest.fixture
def run(checkout: Path) -> RunFolder:
    CALLS.clear()
    return RunFolder.open(checkout / "results" / "test")


def mapped(
    run: RunFolder, units: Sequence[Unit] = UNITS, function: Any = count, **values: Any
) -> tuple[pd.DataFrame, pd.DataFrame, frozenset[str], list[str]]:
    params, before = Params.load("test", {"workers": 1, **values}), len(CALLS)
    frame, funnel = map_units(function, units, params, run, "work", FUNNEL)
    return frame, funnel, params.read, CALLS[before:]


def parts(run: RunFolder) -> dict[str, str]:
    return {path.name: digest(path) for path in (run.work / "work").iterdir()}


def test_rows_come_in_the_order_of_the_units_with_their_funnel(run: RunFolder) -> None:
    frame, funnel, read, calls = mapped(run)
    assert calls == ["a", "b", "c"]
    assert frame[["context_id", "reason"]].to_numpy().tolist() == [
        ["a", "x"], ["a", "y"], ["b", "z"]
    ]  # fmt: skip
    assert funnel["n"].tolist() == [2, 1, 0]
    assert read == {"k", "seed"}
    again = mapped(run, UNITS[::-1])
    assert again[3] == []
    assert again[0]["context_id"].tolist() == ["b", "a", "a"]
    assert again[2] == {"k", "seed"}  # noted also when nothing was computed


def test_a_unit_is_computed_anew_if_what_it_reads_changed_and_only_then(run: RunFolder) -> None:
    mapped(run)
    before = parts(run)
    assert mapped(run, n_test=7, batch_tokens=512)[3] == []  # read by nobody
    assert mapped(run, [Unit("a", ["x"]), *UNITS[1:], Unit("d", ["x"])])[3] == ["a", "d"]
    assert mapped(run)[3] == ["a"]
    assert mapped(run, k=50)[3] == ["a", "b", "c"]
    assert not parts(run).keys() & before.keys()
    assert mapped(run)[3] == ["a", "b", "c"]  # a replaced part is gone
    assert {name: parts(run)[name] for name in before} == before
    assert mapped(run, function=with_student)[3] == ["a", "b", "c"]


def test_what_the_caller_sets_counts_and_is_not_read_from_the_run(run: RunFolder) -> None:
    params = Params.load("test", {"workers": 1})
    for k, calls in ((7, 3), (7, 0), (8, 3)):
        before = len(CALLS)
        map_units(count, UNITS, params.fixed(k=k), run, "work", FUNNEL)
        assert len(CALLS) - before == calls
    assert params.read == {"seed"}


def test_a_changed_model_of_the_run_counts(run: RunFolder) -> None:
    (run.models / "student").mkdir()
    (run.models / "student" / "config.json").write_text("{}")
    assert mapped(run, function=with_student)[3] == ["a", "b", "c"]
    assert mapped(run, function=with_student)[3] == []
    (run.models / "student" / "config.json").write_text("{ }")
    assert mapped(run, function=with_student)[3] == ["a", "b", "c"]


def test_an_interrupted_call_goes_on_and_ends_with_the_same_parts(run: RunFolder) -> None:
    class Stops:
        def run(self, tasks: Sequence[Task]) -> Iterator[Path]:
            yield from LocalExecutor().run(tasks[:1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_units(
            count, UNITS, Params.load("test", {"workers": 1}), run, "work", FUNNEL, executor=Stops()
        )
    frame, _, _, calls = mapped(run)
    assert calls == ["b", "c"]
    whole = parts(run)
    for path in (run.work / "work").iterdir():
        path.unlink()
    assert mapped(run)[0].equals(frame)
    assert parts(run) == whole


def compute(task: Task) -> Path:
    return task.compute()


class Processes:
    """Two workers that get their tasks pickled, in any order."""

    def run(self, tasks: Sequence[Task]) -> Iterator[Path]:
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            yield from pool.imap_unordered(compute, tasks)


@pytest.mark.parametrize("executor", [Processes(), ForkExecutor(2)], ids=["pickled", "forked"])
def test_workers_of_other_processes_write_the_same_bytes(run: RunFolder, executor: Any) -> None:
    params = Params.load("test", {"workers": 1})
    models = RunModels(run, params)
    frame, funnel = map_units(count, UNITS, params, run, "work", FUNNEL, models, executor)
    assert CALLS == []
    far = parts(run)
    for path in (run.work / "work").iterdir():
        path.unlink()
    here = mapped(run)
    assert here[0].equals(frame)
    assert here[1].equals(funnel)
    assert parts(run) == far


def killed(unit: Unit, params: Params, models: Any) -> Frames:
    if unit.id == "b":
        os.kill(os.getpid(), signal.SIGKILL)
    return count(unit, params, models)


def failing(unit: Unit, params: Params, models: Any) -> Frames:
    raise DataError(f"{unit.id} is bad")


def test_a_killed_process_is_one_sentence_and_what_is_written_stays(run: RunFolder) -> None:
    params, forked = Params.load("test"), ForkExecutor(1)
    with pytest.raises(RunError, match="set workers to 1"):
        map_units(killed, UNITS, params, run, "work", FUNNEL, executor=forked)
    assert len(parts(run)) == 1
    with pytest.raises(DataError, match=r"\w is bad"):
        map_units(failing, UNITS, params, run, "work", FUNNEL, executor=forked)


def test_processes_are_forked_only_where_that_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert isinstance(local_executor(2, 5), ForkExecutor)
    assert isinstance(local_executor(2, 1), LocalExecutor)
    assert isinstance(local_executor(1, 5), LocalExecutor)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert isinstance(local_executor(2, 5), LocalExecutor)


def test_a_damaged_part_is_computed_anew(run: RunFolder) -> None:
    mapped(run)
    whole = parts(run)
    torn = next(path for path in (run.work / "work").iterdir())
    torn.write_bytes(torn.read_bytes()[:50])
    assert len(mapped(run)[3]) == 1
    assert parts(run) == whole


def test_ids_are_unique(run: RunFolder) -> None:
    with pytest.raises(DataError, match="id of another unit"):
        mapped(run, [UNITS[0], UNITS[0]])


def test_models_travel_by_name(run: RunFolder) -> None:
    params = Params.load("test", {"workers": 1})
    models = RunModels(run, params)
    models._loaded["teacher x"] = object()
    assert copy.deepcopy(models)._loaded == {}  # by the same method as in another process
    view = params.view()
    assert models.using(view)._loaded is models._loaded
    assert models.using(view).teacher_named("x") is models._loaded["teacher x"]
    assert view.read == {"rebuild_models", "dtype", "device"}
    assert params.read == frozenset()


def test_a_part_with_a_changed_byte_is_computed_anew(run: RunFolder) -> None:
    frame = mapped(run)[0]
    whole = parts(run)
    for path in (run.work / "work").iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 1
        path.write_bytes(bytes(content))
    again, _, _, calls = mapped(run)
    assert calls == ["a", "b", "c"]
    assert again.equals(frame)
    assert parts(run) == whole
