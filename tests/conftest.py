"""Fixtures shared by the tests of the runner and the command line: a checkout of tiny notebooks."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Whoever starts tests in the background may have let them ignore Ctrl-C, and their children too.
signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore = ["campaign"]  # slow, and a command of its own

Write = Callable[..., Path]
ROOT = Path(__file__).parents[1]


CELL = 'config = "test"\noverrides = {}\nresults = ""'
BEGIN = """from pathlib import Path
from impossible import notebook
stage = notebook.begin({name!r}, config, overrides, results)
run, params = stage.run.root, stage.params
def log(name):
    with open(run / "work" / "log", "a") as file:
        file.write(name + "\\n")
"""


def notebook(
    name: str, code: list[str], inputs: list[str], outputs: list[str], cell: str = CELL
) -> str:
    """A notebook with its tagged cell, one that begins, further code cells and one that ends."""
    sources = [cell, BEGIN.format(name=name), *code, "stage.finish()"]
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell{number}",
            "metadata": {"tags": ["parameters"]} if number == 0 else {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    metadata = {"impossible": {"inputs": inputs, "outputs": outputs}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout that the package takes for its own."""
    for name in ("notebooks", "params", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "params" / "test.yaml").write_text("seed: 0\n")
    shutil.copy(ROOT / "params" / "base.yaml", tmp_path / "params")
    monkeypatch.setenv("IMPOSSIBLE_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def write(checkout: Path) -> Write:
    """Write a notebook into the checkout: `write(name, *cells, inputs, outputs, cell)`."""

    def write(name: str, *code: str, **declared: Any) -> Path:
        path = checkout / "notebooks" / f"{name}.ipynb"
        inputs, outputs = declared.get("inputs", []), declared.get("outputs", [])
        cell = declared.get("cell", CELL)
        path.write_text(notebook(name, list(code), inputs, outputs, cell))
        return path

    return write


# A busy machine is slow now and then; that is no failure of what is tested.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")
