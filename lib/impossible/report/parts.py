"""The report's parts: which notebooks each holds, in what order, and what is open in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from impossible.report.expectation_table import NOBODY_ASKED

ALL_CLAIMS = "All claims"  # of which the page has a short table; the figure is of every part
MOST_WORDS = 450  # of a table that is shown without a click
_PAPER_TABLE = re.compile(r"(table\d)(?:_all)?(-\w+)?")  # its number; the test set

Item = dict[str, Any]


@dataclass(frozen=True)
class ReportPart:
    """A part of the report.

    Attributes:
        anchor: its place on the page.
        title: its heading.
        about: what a reader finds there.
        notebooks: number of a notebook → what the paper has there, or "".
        figures: how many of a notebook's figures are open.
        tables: whether each of the paper's tables is open once.
    """

    anchor: str
    title: str
    about: str
    notebooks: Mapping[str, str]
    figures: int = 1
    tables: bool = False


PARTS = (
    ReportPart(
        "method",
        "Part I: the method",
        "In the order of the pipeline: contexts, next sentences, critics, dataset, student.",
        {
            "00": "", "02": "Figure 3", "03": "", "04": "", "26": "", "25": "", "05": "", "06": "",
            "07": "",
        },
        figures=2,
    ),
    ReportPart(
        "paper",
        "Part II: the paper’s results",
        "A table of the paper at a time, with ours beside it.",
        {
            "08": "Table 1", "09": "Table 2", "16": "Table 3", "12": "Table 4", "11": "Table 5",
            "14": "Table 6", "15": "Table 7", "13": "Tables 2 and 8", "23": ALL_CLAIMS,
        },
        tables=True,
    ),
    ReportPart(
        "laboratory",
        "Part III: the laboratory",
        "What only an oracle can show: here it is known which sentences mean the same.",
        dict.fromkeys(("01", "10", "22"), ""),
    ),
    ReportPart(
        "further",
        "Further experiments",
        "Ideas of the paper’s first version, and what else was run.",
        {},
        figures=0,
    ),
)  # fmt: skip


def arranged(sections: Sequence[Item]) -> list[tuple[ReportPart, list[Item]]]:
    """Each part that has any with its sections in order, what is open in each under `shown`.

    Args:
        sections: of notebooks; `name`, and what each saved under `items`.
    """
    placed: dict[str, list[tuple[int, str, Item]]] = {part.anchor: [] for part in PARTS}
    for section in sections:
        part, place, paper = _place(section["name"])
        placed[part.anchor].append((place, section["name"], section | {"of": paper}))
    found = []
    for part in PARTS:
        ordered = [each for *_, each in sorted(placed[part.anchor], key=lambda each: each[:2])]
        if ordered:
            chosen = _paper_tables(ordered) if part.tables else []
            drawn = [0 if each["of"] == ALL_CLAIMS else part.figures for each in ordered]
            opened = [_opened(*each, chosen) for each in zip(ordered, drawn, strict=True)]
            found.append((part, opened))
    return found


def is_main(item: Item) -> bool:
    """Whether it says what it means, or what the paper has in its place."""
    return bool(item.get("paper") or item.get("reading"))


def _place(name: str) -> tuple[ReportPart, int, str]:
    """The part of a notebook, its place there, and what the paper has there."""
    key = re.sub(r"\D.*", "", name)
    for part in PARTS:
        if key in part.notebooks:
            return part, list(part.notebooks).index(key), part.notebooks[key]
    return PARTS[-1], 0, ""


def _opened(section: Item, figures: int, tables: Iterable[Item]) -> Item:
    """The section with its items apart, open and folded, and what became of its expectations."""
    drawn = [item for item in section["items"] if item["kind"] == "figure"]
    first = ([item for item in drawn if is_main(item)] or drawn)[:figures]
    chosen = [*first, *tables]
    items = section["items"]
    if figures and not any(item is each for item in items for each in chosen):
        chosen += items[:1]  # nothing else speaks for it
    told = (item["reading"] for item in items if item["name"].startswith("expectations"))
    expected = next(told, None)
    if expected and expected != NOBODY_ASKED:
        expected = f"What it expected: {expected}"
    shown = [item for item in items if any(item is each for each in chosen)]
    folded = [item for item in items if not any(item is each for each in chosen)]
    return section | {"shown": shown, "folded": folded, "expected": expected}


def _paper_tables(sections: Iterable[Item]) -> list[Item]:
    """Of each of the paper's tables the one to be open: on the paper's own test set, if measured.

    On that one a table of differences was saved too.
    """
    tables = [item for each in sections for item in each["items"] if item["kind"] == "table"]
    names = {item["name"] for item in tables}
    chosen: dict[str, Item] = {}
    for own in (True, False):
        for item in tables:
            is_paper = _PAPER_TABLE.fullmatch(item["name"])
            if is_paper and _words(item) <= MOST_WORDS:
                number, other = is_paper[1], is_paper[2] or ""
                if not own or f"{number}_beside{other}" in names:
                    chosen.setdefault(number, item)
    return list(chosen.values())


def _words(item: Item) -> int:
    return sum(len(str(cell).split()) for row in item.get("rows", []) for cell in row)
