"""Open English in small: notebooks to their last cells with tiny random models, from params alone.

No oracle, no grammar, students of both kinds (the decoder-only one with an adapter), a test set
with one reference, one without any, and one that is not there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml
from impossible.cli.assets import needed_assets
from impossible.config.params import Params
from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder, scalars
from impossible.evaluation.expectations import NOT_MEASURED
from impossible.models.model_files import asset_below
from impossible.report.expectation_table import NOBODY_JUDGES
from impossible.runner.notebook_spec import read_spec
from impossible.runner.run import run_all
from impossible.text.sentence_boundaries import rejected_by

ROOT = Path(__file__).parents[1]
MAIN = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
EVERY = sorted((ROOT / "notebooks").rglob("[0-9]*.ipynb"))
JUDGED = re.compile(r"(^|(?<!right), )(fidelity|paraphrase|follows|coverage|good|true|pairs true)$")
#: What the laboratory and the shelf need more of than the main line. Notebook 18 sorts summaries by
#: how new their words are, and those of a random model all are: see `test_notebooks` for it.
MORE = {
    "n_inputs": 16, "summary_inputs": 16, "compared_pairs": 12, "n_candidates": 3,
    "leave_out": ["18"],
}  # fmt: skip


def write_lines(path: Path, *items: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return str(path)


def small(folder: Path) -> dict[str, Any]:
    """Parameters over `english`: tiny models and sizes, and critics that random models can pass."""
    teacher = str(tiny.save(folder / "teacher", *tiny.reader(tiny.bpe_llama)))
    one, none = tiny.SENTENCES[:4], tiny.SENTENCES[4:]
    with_one = [{"source": x, "references": [y]} for x, y in zip(one, reversed(one), strict=True)]
    return {
        **tiny.SIZES,
        "teacher": teacher,
        "student_base": teacher,
        "critic": str(tiny.save(folder / "critic", *tiny.critic())),
        "leave_out": [],
        "referee": "none",
        "judge": "none",
        "encoder": str(tiny.save(folder / "encoder", *tiny.encoder())),
        "translator": str(tiny.save(folder / "translator", *tiny.t5())),
        "back_translator": str(tiny.save(folder / "translator", *tiny.t5())),
        "parser": "flat",
        "domains": [{"name": "news", "prefixes": [tiny.PREFIX]}],
        "test_sets": [
            write_lines(folder / "one.jsonl", *with_one),
            write_lines(folder / "bare.jsonl", *({"source": x} for x in none)),
            "mrpc",
        ],
        "rejections": {"chat": ["^User:"], "loop": [r"\b(\w+) \1\b"]},
        "student_adapter_rank": 2,
    }


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("english")
    file = folder / "tiny-english.yaml"
    file.write_text(yaml.safe_dump({"extends": "english", **small(folder)}))
    run_all(Params.load(file), folder / "results")
    return RunFolder(folder / "results")


def assert_unjudged(numbers: dict[str, Any], where: str) -> None:
    """Each recorded rate that only a judge can know is missing, and there is one."""
    values = [value for name, value in numbers.items() if JUDGED.search(name)]
    assert values, where
    assert all(value in (None, [None] * 3) for value in values), where


def test_every_notebook_of_the_main_line_runs_to_its_last_cell(run: RunFolder) -> None:
    assert set(scalars(run)) >= {read_spec(path).name for path in MAIN}


def test_what_no_judge_says_is_missing_and_never_zero(run: RunFolder) -> None:
    found = {name[:2]: numbers for name, numbers in scalars(run).items()}
    assert found["05"]["precision"] is found["06"]["same_meaning"] is None
    for number in ("09", "11", "12", "13", "14"):
        assert_unjudged(found[number], number)


def test_an_absent_test_set_is_a_sentence(run: RunFolder) -> None:
    executed = (run.notebooks / "09_evaluation.ipynb").read_text()
    assert "mrpc" in executed
    assert (run.tables / "systems-bare.csv").is_file()
    assert (run.root / "report.html").is_file()


def test_rejections_of_a_named_reason_are_counted() -> None:
    params = Params.load("english")
    for text, reason in (
        ("User: what is the capital of France?", "chat"),
        ("- The council approved the plan on Monday.", "markup"),
        ("The council said that [Name] had approved it.", "placeholder"),
        ("The plan is explained at www.example.org in detail.", "link"),
        ('The mayor said, "We approved the plan.', "unbalanced"),
        ("and the council approved the plan on Monday.", "fragment"),
        ("The plan was the plan was the plan of the council.", "loop"),
        ('The mayor (a lawyer) said, "We approved the plan," and left.', ""),
        ("Dr. Hale praised the 12 doctors on Monday.", ""),
    ):
        assert rejected_by(text, params.rejections) == reason, text


def test_a_run_needs_what_lies_below_its_adapters_and_its_parser_and_each_once() -> None:
    needed = needed_assets(Params.load("english"))
    assert sorted(needed) == [
        "pypi:all-minilm-l6-v2",  # the encoder
        "pypi:all-mpnet-base-v2",  # the base of english/critic
        "pypi:bergamot-en-pt",
        "pypi:smollm2-135m-instruct",
        "pypi:spacy-en-core-web-sm",  # the parser's
    ]
    assert asset_below("english/critic") == "pypi:all-mpnet-base-v2"
    assert needed_assets(Params.load("laboratory")) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["decoder-only", "encoder-decoder"])
def test_laboratory_and_shelf_end_well_without_an_oracle(tmp_path: Path, kind: str) -> None:
    values = {**small(tmp_path), **MORE, "parts": ["main", "laboratory", "shelf", "english"]}
    if kind == "encoder-decoder":
        values |= {"student_base": values["translator"], "student_adapter_rank": 0}
    file = tmp_path / "tiny-english.yaml"
    file.write_text(yaml.safe_dump({"extends": "english", **values}))
    run_all(Params.load(file), tmp_path / "results")
    run = RunFolder(tmp_path / "results")
    found = scalars(run)
    left_out = {"18_length_and_style"}
    assert set(found) == {read_spec(path).name for path in EVERY} - left_out
    for name in ("17_constrained", "19_two_tasks", "20_domains", "22b_critic_noise"):
        assert_unjudged(found[name], name)
    assert found["22a_critic_errors"]["precision"] is None
    for name in ("20", "21", "22a", "22b", "22c", "22f"):
        note = read_json(run.tables / f"expectations_{name}.json")
        assert NOBODY_JUDGES in note["caption"], name
        assert NOT_MEASURED in note["reading"], name
