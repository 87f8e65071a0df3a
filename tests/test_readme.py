"""The numbers and verdicts of README and docs are those of the committed runs."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")


def test_tables_come_from_the_committed_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    for mark in ("numbers", "claims"):
        assert TEXT.count(f"<!-- {mark}: ") == TEXT.count(f"<!-- /{mark} -->") == 1
    assert readme.filled(TEXT) == TEXT, "run: python scripts/readme.py"
    shutil.copytree(readme.RUN / "scalars", tmp_path / "run" / "scalars")
    path = tmp_path / "run" / "scalars" / "09_evaluation.json"
    found = readme.read(tmp_path / "run")["09_evaluation"]
    path.write_text(path.read_text().replace(str(found["M_para, fidelity"]), "12.3"))
    assert "12.3 %" in readme.filled(TEXT, tmp_path / "run")
    sys.modules.pop("readme")


def test_the_readme_is_short_and_its_table_is_the_shipped_critic_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.filled(page) == page, "run: python scripts/readme.py"
    page = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    prose = [line for line in page.splitlines() if not line.startswith(("|", "<!--"))]
    assert len(" ".join(prose).split()) <= 700
    sys.modules.pop("readme")
