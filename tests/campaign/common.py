"""What the parts share: the command in a process of its own, and a list of what was wrong."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "impossible.cli"]
LONGEST = 1800  # seconds that a command may take here


@dataclass(frozen=True)
class Answer:
    """How a command ended, after how many seconds of processor; a negative status is a signal."""

    status: int
    out: str
    err: str
    seconds: float


@dataclass
class Findings:
    """What a part of the campaign did and found.

    Attributes:
        figures: counts and measurements, by name.
        wrong: one sentence for everything that was not as it must be.
        not_run: what could not be tried here → why.
        seconds: processor time of each command, by the name of its case.
        more: what else the results file holds.
    """

    figures: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a figure."""
        self.figures[name] = self.figures.get(name, 0) + number

    def check(self, case: str, problems: Iterable[str]) -> None:
        """Count a case, and note what was wrong with it."""
        self.count("cases")
        found = [f"{case}: {problem}" for problem in problems]
        self.wrong += found
        print(f"  {'WRONG' if found else 'ok   '}  {case}", flush=True)
        for line in found:
            print(f"         {line}", flush=True)

    def content(self) -> dict[str, Any]:
        """As the results file holds it."""
        times = sorted(self.seconds.items(), key=lambda item: -item[1])
        return {
            "figures": {"cases": 0, **self.figures, "wrong": len(self.wrong)},
            "wrong": self.wrong,
            "not run": self.not_run,
            "seconds of processor": {
                "slowest": dict(times[:9]),
                "cases under 1 s": sum(seconds < 1 for _, seconds in times),
            },
            **self.more,
        }


def environment(**more: str | None) -> dict[str, str]:
    """This process's variables with the checkout's code; None takes one away."""
    path = os.pathsep.join(filter(None, [str(ROOT / "lib"), os.environ.get("PYTHONPATH", "")]))
    own = {**os.environ, "PYTHONPATH": path, "IMPOSSIBLE_ROOT": str(ROOT), **more}
    return {name: value for name, value in own.items() if value is not None}


def ask(
    *arguments: str,
    given: bytes = b"",
    before: Sequence[str] = (),
    cwd: Path | None = None,
    variables: dict[str, str] | None = None,
) -> Answer:
    """Run `impossible ARGUMENTS`.

    Args:
        given: to standard input.
        before: a command that starts it, such as `prlimit`.
        cwd: default: the checkout.
        variables: default `environment()`.
    """
    begin = _processor()
    done = subprocess.run(
        [*before, *COMMAND, *arguments], input=given, capture_output=True, timeout=LONGEST,
        cwd=cwd or ROOT, env=variables or environment(),
    )  # fmt: skip
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return Answer(done.returncode, out, err, round(_processor() - begin, 2))


def _processor() -> float:
    """Processor time of all commands that have ended: a busy machine does not change it."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def refused(answer: Answer, told: str = "", status: int = 2) -> list[str]:
    """What is wrong with a refusal: its status, more than a sentence, a traceback, other words."""
    problems = traces(answer)
    if answer.status != status:
        problems.append(f"status {answer.status}, not {status}: {answer.err[-200:]!r}")
    lines = [line for line in answer.err.splitlines() if line.startswith("impossible")]
    if len(lines) != 1 or not answer.err.endswith("\n"):
        problems.append(f"{len(lines)} sentences on standard error: {answer.err[-300:]!r}")
    elif told not in lines[0]:
        problems.append(f"does not say {told!r}: {lines[0]!r}")
    return problems


def traces(answer: Answer) -> list[str]:
    """Whether a traceback was printed."""
    shown = answer.out + answer.err
    return [f"a traceback: {shown[-300:]!r}"] if "Traceback (most recent" in shown else []


def ended(answer: Answer) -> list[str]:
    """What is wrong with a command that must succeed: its status, a traceback."""
    failed = [f"status {answer.status}: {answer.err[-300:]}"] * (answer.status != 0)
    return traces(answer) + failed
