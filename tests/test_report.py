from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from figure_data import metric_rows, pictures
from impossible.data.io import read_json, write_frame, write_json, write_text
from impossible.data.run_folder import RunFolder, record
from impossible.data.schemas import DATASET, JUDGED_OUTPUTS, PREDICTIONS, SIMILARITIES
from impossible.errors import DataError
from impossible.experiments.same_context import thread_caption
from impossible.report.figures import funnel_dots
from impossible.report.first_screen import MOST_LINES, example_of_run, what_came_out
from impossible.report.html import build_report, wider_runs
from impossible.report.ledger_beside import ledger_table
from impossible.report.main_claims import MainClaim
from impossible.report.save import save_figure, save_table
from impossible.report.tables import beside_paper, wide
from nbformat import v4

EVIL = "<script>alert(1)</script> & \"x\" 'y'"


PICTURES = pictures()
SHOWN = ("proximity_curves", "funnel_dots", "confusion_map")


def notebook(run: RunFolder, name: str, text: str) -> None:
    """An executed notebook: one text cell, one code cell."""
    code = 'save("evaluation")\nsave("beside")'
    content = v4.new_notebook(cells=[v4.new_markdown_cell(text), v4.new_code_cell(code)])
    nbformat.write(content, run.notebooks / f"{name}.ipynb")


def synthetic_run(folder: Path) -> RunFolder:
    """A run folder with every kind of thing in it; all numbers are made up."""
    run = RunFolder.open(folder)
    notebook(
        run,
        "02_proximity",
        "# 2 · Paraphrastic proximity\n\nIntro.\n\n**Do** `paraphrases` lie *close*?\n",
    )
    rows = metric_rows(["Copy-Input", "M_para"], {"BLEU": 30, "iBLEU": 8})
    for name in SHOWN:
        home = "02_proximity" if name.startswith("prox") else "04_pairs"
        save_figure(run, name, PICTURES[name], f"Synthetic {name}.", home, ["data/none.parquet"],
                    "rises to 11 %" if name.startswith("prox") else None,
                    "rises, intervals apart" if name.startswith("prox") else None)  # fmt: skip
    notebook(run, "09_evaluation", "# 9 · Evaluation\n\nIs M_para better than copying?\n")
    save_table(run, "evaluation", wide(rows), "Systems.", "09_evaluation", numbers=rows)
    paper = {("Copy-Input", "BLEU"): 44.4, ("ChatGPT", "BLEU"): 18.0}
    save_table(run, "beside", beside_paper(rows, paper), "Beside the paper.", "09_evaluation")
    record(run, "09_evaluation", fidelity=0.9123456, n=200)
    values = {"k": 100, "seed": 0, "batch_tokens": 77_777, "domains": [{"name": "news"}]}
    write_json(run.work / "params.json", {"values": values, "origins": {"k": "override"}})
    write_json(
        run.work / "ledger.json",
        {"04_pairs": {"status": "killed", "cell": 7}, "03_contexts": {"status": "done"}},
    )
    return run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report") / "synthetic"
    return build_report(synthetic_run(folder)).read_text()


def test_sections_follow_the_notebooks_and_ask_their_question(page: str) -> None:
    heads = re.findall(r'<h3 id="(\d\d_\w+)">([^<]*)</h3>', page)
    assert [head[0] for head in heads] == [
        "02_proximity",
        "03_contexts",
        "04_pairs",
        "09_evaluation",
    ]
    assert heads[0][1] == "2 · Paraphrastic proximity"
    assert "Do paraphrases lie close?" in page
    assert 'href="notebooks/02_proximity.ipynb"' in page


def test_the_papers_numbers_stand_beside_ours(page: str) -> None:
    both = page.count("rises to 11 %"), page.count("rises, intervals apart")
    assert both == (3, 3), "what came out (nothing was judged here), the figure, at a glance"
    assert ">44.4</td>" in page
    assert ">not run</td>" in page


def test_items_come_in_the_order_in_which_the_notebook_saves_them(page: str) -> None:
    assert page.index('id="table-evaluation"') < page.index('id="table-beside"')


def test_what_is_missing_is_shown_as_missing(page: str) -> None:
    assert "notebook 03_contexts is missing" in page
    assert "No figure or table was recorded." in page
    assert "Its last run: killed." in page
    assert "none.parquet</code> <span" in page


def test_the_notebook_that_builds_the_page_is_not_said_to_be_missing(tmp_path: Path) -> None:
    run = synthetic_run(tmp_path / "synthetic")
    before = build_report(run).read_text()
    states = {"03_contexts": {"status": "done"}, "04_pairs": {"status": "running"}}
    write_json(run.work / "ledger.json", {**states, "24_report": {"status": "running"}})
    page = build_report(run).read_text()
    assert "24_report" not in page
    assert "Its last run: running." in page, "another one's results may be about to change"
    notebook(run, "24_report", "# 19 · Report\n\nWhat?")
    record(run, "24_report", items=3)
    write_json(run.work / "ledger.json", states | {"04_pairs": {"status": "killed"}})
    assert build_report(run).read_text() == before, "the same before and after its notebook ended"


def test_parameters_versions_and_scalars_are_listed(page: str) -> None:
    for cell in ("<code>k</code></td><td>100</td><td>override", "<code>torch</code>", "0.9123"):
        assert cell in page
    assert "77777" not in page, "what cannot change a result is not part of the report"


@pytest.mark.parametrize("name", ["report.html", "gallery.html"])
def test_page_is_self_contained_well_formed_and_repeats(tmp_path: Path, name: str) -> None:
    class Checker(HTMLParser):
        stack: list[str] = []  # noqa: RUF012
        void = ("meta", "img", "br", "link")

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "link", "iframe")
            for name, value in attrs:
                assert not name.startswith("on")
                if name in ("src", "href"):
                    assert not re.match(r"(https?:|//|/|file:)", value or "")
            if tag not in self.void:
                self.stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.stack.pop() == tag

    run = synthetic_run(tmp_path / "synthetic")
    build_report(run)
    page, checker = (run.root / name).read_text(), Checker()
    checker.feed(page)
    assert not checker.stack
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    build_report(synthetic_run(tmp_path / "again" / "synthetic"))
    assert (tmp_path / "again" / "synthetic" / name).read_text() == page


def test_the_gallery_has_every_figure_with_its_files(tmp_path: Path) -> None:
    run = synthetic_run(tmp_path / "synthetic")
    report = build_report(run).read_text()
    gallery = (run.root / "gallery.html").read_text()
    notes = [json.loads(path.read_text()) for path in run.figures.glob("*.json")]
    assert notes
    assert f"All {len(notes)} figures" in gallery
    for note in notes:
        assert f'href="report.html#figure-{note["name"]}"' in gallery
        assert f'id="figure-{note["name"]}"' in report
        for kind in ("pdf", "svg", "png"):
            assert f'href="figures/{note["name"]}.{kind}"' in gallery
    assert gallery.count("data:image/png") == len(notes)
    assert 'href="gallery.html"' in report


def test_everything_is_escaped(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    notebook(run, "01_x", f"# {EVIL}\n\nWhy {EVIL}?")
    frame = pd.DataFrame({EVIL: [EVIL]})
    save_table(run, "t", frame, EVIL, "01_x", [f"data/{EVIL}"], EVIL, EVIL)
    reasons = pd.DataFrame({"reason": [EVIL, "kept"], "n": [1, 2]})
    save_figure(run, "f", funnel_dots(reasons), EVIL, "01_x", [], EVIL, EVIL)
    record(run, "01_x", **{EVIL: EVIL})
    write_json(run.work / "params.json", {"values": {EVIL: EVIL}, "origins": {EVIL: EVIL}})
    page = build_report(run).read_text()
    gallery = (run.root / "gallery.html").read_text()
    assert "<script" not in page + gallery
    assert page.count("&lt;script&gt;") > 12
    assert "&lt;script&gt;" in gallery


def test_an_empty_run_still_gives_a_page(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    (run.work / "ledger.json").write_text('{"01_models": {}}')
    page = build_report(run).read_text()
    assert "notebook 01_models is missing" in page
    assert "The parameters are missing" in page
    assert "No notebook has left a figure" in (tmp_path / "run" / "gallery.html").read_text()


@pytest.mark.parametrize("content", ["{", "[]", '{"kind": "figure"}'])
def test_a_damaged_sidecar_is_one_sentence(tmp_path: Path, content: str) -> None:
    run = RunFolder.open(tmp_path / "run")
    (run.figures / "bad.json").write_text(content)
    with pytest.raises(DataError, match=r"bad\.json"):
        build_report(run)


def test_a_lost_picture_is_named(tmp_path: Path) -> None:
    run = synthetic_run(tmp_path / "run")
    for kind in ("svg", "png"):
        (run.figures / f"funnel_dots.{kind}").unlink()
    page = build_report(run).read_text()
    assert "The picture funnel_dots is missing." in page
    assert "PNG missing" in page
    assert json.loads((run.figures / "funnel_dots.json").read_text())["name"] == "funnel_dots"


def test_a_control_character_in_a_text_does_not_stop_the_report(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    notebook(run, "02_proximity", "# Near\n\nWhat \x1b is \x00 near?\n")
    assert "What is near?" in build_report(run).read_text()


def test_a_params_file_of_another_shape_is_no_wider_run(checkout: Path) -> None:
    for name, text in (("empty", ""), ("list", "- k\n"), ("torn", "k: [1\n")):
        (checkout / "params" / f"{name}.yaml").write_text(text)
    (checkout / "params" / "wide.yaml").write_text("extends: test\n")
    write_text(checkout / "results" / "wide" / "report.html", "")
    assert [wider.root.name for wider in wider_runs("test")] == ["wide"]


def test_what_is_read_from_a_picture_has_minus_signs_where_it_is_saved(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    frame = pd.DataFrame({"n": [1]})
    save_table(run, "t", frame, "From -1 to 1.", "02_x", [], "falls by -3", "-3.9 [-15.6, 0.0]")
    note = json.loads((run.tables / "t.json").read_text())
    told = note["caption"], note["paper"], note["reading"]
    assert told == ("From −1 to 1.", "falls by −3", "−3.9 [−15.6, 0.0]")


def test_a_claim_s_number_is_consistent_where_one_more_seed_may_lie(tmp_path: Path) -> None:
    def ledger(name: str, values: list[float]) -> RunFolder:
        run = RunFolder.open(tmp_path / name)
        mean = sum(values) / len(values)
        part = {
            "effect": {"scalar": "gain"}, "statistic": "gain", "measure": {"unit": "% points"},
            "effect_found": {"value": mean, "low": None, "high": None},
            "effect_per_seed": dict(enumerate(values)),
        }  # fmt: skip
        claim = {"number": 1, "claim": "It helps.", "short": "help", "verdict": "reproduced",
                 "parts": [part]}  # fmt: skip
        write_json(run.root / "claims.json", {"seeds": [*range(len(values))], "claims": [claim]})
        return run

    wide = ledger("wide", [1.0, 2.0, 3.0])  # one more lies in −3.0 to 7.0
    rows = {}
    for value in (6.9, 7.1):
        rows[value] = ledger_table(ledger(f"run {value}", [value]), wide, True).rows[0]
    assert rows[6.9][-1] == "consistent"
    assert rows[7.1][-1] == "above them"
    other = ledger_table(ledger("english", [6.9]), wide, False).rows[0]
    assert other[1::4] == ("help", "not compared")
    assert ledger_table(wide, None, False).columns[-1] == "verdict"
    younger = ledger("younger", [7.0])
    content = read_json(younger.root / "claims.json")
    content["claims"].append({**content["claims"][0], "number": 2, "claim": "So does this."})
    write_json(younger.root / "claims.json", content)
    last = ledger_table(younger, wide, True).rows[-1]
    assert last[:2] == ("2", "So does this."), "a claim that only the run has stays"
    assert last[3:] == ("–", "not measured", "nothing to compare with")


def test_the_campaign_s_results_stand_in_the_report_where_they_lie_beside_the_run(
    tmp_path: Path,
) -> None:
    run = RunFolder.open(tmp_path / "results" / "run")
    assert "What was done to break it" not in build_report(run).read_text()
    kills = {"figures": {"SIGKILLs": 1234, "wrong": 2}, "minutes": 3.5}
    write_json(tmp_path / "results" / "reliability.json", {"kills": kills})
    page = build_report(run).read_text()
    assert "What was done to break it" in page
    assert "<td>SIGKILLs: 1,234</td><td>2</td><td>3.5</td>" in page
    write_text(tmp_path / "results" / "reliability.json", "[]")
    with pytest.raises(DataError, match="reliability.json"):
        build_report(run)


def test_what_the_seeds_say_comes_first_and_whole(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    said = {f"claim {i}": verdict for i, verdict in enumerate(("shown", "refuted", "shown"))}
    ledger = [{"short": name, "verdict": verdict} for name, verdict in said.items()]
    write_json(run.root / "claims.json", {"seeds": [0, 1], "claims": ledger})
    homes = {"02": "p", "05": "d", "09": "s", "13": "o", "11": "u"}
    items = [{"kind": "table", "name": name, "notebook": f"{number}_x"}
             for number, name in homes.items()]  # fmt: skip
    claims = [MainClaim(name, "1.0", "> 0", "shown", f"tables/{name}") for name in homes.values()]
    steps = [step for step, *_ in what_came_out(run, claims, items)]
    assert steps[:2] == ["Claims shown, over the seeds", "Claims refuted, over the seeds"]
    assert len(steps) == 2 + MOST_LINES


def test_blind_readers_stand_beside_a_referee(tmp_path: Path) -> None:
    told = "Two blind readers both call the same, of the run english-full: "
    pages = {}
    for judge in ("referee", "oracle"):
        run = RunFolder.open(tmp_path / judge)
        write_json(run.work / "params.json", {"values": {"judge": judge}})
        for name in ("04_pairs", "05_dataset", "06_student", "07_self"):
            notebook(run, name, f"# {name}\n\nWhy?\n")
        pages[judge] = build_report(run).read_text()
    assert pages["referee"].count(told) == 3, "04, 05, 07; no example, so none on the first screen"
    assert told not in pages["oracle"]


def test_the_example_says_how_it_was_drawn(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    rows = [("context", "It rained."), ("all critics accept: x", "A."), ("and y", "B.")]
    for own in (True, False):
        told = pd.DataFrame(rows, columns=["what", "text"])
        save_table(run, "thread", told, thread_caption(own), "05_dataset")
        page = build_report(run).read_text()
        lead = re.search(r'<h2 id="example">.*?<p class="lead">([^<]*)</p>', page, re.DOTALL)
        assert lead
        assert "the quarter whose sentences share most words" in lead[1]
        assert ("has no accepted pair: this is another" in lead[1]) is not own


def test_a_tree_distance_that_bounds_decided_is_no_dash(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    row = dict.fromkeys(DATASET.names, "") | {"source": "A.", "target": "B.", "context_id": "c"}
    row |= dict.fromkeys(("p_xy", "p_yx", "rouge_l"), 0.5) | {"ted": None}
    write_frame(run.data("dataset_teacher"), pd.DataFrame([row]), DATASET)
    told = pd.DataFrame({"what": ["all critics accept: x", "and y"], "text": ["A.", "B."]})
    save_table(run, "thread", told, "Drawn.", "05_dataset")
    critics = dict(each[::2] for each in example_of_run(run, {"ted_min": 12}).critics)
    assert critics["TED"] == "≥ 12"
    (found,) = (value for name, value, _ in example_of_run(run, {}).critics if name == "TED")
    assert found == "enough by bounds"


def test_the_example_says_what_the_judge_says_of_the_students_answer(tmp_path: Path) -> None:
    run, values = RunFolder.open(tmp_path), {"judge": "referee", "rouge_l_max": 0.75}
    told = {"item": "held_out: 1", "source": "A dog ran.", "references": [], "encoder": None}
    told |= dict.fromkeys(SIMILARITIES)
    answers = {"M_para": "A cat ran.", "teacher, zero-shot": "A dog ran."}
    rows = [{**told, "system": name, "output": text} for name, text in answers.items()]
    write_frame(run.data("predictions"), pd.DataFrame(rows), PREDICTIONS)
    assert [what for what, _ in example_of_run(run, values).written] == [
        "a sentence of the test", "the teacher, asked, writes", "the student, M_para, writes",
    ]  # fmt: skip
    for fidelity, words in ((0.0, "it does not keep the meaning"), (100.0, "it keeps the meaning")):
        verdict = {"system": "M_para", "item": "held_out: 1", "rouge_l_source": 66.7}
        frame = pd.DataFrame([{**verdict, "fidelity": fidelity, "paraphrase": fidelity}])
        write_frame(run.data("verdicts"), frame, JUDGED_OUTPUTS)
        what, said = example_of_run(run, values).written[-1]
        assert what == "the referee says"
        assert said == f"{words}; ROUGE-L to the sentence 67 % (≤ 75 is new enough)"
    unjudged = frame.assign(fidelity=None, paraphrase=None)
    write_frame(run.data("verdicts"), unjudged, JUDGED_OUTPUTS)
    assert len(example_of_run(run, values).written) == 3
