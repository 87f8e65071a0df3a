"""Digests: the identity of files, values and code, and the key that says whether work is unchanged.

A stage is repeated when something that can change its result changed: a parameter, the code it
calls, an input's bytes, a model. It is not repeated because a path, a date, a comment or a
docstring changed.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from impossible.config.places import PACKAGE

LARGE = 2**20  # bytes; the digests of larger files are remembered

#: Modules without influence on results: parameter values are in the key themselves.
NEUTRAL = frozenset({"impossible.errors", "impossible.config.params", "impossible.config.schema"})


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


def imported_modules(source: str, package: str = "") -> set[str]:
    """Names below `impossible` that the code imports anywhere, also inside functions.

    Args:
        source: Python code.
        package: the package of the code, against which relative imports are resolved.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(parents if node.level else []), *filter(None, [node.module])])
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] == "impossible"}


def module_file(name: str) -> Path | None:
    """File of a module of this package; None for a name that is no module (a function, say)."""
    base = PACKAGE.joinpath(*name.split(".")[1:])
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


@cache
def _module(name: str) -> tuple[str, frozenset[str]]:
    """Digest of a module (with the data files beside a package's code) and what it imports.

    Data of a package below this one counts for all of it; at the top, a file belongs to the module
    of its name alone, or every stage would be repeated when `claims.yaml` changes.
    """
    path = module_file(name)
    assert path is not None
    source = path.read_text(encoding="utf-8")
    is_package = path.name == "__init__.py"
    parent = name if is_package else name.rpartition(".")[0]
    whole = is_package and path.parent != PACKAGE
    beside = path.parent.glob("*.yaml" if whole else f"{path.stem}.*")
    data = [[p.name, digest(p)] for p in sorted(beside) if p.suffix in (".yaml", ".json", ".j2")]
    return digest([normalized(source), data]), frozenset(imported_modules(source, parent))


def module_closure(names: Iterable[str]) -> dict[str, str]:
    """Digest per module of everything that the named modules import, directly or not."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        parts = name.split(".")
        for module in (".".join(parts[: n + 1]) for n in range(len(parts))):
            if module in found or module in NEUTRAL or module_file(module) is None:
                continue
            found[module], imports = _module(module)
            waiting.extend(imports)
    return dict(sorted(found.items()))


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


def stage_key(
    values: Mapping[str, Any],
    code: Sequence[str] = (),
    inputs: Sequence[Path] = (),
    models: Sequence[str] = (),
) -> str:
    """Key of a piece of work: equal keys promise equal results.

    Args:
        values: the parameters that affect the result, JSON-able.
        code: modules that do the work (`"impossible.filtering.pair_scores"`); imports count too.
        inputs: files or folders that are read; their bytes count, their paths do not.
        models: digests or pinned hub ids of the models used.

    Returns:
        64 hexadecimal digits.
    """
    return digest(
        {
            "values": dict(values),
            "code": module_closure(code),
            "inputs": [digest(path) for path in inputs],
            "models": list(models),
        }
    )
