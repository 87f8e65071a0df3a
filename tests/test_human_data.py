"""The paper's Copy-Input rows on the real test sets, and quality of all human sets.

Collected only where the human datasets are: a folder named by IMPOSSIBLE_HUMAN_DATA, or
``../shared/data`` beside the checkout.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.data.human_datasets import (
    HUB,
    HUMAN,
    available,
    human_items,
    human_pairs,
    human_predictions,
    take,
)
from impossible.data.io import read_json, write_frame
from impossible.data.schemas import DATASET
from impossible.errors import DataError
from impossible.evaluation.baselines import back_translation
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.corpus_quality import corpus_quality
from impossible.evaluation.paraphrase_metrics import score_predictions
from impossible.evaluation.test_sets import load_all
from impossible.runner.notebook_spec import Selection
from impossible.runner.run import run_all

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLDER = Path(os.environ.get("IMPOSSIBLE_HUMAN_DATA") or _BESIDE)
PRESENT = [name for name, missing in available(FOLDER).items() if not missing]
COPY_INPUT = [row for row in [("mrpc", 1147, 65.7, 44.4), ("parasci_arxiv", 2549, 60.2, 42.8)]
              if row[0] in PRESENT]  # fmt: skip

if COPY_INPUT:

    @pytest.mark.parametrize(("name", "n", "rouge", "paper_bleu"), COPY_INPUT)
    def test_copy_input_is_the_papers(name: str, n: int, rouge: float, paper_bleu: float) -> None:
        rows = score_predictions(
            human_predictions(name, FOLDER), bootstrap=Bootstrap(20)
        ).set_index("metric")
        assert rows.loc["rouge_l", "n"] == n
        assert rows.loc["rouge_l", "value"] == pytest.approx(rouge, abs=0.05)
        assert rows.loc["bleu", "value"] == pytest.approx(paper_bleu, abs=0.5)


if PRESENT:

    @pytest.mark.parametrize("name", PRESENT)
    def test_quality_of_human_sets(name: str) -> None:
        pairs = take(human_pairs(name, FOLDER), 300)
        rows = corpus_quality(pairs, bootstrap=Bootstrap(50)).set_index("metric")
        known = rows.drop(["cosine", "ted_3", "ted_f"])
        assert known["value"].notna().all()
        assert (known["low"] <= known["value"]).all()
        assert (known["value"] <= known["high"]).all()
        assert 0 < rows.loc["jaccard", "value"] < 100
        assert rows.loc["h3", "value"] > rows.loc["h2", "value"] > 8


def test_every_known_set_says_how_to_get_it() -> None:
    assert all(text.endswith(".") for text in available("nowhere").values())
    assert set(available("nowhere")) == set(HUMAN)


def test_the_hub_is_asked_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"sentence1": "Prices rose.", "sentence2": "Prices went up.", "label": 1},
        {"sentence1": "Prices rose.", "sentence2": "Prices fell.", "label": 0},
    ]
    asked = []

    def load(*where: str, split: str) -> list[dict[str, object]]:
        asked.append((*where, split))
        return rows

    monkeypatch.setattr("datasets.load_dataset", load)
    params = Params.load("base", {"human_data": HUB, "test_sets": ["mrpc", "quora"]})
    sets, missing = load_all(params, None)
    assert sets["mrpc"]["references"].tolist() == [["Prices went up."]]
    assert asked == [("nyu-mll/glue", "mrpc", "test")]
    assert "github.com" in missing["quora"]  # the hub has no copy of this split
    assert available(HUB, ["mrpc", "quora_vaesvg"])["mrpc"] == ""


def test_a_hub_out_of_reach_is_one_sentence() -> None:
    with pytest.raises(DataError, match=r"MRPC .* from the hub as nyu-mll/glue: .*; go online"):
        human_items("mrpc", HUB)


HEADLINES = ["old mill sold", "river floods town", "two goals win cup", "mayor quits"]


def test_people_s_summaries_lie_beside_ours(tmp_path: Path) -> None:
    """Notebook 08 with headlines that only delete, and ours that share no word with the source."""
    told = [f"the {line} on a very long monday" for line in HEADLINES]
    people = tmp_path / "people" / "gigaword"
    people.mkdir(parents=True)
    lines = [
        json.dumps({"id": str(i), "source": x, "target": x.rpartition(" on a")[0]})
        for i, x in enumerate(told)
    ]
    (people / "test.jsonl").write_text("\n".join(lines) + "\n")
    inputs = pd.DataFrame({"text": told, "context_id": list("abcd")})
    frame = back_translation.corpus(inputs, [["quite other words"]] * 4, "ours")
    write_frame(tmp_path / "ours.parquet", frame, DATASET)
    params = Params.load("human", ["human_n=10", "bootstrap_samples=20"]).fixed(
        human_data=str(tmp_path / "people"),
        compare_summaries={"D_sum": str(tmp_path / "ours.parquet"), "gone": "no/such.parquet"},
    )
    run_all(params, tmp_path / "run", Selection(only="08"))
    found = read_json(tmp_path / "run" / "scalars" / "08_dataset_quality.json")
    assert found["D_sum, novelty"] == 100
    assert found["Gigaword (headlines), novelty"] == 0
    assert found["D_sum − Gigaword (headlines), novelty"][0] == 100
    executed = (tmp_path / "run" / "notebooks" / "08_dataset_quality.ipynb").read_text()
    assert "gone is missing" in executed
    assert "Wiki conciseness is missing" in executed
    assert f'"{tmp_path}' not in executed  # paths are named from the checkout
    assert not any(line in executed for line in HEADLINES)  # measured, never shown
