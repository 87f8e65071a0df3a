"""What the command settles before anything runs: the results folder, absent data, the listing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import Write
from impossible.cli import main
from impossible.config.description import describe
from impossible.config.params import Params
from impossible.errors import ParameterError
from impossible.runner.preflight import LONGEST_NAME, require_data, results_folder

BASE = Params.load("base")
DATA = {name: kind for kind in ("folder", "file") for name in BASE.naming(kind)}
WRITE = "(run / 'data' / 'k.txt').write_text(str(params.k))"


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "test"),
        (["k=50"], "test-k=50"),
        (
            ["seed=1", "k=50", "sentence_temperature=1e-1"],
            "test-k=50-seed=1-sentence_temperature=0.1",
        ),
        (["k=50", "seed=1", "workers=1", "k=60"], "test-k=60-seed=1"),
        (["k=100", "seed=0"], "test"),  # as the file and base have it
        (["workers=1", "batch_tokens=512", "device=cpu", "trained_seeds=1"], "test"),
        (["human_data=../shared/data", "ratings=returned"], "test"),
        (["human_data=../shared/data", "k=50"], "test-k=50"),
        (["given_contexts=mine.txt"], "test-given_contexts=mine.txt"),
    ],
)
def test_overrides_that_change_results_have_their_own_folder(
    checkout: Path, overrides: list[str], name: str
) -> None:
    assert results_folder("test", overrides) == checkout / "results" / name
    assert results_folder(checkout / "params" / "test.yaml", overrides).name == name


def test_names_of_folders_are_plain_short_and_different(checkout: Path) -> None:
    texts = ["teacher=a/b", "teacher=a_b", "teacher=a b", "teacher=ä", "domains=[{name: x}]"]
    many = [f"{name}=7" for name in ("n_contexts", "n_inputs", "n_test", "rounds", "k", "seed")]
    names = [results_folder("test", [text]).name for text in texts]
    names += [results_folder("test", many).name, results_folder("test", [*many, "k=8"]).name]
    assert len(set(names)) == len(names)
    for name in names:
        assert "=" in name  # what .gitignore knows trials by
        assert len(name) <= len("test") + LONGEST_NAME + 9
        assert not set(name) & set("/ ä{['")


def test_a_trial_leaves_the_results_alone(
    checkout: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write("01_one", WRITE, outputs=["data/k"])
    results = checkout / "results"
    assert main(["run", "test"]) == 0
    before = {p: p.stat().st_mtime_ns for p in (results / "test").rglob("*") if p.is_file()}
    capsys.readouterr()
    assert main(["run", "test", "--", "k=50"]) == 0
    assert f"go to {results / 'test-k=50'} (or to --results)" in capsys.readouterr().out
    assert (results / "test-k=50" / "data" / "k.txt").read_text() == "50"
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert main(["run", "test", "--", "k=50"]) == 0
    assert "unchanged, skipped" in capsys.readouterr().out
    assert main(["plan", "test", "--", "k=50"]) == 0
    assert "skip" in capsys.readouterr().out
    assert main(["run", "test", "--results", str(results / "test"), "--", "k=50"]) == 0
    assert (results / "test" / "data" / "k.txt").read_text() == "50"
    assert "overrides" not in capsys.readouterr().out


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_data_that_is_not_there_stops_a_run_before_it_starts(
    checkout: Path, write: Write, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    write("01_one", WRITE, outputs=["data/k"])
    wrong = checkout / "wrong"
    assert main([command, "test", "--", f"{name}=wrong"]) == 2
    output = capsys.readouterr()
    assert f"impossible: {name} = 'wrong': there is no {DATA[name]} {wrong}; " in output.err
    assert f"give the path of a {DATA[name]}, absolute or from {checkout}, or leave" in output.err
    assert output.err.count("\n") == 1
    assert not list((checkout / "results").iterdir())


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_domain_of_which_there_are_no_gold_pairs_stops_a_run_before_it_starts(
    write: Write, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    write("01_one", WRITE, outputs=["data/k"])
    assert main([command, "test", "--", "unseen_domain=sport", "test_sets=[world]"]) == 2
    told = capsys.readouterr().err
    assert "unseen_domain = 'sport': its gold pairs come from the closed world" in told
    assert told.count("\n") == 1


def test_only_the_closed_world_is_asked_for_gold_pairs_of_the_unseen_domain() -> None:
    require_data(Params.load("base", {"unseen_domain": "sport"}))


def test_data_is_of_the_right_kind(checkout: Path) -> None:
    (checkout / "folder").mkdir()
    (checkout / "file").write_text("A. B.\n")
    for name, kind in DATA.items():
        other = "file" if kind == "folder" else "folder"
        require_data(Params.load("test", [f"{name}={kind}"]))
        with pytest.raises(ParameterError, match=rf"^{name} = '{other}': there is no {kind} /"):
            require_data(Params.load("test", [f"{name}={other}"]))
        empty = [f"{name}={'in-vitro' if kind == 'file' else chr(34) * 2}"]
        require_data(Params.load("test", empty))


def test_human_data_completes_the_folder_of_its_run(checkout: Path, write: Write) -> None:
    shutil.copy(checkout / "params" / "test.yaml", checkout / "params" / "human.yaml")
    write("08_eight", WRITE.replace("str(params.k)", "params.human_data"), outputs=["data/k"])
    (checkout / "data").mkdir()
    assert main(["run", "--only", "08", "human", "human_data=data"]) == 0
    assert (checkout / "results" / "human" / "data" / "k.txt").read_text() == "data"


def test_the_listing_shows_the_values_of_a_file(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "params" / "mine.yaml").write_text("k: 7\ndomains: [{name: news}, {name: law}]\n")
    assert main(["run", "--parameters", "mine", "n_test=9"]) == 0
    text = capsys.readouterr().out
    lines = {line.split()[0]: line.split() for line in text.splitlines()}
    assert lines["name"] == ["name", "value", "base", "meaning"]
    assert lines["k"][1:3] == ["7", "100"]
    assert lines["n_test"][1:3] == ["9", "500"]
    assert lines["seed"][1:3] == ["0", "0"]
    assert lines["domains"][1:5] == ["news,", "law", "news,", "bio"]
    assert set(lines) == {"name", *Params.model_fields}
    for shown, line in zip(text.splitlines(), describe().splitlines(), strict=True):
        assert shown.endswith(line.removeprefix(line.split()[0]).strip())
    assert main(["run", "--parameters", "mien"]) == 2
    assert "did you mean mine?" in capsys.readouterr().err
