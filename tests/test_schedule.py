"""Which notebooks may run side by side, and when each starts: by hand, and for any notebooks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.data.io import read_json
from impossible.runner.notebook_spec import NotebookSpec, source, stages
from impossible.runner.parallel import independent, overlap, startable, timeline

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def stage(name: str, inputs: str = "", outputs: str = "") -> NotebookSpec:
    """A notebook that declares these names, separated by spaces."""
    read, written = tuple(inputs.split()), tuple(outputs.split())
    return NotebookSpec(Path(f"{name}.ipynb"), read, written, "", 1)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("data/pairs", "data/pairs", True),
        ("data/pairs?", "data/pairs", True),
        ("data/pairs", "data/pairs_kept", False),
        ("tables/table1", "tables/table10", False),
        ("tables/table1", "tables/table1.csv", True),
        ("tables/table1.md", "tables/table1.csv", False),
        ("figures/*?", "figures/losses", True),
        ("figures/*?", "tables/losses", False),
        ("notebooks/0*?", "notebooks/09_evaluation", True),
        ("notebooks/0*?", "notebooks/10_report", False),
        ("data/*.csv", "data/pairs", True),  # pairs.csv
        ("figures/a*", "figures/*b", True),  # ab
        ("figures/a*", "figures/b*", False),
        ("models/student", "models/student/config.json", True),
        ("models", "models/student", True),
        ("models/student", "models/student-base", False),
        ("models/*", "models", True),
        ("*", "report.html", True),
    ],
)
def test_names_that_may_stand_for_the_same_file(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_independent_is_who_neither_writes_what_the_other_reads_or_writes() -> None:
    writer = stage("01", outputs="data/a?")
    for other, expected in (
        (stage("02", inputs="data/a"), False),
        (stage("02", inputs="data/*?"), False),
        (stage("02", inputs="scalars/*?"), False),  # numbers are always an output
        (stage("02", inputs="notebooks/01"), False),  # and the executed copy
        (stage("02", outputs="data/a"), False),
        (stage("02", inputs="data/b", outputs="data/c"), True),
    ):
        assert independent(writer, other) is independent(other, writer) is expected
    readers = [stage(name, inputs="data/a") for name in ("02", "03")]
    assert independent(*readers)


#: 1 ─ 2 ─ 4 and 1 ─ 3, then 5 which reads everything
DIAMOND = [
    stage("1", "", "data/one"),
    stage("2", "data/one", "data/two"),
    stage("3", "data/one?", "data/three"),
    stage("4", "data/two", "tables/four"),
    stage("5", "data/* tables/*?", "report.html"),
]


def test_the_first_free_one_starts() -> None:
    one, two, three, four, five = DIAMOND
    assert startable(DIAMOND, [], 2) == one
    assert startable(DIAMOND[1:], [one], 2) is None
    assert startable(DIAMOND[1:], [], 2) == two
    assert startable([three, four, five], [two], 2) == three
    assert startable([three, four, five], [two], 1) is None  # no place
    assert startable([four, five], [two, three], 3) is None
    assert startable([four, five], [three], 3) == four
    assert startable([five], [four], 3) is None
    assert startable([five], [], 3) == five
    assert startable([], [], 1) is None


def test_one_that_waits_is_not_overtaken_by_who_would_change_what_it_reads() -> None:
    reader, writer = stage("2", "data/one data/x?"), stage("3", "", "data/x")
    assert startable([reader, writer], [DIAMOND[0]], 2) is None
    assert startable([reader, stage("3", "", "data/y")], [DIAMOND[0]], 2) is not None


def test_a_timeline_by_hand() -> None:
    seconds = {"1": 2, "2": 3, "3": 5, "4": 1, "5": 4}
    assert timeline(DIAMOND, seconds, 1) == {"1": 0, "2": 2, "3": 5, "4": 10, "5": 11}
    assert timeline(DIAMOND, seconds, 2) == {"1": 0, "2": 2, "3": 2, "4": 5, "5": 7}
    skipped = seconds | {"1": 0, "2": 0}
    assert timeline(DIAMOND, skipped, 2) == {"1": 0, "2": 0, "3": 0, "4": 0, "5": 5}
    assert timeline([], {}, 2) == {}


names = st.lists(st.sampled_from(["data/a", "data/b", "data/c?", "data/*?", "x"]), max_size=2)
declared = st.lists(st.tuples(names, names, st.integers(0, 5)), min_size=1, max_size=7)


@given(declared, st.integers(1, 4))
def test_any_timeline_keeps_the_order_that_matters(
    notebooks: list[tuple[list[str], list[str], int]], workers: int
) -> None:
    every = [
        stage(f"{number}", " ".join(read), " ".join(written))
        for number, (read, written, _) in enumerate(notebooks)
    ]
    seconds = {
        each.name: float(length) for each, (*_, length) in zip(every, notebooks, strict=True)
    }
    starts = timeline(every, seconds, workers)
    ends = {name: start + seconds[name] for name, start in starts.items()}
    assert starts.keys() == seconds.keys()
    for number, later in enumerate(every):
        for earlier in every[:number]:
            if not independent(earlier, later):
                assert starts[later.name] >= ends[earlier.name]
    for moment in starts.values():
        assert sum(starts[n] <= moment < ends[n] for n in starts) <= workers
    total = sum(seconds.values())
    assert max(seconds.values()) <= max(ends.values()) <= total
    if workers == 1:
        assert list(starts) == [each.name for each in every]
        assert max(ends.values()) == total


def test_the_report_waits_for_every_notebook_and_pairs_for_their_sentences() -> None:
    every = stages(NOTEBOOKS)
    assert not any(independent(other, every[-1]) for other in every[:-1])
    number = {each.number: each for each in every}
    assert not independent(number["03"], number["04"])
    assert independent(number["02"], number["03"])
    at_once = timeline(every, dict.fromkeys((each.name for each in every), 1.0), 64)
    assert max(at_once.values()) < len(every) - 1
    assert at_once[every[-1].name] == max(at_once.values())


def test_notebooks_declare_the_files_that_they_name() -> None:
    for each in stages(NOTEBOOKS):
        cells = [c for c in read_json(each.path)["cells"] if c["cell_type"] == "code"]
        code = "\n".join(map(source, cells))
        found = re.findall(r'run\.(data|models|tables|figures)(?:\(| / )"([\w-]+)', code)
        declared = (*each.inputs, *each.writes)
        for name in map("/".join, found):
            assert any(overlap(name, other) for other in declared), f"{each.name}: {name}"
