from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.report.latex import escape_latex, latex_table
from impossible.report.save import markdown_table, save_table
from impossible.report.tables import against, beside_paper, interval, show, wide
from markdown_it import MarkdownIt

ROWS = pd.DataFrame(
    [
        ("copy", "BLEU", 44.42, 43.0, 45.86, 1147, "s1"),
        ("copy", "iBLEU", 1.08, None, None, 1147, "s2"),
        ("ours", "BLEU", 26.0, 25.0, 27.04, 1147, "s1"),
        ("ours", "iBLEU", None, None, None, 1000, "s2"),
    ],
    columns=["system", "metric", "value", "low", "high", "n", "signature"],
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.open(tmp_path / "run")


def test_values_and_intervals_as_a_reader_sees_them() -> None:
    assert interval(68.23, 66.1, 70.29) == "68.2 [66.1, 70.3]"
    assert interval(68.23, None, 70.0) == "68.2"
    assert interval(math.nan, 1, 2) == "–"
    assert interval(0.5, 0.25, 0.75, digits=3) == "0.500 [0.250, 0.750]"
    assert show(1234567) == "1,234,567"
    assert show(True) == "True"
    assert show(pd.NA) == show(None) == "–"
    assert show(0.0) == "0.0"


def test_wide_keeps_order_and_never_shows_a_missing_value_as_zero() -> None:
    table = wide(ROWS)
    assert table.columns.tolist() == ["system", "BLEU", "iBLEU", "n"]
    assert table.to_numpy().tolist() == [
        ["copy", "44.4 [43.0, 45.9]", "1.1", "1,147"],
        ["ours", "26.0 [25.0, 27.0]", "–", "1,147"],
    ]
    assert wide(ROWS, ["iBLEU"]).columns.tolist() == ["system", "iBLEU", "n"]


def test_n_is_that_of_the_metrics_shown() -> None:
    rows = pd.concat([ROWS, ROWS.head(1).assign(metric="cosine", value=math.nan, n=0)])
    assert wide(rows, ["BLEU"])["n"].tolist() == ["1,147", "1,147"]
    assert wide(rows, ["cosine"]).to_numpy().tolist() == [["copy", "–", "0"], ["ours", "–", "0"]]


@pytest.mark.parametrize(
    ("bounds", "bound", "words"),
    [
        ((1.0, 0.0, 2.0), 0, "undecided at 0"),
        ((-9.0, -12.0, -5.1), -5, "below −5"),
        ((-2.0, -4.9, 1.0), -5, "above −5"),
        ((math.nan, math.nan, math.nan), 0, "not measured"),
        ((1.0, None, None), 0, "without an interval"),
    ],
)
def test_an_interval_is_above_or_below_a_bound_or_holds_it(
    bounds: tuple[float | None, ...], bound: float, words: str
) -> None:
    assert against(*bounds, bound) == words


def test_wide_refuses_two_rows_for_one_cell_and_missing_columns() -> None:
    with pytest.raises(DataError, match="Two rows give BLEU of copy"):
        wide(pd.concat([ROWS, ROWS.head(1)]))
    with pytest.raises(DataError, match="lack the columns low"):
        wide(ROWS.drop(columns="low"))


def test_beside_paper_reads_the_interval_and_keeps_what_was_not_run() -> None:
    paper = {("copy", "BLEU"): 44.4, ("ours", "BLEU"): 30.0, ("copy", "iBLEU"): 1.1,
             ("ChatGPT", "BLEU"): 18.0}  # fmt: skip
    table = beside_paper(ROWS, paper, {("copy", "iBLEU"): "by hand"}).set_index("system")
    assert table["difference"].tolist() == ["+0.0", "−4.0", "−0.0", "–"]
    assert table["reading"].tolist() == [
        "not distinguished: inside the interval",
        "ours is lower",
        "by hand",
        "not run",
    ]
    assert table["interval"].tolist() == ["[43.0, 45.9]", "[25.0, 27.0]", "–", "–"]


def test_save_table_writes_four_files_with_the_same_cells(run: RunFolder) -> None:
    data = run.data("metrics")
    path = save_table(run, "t_1", wide(ROWS), "BLEU & co.", "09_x", [data], "Table 2", numbers=ROWS)
    with path.open(newline="") as file:
        assert next(csv.DictReader(file))["value"] == "44.42"
    note = json.loads((run.tables / "t_1.json").read_text())
    assert note["rows"][0][1] == "44.4 [43.0, 45.9]"
    assert note["right"] == [False, True, True, True]
    assert note["data"] == {"data/metrics.parquet": None}, "not there"
    assert r"BLEU \& co." in (run.tables / "t_1.tex").read_text()
    assert "44.4 [43.0, 45.9]" in (run.tables / "t_1.md").read_text()


def test_paths_outside_the_run_lose_their_folder(run: RunFolder) -> None:
    (run.root / "data" / "x.json").write_text("{}")
    save_table(run, "t", ROWS, "c", "n", ["/somewhere/else/mrpc.tsv", "data/x.json"])
    note = json.loads((run.tables / "t.json").read_text())
    assert note["data"] == {"mrpc.tsv": None, "data/x.json": "44136fa355b3"}, "SHA-256 of {}"


@pytest.mark.parametrize("name", ["a/b", "../x", "", "a b"])
def test_names_that_would_leave_the_folder_are_refused(run: RunFolder, name: str) -> None:
    with pytest.raises(DataError, match="cannot name a table"):
        save_table(run, name, ROWS, "c", "n")


def test_latex_escapes_and_shields_brackets() -> None:
    assert escape_latex("50% of A_B & {x} ≥ \\y –") == (
        r"50\% of A\_B \& \{x\} $\geq$ \textbackslash{}y --"
    )
    table = latex_table(pd.DataFrame({"a": ["[1, 2]"]}), [True], "c", "t")
    assert "{}[1, 2] \\\\" in table
    assert all(line in table for line in (r"\toprule", r"\caption{c}", r"\label{tab:t}", "{r}"))


def test_latex_fits_one_column_or_both() -> None:
    cells = pd.DataFrame({"system": ["M_para"], "n": ["16"]})
    assert latex_table(cells, [False, True], "c", "t").startswith("\\begin{table}[t]")
    assert r"$\alpha$" in latex_table(cells, [False, True], "Krippendorff's α", "t")
    wide = pd.DataFrame({f"valid paraphrase, {i} ↑": ["25.0 [6.2, 50.0]"] for i in range(8)})
    text = latex_table(wide, [True] * 8, "c", "t")
    assert text.startswith("\\begin{table*}[t]")
    assert r"25.0\\{\tiny {}[6.2, 50.0]}" in text, "the interval stands below its value"
    assert r"valid\\paraphrase," in text
    long = pd.DataFrame({"claim": ["word " * 40], "place": ["word " * 6], "n": ["1"]})
    text = latex_table(long, [False, False, True], "c", "t")
    assert sum(map(float, re.findall(r"p\{([\d.]+)", text))) < 1


def test_a_column_of_a_metric_is_headed_by_its_title(run: RunFolder) -> None:
    save_table(run, "t", pd.DataFrame({"system": ["a"], "fidelity_raw": [25.0]}), "c", "n")
    note = json.loads((run.tables / "t.json").read_text())
    assert note["columns"] == ["system", "fidelity, raw, % ↑"]


@given(st.text(min_size=1))
def test_latex_leaves_no_bare_special_character(text: str) -> None:
    assert not re.search(r"(?<!\\)[&%#_]", escape_latex(text))


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


@given(st.lists(PRINTABLE, min_size=2, max_size=2))
def test_markdown_shows_every_cell_as_it_is(cells: list[str]) -> None:
    frame = pd.DataFrame([cells], columns=["a", "b"])
    text = markdown_table(frame, [False, True], "caption")
    parser = MarkdownIt("commonmark").enable("table")
    inline = [token for token in parser.parse(text) if token.type == "inline"]
    shown = ["".join(t.content for t in token.children or []) for token in inline]
    assert shown == ["a", "b", *cells, "caption"]


def test_a_spreadsheet_computes_nothing_of_a_table(run: RunFolder) -> None:
    texts = ["=1+1", "+cmd|' /C calc'!A0", "-cmd", "@SUM(A1)", "\t=1", "+2.9", "-1.5 [-2.0, -1.0]"]
    frame = pd.DataFrame({"shown": texts, "value": range(-3, 4)})
    path = save_table(run, "formulas", frame, "What is typed.", "09_evaluation")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [row[0] for row in rows] == [f"'{text}" for text in texts[:5]] + texts[5:]
    assert [int(row[1]) for row in rows] == list(range(-3, 4))


def test_latex_is_given_no_character_at_which_it_stops() -> None:
    assert escape_latex("a\x00b\x1b[c\td") == "a b [c d"
