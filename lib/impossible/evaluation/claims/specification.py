"""What the paper claims, and the numbers that runs with several seeds recorded about it.

`claims.yaml`, beside this module, holds the claims; it was written before the runs. `verdicts`
judges them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from impossible.config.places import PACKAGE
from impossible.config.yaml_files import read_yaml
from impossible.data.run_folder import RunFolder, scalars
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Interval, independent_difference
from impossible.evaluation.human.returned_ratings import SYNTHETIC

#: Seeds that a verdict needs. Sampling is cheap to repeat; training is not, and three is the least
#: that shows a spread, also where people rate what was trained.
REQUIRED_SEEDS = {"sampled": 5, "trained": 3, "rated": 3}

#: Two numbers of pairs are alike where the smaller is at least this fraction of the larger.
ALIKE = 0.8

Label = Annotated[str, Field(min_length=1, max_length=22)]  # beside the figure's axis
Text = Annotated[str, Field(min_length=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Entry(BaseModel):
    """Fields of a YAML mapping, checked strictly."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Measure(Entry):
    """A unit, the minimum effect size worth calling one in it, and why that."""

    unit: Text
    minimum_effect: Positive
    why: Text


class RecordedNumber(Entry):
    """Where a run records a number: `scalar` of `notebook`, in older runs `formerly`."""

    notebook: Text
    scalar: Text
    formerly: Text | None = None

    def read(self, recorded: Mapping[str, Mapping[str, Any]]) -> Interval | None:
        """The number, from recorded numbers by notebook, with its interval (NaN: it has none).

        A rate that a judge's known errors allow not to correct is taken as its verdicts are, by
        the same name with `_raw`.
        """
        known = recorded.get(self.notebook, {})
        names = (self.scalar, f"{self.scalar}_raw", self.formerly)
        found = (_number(known.get(name)) for name in names if name)
        return next((number for number in found if number is not None), None)


class Control(RecordedNumber):
    """The same number of a run in which a signal was destroyed."""

    destroyed: Text = Field(alias="is")


class Part(Entry):
    """One number that must come out as the claim says.

    `sign` is 1 where the claim is that the number is positive, else -1. `bound` is "effect" (it
    must lie beyond 0) or "not_worse" (it must not lie below minus the minimum effect). `sizes` are
    two numbers of pairs, which must be alike.
    """

    statistic: Text
    short: Label
    measure: Text
    scale: Positive = 1
    sign: Literal[1, -1]
    bound: Literal["effect", "not_worse"] = "effect"
    effect: RecordedNumber
    control: Control | None
    no_control: Text | None = None
    sizes: Annotated[list[RecordedNumber], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _controlled(self) -> Self:
        if (self.control is None) == (self.no_control is None):
            raise ValueError("give either a control, or null and the reason as no_control")
        return self

    def sources(self) -> list[RecordedNumber]:
        """Every number that it reads."""
        return [self.effect, *([self.control] if self.control else [])]

    @property
    def as_claimed(self) -> str:
        """The statistic, its two sides so ordered that positive is what the claim says."""
        what, _, sides = self.statistic.rpartition(", ")
        ours, minus, other = sides.partition(" minus ")
        return f"{what}, {other}{minus}{ours}" if self.sign < 0 and minus else self.statistic

    def read(self, recorded: Mapping[str, Mapping[str, Any]]) -> list[Interval] | None:
        """Effect, and control and their difference if there is one, of one seed.

        All in the measure's unit, turned so that positive is what the claim says; None when one of
        them is missing, or when `unlike`.
        """
        if self.unlike(recorded):
            return None
        numbers = [source.read(recorded) for source in self.sources()]
        found = [self._turned(number) for number in numbers if number is not None]
        if len(found) < len(numbers):
            return None
        return [*found, _excess(*found)] if len(found) > 1 else found

    def unlike(self, recorded: Mapping[str, Mapping[str, Any]]) -> str:
        """Both `sizes` in words where one is too small beside the other, else ""."""
        found = [size.read(recorded) for size in self.sizes or ()]
        known = [number.value for number in found if number is not None]
        if len(known) < 2 or min(known) >= ALIKE * max(known):
            return ""
        return f"{known[0]:,.0f} pairs against {known[1]:,.0f}"

    def _turned(self, number: Interval) -> Interval:
        factor = self.sign * self.scale
        low, high = sorted((factor * number.low, factor * number.high))
        return Interval(factor * number.value, low, high, number.n)


def _excess(effect: Interval, control: Interval) -> Interval:
    """Effect minus control of one seed, as if they were independent.

    A control without an interval is taken as it is.
    """
    if not np.isfinite(control.low):
        control = Interval(control.value, control.value, control.value, 0)
    return replace(independent_difference(effect, control), n=1)


class Claim(Entry):
    """One sentence of the paper; it holds if all its parts do.

    `table` is the paper's table in whose own columns it is measured; `added` says what of it was
    written only after runs were seen.
    """

    number: Annotated[int, Field(ge=1)]
    claim: Text
    short: Label
    place: Text
    table: Text | None = None
    kind: Literal["sampled", "trained", "rated"]
    added: Text | None = None
    parts: Annotated[list[Part], Field(min_length=1)]


class ClaimBook(Entry):
    """All claims and the measures of their parts."""

    measures: dict[str, Measure]
    claims: Annotated[list[Claim], Field(min_length=1)]

    @model_validator(mode="after")
    def _of_no_rehearsal(self) -> Self:
        parts = [(claim.number, part) for claim in self.claims for part in claim.parts]
        for number, part in parts:
            for source in part.sources():
                if source.scalar.startswith(SYNTHETIC):
                    raise ValueError(
                        f"claim {number} reads {SYNTHETIC} ratings, which are no result"
                    )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for number, times in Counter(claim.number for claim in self.claims).items():
            if times > 1:
                raise ValueError(f"claim {number} is given {times} times")
        for claim in self.claims:
            for name in {part.measure for part in claim.parts} - self.measures.keys():
                known = ", ".join(self.measures)
                raise ValueError(
                    f"claim {claim.number} names the measure {name}, which is none of {known}"
                )
        return self


@dataclass(frozen=True)
class Recorded:
    """Numbers of one seed: by notebook and name, and the folder below the run that holds them."""

    numbers: Mapping[str, Mapping[str, Any]]
    folder: str

    def file(self, source: RecordedNumber) -> str:
        """The file of a number, relative to the run."""
        return f"{self.folder}/{source.notebook}.json"


def load_claims(path: Path | None = None, judge: str = "oracle") -> ClaimBook:
    """Read and check the claims, those of the package by default; `judge` is what "{judge}" says.

    Raises:
        DataError: one sentence that names the file, the place in it and what is allowed there.

    >>> load_claims().claims[0].place
    '§2, Figure 3 left'
    """
    path = path or PACKAGE / "evaluation" / "claims" / "claims.yaml"
    content = _filled(read_yaml(path, DataError), judge)
    try:
        return ClaimBook.model_validate(content)
    except ValidationError as bad:
        first = bad.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        message = message[0].lower() + message[1:]
        raise DataError(f"{path}: {place + ': ' if place else ''}{message}.") from bad


def _filled(content: Any, judge: str) -> Any:
    """YAML content with the judge's name in its texts."""
    if isinstance(content, dict):
        return {key: _filled(value, judge) for key, value in content.items()}
    if isinstance(content, list):
        return [_filled(value, judge) for value in content]
    return content.replace("{judge}", judge) if isinstance(content, str) else content


def collect_seeds(run: RunFolder, seed: int, n_seeds: int, book: ClaimBook) -> dict[int, Recorded]:
    """The recorded numbers of every seed of a run, smallest seed first.

    Its own seed's lie in `scalars/`, those of the `n_seeds` - 1 that follow in
    `seeds/SEED/scalars/`; other folders there, left by other runs, do not count. Only notebooks
    that the book names are read.
    """
    parts = [part for claim in book.claims for part in claim.parts]
    names = {s.notebook for part in parts for s in (*part.sources(), *(part.sizes or ()))}
    further = range(seed + 1, seed + n_seeds)
    runs = {seed: run} | {number: RunFolder(run.seeds / str(number)) for number in further}
    return {
        number: Recorded(scalars(each, names), each.scalars.relative_to(run.root).as_posix())
        for number, each in runs.items()
        if each.scalars.is_dir()
    }


def _number(recorded: object) -> Interval | None:
    """A recorded number, or list of value, low and high; None when it is missing."""
    values = recorded if isinstance(recorded, list) else [recorded, None, None]
    plain = [
        float(each) if isinstance(each, int | float) and not isinstance(each, bool) else np.nan
        for each in values
    ]
    if len(plain) != 3 or not np.isfinite(plain[0]):
        return None
    value, low, high = plain
    return Interval(value, low, high, 1)
