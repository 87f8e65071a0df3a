"""The numbers of README.md are those of the committed run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_numbers_come_from_the_committed_scalars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    scalars = readme.read(ROOT / "results" / "invitro")
    assert text.count(readme.START) == text.count(readme.END) == 1
    assert readme.filled(text, scalars) == text, "run: python scripts/readme.py"
    scalars["09_evaluation"]["M_para, fidelity"] += 0.1
    assert readme.filled(text, scalars) != text
    sys.modules.pop("readme")
