"""Files, digests and randomness: nothing torn, nothing stale, nothing order-dependent."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from impossible.data import digests
from impossible.data.digests import digest
from impossible.data.io import read_frame, remove_leftovers, write_frame, write_json
from impossible.data.run_folder import (
    RunFolder,
    item_rng,
    record,
    scalars,
)
from impossible.data.schemas import METRIC_ROWS


def test_frames_keep_types_and_missing_values_and_have_the_same_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "system": ["a", "b"], "metric": "bleu", "value": [0.5, np.nan], "low": np.nan,
            "high": 1.0, "n": 3, "signature": "s",
        }
    )  # fmt: skip
    first = write_frame(tmp_path / "a.parquet", frame, METRIC_ROWS)
    shuffled = write_frame(tmp_path / "b.parquet", frame[frame.columns[::-1]], METRIC_ROWS)
    assert digest(first) == digest(shuffled)
    back = read_frame(first, METRIC_ROWS)
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)
    assert list(tmp_path.iterdir()) in ([first, shuffled], [shuffled, first])


def test_what_a_killed_process_of_this_machine_left_half_written_is_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "tables").mkdir()
    names = {
        f".a.csv.{platform.node()}.{gone.pid}.tmp": False,
        f".a.csv.{platform.node()}.{os.getpid()}.tmp": True,  # still being written
        f".a.csv.another-machine.{gone.pid}.tmp": True,
        f".a.csv.{platform.node()}.x.tmp": True,
        "a.csv": True,
    }
    for name in names:
        (tmp_path / "tables" / name).touch()
    remove_leftovers(tmp_path)
    assert {name: (tmp_path / "tables" / name).exists() for name in names} == names


def test_randomness_belongs_to_the_item() -> None:
    draws = {
        item_rng(*arguments).integers(2**60)
        for arguments in ((0, "a", "b", 0), (1, "a", "b", 0), (0, "b", "b", 0), (0, "a", "c", 0),
                          (0, "a", "b", 1), (0, "ab", "", 0))
    }  # fmt: skip
    assert len(draws) == 6
    assert item_rng(0, "a", "b").integers(2**60) == item_rng(0, "a", "b", 0).integers(2**60)
    # fixed for ever: results of one version can be compared with those of the next
    assert item_rng(0, "contexts", "news-0").integers(1000, size=3).tolist() == [124, 240, 920]


def test_digests_are_of_content(tmp_path: Path) -> None:
    for name, order in (("a", (1, 2)), ("b", (2, 1))):
        for number in order:
            path = tmp_path / name / "deep" / f"{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{number}")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    (tmp_path / "b" / "deep" / "1").rename(tmp_path / "b" / "deep" / "3")
    assert digest(tmp_path / "a") != digest(tmp_path / "b")


def test_normalized_code_ignores_what_does_not_act() -> None:
    plain = "def f(x: int) -> int:\n    return x + 1\n"
    noted = 'def f(x: int) -> int:\n    """Doc."""\n    # why\n    return (x +\n        1)\n'
    assert digests.normalized(plain) == digests.normalized(noted)
    assert digests.normalized(plain) != digests.normalized(plain.replace("1", "2"))
    assert digests.normalized('def f():\n    "doc"') == digests.normalized("def f():\n    pass")


def test_the_digest_of_the_package_follows_code_and_data_but_no_comment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "world" / "models").mkdir(parents=True)
    files = {"one.py": "x = 1", "part/two.py": "", "part/words.yaml": "a: 1"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(digests, "PACKAGE", tmp_path)

    def now() -> str:
        digests.package_digest.cache_clear()
        return digests.package_digest()

    try:
        seen = [now()]
        for name, text, counts in (
            ("one.py", "x = 1  # why", False),
            ("world/models/config.json", "{}", False),
            ("one.py", "x = 2", True),
            ("part/words.yaml", "a: 2", True),
            ("part/three.py", "", True),
        ):
            (tmp_path / name).write_text(text)
            assert (now() not in seen) == counts, name
            seen.append(now())
    finally:
        digests.package_digest.cache_clear()


def test_scalars_are_plain_json(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    record(run, "02", ratio=np.float32(0.5), n=np.int64(3), low=float("nan"))
    record(run, "02", curve=np.array([1, 2]))
    write_json(run.scalars / "01.json", {})
    expected = {"01": {}, "02": {"ratio": 0.5, "n": 3, "low": None, "curve": [1, 2]}}
    assert scalars(run) == expected
