"""Progress bars: to the runner's file under the runner, and only the last state counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from impossible.data.progress import PROGRESS_FILE, bar, last_line


def test_the_runner_sees_the_last_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "progress"
    assert last_line(path) == ""
    monkeypatch.setenv(PROGRESS_FILE, str(path))
    with bar(total=4, desc="scoring", mininterval=0) as progress:
        progress.update(1)
        progress.update(2)
        line = last_line(path)
    assert line.startswith("scoring:  75%")
    assert line.count("scoring") == 1
