"""The published reports: short, their first screen in its order, open to every reader."""

from __future__ import annotations

import re
import runpy
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from impossible.data.io import read_json
from impossible.errors import DataError
from impossible.runner.verification import verify_files

ROOT = Path(__file__).parents[1]
RUNS = ("english", "english-full", "laboratory", "laboratory-full", "human")
FIRST = ("example", "outcomes", "contents")  # then the parts, as far as a run has them
PARTS = ("method", "paper", "laboratory", "further", "reference")


class Page(HTMLParser):
    """Counts what is visible when a page is opened, and notes its landmarks."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hidden: list[bool] = []  # of each details around
        self.closed: list[bool] = []  # the same, also within its summary
        self.words, self.tables, self.unseen = 0, 0, 0
        self.headings: list[int] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.seen: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "details":
            self.closed.append("open" not in dict(attrs))
            self.hidden.append(self.closed[-1])
        self.unseen += tag in ("style", "title")
        if tag == "summary":
            self.hidden[-1] = False
        self.tables += tag == "table" and not any(self.hidden)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self.hidden.pop()
            self.closed.pop()
        self.unseen -= tag in ("style", "title")
        if tag == "summary":
            self.hidden[-1] = self.closed[-1]

    def handle_data(self, data: str) -> None:
        if not self.unseen and not any(self.hidden):
            self.words += len(data.split())
            self.seen.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture(scope="module", params=RUNS)
def page(request: pytest.FixtureRequest) -> tuple[str, str, Page]:
    text = (ROOT / "results" / request.param / "report.html").read_text(encoding="utf-8")
    return request.param, text, Page(text)


def test_what_is_folded_is_not_counted() -> None:
    text = "<p>one two</p><details><summary>three</summary><table></table>four</details><table>"
    assert (Page(text).words, Page(text).tables) == (3, 1)
    assert Page(text.replace("<details>", "<details open>")).words == 4


def test_it_is_short(page: tuple[str, str, Page]) -> None:
    _, _, seen = page
    assert seen.words <= 6000
    assert seen.tables <= 25


def test_it_begins_with_an_example_and_what_came_out(page: tuple[str, str, Page]) -> None:
    run, text, _ = page
    places = [text.index(f'id="{name}"') for name in FIRST]
    parts = [text.find(f'id="{name}"') for name in PARTS]
    places += [place for place in parts if place >= 0]
    assert places == sorted(places)
    assert parts[-1] >= 0
    first = text[: places[2]]
    assert first.count('<th scope="row">') >= 2, "claims, or readings"
    if run != "human":  # it made no pairs
        for said in ("context", "all critics accept: x", "its critics say", "M_para, writes"):
            assert f"<dt>{said}" in first or f", {said}</dt>" in first, said


def test_headings_are_in_order_and_everything_has_a_name(page: tuple[str, str, Page]) -> None:
    _, text, seen = page
    assert seen.headings.count(1) == 1
    assert seen.headings[0] == 1
    steps = zip(seen.headings, seen.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert len(seen.all("main")) == len(seen.all("nav")) == 1
    assert len(seen.all("caption")) == len(seen.all("table"))
    assert all("scope" in attrs for attrs in seen.all("th"))
    assert all(attrs["alt"] for attrs in seen.all("img"))
    assert not seen.all("script")
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text
    ids = [attrs["id"] for _, attrs in seen.found if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_is_called_true_where_nobody_knows(page: tuple[str, str, Page]) -> None:
    run, _, seen = page
    if run.startswith("english"):
        ours = re.sub(r"\s+", " ", " ".join(seen.seen))
        assert not re.search(r"\btrue\b", ours, re.IGNORECASE)


def test_no_negative_number_has_a_hyphen(page: tuple[str, str, Page]) -> None:
    _, _, seen = page
    assert not re.search(r"(?:^|[\s\[(])-\d", " ".join(seen.seen))


def test_the_ledger_of_one_seed_stands_beside_that_of_several() -> None:
    own, other = (
        (ROOT / "results" / run / "report.html").read_text(encoding="utf-8")
        for run in ("laboratory", "english")
    )
    assert own.count(">consistent</td>") > 5
    assert ">not compared</td>" not in own
    assert ">consistent</td>" not in other, "another world"


def test_pages_are_renewed_from_the_run_s_own_files(tmp_path: Path) -> None:
    rendered = runpy.run_path(str(ROOT / "scripts" / "render_report.py"))["rendered"]
    folder = tmp_path / "human"
    shutil.copytree(ROOT / "results" / "human", folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.suffix != ".html"}
    assert rendered(folder) == folder / "report.html"
    changed = [path.name for path, content in before.items() if path.read_bytes() != content]
    assert changed in ([], ["manifest.json"])
    assert verify_files(folder).problems == []
    outputs = read_json(folder / "manifest.json")["notebooks"]["24_report"]["outputs"]
    assert {"report.html", "gallery.html"} <= outputs.keys()
    (folder / "tables" / "table1.csv").write_text("")
    page = (folder / "report.html").read_bytes()
    with pytest.raises(DataError, match=r"table1\.csv is not what the run wrote"):
        rendered(folder)
    assert (folder / "report.html").read_bytes() == page
