"""What the campaign sees: units computed again, cells shown as complete, growth, half a model."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from campaign import kills, long, unpacked
from campaign.common import Findings
from campaign.workload import SMALLEST
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import FUNNEL
from impossible.data.units import Scored, Unit, map_units


def test_a_unit_that_was_on_the_disk_may_not_be_written_again(tmp_path: Path) -> None:
    old, deep = tmp_path / "work" / "a" / "1.parquet", tmp_path / "work" / "b" / "c" / "2.parquet"
    for path in (old, deep):
        path.parent.mkdir(parents=True)
        path.write_text("part")
    found = Findings()
    known, again = kills._seen(tmp_path, {}, found)
    assert again == []  # they were in flight, if anything
    (old.parent / "3.parquet").write_text("new")
    assert kills._seen(tmp_path, known, found)[1] == []
    deep.unlink()
    os.utime(old, ns=(0, 0))  # written again, with the same content
    again = kills._seen(tmp_path, known, found)[1]
    assert again == ["work/a/1.parquet computed again", "work/b/c/2.parquet computed again"]
    assert found.figures["units computed again"] == 2


def test_a_killed_cell_may_not_be_shown_as_complete(tmp_path: Path) -> None:
    states = [("completed", []), ("completed", [kills.INJECTED]), ("failed", [])]
    cells = [
        {"cell_type": "code", "metadata": {"papermill": {"status": status}, "tags": tags}}
        for status, tags in states
    ]
    copy = tmp_path / "copy.ipynb"
    copy.write_text(json.dumps({"cells": cells}))
    assert kills._completed(copy, 1)
    assert not kills._completed(copy, 2)
    assert not kills._completed(tmp_path / "none.ipynb", 1)


def test_the_smallest_english_run_has_parameters_that_are_allowed() -> None:
    assert Params.load("english", SMALLEST).k == SMALLEST["k"]


def looks(
    seconds: list[float], memory: list[int], handles: list[int], twin: list[float] | None = None
) -> list[long.Look]:
    rows = zip(seconds, memory, handles, twin or [0.1] * len(seconds), strict=True)
    return [long.Look(10 * i, *row) for i, row in enumerate(rows)]


def wrong(found: Findings) -> list[str]:
    return [line.split(":")[1].strip() for line in found.wrong]


STEADY, SAME, FEW = [2.0 * i for i in range(11)], [2**30] * 11, [9] * 11


def test_a_steady_process_is_found_steady() -> None:
    found = Findings()
    long.judge("steady", looks(STEADY, SAME, FEW), found)
    assert found.wrong == []
    assert found.figures["steady: ms of a unit"] == 200
    assert found.figures["steady: forecast off by, %"] == 0
    assert found.figures["steady: ms of a unit of the twin, median"] == 100


def test_a_program_that_slows_down_on_a_steady_machine_is_wrong() -> None:
    found = Findings()
    long.judge("slower", looks([float(i**2) for i in range(11)], SAME, FEW), found)
    assert wrong(found) == ["speed", "forecast"]
    one = Findings()  # one tenth 6 % slower, the forecast still good
    late = [second + 0.12 * (i > 5) for i, second in enumerate(STEADY)]
    long.judge("once", looks(late, SAME, FEW), one)
    assert wrong(one) == ["speed"]
    assert one.figures["once: slowest tenth, % of the median"] == pytest.approx(94.3)


def test_a_machine_that_slows_down_is_not_the_program() -> None:
    found, slower = Findings(), [1 + 0.1 * i for i in range(11)]  # in the stretch before each look
    seconds = [2.0 * sum(slower[1 : i + 1]) for i in range(11)]
    long.judge("busy", looks(seconds, SAME, FEW, [0.1 * each for each in slower]), found)
    assert found.wrong == []
    assert found.figures["busy: slowest tenth, % of the median"] == 100
    assert found.figures["busy: plain time: slowest tenth, % of the median"] < 80
    assert found.figures["busy: plain time: forecast off by, %"] < -20


def test_a_machine_that_gets_faster_does_not_hide_a_program_that_slows_down() -> None:
    found = Findings()
    faster = [0.1 / (1 + 0.1 * i) for i in range(11)]
    long.judge("hidden", looks(STEADY, SAME, FEW, faster), found)
    assert wrong(found) == ["speed", "forecast"]
    assert found.figures["hidden: plain time: slowest tenth, % of the median"] == 100


def test_growing_memory_and_open_files_are_wrong_on_any_machine() -> None:
    more, half = [2**30 + i * 2**24 for i in range(11)], [0.05] * 11
    for machine in (None, half):
        found = Findings()
        seconds = STEADY if machine is None else [1.5 * each for each in STEADY]
        long.judge("leaking", looks(seconds, more, list(range(11)), machine), found)
        assert wrong(found) == ["memory", "open files"]


def a_row(unit: Unit, params: Params, models: object) -> Scored:
    row = {"context_id": [unit.id], "reason": ["kept"], "n": [1]}
    return pd.DataFrame(row), pd.DataFrame()


def test_units_are_watched_where_a_notebook_computes_them(checkout: Path) -> None:
    run, units = RunFolder.open(checkout / "results"), [Unit(str(i)) for i in range(5)]
    with long.watched(2) as executor:
        frame, _ = map_units(a_row, units, Params.load("test"), run, "work", FUNNEL)
    assert len(frame) == 5
    assert [look.units for look in executor.looks] == [0, 2, 4]
    assert all(look.twin > 0 for look in executor.looks[1:])
    assert len(list((run.work / "work" / "twin").iterdir())) == 5  # as many units as there are


@pytest.mark.slow
def test_half_a_model_and_what_is_left_are_seen(tmp_path: Path) -> None:
    fetch = unpacked.Fetch(tmp_path, files=2, megabytes=1)
    assert fetch.run().status == 0
    wanted = fetch.content
    assert list(fetch.problems(wanted)) == []
    next(fetch.cache.rglob("weights.bin")).unlink()
    for name in ("one", "two"):
        (fetch.cache / f".fetch-{name}").mkdir()
    assert len(list(fetch.problems(wanted))) == 3
