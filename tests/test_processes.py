"""One model trained by several processes: as many steps, on batches of the same size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny
from impossible.cli import main
from impossible.data.io import read_json, write_frame
from impossible.data.schemas import DATASET
from impossible.errors import ModelError
from impossible.training.processes import agreed, own_device, share_of
from impossible.training.student import load_student
from safetensors.torch import load_file

ROOT = Path(__file__).parents[1]


def files(folder: Path, build: Any) -> list[str]:
    """Arguments of `train`: sixteen pairs of four contexts, and settings of a short training."""
    pairs = [(x, y) for x in tiny.SENTENCES[:4] for y in tiny.SENTENCES[4:]]
    rows = [
        {"pair_id": f"p{i}", "source": x, "target": y, "context_id": f"c{i % 4}", "origin": "test",
         "domain": "news", "task": "paraphrase", "p_xy": 0.9, "p_yx": 0.9, "rouge_l": 0.1,
         "ted": 20.0}
        for i, (x, y) in enumerate(pairs)
    ]  # fmt: skip
    write_frame(folder / "pairs.parquet", pd.DataFrame(rows), DATASET)
    base = tiny.save(folder / "base", *build())
    (folder / "my.yaml").write_text(
        f"student_base: {base}\nstudent_batch_size: 4\nstudent_epochs: 8\nstudent_patience: 9\n"
        "student_learning_rate: 3e-3\nstudent_dev_fraction: 0.25\ndtype: float32\ndevice: cpu\n"
    )
    return ["train", str(folder / "pairs.parquet"), "--params", str(folder / "my.yaml")]


def test_a_batch_is_shared_evenly_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert share_of(5) == 5
    assert agreed("mine") == "mine"
    assert own_device("auto") == "auto"
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert share_of(4) == 2
    with pytest.raises(ModelError, match="5 examples cannot be shared evenly among 2"):
        share_of(5)
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(ModelError, match="multiple"):
        share_of(4)


def test_train_writes_a_student(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "student"
    assert main([*files(tmp_path, tiny.t5), "--out", str(out), "student_epochs=1"]) == 0
    assert "16 pairs, 1 process, loss" in capsys.readouterr().out
    assert load_student(str(out)).generate(tiny.SENTENCES[:1])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "base", "my.yaml", "pairs.parquet", "student",
    ]  # fmt: skip
    assert main(["train", str(tmp_path / "none.parquet"), "--out", str(out)]) == 2
    assert "none.parquet is missing" in capsys.readouterr().err


def test_train_overwrites_nothing_but_a_student(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "one.txt").write_text("precious")
    for out in (tmp_path / "thesis", tmp_path / "thesis" / "one.txt"):
        assert main(["train", "none.parquet", "--out", str(out)]) == 2  # before anything is read
        assert "holds something else than a student" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("build", [tiny.t5, tiny.gpt2])
def test_two_processes_train_what_one_trains(build: Any, tmp_path: Path) -> None:
    arguments = files(tmp_path, build)
    alone, together = tmp_path / "alone", tmp_path / "together"
    pairs = [(x, y) for x in tiny.SENTENCES[:4] for y in tiny.SENTENCES[4:]]
    assert main([*arguments, "--out", str(alone)]) == 0
    launch = [sys.executable, "-m", "accelerate.commands.launch"]
    launch += ["--config_file", str(ROOT / "params" / "accelerate" / "cpu.yaml")]
    launch += ["-m", "impossible.cli", *arguments, "--out", str(together)]
    done = subprocess.run(launch, env=os.environ, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("16 pairs, 2 processes, loss") == 1
    one, two = (read_json(folder / "metrics.json") for folder in (alone, together))
    assert two["last_step"] == one["last_step"]
    assert two["dev_loss"] == pytest.approx(one["dev_loss"], rel=0.05)
    folders = (tmp_path / "base", alone, together)
    before, first, second = (load_file(folder / "model.safetensors") for folder in folders)
    moved = sum((first[k].float() - before[k]).abs().sum().item() for k in first)
    apart = sum((first[k].float() - second[k].float()).abs().sum().item() for k in first)
    assert apart < moved  # batches of similar length are put together otherwise
    untrained, trained = (load_student(str(folders[i])).loss_batch(pairs) for i in (0, 2))
    assert trained < 0.9 * untrained
    assert not list(tmp_path.glob(".together*"))
