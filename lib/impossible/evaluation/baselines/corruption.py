"""Corruption: rewrite a sentence from what noise has left of it (Hegde and Patil 2020).

A student learns to restore sentences from damaged copies, for which no pairs are needed. At test
time the source is damaged in the same way; what the student makes of it is the paraphrase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd

from impossible.data.run_folder import item_rng
from impossible.errors import DataError
from impossible.evaluation.baselines.back_translation import corpus
from impossible.evaluation.systems import System, student_system
from impossible.text.word_edits import (
    Synonyms,
    content_words,
    joined,
    replace_synonyms,
    synonym_table,
    units,
)
from impossible.training.student import Student

STAGE = "corruption"


@dataclass(frozen=True)
class Noise:
    """How a sentence is damaged. Hegde and Patil drop all stop words and touch a fifth of the rest.

    Args:
        drop: fraction of function words and commas that are dropped, [0, 1]; negations and numbers
            are none, so that the sentence can keep its meaning.
        shuffle: fraction of the remaining words that change places among themselves, [0, 1].
        exchange: fraction of the words with synonyms that are exchanged, [0, 1].
    """

    drop: float = 1.0
    shuffle: float = 0.2
    exchange: float = 0.2

    def __post_init__(self) -> None:
        if not all(0 <= fraction <= 1 for fraction in astuple(self)):
            raise DataError(f"the fractions of a corruption must lie in [0, 1], got {self}.")


PAPER = Noise()


def corrupted(sentence: str, synonyms: Synonyms, rng: np.random.Generator, noise: Noise) -> str:
    """A damaged sentence; its end mark stays.

    Synonyms (from `synonym_table`) come first, since some of several words hold function words.

    >>> rng = np.random.default_rng(0)
    >>> corrupted("In May the fire did not spread.", {}, rng, Noise(shuffle=0))
    'May fire not spread.'
    """
    words, mark = units(" ".join(replace_synonyms(sentence, synonyms, rng, noise.exchange)))
    content, draws = set(content_words(words)), rng.random(len(words))
    kept = [w for w, u in zip(words, draws, strict=True) if w in content or u >= noise.drop]
    kept = kept or list(words)
    moved = rng.permutation(len(kept))[: round(noise.shuffle * len(kept))]
    for i, word in zip(np.sort(moved), [kept[i] for i in moved], strict=True):
        kept[i] = word
    return joined(kept, mark)


def corruption_corpus(
    sentences: pd.DataFrame,
    groups: Sequence[Sequence[str]] = (),
    noise: Noise = PAPER,
    seed: int = 0,
) -> pd.DataFrame:
    """Pairs (damaged sentence, sentence), on which a student is trained to restore.

    `sentences` has text and context_id, `groups` the synonyms of `load_thesaurus`. The damage
    depends on the sentence only. A DATASET of origin "corruption", without undamaged and repeated
    sentences.
    """
    synonyms = synonym_table(groups)
    texts = list(sentences["text"])
    damaged = [corrupted(x, synonyms, item_rng(seed, STAGE, x), noise) for x in texts]
    return corpus(sentences.assign(text=damaged), [[text] for text in texts], STAGE)


def corruption_system(
    student: Student,
    groups: Sequence[Sequence[str]] = (),
    noise: Noise = PAPER,
    seed: int = 0,
    max_new_tokens: int = 100,
) -> System:
    """A student trained on a `corruption_corpus` that is given a damaged source."""
    synonyms, restore = synonym_table(groups), student_system(student, max_new_tokens)

    def damaged(item: str, source: str) -> str:
        return corrupted(source, synonyms, item_rng(seed, STAGE, item), noise)

    def answer(items: pd.DataFrame) -> list[str]:
        return restore(items.assign(source=list(map(damaged, items["id"], items["source"]))))

    return answer
