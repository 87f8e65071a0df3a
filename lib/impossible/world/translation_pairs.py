"""What a student base learns of a second language, as the released T5 models did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from impossible.world import pivot
from impossible.world.pretraining import denoising_pairs

THERE = f"translate English to {pivot.NAME}: "  # as T5's own prefixes
BACK = f"translate {pivot.NAME} to English: "
DENOISED = 0.25  # share of sentences that are mended instead, so that copying is not forgotten


def bilingual(sentences: Sequence[str]) -> list[str]:
    """The second language, and what stands before a text to be translated, for a tokenizer."""
    found = [text for s in sentences if (text := pivot.translate(s))]
    return [*found, *[THERE, BACK] * (len(found) // 20)]


def multitask_pairs(sentences: Sequence[str], seed: int = 0) -> list[tuple[str, str]]:
    """Each sentence once: translated there or translated back, or (a quarter) to be denoised.

    Args:
        sentences: of the closed world.
    """
    draws = np.random.default_rng(seed).random(len(sentences))
    pairs: list[tuple[str, str]] = []
    rest: list[str] = []
    for u, sentence in zip(draws, sentences, strict=True):
        translated = pivot.translate(sentence)
        if u < DENOISED or translated is None:
            rest.append(sentence)
        elif u < (1 + DENOISED) / 2:
            pairs.append((THERE + sentence, translated))
        else:
            pairs.append((BACK + translated, sentence))
    return pairs + denoising_pairs(rest, seed)
