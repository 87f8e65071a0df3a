"""Decoding: equal to a naive loop, the same unit the same texts, stopping changes no sentence."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.errors import ModelError
from impossible.models import causal_generation
from impossible.models.causal_generation import sample_continuations, text_rules
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.sentence_boundaries import first_sentence, sentence_end

WARM = Nucleus(0.9, 0.9)


def wrap(model: Any, tok: Any, dtype: torch.dtype = torch.float32) -> LanguageModel:
    return LanguageModel(model.to(dtype), tok, "tiny", "0")


@pytest.fixture(scope="module")
def trained() -> tuple[Any, Any]:
    """A GPT-2 that has read the eight sentences, so that it ends sentences."""
    return tiny.reader()


def uniforms(k: int, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((k, n))


def naive_token(logits: np.ndarray, u: float, nucleus: Nucleus) -> int:
    """Nucleus sampling word for word, in float64."""
    p = np.exp((logits - logits.max()) / nucleus.temperature)
    p /= p.sum()
    order = np.argsort(-p, kind="stable")
    kept, mass = [], 0.0
    for token in order:
        kept.append(int(token))
        mass += p[token]
        if mass >= nucleus.top_p:
            break
    below = 0.0
    for token in kept:
        below += p[token] / mass
        if u < below:
            return token
    return kept[-1]


def naive(lm: LanguageModel, prefix: str, numbers: np.ndarray, banned: set[int]) -> str:
    """One sample without cache, without stopping at sentences."""
    ids = list(lm.tokenizer(prefix).input_ids)
    start = len(ids)
    for u in numbers:
        with torch.no_grad():
            logits = lm.model(input_ids=torch.tensor([ids])).logits[0, -1].double().numpy()
        logits[sorted(banned)] = -np.inf
        ids.append(naive_token(logits, u, WARM))
        if ids[-1] == lm.tokenizer.eos_token_id:
            break
    return str(lm.tokenizer.decode(ids[start:], skip_special_tokens=True))


def test_equal_to_a_naive_loop_and_stopping_keeps_the_first_sentence(trained: Any) -> None:
    lm = wrap(*trained)
    numbers = uniforms(12, 30)
    prefix = f"{tiny.PREFIX} {tiny.SENTENCES[0]}"
    got = sample_continuations(lm, prefix, numbers, WARM)
    special = {lm.tokenizer.pad_token_id, lm.tokenizer.bos_token_id, lm.tokenizer.unk_token_id}
    expected = [naive(lm, prefix, row, special) for row in numbers]
    assert [first_sentence(text) for text in got] == [first_sentence(text) for text in expected]
    assert all(full.startswith(text) for text, full in zip(got, expected, strict=True))
    assert any(len(text) < len(full) for text, full in zip(got, expected, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_same_unit_gives_the_same_texts(trained: Any, dtype: torch.dtype) -> None:
    lm = wrap(*trained, dtype)
    numbers = uniforms(40, 12)
    prefix = f"{tiny.PREFIX} {tiny.SENTENCES[0]}"
    first, again = (sample_continuations(lm, prefix, numbers, WARM) for _ in range(2))
    lm.model.float()
    assert first == again
    assert len(set(first)) > 10


@pytest.mark.parametrize("build", [tiny.gpt2, tiny.llama])
def test_the_shared_prefix_changes_nothing(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lm = wrap(*build())
    numbers = uniforms(20, 70)
    ours = sample_continuations(lm, tiny.PREFIX, numbers, WARM)
    monkeypatch.setattr(causal_generation, "SHARING", frozenset())
    assert sample_continuations(lm, tiny.PREFIX, numbers, WARM) == ours


def test_nucleus_frequencies_by_hand() -> None:
    # p = .5 .3 .15 .05; the nucleus of .9 holds the first three: .95 in all
    logits = torch.log(torch.tensor([[0.15, 0.5, 0.05, 0.3]])).expand(1000, -1)
    grid = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    counts = torch.bincount(Nucleus(0.9, 1.0).choose(logits, grid), minlength=4)
    assert counts.tolist() == [158, 526, 0, 316]
    greedy = Nucleus(1.0, 0.0).choose(logits, grid)
    assert set(greedy.tolist()) == {1}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 1.0), st.floats(0.2, 3.0))
def test_nucleus_is_the_naive_one_beyond_the_shortlist(seed: int, top_p: float, t: float) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(4, 300)) * rng.choice([0.1, 1, 4])
    u = rng.random(4)
    nucleus = Nucleus(top_p, t)
    got = nucleus.choose(torch.tensor(logits), torch.tensor(u))
    for row in range(4):
        expected = {naive_token(logits[row], u[row] + e, nucleus) for e in (-1e-5, 0, 1e-5)}
        nudged = {
            naive_token(logits[row], u[row], Nucleus(min(1.0, max(1e-3, top_p + e)), t))
            for e in (-1e-5, 1e-5)
        }
        assert int(got[row]) in expected | nudged


def test_banned_characters_and_repeats_never_occur(trained: Any) -> None:
    lm = wrap(*trained)
    numbers, hot = uniforms(16, 30), Nucleus(1.0, 1.5)
    texts = sample_continuations(lm, tiny.PREFIX, numbers, hot, text_rules(lm, "eT"))
    assert not any(set("eT") & set(text) for text in texts)
    free = sample_continuations(lm, tiny.PREFIX, numbers, hot)
    assert any("e" in text for text in free)
    prefixes = [f"{tiny.PREFIX} {s}" for s in tiny.SENTENCES[:3]]

    def repeats(n: int) -> int:
        rules = text_rules(lm, no_repeat_ngram_size=n)
        texts = [sample_continuations(lm, p, numbers, WARM, rules, 3) for p in prefixes]
        both = [p + text for p, row in zip(prefixes, texts, strict=True) for text in row]
        ids = lm.tokenizer(both).input_ids
        return sum(len(row) - 1 - len(set(pairwise(row))) for row in ids)

    # not zero: text that is decoded and encoded again can be cut into other tokens
    assert repeats(2) < 0.3 * repeats(0)
    with pytest.raises(ModelError, match="single characters"):
        text_rules(lm, ["http"])


def test_a_test_may_decide_when_each_sample_is_complete(trained: Any) -> None:
    lm = wrap(*trained)
    counts = [1, 2, 1, 2, 1]

    def enough(sample: int, text: str) -> bool:
        return sentence_end(text, counts[sample], final=False) >= 0

    texts = sample_continuations(lm, tiny.PREFIX, uniforms(5, 80), WARM, sentences=enough)
    ends = [sentence_end(text, n) for text, n in zip(texts, counts, strict=True)]
    assert max(ends) > 0
    for text, n, end in zip(texts, counts, ends, strict=True):
        assert end < 0 or sentence_end(text, n + 2) < 0  # it stopped soon after


def test_a_context_that_does_not_fit_is_told() -> None:
    lm = wrap(*tiny.gpt2(window=40))
    with pytest.raises(ModelError, match=r"exceeds the window of 40 tokens"):
        sample_continuations(lm, tiny.SENTENCES[0], uniforms(2, 39), WARM)
    with pytest.raises(ModelError, match="must not be empty"):
        sample_continuations(lm, "", uniforms(2, 9), WARM)
    with pytest.raises(ModelError, match="top_p"):
        Nucleus(0.0, 0.7)
    with pytest.raises(ModelError, match="temperature"):
        Nucleus(0.9, -0.1)
