"""What a search climbs: fluency × meaning × novelty of a sentence (Liu et al. 2020, §3.1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impossible.evaluation.baselines.annealing import Reading
from impossible.evaluation.baselines.language import Language, Sentence
from impossible.models.sentence_encoder import Encoder
from impossible.text.bleu import sentence_bleu
from impossible.text.word_edits import Units, content_words, joined

__all__ = ["Objective", "Weights", "WordVectors"]

Floats = NDArray[np.float64]
EMPTY = np.empty((0, 0), np.float32)
LEAST = 1e-6  # likeness below which a proposed word counts as this unlike


@dataclass(frozen=True)
class Weights:
    """How much each part of f counts: exponents ≥ 0, and a floor.

    Args:
        fluency: exponent of P(y)^(1/words).
        keywords: of the content word of the source that is least alike to any word of the output.
        sentence: of the cosine of source and output.
        novelty: of 1 - BLEU of the output against the source.
        proposal: of a proposed word's likeness to the word it replaces, or, if it is inserted, to
            the nearest of the source.
        keyword_floor: cosine of words below which a content word counts as lost, and f as 0.
    """

    fluency: float = 8.0
    keywords: float = 1.0
    sentence: float = 4.0
    novelty: float = 2.0
    proposal: float = 10.0
    keyword_floor: float = 0.8


@dataclass(frozen=True)
class _Reading:
    """A sentence's log f, and which words may stand at its places."""

    log_score: float
    logits: Tensor  # (units + 1, words)
    bonus: Callable[[str | None], Floats]  # old word → (words,), log weight by likeness

    def words(self, place: int, old: str | None) -> Floats:
        """Log probabilities of the vocabulary at a place, shape (words,)."""
        scores = self.logits[place].double().numpy() + self.bonus(old)
        scores -= scores.max()
        return np.asarray(scores - np.log(np.exp(scores).sum()))


class WordVectors:
    """Unit vectors of single words by a sentence encoder, computed once each.

    Args:
        encoder: of sentences; a word is given to it as a sentence.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n, d), or (0, 0) without words."""
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        if new:
            self._known |= zip(new, self.encoder.embed(new), strict=True)
        return np.stack([self._known[word] for word in words]) if words else EMPTY


class Objective:
    """log f of sentences y that stand for sources x: a `Reader` for `annealing.search`.

    f(y) = P(y)^(fluency/words of x) · kept(y)^keywords · cos(x, y)^sentence · (1 - BLEU)^novelty,
    kept(y) = min over content words k of x of max over words w of y of cos(k, w).

    P is the teacher's probability after an opening. What is lost by its words is not given to the
    models: its f is 0 whatever they say.

    Args:
        language: says P, and g(word | words before).
        vectors: of words, and their encoder for sentences.
        sources: n sentences with one unit or more.
        openings: of each source.
        weights: of the parts.
    """

    def __init__(
        self,
        language: Language,
        vectors: WordVectors,
        sources: Sequence[Sentence],
        openings: Sequence[str],
        weights: Weights,
    ) -> None:
        self.language, self.vectors, self.weights = language, vectors, weights
        self.openings, self.sources = list(openings), list(sources)
        self._texts = [joined(*source) for source in sources]
        self._meanings = vectors.encoder.embed(self._texts)
        self._keywords = [vectors(content_words(words)) for words, _ in sources]
        self._proposed = vectors(self.vocabulary)
        self._between = [self._likeness(words) for words, _ in sources]
        self._instead = lru_cache(maxsize=4096)(lambda word: self._likeness([word]))

    @property
    def vocabulary(self) -> Sequence[str]:
        """The words that are proposed, in the order of the language."""
        return tuple(self.language.words)

    def read(self, items: Sequence[int], sentences: Sequence[Units]) -> list[Reading]:
        """log f of each sentence as an output for the source of that number, and its places."""
        self.vectors([word for words in sentences for word in words])  # new ones in one batch
        kept = [self._kept(i, words) for i, words in zip(items, sentences, strict=True)]
        chosen = [place for place, value in enumerate(kept) if value > 0]
        pairs = [(sentences[place], self.sources[items[place]][1]) for place in chosen]
        read = self.language.read([self.openings[items[place]] for place in chosen], pairs)
        texts = [joined(*pair) for pair in pairs]
        meanings = self.vectors.encoder.embed(texts)
        lost = _Reading(-math.inf, torch.empty(0, 0), lambda _: np.empty(0))
        found: list[Reading] = [lost] * len(kept)
        for place, text, meaning, (nats, logits) in zip(chosen, texts, meanings, read, strict=True):
            i = items[place]
            cosine = float(meaning @ self._meanings[i])
            score = self._log_score(i, nats, kept[place], cosine, text)
            bonus = partial(self._bonus, i)
            found[place] = _Reading(score, logits, bonus)
        return found

    def _bonus(self, item: int, old: str | None) -> Floats:
        """Log weight of each proposed word: in the place of `old`, or between words."""
        return self._between[item] if old is None else self._instead(old)

    def _likeness(self, words: Sequence[str]) -> Floats:
        """Log weight of each proposed word, by its likeness to the nearest of `words`."""
        nearest = (self._proposed @ self.vectors(words).T).max(1).astype(np.float64)
        return np.asarray(self.weights.proposal * np.log(np.clip(nearest, LEAST, 1)))

    def _log_score(self, item: int, nats: float, kept: float, cosine: float, text: str) -> float:
        """log f from its parts."""
        w, new = self.weights, 1 - sentence_bleu(text, [self._texts[item]]) / 100
        parts = ((kept, w.keywords), (cosine, w.sentence), (new, w.novelty))
        fluency = -nats / len(self.sources[item][0])
        return w.fluency * fluency + sum(_log_power(value, power) for value, power in parts)

    def _kept(self, item: int, words: Units) -> float:
        """Likeness of the least alike content word; 0 below the floor, 1 without content words."""
        keywords = self._keywords[item]
        if not len(keywords):
            return 1.0
        least = float((keywords @ self.vectors(words).T).max(1).min())
        return least if least >= self.weights.keyword_floor else 0.0


def _log_power(value: float, power: float) -> float:
    """power · log(value): 0 for power 0, -inf where the value is 0 but for rounding."""
    if power == 0:
        return 0.0
    return power * math.log(value) if value > 1e-9 else -math.inf
