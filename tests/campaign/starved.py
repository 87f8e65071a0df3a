"""Starved: no space, memory, permission, home, UTF-8, reader, folder; a clock that goes back."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from impossible.data.digests import digest

from .common import COMMAND, ROOT, Answer, Findings, ask, environment, refused, traces

CONDITIONS = Path(__file__).with_name("conditions")
TRIED = 12  # writes at which the disk is full, spread over all
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]  # root may write anything

UNITS = """import time
from impossible.data.units import Unit, map_units
from impossible.data.schemas import FUNNEL
import pandas as pd
pause = 0.5 if (run / "work" / "slow").exists() else 0
def compute(unit, params, models):
    time.sleep(pause)
    return pd.DataFrame({"context_id": [unit.id], "reason": "kept", "n": 1}), pd.DataFrame()
units = [Unit(f"{i} é") for i in range(6)]
frame, _ = map_units(compute, units, params, stage.run, "parts", FUNNEL)
frame.to_csv(run / "data" / "one.csv", index=False)
"""
TABLE = """import pandas as pd
stage.table("two", pd.read_csv(run / "data" / "one.csv"), "What was kept.", ["data/one.csv"])
"""


class Checkout:
    """A checkout of two small notebooks, in a folder with blanks and letters beyond ASCII."""

    def __init__(self, place: Path) -> None:
        from tests.conftest import notebook

        self.root = place / "Prüfung ‘é’ 1"
        for name in ("notebooks", "params", "results"):
            (self.root / name).mkdir(parents=True)
        shutil.copy(ROOT / "params" / "base.yaml", self.root / "params")
        (self.root / "params" / "test.yaml").write_text("seed: 0\n")
        outputs = ["tables/two"]
        texts = {
            "01_one": notebook("01_one", [UNITS], [], ["data/one"]),
            "02_two": notebook("02_two", [TABLE], ["data/one"], outputs),
        }
        for name, text in texts.items():
            (self.root / "notebooks" / f"{name}.ipynb").write_text(text)
        self.results = self.root / "results" / "test"

    def variables(self, **more: str | None) -> dict[str, str]:
        """The environment of a run here; with conditions if any of `CAMPAIGN_*` is given."""
        found = environment(IMPOSSIBLE_ROOT=str(self.root), **more)
        if any(name.startswith("CAMPAIGN_") for name in more):
            found["PYTHONPATH"] = os.pathsep.join([str(CONDITIONS), found["PYTHONPATH"]])
        return found

    def run(self, *typed: str, before: list[str] | None = None, **more: str | None) -> Answer:
        """`impossible run test`."""
        arguments = ["run", "test", *typed]
        return ask(*arguments, before=before or [], cwd=self.root, variables=self.variables(**more))

    def start(self, slow: bool = True) -> subprocess.Popen[str]:
        """The run in the background, once its first unit is written."""
        (self.results / "work").mkdir(parents=True, exist_ok=True)
        if slow:
            (self.results / "work" / "slow").touch()
        process = subprocess.Popen(
            [*COMMAND, "run", "test"], cwd=self.root, env=self.variables(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while not list((self.results / "work").glob("parts/*.parquet")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        (self.results / "work" / "slow").unlink(missing_ok=True)
        return process

    def clear(self) -> None:
        """Forget all results."""
        shutil.rmtree(self.results, ignore_errors=True)

    @property
    def outputs(self) -> dict[str, str]:
        """Digests of what the run publishes, but for the manifest, which tells times."""
        paths = [path for path in sorted(self.results.rglob("*")) if path.is_file()]
        own = [p for p in paths if "work" not in p.parts and p.name != "manifest.json"]
        return {path.relative_to(self.results).as_posix(): digest(path) for path in own}


def run(place: Path) -> Findings:
    """Every condition by itself."""
    found, checkout = Findings(), Checkout(place)
    answer = checkout.run()
    found.check("a path with blanks and letters beyond ASCII", _ended(answer))
    wanted = checkout.outputs
    for part in (_full_disk, _small_disk, _read_only, _surroundings, _together):
        part(checkout, wanted, found)
        checkout.clear()
    _readers(place, found)
    _memory(place, checkout, found)
    return found


def _ended(answer: Answer) -> list[str]:
    return traces(answer) + (
        [f"status {answer.status}: {answer.err[-300:]}"] * (answer.status != 0)
    )


def _same(checkout: Checkout, wanted: dict[str, str], answer: Answer) -> list[str]:
    return _ended(answer) + ["other results"] * (checkout.outputs != wanted)


def _full_disk(checkout: Checkout, wanted: dict[str, str], found: Findings) -> None:
    """The disk is full from one write on; then there is space again and the run goes on."""
    counter = checkout.root / "writes"
    checkout.clear()
    checkout.run(CAMPAIGN_WRITES=str(counter), CAMPAIGN_FULL_AT="0")
    writes = counter.stat().st_size
    found.figures["writes of a small run"] = writes
    for at in sorted({1 + round(each * (writes - 1) / (TRIED - 1)) for each in range(TRIED)}):
        checkout.clear()
        counter.unlink()
        answer = checkout.run(CAMPAIGN_WRITES=str(counter), CAMPAIGN_FULL_AT=str(at))
        found.check(f"disk full at write {at}", refused(answer, "No space left on"))
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
            process = checkout.start()
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
        found.check("a checkout that is read-only, results elsewhere", _ended(answer))
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
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for case, more in {
        "no HOME": {"HOME": None},
        "a HOME that is not there": {"HOME": "/nowhere"},
        "the C locale": plain,
        "a clock that goes back": {"CAMPAIGN_BACKWARDS": "1"},
        "a slow rename": {"CAMPAIGN_SLOW": "1"},
    }.items():
        checkout.clear()
        found.check(case, _same(checkout, wanted, checkout.run(**more)))
    answer = ask("score", str(_predictions(checkout)), variables=checkout.variables(**plain))
    found.check("score in the C locale", _ended(answer))


def _together(checkout: Checkout, wanted: dict[str, str], found: Findings) -> None:
    """Two runs in one folder; a folder that is removed."""
    process = checkout.start()
    found.check("a second run in one folder", refused(checkout.run(), "Another run works in"))
    out, err = process.communicate(timeout=300)
    first = Answer(process.returncode, out, err, 0)
    (checkout.results / "work" / "slow").unlink(missing_ok=True)
    found.check("and the first one", _same(checkout, wanted, first))
    checkout.clear()
    process = checkout.start()
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


def _memory(place: Path, checkout: Checkout, found: Findings) -> None:
    """Less memory than is needed: a sentence, or it is enough."""
    if not shutil.which("prlimit"):
        found.not_run["a limit of memory"] = "prlimit is not here"
        return
    file = str(_predictions(checkout))
    commands: dict[str, Callable[[list[str]], Answer]] = {
        "score": lambda before: ask("score", file, before=before),
        "run --parameters": lambda before: ask("run", "--parameters", before=before),
        "run": lambda before: checkout.run("--force", before=before),
    }
    for mega in (150, 400, 900, 2000):
        for name, act in commands.items():
            answer = act(["prlimit", f"--as={mega * 2**20}"])
            case = f"{name} in {mega} MB"
            found.check(case, refused(answer) if answer.status else _ended(answer))
