"""The page of speed: its rows by hand, and that it shows what was measured."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("page", ROOT / "benchmarks" / "page.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["page"] = module
    spec.loader.exec_module(module)
    return module


def test_a_row_by_hand(page: ModuleType) -> None:
    row = page.Row("tea", "cups/s", 6.0, {"kettle": 2.0, "sun": 12.0}, {"kettle": 4}, ["fire"])
    assert row.lines() == [("kettle", 2.0, 3.0, 4), ("sun", 12.0, 0.5, None)]
    said = page.table([row]).splitlines()[2:]
    assert said == [
        "| tea | cups/s | 6 | kettle: 2 | 3 | ≥ 4 | **no** |",
        "| tea | cups/s | 6 | sun: 12 | 0.5 | – | – |",
        "| tea | cups/s | | fire: not installed | – | – | – |",
    ]


def test_a_row_alone_is_compared_with_its_own_goal(page: ModuleType) -> None:
    row = page.Row("start", "calls/s", 5.0, goals={"": 2})
    assert page.table([row]).splitlines()[2] == "| start | calls/s | 5 | – | – | ≥ 2 | yes |"


def test_the_page_shows_what_was_measured(page: ModuleType) -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(page.recorded())
