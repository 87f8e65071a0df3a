"""Students: the split, the schedule, and files that do not depend on interruptions."""

from __future__ import annotations

from functools import partial

import pandas as pd
import pytest
import tiny
import torch
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, read_json
from impossible.errors import DataError
from impossible.models.loading import digest, load_student
from impossible.training.objectives import TrainingSettings, train_seq2seq
from impossible.training.student import loss_curve, settings_for, split_by_context, train_student

GIVEN = {"student_epochs": 2, "student_batch_size": 4, "student_dev_fraction": 0.25}


def corpus(n: int = 12, per_context: int = 2) -> pd.DataFrame:
    rows = [
        {"source": f"{tiny.SENTENCES[i % 8]}", "target": tiny.SENTENCES[(i + 1) % 8],
         "context_id": f"c{i // per_context}"}
        for i in range(n)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_no_context_is_on_both_sides_whatever_the_order():
    frame = corpus(40, 4)
    train, dev = split_by_context(frame, 0.3)
    assert len(train) + len(dev) == 40
    assert not set(train["context_id"]) & set(dev["context_id"])
    assert dev["context_id"].nunique() == 3  # 0.3 x 10 contexts
    again = split_by_context(frame.iloc[::-1], 0.3)[1]
    assert set(again["context_id"]) == set(dev["context_id"])
    assert set(split_by_context(frame, 0.3, seed=1)[1]["context_id"]) != set(dev["context_id"])


def test_one_context_leaves_nothing_for_dev():
    train, dev = split_by_context(corpus(4, 4), 0.5)
    assert len(train) == 4
    assert dev.empty


def test_settings_evaluate_once_an_epoch():
    settings = settings_for(130, Params.validated({"student_epochs": 3}, "test"))
    assert settings.steps == 9  # ceil(130 / 64) = 3 batches an epoch
    assert settings.interval == 3


def test_training_saves_a_student_that_loads_and_repeats(tmp_path):
    run, params = RunFolder.open(tmp_path), Params.validated(GIVEN, "test")
    digests = []
    for name in ("one", "two"):
        base = load_student(str(tiny.save(tmp_path / "base", *tiny.t5())))
        trained = train_student(corpus(), base, params, run, name)
        digests.append(digest(run.models / name))
        assert trained.student.digest == digests[-1]
    assert digests[0] == digests[1] != base.digest
    metrics = read_json(run.models / "one" / "metrics.json")
    assert metrics["last_step"] <= 6
    assert not list(run.work.glob("*.safetensors"))
    curve = loss_curve(trained.history, "two")
    assert set(curve["split"]) == {"train", "dev"}
    assert set(curve["run"]) == {"two"}


def test_a_fixed_number_of_passes_holds_nothing_out_and_never_stops(tmp_path):
    run = RunFolder.open(tmp_path)
    params = Params.validated(GIVEN | {"student_patience": 1}, "test")
    load = partial(load_student, str(tiny.save(tmp_path / "base", *tiny.t5())))
    trained = train_student(corpus(), load(), params, run, "fixed", passes=9)
    assert trained.recipe["steps"] == 27  # 12 pairs, 4 a step
    assert (trained.recipe["pairs"], trained.recipe["dev_pairs"]) == (12, 0)
    assert (trained.metrics["last_step"], trained.metrics["stopped_early"]) == (27, False)
    assert "dev_loss" not in trained.metrics
    by_hand, pairs = load(), list(zip(corpus()["source"], corpus()["target"], strict=True))
    settings = TrainingSettings(27, params.student_learning_rate, params.student_warmup)
    train_seq2seq(by_hand.model, by_hand.tokenizer, pairs, settings, 4)
    found, wanted = trained.student.model.state_dict(), by_hand.model.state_dict()
    assert all(torch.allclose(found[name], wanted[name], atol=1e-2) for name in wanted)


def test_empty_corpus_is_one_sentence(tmp_path):
    run, params = RunFolder.open(tmp_path), Params.validated(GIVEN, "test")
    base = load_student(str(tiny.save(tmp_path / "base", *tiny.t5())))
    with pytest.raises(DataError, match="no pair to train student on"):
        train_student(corpus(0), base, params, run, "student")
