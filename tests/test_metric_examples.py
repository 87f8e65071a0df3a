"""The examples in the docstrings of the text, tree and metric modules are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = [
    "text.signature", "text.sentences", "text.numbers", "text.overlap", "text.bleu",
    "text.diversity", "text.similarity", "statistics", "trees", "metrics",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    failed, attempted = doctest.testmod(importlib.import_module(f"impossible.{name}"))
    assert attempted > 0
    assert failed == 0
