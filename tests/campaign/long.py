"""Long: units by the ten thousand in one process; memory, handles, speed and the forecast.

A processor that shares caches and execution units with others is not always equally fast, also by
the time that this process alone spends. So a fixed calculation is timed at every look, and speed
and forecast are judged by how many times it could have been done; the plain times stand beside.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median
from typing import NamedTuple
from unittest.mock import patch

import pandas as pd
import psutil
import torch
from impossible.config.params import Params
from impossible.data.executors import Computable, LocalExecutor
from impossible.data.progress import PROGRESS_FILE
from impossible.data.run_folder import RunFolder
from impossible.filtering.resumable_scoring import score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.generation.contexts import plan_contexts, write_contexts
from impossible.generation.next_sentences import draw_sentences
from impossible.runner.models import RunModels

from .common import Findings

CONTEXTS = 20  # different ones; they come again and again, so that each tenth has the same work
SAMPLES = 6  # sentences of a context
TENTHS = 10
SHARE = 0.05  # by which memory may grow after the first tenth, and a tenth may be off the median
OFF = 0.10  # by which the forecast may be off
PRODUCTS, ROUNDS = 150, 500_000  # of the fixed calculation: each some 30 ms on an idle processor
MATRIX = torch.linspace(-1, 1, 128 * 128).reshape(128, 128)


class Look(NamedTuple):
    """What one look at this process shows: the work's time, and what the fixed calculation took."""

    units: int
    seconds: float
    memory: int
    handles: int
    fixed: float


def fixed_calculation() -> float:
    """Seconds of this process that always the same products and sums take.

    They need nothing of what is watched and leave nothing behind, so that only the machine's speed
    changes them.
    """
    begin, total = time.process_time(), 0
    for _ in range(PRODUCTS):
        torch.mm(MATRIX, MATRIX)
    for number in range(ROUNDS):
        total += number & 7
    return time.process_time() - begin


@dataclass
class Watched:
    """An executor that computes here, and looks at this process every `every` units."""

    every: int
    looks: list[Look] = field(default_factory=list)
    looking: float = 0.0  # seconds that were spent on looking, which are not the work's

    def run(self, tasks: Sequence[Computable]) -> Iterator[Path]:
        """See `Executor`."""
        fixed_calculation()  # the first one also wakes torch
        self.looks.append(self.look(0))
        for number, path in enumerate(LocalExecutor().run(tasks), start=1):
            yield path
            if number % self.every == 0:
                self.looks.append(self.look(number))

    def look(self, units: int) -> Look:
        """Time of this process only, so that a busy machine does not count."""
        begin, process = time.process_time(), psutil.Process()
        memory, handles = process.memory_info().rss, process.num_fds()
        look = Look(units, begin - self.looking, memory, handles, fixed_calculation())
        self.looking += time.process_time() - begin
        return look


@contextmanager
def watched(every: int) -> Iterator[Watched]:
    """What `map_units` computes in this block is computed by an executor that looks on."""
    executor = Watched(every)
    with patch("impossible.data.units.executor_for", lambda *_: executor):
        yield executor


def run(place: Path, units: int) -> Findings:
    """Sample half of the units as notebook 03 does, and score the other half as notebook 04."""
    torch.set_num_threads(1)
    found, run = Findings(), RunFolder.open(place / "run")
    params = Params.load("smoke", {"k": SAMPLES, "workers": 1})
    models, every = RunModels(run, params), max(1, units // 2 // 100)
    contexts = _contexts(models, params, every * 100)
    steps: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "sentences": lambda rows: draw_sentences(run, models.teacher, rows, params),
        "pairs": lambda rows: score_sentences(run, rows, models, Thresholds.paraphrase(params))[0],
    }
    rows, progress = contexts, {PROGRESS_FILE: str(place / "progress")}  # as under the runner
    for name, step in steps.items():
        with watched(every) as executor, patch.dict(os.environ, progress):
            rows = step(rows)
        size = sum(path.stat().st_size for path in (run.work / name).iterdir())
        found.count("units", executor.looks[-1].units)
        found.more[name] = [look._asdict() for look in executor.looks]
        judge(name, executor.looks, found)
        found.figures[f"{name}: bytes of a unit"] = round(size / executor.looks[-1].units)
    return found


def judge(name: str, looks: Sequence[Look], found: Findings) -> None:
    """Note what was seen of a step, and what of it is wrong.

    Speed and forecast are judged in the time of the fixed calculation, and told in both times.
    """
    plain = _Pace.of(looks, [look.seconds for look in looks])
    pace = _Pace.of(looks, _in_fixed_calculations(looks))
    first, last = looks[_mark(1, looks)], looks[-1]
    grown, handles = last.memory / first.memory - 1, last.handles - first.handles
    seconds, fixed = last.seconds - looks[0].seconds, [look.fixed for look in looks]
    found.figures |= {
        f"{name}: MB after a tenth": round(first.memory / 2**20),
        f"{name}: MB at the end": round(last.memory / 2**20),
        f"{name}: handles after a tenth": first.handles,
        f"{name}: handles at the end": last.handles,
        f"{name}: ms of a unit": round(1000 * seconds / last.units, 1),
        f"{name}: ms of the fixed calculation, least": round(1000 * min(fixed), 1),
        f"{name}: ms of the fixed calculation, median": round(1000 * median(fixed), 1),
        f"{name}: ms of the fixed calculation, most": round(1000 * max(fixed), 1),
        **{f"{name}: {figure}": value for figure, value in pace.figures.items()},
        **{f"{name}: plain time: {figure}": value for figure, value in plain.figures.items()},
    }
    low, high = min(pace.shares), max(pace.shares)
    wrong = {
        "memory": f"grows by {grown:.1%}" * (grown > SHARE),
        "open files": f"{handles} more" * (handles > 0),
        "speed": f"tenths at {low:.1%} to {high:.1%} of the median"
        * (max(1 - low, high - 1) > SHARE),
        "forecast": f"off by {pace.off:.1%}" * (abs(pace.off) > OFF),
    }
    for case, problem in wrong.items():
        found.check(f"{name}: {case}", [problem] if problem else [])


@dataclass(frozen=True)
class _Pace:
    """The rates of the tenths as shares of their median, and by what the forecast is off.

    The rate of a tenth is its units by its time; the forecast is as if all went like the first.
    """

    shares: list[float]
    off: float

    @classmethod
    def of(cls, looks: Sequence[Look], times: Sequence[float]) -> _Pace:
        """Of looks at these times."""
        marks = [
            (looks[at].units, times[at]) for at in (_mark(i, looks) for i in range(TENTHS + 1))
        ]
        rates = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in pairwise(marks)]
        whole = (marks[-1][0] - marks[0][0]) / (marks[-1][1] - marks[0][1])
        return cls([rate / median(rates) for rate in rates], whole / rates[0] - 1)

    @property
    def figures(self) -> dict[str, float]:
        """As the page shows them."""
        return {
            "slowest tenth, % of the median": round(100 * min(self.shares), 1),
            "fastest tenth, % of the median": round(100 * max(self.shares), 1),
            "forecast off by, %": round(100 * self.off, 1),
        }


def _mark(tenth: int, looks: Sequence[Look]) -> int:
    """The place of the look at the end of a tenth."""
    return round(tenth * (len(looks) - 1) / TENTHS)


def _in_fixed_calculations(looks: Sequence[Look]) -> list[float]:
    """The times of looks, counted in fixed calculations at the speed that each stretch had."""
    steps = ((b.seconds - a.seconds) / ((a.fixed + b.fixed) / 2) for a, b in pairwise(looks))
    return list(accumulate(steps, initial=0.0))


def _contexts(models: RunModels, params: Params, n: int) -> pd.DataFrame:
    """Contexts of the teacher, again and again under other ids."""
    few = write_contexts(models.teacher, plan_contexts(params, CONTEXTS), params)
    rows = [row for _ in range(-(-n // len(few))) for row in few.to_dict("records")][:n]
    return pd.DataFrame(rows).assign(context_id=[f"long-{i:06d}" for i in range(n)])
