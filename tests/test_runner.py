"""The runner on tiny notebooks: what runs, what is skipped, what a crash leaves behind."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from conftest import CELL, ROOT, Write, notebook
from impossible.config.params import Params
from impossible.data.io import read_json, write_json, write_text
from impossible.data.run_folder import RunFolder
from impossible.errors import ParameterError, RunError
from impossible.runner import execution
from impossible.runner.executed_copy import tidy
from impossible.runner.execution import Execution
from impossible.runner.ledger import Ledger
from impossible.runner.notebook_spec import Selection, find, stages
from impossible.runner.preflight import needs_hub, portable
from impossible.runner.run import _Run, require_unharmed, run_all
from impossible.runner.stage_cache import is_done

FIRST = 'log("one")\n(run / "data" / "one.txt").write_text(str(params.seed))'
SECOND = 'log("two")\ntext = (run / "data" / "one.txt").read_text()'
SECOND_END = '(run / "tables" / "two.csv").write_text(text + str(params.k))'


@pytest.fixture
def two(write: Write) -> Write:
    """A first notebook that reads the seed and a second one that reads its output and k."""
    write("01_one", FIRST, "params.batch_tokens", outputs=["data/one"])
    write("02_two", SECOND, SECOND_END, inputs=["data/one"], outputs=["tables/two"])
    return write


def run(checkout: Path, *overrides: str, **selection: object) -> list[str]:
    """Run and tell which notebooks were executed."""
    log = checkout / "results" / "test" / "work" / "log"
    log.unlink(missing_ok=True)
    chosen = Selection(**selection)  # type: ignore[arg-type]
    run_all(Params.load("test", overrides), checkout / "results" / "test", chosen)
    return log.read_text().split() if log.exists() else []


def ledger(checkout: Path) -> dict[str, dict[str, object]]:
    path = checkout / "results" / "test" / "work" / "ledger.json"
    return dict(json.loads(path.read_text()))


def test_runs_what_changed_and_nothing_else(
    checkout: Path, two: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(checkout) == ["one", "two"]
    results = checkout / "results" / "test"
    assert (results / "tables" / "two.csv").read_text() == "0100"
    entry = ledger(checkout)["02_two"]
    assert entry["status"] == "done"
    assert (entry["cell"], entry["cells"]) == (5, 5)
    executed = (results / "notebooks" / "02_two.ipynb").read_text()
    assert str(checkout) not in executed
    assert not list((results / "work").glob("*.ipynb"))

    assert run(checkout) == []
    assert run(checkout, "batch_tokens=512", "n_test=9") == []  # no result of theirs depends on it
    monkeypatch.chdir(checkout)
    assert run(checkout) == []

    assert run(checkout, "k=50") == ["two"]
    assert (results / "tables" / "two.csv").read_text() == "050"
    assert run(checkout, "k=50", "seed=3") == ["one", "two"]
    assert run(checkout, "k=50", "seed=3", only="01", force=True) == ["one"]
    assert run(checkout, "k=50", "seed=3") == []  # the same bytes came out


SHOWN = """from impossible.config.places import resolve
human_data = params.human_data
print(human_data, resolve(human_data), run.resolve(), f"in {resolve('.')}/data.", "https://x.org/a/b")
(run / "data" / "seen.txt").write_text(next(resolve(human_data).iterdir()).read_text())"""


def test_results_name_no_folder_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkout, the data beside it and the results lie in different folders."""
    checkout, data = tmp_path / "checkout", tmp_path / "shared" / "data"
    data.mkdir(parents=True)
    (data / "a.txt").write_text("read")
    for name in ("notebooks", "params"):
        (checkout / name).mkdir(parents=True)
    (checkout / "params" / "test.yaml").write_text("seed: 0\n")
    shutil.copy(ROOT / "params" / "base.yaml", checkout / "params")
    monkeypatch.setenv("IMPOSSIBLE_ROOT", str(checkout))
    source = notebook("01_one", [SHOWN], [], ["data/seen"])
    (checkout / "notebooks" / "01_one.ipynb").write_text(source)
    results = tmp_path / "elsewhere" / "r"
    params = Params.load("test", [f"human_data={data}"])
    run_all(params, results)
    assert (results / "data" / "seen.txt").read_text() == "read"
    executed = (results / "notebooks" / "01_one.ipynb").read_text()
    shown = "../shared/data ../shared/data ../elsewhere/r in data. https://x.org/a/b"
    assert shown in executed
    for path in [results / "manifest.json", *results.rglob("*.json"), *results.rglob("*.ipynb")]:
        assert str(tmp_path) not in path.read_text(), path
    noted = json.loads((results / "work" / "params.json").read_text())
    assert noted["values"]["human_data"] == "../shared/data"
    assert noted["origins"]["human_data"] == "override"
    before = (results / "notebooks" / "01_one.ipynb").stat().st_mtime_ns
    run_all(Params.load("test", ["human_data=../shared/data"]), results)
    assert (results / "notebooks" / "01_one.ipynb").stat().st_mtime_ns == before


def test_names_of_models_stay_and_their_folders_are_relative(checkout: Path) -> None:
    (checkout / "models" / "own").mkdir(parents=True)
    overrides = [f"teacher={checkout}/models/own", "critic=owner/name", "encoder=none"]
    params = portable(Params.load("test", overrides))
    assert (params.teacher, params.critic, params.encoder) == ("models/own", "owner/name", "none")
    assert params.human_data == ""
    several = Params.load("base").fixed(
        domain_teachers={"news": f"{checkout}/models/own", "bio": "owner/name"},
        compare_summaries={"D_sum": f"{checkout}/a.parquet"},
    )
    assert portable(several).domain_teachers == {"news": "models/own", "bio": "owner/name"}
    assert portable(several).compare_summaries == {"D_sum": "a.parquet"}
    folder = RunFolder.open(checkout / "results" / "test")
    assert needs_hub(params, folder)
    assert not needs_hub(portable(Params.load("test", overrides[::2])), folder)


def test_changed_explanations_reach_the_executed_copy_without_a_run(
    checkout: Path, two: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    two("01_one", FIRST, "print('shown')", outputs=["data/one"])
    assert run(checkout) == ["one", "two"]
    copy = checkout / "results" / "test" / "notebooks" / "01_one.ipynb"
    before = copy.read_text()
    two("01_one", FIRST, "print('shown')  # said anew", outputs=["data/one"])
    path = checkout / "notebooks" / "01_one.ipynb"
    content = json.loads(path.read_text())
    told = {"cell_type": "markdown", "id": "told", "metadata": {}, "source": "Read\nthis."}
    content["cells"].insert(2, told)
    path.write_text(json.dumps(content))
    assert run(checkout) == []
    assert "01_one" + " " * 23 + "unchanged, skipped, its text renewed" in capsys.readouterr().out
    cells = json.loads(copy.read_text())["cells"]
    assert [cell["id"] for cell in cells[:4]] == ["cell0", "injected-parameters", "cell1", "told"]
    assert cells[3]["source"] == ["Read\n", "this."]
    assert cells[-2]["source"] == ["print('shown')  # said anew"]
    assert cells[-2]["outputs"][0]["text"] == ["shown\n"]

    renewed = copy.read_text()
    assert run(checkout, force=True) == ["one", "two"]
    assert copy.read_text() == renewed != before  # as if it had been run
    assert run(checkout) == []
    assert "renewed" not in capsys.readouterr().out


def test_comments_do_not_rerun_code_and_lost_outputs_do(checkout: Path, two: Write) -> None:
    assert run(checkout) == ["one", "two"]
    two("01_one", f'"""Why."""\n# A note.\n{FIRST}', "params.batch_tokens", outputs=["data/one"])
    assert run(checkout) == []
    two("01_one", FIRST.replace("str(params.seed)", "'x'"), outputs=["data/one"])
    assert run(checkout) == ["one", "two"]
    (checkout / "results" / "test" / "tables" / "two.csv").unlink()
    assert run(checkout) == ["two"]
    (checkout / "results" / "test" / "work" / "ledger.json").write_text("{torn")
    assert run(checkout) == ["one", "two"]


def test_what_is_skipped_needs_no_torch(checkout: Path, two: Write) -> None:
    """A second run decides by digests alone, in a moment; the arithmetic noted stays noted."""
    command = "import sys; from impossible.cli import main; status = main(['run', 'test'])"
    heavy = "print('loaded', *({'torch', 'transformers', 'sklearn'} & sys.modules.keys()))"
    code = f"{command}; {heavy}; sys.exit(status)"
    told = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True,
                              text=True, check=True)  # fmt: skip
        told.append(read_json(checkout / "results" / "test" / "manifest.json"))
    assert done.stdout.count("unchanged, skipped") == 2
    assert done.stdout.splitlines()[-1] == "loaded"
    assert told[0] == told[1]
    assert told[0]["versions"]["arithmetic"]


NO_LEDGERS = {
    "list": "[]", "null": "null", "text": '"a"', "deep": "[" * 5000, "no-entries": '{"01_one": []}',
    "state": '{"01_one": {"status": "asleep"}}', "no-state": '{"01_one": {"status": []}}',
    "half": '{"01_one": {"status": "done"}, "02_two": {"status": "done", "read": []}}',
    "read": '{"01_one": {"status": "done", "key": "a", "read": [3], "outputs": {}}}',
    "key": '{"01_one": {"status": "done", "key": [], "read": [], "outputs": {}}}',
    "outputs": '{"01_one": {"status": "done", "key": "a", "read": [], "outputs": [3]}}',
    "process": '{"01_one": {"status": "running", "processes": [3]}}',
    "number": '{"01_one": {"status": "running", "processes": [[-1, 0.0]]}}',
}  # fmt: skip


@pytest.mark.parametrize("text", NO_LEDGERS.values(), ids=NO_LEDGERS)
def test_a_ledger_of_another_shape_costs_time_alone(checkout: Path, two: Write, text: str) -> None:
    results = RunFolder.open(checkout / "results" / "test")
    write_text(results.work / "ledger.json", text)
    known = Ledger(results)
    params = Params.load("test")
    for stage in stages(checkout / "notebooks"):
        require_unharmed(stage, results, known)
        assert not is_done(stage, params, results, known)
    known.start("01_one", 1)
    assert set(read_json(results.work / "ledger.json")) >= {"01_one"}


def test_a_failing_cell_is_named_and_its_notebook_is_not_shown_as_completed(
    checkout: Path, two: Write
) -> None:
    two("02_two", "1 / 0", "log('never')")
    message = r"02_two failed in code cell 3 of 5: ZeroDivisionError: division by zero .*02_two"
    with pytest.raises(RunError, match=message):
        run(checkout)
    results = checkout / "results" / "test"
    assert (results / "notebooks" / "01_one.ipynb").exists()
    assert not (results / "notebooks" / "02_two.ipynb").exists()
    assert (results / "work" / "02_two.ipynb").exists()
    assert ledger(checkout)["02_two"]["status"] == "failed"

    own = "from impossible.errors import DataError\nraise DataError('The shard is damaged.')"
    two("02_two", own)
    with pytest.raises(RunError, match=r"cell 3 of 4: The shard is damaged\. \("):
        run(checkout)
    two("02_two", "log('two')", outputs=["data/two"])
    with pytest.raises(RunError, match="it did not write data/two"):
        run(checkout)


def test_a_dead_kernel_is_a_failure_with_its_cell(checkout: Path, write: Write) -> None:
    write("01_one", "x = 1", "import os; os.kill(os.getpid(), 9)", "y = 1")
    with pytest.raises(RunError, match="code cell 4 of 6: its kernel died"):
        run(checkout)
    assert ledger(checkout)["01_one"]["status"] == "failed"
    copy = json.loads((checkout / "results" / "test" / "work" / "01_one.ipynb").read_text())
    statuses = [cell["metadata"]["papermill"]["status"] for cell in copy["cells"]]
    assert statuses[-3:] == ["failed", "pending", "pending"]


def test_a_kernel_that_dies_before_its_first_cell_has_the_same_sentence() -> None:
    early = RuntimeError("Kernel died before replying to kernel_info")
    assert execution._reason(early).startswith("its kernel died")
    assert execution._reason(RuntimeError("Kernel")) == "RuntimeError: Kernel"


def test_nothing_starts_when_a_parameters_cell_is_wrong(checkout: Path, two: Write) -> None:
    for cell, message in (
        ('config = "test"', r"must be the three lines .* and it sets config\."),
        (CELL.replace("{}", "[]"), "must be the three lines"),
        (CELL + "\nk = 3", "sets config, overrides, results, k"),
        (CELL.replace("{}", "{'kk': 3}"), r"there is no parameter kk \(did you mean k\?\)"),
        (CELL + "\nk = 2 * 50", "line 4: k: only lines `name = literal`"),
        (CELL + "\nimport os", "line 4: only lines"),
        (CELL + "\nk = (", "only lines"),
    ):
        two("02_two", cell=cell)
        with pytest.raises(ParameterError, match=message):
            run(checkout)
    assert not (checkout / "results" / "test" / "work").exists()


def test_selection_by_number_and_part_of_the_name(checkout: Path, two: Write) -> None:
    two(
        "10_report",
    )
    every = stages(checkout / "notebooks")
    assert [stage.number for stage in every] == ["01", "02", "10"]
    assert [find(every, text) for text in ("1", "02", "10", "two", "port")] == [0, 1, 2, 1, 2]
    names = [s.name for s in Selection(start="two").of(every, Params.load("test"))]
    assert names == ["02_two", "10_report"]
    assert [s.name for s in Selection(until="2").of(every, Params.load("test"))] == [
        "01_one",
        "02_two",
    ]
    with pytest.raises(RunError, match=r"'three' names no notebook: .* 01_one, 02_two, 10_report"):
        find(every, "three")
    with pytest.raises(RunError, match="more than one"):
        find(every, "o")
    with pytest.raises(RunError, match="swap"):
        Selection(start="10", until="1").of(every, Params.load("test"))
    with pytest.raises(RunError, match="leave --from and --until out"):
        Selection(only="1", start="2").of(every, Params.load("test"))
    with pytest.raises(RunError, match=r"02_two needs data/one .*: run 01_one first"):
        run(checkout, only="two")


def test_a_second_run_in_the_same_folder_is_refused(checkout: Path, two: Write) -> None:
    from impossible.runner.ledger import locked

    folder = RunFolder.open(checkout / "results" / "test")
    with locked(folder), pytest.raises(RunError, match=r"Another run works in .*--results"):
        run(checkout)


SLOW = """import time
from impossible.data.units import Unit, map_units
from impossible.data.schemas import FUNNEL
import pandas as pd
pause = 0.3 if params.seed == 0 and (run / "work" / "slow").exists() else 0
def compute(unit, params, models):
    time.sleep(pause)
    return pd.DataFrame({"context_id": [unit.id], "reason": "kept", "n": 1}), pd.DataFrame()
units = [Unit(f"{i}") for i in range(20)]
frame, _ = map_units(compute, units, params, stage.run, "parts", FUNNEL)
frame.to_csv(run / "data" / "two.csv", index=False)
"""


def start(checkout: Path, *folders: str) -> subprocess.Popen[bytes]:
    """A run in a process of its own, waited for until each of `folders` holds two parts."""
    command = [sys.executable, "-m", "impossible.cli", "run", "test"]
    environment = {**os.environ, "IMPOSSIBLE_ROOT": str(checkout)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # a job that a shell put in the background ignores SIGINT, and so would what it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    work = checkout / "results" / "test" / "work"
    for _ in range(6000):  # five minutes, on a busy machine
        if all(len(list((work / name).glob("*.parquet"))) >= 2 for name in folders):
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("the run did not get so far")


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_and_ends_with_the_same_digests(
    checkout: Path, two: Write, sign: signal.Signals
) -> None:
    results = checkout / "results" / "test"
    RunFolder.open(results)
    (results / "work" / "slow").touch()
    two("02_two", SLOW, inputs=["data/one"], outputs=["data/two"])
    process = start(checkout, "parts")
    kernels = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(sign)
    _, error = process.communicate(timeout=120)
    psutil.wait_procs(kernels, timeout=60)
    assert not any(kernel.is_running() for kernel in kernels)
    assert not (results / "notebooks" / "02_two.ipynb").exists()
    if sign == signal.SIGKILL:
        assert ledger(checkout)["02_two"]["status"] == "running"
    else:
        assert process.returncode == 128 + sign, error
        assert error.decode() == (
            "impossible: stopped; what was finished is kept, and the same command goes on from "
            "there.\n"
        )
        assert ledger(checkout)["02_two"]["status"] == "killed"
        cells = json.loads((results / "work" / "02_two.ipynb").read_text())["cells"]
        statuses = [cell["metadata"]["papermill"]["status"] for cell in cells]
        assert statuses[-2:] == ["failed", "pending"], statuses
    parts = sorted((results / "work" / "parts").glob("*.parquet"))
    before = {part: part.stat().st_mtime_ns for part in parts}
    (results / "work" / "slow").unlink()
    torn = results / "data" / f".torn.csv.{platform.node()}.{process.pid}.tmp"
    torn.touch()
    assert run(checkout) == []  # the first is done; the second does not log
    assert not torn.exists()
    assert {part: part.stat().st_mtime_ns for part in parts} == before
    expected = "context_id,reason,n\n" + "".join(f"{i},kept,1\n" for i in range(20))
    assert (results / "data" / "two.csv").read_text() == expected
    assert ledger(checkout)["02_two"]["status"] == "done"


def test_an_executed_copy_holds_nothing_that_differs_between_runs(tmp_path: Path) -> None:
    import pandas as pd

    def executed() -> str:
        frame = pd.DataFrame({"T_abcde": [1, 2]})
        shown = [frame.style.hide(axis="index").to_html(), frame.style.to_html()]
        outputs: list[dict[str, Any]] = [{"data": {"text/html": text}} for text in shown]
        outputs.append({"data": {"text/plain": repr(frame.style)}})
        outputs.append({"name": "stderr", "text": "50%|===  | 1/2"})
        cell = {"cell_type": "code", "metadata": {"execution": 1}, "outputs": outputs}
        path = tmp_path / "01_one.ipynb"
        path.write_text(json.dumps({"cells": [cell], "metadata": {"papermill": time.time()}}))
        return tidy(path, tmp_path)

    text = executed()
    assert text == executed()
    assert "T_0_row1_col0" in text
    assert "T_1_row1_col0" in text
    assert "T_abcde" in text
    assert "Styler object>" in text
    assert "%|" not in text


def test_a_run_that_was_killed_is_marked_so(checkout: Path) -> None:
    folder = RunFolder.open(checkout / "results" / "test")
    kernel = subprocess.Popen(["sleep", "60"])
    started = psutil.Process(kernel.pid).create_time()
    processes = [[os.getpid(), 0.0], [kernel.pid, started]]  # the first: another one's id by now
    entry = {"status": "running", "cell": 3, "processes": processes}
    beside = subprocess.Popen(["sleep", "60"])
    other = entry | {"processes": [[beside.pid, psutil.Process(beside.pid).create_time()]]}
    entries = {"01_one": entry, "02_two": other, "03_three": {"status": "done"}}
    write_json(folder.work / "ledger.json", entries)
    assert Ledger(folder, mend=False).running == ["01_one", "02_two"]
    mended = Ledger(folder)
    assert mended.entry("01_one") == entry | {"status": "killed"}
    assert mended.entry("02_two") == other | {"status": "killed"}
    assert mended.entry("03_three") == {"status": "done"}
    assert not psutil.pid_exists(kernel.pid)
    assert not psutil.pid_exists(beside.pid)


# --- several at the same time

MEET = """import time, os, json
begin = time.time()
(run / "work" / f"began-{me}").touch()
def wait(true):
    end = time.time() + params.seed
    while not true() and time.time() < end:
        time.sleep(0.02)
def status(name):
    return json.loads((run / "work" / "ledger.json").read_text())[name]["status"]
wait((run / "work" / f"began-{other}").exists)
"""
MET = '(run / "work" / f"span-{me}").write_text(json.dumps([begin, time.time()]))'


@pytest.fixture
def pair(write: Write) -> Write:
    """Two independent notebooks, each of which waits `seed` seconds for the other to begin."""
    for number, me, other in (("01", "a", "b"), ("02", "b", "a")):
        text = f'(run / "data" / "{me}.txt").write_text("{me}")'
        who = f"me, other = {me!r}, {other!r}"
        write(f"{number}_{me}", who, MEET, MET, text, outputs=[f"data/{me}"])
    return write


def spans(checkout: Path) -> list[list[float]]:
    work = checkout / "results" / "test" / "work"
    return [json.loads((work / f"span-{name}").read_text()) for name in "ab"]


def test_independent_notebooks_run_at_the_same_time(checkout: Path, pair: Write) -> None:
    run(checkout, "workers=1")
    (_, first_ends), (second_begins, _) = spans(checkout)
    assert first_ends < second_begins
    assert run(checkout, "workers=2") == []
    shutil.rmtree(checkout / "results" / "test")
    run(checkout, "workers=2", "seed=60")
    (a_begins, a_ends), (b_begins, b_ends) = spans(checkout)
    assert max(a_begins, b_begins) < min(a_ends, b_ends)


def test_dependents_wait_and_results_do_not_depend_on_workers(
    checkout: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    step = '(run / "data" / f"{me}.txt").write_text(me + "".join(found))'
    text = 'found = [(run / "data" / f"{name}.txt").read_text() for name in names]'
    for number, me, names in (("01", "a", ""), ("02", "b", "a"), ("03", "c", "a"), ("04", "d", "")):
        code = [f"me, names = {me!r}, {names!r}", text, f"log({me!r})", step]
        inputs = [f"data/{name}" for name in names]
        write(f"{number}_{me}", *code, inputs=inputs, outputs=[f"data/{me}"])
    code = [
        'names = "abcd"',
        text,
        'log("e")',
        '(run / "tables" / "e.csv").write_text(str(found))',
    ]
    write("05_e", *code, inputs=["data/*?", "notebooks/0*?"], outputs=["tables/e"])
    results = checkout / "results" / "test"
    manifests = []
    for workers in (1, 2):
        order = run(checkout, f"workers={workers}")
        assert sorted(order) == list("abcde")
        assert order.index("a") < min(order.index("b"), order.index("c"))
        assert order[-1] == "e"
        assert workers > 1 or order == list("abcde")
        assert (results / "tables" / "e.csv").read_text() == "['a', 'ba', 'ca', 'd']"
        manifest = json.loads((results / "manifest.json").read_text())["notebooks"]
        assert [entry["status"] for entry in manifest.values()] == ["done"] * 5
        assert all(entry["seconds"] > 0 < entry["peak_mb"] for entry in manifest.values())
        manifests.append({name: (e["key"], e["outputs"]) for name, e in manifest.items()})
        capsys.readouterr()
        assert run(checkout, f"workers={3 - workers}") == []
        lines = capsys.readouterr().out.splitlines()
        expected = [f"0{number}_{name}" for number, name in enumerate("abcde", 1)]
        assert [line.split()[0] for line in lines] == expected
        assert all(line.endswith(" unchanged, skipped") for line in lines)
        shutil.rmtree(results)
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize("both", [False, True])
def test_a_failure_lets_the_others_end_and_starts_no_more(
    checkout: Path, pair: Write, capsys: pytest.CaptureFixture[str], both: bool
) -> None:
    """The second is still running when the first one fails; there is no place for a third."""
    pair("01_a", "me, other = 'a', 'b'", MEET, "1 / 0", outputs=["data/a"])
    until = 'wait(lambda: status("01_a") == "failed")'
    text = "int('x')" if both else '(run / "data" / "b.txt").write_text("b")'
    meet = ["me, other = 'b', 'a'", MEET, until]
    pair("02_b", *meet, text, 'log("b")', outputs=["data/b"])
    pair("03_c", 'log("c")')
    with pytest.raises(RunError, match="01_a failed in code cell 5 of 6: ZeroDivisionError"):
        run(checkout, "seed=60")
    said = capsys.readouterr().out.splitlines()
    assert said[0].split("failed; ") == ["01_a".ljust(29), "still running, and kept: 02_b"]
    entries = ledger(checkout)
    assert sorted(entries) == ["01_a", "02_b"]
    assert entries["01_a"]["status"] == "failed"
    results = checkout / "results" / "test"
    if both:
        assert "failed too: 02_b failed in code cell 6 of 8: ValueError" in said[1]
        assert entries["02_b"]["status"] == "failed"
    else:
        assert said[1].startswith("02_b".ljust(29) + "done in")
        assert entries["02_b"]["status"] == "done"
        assert (results / "notebooks" / "02_b.ipynb").exists()
        pair("01_a", 'log("a")')
        assert sorted(run(checkout, "seed=60")) == ["a", "c"]


def test_what_is_missing_stops_no_other(checkout: Path, pair: Write) -> None:
    pair("02_b", inputs=["data/nowhere"])
    with pytest.raises(RunError, match="02_b needs data/nowhere"):
        run(checkout)
    assert ledger(checkout)["01_a"]["status"] == "done"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_two_interrupted_notebooks_go_on_and_end_with_the_same_digests(
    checkout: Path, write: Write, sign: signal.Signals
) -> None:
    results = checkout / "results" / "test"
    RunFolder.open(results)
    names = {"01_a": "a", "02_b": "b"}
    for stage, name in names.items():
        code = SLOW.replace('"parts"', f'"{name}"').replace("two.csv", f"{name}.csv")
        write(stage, code, outputs=[f"data/{name}"])
    (results / "work" / "slow").touch()
    process = start(checkout, "a", "b")
    kernels = psutil.Process(process.pid).children(recursive=True)
    noted = [ledger(checkout)[name]["processes"] for name in names]
    process.send_signal(sign)
    output, error = process.communicate(timeout=120)
    psutil.wait_procs(kernels, timeout=60)
    assert not any(kernel.is_running() for kernel in kernels)
    assert {each.pid for each in kernels} == {number for each in noted for number, _ in each}
    assert all(noted)
    statuses = {ledger(checkout)[name]["status"] for name in names}
    assert statuses == {"running" if sign == signal.SIGKILL else "killed"}
    if sign != signal.SIGKILL:
        assert process.returncode == 128 + sign, error
        assert output.decode().count(" stopped; the next run goes on from here") == 2
    parts = [part for name in "ab" for part in (results / "work" / name).glob("*.parquet")]
    before = {part: part.stat().st_mtime_ns for part in parts}
    (results / "work" / "slow").unlink()
    run(checkout)
    assert {part: part.stat().st_mtime_ns for part in parts} == before
    assert {ledger(checkout)[name]["status"] for name in names} == {"done"}
    goes_on = [ledger(checkout)[name]["outputs"] for name in names]
    shutil.rmtree(results)
    run(checkout)
    assert [ledger(checkout)[name]["outputs"] for name in names] == goes_on


def test_kernels_get_their_threads_and_share_no_memory(
    checkout: Path, pair: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = 'log(os.environ["OMP_NUM_THREADS"] + os.environ["MKL_NUM_THREADS"])'
    large = 'x = b"x" * (300 * 2**20)'
    for number, me, other, more in (("01", "a", "b", large), ("02", "b", "a", "x = 0")):
        who = f"me, other = {me!r}, {other!r}"
        pair(f"{number}_{me}", who, MEET, more, "time.sleep(1)", threads)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "7")
    assert run(checkout, "seed=60") == ["11", "11"]
    peaks: list[Any] = [ledger(checkout)[name]["peak_mb"] for name in ("01_a", "02_b")]
    assert 250 < peaks[0] - peaks[1] < 350
    assert run(checkout, "seed=60", "threads=3") == ["33", "33"]  # its bits may differ
    assert run(checkout, "seed=60", "threads=0") == ["77", "77"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert not [name for name in os.environ if name.startswith("JUPYTER_")]


def test_the_status_line_names_all_that_runs(checkout: Path, two: Write) -> None:
    bar = "pairs:  40%|==== | 4/10 [00:01<00:02]"
    first, second = stages(checkout / "notebooks")
    running: dict[Any, Any] = {first: SimpleNamespace(cell=5, seconds=12.4, progress=bar)}
    it = SimpleNamespace(running=running)
    assert _Run._line(it) == f"01_one  cell 5/5  12 s  {bar}"  # type: ignore[arg-type]
    running[second] = SimpleNamespace(cell=1, seconds=3.0, progress="")
    line = _Run._line(it)  # type: ignore[arg-type]
    assert line == "01 5/5 12 s pairs:  40%  |  02 1/5 3 s"


def test_a_run_executes_its_parts_and_only_reaches_all(checkout: Path, two: Write) -> None:
    two("02_two")
    (checkout / "notebooks" / "shelf").mkdir()
    moved = checkout / "notebooks" / "shelf" / "02_two.ipynb"
    (checkout / "notebooks" / "02_two.ipynb").rename(moved)
    every = stages(checkout / "notebooks")
    assert {stage.part for stage in every} == {"main", "shelf"}
    main = [stage.name for stage in Selection().of(every, Params.load("test"))]
    assert "02_two" not in main
    assert len(main) == len(every) - 1
    assert [s.name for s in Selection(only="two").of(every, Params.load("test"))] == ["02_two"]
    without = Params.load("test", {"leave_out": [main[0]]})
    assert [s.name for s in Selection().of(every, without)] == main[1:]
    with pytest.raises(RunError, match="'99' names no notebook"):
        Selection().of(every, Params.load("test", {"leave_out": ["99"]}))


def test_an_input_that_was_changed_is_refused_and_named(checkout: Path, two: Write) -> None:
    run(checkout)
    changed = checkout / "results" / "test" / "data" / "one.txt"
    changed.write_text("1")
    with pytest.raises(RunError, match=r"02_two needs .*one\.txt, which is not what 01_one wrote"):
        run(checkout, only="two", force=True)
    assert run(checkout) == ["one"]  # made again, and as it was
    assert changed.read_text() == "0"


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the system does not say")
def test_memory_that_forked_processes_share_counts_once() -> None:
    code = (
        "import os, time\n"
        "held = bytearray(b'x' * 200_000_000)\n"
        "os.fork() and os.fork()\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        for _ in range(3):
            parent.stdout.readline()
        processes = [psutil.Process(parent.pid)]
        processes += processes[0].children(recursive=True)
        assert sum(each.memory_info().rss for each in processes) > 600_000_000
        execution = Execution(Path("unused"))
        execution._observe(processes, 0)
        for each in processes:
            each.kill()
    assert len(processes) == 3
    assert 200_000_000 < execution.peak < 400_000_000


def test_a_folder_whose_name_cannot_be_read_is_refused_before_it_is_made(
    checkout: Path, write: Write
) -> None:
    write("01_one", "x = 1")
    folder = checkout / "results" / "Pr\udcc3\udcbcfung"  # as an ASCII locale reads it
    with pytest.raises(ParameterError, match="set PYTHONUTF8=1, or give another with --results"):
        run_all(Params.load("test"), folder)
    assert not folder.exists()
