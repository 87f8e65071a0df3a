"""Parameters: defaults, files, overrides, origins, and what a notebook may read."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT
from impossible.config.description import describe
from impossible.config.params import Params, parse_overrides
from impossible.config.yaml_files import parse_yaml, read_yaml
from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder
from impossible.errors import ParameterError
from impossible.notebook import Stage, begin
from impossible.runner.stage_cache import reads_file
from pydantic import ValidationError

PAPER = {
    "k": 100, "sentence_top_p": 0.9, "sentence_temperature": 0.7, "sentence_max_new_tokens": 100,
    "context_top_p": 0.9,
    "context_temperature": 1.0, "entailment_threshold": 0.75, "rouge_l_max": 0.75, "ted_min": 12,
    "length_ratio_min": 0.8, "length_ratio_max": 1.5, "n_candidates": 10,
}  # fmt: skip


def test_base_is_the_papers() -> None:
    base = Params.load("base").model_dump()
    assert {name: base[name] for name in PAPER} == PAPER


def test_base_states_every_parameter_once_with_its_unit() -> None:
    lines = (ROOT / "params" / "base.yaml").read_text().splitlines()
    for name, field in Params.model_fields.items():
        (line,) = [line for line in lines if line.startswith(f"{name}:")]
        assert isinstance(field.json_schema_extra, dict)
        assert str(field.json_schema_extra["unit"]) in line


def test_base_must_be_complete(checkout: Path) -> None:
    path = checkout / "params" / "base.yaml"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("k:")))
    with pytest.raises(ParameterError, match=r"base\.yaml: there is no value for k: add the line"):
        Params.load("test")


@pytest.mark.parametrize("name", ["smoke", "laboratory", "gpt2", "paper"])
def test_every_params_file_loads(name: str) -> None:
    assert set(Params.load(name).origins) == Params.model_fields.keys()


def test_models_named_in_params_files_have_a_source() -> None:
    folder = Path(__file__).parents[1] / "params"
    sources = read_yaml(folder / "sources.yaml")
    for name in ("smoke", "laboratory", "gpt2", "paper"):
        params = Params.load(name)
        for model in (params.teacher, params.critic, params.student_base, params.encoder):
            assert {"revision", "licence"} <= set(sources[model])


def test_every_field_says_what_it_is() -> None:
    for name, field in Params.model_fields.items():
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict)
        assert {"unit", "section", "affects_results", "names"} == set(field.json_schema_extra)
        assert f"\n{name} " in "\n" + describe()


def test_a_file_then_overrides_with_their_origin(checkout: Path) -> None:
    (checkout / "params" / "my.yaml").write_text("k: 7\nsentence_temperature: 1e-1\n")
    params = Params.load("my", ["k=9", "parser=flat", "proximity_lengths=[1, 2]"])
    assert (params.k, params.sentence_temperature, params.parser) == (9, 0.1, "flat")
    assert params.proximity_lengths == [1, 2]
    assert [params.origins[name] for name in ("k", "sentence_temperature", "seed")] == [
        "override",
        "my",
        "base",
    ]
    assert Params.load(checkout / "params" / "my.yaml").k == 7


def test_parameters_cannot_be_changed_afterwards() -> None:
    params = Params.load("base")
    with pytest.raises(ValidationError, match="frozen"):
        params.k = 3


def test_overrides_are_typed() -> None:
    texts = ["student_learning_rate=1e-3", " human_data =a=b", "rebuild_models=true"]
    typed = {"student_learning_rate": 0.001, "human_data": "a=b", "rebuild_models": True}
    assert parse_overrides(texts) == typed


@pytest.mark.parametrize("text", ["", "x", "[]", "3", '{"k": 3}'])
def test_the_machine_is_told_by_the_runner_only(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPOSSIBLE_MACHINE", '{"workers": 3}')
    assert Params.load("base").workers == 3
    monkeypatch.setenv("IMPOSSIBLE_MACHINE", text)
    with pytest.raises(ParameterError, match=r"^IMPOSSIBLE_MACHINE is .*: unset it"):
        Params.load("base")


def test_only_true_and_false_are_booleans() -> None:
    text = "[on, off, yes, No, true, False, 1e-3]"
    assert parse_yaml(text, "text") == ["on", "off", "yes", "No", True, False, 0.001]


#: What YAML 1.1 makes something else of; the last of these were right before.
PLAIN = {
    "010": 10, "-010": -10, "08": 8, "0x10": 16, "0o17": 15, "1:30": "1:30", "1_000": "1_000",
    "0.1_0": "0.1_0", "190:20:30.15": "190:20:30.15", "0b11": "0b11", "2020-01-01": "2020-01-01",
    "<<": "<<", "=": "=", "+.5e-3": 0.0005, ".5": 0.5, "1e-4": 0.0001, "1.e3": 1000.0, "~": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), PLAIN.items())
def test_words_mean_what_they_say(text: str, value: object) -> None:
    found = parse_yaml(f"a: {text}", "text")["a"]
    assert (found, type(found)) == (value, type(value))
    assert parse_overrides([f"human_data={text}"]) == {"human_data": value}


#: Ten times as much a line: a terabyte after ten of them.
BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 11)
)
HOSTILE = {
    "[" * 5000 + "]" * 5000: "line 1 is not YAML: it is nested too deep",
    "\n".join(" " * i + "a:" for i in range(5000)): "line 101 is not YAML: it is nested too deep",
    BOMB: "its aliases .* repeat too much",
    "a: &a [*a]": "its aliases .* repeat too much",
    "1: a\n01: b": "line 2 is not YAML: `01` is given twice",
    "a: !!bool maybe": "is not YAML: it cannot be parsed",
    "a: !!timestamp x": "is not YAML: it cannot be parsed",
    "a: {b: 1}\n<<: {c: 2}": "line 2 is not YAML: `<<` merges nothing here",
    "? [a]\n: b": "a name is one word, not a list",
    "a:\n\t- 3": "line 2 is not YAML: .* a tab .indent by spaces",
    "a: 3\n---\nb: 4": "another document",
}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_yaml_without_end_or_sense_is_one_sentence(text: str) -> None:
    with pytest.raises(ParameterError, match=HOSTILE[text]):
        parse_yaml(text, "text")


def test_aliases_may_repeat_a_little() -> None:
    assert parse_yaml("a: &a [3]\nb: [*a, *a]", "text") == {"a": [3], "b": [[3], [3]]}


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "marked.yaml").write_text("k: 3\n", encoding="utf-8-sig")
    assert read_yaml(tmp_path / "marked.yaml") == {"k": 3}


def test_yaml_is_data_only() -> None:
    with pytest.raises(ParameterError, match="is not YAML"):
        parse_yaml("!!python/object/apply:os.getcwd []", "text")
    with pytest.raises(ParameterError, match="line 2 .*`a` is given twice"):
        parse_yaml("a: 1\na: 2", "text")


def test_what_is_read_is_recorded(checkout: Path) -> None:
    params = Params.load("test", {"k": 5, "domains": [{"name": "d"}]})
    assert params.read == frozenset()
    assert (params.k, params.domains[0].name) == (5, "d")
    assert params.read == {"k", "domains"}
    copy = params.fixed(ted_min=3)
    assert (copy.ted_min, copy.seed) == (3, 0)
    assert params.read == {"k", "domains", "seed"}  # also through a copy; not what was set there
    params.model_dump(include={"n_test"})
    assert params.read == {"k", "domains", "seed", "n_test"}
    stage = Stage("04_pairs", RunFolder(checkout), params)
    table = stage.parameters()
    assert list(table.index) == ["seed", "domains", "k", "n_test"]
    assert table.loc["k", ["value", "origin"]].tolist() == ["5", "override"]
    assert set(params.model_dump()) == params.read == Params.model_fields.keys()


def test_finish_records_and_lists(checkout: Path) -> None:
    stage = begin("04_pairs", "test", {}, "results/test")
    stage.run.data("pairs").write_text("x" * 1024)
    assert stage.params.k == 100
    shown = stage.finish([stage.run.data("pairs")], ratio=0.25, missing=float("nan"))
    assert shown.files.loc[0, ["file", "kB"]].tolist() == ["data/pairs.parquet", 1.0]
    assert "1 parameters read" in shown._repr_html_()
    assert read_json(stage.run.scalars / "04_pairs.json") == {"ratio": 0.25, "missing": None}
    assert read_json(reads_file(stage.run, "04_pairs")) == ["k"]
    begin("04_pairs", "test", {}, "results/test")
    assert not (stage.run.scalars / "04_pairs.json").exists()


def test_a_file_may_extend_another(checkout: Path) -> None:
    folder = checkout / "params"
    (folder / "middle.yaml").write_text("k: 7\nn_test: 9\n")
    (folder / "more.yaml").write_text("extends: middle\nk: 8\n")
    params = Params.load("more", ["seed=3"])
    assert (params.k, params.n_test, params.seed) == (8, 9, 3)
    assert [params.origins[name] for name in ("k", "n_test", "ted_min", "seed")] == [
        "more", "middle", "base", "override"
    ]  # fmt: skip
    for text, says in (
        ("extends: more\n", "extend each other"),
        ("extends: [base]\n", "one file"),
        ("extends: mores\n", "did you mean more"),
    ):
        (folder / "middle.yaml").write_text(text)
        with pytest.raises(ParameterError, match=says):
            Params.load("middle")
