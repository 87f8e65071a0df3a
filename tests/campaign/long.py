"""Long: units by the ten thousand in one process; memory, handles, speed and the forecast.

A processor that shares caches and execution units with others is not always equally fast, also by
the time that this process alone spends. So a *twin*, forked before the first unit, computes the
same few units in between, again and again: it is as slow as the machine makes it, and as young as
it was. Speed and forecast are judged by the twin's time; the plain times stand beside.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple
from unittest.mock import patch

import pandas as pd
import psutil
import torch
from impossible.config.params import Params
from impossible.data.executors import LocalExecutor
from impossible.data.progress import PROGRESS_FILE
from impossible.data.run_folder import RunFolder
from impossible.data.units import Task
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


class Look(NamedTuple):
    """What one look at this process shows, and how long its twin took for a unit since the last."""

    units: int
    seconds: float
    memory: int
    handles: int
    twin: float


class Twin:
    """A forked process that computes the first tasks of a step, in a folder of its own.

    Args:
        tasks: of the step; the first `CONTEXTS` of them come again and again.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        context = get_context("fork")
        self._ours, theirs = context.Pipe()
        own = [replace(task, folder=task.folder / "twin") for task in tasks[:CONTEXTS]]
        self._process = context.Process(target=_serve, args=(theirs, own), daemon=True)
        self._process.start()
        for _ in own:  # the first time of each also fills its caches
            self.unit()

    def unit(self) -> float:
        """Seconds of its own that the twin takes for its next unit."""
        self._ours.send(True)
        return float(self._ours.recv())

    def end(self) -> None:
        """Let it go."""
        self._ours.send(False)
        self._process.join()


def _serve(pipe: Connection, tasks: Sequence[Task]) -> None:
    """Compute one task after the other for whoever asks."""
    (tasks[0].folder).mkdir(parents=True, exist_ok=True)
    for task in itertools.cycle(tasks):
        if not pipe.recv():
            return
        begin = time.process_time()
        task.compute()
        pipe.send(time.process_time() - begin)


@dataclass
class Watched:
    """An executor that computes here, and looks at this process every `every` units."""

    every: int
    looks: list[Look] = field(default_factory=list)

    def run(self, tasks: Sequence[Task]) -> Iterator[Path]:
        """See `Executor`.

        The twin computes all of its units between two looks, or as many as there are.
        """
        twin, took, step = Twin(tasks), [0.0], max(1, self.every // CONTEXTS)
        self.looks.append(self.look(0, took))
        took.clear()
        for number, path in enumerate(LocalExecutor().run(tasks), start=1):
            yield path
            if number % step == 0:
                took.append(twin.unit())
            if number % self.every == 0:
                self.looks.append(self.look(number, took))
                took.clear()
        twin.end()

    def look(self, units: int, took: Sequence[float]) -> Look:
        """Time of this process only, so that a busy machine does not count."""
        seconds, process = time.process_time(), psutil.Process()
        memory, handles = process.memory_info().rss, process.num_fds()
        return Look(units, seconds, memory, handles, mean(took))


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

    Speed and forecast are judged in the twin's time, and told in both times.
    """
    plain = _Pace.of(looks, [look.seconds for look in looks])
    pace = _Pace.of(looks, _in_twins_units(looks))
    first, last = looks[_mark(1, looks)], looks[-1]
    grown, handles = last.memory / first.memory - 1, last.handles - first.handles
    seconds, twin = last.seconds - looks[0].seconds, [look.twin for look in looks[1:]]
    found.figures |= {
        f"{name}: MB after a tenth": round(first.memory / 2**20),
        f"{name}: MB at the end": round(last.memory / 2**20),
        f"{name}: handles after a tenth": first.handles,
        f"{name}: handles at the end": last.handles,
        f"{name}: ms of a unit": round(1000 * seconds / last.units, 1),
        f"{name}: ms of a unit of the twin, least": round(1000 * min(twin), 1),
        f"{name}: ms of a unit of the twin, median": round(1000 * median(twin), 1),
        f"{name}: ms of a unit of the twin, most": round(1000 * max(twin), 1),
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


def _in_twins_units(looks: Sequence[Look]) -> list[float]:
    """The times of looks, counted in units of the twin at the speed that it had in each stretch."""
    steps = ((b.seconds - a.seconds) / b.twin for a, b in pairwise(looks))
    return list(accumulate(steps, initial=0.0))


def _contexts(models: RunModels, params: Params, n: int) -> pd.DataFrame:
    """Contexts of the teacher, again and again under other ids."""
    few = write_contexts(models.teacher, plan_contexts(params, CONTEXTS), params)
    rows = [row for _ in range(-(-n // len(few))) for row in few.to_dict("records")][:n]
    return pd.DataFrame(rows).assign(context_id=[f"long-{i:06d}" for i in range(n)])
