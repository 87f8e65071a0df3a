"""Assessing models: fractions and curves by hand, likelihood against a naive computation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from impossible.errors import ModelError
from impossible.evaluation.calibration import (
    calibration_curve,
    calibration_error,
    fraction,
    fractions,
)
from impossible.evaluation.prompting import answers, few_shot, tldr, zero_shot
from impossible.models.likelihood import perplexity, surprise
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.world.assessment import judged_examples, model_card
from impossible.world.recipes import examples


def lm(window: int = 128) -> LanguageModel:
    return LanguageModel(*tiny.gpt2(window=window), "tiny", "0")


def test_wilson_interval_by_hand() -> None:
    found = fraction([1, 1, 1, 1, 1, 1, 1, 1, 1, 1])  # low = n / (n + z²), z = 1.96
    assert (found.value, found.n) == (1.0, 10)
    assert found.low == pytest.approx(0.7225, abs=1e-4)
    assert found.high == pytest.approx(1)
    assert np.isnan(fraction([float("nan")]).value)


def test_shares_per_group_in_natural_order() -> None:
    frame = pd.DataFrame(
        {
            "words": ["11–15", "6–10", "26 or more", "6–10"],
            "edit": ["negate", "none", "drop modifier", "none"],
            "correct": [1, 1, 0, 0],
        }
    )
    found = fractions(frame, ["words", "edit"], "correct")
    assert found["group"].tolist() == [
        "words: 6–10", "words: 11–15", "words: 26 or more",
        "edit: none", "edit: drop modifier", "edit: negate",
    ]  # fmt: skip
    assert found["value"].tolist() == [0.5, 1, 0, 0.5, 0, 1]
    assert fractions(frame, ["edit"], "correct")["group"].tolist()[0] == "none"


def test_calibration_by_hand() -> None:
    curve = calibration_curve([0.05, 0.05, 0.95, 1.0], [0, 1, 1, 1])
    assert curve["predicted"].tolist() == pytest.approx([0.05, 0.975])
    assert curve["observed"].tolist() == [0.5, 1.0]
    assert calibration_error(curve) == pytest.approx((0.45 * 2 + 0.025 * 2) / 4)


def test_honest_predictions_are_calibrated_and_shuffled_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    truth = rng.random(20_000) < p
    assert calibration_error(calibration_curve(p, truth)) < 0.02
    assert calibration_error(calibration_curve(rng.permutation(p), truth)) > 0.2


def test_examples_are_judged_with_their_traits() -> None:
    critic = EntailmentCritic(LanguageModel(*tiny.critic(), "tiny", "0"))
    drawn = examples(8, seed=1, split="test", noise=0.0)
    short = [e for e in drawn if len(e.premise) + len(e.hypothesis) < 150]
    frame = judged_examples(critic, short)
    assert frame["gold"].tolist() == [e.gold for e in short]
    chances = frame[[f"p_{label}" for label in tiny.LABELS]].to_numpy()
    assert np.allclose(chances.sum(axis=1), 1)
    assert frame["predicted"].tolist() == [tiny.LABELS[i] for i in chances.argmax(axis=1)]
    assert set(frame["negation"]) <= {"neither", "one", "both"}
    assert set(frame["numbers"]) <= {"yes", "no"}


def test_surprise_is_the_naive_one_in_any_batch() -> None:
    model = lm()
    contexts = [tiny.PREFIX, f"{tiny.PREFIX} {tiny.SENTENCES[0]}", tiny.PREFIX]
    sentences = tiny.SENTENCES[1:4]
    found = surprise(model, contexts, sentences)
    for i, (context, sentence) in enumerate(zip(contexts, sentences, strict=True)):
        start = len(model.tokenizer(context).input_ids)
        ids = torch.tensor([model.tokenizer(f"{context} {sentence}").input_ids])
        with torch.no_grad():
            chances = model.model(input_ids=ids).logits[0].log_softmax(-1)
        naive = -sum(float(chances[t - 1, ids[0, t]]) for t in range(start, ids.shape[1]))
        assert found["nats"][i] == pytest.approx(naive, rel=1e-5)
        assert found["tokens"][i] == ids.shape[1] - start
    assert perplexity(found) == pytest.approx(np.exp(found["nats"].sum() / found["tokens"].sum()))
    assert np.isnan(perplexity(found.iloc[:0]))


def test_surprise_refuses_what_does_not_fit() -> None:
    with pytest.raises(ModelError, match="window of 16"):
        surprise(lm(window=16), [tiny.PREFIX], [tiny.SENTENCES[1]])
    with pytest.raises(ModelError, match="empty"):
        surprise(lm(), [""], [tiny.SENTENCES[1]])


def test_prompts_and_answers() -> None:
    source = tiny.SENTENCES[0]
    assert tldr(source) == f"{source} TL;DR:"
    assert zero_shot(source, tiny.PREFIX) == f"{tiny.PREFIX} {source} In other words,"
    prompt = few_shot(source, [(tiny.SENTENCES[2], tiny.SENTENCES[3])])
    assert prompt.count("Sentence:") == 2
    assert prompt.endswith("Paraphrase:")
    both = answers(lm(), [zero_shot(source), prompt * 5], 12)  # the second exceeds the window
    assert len(both) == 2
    assert both == answers(lm(), [zero_shot(source), prompt * 5], 12)


def test_model_card_reads_the_notes(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "m", *tiny.gpt2())
    assert model_card("teacher", lm(), folder)["steps"] is None
    (folder / "recipe.json").write_text('{"steps": 7, "texts": 3}')
    card = model_card("teacher", lm(), folder)
    assert (card["steps"], card["texts"], card["architecture"]) == (7, 3, "GPT2LMHeadModel")
    assert card["parameters (M)"] > 0 < card["weights (MB)"]
