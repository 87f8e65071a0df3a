"""The expectations of a notebook as a table: what was expected, what was found, what that says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.expectations import (
    NOT_MEASURED,
    OUTCOMES,
    REHEARSAL,
    Expected,
    as_counted,
)
from impossible.report.side_by_side import Shows
from impossible.report.tables import MISSING, interval

NOBODY_ASKED = "No people were asked: a rehearsal with invented ratings, not counted"
NOBODY_JUDGES = (
    "Nobody judges here (judge: none): whether sentences mean the same is not measured, and this "
    "needs an oracle, or else a referee or people."
)


def expectation_table(
    stage: Shows, name: str, expected: Sequence[Expected], data: Sequence[str | Path], judged: bool
) -> Any:
    """Save table NAME: expectation, measured, n, bound, outcome; see `Stage.expect`.

    Where something was not measured and nobody judges (`judged` is false), it says why.
    """
    shown, numbers = [], []
    for each in expected:
        found = each.found
        known = found if isinstance(found, Interval) else Interval(float(found), nan, nan, 0)
        measured = interval(known.value, known.low, known.high, each.digits)
        n = f"{known.n:,}" if known.n else MISSING
        shown.append((each.says, measured, n, each.bound, each.outcome))
        numbers.append((each.says, *known.bounds, known.n or None, each.bound, each.outcome))
    heads = ["expectation", "measured", "n", "bound", "outcome"]
    frame = pd.DataFrame(shown, columns=heads)
    columns = ["expectation", "value", "low", "high", "n", "bound", "outcome"]
    counts = Counter(each.outcome for each in expected)
    said = ", ".join(f"{counts[one]} {one}" for one in OUTCOMES if counts[one])
    caption = (
        "What the notebook expects: shown where all of the interval lies beyond the bound, refuted "
        "where all of it lies on the other side, else open; counted numbers have no interval."
    )
    exact = pd.DataFrame(numbers, columns=columns)
    rehearsed = counts[REHEARSAL]
    reading = f"of {len(expected) - rehearsed} expectations {said or 'none is tested'}"
    if rehearsed:
        told = f"{reading}; {rehearsed} of invented ratings, not counted"
        reading = NOBODY_ASKED if rehearsed == len(expected) else told
        caption += " Invented ratings (rehearsal) are no result."
    if counts[NOT_MEASURED] and not judged:
        caption += f" {NOBODY_JUDGES}"
    return stage.table(name, frame, caption, list(data), None, exact, 1, reading)


def expected_reading(note: Mapping[str, Any]) -> str | None:
    """The reading of a saved table of expectations, an older one's of invented ratings too.

    >>> expected_reading({"reading": "1 shown", "rows": [["synthetic: faithful", "shown"]]})
    'No people were asked: a rehearsal with invented ratings, not counted'
    """
    outcomes = {as_counted(str(row[0]), "") for row in note.get("rows", [])}
    return NOBODY_ASKED if outcomes == {REHEARSAL} else note.get("reading")
