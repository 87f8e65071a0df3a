"""Where lines go: standard output, or a file that stays as it was until there is a first line."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from impossible.errors import DataError


def path_text(text: str) -> str:
    """An option's path, which is not empty, as an unset variable of a shell is.

    An empty one would stand for the current folder.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty path: give the path of a file or folder")
    return text


def named_path(text: str) -> Path:
    """Like `path_text`, as a `Path`."""
    return Path(path_text(text))


def check_memory(place: Path, times: int) -> None:
    """Refuse a file or folder that would fill the memory before it is read, if its size is known.

    Args:
        times: bytes of memory that are needed per byte of it.

    Raises:
        DataError: there is less than that.
    """
    import psutil

    files = place.rglob("*") if place.is_dir() else [place]
    sizes = (
        path.stat().st_size * (5 if path.suffix == ".gz" else 1) for path in files if path.is_file()
    )
    needed, free = times * sum(sizes), psutil.virtual_memory().available
    if needed > free:
        raise DataError(
            f"{place} needs about {needed / 1e9:,.1f} GB of memory and {free / 1e9:,.1f} GB are "
            "free: give a part of it, such as the lines that shuf -n 100000 draws."
        )


@contextmanager
def output(out: str | None, source: str) -> Iterator[Callable[[str], None]]:
    """A function that writes a line.

    Args:
        out: a file; None or `-`: standard output. What it held is lost with the first line, or when
            the command ends well: a model that does not load costs no earlier result.
        source: the file that is read, which must be another; `-`: standard input.

    Raises:
        DataError: it is the input itself, cannot be written, or another command writes it.
    """
    if out is None or out == "-":
        yield lambda line: print(line, flush=True)
        return
    if _same(out, source):
        raise DataError(f"--out {out} is the input itself: give another file.")
    try:
        with open(out, "a", encoding="utf-8", buffering=1) as file:
            waiting = [file] if Path(out).is_file() else []
            if waiting:
                _claim(file)

            def put(line: str) -> None:
                while waiting:
                    waiting.pop().truncate(0)
                print(line, file=file)

            yield put
            while waiting:
                waiting.pop().truncate(0)
    except OSError as bad:
        raise DataError(f"--out {out} cannot be written ({bad.strerror}): give another.") from bad


def _claim(file: TextIO) -> None:
    """Refuse a file that another command is writing: lines of both would stand in it."""
    with suppress(OSError):  # a file system without locks
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                f"--out {file.name} is being written by another command: give another file."
            ) from None


def _same(out: str, source: str) -> bool:
    """Whether both are one file; a terminal may be read and written."""
    try:
        read = os.fstat(sys.stdin.fileno()) if source == "-" else os.stat(source)
        return Path(out).is_file() and os.path.samestat(os.stat(out), read)
    except (OSError, ValueError):  # either is not there yet, or is no file
        return False
