"""Test sets by name: the world's, human ones, the run's own sentences, and what is missing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.data.io import write_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET, SENTENCES
from impossible.errors import DataError, ParameterError
from impossible.evaluation import test_sets

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLDER = Path(os.environ.get("IMPOSSIBLE_HUMAN_DATA") or _BESIDE)


def settings(names: list[str], human_data: str = "") -> Params:
    return Params.load("base").fixed(test_sets=names, human_data=human_data, n_test=5)


def write_lines(path: Path, *records: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run that set eight sentences aside, of which a corpus holds one and one was rejected."""
    run = RunFolder.open(tmp_path / "run")
    texts = [f"Sentence {i} was written." for i in range(8)]
    frame = pd.DataFrame({"context_id": "held-1", "sample": range(8), "raw": texts, "text": texts})
    frame["domain"] = "news"
    frame["reason"] = ["", "", "quote", *[""] * 5]
    write_frame(run.data("held_out"), frame.astype({"sample": "int32"}), SENTENCES)
    pairs = pd.DataFrame({"source": [texts[0]], "target": ["another"], "origin": "t"})
    pairs = pairs.assign(pair_id="1", context_id="c").reindex(columns=DATASET.names)
    write_frame(run.data("dataset_para"), pairs, DATASET)
    return run


def test_the_world_has_references_and_domains() -> None:
    items = test_sets.load("world", 4, seed=3)
    assert list(items.columns) == ["id", "source", "references", "domain", "exemplar"]
    assert items["references"].map(len).tolist() == [4] * 4
    assert items["domain"].notna().all()
    assert not items["source"].equals(test_sets.load("world", 4, 3, "summary")["source"])


def test_held_out_sentences_trained_nobody_and_have_no_references(run: RunFolder) -> None:
    items = test_sets.load("held_out", run=run)
    assert sorted(items["id"]) == [f"held-1-{i}" for i in (1, 3, 4, 5, 6, 7)]
    assert items["references"].map(len).eq(0).all()
    assert test_sets.load("held_out", 2, run=run).equals(test_sets.load("held_out", 2, run=run))
    with pytest.raises(DataError, match="run notebook 07"):
        test_sets.load("held_out", run=RunFolder(run.root / "other"))


def test_summaries_of_paragraphs_are_tested_on_paragraphs(run: RunFolder) -> None:
    params = settings(["held_out"]).fixed(paragraph_sentences=2)
    items = test_sets.load_all(params, run, "summary")[0]["held_out"].set_index("id")["source"]
    one = "Sentence {} was written."
    assert items.sort_index().to_dict() == {  # 0 is learned, 2 rejected, 1 and 7 stand alone
        f"held-1-{i}": f"{one.format(i)} {one.format(i + 1)}" for i in (3, 5)
    }
    assert len(test_sets.load_all(params, run)[0]["held_out"]) == 5
    fallen_back = test_sets.load_all(params.fixed(test_sets=["mrpc"]), run, "summary")[0]
    assert len(fallen_back["held_out"]) == 2


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    name = write_lines(
        tmp_path / "mine.jsonl",
        {"source": "a b", "references": ["b a", "c"], "domain": "letters", "exemplar": "x y"},
        {"id": "second", "source": "c d", "target": "d c"},
        {"source": "e f", "references": []},
        {"source": "g h", "task": "summary"},
    )
    items = test_sets.load(name).set_index("id")
    assert items["references"].map(list).to_dict() == {
        "000000": ["b a", "c"], "second": ["d c"], "000002": [],
    }  # fmt: skip
    assert items.loc["000000", ["domain", "exemplar"]].tolist() == ["letters", "x y"]
    assert items.loc["second", ["domain", "exemplar"]].isna().all()
    assert "g h" in set(test_sets.load(name, task="summary")["source"])


def test_two_items_of_one_name_are_rejected(tmp_path: Path) -> None:
    twice = [{"id": "x", "source": "a"}, {"id": "x", "source": "b"}]
    with pytest.raises(DataError, match="two items called 'x'"):
        test_sets.load(write_lines(tmp_path / "twice.jsonl", *twice))


def test_only_positive_pairs_of_a_labelled_set(tmp_path: Path) -> None:
    rows = [{"id": str(i), "source": f"s{i}", "target": f"t{i}", "label": i % 2} for i in range(6)]
    write_lines(tmp_path / "mrpc" / "test.jsonl", *rows)
    items = test_sets.load("mrpc", folder=tmp_path)
    assert sorted(items["id"]) == ["1", "3", "5"]
    assert set(items["domain"]) == {"news"}


def test_a_plugin_of_ones_own() -> None:
    named = test_sets.load("impossible.world.test_sets:world_items", 3)
    assert named.equals(test_sets.load("world", 3))
    with pytest.raises(ParameterError, match="cannot be imported"):
        test_sets.load("no.such:thing", 3)


def test_what_is_missing_is_said_and_the_run_goes_on(run: RunFolder, tmp_path: Path) -> None:
    params = settings(["mrpc", "world", "gigaword", "moscow"], str(tmp_path))
    found, missing = test_sets.load_all(params, run)
    assert {name: len(items) for name, items in found.items()} == {"world": 5}
    assert "put the Microsoft Research Paraphrase Corpus" in missing["mrpc"]
    assert "did you mean mscoco?" in missing["moscow"]
    assert "gigaword" not in missing  # summaries, another task
    found, missing = test_sets.load_all(settings(["mrpc"]), run)
    assert list(found) == ["held_out"]
    assert set(missing) == {"mrpc", "instead"}


def test_examples_for_prompts_are_taken_from_a_set_with_references() -> None:
    items = test_sets.load("world", 5)
    bare = items.assign(references=[[]] * 5)
    rest, shots = test_sets.with_examples({"bare": bare, "world": items}, 2)
    assert rest["id"].tolist() == [
        *("bare: " + bare["id"]), *("world: " + items["id"].head(3)),
    ]  # fmt: skip
    assert shots == [(items["source"][i], items["references"][i][0]) for i in (3, 4)]
    rest, shots = test_sets.with_examples({"bare": bare}, 2)
    assert (rest["id"].tolist(), shots) == (bare["id"].tolist(), [])
    assert len(test_sets.with_examples({"world": items.head(2)}, 2)[0]) == 2  # none to spare


def test_scores_of_each_set_apart() -> None:
    items = test_sets.pooled({"b": test_sets.load("world", 2), "a": test_sets.load("world", 2)})
    scores = pd.DataFrame({"system": ["s"] * 4 + ["t"] * 4, "item": [*items["id"]] * 2})
    parts = test_sets.by_set(scores, items)
    assert {name: len(part) for name, part in parts.items()} == {"b": 4, "a": 4}
    assert test_sets.rows_of_sets(parts)["system"].unique().tolist() == ["s", "t", "a: s", "a: t"]
    assert test_sets.suffixes(parts) == {"b": "", "a": "-a"}


if (FOLDER / "mrpc" / "test.jsonl").is_file():

    @pytest.mark.parametrize(
        ("name", "task", "size", "references"),
        [
            ("mrpc", "paraphrase", 1147, 1),
            ("parasci_arxiv", "paraphrase", 2549, 1),
            ("quora", "paraphrase", 4000, 1),
            ("mscoco", "paraphrase", 5000, 4),
            ("gigaword", "summary", 1951, 1),
        ],
    )
    def test_human_sets_are_whole(name: str, task: str, size: int, references: int) -> None:
        items = test_sets.load(name, task=task, folder=FOLDER)
        assert len(items) == size
        assert items["references"].map(len).eq(references).all()
        assert len(test_sets.load(name, 10, task=task, folder=FOLDER)) == 10
        other = "summary" if task == "paraphrase" else "paraphrase"
        with pytest.raises(DataError, match="no item for the task"):
            test_sets.load(name, task=other, folder=FOLDER)
