"""The ladder: imports follow the order of the rooms, and a few libraries are known in one place."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "lib" / "impossible"
FILES = sorted(PACKAGE.rglob("*.py"))

#: Every room of the package: a module imports from its own room and from those before it.
ROOMS = (
    "errors", "config", "data", "text", "models", "generation", "filtering", "training",
    "rewriting", "evaluation", "world", "experiments", "report", "runner", "notebook", "cli",
)  # fmt: skip

#: Rooms or modules that may import a library.
ONLY = {
    "yaml": ("config",),
    "papermill": ("runner",),
    "filelock": ("models", "runner"),
    "argparse": ("cli",),
    "matplotlib": ("report", "notebook"),
    "seaborn": ("report",),
    "spacy": ("filtering",),
    "peft": ("models", "training"),
    "ray": ("data",),
    "fsspec": ("data",),
}

FORBIDDEN = ("pickle.load", "torch.load", "yaml.load", "shell=True", "trust_remote_code=True")


def room(path: Path) -> str:
    """First name below the package: `text/bleu.py` → `text`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Absolute names that a file imports anywhere, also inside functions."""
    package = ("impossible", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def ids(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_module_is_in_a_room() -> None:
    assert {room(path) for path in FILES} - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_imports_follow_the_rooms(path: Path) -> None:
    here = room(path)
    for name in imported(path):
        if not name.startswith("impossible.") or here == "__init__":
            continue
        there = name.split(".")[1]
        assert there not in ROOMS or ROOMS.index(there) <= ROOMS.index(here), f"imports {name}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_libraries_are_known_where_they_belong(path: Path) -> None:
    for library in {name.split(".")[0] for name in imported(path)} & set(ONLY):
        assert room(path) in ONLY[library], f"imports {library}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_nothing_unsafe_is_called(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not [call for call in calls for text in FORBIDDEN if text in call]


def test_modules_never_import_each_other_in_a_circle() -> None:
    names = {
        ".".join(("impossible", *path.relative_to(PACKAGE).with_suffix("").parts)): path
        for path in FILES
        if path.name != "__init__.py"
    }
    imports: dict[Path, set[Path]] = defaultdict(set)
    for path in FILES:
        for name in imported(path):
            module = name if name in names else name.rpartition(".")[0]
            if module in names and names[module] != path:
                imports[path].add(names[module])
    waiting = set(FILES)
    while waiting:
        free = {path for path in waiting if not imports[path] & waiting}
        assert free, sorted(map(ids, waiting))
        waiting -= free


def public_names(path: Path) -> Iterator[str]:
    """Functions, classes and constants of a module that start without an underscore."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from [node.name] if not node.name.startswith("_") else []
        elif isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            names = [each.id for each in ast.walk(target) if isinstance(each, ast.Name)]
            yield from (name for name in names if not name.startswith("_"))


def test_no_public_name_stands_twice() -> None:
    places = defaultdict(list)
    for path in FILES:
        for name in public_names(path):
            places[name].append(ids(path))
    assert not {name: where for name, where in places.items() if len(where) > 1}


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_modules_and_functions_are_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
            assert (node.end_lineno or 0) - first.lineno < 40, f"{node.name} is long"
