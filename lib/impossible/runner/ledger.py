"""The runner's own record of what was done, its excerpt for readers (the manifest), and the lock
that keeps two runs apart.

The ledger lies in `work/`, which is not committed: a fresh clone runs everything although results
are published beside it.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from types import UnionType
from typing import Any

import psutil
from filelock import FileLock, Timeout

from impossible.config.params import Params
from impossible.data.digests import digest, is_digests
from impossible.data.io import read_object, write_json
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError, RunError

VERSIONS = ("torch", "transformers", "tokenizers", "pandas", "pyarrow", "numpy")


class Ledger:
    """Per notebook: status, key, cell, seconds, peak memory and digests of what it wrote.

    Stages that are `running` when the ledger is opened belong to a run that was killed, and are
    marked so (`mend=False` leaves them: a reader beside a run).
    """

    def __init__(self, run: RunFolder, mend: bool = True) -> None:
        self.path = run.work / "ledger.json"
        try:
            entries = read_object(self.path)
        except DataError:
            entries = {}
        # Nothing is lost with a bad one but time: stages run again and results are the same.
        self.entries: dict[str, dict[str, Any]] = {
            name: entry for name, entry in entries.items() if _is_entry(entry)
        }
        for name in self.running if mend else []:
            _end(self.entries[name].get("processes", []))
            self.update(name, status="killed")

    @property
    def running(self) -> list[str]:
        """Notebooks that began and of which no end is known."""
        return [name for name, each in self.entries.items() if each.get("status") == "running"]

    def entry(self, name: str) -> dict[str, Any]:
        """What is known of a notebook; empty when it never ran."""
        return self.entries.get(name, {})

    def start(self, name: str, cells: int) -> None:
        """A notebook begins; what was known of it is forgotten."""
        self.entries[name] = {}
        self.update(name, status="running", cell=0, cells=cells, processes=[])

    def update(self, name: str, **values: Any) -> None:
        """Note something and write it to the disk at once."""
        self.entries[name].update(values)
        write_json(self.path, self.entries)


_NOTED: dict[str, type | UnionType] = {
    "status": str, "key": str, "error": str, "cell": int, "cells": int,
    "seconds": int | float, "peak_mb": int | float,
}  # fmt: skip


def _is_entry(entry: Any) -> bool:
    """Whether an entry is such as `update` writes: others are forgotten."""
    if not isinstance(entry, dict) or not all(
        isinstance(entry[name], kind) for name, kind in _NOTED.items() if name in entry
    ):
        return False
    read, processes = entry.get("read", []), entry.get("processes", [])
    return (
        isinstance(read, list)
        and all(isinstance(each, str) for each in read)
        and is_digests(entry.get("outputs", {}))
        and isinstance(processes, list)
        and all(
            isinstance(each, list)
            and [type(value) for value in each] == [int, float]
            and 0 < each[0] < 2**31
            for each in processes
        )
    )


def _end(processes: list[tuple[int, float]]) -> None:
    """End kernels that outlived their run, before another one writes the same files."""
    for number, started in processes:
        with suppress(psutil.Error):
            process = psutil.Process(number)
            if process.create_time() == started:
                process.kill()
                process.wait(5)


@contextmanager
def locked(run: RunFolder, name: str = "run.lock") -> Iterator[None]:
    """Hold the results folder; a second run is refused. The lock ends with its process."""
    lock = FileLock(run.work / name, timeout=0)
    try:
        lock.acquire()
    except Timeout as bad:
        raise RunError(
            f"Another run works in {run.root}: wait until it ends, or give another folder "
            "with --results."
        ) from bad
    except OSError as bad:
        raise RunError(
            f"Cannot write {lock.lock_file}: {bad.strerror}. Give another folder with --results."
        ) from bad
    try:
        yield
    finally:
        lock.release()


def write_manifest(run: RunFolder, params: Params, ledger: Ledger, anew: bool = True) -> None:
    """What made these results: parameters, versions, and digests per notebook.

    Args:
        run, params, ledger: the run.
        anew: whether anything was computed; else the arithmetic is the one already noted.
    """
    path = run.root / "manifest.json"
    kept = ("key", "status", "seconds", "peak_mb", "read", "outputs")
    entries = {
        name: {each: entry[each] for each in kept if each in entry}
        for name, entry in ledger.entries.items()
    }
    found = {name: _version(name) for name in VERSIONS}
    versions = {"python": platform.python_version(), **found}
    versions["arithmetic"] = (not anew and _arithmetic(path)) or _arithmetic_now(params)
    values = params.model_dump(exclude={"ray_address"})  # which names a machine
    content = {"parameters": values, "notebooks": entries, "versions": versions}
    write_signed(path, content)


def _arithmetic(manifest: Path) -> str:
    """What a manifest says of the arithmetic; empty where it says nothing."""
    with suppress(DataError):
        versions = read_object(manifest).get("versions")
        found = versions.get("arithmetic") if isinstance(versions, dict) else None
        return found if isinstance(found, str) else ""
    return ""


def _arithmetic_now(params: Params) -> str:
    from impossible.models.precision import arithmetic_in_words  # loads torch, which takes seconds

    return arithmetic_in_words(params.dtype, params.device)


def _version(name: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return None


def write_signed(path: Path, content: Mapping[str, Any]) -> None:
    """Write a manifest with the digest of all that it says but for that digest."""
    said = {name: each for name, each in content.items() if name != "digest"}
    write_json(path, said | {"digest": digest(said)})
