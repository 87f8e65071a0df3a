"""A GPU whose memory is full: a batch is halved and goes on, and nothing is lost or reordered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from impossible.errors import ModelError
from impossible.models.batching import as_memory_allows
from impossible.models.causal_generation import sample_continuations
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.models.nucleus_sampling import Nucleus
from impossible.models.sentence_encoder import SentenceEncoder
from impossible.training.objectives import train_causal_lm
from impossible.training.trainer import TrainingSettings

PAIRS = [(x, y) for x in tiny.SENTENCES for y in tiny.SENTENCES]


@contextmanager
def room_for(rows: int, model: Any) -> Iterator[list[int]]:
    """Let a model fail as on a GPU above so many rows; yields the sizes of what it computed."""
    sizes = []

    def check(_: Any, __: Any, inputs: dict[str, Any]) -> None:
        size = len(inputs["input_ids"])
        if size > rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        sizes.append(size)

    hook = model.register_forward_pre_hook(check, with_kwargs=True)
    try:
        yield sizes
    finally:
        hook.remove()


def lm_of(build: Any) -> LanguageModel:
    return LanguageModel(*build(), "tiny", "0")


def judged() -> tuple[Any, Callable[[], Any]]:
    critic = EntailmentCritic(lm_of(tiny.critic))
    return critic.lm.model, lambda: critic.distributions(PAIRS)


def embedded() -> tuple[Any, Callable[[], Any]]:
    encoder = SentenceEncoder(lm_of(tiny.encoder))
    return encoder.lm.model, lambda: encoder.embed(tiny.SENTENCES)


def scored() -> tuple[Any, Callable[[], Any]]:
    encoder = SentenceEncoder(lm_of(tiny.encoder))
    return encoder.lm.model, lambda: encoder.bert_score(*map(list, zip(*PAIRS, strict=True)))


def surprised() -> tuple[Any, Callable[[], Any]]:
    lm = lm_of(tiny.gpt2)
    contexts = [tiny.PREFIX] * len(tiny.SENTENCES)
    return lm.model, lambda: surprise(lm, contexts, tiny.SENTENCES).to_numpy()


@pytest.mark.parametrize("work", [judged, embedded, scored, surprised])
def test_a_smaller_memory_gives_the_same_numbers(work: Any) -> None:
    model, compute = work()
    expected = compute()
    with room_for(3, model) as sizes:
        np.testing.assert_allclose(compute(), expected, atol=1e-5)
    assert max(sizes) == 2  # of 8 or of 64: halved until it fits
    with room_for(0, model), pytest.raises(ModelError, match="does not hold one text alone"):
        compute()


@pytest.mark.parametrize("build", [tiny.gpt2, tiny.llama])
def test_a_smaller_memory_samples_the_same_texts(build: Any) -> None:
    lm = lm_of(build)
    numbers = np.random.default_rng(0).random((7, 12))

    def sampled() -> list[str]:
        return sample_continuations(lm, tiny.PREFIX, numbers, Nucleus(0.9, 0.7))

    expected = sampled()
    with room_for(2, lm.model) as sizes:
        assert sampled() == expected
    assert len(set(expected)) > 1
    assert max(sizes) <= 2


@pytest.mark.parametrize("build", [tiny.t5, tiny.gpt2])
def test_a_smaller_memory_writes_the_same_rewritings(build: Any) -> None:
    student = tiny.student(build)

    def written() -> list[list[str]]:
        return student.generate(tiny.SENTENCES, n=2, temperature=1.0, max_new_tokens=6)

    expected = written()
    model = student.model.get_encoder() if build is tiny.t5 else student.model
    with room_for(4, model) as sizes:
        assert written() == expected
    assert sizes


def test_each_row_is_given_once_and_in_order() -> None:
    asked = []

    def compute(rows: list[int]) -> list[int]:
        asked.append(rows)
        if sum(rows) > 9:
            raise torch.OutOfMemoryError("full")
        return [10 * row for row in rows]

    found = list(as_memory_allows([[1, 2, 3, 4, 5], [6]], compute))
    assert found == [([1, 2], [10, 20]), ([3], [30]), ([4, 5], [40, 50]), ([6], [60])]
    assert asked[:3] == [[1, 2, 3, 4, 5], [1, 2], [3, 4, 5]]


def test_training_that_does_not_fit_names_the_batch() -> None:
    model, tok = tiny.gpt2()
    settings = TrainingSettings(2, batch_size=8, dtype="float32")
    with room_for(4, model), pytest.raises(ModelError, match=r"8 examples: lower .*batch_size"):
        train_causal_lm(model, tok, tiny.SENTENCES, settings)
