from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.data.io import read_frame, write_frame
from impossible.data.schemas import PREDICTIONS, SIMILARITIES
from impossible.evaluation.judges import Judge
from impossible.evaluation.paraphrase_metrics import score_predictions
from impossible.evaluation.systems import (
    copy_input,
    gold_reference,
    item_scores,
    mean_rows,
    paired_gain,
    paired_gains,
    predict,
    prompted,
    shuffled,
    student_system,
    text_encoder,
)
from impossible.models.loading import LanguageModel, load_teacher
from impossible.training.student import load_student

ITEMS = pd.DataFrame(
    {
        "id": ["i0", "i1", "i2"],
        "source": ["A dog ran home.", "Prices rose by 3.5 percent.", "He left the town."],
        "references": [["Home ran a dog."] * 2, ["Prices grew.", "They rose."], ["He went.", "x"]],
    }
)


class Likeness:
    """Says 0.9 of everything."""

    def embed(self, sentences: list[str]) -> np.ndarray:
        return np.ones((len(sentences), 2))

    def bert_score(self, candidates: list[str], references: list[str]) -> np.ndarray:
        return np.full(len(candidates), 0.9)


class Verdicts(Judge):
    """The first is equivalent, the second cannot be judged, the third is not."""

    def equivalent(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        return np.resize([1.0, np.nan, 0.0], len(xs))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = tmp_path_factory.mktemp("teacher")
    return load_teacher(str(tiny.save(folder, *tiny.gpt2())), dtype="float32")


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return load_student(str(tiny.save(tmp_path_factory.mktemp("student"), *tiny.t5())))


def test_the_gold_reference_is_kept_from_the_references() -> None:
    systems = {"copy": copy_input, "gold": gold_reference, "moved": shuffled(copy_input)}
    frame = predict(systems, ITEMS)
    assert list(frame["system"]) == ["copy"] * 3 + ["gold"] * 3 + ["moved"] * 3
    gold = frame[frame["system"] == "gold"]
    assert list(gold["output"]) == ["Home ran a dog.", "Prices grew.", "He went."]
    assert list(gold["references"]) == [["Home ran a dog."], ["They rose."], ["x"]]
    moved = frame[frame["system"] == "moved"]
    assert list(moved["output"]) == [*ITEMS["source"][1:], ITEMS["source"][0]]


def test_one_reference_or_none_leaves_the_gold_reference_little() -> None:
    few = ITEMS.assign(references=[["Home ran a dog."], [], ["He went.", "x"]])
    frame = predict({"copy": copy_input, "gold": gold_reference}, few)
    copy, gold = (frame[frame["system"] == name] for name in ("copy", "gold"))
    assert list(copy["references"]) == [["Home ran a dog."], [], ["x"]]
    assert list(gold["item"]) == ["i0", "i2"]
    assert list(gold["references"]) == [[], ["x"]]
    assert paired_gain(item_scores(frame), "gold", "copy", ["self_bleu"])["n"].item() == 2


def test_a_prompted_model_answers_each_item_by_itself(teacher: LanguageModel) -> None:
    system = prompted(teacher, [("He left.", "He went.")], max_new_tokens=12)
    together = system(ITEMS)
    apart = [system(ITEMS.iloc[[i]])[0] for i in range(3)]
    assert together == apart
    assert together != prompted(teacher, max_new_tokens=12)(ITEMS)


def test_a_student_answers_each_item_by_itself(student: LanguageModel) -> None:
    system = student_system(student, 10)
    together = system(ITEMS)
    assert together == [system(ITEMS.iloc[[i]])[0] for i in range(3)]


def test_item_scores_by_hand() -> None:
    found = predict({"copy": copy_input, "gold": gold_reference}, ITEMS, Likeness())
    scores = item_scores(found)
    copy, gold = (scores[scores["system"] == name] for name in ("copy", "gold"))
    assert (copy["bert_ibleu"] == 0).all()
    assert (copy["rouge_l_source"] == 100).all()
    # no word of "He went." beyond "he": ROUGE-L 2·1/(4+2)
    assert gold["rouge_l_source"].iloc[2] == pytest.approx(100 / 3)
    own = gold["self_bleu"].iloc[2] / 100
    assert gold["bert_ibleu"].iloc[2] == pytest.approx(100 * 5 / (4 / 0.9 + 1 / (1 - own)))
    assert item_scores(predict({"copy": copy_input}, ITEMS))["bert_ibleu"].isna().all()
    empty = predict({"none": lambda items: [""] * len(items)}, ITEMS, Likeness())
    assert (item_scores(empty)["bert_ibleu"] == 0).all()


def test_what_is_faithful_and_what_is_also_new() -> None:
    found = predict({"copy": copy_input, "gold": gold_reference}, ITEMS)
    judged = item_scores(found, Verdicts())
    copy, gold = (judged[judged["system"] == name] for name in ("copy", "gold"))
    assert copy["fidelity"].tolist()[::2] == [100, 0]
    assert copy["paraphrase"].tolist()[::2] == [0, 0]  # a copy is not new
    assert np.isnan(copy["paraphrase"].iloc[1])  # but what cannot be judged is missing
    near = gold["rouge_l_source"] <= 75
    assert near.any()
    assert gold["paraphrase"][near].equals(gold["fidelity"][near])
    assert item_scores(found)[["fidelity", "paraphrase"]].isna().all(axis=None)


def test_scores_come_from_stored_predictions_without_a_model(tmp_path: Path) -> None:
    found = predict({"copy": copy_input, "gold": gold_reference}, ITEMS, Likeness())
    path = write_frame(tmp_path / "predictions.parquet", found, PREDICTIONS)
    again = read_frame(path, PREDICTIONS)
    assert item_scores(again).equals(item_scores(found))
    assert score_predictions(again).equals(score_predictions(found, Likeness()))
    bare = found.drop(columns=["encoder", *SIMILARITIES])
    assert score_predictions(bare).set_index("metric").loc["bert_ibleu", "value"].isna().all()


def test_a_paired_interval_is_narrower_than_the_noise_both_share() -> None:
    rng = np.random.default_rng(0)
    hard = rng.normal(50, 20, 200)
    items = [f"i{n}" for n in range(200)]
    better = hard + 2 + rng.normal(0, 1, 200)
    scores = pd.DataFrame(
        {"system": ["a"] * 200 + ["b"] * 200, "item": items * 2, "s": [*better, *hard]}
    )
    scores = scores.sample(frac=1, random_state=0)
    gain = paired_gain(scores, "a", "b", ["s"]).iloc[0]
    assert gain["system"] == "a − b"
    assert 1.5 < gain["low"] < gain["value"] < gain["high"] < 2.5
    alone = mean_rows(scores, ["s"]).set_index("system")
    assert alone.loc["a", "low"] < alone.loc["b", "high"]
    assert paired_gain(scores, "a", "a", ["s"]).iloc[0]["value"] == 0
    several = paired_gains(scores, [("b", "a"), ("a", "none"), ("a", "b")], ["s"])
    assert several["system"].tolist() == ["b − a", "a − b"]
    assert several["value"].tolist() == pytest.approx([-gain["value"], gain["value"]])
    assert paired_gains(scores, [("a", "none")], ["s"]).empty


def test_missing_items_are_left_out_not_zero() -> None:
    scores = pd.DataFrame({"system": "a", "item": list("xyz"), "s": [1.0, np.nan, 0.0]})
    row = mean_rows(scores, ["s"]).iloc[0]
    assert (row["value"], row["n"]) == (0.5, 2)


def test_none_is_no_encoder(tmp_path: Path) -> None:
    assert text_encoder("none") is None
    folder = tiny.save(tmp_path / "encoder", *tiny.encoder())
    found = text_encoder(str(folder))
    assert found is not None
    assert found.embed(["a"]).shape == (1, 32)
