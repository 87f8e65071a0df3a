"""Is a results folder what its manifest says, and do its tables show what lies beside them?"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impossible.config.places import project_root
from impossible.data.digests import digest, is_digests
from impossible.data.io import is_below, read_object
from impossible.errors import DataError

OWN = ("manifest.json", "work", "models", "seeds")  # what no notebook declares, or checked apart
AGAIN = "take the folder as it was published, or run its notebooks again"
LEFT_OUT = ("data/", "models/", "rating/")  # may be missing where results are published


@dataclass
class Verification:
    """What was found.

    Attributes:
        intact: files that are as the run left them.
        problems: one sentence each.
        unchecked: what could not be checked, one sentence each.
    """

    intact: int = 0
    problems: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def verify(folder: Path) -> Verification:
    """Compare a results folder with its manifest, its tables with their data, README with both.

    Args:
        folder: such as `results/english-full`.

    Raises:
        DataError: it has no manifest that can be read.
    """
    found = verify_files(folder)
    found.problems += _readme(folder)
    return found


def verify_files(folder: Path) -> Verification:
    """The same of the folder alone, whatever README says."""
    found = Verification()
    for root in (folder, *sorted(path.parent for path in folder.glob("seeds/*/manifest.json"))):
        recorded = _recorded(root, found)
        _compare(root, recorded, found)
        _check_tables(root, recorded, found)
    return found


def _recorded(root: Path, found: Verification) -> dict[str, str]:
    """Path → digest of everything that the notebooks of a manifest wrote."""
    path = root / "manifest.json"
    if not path.is_file():
        raise DataError(f"{root} has no manifest.json: give the folder of a run's results.")
    manifest = read_object(path, AGAIN)
    own = manifest.pop("digest", None)
    if own is None:
        found.problems.append(f"{path} holds no digest of itself: {AGAIN}.")
    elif own != _digest_of(manifest):
        found.problems.append(f"{path} was changed after the run: its own digest differs.")
    recorded: dict[str, str] = {}
    notebooks = manifest.get("notebooks")
    if not isinstance(notebooks, dict):
        raise DataError(f"{path}: notebooks must be an object, name → entry: {AGAIN}.")
    for name, entry in notebooks.items():
        outputs = entry.get("outputs", {}) if isinstance(entry, dict) else None
        if outputs is None or not is_digests(outputs):
            raise DataError(
                f"{path}: notebooks.{name} must be an object whose outputs are paths → digests, "
                f"and is not: {AGAIN}."
            )
        if outside := [each for each in outputs if not is_below(each)]:
            raise DataError(
                f"{path}: notebooks.{name} names {outside[0]!r}, "
                f"which is not below {root}: {AGAIN}."
            )
        if entry.get("status") != "done":
            found.unchecked.append(
                f"{root}: {name} ended as {entry.get('status')}, without results."
            )
        recorded |= outputs
    return recorded


def _digest_of(manifest: dict[str, Any]) -> str:
    """Digest of a manifest; none of what no run writes: half characters, lists without end."""
    try:
        return digest(manifest)
    except (UnicodeEncodeError, RecursionError):
        return ""


def _compare(root: Path, recorded: dict[str, str], found: Verification) -> None:
    """Every file against its digest, and every file against the list."""
    left_out = []
    for name, value in recorded.items():
        path = root / name
        if not path.exists():
            if name.startswith(LEFT_OUT):
                left_out.append(name)
            elif root.parent.name != "seeds":  # of further seeds only the numbers are published
                found.problems.append(f"{path} is missing: run its notebook again.")
        elif digest(path) != value:
            found.problems.append(f"{path} is not what the run wrote: run its notebook again.")
        else:
            found.intact += 1
    if left_out:
        found.unchecked.append(
            f"{root}: {len(left_out)} of the run's files are not published here "
            f"({', '.join(left_out[:3])}{', …' if len(left_out) > 3 else ''}); a run writes them."
        )
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        place = path.relative_to(root)
        known = any(each.as_posix() in recorded for each in (place, *place.parents))
        if not known and place.parts[0] not in OWN:
            found.problems.append(f"{path} was written by no notebook of the manifest.")


def _check_tables(root: Path, recorded: dict[str, str], found: Verification) -> None:
    """Each table in its three formats against its note, and every note's data against the run's."""
    old = 0
    for path in sorted((*root.glob("tables/*.json"), *root.glob("figures/*.json"))):
        if digest(path) != recorded.get(path.relative_to(root).as_posix()):
            continue  # told already
        note = read_object(path, AGAIN)
        if isinstance(note.get("data"), list):
            old += 1
            continue
        if not _is_note(note):
            found.problems.append(f"{path} is no note of a table or figure: {AGAIN}.")
            continue
        for name, short in note["data"].items():
            if short and name in recorded and not recorded[name].startswith(short):
                found.problems.append(
                    f"{path} was made of another version of {name}: run {note['notebook']} again."
                )
        for file, text in table_formats(path, note):
            if file.is_file() and file.read_bytes() != text.encode():
                found.problems.append(f"{file} does not show the rows of {path.name}.")
    if old:
        found.unchecked.append(f"{root}: {old} notes of version 0.1 name no digests of their data.")


def _is_note(note: dict[str, Any]) -> bool:
    """Whether it says all that is checked of a table or figure."""
    data = note.get("data")
    if not isinstance(data, dict) or not _texts([each for each in data.values() if each]):
        return False
    if not _texts([note.get(each) for each in ("kind", "name", "caption", "notebook")]):
        return False
    columns, rows = note.get("columns"), note.get("rows")
    if note["kind"] != "table":
        return True
    right = note.get("right")
    return (
        isinstance(rows, list)
        and all(_texts(row) and len(row) == len(columns or []) for row in [columns, *rows])
        and isinstance(right, list)
        and [type(each) for each in right] == [bool] * len(columns or [])
    )


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


def table_formats(path: Path, note: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """The files of a table that follow from its note, each with what it must say."""
    if note["kind"] != "table":
        return
    from impossible.report.save import table_texts  # slow to load

    for ending, text in table_texts(note).items():
        yield path.with_suffix(f".{ending}"), text


def _readme(folder: Path) -> list[str]:
    """Pages of this checkout whose numbers are not those of its results."""
    script = project_root() / "scripts" / "readme.py"
    if not script.is_file() or not folder.resolve().is_relative_to(project_root().resolve()):
        return []
    made = runpy.run_path(str(script))
    pages = [path for path in made["PAGES"] if path.is_file()]
    texts = {path: path.read_text(encoding="utf-8") for path in pages}
    try:
        other = [path for path, text in texts.items() if made["filled"](text) != text]
    except (LookupError, TypeError, ValueError, AttributeError) as bad:  # of any file of results/
        return [f"The pages cannot be compared with results/, which misses {bad!r}: {AGAIN}."]
    return [
        f"{path} shows other numbers than results/: python scripts/readme.py writes them."
        for path in other
    ]
