"""Rating files: what raters send back, read with checks, and made-up ones that show the kit.

Nothing here invents a human answer. Synthetic ratings are marked as such in every line of their
files, and `agreement` names every number made of them "synthetic: …".
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from impossible.data.io import write_text
from impossible.data.json_lines import read_lines
from impossible.data.run_folder import item_rng
from impossible.errors import DataError
from impossible.evaluation.human.forms import KEY, SCALE, Kit
from impossible.text.rouge import jaccard, rouge_l
from impossible.text.sentence_boundaries import words

SYNTHETIC = "synthetic"
HEADER = ("form", "rater", "unit")  # then one per question


def read_ratings(folder: Path, key: Mapping[str, Any]) -> pd.DataFrame:
    """Ratings from the CSV files that raters sent back: `HEADER` and a column per question.

    What a spreadsheet of any country saves as CSV (semicolons, tabs, a line `sep=;`, rows without
    cells) is understood. A rater who sent nothing is no error (compare with `key["forms"]`); a file
    with a gap is one.

    Returns:
        `records.RATINGS`, by rater, unit and question.

    Raises:
        DataError: no file; not UTF-8; not this table; an unknown rater or output; another form; an
            answer given twice, missing or outside the scale; synthetic and human files together.
    """
    seen: dict[tuple[str, str], str] = {}
    rows: list[tuple[Any, ...]] = []
    header = [*HEADER, *key["questions"]]
    for place, line in (found for path in _files(folder) for found in _table(path, header)):
        origin, (rater, unit) = _origin(line, place, key), (line["rater"], line["unit"])
        twin = seen.setdefault((rater, unit), place)
        if twin != place:
            raise DataError(
                f"{place}: {rater} has rated {unit} before, in {twin}: keep one of the two."
            )
        item = key["units"][unit]["item"]
        answers = [(name, _value(line, name, place), origin) for name in key["questions"]]
        rows += [(rater, unit, item, *answer) for answer in answers]
    columns = ["rater", "unit", "item", "question", "value", "origin"]
    ratings = pd.DataFrame(rows, columns=columns)
    _complete(ratings, key, folder)
    return ratings.sort_values(["rater", "unit"], kind="stable", ignore_index=True)


def _files(folder: Path) -> list[Path]:
    """What raters sent back; a Mac adds a file ._NAME to each in an archive."""
    files = sorted(p for p in folder.glob("*.[cC][sS][vV]") if not p.name.startswith("."))
    if not files:
        raise DataError(f"{folder} holds no .csv file: put there what the raters sent back.")
    return files


def _table(path: Path, header: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row's place (for messages) and cells; lines without cells are passed over."""
    wanted, lines = ",".join(header), list(read_lines(path))
    skipped = int("".join(lines[:1]).strip('" ').lower().startswith("sep="))
    first = "".join(lines[skipped : skipped + 1])
    delimiter = next((mark for mark in ";\t" if mark in first), ",")
    rows = csv.reader(lines[skipped:], strict=True, delimiter=delimiter)
    try:
        found = _cells(next(rows, []), header)
        if found != header:
            lacking = ", ".join(name for name in header if name not in found)
            raise DataError(
                f"{path}: its first line must be {wanted}"
                + (f", but it lacks {lacking}" if lacking else "")
                + ": send the file that the form's button saves."
            )
        for cells in (_cells(row, header) for row in rows if "".join(row).strip()):
            place = f"{path}, line {rows.line_num + skipped}"
            if len(cells) != len(header):
                raise DataError(
                    f"{place}: {len(cells)} cells, but {len(header)} must be: {wanted}."
                )
            yield place, dict(zip(header, cells, strict=True))
    except csv.Error as bad:
        raise DataError(
            f"{path}, line {rows.line_num + skipped} is not CSV ({bad}): save it as CSV."
        ) from bad


def _cells(row: list[str], header: list[str]) -> list[str]:
    """Cells without blanks around them, and without empty columns after the last one."""
    cells = [cell.strip() for cell in row]
    return cells if any(cells[len(header) :]) else cells[: len(header)]


def _origin(line: Mapping[str, str], place: str, key: Mapping[str, Any]) -> str:
    """ "human" or "synthetic"; refuses a rater, form or unit that is not of this kit."""
    rater, unit, form = line["rater"], line["unit"], line["form"]
    if rater not in key["forms"]:
        raise DataError(
            f"{place}: there is no rater {rater!r} in this kit: its raters are "
            f"{', '.join(key['forms'])}."
        )
    origin = SYNTHETIC if form.startswith(SYNTHETIC) else "human"
    if form.removeprefix(f"{SYNTHETIC}-") != key["forms"][rater]:
        raise DataError(
            f"{place}: form {form!r} is not the one of {rater} in this kit "
            f"({key['forms'][rater]}): give the {KEY} that was written with the forms."
        )
    if unit not in key["units"]:
        raise DataError(
            f"{place}: there is no output {unit!r} in this kit: give the {KEY} that was written "
            "with the forms, or correct its name."
        )
    return origin


def _value(line: Mapping[str, str], question: str, place: str) -> int:
    text, allowed = line[question], [str(value) for value in SCALE]
    if text not in allowed:
        what = f"is {text!r}" if text else "is missing"
        raise DataError(
            f"{place}: the answer to {question!r} {what}: it must be one of {', '.join(allowed)}."
        )
    return int(text)


def _complete(ratings: pd.DataFrame, key: Mapping[str, Any], folder: Path) -> None:
    """Refuse ratings of two origins, and a rater's file that ends before the form does."""
    if ratings.empty:
        raise DataError(f"The .csv files in {folder} hold no rating: ask for complete ones.")
    if ratings["origin"].nunique() > 1:
        raise DataError(
            f"{folder} holds {SYNTHETIC} ratings beside human ones: keep them in two folders."
        )
    for rater, units in ratings.groupby("rater")["unit"]:
        lacking = sorted(set(key["units"]) - set(units))
        if lacking:
            raise DataError(
                f"{folder}: {rater} has not rated {lacking[0]}"
                + (f" and {len(lacking) - 1} more" if lacking[1:] else "")
                + f" of {len(key['units'])} outputs: ask for the complete file."
            )


def refusals(folder: Path, key: Mapping[str, Any]) -> dict[str, str]:
    """What `read_ratings` says of the folder's first file when it is damaged, in five ways.

    What was done to the file → the sentence by which it is refused; "" if it is not. Nothing in the
    folder is changed.
    """
    lines = [line.rstrip("\r\n") for line in read_lines(_files(folder)[0])]
    rest, last = lines[:-1], lines[-1]
    rater = next((name for name in key["forms"] if name in last), last)
    damaged = {
        "the last line lost": rest,
        "the last line twice": [*lines, last],
        "an answer of 4": [*rest, f"{last[:-1]}4"],
        "no answer": [*rest, last[:-1]],
        "a stranger": [*rest, last.replace(rater, "someone")],
    }
    said = dict.fromkeys(damaged, "")
    for name, text in damaged.items():
        with TemporaryDirectory() as place:
            write_text(Path(place) / "file.csv", "\n".join(text))
            try:
                read_ratings(Path(place), key)
            except DataError as bad:
                said[name] = str(bad).replace(place, "…")
    return said


def write_synthetic(kit: Kit, folder: Path) -> None:
    """Write made-up CSV files in the place of raters, marked as synthetic in every line.

    Each answer is 1 + 2·s + noise of standard deviation ½, rounded and cut to 1..3, where s is for
    *fluent* the shorter over the longer length in words, for *faithful* the Jaccard similarity of
    the words, for *dissimilar* 1 − ROUGE-L and for *concise* 1 − length of the output over that of
    the source. The rule looks at shared words and lengths only and knows nothing of meaning: it
    shows that the kit works, and says nothing about a system.
    """
    key = kit.key()
    for old in folder.glob("rater*.csv"):
        old.unlink()
    for index, rater in enumerate(kit.raters):
        lines = [",".join([*HEADER, *key["questions"]])]
        for row in kit.units.itertuples():
            scores = _surface(row.source, row.output)
            rng = item_rng(kit.seed, "synthetic raters", row.unit, index)
            drawn = [1 + 2 * scores[name] + rng.normal(0, 0.5) for name in key["questions"]]
            answers = [str(min(SCALE[-1], max(SCALE[0], round(value)))) for value in drawn]
            form = f"{SYNTHETIC}-{key['forms'][rater]}"
            lines.append(",".join([form, rater, row.unit, *answers]))
        write_text(folder / f"{rater}.csv", "\n".join(lines) + "\n")


def _surface(source: str, output: str) -> dict[str, float]:
    """What synthetic raters look at, each in [0, 1]."""
    before, after = len(words(source)), len(words(output))
    return {
        "fluent": min(before, after) / max(before, after, 1),
        "faithful": jaccard(source, output),
        "dissimilar": 1 - rouge_l(source, output),
        "concise": 1 - min(1.0, after / max(before, 1)),
    }
