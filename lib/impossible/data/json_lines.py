"""JSON lines that users give: pairs, predictions, test sets; what is wrong names file and line."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from impossible.data.io import UNREADABLE, unzipped
from impossible.errors import DataError

PREDICTION_FIELDS = '{"source": "…", "output": "…", "references": ["…"]}'
PAIR_FIELDS = '{"source": "…", "target": "…"}'
ITEM_FIELDS = '{"source": "…", "references": ["…"]}'
_LONGEST = 64 << 20  # bytes of a line: a file without line ends would fill the memory


def read_lines(path: str | Path) -> Iterator[str]:
    """Lines of a UTF-8 file, perhaps gzipped, one by one; `-` is standard input.

    Raises:
        DataError: the file cannot be read (at once), is damaged, not UTF-8, or has a line of more
            than 64 MiB (at the line).
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        return _decoded(sys.stdin.buffer if str(path) == "-" else unzipped(path), name)
    except UNREADABLE as bad:
        raise _unreadable(name, bad) from bad


def _decoded(stream: BinaryIO, name: str) -> Iterator[str]:
    number = 0
    try:
        while line := stream.readline(_LONGEST + 1):
            number += 1
            if len(line) > _LONGEST:
                raise DataError(
                    f"{name}, line {number} is longer than {_LONGEST >> 20} MiB: write one text a "
                    "line."
                )
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as bad:
        raise DataError(
            f"{name}, line {number} is not UTF-8 text (byte {bad.start}): save it as UTF-8."
        ) from bad
    except UNREADABLE as bad:
        raise _unreadable(name, bad) from bad


def _unreadable(name: str, bad: BaseException) -> DataError:
    reason = getattr(bad, "strerror", None) or bad
    return DataError(f"Cannot read {name}: {reason}; give a file of lines or -.")


def json_objects(
    lines: Iterable[str], name: str, shape: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's place (for messages) and object; blank lines at the end are allowed."""
    blank = number = 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            blank = blank or number
            continue
        if blank:
            raise DataError(
                f"{name}, line {blank}: empty; remove it or write an object like {shape}."
            )
        yield f"{name}, line {number}", _object(text, f"{name}, line {number}", shape)
    if number == 0 or blank == 1:
        raise DataError(f"{name}: empty; each line must be an object like {shape}.")


def _object(text: str, place: str, shape: str) -> dict[str, Any]:
    try:
        record = json.loads(
            text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_fields
        )
    except (ValueError, RecursionError) as bad:
        reason = "nested too deeply" if isinstance(bad, RecursionError) else str(bad)[:80]
        raise DataError(f"{place}: not JSON ({reason}); write an object like {shape}.") from bad
    if not isinstance(record, dict):
        kind = type(record).__name__
        raise DataError(f"{place}: a JSON {kind}, not an object like {shape}.")
    return record


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a name that stands twice in it, one value would be dropped in silence."""
    if len(fields := dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has two fields {twice[:20]!r}")
    return fields


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON: write null")


def _finite(text: str) -> float:
    """A number as its text says; what is too large for one would be written as no JSON."""
    if math.isinf(number := float(text)):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def read_string(record: dict[str, Any], field: str, place: str, shape: str) -> str:
    if field not in record:
        raise DataError(f"{place}: field '{field}' is missing; write an object like {shape}.")
    return _text(record[field], field, place)


def _text(value: object, field: str, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        what = "empty" if isinstance(value, str) else f"{json.dumps(value)[:40]}, not a string"
        raise DataError(f"{place}: field '{field}' is {what}; it must be a non-empty string.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:  # "\ud800" is JSON, but no text
        raise DataError(f"{place}: field '{field}' holds half a surrogate pair.") from error
    return value


def read_strings(record: dict[str, Any], field: str, place: str, shape: str) -> list[str]:
    if field not in record:
        raise DataError(f"{place}: field '{field}' is missing; write an object like {shape}.")
    values = record[field]
    if not isinstance(values, list) or not values:
        raise DataError(f"{place}: field '{field}' must be a non-empty list of strings.")
    return [_text(value, field, place) for value in values]


def read_predictions(lines: Iterable[str], name: str, system: str = "") -> pd.DataFrame:
    """Read lines ``{"source", "output", "references": […]}`` into a `records.PREDICTIONS` frame.

    Other fields are ignored. An output may be empty or blank: a system can fail to answer.

    Raises:
        DataError: naming `name`, the line and the field.
    """
    rows: list[tuple[str, str, str, list[str], str]] = []
    for place, record in json_objects(lines, name, PREDICTION_FIELDS):
        source = read_string(record, "source", place, PREDICTION_FIELDS)
        answer = record.get("output")
        blank = isinstance(answer, str) and not answer.strip()
        output = "" if blank else read_string(record, "output", place, PREDICTION_FIELDS)
        references = read_strings(record, "references", place, PREDICTION_FIELDS)
        rows.append((system or name, f"{len(rows):06d}", source, references, output))
    # As objects: columns of Arrow's would be a second copy of all texts.
    names = ["system", "item", "source", "references", "output"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def read_pairs(lines: Iterable[str], name: str) -> pd.DataFrame:
    """Read lines ``{"source", "target"}`` into a frame of pairs, one per line.

    Columns: pair_id, source, target, context_id (the line's, if it has one, else its source: pairs
    of one source are not independent), origin = name.

    Raises:
        DataError: naming `name`, the line and the field.
    """
    rows: list[tuple[str, str, str, str]] = []
    for place, record in json_objects(lines, name, PAIR_FIELDS):
        source = read_string(record, "source", place, PAIR_FIELDS)
        target = read_string(record, "target", place, PAIR_FIELDS)
        named = record.get("context_id")  # a blank one is none
        context = source if named is None or not str(named).strip() else str(named)
        rows.append((f"{len(rows):06d}", source, target, context))
    frame = pd.DataFrame(rows, columns=["pair_id", "source", "target", "context_id"])
    return frame.assign(origin=name)


def stream_pairs(lines: Iterable[str], name: str) -> Iterator[dict[str, Any]]:
    """Lines ``{"source", "target", …}`` one by one, each with all its fields.

    Raises:
        DataError: naming `name`, the line and the field, when that line is reached.
    """
    for place, record in json_objects(lines, name, PAIR_FIELDS):
        for field in ("source", "target"):
            read_string(record, field, place, PAIR_FIELDS)
        yield record


def read_items(lines: Iterable[str], name: str) -> pd.DataFrame:
    """Read a test set, lines ``{"source"}`` with what else is known of an item.

    Fields that may be there: id (else the line's number), references or targets (a list, perhaps
    empty) or target (one text), domain, exemplar, task.

    Raises:
        DataError: naming `name`, the line and the field.
    """
    rows: list[dict[str, Any]] = []
    for place, record in json_objects(lines, name, ITEM_FIELDS):
        source = read_string(record, "source", place, ITEM_FIELDS)
        many = next((field for field in ("references", "targets") if record.get(field)), "")
        one = [read_string(record, "target", place, ITEM_FIELDS)] if "target" in record else []
        references = read_strings(record, many, place, ITEM_FIELDS) if many else one
        known = {f: record[f] for f in ("domain", "exemplar", "task") if record.get(f) is not None}
        label = str(record.get("id", f"{len(rows):06d}"))
        rows.append({"id": label, "source": source, "references": references, **known})
    return pd.DataFrame(rows)
