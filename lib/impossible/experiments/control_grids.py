"""Groups of pairs: axes cut into intervals, a word for each, and the instruction they make.

A grid is fitted to pairs, saved beside the weights of the student that learns its instructions,
and read by the command that gives them (`quantized`). Its axes and words are those of `axes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import read_json, write_json
from impossible.errors import DataError, ModelError
from impossible.evaluation.summarization import novelty
from impossible.experiments.control_axes import AXES, Scale
from impossible.text.rouge import rouge_l, rouge_tokens

__all__ = [
    "CONTROL", "MEASURES", "Axis", "Grid", "compression", "fitted", "load_grid", "of_task",
    "rewording", "save_grid",
]  # fmt: skip

CONTROL = "control.json"  # beside the weights of a student that takes instructions


def compression(source: str, output: str) -> float:
    """Characters of the output / of the source; NaN for an empty source.

    >>> compression("The old school burned.", "It burned.")
    0.45454545454545453
    """
    return len(output) / len(source) if source else math.nan


def rewording(source: str, output: str) -> float:
    """How far the words of the output are from the source's: 1 − ROUGE-L; NaN for no words.

    >>> rewording("The old school burned down.", "The school burned.")
    0.25
    """
    return 1 - rouge_l(source, output) if rouge_tokens(output) else math.nan


#: What an axis can measure of a source and an output; values are not negative.
MEASURES: Mapping[str, Callable[[str, str], float]] = {
    "compression": compression,
    "novelty": novelty,
    "rewording": rewording,
}


@dataclass(frozen=True)
class Axis:
    """A measure cut into intervals, each with a word for it.

    Attributes:
        name: what the command calls it.
        measure: key of `MEASURES`.
        words: one per interval, from low values to high ones.
        cuts: ascending, one fewer than words; a value that equals a cut lies below it.
        bottom, top: the least and the largest value that lie in any interval: the task's gates.
    """

    name: str
    measure: str
    words: tuple[str, ...]
    cuts: tuple[float, ...]
    bottom: float = 0.0
    top: float = math.inf

    def __post_init__(self) -> None:
        _measured(self.measure)
        if len(self.cuts) != len(self.words) - 1 or list(self.cuts) != sorted(self.cuts):
            raise DataError(
                f"The axis {self.name} has {len(self.words)} words and the cuts {self.cuts}: give "
                "ascending cuts, one fewer than words."
            )

    def value(self, source: str, output: str) -> float:
        """What the axis measures of an output; NaN where nothing can be measured."""
        return _measured(self.measure)(source, output)

    def word(self, value: float) -> str:
        """The word of the interval that holds a value; "" beyond the limits and for NaN.

        >>> Axis("length", "compression", ("short", "long"), (0.6,), top=0.8).word(0.6)
        'short'
        """
        if not self.bottom <= value <= self.top:
            return ""
        return self.words[int(np.searchsorted(self.cuts, value))]

    def distance(self, value: float, word: str) -> float:
        """How far a value lies from the interval of a word; infinite for NaN.

        >>> Axis("length", "compression", ("short", "long"), (0.5,)).distance(0.75, "short")
        0.25
        """
        if math.isnan(value):
            return math.inf
        place = self.words.index(word)
        low, high = (self.bottom, *self.cuts)[place], (*self.cuts, self.top)[place]
        return max(low - value, value - high, 0.0)


@dataclass(frozen=True)
class Grid:
    """The groups that a student can be asked for: every combination of one word per axis.

    Attributes:
        noun: what is asked for, a key of `AXES`; it ends every instruction.
        axes: with different names and words.
    """

    noun: str
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
        """Names of the groups, the last axis fastest.

        >>> length = Axis("length", "compression", ("short", "long"), (0.6,))
        >>> Grid("summary", (length,)).groups
        ['short', 'long']
        """
        return [" ".join(words) for words in product(*(axis.words for axis in self.axes))]

    def group(self, source: str, output: str) -> str:
        """The group of a pair; "" if it lies in none (beyond a gate, or not to be measured)."""
        words = [axis.word(axis.value(source, output)) for axis in self.axes]
        return " ".join(words) if all(words) else ""

    def prompt(self, source: str, group: str) -> str:
        """What the student reads: the instruction of a group, then the source.

        >>> length = Axis("length", "compression", ("short", "long"), (0.6,))
        >>> Grid("summary", (length,)).prompt("x", "short")
        'short summary: x'
        """
        return f"{group} {self.noun}: {source}"

    def distance(self, source: str, output: str, group: str) -> tuple[bool, float]:
        """How far an output is from a group: (False, 0) inside, else (True, sum over the axes)."""
        far = [
            axis.distance(axis.value(source, output), word)
            for axis, word in zip(self.axes, group.split(), strict=True)
        ]
        return self.group(source, output) != group, sum(far)

    @property
    def known(self) -> str:
        """The axes with their words, for a user.

        >>> Grid("summary", (Axis("length", "compression", ("short", "long"), (0.6,)),)).known
        'length: short, long'
        """
        return "; ".join(f"{axis.name}: {', '.join(axis.words)}" for axis in self.axes)

    def matching(self, asked: Mapping[str, str]) -> list[str]:
        """The groups that have the words asked for; an axis that is not asked for may be anything.

        Args:
            asked: axis → word.

        Raises:
            DataError: the grid has no such axis or word, with those it has.
        """
        known = {axis.name: axis.words for axis in self.axes}
        for name, word in asked.items():
            if word not in known.get(name, ()):
                raise DataError(
                    f"this student cannot be asked for the {name} {word!r}; it knows {self.known}."
                )
        kept = [
            (asked[axis.name],) if axis.name in asked else tuple(axis.words) for axis in self.axes
        ]
        return [" ".join(words) for words in product(*kept)]


def of_task(task: str, pairs: pd.DataFrame, params: Params) -> Grid:
    """The grid of a task: its axes from `AXES`, its limits from the gates, its cuts from the data.

    Args:
        task: a key of `AXES`.
        pairs: source and target, those that passed the gates.
        params: with the gates of the task (`tasks`): length_ratio_min, length_ratio_max,
            rouge_l_max. What they would drop lies in no group.

    Raises:
        DataError: no such task, or too few different pairs to cut.
    """
    if task not in AXES:
        raise DataError(f"No task is called {task!r}; choose {' or '.join(AXES)}.")
    limits = {
        "compression": (params.length_ratio_min, params.length_ratio_max),
        "novelty": (0.0, 1.0),
        "rewording": (1 - params.rouge_l_max, 1.0),
    }
    return fitted(pairs, AXES[task], task, limits)


def fitted(
    pairs: pd.DataFrame,
    scales: Mapping[str, Scale],
    noun: str = "summary",
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> Grid:
    """A grid whose intervals hold equally many pairs, axis by axis.

    Quantiles of the data fill the groups whatever the teacher writes; fixed thresholds would leave
    some of them nearly empty.

    Args:
        pairs: source and target.
        scales: axis → measure and words, from low values to high ones: two give a cut at the
            median.
        noun: what is asked for.
        limits: measure → least and largest value of an output that lies in any group.

    Raises:
        DataError: no such measure, or too few different values to cut.
    """
    axes = []
    for name, scale in scales.items():
        measure = _measured(scale.measure)
        values = [measure(x, y) for x, y in zip(pairs["source"], pairs["target"], strict=True)]
        known = np.array([value for value in values if not math.isnan(value)])
        shares = np.arange(1, len(scale.words)) / len(scale.words)
        cuts = np.quantile(known, shares).tolist() if len(known) else []
        if len(cuts) < len(shares) or (cuts and not _cuts(known, cuts)):
            raise DataError(
                f"The {name} of {len(known)} pairs has too few different values to make "
                f"{len(scale.words)} groups: give more pairs or fewer words "
                f"({', '.join(scale.words)})."
            )
        bounds = (limits or {}).get(scale.measure, (0.0, math.inf))
        axes.append(Axis(name, scale.measure, scale.words, tuple(cuts), *bounds))
    return Grid(noun, tuple(axes))


def _measured(name: str) -> Callable[[str, str], float]:
    """The measure of this name."""
    if name not in MEASURES:
        raise DataError(f"No measure is called {name!r}; choose {' or '.join(MEASURES)}.")
    return MEASURES[name]


def _cuts(values: np.ndarray, cuts: Sequence[float]) -> bool:
    """Whether every interval holds a value."""
    return len(set(np.searchsorted(cuts, values).tolist())) == len(cuts) + 1


def save_grid(folder: Path, grid: Grid) -> Path:
    """Write the grid beside the weights of its student, so that the command can name the groups."""
    axes = [
        {**asdict(axis), "top": None if math.isinf(axis.top) else axis.top} for axis in grid.axes
    ]
    return write_json(folder / CONTROL, {"noun": grid.noun, "axes": axes})


def load_grid(folder: str | Path) -> Grid | None:
    """The grid of the student in a folder; None if it takes no instructions.

    Raises:
        ModelError: the file is damaged.
    """
    path = Path(folder) / CONTROL
    if not path.is_file():
        return None
    try:
        saved = read_json(path)
        axes = [
            Axis(
                each["name"],
                each["measure"],
                tuple(each["words"]),
                tuple(map(float, each["cuts"])),
                float(each["bottom"]),
                math.inf if each["top"] is None else float(each["top"]),
            )
            for each in saved["axes"]
        ]
        return Grid(str(saved["noun"]), tuple(axes))
    except (DataError, KeyError, TypeError, ValueError) as bad:
        raise ModelError(
            f"{path} is no control grid ({bad}): make the student again with notebook 18."
        ) from bad
