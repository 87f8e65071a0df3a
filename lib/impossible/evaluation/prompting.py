"""Prompts that ask a language model for a paraphrase or a summary, and its greedy answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from impossible.models.batching import token_ids
from impossible.models.causal_generation import sample_continuations
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.sentence_boundaries import first_sentence

__all__ = ["answers", "few_shot", "tldr", "zero_shot"]


def zero_shot(source: str, context: str = "") -> str:
    """A prompt that a language model continues with a paraphrase, if it can.

    >>> zero_shot("Prices rose.")
    'Prices rose. In other words,'
    """
    return f"{context} {source} In other words,".strip()


def tldr(source: str) -> str:
    """The prompt for a summary of Radford et al. (2019), section 3.6."""
    return f"{source} TL;DR:"


def few_shot(
    source: str, demonstrations: Sequence[tuple[str, str]], task: str = "paraphrase"
) -> str:
    """A prompt that shows how the task is done and asks for one more.

    Args:
        source: the sentence to rewrite.
        demonstrations: (sentence, its paraphrase or summary) pairs.
        task: "paraphrase" or "summary": what the prompt calls a target.

    >>> few_shot("Prices rose.", [("He left.", "He went.")])
    'Sentence: He left. Paraphrase: He went. Sentence: Prices rose. Paraphrase:'
    """
    label = task.capitalize()
    shown = [f"Sentence: {x} {label}: {y}" for x, y in demonstrations]
    return " ".join([*shown, f"Sentence: {source} {label}:"])


def answers(lm: LanguageModel, prompts: Sequence[str], max_new_tokens: int = 60) -> list[str]:
    """The first sentence of each prompt's most probable continuation (greedy).

    Args:
        prompts: one too long for the context length loses its beginning.
        max_new_tokens: longest answer.

    Returns:
        One answer per prompt, perhaps ""; with a capital, for "In other words," asks for none.
    """
    room = lm.window - max_new_tokens
    ids = token_ids(lm.tokenizer, list(prompts), True)
    fitting = [
        prompt if len(row) <= room else lm.tokenizer.decode(row[-room:]).split(" ", 1)[-1]
        for prompt, row in zip(prompts, ids, strict=True)
    ]
    unused, greedy = np.zeros((1, max_new_tokens)), Nucleus(temperature=0)
    texts = {prompt: sample_continuations(lm, prompt, unused, greedy)[0] for prompt in {*fitting}}
    sentences = [first_sentence(texts[prompt]) for prompt in fitting]
    return [sentence[:1].upper() + sentence[1:] for sentence in sentences]
