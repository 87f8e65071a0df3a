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
from impossible.report.save import markdown_table, save_table, table_texts
from impossible.report.tables import against, as_shown, beside_paper, interval, show, wide
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
    text = latex_table(cells, [False, True], "c", "t")
    assert text.startswith("% needs \\usepackage{booktabs}")
    assert text.splitlines()[1] == "\\begin{table}[t]"
    assert r"$\alpha$" in latex_table(cells, [False, True], "Krippendorff's α", "t")
    wide = pd.DataFrame({f"valid paraphrase, {i} ↑": ["25.0 [6.2, 50.0]"] for i in range(9)})
    text = latex_table(wide, [True] * 9, "c", "t")
    assert text.splitlines()[1] == "\\begin{table*}[t]"
    assert r"\footnotesize" in text
    assert r"25.0\\[-2pt]{\scriptsize {}[6.2, 50.0]}" in text, "the interval is below its value"
    assert r"valid\\paraphrase," in text
    long = pd.DataFrame({"claim": ["word " * 40], "place": ["word " * 6], "n": ["1"]})
    text = latex_table(long, [False, False, True], "c", "t")
    assert sum(map(float, re.findall(r"p\{([\d.]+)", text))) < 1


def test_latex_sets_stacked_rows_apart_and_nothing_below_six_points() -> None:
    for columns in range(4, 14):
        cells = pd.DataFrame(
            {f"metric {i} ↑": ["100.0 [100.0, 100.0]"] * 3 for i in range(columns)}
        )
        text = latex_table(cells.assign(n="1,000"), [True] * (columns + 1), "c", "t")
        assert "\\tiny" not in text
        assert ("[-2pt]" in text) == ("\\addlinespace" in text)
    assert text.count("\\begin{table*}") == 2, "what no size fits is cut between its columns"
    assert r"\caption{c (Part 2 of 2.)}" in text
    assert [text.count(f"metric {i} ") for i in (0, 1, 12)] == [2, 1, 1], "the first names the rows"


def test_latex_cuts_what_is_taller_than_a_page() -> None:
    cells = pd.DataFrame({"threshold": [f"{i}.5" for i in range(96)]})
    text = latex_table(cells, [True], "c", "t")
    assert text.count(r"\begin{table}[tp]") == 2, "full pages, which text shares with none"
    assert text.count(r"\begin{table}[") == text.count(r"\midrule") == 3
    assert text.count(".5 ") == 96, "no row is lost"
    assert [f"\\label{{tab:{name}}}" in text for name in ("t", "t-2", "t-3")] == [True] * 3


def test_a_minus_is_a_minus_in_print_and_a_hyphen_in_the_csv(run: RunFolder) -> None:
    frame = pd.DataFrame({"a": ["−0.8 [−1.0, 12.0]"], "b": [-1.5], "c": [-2], "d": ["a -5 b"]})
    path = save_table(run, "t", frame, "95% of it", "n")
    assert path.read_text().splitlines()[1] == '"-0.8 [-1.0, 12.0]",-1.5,-2,a -5 b'
    assert interval(-1.0, -2.5, 3.0) == "−1.0 [−2.5, 3.0]"
    shown = (run.tables / "t.md").read_text()
    assert all(cell in shown for cell in ("−0.8 [−1.0, 12.0]", "−1.5", "−2 ", "a -5 b"))
    assert "95 % of it" in shown
    assert "$-$0.8 [$-$1.0, 12.0]" in (run.tables / "t.tex").read_text()
    older = {"name": "t", "caption": "95% of it", "columns": ["a"], "rows": [["-0.8 [-1.0, 1.0]"]]}
    assert "−0.8 [−1.0, 1.0]" in table_texts(older | {"right": [True]})["md"]


def test_quotes_are_those_of_latex() -> None:
    assert escape_latex('"held out" and "') == "``held out'' and ''"


def test_identifiers_are_words_where_people_read(run: RunFolder) -> None:
    frame = pd.DataFrame(
        {
            "system": ["held_out: M_para"], "metric": ["bert_ibleu"], "this_run": ["yes"],
            "threshold": ["rouge_l_max"], "self_bleu, shuffled": [1.0],
            "why": ["'self_bleu_temperature' of M_para has no value"],
        }
    )  # fmt: skip
    save_table(run, "t", frame, "c", "n")
    note = json.loads((run.tables / "t.json").read_text())
    assert note["columns"][2:5] == ["this run", "threshold", "Self-BLEU, shuffled"]
    assert note["rows"][0][:2] == ["held-out sentences of the teacher: M_para", "BERT-iBLEU ↑"]
    assert note["rows"][0][3:] == [
        "largest ROUGE-L", "1.0", "'self bleu temperature' of M_para has no value",
    ]  # fmt: skip


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


def test_a_notebook_shows_text_of_others_as_text() -> None:
    cell = "<script>alert(1)</script>"
    frame = pd.DataFrame({"text": [cell], "several": [[cell]], cell: [1234.5]}, index=["twice"])
    page = as_shown(pd.concat([frame, frame]), caption=f"What it wrote: {cell}").to_html()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2 * 2 + 1 + 1  # cells, heading, caption
    assert "1,234.50" in page
