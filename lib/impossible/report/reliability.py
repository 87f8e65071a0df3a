"""What the campaign of kills, starved runs and bad input did and found, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from impossible.data.io import read_object

RELIABILITY_FILE = "reliability.json"  # beside the runs
COLUMNS = ("part", "what is done", "figures", "wrong", "minutes")
DONE = {
    "kills": "A run is killed at random moments and resumed until it ends, and compared with one "
    "that nobody disturbed; so are fetches of a model.",
    "english": "The same kills of a run of English to the second student, mostly with tiny random "
    "models of the same kinds, some with the real ones.",
    "long": "Units of work by the ten thousand in one process: memory, open files, speed, and the "
    "forecast that its first tenth gives.",
    "starved": "No space, memory, permission, home, UTF-8, reader or folder; a clock that goes "
    "back.",
    "corrupt": "Every file of a finished run: a bit flipped, cut, emptied, replaced by another of "
    "its kind.",
    "rubbish": "Bad arguments, parameters, files, rating forms and notebooks, for every command.",
    "hostile": "Text with scripts, markup, LaTeX, control characters and formulas, in all that is "
    "written or shown.",
    "closed": "Tests without network; what is installed, its licence, and whether it is the locked "
    "one; the lock's hashes.",
}


def reliability_rows(results: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each part that ran, as `COLUMNS` names its cells.

    Args:
        results: part → what it found, as `python -m tests.campaign` writes it.

    >>> rows = reliability_rows({"long": {"figures": {"units": 50_000, "wrong": 0}, "minutes": 9}})
    >>> [row[2:] for row in rows]
    [('units: 50,000', '0', '9')]
    """
    rows: list[tuple[str, ...]] = []
    for name, done in DONE.items():
        if name in results:
            part = results[name]
            shown = {
                key: value
                for key, value in part["figures"].items()
                if key != "wrong" and not (name == "long" and ": " in key)
            }
            figures = "; ".join(f"{key}: {value:,}" for key, value in shown.items())
            wrong = str(part["figures"]["wrong"])
            rows.append((name, done, figures, wrong, str(part["minutes"])))
    return rows


def rows_of_steps(figures: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Figures named `STEP: FIGURE`: a first row of steps, then a row for each figure.

    >>> rows_of_steps({"units": 9, "sentences: MB": 779, "pairs: MB": 1099, "pairs: ms": 36})
    [('', 'sentences', 'pairs'), ('MB', '779', '1,099'), ('ms', '–', '36')]
    """
    named = {tuple(key.split(": ", 1)): value for key, value in figures.items() if ": " in key}
    steps = list(dict.fromkeys(step for step, _ in named))
    rows = [("", *steps)] if named else []
    for figure in dict.fromkeys(figure for _, figure in named):
        values = (named.get((step, figure)) for step in steps)
        rows.append((figure, *("–" if value is None else f"{value:,}" for value in values)))
    return rows


def rows_beside(run: Path) -> list[tuple[str, ...]]:
    """The rows of the campaign whose results lie beside a run's folder; none where there are none.

    Raises:
        DataError: the file is damaged.
    """
    path = run.parent / RELIABILITY_FILE
    return reliability_rows(read_object(path)) if path.is_file() else []
