"""A run's ledger of claims in short; one of a single seed beside the committed one of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impossible.config.places import project_root
from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder
from impossible.evaluation.seed_statistics import next_seed
from impossible.report.tables import interval, minus

_FILE = "claims.json"


@dataclass(frozen=True)
class LedgerTable:
    """A ledger as it is read.

    Attributes:
        caption: what it holds.
        columns, rows: its texts.
    """

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def committed_ledger() -> RunFolder | None:
    """The published run of the laboratory over several seeds, if this checkout has it."""
    run = RunFolder(project_root() / "results" / "laboratory-full")
    return run if (run.root / _FILE).is_file() else None


def seed_verdicts(run: RunFolder) -> dict[str, list[str]]:
    """Verdict → claims in short, where the run judged them over several seeds; else nothing."""
    own, found = _read(run.root / _FILE), dict[str, list[str]]()
    for claim in own["claims"] if len(own["seeds"]) > 1 else []:
        found.setdefault(claim["verdict"], []).append(claim["short"])
    return found


def ledger_table(run: RunFolder, committed: RunFolder | None, comparable: bool) -> LedgerTable:
    """One line per claim, by its weakest part; without rows where the run judged none.

    Args:
        run: whose ledger is shown.
        committed: that of several seeds, to stand beside one of a single seed.
        comparable: whether both are of one world, so that the same number can be compared.

    A number is *consistent* where it lies in the 95 % interval that the seeds give for one more.
    """
    own = _read(run.root / _FILE)
    if not own["claims"]:
        return LedgerTable("", (), [])
    if len(own["seeds"]) > 1 or committed is None or committed.root == run.root:
        n = len(own["seeds"])
        caption = f"Each claim by its weakest part, over {n} seed{'s' * (n > 1)}."
        rows = [(*_said(claim), _found(_weakest(run, claim)), claim["verdict"])
                for claim in own["claims"]]  # fmt: skip
        return LedgerTable(caption, ("#", "claim", "found", "verdict"), rows)
    wide = _read(committed.root / _FILE)
    n = len(wide["seeds"])
    caption = (
        "This run has one seed, which decides no claim here, whatever the interval over its items "
        "shows above: a verdict needs several seeds, an effect of some size, and more than its "
        f"control. Beside it {committed.root.name}, over {n} seeds, by the weakest part of each "
        "claim. Consistent: where one more of these seeds may lie (95 %)."
    )
    if not comparable:
        caption += " This run is of another world: nothing is compared, and claims stand in short."
    columns = ("#", "claim", "this run", f"{n} seeds", "verdict over them", "this run’s number")
    return LedgerTable(caption, columns, list(_beside(run, committed, own, wide, comparable)))


def _beside(
    run: RunFolder, committed: RunFolder, own: Any, wide: Any, comparable: bool
) -> Iterator[tuple[str, ...]]:
    mine = {claim["number"]: claim for claim in own["claims"]}
    for claim in wide["claims"]:
        theirs = _weakest(committed, claim)
        parts = mine.get(claim["number"], {}).get("parts", [])
        same = next((part for part in parts if part["effect"] == theirs["effect"]), None)
        part = same if comparable else _first_found(parts)
        says = _consistent(part, theirs) if comparable else "not compared"
        short = str(claim["number"]), claim["short"]  # not in the words of the world that knows
        said = _said(claim) if comparable else short
        yield (*said, _found(part), _found(theirs), claim["verdict"], says)
    known = {claim["number"] for claim in wide["claims"]}
    for number in sorted(mine.keys() - known):  # younger than the committed ledger
        part = _first_found(mine[number]["parts"])
        words = _said(mine[number]) if comparable else (str(number), mine[number]["short"])
        yield (*words, _found(part), "–", "not measured", "nothing to compare with")


def _consistent(part: Any, theirs: Any) -> str:
    """Whether a number lies where one more seed of the committed run is expected."""
    value = part["effect_found"]["value"] if part else None
    expected = next_seed([each for each in theirs["effect_per_seed"].values() if each is not None])
    if value is None or expected.low != expected.low:
        return "not measured"
    inside = expected.low <= value <= expected.high
    return "consistent" if inside else f"{'below' if value < expected.low else 'above'} them"


def _first_found(parts: list[Any]) -> Any:
    measured = [part for part in parts if part["effect_found"]["value"] is not None]
    return measured[0] if measured else None


def _weakest(run: RunFolder, claim: Any) -> Any:
    """The part on which a claim's verdict rests, as the table of claims names it."""
    path = run.tables / _FILE
    table = read_json(path) if path.is_file() else {"columns": [], "rows": []}
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    named = {row["#"]: row["weakest part"] for row in rows}.get(str(claim["number"]))
    said = (
        f"{part.get('as_claimed', part['statistic'])} ({part['measure']['unit']})"
        for part in claim["parts"]
    )
    return next((p for p, text in zip(claim["parts"], said, strict=True) if text == named),
                claim["parts"][0])  # fmt: skip


def _said(claim: Any) -> tuple[str, str]:
    return str(claim["number"]), claim["claim"]


def _found(part: Any) -> str:
    if part is None or part["effect_found"]["value"] is None:
        return "–"
    found = part["effect_found"]
    unit = part["measure"]["unit"].replace("% points", "points")
    return f"{minus(interval(found['value'], found['low'], found['high']))} {unit}"


def _read(path: Path) -> Any:
    return read_json(path) if path.is_file() else {"seeds": [], "claims": []}
