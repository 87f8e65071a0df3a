"""Every kind of bad input line gets one sentence with the file, the line and what to do."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from pathlib import Path
from threading import Thread

import pytest
from impossible.cli.output import output
from impossible.data.human_datasets import human_pairs
from impossible.data.json_lines import read_lines, read_pairs, read_predictions
from impossible.errors import DataError

GOOD = '{"source": "a", "target": "b"}'
BAD_PAIRS = [
    ([], "empty; each line must be"),
    (["", "  "], "empty; each line must be"),
    ([GOOD, "not json"], "line 2: not JSON"),
    ([GOOD, '{"source": "a"'], "line 2: not JSON"),
    (["[" * 100_000], "line 1: not JSON"),
    (["1" * 5000], "line 1: not JSON"),
    ([GOOD, "", GOOD], "line 2: empty"),
    (["[1]"], "line 1: a JSON list"),
    (["null"], "line 1: a JSON NoneType"),
    ([GOOD, '{"source": "a"}'], "line 2: field 'target' is missing"),
    (['{"target": "a"}'], "line 1: field 'source' is missing"),
    (['{"source": "a", "target": ""}'], "line 1: field 'target' is empty"),
    (['{"source": " ", "target": "b"}'], "line 1: field 'source' is empty"),
    (['{"source": "a", "target": 3}'], "line 1: field 'target' is 3, not a string"),
    (['{"source": "a", "target": null}'], "line 1: field 'target' is null, not a string"),
    (['{"source": "a", "target": "b", "source": "c"}'], "line 1: not JSON .it has two fields 's"),
    (['{"source": "a", "target": "\\ud800"}'], "line 1: field 'target' holds half a surrogate"),
]


@pytest.mark.parametrize(("lines", "sentence"), BAD_PAIRS)
def test_bad_pairs(lines: list[str], sentence: str) -> None:
    with pytest.raises(DataError, match=r"^x\.jsonl.*" + sentence) as caught:
        read_pairs(lines, "x.jsonl")
    assert "\n" not in str(caught.value)


ANSWER = {"source": "a", "output": "b", "references": ["c"]}
BAD_PREDICTIONS = [
    ({"source": "a", "output": "b"}, "field 'references' is missing"),
    (ANSWER | {"references": []}, "field 'references' must be a non-empty list"),
    (ANSWER | {"references": "c"}, "field 'references' must be a non-empty list"),
    (ANSWER | {"references": ["c", ""]}, "field 'references' is empty"),
    (ANSWER | {"references": [1]}, "field 'references' is 1, not a string"),
    (ANSWER | {"output": None}, "field 'output' is null"),
    ({"source": "a", "references": ["c"]}, "field 'output' is missing"),
    (ANSWER | {"source": ""}, "field 'source' is empty"),
]


@pytest.mark.parametrize(("record", "sentence"), BAD_PREDICTIONS)
def test_bad_predictions(record: dict[str, object], sentence: str) -> None:
    lines = [json.dumps(ANSWER), json.dumps(record)]
    with pytest.raises(DataError, match=r"^x\.jsonl, line 2: " + sentence):
        read_predictions(lines, "x.jsonl")


@pytest.mark.parametrize("output", ["", " ", "\u00a0", "\n\t"])
def test_an_empty_or_blank_output_is_an_answer(output: str) -> None:
    frame = read_predictions([json.dumps(ANSWER | {"output": output})], "x.jsonl", system="S")
    assert frame.to_dict("records") == [
        {"system": "S", "item": "000000", "source": "a", "references": ["c"], "output": ""}
    ]


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(GOOD.encode() + b"\n\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"x\.jsonl, line 3 is not UTF-8"):
        list(read_lines(path))


def test_a_file_without_line_ends_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    with path.open("wb") as file:
        file.write(b"A line.\n")
        file.truncate(2**40)  # a hole: no disk is used
    lines = read_lines(path)
    assert next(lines) == "A line.\n"
    with pytest.raises(DataError, match=r"x\.txt, line 2 is longer than 64 MiB"):
        next(lines)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pipe_is_read_once_and_whole(tmp_path: Path, zipped: bool) -> None:
    text = "".join(f"{i}\n" for i in range(5)).encode()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=[gzip.compress(text) if zipped else text])
    writer.start()
    assert list(read_lines(pipe)) == [f"{i}\n" for i in range(5)]
    writer.join()


def test_a_context_that_is_null_is_none() -> None:
    lines = [json.dumps({"source": x, "target": "y", "context_id": None}) for x in "ab"]
    assert read_pairs(lines, "x").context_id.tolist() == ["a", "b"]
    lines = [json.dumps({"source": x, "target": "y", "context_id": " "}) for x in "ab"]
    assert read_pairs(lines, "x").context_id.tolist() == ["a", "b"]


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(DataError, match=r"give a file of lines"):
            list(read_lines(path))


def test_standard_input_and_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b"\xef\xbb\xbf" + GOOD.encode() + b"\r\n" + GOOD.encode() + b"\r\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    frame = read_pairs(read_lines("-"), "standard input")
    assert frame["target"].tolist() == ["b", "b"]
    assert frame["context_id"].tolist() == ["a", "a"]


def test_human_sets_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"MRPC .* is missing: put .*mrpc/test\.jsonl"):
        human_pairs("mrpc", tmp_path)
    with pytest.raises(DataError, match=r"Unknown human dataset 'mrcp'; known are mrpc"):
        human_pairs("mrcp", tmp_path)


def test_human_sets_are_read(tmp_path: Path) -> None:
    (tmp_path / "mrpc").mkdir()
    rows = [
        {"id": "1", "source": "a", "target": "b", "label": 1},
        {"id": "2", "source": "c", "target": "d", "label": 0},
    ]
    (tmp_path / "mrpc/test.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    assert human_pairs("mrpc", tmp_path)["pair_id"].tolist() == ["1"]
    (tmp_path / "asset").mkdir()
    row = {"id": "1", "source": "a", "targets": ["b", "c"]}
    (tmp_path / "asset/valid.jsonl").write_text(json.dumps(row))
    assert human_pairs("asset", tmp_path)["target"].tolist() == ["b"]


def test_two_commands_do_not_write_one_file(tmp_path: Path) -> None:
    out = str(tmp_path / "out.jsonl")
    with output(out, "-") as put:
        put("first")
        with pytest.raises(DataError, match="written by another command"), output(out, "-"):
            pass
        put("second")
    assert Path(out).read_text() == "first\nsecond\n"
    with output(out, "-") as put:
        put("later")
    assert Path(out).read_text() == "later\n"
