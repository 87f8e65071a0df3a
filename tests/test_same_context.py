"""The context that notebooks 03 to 07 follow, and what each of them says of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from impossible.config.params import Params
from impossible.data.digests import digest
from impossible.data.io import read_frame, read_object, write_json
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.experiments import same_context
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds
from impossible.report.blind_readings import read_fractions, read_run, said_in, said_of

LIMITS = Thresholds.paraphrase(Params.load("base"))


def sentences() -> pd.DataFrame:
    texts = {
        "alike": ["Rain fell in May.", "Rain fell in Lima.", "Rain fell."],
        "b": ["A cat sat.", "Prices rose."],
        "c": ["He left.", "The bank lent."],
        "d": ["One.", "Rain fell in May today."],
        "refused": ["Same words here.", "Same words here now."],
    }
    rows = [(name, text, "no_end" if name == "refused" else "")
            for name, part in texts.items() for text in part]  # fmt: skip
    return pd.DataFrame(rows, columns=["context_id", "text", "reason"])


def test_the_context_is_that_of_like_sentences_whatever_their_order() -> None:
    assert same_context.context_to_follow(sentences(), 0) == "alike"
    mixed = sentences().sample(frac=1, random_state=3)
    assert same_context.context_to_follow(mixed, 0) == "alike"
    many = pd.concat([
        sentences().query("context_id == 'alike'").assign(context_id=str(i)) for i in range(40)
    ])  # fmt: skip
    drawn = {same_context.context_to_follow(many, seed) for seed in range(9)}
    assert len(drawn) > 1, "the seed decides among equals"


def test_its_sentences_are_told_after_it() -> None:
    contexts = pd.DataFrame({"context_id": ["b", "alike"], "text": ["Of b.", "Of rain."]})
    told = same_context.followed_sentences(contexts, sentences(), "alike", 0)
    assert told["text"].iloc[0] == "Of rain."
    assert set(told["text"][1:]) == {"Rain fell in May.", "Rain fell in Lima.", "Rain fell."}


def scored(p: list[float]) -> pd.DataFrame:
    frame = pd.DataFrame({"context_id": "a", "input_id": "i", "x": "x", "p_xy": p, "p_yx": p})
    return hand_scored(frame.assign(y=[f"y{i}" for i in range(len(p))], rouge_l=0.5), LIMITS)


def test_pairs_come_with_the_nearest_miss_and_its_reason() -> None:
    shown = same_context.followed_pairs(scored([0.1, 0.7, 0.9, 0.8, 0.76]), LIMITS, "a")
    assert shown.sentence == "Of 5 scored pairs, all critics accept: 3."
    assert shown.table["y"].tolist() == ["y2", "y3", "y1", "y0"]
    assert shown.table["verdict"].tolist()[2] == "entailment: 0.70 < 0.75"


def test_a_pair_and_its_mirror_are_one_to_look_at() -> None:
    both = scored([0.9, 0.8])
    both.loc[1, ["x", "y"]] = ["y0", "x"]
    shown = same_context.followed_pairs(both, LIMITS, "a")
    assert shown.sentence == "Of 2 scored pairs, all critics accept: 2."
    assert shown.table["y"].tolist() == ["y0"]


def test_candidates_of_one_input_end_in_one_choice() -> None:
    candidates = scored([0.9, 0.8, 0.2])
    dataset = pd.DataFrame({"source": ["x"], "target": ["y1"]})
    shown = same_context.candidates_of_one(candidates, dataset, LIMITS)
    assert shown.sentence == "Of 3 scored pairs, chosen: 1."
    assert shown.table["verdict"].iloc[:2].tolist() == [
        "kept", "passes, but another candidate is further from x",
    ]  # fmt: skip


def test_a_context_without_a_pair_is_said_to_have_none() -> None:
    dataset = pd.DataFrame({"context_id": ["a"], "source": ["x"], "target": ["y"]})
    pair = same_context.followed_source(dataset, "b", 0)
    told = same_context.followed_writers(pair, {"student": ""}, "b")
    assert told["what"].iloc[0].endswith("the followed one has none")
    assert told["text"].iloc[-1] == "(nothing)"
    assert "none is in the dataset" in same_context.followed_dataset(dataset, dataset, "b", True)
    assert "1 ordered pair" in same_context.followed_dataset(dataset, dataset, "a", True)


def test_readers_are_quoted_with_the_run_that_they_read(tmp_path: Path) -> None:
    mine, other = (RunFolder.open(tmp_path / part / "same name") for part in ("a", "b"))
    assert said_of(["D_T"], mine, tmp_path) == ""
    mine.data("dataset_teacher").write_bytes(b"what was read")
    other.data("dataset_teacher").write_bytes(b"damaged, and no Parquet")
    both = {"reader_1": True, "reader_2": True, "new": True, "source": "A.", "target": "B."}
    found = {"run": "same name", "dataset_teacher": digest(mine.data("dataset_teacher"))}
    found["pairs"] = [{"of": "D_T", **both}]
    write_json(tmp_path / "readings.json", found)
    told = "Two blind readers both call the same, {}: D_T 100 %."
    assert said_of(["D_T", "D_para"], mine, tmp_path) == told.format("of this run")
    assert said_of(["D_T"], other, tmp_path) == told.format("of the run same name")
    assert said_in("07_self_distillation", mine, tmp_path) == told.format("of this run")
    assert said_in("06_student", mine, tmp_path) == ""
    write_json(tmp_path / "readings.json", {"pairs": found["pairs"]})
    assert said_of(["D_T"], mine, tmp_path) == told.format("of another run")


def test_the_published_readings_name_the_dataset_that_was_read() -> None:
    results = Path(__file__).parents[1] / "results"
    found = read_object(results / "readings.json")
    run = RunFolder(results / found["run"])
    assert read_run(run)
    read = {(pair["source"], pair["target"]) for pair in found["pairs"] if pair["of"] == "D_T"}
    fractions = read_fractions(run).set_index("group")
    mine = [pair for pair in found["pairs"] if pair["of"] == "D_T"]
    refused = [pair for pair in mine if not (pair["reader_1"] and pair["reader_2"])]
    assert fractions.loc["D_T", ["n", "refused"]].tolist() == [len(mine), len(refused)]
    assert fractions.loc["D_T", "accepted"] == sum(pair["referee"] for pair in refused)
    assert not len(read_fractions(RunFolder(results / "english")))
    frame = read_frame(run.data("dataset_teacher"), DATASET)
    assert read <= set(zip(frame["source"], frame["target"], strict=True))
