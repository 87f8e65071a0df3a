"""Blind readings: what is drawn hides where it comes from, and answers are merged by number."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.evaluation.judges import Judge

ROOT = Path(__file__).parents[1]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    sys.modules.pop("readings", None)
    import readings

    return readings


@pytest.fixture
def drawn(readings: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    groups = {
        "D_T": pd.DataFrame({"x": ["Prices rose."], "y": ["Prices went up."]}),
        "news: round trip": pd.DataFrame({"x": ["It rained."], "y": ["It rained."]}),
    }
    monkeypatch.setattr(readings, "groups", lambda run, params: groups)
    monkeypatch.setattr(readings, "load_judge", lambda *_: Judge())
    run = RunFolder.open(tmp_path / "run")
    run.data("dataset_teacher").write_bytes(b"what is read")
    readings.draw(run, Params.load("smoke"), tmp_path / "out")
    return tmp_path / "out"


def answers(path: Path, said: dict[int, bool]) -> Path:
    rows = [json.dumps({"number": number, "same": same}) for number, same in said.items()]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_readers_see_text_and_number_only(drawn: Path) -> None:
    blind = [json.loads(line) for line in (drawn / "blind.jsonl").read_text().splitlines()]
    assert [row.keys() for row in blind] == [{"number", "source", "target"}] * 2
    key = json.loads((drawn / "key.json").read_text())
    assert [pair["source"] for pair in key] == [row["source"] for row in blind]
    assert {pair["of"]: pair["new"] for pair in key} == {"D_T": True, "news: round trip": False}


def test_answers_are_merged_and_people_s_sentences_stay_out(
    readings: ModuleType, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "READINGS", drawn / "readings.json")
    both = [answers(drawn / f"{n}.jsonl", {0: True, 1: n == 1}) for n in (1, 2)]
    readings.merge(drawn, both)
    merged = json.loads((drawn / "readings.json").read_text())
    assert merged["run"] == "run"
    assert merged["dataset_teacher"] == sha256(b"what is read").hexdigest()
    first, second = merged["pairs"]
    assert first["of"] == "D_T"
    assert first["source"] == "Prices rose."
    assert "source" not in second
    assert {(pair["reader_1"], pair["reader_2"]) for pair in (first, second)} <= {
        (True, True), (True, False),
    }  # fmt: skip


def test_a_missing_answer_is_named(readings: ModuleType, drawn: Path) -> None:
    one = answers(drawn / "1.jsonl", {0: True})
    with pytest.raises(SystemExit, match=r"lacks an answer for 1 pairs, first 1\."):
        readings.merge(drawn, [one, one])
