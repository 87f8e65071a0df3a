"""Decoding: equal to a naive loop, equal for any batching, stopping changes no first sentence."""

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
from impossible.models.causal_generation import _repeats, sample_contexts, sample_continuations
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.sentence_boundaries import first_sentence

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
    got = sample_continuations(lm, [prefix], [numbers], WARM)[0]
    special = {lm.tokenizer.pad_token_id, lm.tokenizer.bos_token_id, lm.tokenizer.unk_token_id}
    expected = [naive(lm, prefix, row, special) for row in numbers]
    assert [first_sentence(text) for text in got] == [first_sentence(text) for text in expected]
    assert all(full.startswith(text) for text, full in zip(got, expected, strict=True))
    assert any(len(text) < len(full) for text, full in zip(got, expected, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_any_batching_gives_the_same_texts(trained: Any, dtype: torch.dtype) -> None:
    lm = wrap(*trained, dtype)
    prefixes = [f"{tiny.PREFIX} {s}" for s in (*tiny.SENTENCES[:2], tiny.SENTENCES[0])]
    numbers = [uniforms(40, 12, i) for i in range(3)]
    whole = sample_continuations(lm, prefixes, numbers, WARM)
    assert len(set(whole[0])) > 10
    for rows in (3, 7, 37, 100):
        assert sample_continuations(lm, prefixes, numbers, WARM, rows=rows) == whole
    for size in (1, 7):  # chunks by the caller
        parts = [
            sample_continuations(lm, prefixes[:1], [numbers[0][i : i + size]], WARM)[0]
            for i in range(0, 40, size)
        ]
        assert [text for part in parts for text in part] == whole[0]
    lm.model.float()


def test_the_shared_prefix_changes_nothing(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lm = wrap(*trained)
    numbers = [uniforms(20, 24)]
    ours = sample_continuations(lm, [tiny.PREFIX], numbers, WARM)
    monkeypatch.setattr(causal_generation, "SHARING", frozenset())
    assert sample_continuations(lm, [tiny.PREFIX], numbers, WARM) == ours


def test_nucleus_frequencies_by_hand() -> None:
    # p = .5 .3 .15 .05; the nucleus of .9 holds the first three: .95 in all
    logits = torch.log(torch.tensor([[0.15, 0.5, 0.05, 0.3]])).expand(1000, -1)
    grid = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    counts = torch.bincount(Nucleus(0.9, 1.0).choose(logits, grid), minlength=4)
    assert counts.tolist() == [158, 526, 0, 316]
    greedy = Nucleus(temperature=0).choose(logits, grid)
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
    numbers = uniforms(16, 30)
    texts = sample_continuations(lm, [tiny.PREFIX], [numbers], Nucleus(1.0, 1.5), banned="eT")[0]
    assert not any(set("eT") & set(text) for text in texts)
    free = sample_continuations(lm, [tiny.PREFIX], [numbers], Nucleus(1.0, 1.5))[0]
    assert any("e" in text for text in free)
    prefixes = [f"{tiny.PREFIX} {s}" for s in tiny.SENTENCES[:3]]

    def repeats(n: int) -> int:
        rows = sample_continuations(
            lm, prefixes, [numbers] * 3, WARM, sentences=3, no_repeat_ngram_size=n
        )
        ids = [
            lm.tokenizer(p + t).input_ids for p, r in zip(prefixes, rows, strict=True) for t in r
        ]
        return sum(len(row) - 1 - len(set(pairwise(row))) for row in ids)

    # not zero: text that is decoded and encoded again can be cut into other tokens
    assert repeats(2) < 0.3 * repeats(0)
    assert _repeats([7, 8, 9, 7, 8], 3) == [9]
    assert _repeats([7, 8], 3) == []
    with pytest.raises(ModelError, match="single characters"):
        sample_continuations(lm, [tiny.PREFIX], [numbers], WARM, banned=["http"])


def test_contexts_have_the_sentences_asked_for(trained: Any) -> None:
    lm = wrap(*trained)
    counts = [1, 2, 1, 2, 1]
    numbers = [uniforms(1, 80, i)[0] for i in range(5)]
    texts = sample_contexts(lm, [tiny.PREFIX] * 5, counts, numbers)
    assert sample_contexts(lm, [tiny.PREFIX], [counts[1]], numbers[1:2]) == texts[1:2]
    written = [text for text in texts if text]
    assert written
    assert all(text.startswith(f"{tiny.PREFIX} ") and text[-1] in ".?!" for text in written)
    for text, count in zip(texts, counts, strict=True):
        rest = text.removeprefix(f"{tiny.PREFIX} ")
        for _ in range(count if text else 0):
            rest = rest[len(first_sentence(rest)) :].strip()
        assert not rest


def test_a_context_that_does_not_fit_is_told() -> None:
    lm = wrap(*tiny.gpt2(window=40))
    with pytest.raises(ModelError, match=r"exceeds the window of 40 tokens"):
        sample_continuations(lm, [tiny.SENTENCES[0]], [uniforms(2, 39)])
    with pytest.raises(ModelError, match="must not be empty"):
        sample_continuations(lm, [""], [uniforms(2, 9)])
    with pytest.raises(ModelError, match="top_p"):
        Nucleus(0.0)
    with pytest.raises(ModelError, match="temperature"):
        Nucleus(0.9, -0.1)
