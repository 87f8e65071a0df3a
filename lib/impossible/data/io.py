"""Writing and reading files so that nothing is lost and nothing is guessed.

Every write goes to a temporary file beside its target, is flushed to the disk and renamed: a reader
sees the old file or the new one, never a part of it. The same content always gives the same bytes,
so that digests can be compared between runs and machines.
"""

from __future__ import annotations

import errno
import glob
import gzip
import json
import math
import os
import platform
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from impossible.data.schemas import OPTIONAL
from impossible.errors import DataError, ImpossibleError, RunError

#: What reading a file raises: it is not there, or a damaged archive.
UNREADABLE = (OSError, EOFError, zlib.error)

REMEDY = "delete it and run again"  # of what a run wrote

_OWN = f".{platform.node()}."  # in the names of this machine's temporary files, before the process


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well.

    Full disks and refused permissions become one sentence; the old file stays as it was.
    """
    temporary = path.with_name(f".{path.name}{_OWN}{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as bad:
        raise _write_error(path, bad) from bad
    finally:
        with suppress(OSError):  # where nothing can be written nothing is to be removed
            temporary.unlink()


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files of `replacing` whose process was killed, of this machine only."""
    for path in folder.rglob(f".*{glob.escape(_OWN)}*.tmp"):
        number = path.name.rpartition(_OWN)[2].removesuffix(".tmp")
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            path.unlink(missing_ok=True)


def _write_error(path: Path, bad: OSError) -> ImpossibleError:
    if bad.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(
            f"No space left on the disk for {path}: free some and run again; "
            "what was written before is kept."
        )
    return RunError(f"Cannot write {path}: {bad.strerror or bad}. Give a writable folder.")


def unzipped(path: str | Path) -> BinaryIO:
    """A file opened for reading; the content if it is gzipped, whatever its name.

    What may go wrong while it is opened or read is one of `UNREADABLE`.
    """
    file = open(path, "rb")  # noqa: SIM115 - once: what is read of a pipe is gone
    zipped = file.peek(2)[:2] == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(file) if zipped else file)


def is_below(name: str) -> bool:
    """Whether a name from elsewhere (a manifest, a store) is a path below the folder it is of.

    >>> is_below("data/pairs.parquet"), is_below("../x"), is_below("/x"), is_below("")
    (True, False, False, False)
    """
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def free_space_check(folder: Path, needed: int) -> None:
    """Refuse to start when the disk of `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunError(
            f"{folder} has {free / 2**20:.0f} MiB free and {needed / 2**20:.0f} MiB are needed: "
            "free some space or give another folder with --results."
        )


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())
    return path


def write_json(path: Path, value: Any) -> Path:
    """Write a JSON value atomically, keys sorted; NaN becomes null (missing)."""
    text = json.dumps(_plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return write_text(path, text + "\n")


def _plain(value: Any) -> Any:
    """JSON-able copy: numpy scalars as Python numbers, NaN and infinities as None."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_json(path: Path, remedy: str = REMEDY) -> Any:
    """Read a JSON file; a missing or damaged one is a `DataError`.

    Args:
        path: of the file; a byte-order mark, which editors write, is passed over.
        remedy: what to do about a damaged one.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as bad:
        raise DataError(f"{path} is missing: run the notebook that writes it.") from bad
    except (OSError, ValueError, RecursionError) as bad:
        raise DataError(f"{path} is not readable JSON ({bad}): {remedy}.") from bad


def read_object(path: Path, remedy: str = REMEDY) -> dict[str, Any]:
    """Like `read_json`, of a file that must hold an object."""
    value = read_json(path, remedy)
    if not isinstance(value, dict):
        raise DataError(f"{path} holds a JSON {type(value).__name__}, not an object: {remedy}.")
    return value


def write_frame(
    path: Path, frame: pd.DataFrame, schema: pa.Schema, metadata: dict[str, str] | None = None
) -> Path:
    """Write records as zstd Parquet, atomically and with deterministic bytes.

    Args:
        path: target, ending in `.parquet`.
        frame: (n, columns) with exactly the columns of `schema`, in any order.
        schema: from `records`.
        metadata: text stored in the file besides the schema's.

    Raises:
        DataError: a column is missing, unknown, of another type, or null where it must not be.
    """
    table = to_table(frame, schema, path)
    if metadata:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return path


def to_table(frame: pd.DataFrame, schema: pa.Schema, where: object) -> pa.Table:
    """Arrow table of a frame, checked against the schema; `where` is named in the error."""
    missing = [name for name in schema.names if name not in frame.columns]
    unknown = [str(name) for name in frame.columns if name not in schema.names]
    if missing or unknown:
        raise DataError(
            f"Records for {where} must have the columns {schema.names}: "
            f"missing {missing or 'none'}, unknown {unknown or 'none'}."
        )
    try:
        table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError) as bad:
        raise DataError(f"Records for {where} do not fit their schema: {bad}") from bad
    return table.replace_schema_metadata(schema.metadata).combine_chunks()


def read_frame(path: Path, schema: pa.Schema, remedy: str = REMEDY) -> pd.DataFrame:
    """Read records written by `write_frame`.

    A column of which the schema says that it may be absent is null then.

    Args:
        path: of the file.
        schema: of its records.
        remedy: what is advised where it is not such a file; of a user's own never to delete it.

    Raises:
        DataError: the file is missing, damaged, or has another schema.
    """
    frame: pd.DataFrame = read_table(path, schema, remedy).to_pandas()
    return frame


def read_table(path: Path, schema: pa.Schema, remedy: str = REMEDY) -> pa.Table:
    """Like `read_frame`, as an Arrow table with the file's metadata."""
    if not path.is_file():
        raise DataError(f"{path} is missing: run the notebook that writes it.")
    try:
        table = pq.ParquetFile(path, memory_map=False).read()
    except (pa.ArrowException, OSError, ValueError) as bad:
        raise DataError(f"{path} is damaged ({bad}): {remedy}.") from bad
    for place, field in enumerate(schema):
        optional = OPTIONAL.items() <= (field.metadata or {}).items()
        if optional and field.name not in table.column_names:
            table = table.add_column(
                min(place, table.num_columns), field, pa.nulls(len(table), field.type)
            )
    if problem := _difference(table.schema, schema):
        raise DataError(f"{path}: {problem}: it was written by another version; {remedy}.")
    return table


def _difference(found: pa.Schema, wanted: pa.Schema) -> str:
    """The first column that is not as the schema has it; empty if all are."""
    for name in dict.fromkeys([*wanted.names, *found.names]):
        if name not in found.names:
            return f"the column {name} is missing"
        if name not in wanted.names:
            return f"the column {name} is not one of {', '.join(wanted.names)}"
        if found.names.count(name) > 1:
            return f"the column {name} is there twice"
        mine, its = wanted.field(name), found.field(name)
        if its.type != mine.type:
            return f"the column {name} holds {its.type}, not {mine.type}"
        if its.nullable != mine.nullable:
            return f"the column {name} {'may hold nulls' if its.nullable else 'holds no nulls'}"
    return "" if found.names == wanted.names else "its columns are in another order"
