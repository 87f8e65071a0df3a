"""What a controlled student may be asked for: axes cut into intervals, each with a word.

A grid is fitted to pairs, saved beside the weights of the student that learns its instructions,
and read by the commands that give them. The command line reads `AXES` for its options, so nothing
heavy is imported here.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, NamedTuple

from impossible.errors import DataError, ModelError

if TYPE_CHECKING:
    import pandas as pd

    from impossible.filtering.thresholds import Thresholds

CONTROL_FILE = "control.json"  # beside the weights of a student that takes instructions


class Scale(NamedTuple):
    """How an axis is measured (key of `MEASURES`), and its words, from low values to high ones."""

    measure: str
    words: tuple[str, ...]


#: Task (the noun of its instructions) → axis (an option of its command) → scale.
#:
#: A summary is abstractive by the word pairs that its source lacks, as summaries usually are. A
#: paraphrase is free by its distance in ROUGE-L, on which its threshold is set: so a copy, of which
#: no word is new and whose length is right, lies in no group.
AXES: Mapping[str, Mapping[str, Scale]] = {
    "summary": {
        "length": Scale("compression", ("short", "long")),
        "style": Scale("novelty", ("extractive", "abstractive")),
    },
    "paraphrase": {
        "length": Scale("compression", ("short", "long")),
        "style": Scale("rewording", ("literal", "free")),
    },
}


def _compression(source: str, output: str) -> float:
    """Characters of the output / of the source; NaN for an empty source."""
    return len(output) / len(source) if source else math.nan


def _novelty(source: str, output: str) -> float:
    """Fraction of the output's word pairs that the source lacks; NaN without word pairs."""
    from impossible.evaluation.metrics import novelty

    return novelty(source, output)


def _rewording(source: str, output: str) -> float:
    """How far the words of the output are from the source's: 1 − ROUGE-L; NaN without words."""
    from impossible.text.rouge import rouge_l, rouge_tokens

    return 1 - rouge_l(source, output) if rouge_tokens(output) else math.nan


#: What an axis can measure of a source and an output; values are not negative.
MEASURES: Mapping[str, Callable[[str, str], float]] = {
    "compression": _compression, "novelty": _novelty, "rewording": _rewording,
}  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """A measure cut into intervals, each with a word for it.

    Attributes:
        name: what the command calls it.
        measure: key of `MEASURES`.
        words: one per interval, from low values to high ones.
        cuts: ascending, one fewer than words; a value that equals a cut lies below it.
        bottom, top: least and largest value that lie in any interval: the task's thresholds.
    """

    name: str
    measure: str
    words: tuple[str, ...]
    cuts: tuple[float, ...]
    bottom: float
    top: float

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise DataError(
                f"No measure is called {self.measure!r}; choose {' or '.join(MEASURES)}."
            )
        if len(self.cuts) != len(self.words) - 1 or list(self.cuts) != sorted(self.cuts):
            raise DataError(
                f"The axis {self.name} has {len(self.words)} words and the cuts {self.cuts}: give "
                "ascending cuts, one fewer than words."
            )

    def value(self, source: str, output: str) -> float:
        """What the axis measures of an output; NaN where nothing can be measured."""
        return MEASURES[self.measure](source, output)

    def word(self, value: float) -> str:
        """The word of the interval that holds a value; "" beyond the limits and for NaN.

        >>> Axis("length", "compression", ("short", "long"), (0.6,), 0.0, 0.8).word(0.6)
        'short'
        """
        inside = self.bottom <= value <= self.top
        return self.words[bisect_left(self.cuts, value)] if inside else ""

    def distance(self, value: float, word: str) -> float:
        """How far a value lies from the interval of a word; infinite for NaN."""
        if math.isnan(value):
            return math.inf
        index = self.words.index(word)
        low, high = (self.bottom, *self.cuts)[index], (*self.cuts, self.top)[index]
        return max(low - value, value - high, 0.0)


@dataclass(frozen=True)
class Grid:
    """The groups that a student can be asked for: every combination of one word per axis.

    Attributes:
        task: key of `AXES`; the noun that ends every instruction.
        axes: with different names and words.
    """

    task: str
    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        words = [word for axis in self.axes for word in axis.words]
        if len(set(words)) < len(words) or not all(len(word.split()) == 1 for word in words):
            raise DataError(
                f"The words of a control grid must be different and without blanks, got "
                f"{', '.join(map(repr, words))}: give one word per interval."
            )

    @property
    def groups(self) -> list[str]:
        """Names of the groups, such as "short free"; the last axis varies fastest."""
        return self.matching({})

    def group(self, source: str, output: str) -> str:
        """The group of a pair; "" if it lies in none: beyond a limit, or not to be measured."""
        words = [axis.word(axis.value(source, output)) for axis in self.axes]
        return " ".join(words) if all(words) else ""

    def prompt(self, source: str, group: str) -> str:
        """What the student reads: the instruction of a group, then the source.

        >>> Grid("summary", ()).prompt("It rained.", "short")
        'short summary: It rained.'
        """
        return f"{group} {self.task}: {source}"

    def distance(self, source: str, output: str, group: str) -> tuple[bool, float]:
        """How far an output is from a group: (False, 0) inside, else (True, sum over the axes)."""
        both = zip(self.axes, group.split(), strict=True)
        far = [axis.distance(axis.value(source, output), word) for axis, word in both]
        return self.group(source, output) != group, sum(far)

    def matching(self, asked: Mapping[str, str]) -> list[str]:
        """The groups that have the words asked for (axis → word); other axes may be anything.

        Raises:
            DataError: the grid has no such axis or word.
        """
        words = {axis.name: axis.words for axis in self.axes}
        known = "; ".join(f"{name}: {', '.join(choices)}" for name, choices in words.items())
        for name, word in asked.items():
            if word not in words.get(name, ()):
                raise DataError(
                    f"this student cannot be asked for the {name} {word!r}; it knows {known}."
                )
        chosen = words | {name: (word,) for name, word in asked.items()}
        return [" ".join(group) for group in product(*chosen.values())]


def fit_grid(task: str, pairs: pd.DataFrame, thresholds: Thresholds) -> Grid:
    """The grid of a task: axes of `AXES`, limits of the thresholds, cuts at quantiles of the pairs.

    Quantiles fill the groups whatever the teacher writes; fixed cuts would leave some nearly empty.
    Pairs (source, target) beyond the task's limits of length and ROUGE-L lie in no group.

    Raises:
        DataError: no such task, or too few different pairs to cut.
    """
    if task not in AXES:
        raise DataError(f"No task is called {task!r}; choose {' or '.join(AXES)}.")
    limits = {
        "compression": (thresholds.length_ratio_min, thresholds.length_ratio_max),
        "novelty": (0.0, 1.0),
        "rewording": (1 - thresholds.rouge_l_max, 1.0),
    }
    axes = []
    for name, (measure, words) in AXES[task].items():
        both = zip(pairs["source"], pairs["target"], strict=True)
        values = [value for x, y in both if not math.isnan(value := MEASURES[measure](x, y))]
        cuts = quantiles(values, n=len(words), method="inclusive") if len(values) > 1 else []
        if len({bisect_left(cuts, value) for value in values}) < len(words):
            raise DataError(
                f"The {name} of {len(values)} pairs has too few different values to make "
                f"{len(words)} groups: give more pairs or fewer words ({', '.join(words)})."
            )
        axes.append(Axis(name, measure, words, tuple(cuts), *limits[measure]))
    return Grid(task, tuple(axes))


def save_grid(folder: Path, grid: Grid) -> Path:
    """Write the grid beside the weights of its student, so that the command can name the groups."""
    from impossible.data.io import write_json

    return write_json(folder / CONTROL_FILE, asdict(grid))


def load_grid(folder: str | Path) -> Grid | None:
    """The grid of the student in a folder; None if it takes no instructions."""
    from impossible.data.io import read_json

    path = Path(folder) / CONTROL_FILE
    if not path.is_file():
        return None
    try:
        saved = read_json(path)
        axes = [
            Axis(**{**axis, "words": tuple(axis["words"]), "cuts": tuple(map(float, axis["cuts"]))})
            for axis in saved["axes"]
        ]
        return Grid(str(saved["task"]), tuple(axes))
    except (DataError, KeyError, TypeError, ValueError) as bad:
        raise ModelError(
            f"{path} is no control grid ({bad}): make the student again with notebook 18."
        ) from bad
