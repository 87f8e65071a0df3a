"""Kills: a run that is ended at random moments, and goes on until it has the same results."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from impossible.data.digests import digest
from impossible.runner.execution import INJECTED
from impossible.runner.verification import verify

from .common import Answer, Findings, ended
from .workload import Workload, recorded_outputs

SIGNS = (*[signal.SIGKILL] * 6, signal.SIGINT, signal.SIGTERM)
TARGETS = ("runner", "runner", "kernel", "worker")  # of a SIGKILL
POLITE = ("runner", "group", "kernel")  # of the others; a terminal's Ctrl-C goes to the group
SENTENCE = "impossible: stopped"
DEATHS = {"kernel": "its kernel died", "worker": "A process that computed units was killed"}
STOPPED = "KeyboardInterrupt"  # what a kernel says that alone got a SIGINT

#: The units on a disk: when each was written, and its digest.
Parts = dict[Path, tuple[int, str]]


@dataclass
class _Kill:
    """What ended a run: `sign` sent to `target` after `seconds`, and how it went."""

    sign: signal.Signals
    target: str
    seconds: float
    status: int = 0
    err: str = ""
    in_time: bool = True

    def __str__(self) -> str:
        return f"{self.sign.name} to the {self.target} after {self.seconds:.1f} s"


def run(place: Path, work: Workload, kills: int, seed: int, minutes: float = math.inf) -> Findings:
    """SIGKILL runs `kills` times in all, and stop them politely in between.

    Each run is resumed to its end and compared with one that nobody disturbed.

    Args:
        place: an empty folder.
        work: what is run.
        kills: SIGKILLs; for every three a SIGINT or SIGTERM is sent as well, to the runner, its
            group or a kernel.
        seed: of the moments and targets.
        minutes: after which no further run is begun; the one that is resumed then still ends.
    """
    found, rng, folder = Findings(), random.Random(seed), place / "run"
    found.more["run"] = work.name
    found.figures |= {"SIGKILLs": 0, "differences": 0, "units computed again": 0}
    _slowed(folder)
    begin = time.monotonic()
    answer = work.run(folder)
    if answer.status:
        found.wrong.append(f"the run without kills failed: {answer.err[-300:]}")
        return found
    whole, wanted = time.monotonic() - begin, recorded_outputs(folder)
    shutil.rmtree(folder)  # the next ones lie in its place: a notebook names its folder
    while found.figures["SIGKILLs"] < kills:
        if time.monotonic() - begin > 60 * minutes:
            found.not_run[f"{kills} SIGKILLs of {work.name}"] = f"its {minutes:g} minutes were over"
            break
        _one_run(work, folder, rng, whole, kills, found)
        got = recorded_outputs(folder)
        differing = [name for name in wanted | got if wanted.get(name) != got.get(name)]
        found.count("differences", len(differing))
        found.count("runs")
        found.check(
            f"run {found.figures['runs']} ends as the one without kills",
            [*differing, *verify(folder).problems],
        )
        shutil.rmtree(folder)
    return found


def _one_run(
    work: Workload, folder: Path, rng: random.Random, whole: float, kills: int, found: Findings
) -> None:
    """Kill and resume until the run has ended by itself, or all kills are spent.

    The first kill comes in the first half of the `whole` seconds that it takes undisturbed; a
    resumed run has less to do, and is given at most a tenth, so that it takes many to end it, or
    half as much again than the one before where that one got nowhere.
    """
    longest, known = whole / 2, Parts()
    while found.figures["SIGKILLs"] < kills:
        sign = rng.choice(SIGNS)
        hit = rng.choice(TARGETS if sign == signal.SIGKILL else POLITE)
        kill = _killed(work, folder, _Kill(sign, hit, rng.uniform(0.5, longest)))
        seen, again = _seen(folder, known, found)
        longest, known = (
            whole / 10 if seen.keys() - known.keys() else min(whole, longest * 1.5),
            seen,
        )
        if not kill.in_time:
            answer = Answer(kill.status, "", kill.err, kill.seconds)
            found.check("a run that ends before its kill", [*again, *ended(answer)])
            return
        found.count("SIGKILLs", kill.sign == signal.SIGKILL)
        found.count(f"{kill.sign.name} to the {kill.target}")
        found.check(str(kill), [*_told(kill), *_books(folder), *again])
    answer = work.run(folder)
    again = _seen(folder, known, found)[1]
    found.check("the last resumed run", [*again, *ended(answer)])


def _seen(folder: Path, known: Parts, found: Findings) -> tuple[Parts, list[str]]:
    """The units that are on the disk now, and those that were before and were written again.

    A unit that was in flight when a run was killed is not among those before: it may be.
    """
    paths = sorted((folder / "work").rglob("*.parquet"))
    parts = {path: (path.stat().st_mtime_ns, digest(path)) for path in paths}
    again = [path for path, was in known.items() if parts.get(path) != was]
    found.count("units computed again", len(again))
    return parts, [f"{path.relative_to(folder)} computed again" for path in again]


def _slowed(folder: Path) -> None:
    """An empty results folder in which the units of the small notebooks take their time."""
    (folder / "work").mkdir(parents=True, exist_ok=True)
    (folder / "work" / "slow").touch()


def _killed(work: Workload, folder: Path, kill: _Kill) -> _Kill:
    """Start the run, kill it, and note how it ended."""
    _slowed(folder)
    log = folder.with_suffix(".log")
    with log.open("wb") as err:
        process = subprocess.Popen(
            work.command(folder), stdout=subprocess.DEVNULL, stderr=err, cwd=work.root,
            env=work.variables, start_new_session=True,
            # what a shell puts into the background ignores Ctrl-C, and so would this
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        try:
            process.wait(kill.seconds)
            kill.in_time = False
        except subprocess.TimeoutExpired:
            victims = _below(process.pid, kill.target)
            if victims:
                victims[-1].send_signal(kill.sign)
            elif kill.target == "group":
                os.killpg(process.pid, kill.sign)
            else:  # no kernel, or none with workers of its own, at this moment
                kill.target = "runner"
                process.send_signal(kill.sign)
            process.wait(300)
    kill.status, kill.err = process.returncode, log.read_text(encoding="utf-8", errors="replace")
    return kill


def _below(runner: int, target: str) -> list[psutil.Process]:
    """Kernels of a runner, or the processes that compute units for them."""
    try:
        kernels = psutil.Process(runner).children()
        if target == "kernel":
            return kernels
        return [each for kernel in kernels for each in kernel.children() if target == "worker"]
    except psutil.NoSuchProcess:
        return []


def _told(kill: _Kill) -> Iterator[str]:
    """What is wrong with how a killed run ended."""
    if "Traceback (most recent" in kill.err:
        yield f"a traceback: {kill.err[-300:]!r}"
    if kill.target in DEATHS:
        # 0: its notebook had just ended, or needed no more of it
        said = STOPPED if kill.sign == signal.SIGINT else DEATHS[kill.target]
        if kill.status not in (0, 2) or (kill.status and said not in kill.err):
            yield f"status {kill.status}: {kill.err[-300:]!r}"
    elif kill.sign == signal.SIGKILL:
        if kill.status not in (0, -signal.SIGKILL):  # 0: it had ended when the signal came
            yield f"status {kill.status}"
    elif kill.status not in (0, 128 + kill.sign):
        yield f"status {kill.status}, not {128 + kill.sign}: {kill.err[-300:]!r}"
    elif kill.status and (kill.err.count("\n") != 1 or not kill.err.startswith(SENTENCE)):
        yield f"no single sentence: {kill.err[-300:]!r}"


def _books(folder: Path) -> Iterator[str]:
    """Whether ledger and executed copies show anything as done that is not."""
    path = folder / "work" / "ledger.json"
    entries: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else {}
    for name, entry in entries.items():
        if entry["status"] == "done":
            if not (folder / "notebooks" / f"{name}.ipynb").is_file():
                yield f"{name} is done without an executed copy"
            for output, was in entry["outputs"].items():
                if not (folder / output).exists() or digest(folder / output) != was:
                    yield f"{name} is done and {output} is another"
        copy = folder / "work" / f"{name}.ipynb"
        if entry["status"] == "failed" and _completed(copy, entry["cell"]):
            yield f"{name} failed in cell {entry['cell']}, which is shown as complete"
    for copy in sorted((folder / "notebooks").glob("*.ipynb")):
        for cell in json.loads(copy.read_text(encoding="utf-8"))["cells"]:
            failed = [each for each in cell.get("outputs", []) if each["output_type"] == "error"]
            if failed or (cell["cell_type"] == "code" and cell["execution_count"] is None):
                yield f"{copy.name} is shown as complete with a cell that is not"


def _completed(copy: Path, number: int) -> bool:
    """Whether a copy that grew until its kernel was killed shows a code cell as complete."""
    if not (copy.is_file() and number):
        return False
    cells = json.loads(copy.read_text(encoding="utf-8"))["cells"]
    code = [each["metadata"] for each in cells if each["cell_type"] == "code"]
    own = [each for each in code if INJECTED not in each.get("tags", [])]
    return bool(own[number - 1].get("papermill", {}).get("status") == "completed")
