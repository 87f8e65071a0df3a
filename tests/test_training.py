"""Training: models learn, runs resume and repeat, the best weights are kept, bad input is told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from impossible.errors import DataError, ModelError
from impossible.models.batching import IGNORE, mean_pool, padded
from impossible.training.checkpoints import last_checkpoint, own_folder
from impossible.training.objectives import train_causal_lm, train_classifier
from impossible.training.trainer import TrainingSettings, steps_for, train_model
from impossible.world.pretraining import (
    span_corruption,
    train_encoder,
    train_masked_lm,
    train_shared_words,
    train_span_corruption,
)
from transformers import RobertaForMaskedLM, RobertaForTokenClassification

QUICK = TrainingSettings(30, 3e-3, batch_size=8, dtype="float32", evaluate_every=10)
PAIRS = [(tiny.SENTENCES[i], tiny.SENTENCES[i + 1]) for i in (0, 2, 4, 6)]


def weights(model: Any) -> np.ndarray:
    return torch.cat([w.detach().flatten() for w in model.parameters()]).numpy()


def examples(tok: Any) -> list[dict[str, Any]]:
    return [{"input_ids": row, "labels": row} for row in tok(tiny.SENTENCES).input_ids]


def collate(chosen: Any) -> dict[str, torch.Tensor]:
    rows = [each["labels"] for each in chosen]
    return {"input_ids": padded(rows, 0), "labels": padded(rows, IGNORE)}


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"batch_size": 0}, {"learning_rate": 0.0}, {"warmup": 1.0}, {"final_rate": 2.0}],
)
def test_settings_out_of_range_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="got"):
        TrainingSettings(**{"steps": 10, **wrong})


def test_steps_for_counts_whole_batches() -> None:
    assert steps_for(1000, 64, 3) == 48
    assert steps_for(1, 64, 0.1) == 1


def test_the_rate_rises_linearly_and_then_falls_as_a_cosine() -> None:
    model, tok = tiny.gpt2()
    settings = TrainingSettings(20, 1e-3, 8, warmup=0.1, final_rate=0.1, evaluate_every=1)
    rates = train_model(model, examples(tok), collate, settings).curve["learning_rate"] / 1e-3
    assert rates[:3].tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert rates[11] == pytest.approx(0.1 + 0.9 * 0.5, abs=0.1)  # half way down
    assert rates.iloc[-1] == pytest.approx(0.1, abs=0.02)


def test_causal_lm_learns_its_documents() -> None:
    model, tok = tiny.gpt2()
    history = train_causal_lm(model, tok, tiny.SENTENCES, QUICK, dev=tiny.SENTENCES[:2])
    losses = history.curve["train_loss"]
    assert losses.iloc[-1] < 0.7 * losses[0]
    assert history.curve["step"].tolist() == [10, 20, 30]
    assert history.best_step == 30
    assert not model.training


def test_classifier_learns() -> None:
    pairs = [(a, b) for a in tiny.SENTENCES for b in tiny.SENTENCES]
    labels = [1 if a == b else 0 for a, b in pairs]
    model, tok = tiny.critic()
    settings = TrainingSettings(40, 3e-3, 32, dtype="float32")
    history = train_classifier(model, tok, pairs, labels, settings, dev=(pairs, labels))
    assert history.best_loss < 0.4
    with pytest.raises(DataError, match="64 pairs but 1 labels"):
        train_classifier(model, tok, pairs, [0], settings)


def test_the_stages_of_pretraining_learn() -> None:
    model, tok = tiny.t5()
    history = train_span_corruption(model, tok, tiny.SENTENCES, QUICK, tiny.SENTENCES)
    assert history.curve["dev_loss"].iloc[-1] < history.curve["dev_loss"][0]
    model, tok = tiny.critic()
    tok.add_special_tokens({"mask_token": "<unk>"})
    for kind, train in (
        (RobertaForMaskedLM, train_masked_lm),
        (RobertaForTokenClassification, train_shared_words),
    ):
        losses = train(kind(model.config), tok, PAIRS, QUICK).curve["train_loss"]
        assert losses.iloc[-1] < losses[0]


def test_encoder_brings_pairs_together() -> None:
    model, tok = tiny.encoder()

    def margin() -> float:
        """Mean cosine of pairs minus that of all combinations."""
        texts = [x for x, _ in PAIRS] + [y for _, y in PAIRS]
        batch = tok(texts, return_tensors="pt", padding=True, return_token_type_ids=False)
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state
        x, y = mean_pool(hidden, batch["attention_mask"]).chunk(2)
        return float((x * y).sum(1).mean() - (x @ y.T).mean())

    before = margin()
    train_encoder(model, tok, PAIRS, QUICK, PAIRS)
    assert margin() > before + 0.1


class Interrupted(Exception):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("stop_at", [2, 5, 9])
def test_an_interrupted_run_ends_with_the_same_weights(
    tmp_path: Path, stop_at: int, dropout: float
) -> None:
    def run(stop: int, folder: Path | None) -> tuple[Any, Any]:
        model, tok = tiny.gpt2()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = dropout
        calls = [0]

        def counted(chosen: Any) -> dict[str, torch.Tensor]:
            calls[0] += 1
            if calls[0] == stop:
                raise Interrupted
            return collate(chosen)

        # two batches an epoch, a checkpoint after each epoch
        settings = TrainingSettings(10, 1e-2, 4, evaluate_every=2, patience=9, seed=3)
        return train_model(
            model, examples(tok), counted, settings, examples(tok)[:3], folder
        ), model

    expected, whole = run(-1, None)
    folder = tmp_path / "training"
    with pytest.raises(Interrupted):
        run(stop_at, folder)
    got, again = run(-1, folder)
    assert got.curve.equals(expected.curve)
    assert np.array_equal(weights(again), weights(whole))
    assert not folder.exists()


def test_checkpoints_of_other_data_and_torn_ones_are_not_used(tmp_path: Path) -> None:
    model, tok = tiny.gpt2()
    other, _ = tiny.gpt2()
    torn = tmp_path / "training" / "other" / "checkpoint-7"
    torn.mkdir(parents=True)
    train_model(model, examples(tok), collate, QUICK, checkpoints=tmp_path / "training")
    train_model(other, examples(tok), collate, QUICK)
    assert np.array_equal(weights(model), weights(other))
    torn.mkdir(parents=True)
    assert last_checkpoint(own_folder(tmp_path / "training", "other")) is None
    assert not torn.exists()


def test_early_stopping_restores_the_best_weights() -> None:
    model, tok = tiny.gpt2()
    seen: list[np.ndarray] = []
    values = iter([3.0, 1.0, 2.0, 2.5, 9.0])

    def loss(module: Any, batch: Any) -> torch.Tensor:
        if module.training:
            return module(**batch).loss
        seen.append(weights(module).copy())
        return torch.tensor(next(values))

    settings = TrainingSettings(50, 1e-2, 8, evaluate_every=1, patience=2, dtype="float32")
    history = train_model(model, examples(tok), collate, settings, examples(tok)[:2], loss=loss)
    assert history.stopped_early
    assert (history.best_step, history.best_loss, len(history.curve)) == (2, 1.0, 4)
    assert np.array_equal(weights(model), seen[1])
    assert set(history.curve) == {"step", "epoch", "learning_rate", "train_loss", "dev_loss"}


def test_the_last_step_is_evaluated_though_it_is_no_multiple() -> None:
    model, tok = tiny.gpt2()
    settings = TrainingSettings(5, 1e-3, 8, evaluate_every=2, dtype="float32")
    history = train_model(model, examples(tok), collate, settings, examples(tok))
    assert history.curve["step"].tolist() == [2, 4, 5]
    assert history.best_step == 5


def test_nothing_to_train_on_is_told() -> None:
    model, tok = tiny.gpt2()
    with pytest.raises(DataError, match="training set is empty"):
        train_causal_lm(model, tok, [], QUICK)
    with pytest.raises(DataError, match="extra_id_0"):
        train_span_corruption(model, tok, ["a b"], QUICK)


def test_a_diverging_run_is_told() -> None:
    model, tok = tiny.gpt2()
    settings = TrainingSettings(3, batch_size=8, dtype="float32", evaluate_every=1)
    with pytest.raises(ModelError, match="lower the learning rate"):
        train_model(
            model, examples(tok), collate, settings, loss=lambda m, b: m(**b).loss * math.nan
        )


@given(st.lists(st.integers(100, 999), min_size=2, max_size=80), st.integers(0, 9))
def test_span_corruption_can_be_undone(ids: list[int], seed: int) -> None:
    sentinels = list(range(20))
    source, target = span_corruption(ids, np.random.default_rng(seed), sentinels)
    restored: list[int] = []
    for token in source:
        if token in sentinels:
            start = target.index(token) + 1
            end = target.index(token + 1)
            assert end > start  # no span is empty
            restored += target[start:end]
        else:
            restored.append(token)
    assert restored == ids
    masked = sum(token not in sentinels for token in target)
    assert masked == min(max(round(len(ids) * 0.15), 1), len(ids) - 1)


def test_padding_by_hand() -> None:
    assert padded([[1, 2, 3], [4]], IGNORE).tolist() == [[1, 2, 3], [4, IGNORE, IGNORE]]
    hidden = torch.tensor([[[3.0, 4.0], [9.0, 9.0]]])
    mask = torch.tensor([[1, 0]])
    assert mean_pool(hidden, mask).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]]
