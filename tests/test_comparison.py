from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.data.human_datasets import HUMAN
from impossible.data.io import write_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.corpus_comparison import (
    COPIED_SETS,
    copy_input_readings,
    copy_input_rows,
    detokenized,
    equal_size,
    gather,
    human_corpora,
    human_range,
    own_corpora,
    permuted,
    quality_by_size,
    quality_expected,
    shuffled_control,
)
from impossible.evaluation.corpus_quality import (
    corpus_gap,
    corpus_gaps,
    quality_rows,
    rivals_expected,
)
from impossible.evaluation.judges import Judge, Texts
from impossible.report import paper_tables
from impossible.report.paper_tables import TABLE1
from impossible.text.sentence_boundaries import words

PAIRS = pd.DataFrame(
    [
        ("The cat sat on the mat.", "On the mat sat the cat.", "c0"),
        ("A dog ran home.", "Home ran a dog.", "c1"),
        ("Prices rose sharply.", "There was a sharp rise in prices.", "c2"),
        ("He did n't go .", "He did not go .", "c3"),
    ],
    columns=["source", "target", "context_id"],
)


@pytest.fixture
def human(tmp_path: Path) -> Path:
    """A data folder with a tiny MRPC: two positives and a negative."""
    rows = [
        {"id": "1", "source": "He didn't go.", "target": "He stayed.", "label": 1},
        {"id": "2", "source": "It is cold .", "target": "It 's cold .", "label": 1},
        {"id": "3", "source": "It rained.", "target": "It snowed.", "label": 0},
    ]
    path = tmp_path / HUMAN["mrpc"].file
    path.parent.mkdir()
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("tokenized", "raw"),
    [
        ("He did n't go .", "He didn't go."),
        ("the man 's dog 's tail", "the man's dog's tail"),
        ("`` No , '' they 'll say .", '"No," they\'ll say.'),
        ("It “ is ” Ann’s", 'It "is" Ann\'s'),
        ("a -LRB- b -rrb-", "a (b)"),
    ],
)
def test_a_tokenized_text_has_the_words_of_the_raw_one(tokenized: str, raw: str) -> None:
    assert words(detokenized(tokenized)) == words(raw)


@given(st.text(alphabet="abc .,'\"n`", max_size=30))
def test_detokenizing_keeps_letters_and_adds_nothing(text: str) -> None:
    once = detokenized(text)
    assert [c for c in once if c.isalpha()] == [c for c in text if c.isalpha()]
    assert len(once) <= len(text)


def test_gather_puts_ours_first_and_leaves_out_what_is_empty(human: Path) -> None:
    corpora = gather({"D_T": PAIRS.iloc[:0], "D_para": PAIRS}, str(human))
    assert list(corpora) == ["D_para", HUMAN["mrpc"].title]
    assert list(corpora[HUMAN["mrpc"].title]["target"]) == ["He stayed.", "It's cold ."]
    assert list(corpora["D_para"]["source"])[3] == "He didn't go ."
    assert PAIRS["source"][3] == "He did n't go ."
    assert equal_size(corpora, 10) == 2
    assert equal_size({}, 10) == 10
    assert list(gather({"D_para": PAIRS})) == ["D_para"]


def test_what_is_missing_is_named_without_a_path(human: Path) -> None:
    assert len(human_corpora()[1]) == len(HUMAN)
    some = list(human_corpora(str(human))[1].values())
    assert len(some) == len(HUMAN) - 1
    assert not any(str(human) in sentence for sentence in some)
    assert "ParaSCI" in some[0]
    assert "parasci_arxiv/test.jsonl" in some[0]


def test_rows_have_every_column_of_table_1() -> None:
    rows = quality_rows({"a": PAIRS, "b": PAIRS}, 4, bootstrap=Bootstrap(20))
    assert list(dict.fromkeys(rows["system"])) == ["a", "b"]
    assert set(TABLE1.metrics) <= set(rows["metric"])
    assert (rows[rows["metric"] == "jaccard"]["n"] == 4).all()


def test_shuffled_partners_are_less_alike() -> None:
    control = shuffled_control({"a": PAIRS}, 4).iloc[0]
    assert control["jaccard"] - control["jaccard, shuffled"] > 30
    assert control["self_bleu"] - control["self_bleu, shuffled"] > 10
    assert control[["cosine", "cosine, shuffled"]].isna().all()


def test_entropy_grows_with_the_number_of_pairs() -> None:
    table = quality_by_size({"a": PAIRS, "b": PAIRS.iloc[:3]}, [2, 4])
    assert list(table.columns) == ["corpus", "2", "4"]
    assert table.loc[0, "2"] < table.loc[0, "4"]
    assert table.loc[1].isna().tolist() == [False, False, True]


def test_places_beside_the_human_range() -> None:
    columns = ["system", "metric", "value"]
    values = [("A", "h2", 1.0), ("B", "h2", 3.0), ("D", "h2", 2.0), ("D", "h3", 9.0)]
    rows = pd.DataFrame(
        [*values, ("A", "h3", 1.0), ("E", "h2", 3.5), ("A", "n", 1)], columns=columns
    )
    places = human_range(rows, ["D", "E"])
    assert list(places["place"]) == ["inside", "above", "above"]
    assert list(places["corpus"]) == ["D", "D", "E"]
    assert human_range(rows, []).empty
    assert human_range(rows, ["A", "B", "D", "E"]).empty


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(DataError, match="human_data"):
        gather({"D_para": PAIRS.iloc[:0]})


def test_own_corpora_are_read_where_they_are(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    assert own_corpora(run) == {}
    scores = dict.fromkeys(("p_xy", "p_yx", "rouge_l", "ted"), np.nan)
    frame = PAIRS.assign(pair_id="p", origin="teacher", domain="news", task="paraphrase", **scores)
    write_frame(run.data("dataset_teacher"), frame, DATASET)
    assert list(own_corpora(run)) == ["D_T"]
    other = own_corpora(run, str(run.data("dataset_teacher")))
    assert list(other) == ["D_T", "D_para"]
    assert list(own_corpora(run, str(tmp_path / "nowhere.parquet"))) == ["D_T"]


def test_readings_say_whether_a_number_is_near() -> None:
    rows = pd.DataFrame({"system": "MRPC test positives", "metric": ["bleu", "rouge_l"]})
    readings = copy_input_readings(rows.assign(value=[44.0, 65.0]), paper_tables.COPY_INPUT)
    assert readings == {
        ("MRPC test positives", "rouge_l"): "OUTSIDE ±0.05",
        ("MRPC test positives", "bleu"): "within ±0.5",
    }


def test_copying_scores_against_references(human: Path) -> None:
    rows = copy_input_rows(str(human), bootstrap=Bootstrap(20)).set_index("metric")
    assert set(rows["system"]) == {COPIED_SETS["mrpc"]}
    assert rows.loc["rouge_l", "n"] == 2
    # "he didn t go" / "he stayed": 2·1/(4+2); "it is cold" / "it s cold": 2·2/(3+3)
    assert rows.loc["rouge_l", "value"] == pytest.approx(100 * (1 / 3 + 2 / 3) / 2)
    assert rows.loc["bert_ibleu"].isna()["value"]
    assert copy_input_rows(str(human / "nowhere")).empty
    assert {name for name, _ in paper_tables.COPY_INPUT} == set(COPIED_SETS.values())


def test_a_gap_is_a_difference_of_means_and_a_permuted_corpus_has_the_same_texts() -> None:
    same = lambda xs, ys: np.array([float(x[0] == y[0]) for x, y in zip(xs, ys, strict=True)])  # noqa: E731
    pairs = pd.DataFrame(
        {"source": ["a1", "b1", "c1"], "target": ["a2", "b2", "c2"], "context_id": list("xyz")}
    )
    mixed = permuted(pairs)
    assert sorted(mixed["target"]) == sorted(pairs["target"])
    assert corpus_gap(pairs, mixed, same, bootstrap=Bootstrap(20)).value == 1
    assert corpus_gap(pairs, pairs, same, bootstrap=Bootstrap(20)).bounds == [0, 0, 0]


def test_gaps_of_corpora_by_hand() -> None:
    copies = PAIRS.assign(target=PAIRS["source"])
    corpora = {"copies": copies, "pairs": PAIRS}
    versus = [("copies", "pairs"), ("copies", "copies")]
    gaps = corpus_gaps(corpora, versus, 4, Alike(), Bootstrap(20))
    assert gaps["copies − pairs, fidelity"][0] == 100
    assert gaps["copies − pairs, self_bleu"][0] > 20
    assert gaps["half − other half, fidelity"] == [0, 0, 0]
    assert gaps["copies − pairs, jaccard"][0] > 20


def test_expectations_beside_a_rival_by_hand() -> None:
    gaps = {
        "D_para − trips, self_bleu": [-9.0, -12.0, -6.0],
        "D_para − trips, jaccard": [-1.0, -3.0, 1.0],
        "D_para − trips, fidelity": [-7.0, -9.0, -5.0],
    }
    rows = pd.DataFrame(
        [
            ("D_para", "ted_f", 9.0, 8.0, 10.0, 40),
            ("trips", "ted_f", 5.0, 4.0, 6.0, 40),
            ("gold", "fidelity", 100.0, 100.0, 100.0, 40),
        ],
        columns=["system", "metric", "value", "low", "high", "n"],
    )
    found = rivals_expected(gaps, rows, ["trips"], 40, Judge())
    assert {each.says: each.outcome for each in found} == {
        "Self-BLEU: D_para − trips": "shown",
        "Jaccard: D_para − trips": "open",
        "TED-F: D_para − trips": "shown",
        "equivalent (none), % points: D_para − trips": "refuted",
        "equivalent in the gold corpus, %": "shown",
        "equivalent among shuffled pairs of D_para, %": "not measured",
    }


class Alike(Judge):
    """A judge for whom only copies mean the same."""

    def entails(self, xs: Texts, ys: Texts) -> np.ndarray:
        return np.array([float(x == y) for x, y in zip(xs, ys, strict=True)])


def test_expectations_are_set_against_the_most_alike_human_corpus() -> None:
    rows = pd.DataFrame(
        [
            ("D_para", "jaccard", 30.0, 28.0, 32.0, 9),
            ("D_T", "jaccard", 20.0, 18.0, 22.0, 9),
            ("MRPC", "jaccard", 50.0, 48.0, 52.0, 9),
            ("Quora", "jaccard", 40.0, 38.0, 42.0, 9),
        ],
        columns=["system", "metric", "value", "low", "high", "n"],
    )
    found = quality_expected(rows, ["MRPC", "Quora"], PAIRS, Bootstrap(50))
    said = {each.says: each.outcome for each in found}
    assert said["Jaccard, D_para minus MRPC"] == "shown"
    assert said["Jaccard, D_para minus D_T"] == "refuted"  # 10 more; 3 are allowed
    assert said["Self-BLEU, D_para minus people"] == "not measured"
    assert said["Jaccard, D_para minus its shuffled pairs"] == "shown"
