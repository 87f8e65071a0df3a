"""Digests: the identity of files, of values and of this package's code."""

from __future__ import annotations

import ast
import hashlib
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from impossible.config.places import PACKAGE

LARGE = 2**20  # bytes; the digests of larger files are remembered


def digest(thing: Any) -> str:
    """SHA-256 of a file's bytes, of a folder (sorted relative names and bytes) or of a JSON value.

    Args:
        thing: a `Path` (file or folder, which must exist) or a JSON-able value.

    Returns:
        64 hexadecimal digits.

    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    if not isinstance(thing, Path):
        text = json.dumps(thing, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
    if thing.is_dir():
        files = sorted(p for p in thing.rglob("*") if p.is_file())
        return digest([[p.relative_to(thing).as_posix(), digest(p)] for p in files])
    status = thing.stat()
    if status.st_size < LARGE:
        return hashlib.sha256(thing.read_bytes()).hexdigest()
    return _of_large_file(thing, status.st_size, status.st_mtime_ns, status.st_ino)


def is_digests(value: Any) -> bool:
    """Whether it is an object of paths → digests, as ledgers and manifests hold them.

    >>> is_digests({"data/pairs.parquet": "0a"}), is_digests({"data/pairs.parquet": 3})
    (True, False)
    """
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


@lru_cache(maxsize=1024)
def _of_large_file(path: Path, *_: int) -> str:
    """Digest of a file, once for each size, time of its last change and place on the disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def normalized(source: str) -> str:
    """Code without comments, docstrings and layout: equal text means equal behaviour.

    >>> normalized("x = 1  # one") == normalized("x=1")
    True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        kept = [line for line in body if not _is_text(line)]
        node.body = kept or ([ast.Pass()] if body else [])  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    """A string standing alone: a docstring, or a note where a comment would do."""
    is_constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_constant and isinstance(node.value.value, str)  # type: ignore[attr-defined]


@cache
def package_digest() -> str:
    """Digest of this package's code, without comments and layout, and of the data beside it.

    Models do not count: whoever reads one has its own digest in the key.
    """
    kinds = (".py", ".yaml", ".json", ".j2")
    files = sorted(path for path in PACKAGE.rglob("*") if path.suffix in kinds)
    own = [path for path in files if PACKAGE / "world" / "models" not in path.parents]
    return digest(
        [
            [
                path.relative_to(PACKAGE).as_posix(),
                digest(normalized(path.read_text(encoding="utf-8")))
                if path.suffix == ".py"
                else digest(path),
            ]
            for path in own
        ]
    )
