"""Assessing models: fractions and curves by hand, likelihood against a naive computation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from impossible.errors import ModelError
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_mean, bootstrap_rate
from impossible.evaluation.calibration import (
    calibration_curve,
    calibration_error,
    fraction,
    fractions,
    paired_difference,
)
from impossible.evaluation.prompting import answers, few_shot, tldr, zero_shot
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.world import pivot
from impossible.world.assessment import (
    TRANSLATION,
    context_perplexity,
    context_surprise,
    decisions_by_threshold,
    judged_examples,
    model_card,
    prompted_answers,
    translations,
)
from impossible.world.documents import Document
from impossible.world.recipes import documents, nli_examples


def lm(window: int = 128) -> LanguageModel:
    return LanguageModel(*tiny.gpt2(window=window), "tiny", "0")


def test_few_pairs_that_differ_decide_nothing() -> None:
    found = paired_difference([0] * 100, [1] * 4 + [0] * 96)
    middle, width = -4 / 102, 1.959964 * ((5 - 16 / 102) / 102 / 102) ** 0.5
    assert found.value == -0.04
    assert (found.low, found.high) == pytest.approx((middle - width, middle + width))
    assert found.high > 0
    every = paired_difference([0] * 100, [1] * 30 + [float("nan")] * 70)
    assert every.n == 30
    assert every.high < 0
    assert np.isnan(paired_difference([], []).value)
    alike = paired_difference([1, 0] * 8, [1, 0] * 8)
    assert alike.value == 0  # half a pair either way, of 18
    assert [alike.low, alike.high] == pytest.approx([-1.96 / 18, 1.96 / 18], abs=1e-4)


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
    drawn = nli_examples(8, seed=1, split="test", noise=0.0)
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


FIRE = "A fire destroyed a school."


def test_an_answer_is_a_paraphrase_if_it_means_the_same_and_is_another_string() -> None:
    given = {"new": ["A school was wrecked by a blaze."], "copy": [FIRE], "odd": ["Fire a did."]}
    found = prompted_answers([FIRE], given)
    assert found["group"].tolist() == list(given)
    assert found["paraphrase"].tolist() == [1, 0, 0]


def test_decisions_by_threshold_by_hand() -> None:
    gold = ["entailment", "entailment", "neutral", "neutral"]
    judged = pd.DataFrame({"gold": gold, "p_entailment": [0.96, 0.55, 0.85, 0.1]})
    found = decisions_by_threshold(judged, [0.2, 0.6]).set_index("threshold")
    assert found.loc[0.5].tolist() == pytest.approx([2 / 3, 1, 0.5])
    assert found.loc[0.95].tolist() == pytest.approx([1, 0.5, 0])


class Perfect:
    """A translator that knows the second language, and says one thing when it comes back."""

    def pivot(self, texts: list[str]) -> list[str]:
        return [pivot.translate(text) or "" for text in texts]

    def return_trips(self, volan: list[str]) -> list[list[str]]:
        return [[FIRE] for _ in volan]


def test_a_translator_is_judged_one_way_and_both_ways() -> None:
    texts = ["The blaze wrecked a school.", "A flood destroyed a school."]
    found = translations(Perfect(), texts)  # type: ignore[arg-type]
    assert found[list(TRANSLATION)].to_numpy().tolist() == [[1, 1, 1], [1, 0, 0]]
    assert found["back"].tolist() == [FIRE, FIRE]


def perplexity(frame: pd.DataFrame) -> float:
    """exp(nats per token) of `surprise` rows taken together."""
    return float(np.exp(frame["nats"].sum() / frame["tokens"].sum()))


def test_perplexity_after_own_and_other_contexts_is_the_naive_one() -> None:
    model, (first, second) = lm(), _two_documents()
    items = context_surprise(model, [first, second], most=1)
    rows = context_perplexity(items, Bootstrap(20))
    value = rows.set_index(["system", "metric"])["value"]
    starts = surprise(
        model, [first.prefix, second.prefix], [d.sentences[0] for d in (first, second)]
    )
    assert value["sentences before: 0", "own context"] == pytest.approx(
        perplexity(starts), rel=1e-5
    )
    both = (first, second)
    last = [d.sentences[1] for d in both]
    own, other = (  # the opening line is always the sentence's own
        surprise(
            model,
            [f"{d.prefix} {e.sentences[0]}" for d, e in zip(both, lenders, strict=True)],
            last,
        )
        for lenders in (both, both[::-1])
    )
    assert value["sentences before: 1", "own context"] == pytest.approx(perplexity(own), rel=1e-5)
    assert value["sentences before: 1", "other context"] == pytest.approx(
        perplexity(other), rel=1e-5
    )
    alone = surprise(model, [d.prefix for d in both], last)  # the same sentences, nothing before
    none = value["sentences before: 1", "no context"]
    assert none == pytest.approx(perplexity(alone), rel=1e-5)
    assert rows["n"].tolist() == [2] * 6


def _two_documents() -> list[Document]:
    """Two documents of at least two short sentences: the tiny model's window is 128 tokens."""
    drawn = documents(60, seed=3)
    short = [d for d in drawn if len(d.sentences) > 1 and max(map(len, d.sentences[:2])) < 60]
    return short[:2]


@given(st.integers(2, 40), st.integers(1, 5), st.sampled_from([0, 1]))
def test_a_rate_without_variation_has_wilson_s_width(n: int, size: int, value: int) -> None:
    contexts = np.repeat(np.arange(n), size)
    found = bootstrap_rate([value] * n * size, contexts, Bootstrap(50))
    wilson = fraction([value] * n)  # pairs of one context say one thing
    assert found.value == value
    assert [found.low, found.high] == pytest.approx([wilson.low, wilson.high], abs=1e-9)
    assert found.n == n * size


def test_outcomes_that_repeat_within_clusters_say_as_much_as_their_clusters() -> None:
    alike = fraction([1, 1, 0, 0, 1, 1, 1, 1], clusters=list("aabbccdd"))
    alone = fraction([1, 0, 1, 1])
    assert alike.value == alone.value
    assert alike.high - alike.low > alone.high - alone.low  # 4 clusters, and one degree less
    spread = fraction([1, 0] * 8, clusters=np.repeat(np.arange(8), 2))  # no more alike than chance
    assert spread == fraction([1, 0] * 8)


def test_a_rate_with_variation_is_the_bootstrap_s() -> None:
    said = [1, 0, 1, 1, float("nan")]
    assert bootstrap_rate(said) == bootstrap_mean(said)
    assert np.isnan(bootstrap_rate([]).value)
