"""Training: loops learn, resume bit-equal, batches are functions of the seed, bad input is told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from impossible.errors import DataError, ModelError
from impossible.models.batching import IGNORE, bucketed, mean_pool, padded, span_corruption
from impossible.training.loop import History, TrainingSettings, fit
from impossible.training.objectives import (
    steps_for,
    train_causal_lm,
    train_classifier,
    train_encoder,
    train_seq2seq,
    train_span_corruption,
)

QUICK = TrainingSettings(steps=30, learning_rate=3e-3, dtype="float32", evaluate_every=10)


def weights(model: Any) -> np.ndarray:
    return torch.cat([w.detach().flatten() for w in model.parameters()]).numpy()


def test_rate_rises_linearly_then_falls_as_a_cosine() -> None:
    settings = TrainingSettings(steps=100, learning_rate=1.0, warmup=0.1, final_rate=0.1)
    assert settings.rate(0) == pytest.approx(0.1)
    assert settings.rate(9) == pytest.approx(1.0)
    assert settings.rate(55) == pytest.approx(0.1 + 0.9 * 0.5)  # half way down
    assert settings.rate(99) == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"learning_rate": 0.0}, {"warmup": 1.0}, {"final_rate": 2.0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="got"):
        TrainingSettings(**{"steps": 10, **wrong})


def test_steps_for_counts_whole_batches() -> None:
    assert steps_for(1000, 64, 3) == 48
    assert steps_for(1, 64, 0.1) == 1


def test_causal_lm_learns_its_documents() -> None:
    model, tok = tiny.gpt2()
    history = train_causal_lm(model, tok, tiny.SENTENCES, QUICK, 8, dev=tiny.SENTENCES[:2])
    assert history.rows[-1]["train_loss"] < 0.7 * history.rows[0]["train_loss"]
    assert [row["step"] for row in history.rows] == [10, 20, 30]
    assert history.best_step == 30
    assert not model.training


def test_dev_loss_is_the_mean_over_label_tokens() -> None:
    model, tok = tiny.gpt2()
    settings = TrainingSettings(steps=1, learning_rate=1e-9, dtype="float32", evaluate_every=1)
    history = train_causal_lm(model, tok, tiny.SENTENCES, settings, 3, dev=tiny.SENTENCES)
    losses, counts = [], []
    for sentence in tiny.SENTENCES:
        ids = torch.tensor([[*tok(sentence).input_ids, tok.eos_token_id]])
        losses.append(float(model(input_ids=ids, labels=ids).loss.detach()))
        counts.append(ids.shape[1])
    # GPT-2 counts all but the first token of a row; weights by row length differ from it slightly
    assert history.rows[0]["dev_loss"] == pytest.approx(
        np.average(losses, weights=counts), rel=0.02
    )


def test_classifier_learns() -> None:
    pairs = [(a, b) for a in tiny.SENTENCES for b in tiny.SENTENCES]
    labels = [1 if a == b else 0 for a, b in pairs]
    model, tok = tiny.critic()
    settings = TrainingSettings(steps=40, learning_rate=3e-3, dtype="float32")
    history = train_classifier(model, tok, pairs, labels, settings, 32, dev=(pairs, labels))
    assert history.best_loss < 0.4
    with pytest.raises(DataError, match="64 pairs but 1 labels"):
        train_classifier(model, tok, pairs, [0], settings)


def test_seq2seq_and_span_corruption_learn() -> None:
    pairs = list(zip(tiny.SENTENCES, reversed(tiny.SENTENCES), strict=True))
    model, tok = tiny.t5()
    history = train_seq2seq(model, tok, pairs, QUICK, 8)
    assert history.rows[-1]["train_loss"] < history.rows[0]["train_loss"]
    model, tok = tiny.t5()
    history = train_span_corruption(model, tok, tiny.SENTENCES, QUICK, 8, dev=tiny.SENTENCES)
    assert history.rows[-1]["dev_loss"] < history.rows[0]["dev_loss"]


def test_encoder_brings_pairs_together() -> None:
    pairs = [(tiny.SENTENCES[i], tiny.SENTENCES[i + 1]) for i in (0, 2, 4, 6)]
    model, tok = tiny.encoder()

    def margin() -> float:
        """Mean cosine of pairs minus that of all combinations."""
        texts = [x for x, _ in pairs] + [y for _, y in pairs]
        batch = tok(texts, return_tensors="pt", padding=True, return_token_type_ids=False)
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state
        x, y = mean_pool(hidden, batch["attention_mask"]).chunk(2)
        return float((x * y).sum(1).mean() - (x @ y.T).mean())

    before = margin()
    train_encoder(model, tok, pairs, QUICK, 4)
    assert margin() > before + 0.1


class Interrupted(Exception):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize("stop_at", [3, 13, 17])
def test_an_interrupted_run_ends_with_the_same_weights(tmp_path: Path, stop_at: int) -> None:
    settings = TrainingSettings(steps=20, evaluate_every=5, checkpoint_every=2, seed=3)
    dev_calls = [0]

    def run(model: torch.nn.Module, stop: int, checkpoint: Path | None) -> History:
        rows = torch.arange(40.0).reshape(10, 4) / 40
        steps = [0]

        def batches(epoch: int) -> Iterator[dict[str, torch.Tensor]]:
            order = np.random.default_rng([0, epoch]).permutation(10)
            for i in range(0, 10, 3):
                yield {"x": rows[order[i : i + 3]]}

        def loss(module: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            steps[0] += 1
            if steps[0] == stop:
                raise Interrupted
            return (module(batch["x"]).float() - batch["x"].sum(1, keepdim=True)).square().mean()

        def dev() -> float:
            dev_calls[0] += 1
            return float((model(rows).float() - rows.sum(1, keepdim=True)).square().mean())

        return fit(model, batches, loss, settings, dev, checkpoint)

    def build() -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)
        )

    whole, broken = build(), build()
    expected = run(whole, -1, None)
    file = tmp_path / "run" / "checkpoint.safetensors"
    with pytest.raises(Interrupted):
        run(broken, stop_at, file)
    again = build()
    got = run(again, -1, file)
    assert got == expected
    assert np.array_equal(weights(again), weights(whole))
    assert not file.exists()


def test_a_checkpoint_of_other_data_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "c.safetensors"
    file.write_bytes(b"not safetensors")
    model, tok = tiny.gpt2()
    other, _ = tiny.gpt2()
    train_causal_lm(model, tok, tiny.SENTENCES, QUICK, 4, checkpoint=file)
    train_causal_lm(other, tok, tiny.SENTENCES, QUICK, 4)
    assert np.array_equal(weights(model), weights(other))


def test_early_stopping_restores_the_best_weights() -> None:
    model = torch.nn.Linear(1, 1)
    values = iter([3.0, 1.0, 2.0, 2.5, 9.0])
    seen: list[np.ndarray] = []

    def dev() -> float:
        seen.append(weights(model).copy())
        return next(values)

    def batches(epoch: int) -> Iterator[dict[str, torch.Tensor]]:
        yield {"x": torch.ones(1, 1)}

    settings = TrainingSettings(steps=50, evaluate_every=1, patience=2, dtype="float32")
    history = fit(model, batches, lambda m, b: m(b["x"]).square().sum(), settings, dev)
    assert history.stopped_early
    assert (history.best_step, history.best_loss, len(history.rows)) == (2, 1.0, 4)
    assert np.array_equal(weights(model), seen[1])
    assert history.csv().splitlines()[0] == "step,epoch,learning_rate,train_loss,dev_loss"


def test_nothing_to_train_on_is_told() -> None:
    model, tok = tiny.gpt2()
    with pytest.raises(DataError, match="training set is empty"):
        train_causal_lm(model, tok, [], QUICK)
    with pytest.raises(DataError, match="extra_id_0"):
        train_span_corruption(model, tok, ["a b"], QUICK)


def test_a_diverging_run_is_told() -> None:
    model = torch.nn.Linear(1, 1)
    settings = TrainingSettings(steps=3, dtype="float32")
    with pytest.raises(ModelError, match="lower the learning rate"):
        fit(
            model,
            lambda epoch: iter([{"x": torch.ones(1, 1)}]),
            lambda m, b: m(b["x"]).sum() * math.nan,
            settings,
        )


@given(st.lists(st.integers(1, 30), min_size=1, max_size=200), st.integers(1, 9), st.integers(0, 3))
def test_an_epoch_shows_every_example_once(lengths: list[int], size: int, epoch: int) -> None:
    seen: list[int] = []

    def collate(chosen: Any, number: int) -> dict[str, torch.Tensor]:
        assert number == epoch
        seen.extend(chosen)
        return {}

    list(bucketed(lengths, collate, size, 0)(epoch))
    assert sorted(seen) == list(range(len(lengths)))
    first, seen[:] = list(seen), []
    list(bucketed(lengths, collate, size, 0)(epoch))
    assert seen == first


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
