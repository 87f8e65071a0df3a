"""Long: units by the ten thousand in one process; memory, handles, speed and the forecast."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
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


class Look(NamedTuple):
    """What one look at this process shows."""

    units: int
    seconds: float
    memory: int
    handles: int


@dataclass
class Watched:
    """An executor that computes here, and looks at this process every `every` units."""

    every: int
    looks: list[Look] = field(default_factory=list)

    def run(self, tasks: Sequence[Computable]) -> Iterator[Path]:
        """See `Executor`."""
        self.looks.append(self.look(0))
        for number, path in enumerate(LocalExecutor().run(tasks), start=1):
            yield path
            if number % self.every == 0:
                self.looks.append(self.look(number))

    def look(self, units: int) -> Look:
        """Time of this process only, so that a busy machine does not count."""
        process = psutil.Process()
        memory, handles = process.memory_info().rss, process.num_fds()
        return Look(units, time.process_time(), memory, handles)


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

    The rate of a tenth is its units by its seconds; the forecast is ten times the first tenth.
    """
    marks = [looks[round(i * (len(looks) - 1) / TENTHS)] for i in range(TENTHS + 1)]
    first, last = marks[1], marks[-1]
    rates = [(b.units - a.units) / (b.seconds - a.seconds) for a, b in pairwise(marks)]
    shares = [rate / median(rates) for rate in rates]
    actual = last.seconds - marks[0].seconds
    forecast = (first.seconds - marks[0].seconds) * (last.units / first.units)
    off, grown = forecast / actual - 1, last.memory / first.memory - 1
    found.figures |= {
        f"{name}: MB after a tenth": round(first.memory / 2**20),
        f"{name}: MB at the end": round(last.memory / 2**20),
        f"{name}: handles after a tenth": first.handles,
        f"{name}: handles at the end": last.handles,
        f"{name}: ms of a unit": round(1000 * actual / last.units, 1),
        f"{name}: slowest tenth, % of the median": round(100 * min(shares), 1),
        f"{name}: fastest tenth, % of the median": round(100 * max(shares), 1),
        f"{name}: forecast off by, %": round(100 * off, 1),
    }
    handles = last.handles - first.handles
    wrong = {
        "memory": f"grows by {grown:.1%}" * (grown > SHARE),
        "open files": f"{handles} more" * (handles > 0),
        "speed": f"tenths at {min(shares):.1%} to {max(shares):.1%} of the median"
        * (max(abs(share - 1) for share in shares) > SHARE),
        "forecast": f"off by {off:.1%}" * (abs(off) > OFF),
    }
    for case, problem in wrong.items():
        found.check(f"{name}: {case}", [problem] if problem else [])


def _contexts(models: RunModels, params: Params, n: int) -> pd.DataFrame:
    """Contexts of the teacher, again and again under other ids."""
    few = write_contexts(models.teacher, plan_contexts(params, CONTEXTS), params)
    rows = [row for _ in range(-(-n // len(few))) for row in few.to_dict("records")][:n]
    return pd.DataFrame(rows).assign(context_id=[f"long-{i:06d}" for i in range(n)])
