"""Rewriting: equal for any batching, equal to transformers, unwanted words never written."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
import torch
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.models.seq2seq_generation import generate_candidates

GREEDY = Nucleus(greedy=True)


def wrap(dtype: torch.dtype = torch.float32) -> LanguageModel:
    model, tok = tiny.t5()
    return LanguageModel(model.to(dtype), tok, "tiny", "0")


def uniforms(k: int, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((k, n))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_candidates_do_not_depend_on_batching(dtype: torch.dtype) -> None:
    student = wrap(dtype)
    numbers = [uniforms(5, 12, i) for i in range(len(tiny.SENTENCES))]
    whole = generate_candidates(student, tiny.SENTENCES, numbers)
    assert [len(texts) for texts in whole] == [5] * len(tiny.SENTENCES)
    assert generate_candidates(student, tiny.SENTENCES, numbers, rows=3) == whole
    for i in (0, 5):
        assert generate_candidates(student, tiny.SENTENCES[i : i + 1], numbers[i : i + 1]) == [
            whole[i]
        ]


def test_greedy_candidates_equal_transformers_generate() -> None:
    student = wrap()
    numbers = [np.zeros((1, 15))] * len(tiny.SENTENCES)
    got = generate_candidates(student, tiny.SENTENCES, numbers, GREEDY)
    for source, texts in zip(tiny.SENTENCES, got, strict=True):
        batch = student.tokenizer(source, return_tensors="pt", return_token_type_ids=False)
        out = student.model.generate(**batch, max_new_tokens=15, do_sample=False, num_beams=1)
        expected = student.tokenizer.decode(out[0], skip_special_tokens=True)
        assert texts == [expected.strip()]


def test_unwanted_words_are_what_transformers_calls_bad_words() -> None:
    student, word = wrap(), "pen"
    numbers = [np.zeros((1, 15))] * len(tiny.SENTENCES)
    free = [texts[0] for texts in generate_candidates(student, tiny.SENTENCES, numbers, GREEDY)]
    avoid = [[word]] * len(tiny.SENTENCES)
    got = generate_candidates(student, tiny.SENTENCES, numbers, GREEDY, avoid=avoid)
    forms = [a + b for a in ("", " ") for b in (word, word.capitalize())]
    bad = [student.tokenizer(form, add_special_tokens=False).input_ids for form in forms]
    for source, (text,) in zip(tiny.SENTENCES, got, strict=True):
        batch = student.tokenizer(source, return_tensors="pt", return_token_type_ids=False)
        out = student.model.generate(
            **batch, max_new_tokens=15, do_sample=False, num_beams=1, bad_words_ids=bad
        )
        assert text == student.tokenizer.decode(out[0], skip_special_tokens=True).strip()
        assert word not in text
    assert any(word in text for text in free), "nothing was unwanted that would have come"


def test_constraints_of_one_source_do_not_touch_another() -> None:
    student = wrap()
    numbers = [uniforms(4, 12, i) for i in range(2)]
    free = generate_candidates(student, tiny.SENTENCES[:2], numbers)
    bound = generate_candidates(student, tiny.SENTENCES[:2], numbers, avoid=[["pen"], ()])
    assert bound[1] == free[1]
    assert any("pen" in text for text in free[0])
    assert not any("pen" in text for text in bound[0])
