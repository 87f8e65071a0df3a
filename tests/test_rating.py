"""Rating by people: blinding, forms, what is refused on return, agreement, means."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.cli import main
from impossible.data.io import read_frame, write_frame
from impossible.data.schemas import METRIC_ROWS, PREDICTIONS, RATINGS
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.human.agreement import (
    agreement_rows,
    alpha,
    mean_rating_rows,
    ratings_expected,
    shuffled_ratings,
)
from impossible.evaluation.human.forms import (
    QUESTIONS,
    Kit,
    draw_kit,
    read_key,
    render_form,
    write_kit,
)
from impossible.evaluation.human.returned_ratings import read_ratings, refusals, write_synthetic
from impossible.evaluation.paraphrase_metrics import with_similarities

SYSTEMS = ("systemQ", "systemR", "systemS")
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \"x\" 'y' \u2028 {{ 7*7 }}"


def predictions(n: int = 12, systems: tuple[str, ...] = SYSTEMS) -> pd.DataFrame:
    """Outputs that share more or fewer words with their source, by system and item."""
    rows = []
    for place, system in enumerate(systems):
        for item in range(n):
            words = [f"word{number}" for number in range(8)]
            output = " ".join([f"text {place}", *words[: (3 * item + 2 * place) % 9]])
            rows.append((system, f"i{item:02d}", " ".join(words), ["r"], output))
    return pd.DataFrame(rows, columns=["system", "item", "source", "references", "output"])


def ratings_of(values: dict[str, dict[str, list[int]]], origin: str = "human") -> pd.DataFrame:
    """RATINGS from question → unit → a value per rater; the item is the unit's number."""
    rows = [
        (f"rater{rater}", unit, unit[:3], question, value, origin)
        for question, units in values.items()
        for unit, given in units.items()
        for rater, value in enumerate(given, 1)
    ]
    return pd.DataFrame(rows, columns=["rater", "unit", "item", "question", "value", "origin"])


# --- the kit


def test_every_question_is_anchored() -> None:
    assert {task: [q.name for q in questions] for task, questions in QUESTIONS.items()} == {
        "paraphrase": ["fluent", "faithful", "dissimilar"],
        "summary": ["fluent", "faithful", "concise"],
    }
    for question in (q for questions in QUESTIONS.values() for q in questions):
        assert len({*question.anchors}) == 3
        assert question.text.endswith("?")


def test_raters_get_the_same_outputs_in_other_orders_and_no_name() -> None:
    kit = draw_kit(predictions(), n_rated=6, n_raters=3)
    forms = [[unit["id"] for unit in kit.form(rater)["units"]] for rater in kit.raters]
    assert kit.raters == ("rater1", "rater2", "rater3")
    assert all(sorted(form) == sorted(kit.units["unit"]) for form in forms)
    assert forms[0] != forms[1] != forms[2]
    for form in forms:
        items = [unit[:3] for unit in form]
        assert sum(a != b for a, b in pairwise(items)) == 5, "side by side"
    for rater in kit.raters:
        assert not re.search("|".join(SYSTEMS), render_form(kit.form(rater)))


def test_a_letter_tells_nothing_about_the_system() -> None:
    units = draw_kit(predictions(60), n_rated=60).units
    first = units[units["unit"].str.endswith("A")]["systems"].str[0].value_counts()
    assert set(first.index) == set(SYSTEMS)
    assert first.max() < 35


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.permutations(range(36)))
def test_the_choice_belongs_to_the_item(seed: int, order: list[int]) -> None:
    frame = predictions()
    few, many = (draw_kit(frame, n_rated=n, seed=seed).units for n in (4, 9))
    pd.testing.assert_frame_equal(many[many["item"].isin(few["item"])], few)
    other = draw_kit(frame.iloc[list(order)], n_rated=4, seed=seed).units
    pd.testing.assert_frame_equal(other, few)


def test_equal_outputs_are_rated_once() -> None:
    frame = predictions(2)
    frame.loc[frame["item"] == "i01", "output"] = ["Same  text.", "Same text.", ""]
    units = draw_kit(frame).units
    own = units[units["item"] == "i01"].set_index("output")["systems"].to_dict()
    assert own == {"Same text.": ["systemQ", "systemR"], "": ["systemS"]}


def test_an_item_that_a_system_lacks_is_not_rated() -> None:
    kit = draw_kit(predictions(4).iloc[1:])
    assert sorted(kit.units["item"].unique()) == ["i01", "i02", "i03"]


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        (lambda f: f, {"task": "poem"}, "no task 'poem' to rate: give one of paraphrase, summary"),
        (lambda f: f, {"n_raters": 0}, "12 items and 0 raters: give at least one"),
        (lambda f: f, {"systems": ["systmQ"]}, r"no system 'systmQ' \(did you mean systemQ\?\)"),
        (lambda f: f.iloc[:0], {}, "0 systems are chosen: 1 to 26"),
        (lambda f: pd.concat([f, f[:1]]), {}, "systemQ has two outputs for item i00"),
        (lambda f: f.assign(source=f["output"]), {}, "Item i00 has two sources"),
        (lambda f: f.assign(item=range(36)), {}, "No item has an output of each of systemQ; "),
    ],
)
def test_what_cannot_be_rated(
    change: Callable[[pd.DataFrame], pd.DataFrame], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        draw_kit(change(predictions()), **{"n_rated": 12, **options})


# --- the form


class Page(HTMLParser):
    """Scripts, tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data


def test_model_text_is_data_in_the_form() -> None:
    frame = predictions(3).assign(source=EVIL, output=EVIL)
    kit = draw_kit(frame)
    text = render_form(kit.form("rater1"))
    page = Page(text)
    assert len(page.scripts) == 2
    assert "<img" not in text
    shown = json.loads(page.scripts[0])["units"]
    assert {unit["source"] for unit in shown} == {EVIL}
    assert {unit["output"] for unit in shown} == {" ".join(EVIL.split())}
    assert "innerHTML" not in page.scripts[1]


@pytest.mark.parametrize("task", QUESTIONS)
def test_the_form_is_self_contained_and_runs_its_own_script_only(task: str) -> None:
    page = Page(render_form(draw_kit(predictions(), task).form("rater1")))
    for tag, name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "href") or value == "#", f"{tag} {name}={value}"
    assert not re.search(r"https?:|fetch|XMLHttp|sendBeacon|cookie", page.scripts[1])
    policy = next(value for _, name, value in page.attributes if value.startswith("default-src"))
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    radios = [(name, value) for tag, name, value in page.attributes if tag == "input"]
    assert radios.count(("type", "radio")) == 9
    assert [v for n, v in radios if n == "name"][::3] == [q.name for q in QUESTIONS[task]]


def test_the_key_lies_apart_and_stale_forms_go(tmp_path: Path) -> None:
    write_kit(draw_kit(predictions(), n_raters=3), tmp_path)
    (tmp_path / "forms" / "notes.html").write_text("mine")
    kit = draw_kit(predictions(), n_raters=2)
    write_kit(kit, tmp_path)
    assert sorted(path.name for path in (tmp_path / "forms").iterdir()) == [
        "notes.html",
        "rater1.html",
        "rater2.html",
    ]
    assert read_key(tmp_path / "key.json") == kit.key()
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(DataError, match="is no key of rating forms"):
        read_key(tmp_path / "key.json")


# --- what comes back


@pytest.fixture(scope="module")
def kit() -> Kit:
    return draw_kit(predictions(), n_rated=2, n_raters=2)


def answers(kit: Kit, rater: str = "rater1") -> list[str]:
    """Lines of a complete human file."""
    form = kit.key()["forms"][rater]
    rows = [f"{form},{rater},{unit},1,2,3" for unit in kit.units["unit"]]
    return ["form,rater,unit,fluent,faithful,dissimilar", *rows]


def test_files_are_read_as_browsers_and_spreadsheets_save_them(kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(answers(kit)) + "\n")
    text = "\ufeff" + "\r\n".join(reversed(answers(kit, "rater2")[1:]))
    (tmp_path / "b (1).csv").write_bytes(
        text.replace("\ufeff", "\ufeff" + answers(kit)[0] + "\r\n").encode() + b"\r\n\r\n"
    )
    ratings = read_ratings(tmp_path, kit.key())
    assert len(ratings) == 2 * 6 * 3
    assert set(ratings["origin"]) == {"human"}
    assert ratings.groupby("question")["value"].unique().map(list).to_dict() == {
        "fluent": [1],
        "faithful": [2],
        "dissimilar": [3],
    }
    write_frame(tmp_path / "r.parquet", ratings, RATINGS)


def edit(line: int, old: str, new: str) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        assert old in lines[line]
        return [*lines[:line], lines[line].replace(old, new), *lines[line + 1 :]]

    return change


REFUSED: dict[str, tuple[Callable[[list[str]], list[str] | bytes], str]] = {
    "another file": (lambda lines: b"\x89PNG\r\n", "a.csv, line 1 is not UTF-8"),
    "a spreadsheet's UTF-16": (lambda lines: "\n".join(lines).encode("utf-16"), "not UTF-8"),
    "an empty file": (lambda lines: [], "its first line must be form,rater,unit,fluent"),
    "pipes": (lambda lines: [x.replace(",", "|") for x in lines], "it lacks form, rater"),
    "a missing column": (lambda lines: [x.rpartition(",")[0] for x in lines], "lacks dissimilar"),
    "another order": (edit(0, "form,rater", "rater,form"), "first line must be form,rater,unit"),
    "a short line": (edit(2, ",3", ""), "a.csv, line 3: 5 cells, but 6 must be"),
    "broken quotes": (edit(2, "rater1", '"rater1'), "is not CSV"),
    "no line": (lambda lines: lines[:1], "hold no rating"),
    "an unknown rater": (edit(1, "rater1", "rater9"), "line 2: there is no rater 'rater9'"),
    "another's form": (edit(1, "rater1", "rater2"), "is not the one of rater2 in this kit"),
    "another kit": (lambda lines: [re.sub(r"^\w{12}", "0" * 12, x) for x in lines], "key.json"),
    "an unknown output": (edit(1, "001A", "009Z"), "line 2: there is no output '009Z'"),
    "a duplicate": (lambda lines: [*lines, lines[1]], "line 8: rater1 has rated 001A before, in"),
    "a missing answer": (edit(3, ",2,", ",,"), "line 4: the answer to 'faithful' is missing"),
    "a value above": (edit(3, ",3", ",4"), "'dissimilar' is '4': it must be one of 1, 2, 3"),
    "a value below": (edit(3, ",1,", ",0,"), "'fluent' is '0'"),
    "a decimal": (edit(3, ",1,", ",1.0,"), "'fluent' is '1.0'"),
    "an early end": (lambda lines: lines[:-2], "rater1 has not rated 002B and 1 more of 6 outputs"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_sentence(kit: Kit, tmp_path: Path, name: str) -> None:
    change, sentence = REFUSED[name]
    content = change(answers(kit))
    raw = content if isinstance(content, bytes) else "\n".join(content).encode()
    (tmp_path / "a.csv").write_bytes(raw)
    with pytest.raises(DataError, match=re.escape(sentence)) as caught:
        read_ratings(tmp_path, kit.key())
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


SPREADSHEETS: dict[str, Callable[[list[str]], list[str]]] = {
    "semicolons": lambda lines: [x.replace(",", ";") for x in lines],
    "tabs": lambda lines: [x.replace(",", "\t") for x in lines],
    "sep=,": lambda lines: ["sep=,", *lines],
    "sep=;": lambda lines: ['"sep=;"', *(x.replace(",", ";") for x in lines)],
    "rows of commas": lambda lines: [*lines, ",,,,,", ""],
    "empty columns": lambda lines: [f"{x},," for x in lines],
    "quotes": lambda lines: [",".join(f'"{cell}"' for cell in x.split(",")) for x in lines],
}


@pytest.mark.parametrize("name", SPREADSHEETS)
def test_what_spreadsheets_save_is_read(kit: Kit, tmp_path: Path, name: str) -> None:
    lines = SPREADSHEETS[name](answers(kit))
    (tmp_path / "RATER1.CSV").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8-sig")
    (tmp_path / "._rater1.csv").write_bytes(b"\x00\x05\x16\x07")
    assert len(read_ratings(tmp_path, kit.key())) == 6 * 3
    (tmp_path / "RATER1.CSV").write_text("\n".join([*lines[:-3], lines[-3].replace("rater1", "x")]))
    with pytest.raises(DataError, match=r"CSV, line \d: there is no rater 'x'") as caught:
        read_ratings(tmp_path, kit.key())
    assert f"line {len(lines) - 2}:" in str(caught.value)


def test_the_only_key_is_read_or_kept(kit: Kit, tmp_path: Path) -> None:
    write_kit(kit, tmp_path)
    path = tmp_path / "key.json"
    assert read_key(tmp_path) == kit.key()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_key(path) == kit.key()
    for content in (b"", b"{", b"\xff", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"give the key\.json as .* from a backup") as caught:
            read_key(path)
        assert "delete" not in str(caught.value)


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_damaged_file_is_refused_whatever_was_done(kit: Kit, tmp_path: Path, mark: str) -> None:
    path = tmp_path / "A.CSV"
    path.write_text("\n".join([*answers(kit), ""]).replace(",", mark))
    before = path.read_bytes()
    said = refusals(tmp_path, kit.key())
    assert len(said) == 5
    assert all(each.endswith(".") for each in said.values())
    assert "is missing: it must be one of" in said["no answer"]
    assert "there is no rater 'someone'" in said["a stranger"]
    assert path.read_bytes() == before


def test_files_together_are_checked_too(kit: Kit, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.csv file"):
        read_ratings(tmp_path, kit.key())
    write_synthetic(kit, tmp_path)
    (tmp_path / "rater1.csv").write_text("\n".join(answers(kit)))
    with pytest.raises(DataError, match="synthetic ratings beside human ones"):
        read_ratings(tmp_path, kit.key())
    (tmp_path / "rater2.csv").write_text("\n".join(answers(kit)))
    with pytest.raises(DataError, match=r"rater2.csv, line 2: .*before, in .*rater1.csv, line 2"):
        read_ratings(tmp_path, kit.key())


# --- agreement and means


def naive_alpha(units: list[list[int]]) -> float:
    """Krippendorff 2011, step by step: coincidences, ordinal distances, observed over expected."""
    pairs = [(a, b, len(u) - 1) for u in units if len(u) > 1 for a, b in permutations(u, 2)]
    n = {value: sum(1 / m for a, _, m in pairs if a == value) for value in (1, 2, 3)}
    total = sum(n.values())

    def distance(a: int, b: int) -> float:
        low, high = min(a, b), max(a, b)
        between = sum(n[value] for value in range(low, high + 1))
        return float((between - (n[low] + n[high]) / 2) ** 2)

    observed = sum(distance(a, b) / m for a, b, m in pairs) / total
    expected = sum(n[a] * n[b] * distance(a, b) for a in n for b in n if a != b)
    return 1 - observed / (expected / (total * (total - 1)))


def test_alpha_by_hand() -> None:
    """Four outputs, two raters: (1,1) (2,2) (3,3) (1,2).

    n = 3, 3, 2 of values 1, 2, 3. Distances: 1-2 (6 − 3)² = 9; 2-3 (5 − 2.5)² = 6.25; 1-3
    (8 − 2.5)² = 30.25. Observed 2·9/8 = 2.25; expected 2·(9·9 + 6·6.25 + 6·30.25)/56 = 300/28.
    """
    four = ratings_of({"q": {"001A": [1, 1], "001B": [2, 2], "002A": [3, 3], "002B": [1, 2]}})
    assert alpha(four) == pytest.approx(1 - 2.25 / (300 / 28))


@given(st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=4), min_size=2, max_size=8))
def test_alpha_is_that_of_a_naive_count(units: list[list[int]]) -> None:
    found = alpha(ratings_of({"q": {f"{i:03d}A": unit for i, unit in enumerate(units)}}))
    if len({value for unit in units if len(unit) > 1 for value in unit}) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(naive_alpha(units))


def test_agreement_without_variation_or_second_rater_is_missing() -> None:
    same = ratings_of(
        {"q": {"001A": [3, 3], "002A": [3, 3]}, "r": {"001A": [1, 1], "002A": [3, 3]}}
    )
    rows = agreement_rows(same).set_index("metric")
    assert np.isnan(rows["value"]["q"])
    assert rows["signature"]["q"] == "missing: all answers are alike"
    assert rows["value"]["r"] == 1
    alone = agreement_rows(same[same["rater"] == "rater1"])
    assert alone["value"].isna().all()
    assert (alone["signature"] == "missing: no output has two raters").all()


def test_synthetic_raters_agree_and_shuffled_ones_do_not(tmp_path: Path) -> None:
    kit = draw_kit(predictions(60), n_rated=60)
    write_synthetic(kit, tmp_path)
    ratings = read_ratings(tmp_path, kit.key())
    found = agreement_rows(ratings).set_index("metric")
    control = agreement_rows(shuffled_ratings(ratings)).set_index("metric")
    for question in ("faithful", "dissimilar"):
        assert 0.2 < found["low"][question] < found["value"][question] < found["high"][question]
        assert abs(control["value"][question]) < 0.08
    counts = [
        frame.groupby(["rater", "question", "value"]).size().to_dict()
        for frame in (ratings, shuffled_ratings(ratings))
    ]
    assert counts[0] == counts[1], "the control keeps each rater's values"


def test_means_by_hand() -> None:
    """systemQ: 001A (1, 2) and 002A (3, 3): mean of 1.5 and 3. systemR shares 001A, has 002B."""
    units = {"001A": ["systemQ", "systemR"], "002A": ["systemQ"], "002B": ["systemR"]}
    key = {
        "questions": ["fluent"],
        "systems": ["systemR", "systemQ"],
        "units": {unit: {"item": unit[:3], "systems": names} for unit, names in units.items()},
    }
    ratings = ratings_of({"fluent": {"001A": [1, 2], "002A": [3, 3], "002B": [2, 1]}})
    rows = mean_rating_rows(ratings, key).set_index("system")
    assert rows["value"].to_dict() == {"systemR": 1.5, "systemQ": 2.25}
    assert rows["n"].tolist() == [2, 2]
    assert (rows["low"]["systemQ"], rows["high"]["systemQ"]) == (1.5, 3)
    assert "raters:2|ratings:human" in rows["signature"]["systemQ"]


def test_expectations_of_people_by_hand() -> None:
    """M_para gets 3 and 2 for faithful, the teacher 1 and 1; the student is not rated."""
    units = {"001A": "M_para", "001B": "teacher, few-shot", "002A": "M_para"}
    units |= {"002B": "teacher, few-shot"}
    key = {
        "systems": ["M_para", "teacher, few-shot", "teacher, best of 5"],
        "units": {unit: {"item": unit[:3], "systems": [name]} for unit, name in units.items()},
    }
    answers = {"001A": [3, 3], "001B": [1, 1], "002A": [2, 2], "002B": [1, 1]}
    ratings = ratings_of({"faithful": answers, "dissimilar": answers})
    alphas = pd.DataFrame(
        [
            ("agreement", "faithful", 0.6, 0.4, 0.8, 9),
            ("agreement, shuffled", "faithful", 0.0, -0.2, 0.2, 9),
        ],
        columns=["system", "metric", "value", "low", "high", "n"],
    )
    found = ratings_expected(ratings, key, alphas, Bootstrap(100))
    assert [(each.says, each.bound) for each in found] == [
        ("faithful, M_para − teacher, few-shot", "> 0"),
        ("dissimilar, M_para − student", "> −0.1"),
        ("α, faithful", "> 0"),
        ("α, faithful, shuffled", "< 0.1"),
    ]
    assert found[0].found.value == 1.5
    assert [each.outcome for each in found[1:]] == ["not measured", "shown", "open"]


def test_what_is_synthetic_says_so_everywhere(kit: Kit, tmp_path: Path) -> None:
    write_synthetic(kit, tmp_path)
    assert all("synthetic-" in line for path in tmp_path.iterdir()
               for line in path.read_text().splitlines()[1:])  # fmt: skip
    ratings = read_ratings(tmp_path, kit.key())
    rows = pd.concat([mean_rating_rows(ratings, kit.key()), agreement_rows(ratings)])
    assert rows["system"].str.startswith("synthetic: ").all()
    assert rows["signature"].str.contains("synthetic|missing").all()
    expected = ratings_expected(ratings, kit.key(), agreement_rows(ratings))
    assert all(each.says.startswith("synthetic: ") for each in expected)
    write_frame(tmp_path / "rows.parquet", rows, METRIC_ROWS)


def test_synthetic_raters_see_words_and_nothing_else(tmp_path: Path) -> None:
    """A copy gets the most for faithful and the least for dissimilar, whatever it says."""
    frame = predictions(30, ("copy", "other"))
    frame["output"] = frame["source"].where(frame["system"] == "copy", "Quite something else.")
    kit = draw_kit(frame)
    write_synthetic(kit, tmp_path)
    value = mean_rating_rows(read_ratings(tmp_path, kit.key()), kit.key()).set_index(
        ["system", "metric"]
    )["value"]
    assert value["synthetic: copy", "faithful"] > 2.5 > 1.5 > value["synthetic: other", "faithful"]
    assert value["synthetic: copy", "dissimilar"] < 1.5


# --- the command line


def test_forms_and_ratings_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_frame(
        tmp_path / "predictions.parquet", with_similarities(predictions(), None), PREDICTIONS
    )
    folder = tmp_path / "rating"
    command = ["forms", str(path), "--to", str(folder), "--items", "3", "--raters", "2"]
    assert main(command) == 0
    assert "9 outputs of 3 systems for 3 items" in capsys.readouterr().out
    assert main(command) == 0, "the same kit again"
    assert main([*command, "--seed", "1"]) == 2
    assert "belongs to other forms" in capsys.readouterr().err
    kit = draw_kit(read_frame(path, PREDICTIONS), n_rated=3, n_raters=2)
    (tmp_path / "returned").mkdir()
    (tmp_path / "returned" / "rater2.csv").write_text("\n".join(answers(kit, "rater2")))
    assert main(["ratings", str(folder / "key.json"), str(tmp_path / "returned")]) == 0
    output = capsys.readouterr().out
    assert "Raters: 1; missing: rater1." in output
    assert "– agreement, fluent: no output has two raters.\n" in output
    assert re.search(r"systemQ +1.00 \[1.00, 1.00\] +2.00", output)


def test_paths_that_are_not_there_are_told_by_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent, key = tmp_path / "no.parquet", tmp_path / "key.json"
    for command, told in (
        (["forms", str(absent), "--to", str(tmp_path)], "give predictions of a run"),
        (["ratings", str(key), str(tmp_path)], "that `impossible forms` wrote"),
    ):
        assert main(command) == 2
        assert re.search(f"does not exist: .*{told}", capsys.readouterr().err)
    key.write_text("{}")
    assert main(["ratings", str(key), str(absent)]) == 2
    assert "that the raters sent back" in capsys.readouterr().err
    key.unlink()
    assert main(["ratings", str(tmp_path), str(tmp_path)]) == 2
    assert "key.json is missing: give the key.json that" in capsys.readouterr().err


def test_forms_that_cannot_be_written_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_frame(
        tmp_path / "predictions.parquet", with_similarities(predictions(), None), PREDICTIONS
    )
    for place in (path, path / "below", Path("/proc/none")):
        assert main(["forms", str(path), "--to", str(place)]) == 2
        told = capsys.readouterr().err
        assert re.fullmatch(r"impossible: Cannot write .*Give a writable folder\.\n", told)


def test_forms_of_json_lines_one_file_per_system(tmp_path: Path) -> None:
    for system in SYSTEMS[:2]:
        lines = [
            json.dumps({"source": f"s{i}", "output": f"{system} {i}", "references": ["r"]})
            for i in range(3)
        ]
        (tmp_path / f"{system}.jsonl").write_text("\n".join(lines))
    files = [str(tmp_path / f"{system}.jsonl") for system in SYSTEMS[:2]]
    assert main(["forms", *files, "--to", str(tmp_path / "out"), "--task", "summary"]) == 0
    key = read_key(tmp_path / "out" / "key.json")
    assert key["systems"] == list(SYSTEMS[:2])
    assert key["questions"][2] == "concise"
    assert len(key["units"]) == 6


def _without_unit(key: dict[str, Any]) -> None:
    del key["units"][min(key["units"])]


def _twice(key: dict[str, Any]) -> None:
    key["units"]["copy"] = key["units"][min(key["units"])]


def _renamed(key: dict[str, Any]) -> None:
    key["units"][min(key["units"])]["systems"] = ["nobody"]


CHANGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "removed": (_without_unit, "the outputs of item .* each once; ratings would be counted for"),
    "twice": (_twice, "the outputs of item .* each once; ratings would be counted for nobody"),
    "renamed": (_renamed, "are by .*nobody.*, and must be by"),
    "systems": (lambda key: key.update(systems=[]), "systems is no list of names"),
    "system": (lambda key: key.update(systems=key["systems"][:1]), "and must be by"),
    "questions": (lambda key: key.update(questions="fluent"), "questions is no list of names"),
    "forms": (lambda key: key.update(forms=[]), "forms must be raters"),
    "form": (lambda key: key["forms"].update(rater1=3), "forms must be raters"),
    "units": (lambda key: key.update(units=[]), "units must be outputs"),
    "unit": (lambda key: key["units"].update({min(key["units"]): "a"}), "must have an item"),
    "item": (lambda key: key["units"][min(key["units"])].update(item=3), "must have an item"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_key_that_was_changed_credits_nobody(kit: Kit, tmp_path: Path, name: str) -> None:
    write_kit(kit, tmp_path)
    change, sentence = CHANGED[name]
    key = json.loads((tmp_path / "key.json").read_text())
    change(key)
    (tmp_path / "key.json").write_text(json.dumps(key))
    with pytest.raises(DataError, match=f"key.json was changed after .*{sentence}"):
        read_key(tmp_path)
