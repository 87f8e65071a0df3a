"""Corrupt: every file of a finished run is harmed; `verify` names it, and no run uses it silently."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from impossible.runner.verification import verify

from .common import Findings, ask, refused
from .kills import RUN, recorded_outputs


def flip(path: Path, rng: random.Random) -> None:
    """Change one byte."""
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(content))


def cut(path: Path, rng: random.Random) -> None:
    """Keep the first part."""
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def emptied(path: Path, _: random.Random) -> None:
    """Keep nothing."""
    path.write_bytes(b"")


HARMS: dict[str, Callable[[Path, random.Random], None]] = {
    "flipped": flip,
    "cut": cut,
    "emptied": emptied,
}
#: A harmed file → a later notebook that reads it.
READ = {
    "data/contexts.parquet": "04",
    "data/pairs.parquet": "05",
    "data/dataset.parquet": "06",
}


def run(place: Path) -> Findings:
    """`verify`, then runs on harmed data, parts, models, copies and books."""
    found, whole = Findings(), place / "whole"
    answer = ask(*RUN, "--results", str(whole))
    if answer.status:
        found.wrong.append(f"the run failed: {answer.err[-300:]}")
        return found
    _verified(whole, place / "harmed", found)
    _refused(whole, place / "harmed", found)
    _mended(whole, place / "harmed", found)
    return found


def _files(folder: Path) -> list[Path]:
    """What a run publishes: all but its working files."""
    every = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in every if path.parts[0] != "work" and (folder / path).stat().st_size]


def _verified(whole: Path, harmed: Path, found: Findings) -> None:
    """Every file harmed alone in its folder, in each way; the manifest too."""
    rng, files = random.Random(0), _files(whole)
    found.figures |= {"files": len(files), "harmed": 0, "named by verify": 0}
    for harm, act in HARMS.items():
        shutil.copytree(whole, harmed)
        missed = []
        for name in files:
            before = (harmed / name).read_bytes()
            act(harmed / name, rng)
            found.count("harmed")
            if _is_named(name, harmed):
                found.count("named by verify")
            else:
                missed.append(f"{name} is not named")
            (harmed / name).write_bytes(before)
        found.check(f"verify names each file that is {harm}", missed)
        shutil.rmtree(harmed)


def _is_named(name: Path, folder: Path) -> bool:
    """Whether `verify` names a file, or the folder of a model that it belongs to."""
    try:
        problems = verify(folder).problems
    except Exception as bad:  # the manifest itself
        problems = [str(bad)]
    places = [str(folder / part) for part in (name, *name.parents[:-1])]
    return any(place in problem for place in places for problem in problems)


def _refused(whole: Path, harmed: Path, found: Findings) -> None:
    """A notebook alone does not read what its producer did not write."""
    for name, reader in READ.items():
        for harm, act in HARMS.items():
            shutil.copytree(whole, harmed)
            act(harmed / name, random.Random(1))
            answer = ask("run", "smoke", "--only", reader, "--force", "--results", str(harmed))
            told = Path(name).stem
            found.check(f"{reader} alone, {name} {harm}", refused(answer, told))
            shutil.rmtree(harmed)


def _mended(whole: Path, harmed: Path, found: Findings) -> None:
    """A run over harmed files ends with the results of the whole one."""
    wanted = recorded_outputs(whole)
    for case, act in (
        ("every unit of work flipped, ledger lost", lambda: _harm_parts(harmed)),
        ("model, figure, copy, scalars and a dataset flipped", lambda: _harm_outputs(harmed)),
        ("ledger and parameters cut", lambda: _harm_books(harmed)),
    ):
        shutil.copytree(whole, harmed)
        count = act()
        answer = ask(*RUN, "--results", str(harmed))
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
        flip(path, rng)
    (folder / "work" / "ledger.json").unlink()
    return len(parts)


def _harm_outputs(folder: Path) -> int:
    rng = random.Random(3)
    kinds = ("models/**/*.safetensors", "figures/*.svg", "notebooks/*.ipynb", "scalars/*.json")
    paths = [next(iter(sorted(folder.glob(kind)))) for kind in kinds]
    paths.append(folder / "data" / "dataset.parquet")
    for path in paths:
        flip(path, rng)
    return len(paths)


def _harm_books(folder: Path) -> int:
    paths = [folder / "work" / f"{name}.json" for name in ("ledger", "params")]
    for path in paths:
        cut(path, random.Random(4))
    return len(paths)
