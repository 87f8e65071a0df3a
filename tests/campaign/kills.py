"""Kills: a run that is ended at random moments, and goes on until it has the same results."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from impossible.data.digests import digest
from impossible.runner.verification import verify

from .common import Findings
from .workload import Workload, recorded_outputs

SIGNS = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
OF_KERNELS = 0.25  # of the SIGKILLs: they hit a kernel, not the runner
SENTENCE = "impossible: stopped"


@dataclass
class _Kill:
    """What ended a run: `sign` sent to `target` after `seconds`, and how it went."""

    sign: signal.Signals
    target: str
    seconds: float
    status: int = 0
    err: str = ""
    in_time: bool = True
    parts: dict[Path, tuple[int, str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.sign.name} to the {self.target} after {self.seconds:.1f} s"


def run(place: Path, work: Workload, kills: int, seed: int) -> Findings:
    """Kill runs `kills` times in all; each is resumed to its end and compared."""
    found, rng, reference = Findings(), random.Random(seed), place / "run"
    (reference / "work").mkdir(parents=True)
    (reference / "work" / "slow").touch()
    begin = time.monotonic()
    answer = work.run(reference)
    if answer.status:
        found.wrong.append(f"the run without kills failed: {answer.err[-300:]}")
        return found
    longest, wanted = 0.6 * (time.monotonic() - begin), recorded_outputs(reference)
    shutil.rmtree(reference)  # the next ones lie in its place: a notebook names its folder
    found.more["run"] = work.name
    found.figures |= {"kills": 0, "differences": 0, "units computed again": 0}
    found.not_run["kills of an English run"] = "its models need minutes a notebook"
    if work.name.startswith("two"):
        found.not_run["kills of the smoke run"] = "the machine was too busy; leave --small out"
    while found.figures["kills"] < kills:
        _one_run(work, place / "run", rng, longest, kills, found)
        got = recorded_outputs(place / "run")
        differing = [name for name in wanted | got if wanted.get(name) != got.get(name)]
        found.count("differences", len(differing))
        found.count("runs")
        found.check(
            f"run {found.figures['runs']} ends as the one without kills",
            [*differing, *verify(place / "run").problems],
        )
        shutil.rmtree(place / "run")
    return found


def _one_run(
    work: Workload, folder: Path, rng: random.Random, longest: float, kills: int, found: Findings
) -> None:
    """Kill and resume until the run has ended by itself, or all kills are spent."""
    known: dict[Path, tuple[int, str]] = {}
    while found.figures["kills"] < kills:
        sign = rng.choice(SIGNS)
        hit = "kernel" if sign == signal.SIGKILL and rng.random() < OF_KERNELS else "runner"
        kill = _killed(work, folder, _Kill(sign, hit, rng.uniform(0.5, longest)))
        again = [path for path, was in known.items() if kill.parts.get(path) != was]
        found.count("units computed again", len(again))
        if not kill.in_time:
            found.check("a run that ends before its kill", [kill.err] if kill.status else [])
            return
        found.count("kills")
        found.count(f"{kill.sign.name} to the {kill.target}")
        wrong = [*_told(kill), *_books(folder), *(f"{path.name} computed again" for path in again)]
        found.check(str(kill), wrong)
        known = kill.parts
    answer = work.run(folder)
    found.check("the last resumed run", [answer.err[-300:]] if answer.status else [])
    now = _parts(folder)
    found.count("units computed again", sum(now.get(path) != was for path, was in known.items()))


def _killed(work: Workload, folder: Path, kill: _Kill) -> _Kill:
    """Start the run, kill it, and note how it ended."""
    (folder / "work").mkdir(parents=True, exist_ok=True)
    (folder / "work" / "slow").touch()  # of the small notebooks: units take their time
    log = folder.with_suffix(".log")
    with log.open("wb") as err:
        process = subprocess.Popen(
            work.command(folder), stdout=subprocess.DEVNULL, stderr=err, cwd=work.root,
            env=work.variables,
            # what a shell puts into the background ignores Ctrl-C, and so would this
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        try:
            process.wait(kill.seconds)
            kill.in_time = False
        except subprocess.TimeoutExpired:
            kernels = psutil.Process(process.pid).children()
            if kill.target == "kernel" and kernels:
                kernels[0].kill()
            else:
                kill.target = "runner"
                process.send_signal(kill.sign)
            process.wait(300)
    kill.status, kill.err = process.returncode, log.read_text(encoding="utf-8", errors="replace")
    kill.parts = _parts(folder)
    return kill


def _told(kill: _Kill) -> Iterator[str]:
    """What is wrong with how a killed run ended."""
    if "Traceback (most recent" in kill.err:
        yield f"a traceback: {kill.err[-300:]!r}"
    if kill.target == "kernel":
        # nothing but a kernel was there to kill, or its notebook had just ended
        if kill.status not in (0, 2) or (kill.status == 2 and "its kernel died" not in kill.err):
            yield f"status {kill.status}: {kill.err[-300:]!r}"
    elif kill.sign == signal.SIGKILL:
        if kill.status != -signal.SIGKILL:
            yield f"status {kill.status}"
    elif kill.status not in (0, 128 + kill.sign):  # 0: it had ended when the signal came
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
    for copy in sorted((folder / "notebooks").glob("*.ipynb")):
        for cell in json.loads(copy.read_text(encoding="utf-8"))["cells"]:
            failed = [each for each in cell.get("outputs", []) if each["output_type"] == "error"]
            if failed or (cell["cell_type"] == "code" and cell["execution_count"] is None):
                yield f"{copy.name} is shown as complete with a cell that is not"


def _parts(folder: Path) -> dict[Path, tuple[int, str]]:
    """The units that are on the disk: when each was written, and its digest."""
    paths = (folder / "work").glob("*/*.parquet")
    return {path: (path.stat().st_mtime_ns, digest(path)) for path in paths}
