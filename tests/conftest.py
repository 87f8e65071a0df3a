"""Fixtures shared by the tests of the runner and the command line: a checkout of tiny notebooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]


def notebook(parameters: str, code: list[str], inputs: list[str], outputs: list[str]) -> str:
    """A notebook with a tagged cell and further code cells."""
    sources = [f'run_folder = "results/test"\n{parameters}', *code]
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
    monkeypatch.setenv("IMPOSSIBLE_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def write(checkout: Path) -> Write:
    """Write a notebook into the checkout: `write(name, parameters, *cells, inputs, outputs)`."""

    def write(name: str, parameters: str, *code: str, **declared: Any) -> Path:
        path = checkout / "notebooks" / f"{name}.ipynb"
        inputs, outputs = declared.get("inputs", []), declared.get("outputs", [])
        path.write_text(notebook(parameters, list(code), inputs, outputs))
        return path

    return write
