"""Corrupt: every file of a finished run is harmed; `verify` names it, no run uses it silently."""

from __future__ import annotations

import dataclasses
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from impossible.errors import ImpossibleError
from impossible.runner.verification import verify

from .common import ROOT, Findings, refused
from .workload import Workload, recorded_outputs

MANIFEST = "manifest.json"


def flipped(path: Path, rng: random.Random) -> bytes:
    """One bit is another."""
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def cut(path: Path, rng: random.Random) -> bytes:
    """The first part."""
    return path.read_bytes()[: rng.randrange(path.stat().st_size)]


def emptied(path: Path, _: random.Random) -> bytes:
    """Nothing."""
    return b""


def replaced(path: Path, rng: random.Random) -> bytes:
    """Another file of its kind, whole in itself as an older one is; else itself twice."""
    own = path.read_bytes()
    others = (other.read_bytes() for other in sorted(path.parent.glob(f"*{path.suffix}")))
    return rng.choice([other for other in others if other != own] or [own + own])


#: A file → what it holds after that.
Harm = Callable[[Path, random.Random], bytes]
HARMS: dict[str, Harm] = {
    "flipped": flipped,
    "cut": cut,
    "emptied": emptied,
    "replaced": replaced,
}


def harm(act: Harm, path: Path, rng: random.Random) -> None:
    """Harm a file in its place."""
    path.write_bytes(act(path, rng))


def run(place: Path, work: Workload) -> Findings:
    """`verify`, then runs on harmed data, parts, models, copies and books."""
    found, whole, harmed = Findings(), place / "whole", place / "run"
    found.more["run"] = work.name
    answer = work.run(harmed)
    if answer.status:
        found.wrong.append(f"the run failed: {answer.err[-300:]}")
        return found
    shutil.move(harmed, whole)  # harmed copies lie in its place: a notebook names its folder
    found.figures |= {"files": 0, "harmed": 0, "named by verify": 0}
    for folder in (whole, *sorted(path.parent for path in ROOT.glob("results/*/manifest.json"))):
        _verified(folder, harmed, found)
    _refused(work, whole, harmed, found)
    _mended(work, whole, harmed, found)
    return found


def _files(folder: Path) -> list[Path]:
    """What a run publishes: all but its working files."""
    every = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in every if path.parts[0] != "work" and (folder / path).stat().st_size]


def _verified(whole: Path, harmed: Path, found: Findings) -> None:
    """Every file but the manifest harmed at once, and the manifest by itself, in each way."""
    rng, files = random.Random(0), [path for path in _files(whole) if path.name != MANIFEST]
    found.count("files", len(files) + 1)
    for kind, act in HARMS.items():
        shutil.copytree(whole, harmed, ignore=shutil.ignore_patterns("work"))
        for name in files:
            (harmed / name).write_bytes(act(whole / name, rng))
        problems = _problems(harmed)
        missed = [f"{name} is not named" for name in files if not _is_named(name, harmed, problems)]
        shutil.copy(whole / MANIFEST, harmed)
        harm(act, harmed / MANIFEST, rng)
        if not _is_named(Path(MANIFEST), harmed, _problems(harmed)):
            missed.append("the manifest is not named")
        found.count("harmed", len(files) + 1)
        found.count("named by verify", len(files) + 1 - len(missed))
        found.check(f"verify names each of {len(files) + 1} files of {whole.name}, {kind}", missed)
        shutil.rmtree(harmed)


def _problems(folder: Path) -> list[str]:
    try:
        return verify(folder).problems
    except ImpossibleError as bad:
        return [str(bad)]


def _is_named(name: Path, folder: Path, problems: list[str]) -> bool:
    """Whether `verify` names a file, or the folder of a model that it belongs to."""
    places = [f"{folder / part} " for part in (name, *name.parents[:-2])]
    return any(place in f"{problem} " for place in places for problem in problems)


def _refused(work: Workload, whole: Path, harmed: Path, found: Findings) -> None:
    """A notebook alone does not read what its producer did not write."""
    for name, reader in work.reads.items():
        for kind, act in HARMS.items():
            shutil.copytree(whole, harmed)
            harm(act, harmed / name, random.Random(1))
            alone = dataclasses.replace(work, arguments=work.arguments[:2])
            answer = alone.run(harmed, "--only", reader, "--force")
            told = f"{Path(name).name}, which is not what"
            found.check(f"{reader} alone, {name} {kind}", refused(answer, told))
            shutil.rmtree(harmed)


def _mended(work: Workload, whole: Path, harmed: Path, found: Findings) -> None:
    """A run over harmed files ends with the results of the whole one."""
    wanted = recorded_outputs(whole)
    for case, act in (
        ("every unit of work flipped, ledger lost", lambda: _harm_parts(harmed)),
        ("model, table, copy, scalars and a record flipped", lambda: _harm_outputs(harmed)),
        ("ledger and parameters cut", lambda: _harm_books(harmed)),
    ):
        shutil.copytree(whole, harmed)
        count = act()
        answer = work.run(harmed)
        problems = [answer.err[-300:]] if answer.status else list(_differing(wanted, harmed))
        found.check(f"{case} ({count} files)", problems)
        shutil.rmtree(harmed)


def _differing(wanted: dict[str, str], folder: Path) -> Iterator[str]:
    got = recorded_outputs(folder)
    yield from (f"{name} differs" for name in wanted | got if wanted.get(name) != got.get(name))
    yield from verify(folder).problems


def _harm_parts(folder: Path) -> int:
    rng, parts = random.Random(2), sorted((folder / "work").glob("*/*.parquet"))
    for path in parts:
        harm(flipped, path, rng)
    (folder / "work" / "ledger.json").unlink()
    return len(parts)


def _harm_outputs(folder: Path) -> int:
    rng = random.Random(3)
    kinds = ("models/**/*.safetensors", "tables/*.tex", "notebooks/*.ipynb", "scalars/*.json")
    paths = [min(folder.glob(kind)) for kind in (*kinds, "data/*")]
    for path in paths:
        harm(flipped, path, rng)
    return len(paths)


def _harm_books(folder: Path) -> int:
    paths = [folder / "work" / f"{name}.json" for name in ("ledger", "params")]
    for path in paths:
        harm(cut, path, random.Random(4))
    return len(paths)
