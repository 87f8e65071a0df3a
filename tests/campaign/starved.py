"""Starved: no space, memory, permission, home, UTF-8, reader, folder; a clock that goes back."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .common import COMMAND, ROOT, Answer, Findings, ask, ended, environment, refused, traces
from .workload import Checkout

WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]  # root may write anything


def _start(checkout: Checkout) -> subprocess.Popen[str]:
    """A slow run in the background, once its first unit is written."""
    (checkout.results / "work").mkdir(parents=True, exist_ok=True)
    (checkout.results / "work" / "slow").touch()
    process = subprocess.Popen(
        [*COMMAND, "run", "test"], cwd=checkout.root, env=checkout.variables(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not list((checkout.results / "work").glob("parts/*.parquet")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    (checkout.results / "work" / "slow").unlink(missing_ok=True)
    return process


def run(place: Path, tried: int = 0, small: bool = False) -> Findings:
    """Every condition by itself.

    Args:
        place: an empty folder.
        tried: writes at which the disk is full, spread over all of a run; 0: every one.
        small: only what starts no kernel.
    """
    found, checkout = Findings(), Checkout(place)
    _readers(place, found)
    _memory(checkout, found, small)
    if small:
        found.not_run["conditions of a whole run (disk, rights, home, locale, clock, folder)"] = (
            "the machine was too busy; leave --small out"
        )
        return found
    found.check("a path with blanks and letters beyond ASCII", ended(checkout.run()))
    wanted = checkout.outputs
    _full_disk(checkout, wanted, found, tried)
    for part in (_small_disk, _read_only, _surroundings, _together):
        part(checkout, wanted, found)
        checkout.clear()
    return found


def _same(checkout: Checkout, wanted: dict[str, str], answer: Answer) -> list[str]:
    return ended(answer) + ["other results"] * (checkout.outputs != wanted)


def _full_disk(checkout: Checkout, wanted: dict[str, str], found: Findings, tried: int) -> None:
    """The disk is full from one write on; then there is space again and the run goes on."""
    counter = checkout.root / "writes"
    checkout.clear()
    checkout.run(CAMPAIGN_WRITES=str(counter), CAMPAIGN_FULL_AT="0")
    writes = counter.stat().st_size
    found.figures["writes of a small run"] = writes
    tried = min(tried or writes, writes)
    for at in sorted({1 + each * (writes - 1) // max(1, tried - 1) for each in range(tried)}):
        checkout.clear()
        counter.unlink()
        answer = checkout.run(CAMPAIGN_WRITES=str(counter), CAMPAIGN_FULL_AT=str(at))
        reached = counter.stat().st_size >= at  # a run may write once less than the one before
        problems = refused(answer, "No space left on") if reached else ended(answer)
        found.check(f"disk full at write {at}", problems)
        found.check("and free again", _same(checkout, wanted, checkout.run()))


@contextmanager
def _mounted(place: Path, size: str) -> Iterator[bool]:
    """A disk of its own in memory; False where none may be mounted."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    mounted = subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


def _small_disk(checkout: Checkout, wanted: dict[str, str], found: Findings) -> None:
    """A real disk that is too small, and one that something else fills while the run works."""
    for size, case in (("20m", "a disk of 20 MB"), ("300m", "a disk that another program fills")):
        checkout.clear()
        with _mounted(checkout.results, size) as mounted:
            if not mounted:
                found.not_run[case] = "no disk may be mounted here"
                continue
            if size == "20m":
                found.check(case, refused(checkout.run(), "are needed"))
                continue
            process = _start(checkout)
            filler = checkout.results / "work" / "filler"
            subprocess.run(["dd", "if=/dev/zero", f"of={filler}"], capture_output=True)
            out, err = process.communicate(timeout=300)
            answer = Answer(process.returncode, out, err, 0)
            found.check(case, refused(answer, "No space left on"))
            filler.unlink()
            found.check("and free again", _same(checkout, wanted, checkout.run()))


def _read_only(checkout: Checkout, wanted: dict[str, str], found: Findings) -> None:
    """Folders that may not be written, as a user without root's rights."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        found.not_run["read-only results and checkout"] = "root may write, and setpriv is not here"
        return
    before = WITHOUT_RIGHTS if os.geteuid() == 0 else []
    checkout.run()
    away = checkout.root.parent / "elsewhere"
    with _locked(checkout.root):
        answer = checkout.run("--force", before=before)
        found.check("results that are read-only, --force", refused(answer, "Cannot write"))
        answer = checkout.run("k=3", before=before)
        told = "Cannot make the results folder"
        found.check("a checkout that is read-only, new results", refused(answer, told))
        answer = checkout.run("--results", str(away), before=before)
        found.check("a checkout that is read-only, results elsewhere", ended(answer))
        out = str(checkout.root / "kit")
        answer = ask("forms", str(_predictions(checkout)), "--to", out, before=before)
        found.check("forms --to a place that is read-only", refused(answer, "Cannot write"))
    found.check("nothing changed", ["other results"] * (checkout.outputs != wanted))


def _predictions(checkout: Checkout) -> Path:
    path = checkout.root.parent / "predictions.jsonl"
    line = {"source": "A bridge opened.", "output": "It opened.", "references": ["A bridge."]}
    path.write_text(f"{json.dumps(line)}\n" * 9)
    return path


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    subprocess.run(["chmod", "-R", "a-w", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)


def _surroundings(checkout: Checkout, wanted: dict[str, str], found: Findings) -> None:
    """What a machine may lack or do."""
    plain = {"LC_ALL": "C", "LANG": "C"}
    ascii_only = {**plain, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for case, more in {
        "no HOME": {"HOME": None},
        "a HOME that is not there": {"HOME": "/nowhere"},
        "the C locale": plain,
        "a clock that goes back": {"CAMPAIGN_BACKWARDS": "1"},
        "a slow rename": {"CAMPAIGN_SLOW": "1"},
    }.items():
        checkout.clear()
        found.check(case, _same(checkout, wanted, checkout.run(**more)))
    checkout.clear()
    answer = checkout.run(**ascii_only)
    found.check("names that this Python cannot read", refused(answer, "PYTHONUTF8=1"))
    answer = ask("score", str(_predictions(checkout)), variables=checkout.variables(**ascii_only))
    found.check("score in the C locale", ended(answer))


def _together(checkout: Checkout, wanted: dict[str, str], found: Findings) -> None:
    """Two runs in one folder; a folder that is removed."""
    process = _start(checkout)
    found.check("a second run in one folder", refused(checkout.run(), "Another run works in"))
    out, err = process.communicate(timeout=300)
    first = Answer(process.returncode, out, err, 0)
    (checkout.results / "work" / "slow").unlink(missing_ok=True)
    found.check("and the first one", _same(checkout, wanted, first))
    checkout.clear()
    process = _start(checkout)
    shutil.rmtree(checkout.results)
    out, err = process.communicate(timeout=300)
    removed = Answer(process.returncode, out, err, 0)
    found.check("a folder that is removed under the run", refused(removed))
    checkout.clear()
    found.check("and run again", _same(checkout, wanted, checkout.run()))


#: Shell lines; the command's own status comes first in what they print.
READERS = {
    "run --parameters | head -1": "{ $I run --parameters; echo $? >&3; } | head -1",
    "--help | true": "{ $I --help; echo $? >&3; } | true",
    "score | true": "{ $I score $FILE; echo $? >&3; } | true",
    "closed standard output": "$I run --parameters >&-; echo $? >&3",
    "closed standard error": "$I score /nowhere 2>&-; echo $? >&3",
    "closed standard input": "$I score - <&-; echo $? >&3",
    "a full device as standard output": "$I run --parameters > /dev/full; echo $? >&3",
}


def _readers(place: Path, found: Findings) -> None:
    """Standard output that nobody reads, and streams that are closed."""
    checkout = Checkout(place / "readers")
    file = shlex.quote(str(_predictions(checkout)))
    for case, line in READERS.items():
        text = line.replace("$I", shlex.join(COMMAND)).replace("$FILE", file)
        done = subprocess.run(
            ["bash", "-c", f"exec 3>{shlex.quote(str(place / 'status'))}; {text}"],
            capture_output=True, text=True, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip
        status = int((place / "status").read_text())
        problems = traces(Answer(status, done.stdout, done.stderr, 0))
        problems += ["a complaint of Python's"] * ("Exception ignored" in done.stderr)
        problems += [f"status {status}"] * (status not in (0, 2))
        found.check(case, problems)


def _memory(checkout: Checkout, found: Findings, small: bool) -> None:
    """Less memory than is needed: a sentence, or it is enough."""
    if not shutil.which("prlimit"):
        found.not_run["a limit of memory"] = "prlimit is not here"
        return
    place = checkout.root.parent
    commands = _commands(place, str(_predictions(checkout)))
    cases = [*itertools.product((150, 400, 900), commands)]
    for mega, name in cases + [(900, "run"), (2000, "run")] * (not small):
        before = ["prlimit", f"--as={mega * 2**20}"]
        if name == "run":
            answer = checkout.run("--force", before=before)
        else:
            answer = ask(*commands[name], given=b"A bridge was opened.\n", before=before)
        case = f"{name} in {mega} MB"
        found.check(case, refused(answer) if answer.status else ended(answer))


def _commands(place: Path, predictions: str) -> dict[str, tuple[str, ...]]:
    """What is tried with little memory, by name: each command that a model or a file may fill."""
    from tests import tiny

    models = {"student": tiny.t5(), "critic": tiny.critic()}
    student, critic = (str(tiny.save(place / name, *model)) for name, model in models.items())
    pairs = place / "pairs.jsonl"
    pairs.write_text('{"source": "A bridge opened.", "target": "It opened."}\n' * 9)
    open_text = (f"critic={critic}", "encoder=none", "parser=flat", "entailment_threshold=0.3")
    writes = ("-", "--model", student, "--critic", critic)
    return {
        "score": ("score", predictions),
        "quality": ("quality", str(pairs)),
        "critics": ("critics", str(pairs), "--params", "base", *open_text),
        "paraphrase": ("paraphrase", *writes),
        "summarize": ("summarize", *writes),
        "forms": ("forms", predictions, "--to", str(place / "kit")),
        "plan": ("plan", "smoke"),
        "doctor": ("doctor", "english"),
        "run --parameters": ("run", "--parameters"),
    }
