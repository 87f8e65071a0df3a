"""Documents of a user's own text: plain text, JSON lines, Parquet, or a folder of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from impossible.data.json_lines import json_objects, read_lines
from impossible.errors import DataError, nearest

FIELD = "text"  # of a JSON object or a Parquet file, unless another is named
_LEAST = 3  # documents: one is held out, contexts of two can be split into train and dev


@dataclass(frozen=True)
class OwnDocument:
    """A paragraph or more.

    Attributes:
        place: file and line or row, for messages.
        text: with single blanks.
    """

    place: str
    text: str


def read_documents(path: Path, field: str = FIELD) -> list[OwnDocument]:
    """All documents of a file or folder, in order; blank ones are left out.

    Args:
        path: a text file (`.txt`, `.md`, or without an ending) with one document a line; `.jsonl`
            or `.parquet` with one document a row in `field`; or a folder, of which all files with
            such an ending are read, in the order of their names. All but Parquet may be gzipped.
        field: of JSON objects and Parquet files.

    Raises:
        DataError: nothing is there, it is of another kind, not UTF-8, without the field, or holds
            no document.

    Example:
        `read_documents(Path("abstracts.jsonl"), "abstract")`
    """
    if not path.exists():
        raise DataError(f"Cannot read {path}: there is no such file or folder.")
    files = _files(path) if path.is_dir() else [path]
    rows = (row for file in files for row in _reader(file)(file, field))
    found = [OwnDocument(place, " ".join(text.split())) for place, text in rows if text.strip()]
    if not found:
        raise DataError(f"{path} holds no document: write one a line.")
    return found


def different_documents(texts: Iterable[str]) -> list[str]:
    """Each text once, in order.

    Raises:
        DataError: they are fewer than three.
    """
    found = list(dict.fromkeys(texts))
    if len(found) < _LEAST:
        raise DataError(
            f"the text has {len(found)} different document{'s' * (len(found) != 1)} and at least "
            f"{_LEAST} are needed: write one paragraph a line."
        )
    return found


_Rows = Callable[[Path, str], Iterator[tuple[str, str]]]


def _files(folder: Path) -> list[Path]:
    """The files of a folder, and of those below it, that can be read."""
    endings = [each for each in _READERS if each]
    found = sorted(each for each in folder.rglob("*") if each.is_file() and _ending(each))
    if files := [each for each in found if _ending(each) in endings]:
        return files
    raise DataError(f"{folder} holds no file that ends in {', '.join(endings)}: give another.")


def _ending(path: Path) -> str:
    return path.with_suffix("").suffix.lower() if path.suffix == ".gz" else path.suffix.lower()


def _reader(path: Path) -> _Rows:
    ending = _ending(path)
    if ending not in _READERS:
        endings = ", ".join(each for each in _READERS if each)
        raise DataError(
            f"{path}: files that end in {ending} are not read: give {endings}, or a folder."
        )
    return _READERS[ending]


def _text_lines(path: Path, field: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(read_lines(path), 1):
        yield f"{path}, line {number}", line


def _json_lines(path: Path, field: str) -> Iterator[tuple[str, str]]:
    for place, record in json_objects(read_lines(path), str(path), f'{{"{field}": "…"}}'):
        if field not in record:
            raise DataError(_missing(place, field, list(record)))
        value = record[field]
        if not isinstance(value, str):
            kind = type(value).__name__
            raise DataError(f"{place}: the field {field!r} is a {kind}, not a text: name another.")
        yield place, value


def _parquet_rows(path: Path, field: str) -> Iterator[tuple[str, str]]:
    try:
        file = pq.ParquetFile(path, memory_map=False)
        schema = file.schema_arrow
        if field not in schema.names:
            raise DataError(_missing(str(path), field, schema.names))
        kind = schema.field(field).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise DataError(f"{path}: the column {field!r} is a {kind}, not a text: name another.")
        rows = (row for batch in file.iter_batches(columns=[field]) for row in batch.column(0))
        for number, row in enumerate(rows, 1):
            yield f"{path}, row {number}", row.as_py() or ""
    except (pa.ArrowException, OSError, ValueError) as bad:
        raise DataError(f"{path} is no readable Parquet file ({bad}): give another.") from bad


def _missing(place: str, field: str, there: list[str]) -> str:
    hint = nearest(field, there)
    return (
        f"{place}: there is no field {field!r}{hint}, only {', '.join(there) or 'none'}: name one."
    )


_READERS: dict[str, _Rows] = {
    ".txt": _text_lines, ".md": _text_lines, "": _text_lines, ".jsonl": _json_lines,
    ".json": _json_lines, ".parquet": _parquet_rows,
}  # fmt: skip
