"""What a user asks of a controlled student: the options of `impossible summarize`, `paraphrase`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from impossible.errors import DataError, ModelError
from impossible.experiments.control_grids import Grid, load_grid


@dataclass(frozen=True)
class Instructed:
    """Instructions for `rewriting.rewriters.Rewriter`, by the words of a student's grid.

    Where an axis is left open, every group that fits is tried; outputs that are what was asked for
    (axis → word) come first, then the nearest.
    """

    grid: Grid
    asked: Mapping[str, str]
    groups: list[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", self.grid.matching(self.asked))
        if not self.asked:
            raise DataError(
                "the student must be told what to write: give "
                + " and/or ".join(f"--{a.name} {'|'.join(a.words)}" for a in self.grid.axes)
                + ", or name a student without instructions with --model."
            )

    def prompts(self, source: str) -> list[str]:
        """What the student reads: the instruction of each group, then the source."""
        return [self.grid.prompt(source, group) for group in self.groups]

    def distance(self, source: str, output: str) -> tuple[bool, float]:
        """How far an output is from the nearest group that was asked for."""
        return min(self.grid.distance(source, output, group) for group in self.groups)


def instructions_for(folder: Path, task: str, asked: Mapping[str, str]) -> Instructed | None:
    """The instructions for the student in a folder; None if it takes none and none are given.

    `task` is "paraphrase" or "summary"; `asked` maps axes to words.

    Raises:
        ModelError: it takes no instructions, and some are given.
        DataError: its instructions are for another task, or see `Instructed`.
    """
    grid = load_grid(folder)
    if grid is None:
        if not asked:
            return None
        raise ModelError(
            f"the student in {folder} takes no instructions: leave "
            f"{' and '.join(f'--{axis}' for axis in asked)} out, or name a controlled student "
            "(notebook 18) with --model."
        )
    if grid.task != task:
        raise DataError(
            f"the student in {folder} takes instructions for a {grid.task}, not for a {task}: "
            "use the command of its task, or name another with --model."
        )
    return Instructed(grid, asked)
