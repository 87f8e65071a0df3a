"""Which notebooks may be executed side by side, and when each starts if they are.

What a notebook's metadata declare decides. Two notebooks are independent when neither writes what
the other reads or writes. A notebook waits for all before it of which it is not independent; so
what it finds is the same whatever runs beside it, and the same as if one ran after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

from impossible.runner.notebook_spec import NotebookSpec


def overlap(one: str, other: str) -> bool:
    """Whether two declared names may stand for the same file, or for one inside the other.

    `*` is taken to match whatever may follow it: rather a notebook that waits without need.

    >>> overlap("figures/*?", "figures/losses"), overlap("data/pairs", "data/pairs_kept")
    (True, False)
    """
    return _covers(one, other) or _covers(other, one)


def _covers(one: str, other: str) -> bool:
    """Whether `other` is the path `one`, lies in it, adds an ending, or begins as its pattern."""
    stem, star, _ = one.removesuffix("?").partition("*")
    start = other.removesuffix("?").partition("*")[0]
    return start == stem or start.startswith(stem if star else (f"{stem}/", f"{stem}."))


@cache
def independent(one: NotebookSpec, other: NotebookSpec) -> bool:
    """Whether the order of two notebooks, and even both at once, makes no difference."""
    clashes = [(one.writes, other.writes), (one.writes, other.inputs), (one.inputs, other.writes)]
    return not any(overlap(a, b) for first, second in clashes for a in first for b in second)


def startable(
    waiting: Sequence[NotebookSpec], running: Collection[NotebookSpec], workers: int
) -> NotebookSpec | None:
    """The first notebook that may start now.

    Args:
        waiting: those still to run, in order.
        running: those that are executed now.
        workers: how many may be executed at the same time (≥ 1).

    Returns:
        None while all places are taken, or while each one waits for another to end.
    """
    if len(running) >= workers:
        return None
    for place, stage in enumerate(waiting):
        if all(independent(stage, other) for other in (*running, *waiting[:place])):
            return stage
    return None


def timeline(
    stages: Sequence[NotebookSpec], seconds: Mapping[str, float], workers: int
) -> dict[str, float]:
    """When each notebook starts, in seconds from the start of the run.

    Args:
        stages: in order.
        seconds: how long each takes, by name; 0 for one that is skipped.
        workers: as in `startable`.
    """
    clock, waiting = 0.0, list(stages)
    starts: dict[str, float] = {}
    ends: dict[NotebookSpec, float] = {}  # of those that are running
    while waiting or ends:
        while stage := startable(waiting, ends, workers):
            waiting.remove(stage)
            starts[stage.name], ends[stage] = clock, clock + seconds[stage.name]
        clock = min(ends.values())
        ends = {stage: end for stage, end in ends.items() if end > clock}
    return starts
