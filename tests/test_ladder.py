"""The ladder: imports point down, and what only one module may know, only one module knows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from impossible.data.digests import PACKAGE, imported_modules, module_file

#: Level of a module or of a package (`text` stands for `text.*`).
LEVELS = {
    name: level
    for level, names in enumerate(
        (
            "errors records yamlio progress",
            "keys files shards store schema params templates text statistics seeds thesauri trees "
            "world parsers published constraints vocabulary automaton axes verdicts",
            "architectures arithmetic models caches tokenizing",
            "batching sampling beams constrained searching likelihood decoding rewriting "
            "critics fitting training",
            "assessment baselines comparison contexts corpora datasets distill evaluation filters "
            "given laboratory agreement rating returned "
            "classes critic_errors domains frontier noise novelty truths variants "
            "ablation control metric_rows metrics oracle pairs pretraining proximity roundtrip "
            "quality scoring students summaries systems tasks gold_sets "
            "trends claims judging transfer variety sequential yields multitask grids quantized",
            "notebook tables claim_tables figures report examples",
            "beforehand cells ledger execute schedule unchanged runner replicates plan cli "
            "cli_rating cli_run",
        )
    )
    for name in names.split()
}

#: Modules that may import a library (top-level name), where that is not everybody's.
ONLY = {
    "yaml": {"yamlio"},
    "papermill": {"execute"},
    "filelock": {"ledger"},
    "argparse": {"cli", "cli_rating", "cli_run"},
    "matplotlib": {"figures"},
    "torch": {
        *(name for name, level in LEVELS.items() if level in (2, 3)),
        "distill", "laboratory", "pairs", "evaluation", "pretraining", "plan", "baselines",
    },
}  # fmt: skip

#: `beforehand` asks it for the names of its domains and nothing else.
KNOW_THE_WORLD = (
    "parsers", "thesauri", "given", "gold_sets", "laboratory", "oracle", "beforehand",
)  # fmt: skip

FORBIDDEN = ("pickle.load", "torch.load", "yaml.load", "shell=True", "trust_remote_code=True")

FILES = sorted(PACKAGE.rglob("*.py"))


def short(path: Path) -> str:
    """First name below the package: `text.bleu` → `text`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def package(path: Path) -> str:
    """The package against which relative imports of a file are resolved."""
    return ".".join(("impossible", *path.relative_to(PACKAGE).parent.parts))


def test_every_module_has_a_level() -> None:
    assert {short(path) for path in FILES} - {"__init__"} <= set(LEVELS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_down(path: Path) -> None:
    here = short(path)
    source = path.read_text(encoding="utf-8")
    for name in imported_modules(source, package(path)):
        if module_file(name) is None or name == "impossible":
            continue
        there = name.split(".")[1]
        assert LEVELS.get(there, 0) <= LEVELS.get(here, 9), (
            f"{here} imports {there}, which is above it"
        )
        if there == "world" and here != "world":
            assert here in KNOW_THE_WORLD, f"{here} imports the in-vitro world"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_libraries_are_known_where_they_belong(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [str(node.module)]
        for name in {name.split(".")[0] for name in names} & set(ONLY):
            assert short(path) in ONLY[name], f"{short(path)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_unsafe_is_called(path: Path) -> None:
    calls = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    unsafe = [call for call in calls for text in FORBIDDEN if text in call]
    assert not unsafe


def test_modules_never_import_each_other_in_a_circle() -> None:
    imports = {
        path: {
            file
            for name in imported_modules(path.read_text(encoding="utf-8"), package(path))
            if (file := module_file(name)) not in (None, path) and file.name != "__init__.py"
        }
        for path in FILES
    }
    open_paths = set(FILES)
    while open_paths:
        free = {path for path in open_paths if not imports[path] & open_paths}
        assert free, sorted(short(path) for path in open_paths)
        open_paths -= free
