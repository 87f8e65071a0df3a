"""Paraphrasing by search with the teacher as language model: UPSA and CGMH (paper, Table 8).

Nothing is trained. A source is edited word by word; edits that keep the meaning, read well and make
it new are kept: f = fluency × meaning × novelty (Liu et al. 2020, §3.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache, partial

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from impossible.config.params import Params
from impossible.data.progress import bar
from impossible.data.run_folder import item_rng
from impossible.errors import ModelError
from impossible.evaluation.baselines.annealing import RANDOM_PER_STEP, Reading, Schedule, anneal
from impossible.evaluation.baselines.language import Language, Sentence
from impossible.evaluation.bootstrap import Floats
from impossible.evaluation.systems import System
from impossible.models.loading import LanguageModel
from impossible.models.sentence_encoder import SentenceEncoder
from impossible.text.bleu import sentence_bleu
from impossible.text.word_edits import Units, content_words, joined, units

EMPTY = np.empty((0, 0), np.float32)
LEAST = 1e-6  # similarity below which a proposed word counts as this similar
ITEMS_AT_ONCE = 384  # searched side by side; memory only
_LONGEST = 2  # most units of an output, times those of its source


@dataclass(frozen=True)
class Weights:
    """How much each part of f counts: exponents ≥ 0, and a floor.

    Args:
        fluency: exponent of P(y)^(1/words).
        keywords: of the content word of the source that is least similar to any word of the output.
        sentence: of the cosine of source and output.
        novelty: of 1 - BLEU of the output against the source.
        proposal: of a proposed word's similarity to the word it replaces, or, if it is inserted, to
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
    """A sentence's log f, and which words may stand at its positions."""

    log_score: float
    logits: Tensor  # (units + 1, words)
    bonus: Callable[[str | None], Floats]  # old word → (words,), log weight

    def words(self, position: int, old: str | None) -> Floats:
        """Log probabilities of the vocabulary at a position, shape (words,)."""
        scores = self.logits[position].double().numpy() + self.bonus(old)
        scores -= scores.max()
        return np.asarray(scores - np.log(np.exp(scores).sum()))


class WordVectors:
    """Unit vectors of single words by a sentence encoder, computed once each."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self.encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n, d), or (0, 0) without words."""
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        if new:
            self._known |= zip(new, self.encoder.embed(new), strict=True)
        return np.stack([self._known[word] for word in words]) if words else EMPTY


class Objective:
    """log f of sentences y that stand for sources x: a `Reader` for `anneal`.

    f(y) = P(y)^(fluency/words of x) · kept(y)^keywords · cos(x, y)^sentence · (1 - BLEU)^novelty,
    kept(y) = min over content words k of x of max over words w of y of cos(k, w).

    P is the teacher's probability after the opening of a source, and g(word | words before) what
    it proposes. What is lost by its words is not given to the models: its f is 0.
    """

    def __init__(
        self, language: Language, vectors: WordVectors, sources: Sequence[Sentence],
        openings: Sequence[str], weights: Weights,
    ) -> None:  # fmt: skip
        self.language, self.vectors, self.weights = language, vectors, weights
        self.openings, self.sources = list(openings), list(sources)
        self._texts = [joined(*source) for source in sources]
        self._meanings = vectors.encoder.embed(self._texts)
        self._keywords = [vectors(content_words(words)) for words, _ in sources]
        self._proposed = vectors(self.vocabulary)
        self._between = [self._similarity(words) for words, _ in sources]
        self._instead = lru_cache(maxsize=4096)(lambda word: self._similarity([word]))

    @property
    def vocabulary(self) -> Sequence[str]:
        """The words that are proposed."""
        return tuple(self.language.words)

    def read(self, items: Sequence[int], sentences: Sequence[Units]) -> list[Reading]:
        """log f of each sentence as an output for the source of that number, and its positions."""
        self.vectors([word for words in sentences for word in words])  # new ones in one batch
        kept = [self._kept(i, words) for i, words in zip(items, sentences, strict=True)]
        chosen = [n for n, value in enumerate(kept) if value > 0]
        pairs = [(sentences[n], self.sources[items[n]][1]) for n in chosen]
        read = self.language.read([self.openings[items[n]] for n in chosen], pairs)
        texts = [joined(*pair) for pair in pairs]
        meanings = self.vectors.encoder.embed(texts)
        lost = _Reading(-math.inf, torch.empty(0, 0), lambda _: np.empty(0))
        found: list[Reading] = [lost] * len(kept)
        for n, text, meaning, (nats, logits) in zip(chosen, texts, meanings, read, strict=True):
            i = items[n]
            cosine = float(meaning @ self._meanings[i])
            score = self._log_score(i, nats, kept[n], cosine, text)
            found[n] = _Reading(score, logits, partial(self._bonus, i))
        return found

    def _bonus(self, item: int, old: str | None) -> Floats:
        """Log weight of each proposed word: in the place of `old`, or between words."""
        return self._between[item] if old is None else self._instead(old)

    def _similarity(self, words: Sequence[str]) -> Floats:
        """Log weight of each proposed word, by its similarity to the nearest of `words`."""
        nearest = (self._proposed @ self.vectors(words).T).max(1).astype(np.float64)
        return np.asarray(self.weights.proposal * np.log(np.clip(nearest, LEAST, 1)))

    def _log_score(self, item: int, nats: float, kept: float, cosine: float, text: str) -> float:
        w, new = self.weights, 1 - sentence_bleu(text, [self._texts[item]]) / 100
        parts = ((kept, w.keywords), (cosine, w.sentence), (new, w.novelty))
        fluency = -nats / len(self.sources[item][0])
        return w.fluency * fluency + sum(_log_power(value, power) for value, power in parts)

    def _kept(self, item: int, words: Units) -> float:
        """Similarity of the content word kept worst; 0 below the floor, 1 without content words."""
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


def search_settings(params: Params) -> tuple[Schedule, Weights]:
    """The parameters `search_*`; `search_cooling` 1 is UPSA, 0 is CGMH."""
    schedule = Schedule(params.search_steps, params.search_temperature, params.search_cooling)
    names = [field.name for field in fields(Weights)]
    return schedule, Weights(**{name: getattr(params, f"search_{name}") for name in names})


def search_if_affordable(
    teacher: LanguageModel, encoder: SentenceEncoder | None, params: Params
) -> System | None:
    """The search that the parameters describe; None without an encoder, prefixes or steps."""
    openings = [domain.prefixes[0] for domain in params.domains if domain.prefixes]
    if encoder is None or not openings or not params.search_steps:
        return None
    return search_system(teacher, encoder, openings, *search_settings(params), params.seed)


def search_system(
    teacher: LanguageModel,
    encoder: SentenceEncoder | None,
    openings: Sequence[str],
    schedule: Schedule,
    weights: Weights,
    seed: int = 0,
) -> System:
    """A system that searches for each source the sentence that `Objective` values most.

    It answers with the source where that has no words, or nothing of f > 0 was found.

    Args:
        encoder: says what is similar; needed.
        openings: what the teacher may read before a sentence, one or more; it takes the one after
            which the source is most probable. The first prefix of each domain will do.
        schedule, weights: from `search_settings`, or to be tried.

    Raises:
        ModelError: no encoder, no opening that is not empty, or a teacher whose tokenizer does not
            say where in a text its tokens are (CTRL, BioGPT).

    Source: Liu et al. 2020 (UPSA), Miao et al. 2019 (CGMH). They choose among the 50 to 100 words
        that a forward and a backward model expect by their f. Here one word is drawn by what the
        teacher expects after the words before it, times its similarity to what it replaces.
    """
    if encoder is None or not all(openings or [""]):
        raise ModelError(
            "a search needs a sentence encoder and openings that are not empty: name an encoder "
            "other than none, and give each domain a prefix"
        )
    if not teacher.tokenizer.is_fast:
        raise ModelError(
            f"the tokenizer of {teacher.name!r} does not say where in a text its tokens are, which "
            "a search needs: leave the search out with search_steps=0"
        )
    language, vectors = Language(teacher), WordVectors(encoder)
    shape = (schedule.steps, RANDOM_PER_STEP)

    def answer(items: pd.DataFrame) -> list[str]:
        names, outputs = list(items["id"]), list(items["source"])
        sources = [units(source) for source in outputs]
        chosen = [i for i, (words, _) in enumerate(sources) if words]
        parts = [chosen[n : n + ITEMS_AT_ONCE] for n in range(0, len(chosen), ITEMS_AT_ONCE)]
        with bar(total=len(parts) * schedule.steps, desc="search") as progress:
            for part in parts:
                given = [sources[i] for i in part]
                best = language.likeliest(openings, given)
                reader = Objective(language, vectors, given, best, weights)
                uniforms = [item_rng(seed, "search", names[i]).random(shape) for i in part]
                starts = [words for words, _ in given]
                longest = [_LONGEST * len(words) for words in starts]
                found = anneal(
                    reader, starts, uniforms, schedule, longest, lambda _: progress.update()
                )
                for i, words in zip(part, found, strict=True):
                    outputs[i] = joined(words, sources[i][1])
        return outputs

    return answer
