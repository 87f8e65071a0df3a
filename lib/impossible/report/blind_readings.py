"""What readers said of pairs that they saw without score or origin (`scripts/readings.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

from impossible.config.places import project_root
from impossible.data.digests import digest
from impossible.data.io import read_object
from impossible.data.run_folder import RunFolder
from impossible.evaluation.bootstrap import Interval, independent_difference
from impossible.evaluation.calibration import fraction, paired_difference
from impossible.evaluation.expectations import Expected, per_cent
from impossible.report.main_claims import (
    BEST_OF,
    ENTAILMENT_ADDS,
    FOUND,
    KEEPS_AS_TEACHER,
    KEEPS_MEANING,
    NO_WORSE,
    MainClaim,
)
from impossible.report.tables import interval

READINGS = "readings"
_READERS = ("reader_1", "reader_2")
#: Number of a notebook → the groups that it is about.
_READ_IN = {
    "04": ("any two sentences", "chosen by chance", "D_T"),
    "05": ("any two sentences", "chosen by chance", "D_T"),
    "07": ("D_T", "D_para"),
}
#: What the paper says, in our words; the group that should be ahead, the other one, the bound.
_SAID = (
    (FOUND, "D_T", "any two sentences", 0),
    (ENTAILMENT_ADDS, "D_T", "chosen by chance", 0),
    (NO_WORSE, "D_para", "D_T", -5),
)
#: The same of systems on each test set; whether new words count too, as in valid paraphrases.
_SYSTEMS = (
    (KEEPS_MEANING, "M_para, best of 10", "round trip", -5, False),
    (KEEPS_AS_TEACHER, "M_para, best of 10", "teacher, best of 10", -5, False),
    (BEST_OF, "M_para, best of 10", "teacher, best of 10", 0, True),
)
ReadPair = Mapping[str, Any]


def read_rates(pairs: Sequence[ReadPair]) -> list[tuple[str, str]]:
    """Of each group of pairs, what it is and which fractions say the same.

    Args:
        pairs: of `results/readings.json`: of (the group), reader_1, reader_2, referee, new, item.

    Returns:
        Group with n; per cent by reader 1, reader 2, both with Wilson's interval (of which pairs
        of one context are a cluster, where it is known), both and in new words, the referee.
    """
    lines = []
    for group in dict.fromkeys(str(pair["of"]) for pair in pairs):
        part = [pair for pair in pairs if pair["of"] == group]
        one, two, judge = (
            f"{100 * np.mean([pair[who] for pair in part]):.3g} %" for who in (*_READERS, "referee")
        )
        both, valid = per_cent(_same(part)), per_cent(_same(part, valid=True))
        found = f"{one}; {two}; {both.value:.3g} [{both.low:.0f}, {both.high:.0f}] %; "
        found += f"{valid.value:.3g} %; {judge}"
        lines.append((f"{group}, {len(part)} pairs", found))
    return lines


def both_say(pairs: Sequence[ReadPair], valid: bool = False) -> dict[str, float]:
    """Of each group, per cent that both readers call the same; if asked, also in new words.

    >>> both_say([{"of": "D_T", "reader_1": True, "reader_2": True, "new": False}])
    {'D_T': 100.0}
    """
    groups: dict[str, list[bool]] = {}
    for pair in pairs:
        groups.setdefault(str(pair["of"]), []).append(_said(pair, valid))
    return {group: 100 * float(np.mean(said)) for group, said in groups.items()}


def said_of(groups: Sequence[str], run: RunFolder, results: Path | None = None) -> str:
    """How many pairs of some groups both readers call the same, in a line; "" where none was read.

    Args:
        groups: their names.
        run: the one that the line stands in; it was read where its D_T has the digest noted
            beside the readings.
        results: folder of `readings.json` (default: the project's).
    """
    found = _readings(results)
    rates = both_say(found.get("pairs", []))
    said = ", ".join(f"{name} {rates[name]:.3g} %" for name in groups if name in rates)
    where = f"of the run {found['run']}" if found.get("run") else "of another run"
    if read_run(run, results):
        where = "of this run"
    return f"Two blind readers both call the same, {where}: {said}." if said else ""


def said_in(notebook: str, run: RunFolder, results: Path | None = None) -> str:
    """`said_of` the groups that a notebook is about; "" for a notebook that is about none."""
    return said_of(_READ_IN.get(notebook[:2], ()), run, results)


def read_run(run: RunFolder, results: Path | None = None) -> bool:
    """Whether the readers read this very run: its D_T has the noted digest."""
    path, read = run.data("dataset_teacher"), _readings(results).get("dataset_teacher")
    return read is not None and path.is_file() and digest(path) == read


def read_fractions(run: RunFolder, results: Path | None = None) -> pd.DataFrame:
    """What `figures.fraction_dots` draws of readings of this very run; no row without any.

    Args:
        run, results: as for `said_of`.

    Returns:
        group; value, low, high: the fraction that both readers call the same; n; refused: how many
        they do not; accepted: how many of these the referee calls the same.
    """
    pairs = _readings(results).get("pairs", []) if read_run(run, results) else []
    rows = []
    for group in dict.fromkeys(str(pair["of"]) for pair in pairs):
        part = [pair for pair in pairs if pair["of"] == group]
        refused = [pair for pair in part if not _said(pair, valid=False)]
        accepted = sum(bool(pair["referee"]) for pair in refused)
        rows.append((group, *_same(part).bounds, len(part), len(refused), accepted))
    columns = ["group", "value", "low", "high", "n", "refused", "accepted"]
    return pd.DataFrame(rows, columns=columns)


def _readings(results: Path | None) -> dict[str, Any]:
    path = (results or project_root() / "results") / f"{READINGS}.json"
    return read_object(path) if path.is_file() else {}


def agreement(pairs: Sequence[ReadPair]) -> float:
    """Cohen's κ of the two readers over all pairs."""
    return float(cohen_kappa_score(*([pair[who] for pair in pairs] for who in _READERS)))


def read_claims(pairs: Sequence[ReadPair]) -> list[MainClaim]:
    """The paper's main claims by what both readers call the same, where all groups were read."""
    of: dict[str, list[ReadPair]] = {}
    for pair in pairs:
        of.setdefault(str(pair["of"]), []).append(pair)
    asked = [(*each, False, False) for each in _SAID]
    for name in dict.fromkeys(group.partition(": ")[0] for group in of if ": " in group):
        asked += [
            (said, f"{name}: {ours}", f"{name}: {other}", bound, valid, True)
            for said, ours, other, bound, valid in _SYSTEMS
        ]
    claims = []
    for said, ours, other, bound, valid, paired in asked:
        if ours in of and other in of:
            gain = (_paired if paired else _apart)(of[ours], of[other], valid)
            what = "valid paraphrases" if valid else "mean the same"
            text = f"{what} (both blind readers), % points: {ours} − {other}"
            claims.append(_claim(said, Expected(text, per_cent(gain), over=bound)))
    return claims


def _apart(ours: Sequence[ReadPair], other: Sequence[ReadPair], valid: bool) -> Interval:
    """How many more of ours, of two draws."""
    return independent_difference(_same(ours, valid), _same(other, valid))


def _paired(ours: Sequence[ReadPair], other: Sequence[ReadPair], valid: bool) -> Interval:
    """How many more of ours, answers to the same items."""
    theirs = {pair["item"]: _said(pair, valid) for pair in other}
    both = [(_said(pair, valid), theirs[pair["item"]]) for pair in ours if pair["item"] in theirs]
    return paired_difference([a for a, _ in both], [b for _, b in both])


def _same(pairs: Sequence[ReadPair], valid: bool = False) -> Interval:
    """The fraction that both readers call the same and, if asked, that is new in its words."""
    contexts = [str(pair.get("context", number)) for number, pair in enumerate(pairs)]
    return fraction([_said(pair, valid) for pair in pairs], clusters=contexts)


def _said(pair: ReadPair, valid: bool) -> bool:
    return all(pair[who] for who in _READERS) and (not valid or bool(pair["new"]))


def _claim(said: str, expected: Expected) -> MainClaim:
    found = expected.found
    assert isinstance(found, Interval)
    measured = f"{interval(found.value, found.low, found.high)}, n = {found.n}"
    text = f"{expected.says}: {measured}"
    return MainClaim(said, text, expected.bound, expected.outcome, READINGS)
