"""The paper's Copy-Input rows on the real test sets, and quality of all human sets.

Collected only where the human datasets are: a folder named by IMPOSSIBLE_HUMAN_DATA, or
``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from impossible.datasets import HUMAN, available, human_pairs, human_predictions
from impossible.evaluation import score_predictions
from impossible.quality import corpus_quality

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLDER = Path(os.environ.get("IMPOSSIBLE_HUMAN_DATA") or _BESIDE)
PRESENT = [name for name, missing in available(FOLDER).items() if not missing]
COPY_INPUT = [row for row in [("mrpc", 1147, 65.7, 44.4), ("parasci_arxiv", 2549, 60.2, 42.8)]
              if row[0] in PRESENT]  # fmt: skip

if COPY_INPUT:

    @pytest.mark.parametrize(("name", "n", "rouge", "paper_bleu"), COPY_INPUT)
    def test_copy_input_is_the_papers(name: str, n: int, rouge: float, paper_bleu: float) -> None:
        rows = score_predictions(human_predictions(name, FOLDER), samples=20).set_index("metric")
        assert rows.loc["rouge_l", "n"] == n
        assert rows.loc["rouge_l", "value"] == pytest.approx(rouge, abs=0.05)
        assert rows.loc["bleu", "value"] == pytest.approx(paper_bleu, abs=0.5)


if PRESENT:

    @pytest.mark.parametrize("name", PRESENT)
    def test_quality_of_human_sets(name: str) -> None:
        rows = corpus_quality(human_pairs(name, FOLDER, n=300), samples=50).set_index("metric")
        known = rows.drop(["cosine", "ted_3", "ted_f"])
        assert known["value"].notna().all()
        assert (known["low"] <= known["value"]).all()
        assert (known["value"] <= known["high"]).all()
        assert 0 < rows.loc["jaccard", "value"] < 100
        assert rows.loc["h3", "value"] > rows.loc["h2", "value"] > 8


def test_every_known_set_says_how_to_get_it() -> None:
    assert all(text.endswith(".") for text in available("nowhere").values())
    assert set(available("nowhere")) == set(HUMAN)
