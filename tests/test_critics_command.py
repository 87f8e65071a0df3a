"""`impossible critics`: every score of anybody's pairs, who is kept, bad lines, streams."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tiny
from impossible import cli
from impossible.config.params import Params
from impossible.data.json_lines import stream_pairs
from impossible.errors import DataError
from impossible.filtering import pair_file
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.thresholds import Thresholds

PAIRS = [
    {"source": tiny.SENTENCES[0], "target": tiny.SENTENCES[1], "id": "a"},
    {"source": tiny.SENTENCES[2], "target": tiny.SENTENCES[3]},
    {"source": tiny.SENTENCES[2], "target": "The mayor sold 13 old ships to the bank."},
    {"source": tiny.SENTENCES[4], "target": "Yes."},
]
FIELDS = {*pair_file.LINE_FIELDS.values(), "source", "target", "kept", "reason"}
OPEN = [
    "entailment_floor=0",
    "entailment_threshold=0",
    "similarity_min=-1",
    "ted_min=2",
    "length_ratio_min=0.5",
]


class Critic:
    """Believes everything, but reads no more than 200 characters."""

    def fits(self, pairs: Any) -> Any:
        return np.array([len(x) + len(y) <= 200 for x, y in pairs], dtype=bool)

    def probabilities(self, pairs: Any) -> Any:
        assert self.fits(pairs).all()
        return np.full(len(pairs), 0.9)


def judged(records: Any, *overrides: str, encoder: Any = None) -> list[dict[str, Any]]:
    models = SimpleNamespace(critic=Critic(), encoder=encoder, parser=FlatParser())
    limits = Thresholds.paraphrase(Params.load("base", [*OPEN, *overrides]))
    return list(pair_file.with_every_score(records, models, limits))


def test_every_pair_gets_every_score_and_its_first_reason() -> None:
    encoder = SimpleNamespace(embed=lambda texts: np.ones((len(texts), 1), dtype=np.float32))
    found = judged(PAIRS, encoder=encoder)
    assert [row["reason"] for row in found] == [None, None, "numbers", "length_ratio"]
    assert [row["kept"] for row in found] == [True, True, False, False]
    assert found[0]["id"] == "a"
    for row in found:
        assert set(row) - {"id"} == FIELDS
        assert None not in [row[name] for name in pair_file.LINE_FIELDS.values()]
        assert row["source_entails_target"] == row["target_entails_source"] == 0.9
        assert row["cosine"] == 1
    assert found[2]["ted"] == 1
    assert judged(PAIRS)[0]["cosine"] is None


def test_thresholds_decide_and_scores_stay() -> None:
    strict = judged(PAIRS, "entailment_threshold=0.95")
    assert [row["reason"] for row in strict] == [
        "entailment", "entailment", "numbers", "length_ratio",
    ]  # fmt: skip
    scores = [{name: row[name] for name in pair_file.LINE_FIELDS.values()} for row in strict]
    assert scores == [{name: row[name] for name in scores[0]} for row in judged(PAIRS)]


def test_a_pair_that_the_critic_cannot_read_is_rejected_and_the_rest_is_not() -> None:
    long = {"source": "word " * 60, "target": "some " * 60}
    found = judged([PAIRS[0], long, PAIRS[1]])
    assert [row["reason"] for row in found] == [None, "entailment", None]
    assert found[1]["source_entails_target"] is found[1]["target_entails_source"] is None
    assert found[1]["ted"] == 60


def test_chunks_change_nothing_and_come_before_a_bad_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = judged(PAIRS)
    monkeypatch.setattr(pair_file, "CHUNK", 3)
    assert judged(iter(PAIRS)) == whole

    def broken() -> Any:
        yield from PAIRS[:2]
        raise DataError("line 3")

    models = SimpleNamespace(critic=Critic(), encoder=None, parser=FlatParser())
    limits = Thresholds.paraphrase(Params.load("base", OPEN))
    given = pair_file.with_every_score(broken(), models, limits)
    assert [next(given), next(given)] == whole[:2]
    with pytest.raises(DataError, match="line 3"):
        next(given)


def test_lines_are_read_one_by_one() -> None:
    def lines() -> Any:
        yield '{"source": "a", "target": "b"}\n'
        yield "\n"
        raise AssertionError("too far")

    assert next(stream_pairs(lines(), "x")) == {"source": "a", "target": "b"}
    assert len(list(stream_pairs(['{"source": "a", "target": "b"}', "", " \n"], "x"))) == 1
    with pytest.raises(DataError, match="x, line 1: empty; remove it"):
        list(stream_pairs(["\n", '{"source": "a", "target": "b"}'], "x"))
    with pytest.raises(DataError, match="x: empty; each line"):
        list(stream_pairs([], "x"))


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    critic = tiny.save(tmp_path / "critic", *tiny.critic())
    encoder = tiny.save(tmp_path / "encoder", *tiny.encoder())
    return [*OPEN, f"critic={critic}", f"encoder={encoder}", "parser=flat", "device=cpu"]


def run(*arguments: str) -> int:
    return cli.main(["critics", *arguments])


def test_the_command_filters_a_file_and_a_stream(
    tmp_path: Path,
    models: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "pairs.jsonl"
    text = "".join(f"{json.dumps(pair)}\n" for pair in PAIRS)
    path.write_text(text, encoding="utf-8")
    assert run(str(path), "--params", "base", *models) == 0
    told = capsys.readouterr()
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert [row["source"] for row in rows] == [pair["source"] for pair in PAIRS]
    assert told.err == "2 of 4 pairs kept.\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    out = tmp_path / "kept.jsonl"
    assert run("-", *models, "--kept", "--out", str(out), "--params", "base") == 0
    kept = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert kept == [row for row in rows if row["kept"]]
    assert run(str(path), "--params", "base", "--task", "summary", *models) == 0
    assert "0 of 4" not in capsys.readouterr().err


def test_a_bad_line_has_its_number_and_what_was_written_stays(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "pairs.jsonl", tmp_path / "out.jsonl"
    path.write_text(f'{json.dumps(PAIRS[0])}\n{{"source": "a"}}\n', encoding="utf-8")
    assert run(str(path), "--params", "base", "--out", str(out), *models) == 2
    assert "pairs.jsonl, line 2: field 'target' is missing" in capsys.readouterr().err
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["a"]
    assert run(str(path), "--params", "base", "--out", str(path), *models) == 2
    assert "is the input itself: give another" in capsys.readouterr().err
    assert run(str(path), "--params", "base", "--out", str(tmp_path / "no" / "f"), *models) == 2
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err
    out.write_text("precious")
    assert run(str(path), "--params", "base", "--out", str(out), *models, "critic=nobody") == 2
    assert out.read_text() == "precious"
    capsys.readouterr()
    low = [*models, "entailment_threshold=0.3"]  # below the floor, which counts in runs only
    assert run(str(path), "--params", "base", "--out", str(path), *low) == 2
    assert "is the input itself: give another" in capsys.readouterr().err
    assert run(str(path), "--params", "base", "rouge_l_mx=0.5") == 2
    assert "rouge_l_mx" in capsys.readouterr().err


@pytest.mark.parametrize("own", ["NaN", "1e999"])
def test_what_is_no_json_is_told_and_what_no_file_takes_is_escaped(
    own: str, tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "pairs.jsonl", tmp_path / "out.jsonl"
    half = {**PAIRS[0], "own": "\ud800"}
    last = json.dumps({**PAIRS[1], "own": 0}).replace("0}", f"{own}}}")
    path.write_text(f"{json.dumps(half)}\n{last}\n", encoding="utf-8")
    assert run(str(path), "--params", "base", "--out", str(out), *models) == 2
    assert f"line 2: not JSON ({own} is" in capsys.readouterr().err
    assert [json.loads(line)["own"] for line in out.read_text().splitlines()] == ["\ud800"]
