"""Bad input: each gets one clear sentence and status 2, and nothing that was written is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from campaign.rubbish_files import PARAMS
from conftest import Write
from impossible.cli import main
from impossible.data.io import (
    free_space_check,
    read_frame,
    read_json,
    write_frame,
    write_text,
)
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import FUNNEL, PREDICTIONS
from impossible.errors import DataError, ImpossibleError, RunError
from impossible.runner.ledger import locked

FRAME = pd.DataFrame({"context_id": ["a"], "reason": ["kept"], "n": [1]})

PARAMETERS = {
    "params/unknown.yaml": "there is no parameter kk (did you mean k?)",
    "params/mistyped.yaml": "k = 'many': input should be a valid integer (Next sentences",
    "params/boolean.yaml": "k = True: input should be a valid integer",
    "params/range.yaml": "sentence_temperature = 0: input should be greater than 0",
    "params/infinite.yaml": "sentence_temperature = inf: input should be",
    "params/order.yaml": "length_ratio_min (2.0) must not exceed length_ratio_max (1.5)",
    "params/field.yaml": "domains.0.prefix = ['a']: no such field (did you mean prefixes?)",
    "params/twins.yaml": "domains must have different names, got ['news', 'news']",
    "params/stranger.yaml": "domain_teachers names poems, and the domains are news, bio",
    "params/syntax.yaml": "syntax.yaml, line 3 is not YAML",
    "params/twice.yaml": "twice.yaml, line 2 is not YAML: `k` is given twice",
    "params/latin.yaml": "latin.yaml is not UTF-8 text (byte 13)",
    "params/binary.yaml": "binary.yaml is not YAML",
    "params/empty.yaml": "empty.yaml is empty: give at least one line such as `seed: 0`",
    "params/list.yaml": "list.yaml is no list of `name: value` lines",
    "params/text.yaml": "text.yaml is no list of `name: value` lines",
    "params/absent.yaml": "Cannot read params/absent.yaml: No such file or directory",
    "params": "There are no parameters called params",
    "./params": "There are no parameters called params",
    "tesst": "There are no parameters called tesst (did you mean test?)",
    "test seed": "Give one params name or file, then overrides name=value; got test, seed",
    "test kk=3": "The override 'kk=3': there is no parameter kk (did you mean k?)",
    "test k=many": "the overrides: k = 'many': input should be a valid integer",
    "test k=": "the overrides: k = None: input should be a valid integer",
    "test k=[": "The override 'k=[', line 2 is not YAML",
    "test =3": "The override '=3' is not of the form name=value",
    "test judge=nobody": "judge: there is no 'nobody': give oracle, referee, people, none or",
    "test parser=spacey": "parser: there is no 'spacey' (did you mean spacy?)",
    "test test_sets=[mrcp]": "test_sets: there is no 'mrcp' (did you mean mrpc?)",
    "test teacher=nobody": "teacher = 'nobody': there is no such model",
    "test critic=in-vitro/nobody": "critic = 'in-vitro/nobody': there is no such model",
    "test --only three": "'three' names no notebook: give the number or a part of one of 01_one",
}


@pytest.mark.parametrize(("arguments", "sentence"), PARAMETERS.items())
@pytest.mark.parametrize("command", ["run", "plan"])
def test_parameters(
    checkout: Path,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    arguments: str,
    sentence: str,
) -> None:
    if command == "plan" and "--only" in arguments:
        arguments, sentence = "tesst", PARAMETERS["tesst"]
    write("01_one")
    for name, content in PARAMS.items():
        (checkout / "params" / f"{name}.yaml").write_bytes(content)
    monkeypatch.chdir(checkout)
    assert main([command, *arguments.split()]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("impossible: ")
    assert sentence in output.err
    assert output.err.count("\n") == 1
    assert not list((checkout / "results").glob("*/notebooks/*"))


def corrupt(folder: Path) -> None:
    path = write_frame(folder / "x.parquet", FRAME, FUNNEL)
    path.write_bytes(path.read_bytes()[:-20])
    read_frame(path, FUNNEL)


def other_schema(folder: Path) -> None:
    from impossible.filtering.critics import PAIRS

    read_frame(write_frame(folder / "x.parquet", FRAME, FUNNEL), PAIRS)


def torn_json(folder: Path) -> None:
    (folder / "x.json").write_text('{"a": ')
    read_json(folder / "x.json")


def two_runs(folder: Path) -> None:
    run = RunFolder.open(folder / "run")
    with locked(run), locked(run):
        pass


def locked_away(folder: Path) -> None:
    """As in a read-only checkout: the lock cannot be written. (The tests may run as root.)"""
    run = RunFolder.open(folder / "run")
    (run.work / "run.lock").mkdir()
    with locked(run):
        pass


def no_folder(folder: Path) -> None:
    (folder / "file").write_text("")
    RunFolder.open(folder / "file" / "run")


RECORDS: dict[str, tuple[Callable[[Path], object], type[ImpossibleError], str]] = {
    "missing records": (
        lambda folder: read_frame(folder / "x.parquet", FUNNEL),
        DataError,
        "x.parquet is missing: run the notebook that writes it",
    ),
    "corrupt records": (corrupt, DataError, r"x.parquet is damaged .*delete it and run again"),
    "other schema": (other_schema, DataError, "written by another version; delete it"),
    "missing JSON": (lambda folder: read_json(folder / "x.json"), DataError, "x.json is missing"),
    "torn JSON": (torn_json, DataError, "x.json is not readable JSON"),
    "wrong columns": (
        lambda folder: write_frame(folder / "x", FRAME.rename(columns={"n": "m"}), FUNNEL),
        DataError,
        r"missing \['n'\], unknown \['m'\]",
    ),
    "wrong type": (
        lambda folder: write_frame(folder / "x", FRAME.assign(n="many"), FUNNEL),
        DataError,
        "do not fit their schema",
    ),
    "null": (
        lambda folder: write_frame(folder / "x", FRAME.assign(reason=None), FUNNEL),
        DataError,
        "do not fit their schema",
    ),
    "two runs": (two_runs, RunError, "Another run works in .* give another folder with --results"),
    "locked away": (locked_away, RunError, r"Cannot write .*run.lock: .* folder with --results"),
    "no folder": (no_folder, RunError, "Cannot make the results folder"),
    "little space": (
        lambda folder: free_space_check(folder, 2**60),
        RunError,
        "MiB are needed: free some space",
    ),
}


TEXT, NUMBER = pa.field("", pa.string(), False), pa.field("", pa.int64(), False)
COLUMNS = {
    "the column n holds string, not int64": {"n": TEXT},
    "the column n holds double, not int64": {"n": pa.field("", pa.float64(), False)},
    "the column n is missing": {"n": None},
    "the column more is not one of context_id, reason, n": {"more": NUMBER},
    "the column context_id may hold nulls": {"context_id": pa.field("", pa.string())},
    "the column reason holds null, not string": {"reason": pa.field("", pa.null())},
}


@pytest.mark.parametrize("sentence", COLUMNS)
def test_a_column_of_another_kind_is_named(tmp_path: Path, sentence: str) -> None:
    """As another program writes Parquet files: nothing is cast."""
    fields = {"context_id": TEXT, "reason": TEXT, "n": NUMBER} | COLUMNS[sentence]
    schema = pa.schema([each.with_name(name) for name, each in fields.items() if each])
    columns = [pa.array(["1"]).cast(each.type) if each.type != pa.null() else pa.nulls(1)
               for each in schema]  # fmt: skip
    pq.write_table(pa.table(columns, schema=schema), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=f"x.parquet: {sentence}: .* delete it and run again"):
        read_frame(tmp_path / "x.parquet", FUNNEL)


def test_columns_in_another_order_or_absent_are_told(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(FRAME, schema=FUNNEL, preserve_index=False)
    pq.write_table(table.select(["n", "reason", "context_id"]), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="its columns are in another order"):
        read_frame(tmp_path / "x.parquet", FUNNEL)
    pq.write_table(table.select(["n"]), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="the column system is missing"):
        read_frame(tmp_path / "x.parquet", PREDICTIONS)


@pytest.mark.parametrize("name", RECORDS)
def test_records(tmp_path: Path, name: str) -> None:
    act, error, sentence = RECORDS[name]
    with pytest.raises(error, match=sentence) as caught:
        act(tmp_path)
    assert "\n" not in str(caught.value).strip()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EACCES])
def test_a_full_disk_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    text = write_text(tmp_path / "x.txt", "before")
    frame = write_frame(tmp_path / "x.parquet", FRAME, FUNNEL)

    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    sentence = "Cannot write" if code == errno.EACCES else "No space left on the disk for"
    with pytest.raises(RunError, match=sentence):
        write_text(text, "after")
    with pytest.raises(RunError, match=sentence):
        write_frame(frame, FRAME.assign(n=2), FUNNEL)
    assert text.read_text() == "before"
    assert read_frame(frame, FUNNEL)["n"].tolist() == [1]
    assert sorted(tmp_path.iterdir()) == [frame, text]


def test_a_notebook_that_is_none(
    checkout: Path, capsys: pytest.CaptureFixture[str], write: Write
) -> None:
    path = write("01_one")
    for content in ("", "{}", "[]", '{"cells": [{}]}'):
        path.write_text(content)
        assert main(["run", "test"]) == 2
        assert "01_one.ipynb is not a notebook" in capsys.readouterr().err
    path.unlink()
    assert main(["run", "test"]) == 2
    assert "holds no notebook named NN_name.ipynb" in capsys.readouterr().err
