"""Paraphrases by translating there and back: the corpora that the paper compares with (Table 1).

ParaBank1 (Hu et al. 2019a) forbids words of the original on the way back; ParaBank2 (Hu et al.
2019b) samples many translations and keeps one of each cluster. Both start from human translations
of millions of sentences; here an off-the-shelf model translates the same sentences that our own
pipeline rewrites, so that the corpora differ in their method only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from impossible.config.params import Params
from impossible.data.run_folder import item_rng, unit_seed
from impossible.evaluation.systems import System
from impossible.filtering.build_dataset import as_dataset
from impossible.models.bergamot import Bergamot, has_engine
from impossible.text.rouge import rouge_l_matrix
from impossible.text.sentence_boundaries import words
from impossible.training.student import Student


class Translator(Protocol):
    """What translates: a `Student` that was taught to, or `models.bergamot.Bergamot`."""

    @property
    def generate(self) -> Callable[..., list[list[str]]]:
        """Translations of each of some texts; arguments as for `Student.generate`."""


@dataclass(frozen=True)
class RoundTrip:
    """Two translators, there and back, perhaps the same model.

    The prefixes stand before a sentence, as T5 wants them (``"translate English to German: "``).
    """

    there: Translator
    back: Translator
    there_prefix: str
    back_prefix: str
    max_new_tokens: int = 100

    def pivot(self, texts: Sequence[str]) -> list[str]:
        """The most probable translation of each text, greedily."""
        prefixed = [self.there_prefix + text for text in texts]
        written = self.there.generate(prefixed, max_new_tokens=self.max_new_tokens)
        return [found[0] for found in written]

    def return_trips(self, pivots: Sequence[str], **how: Any) -> list[list[str]]:
        """Translations back of each text; `how` as for `Student.generate`, greedy by default."""
        texts = [self.back_prefix + pivot for pivot in pivots]
        return self.back.generate(texts, max_new_tokens=self.max_new_tokens, **how)


def load_round_trip(params: Params, load: Callable[[str], Student]) -> RoundTrip | None:
    """The translators that a run's parameters name; None where they name none.

    A `pypi:` asset with a compiled engine translates to Portuguese and back, and needs no prefix;
    any other model is loaded by its name, as `notebook.Models.student` does.
    """
    names = (params.translator, params.back_translator)
    if "none" in names:
        return None
    ways = zip(names, ("en-pt", "pt-en"), strict=True)
    there, back = (Bergamot(*way) if has_engine(way[0]) else load(way[0]) for way in ways)
    before, after = params.translator_prefix, params.back_translator_prefix
    return RoundTrip(
        there,
        back,
        "" if isinstance(there, Bergamot) else before,
        "" if isinstance(back, Bergamot) else after,
        params.sentence_max_new_tokens,
    )


def round_trip_system(trip: RoundTrip) -> System:
    """Back-translation as a paraphraser (BT in the paper's Table 8), greedy both ways."""

    def answer(items: pd.DataFrame) -> list[str]:
        return [found[0] for found in trip.return_trips(trip.pivot(list(items["source"])))]

    return answer


def plain_corpus(inputs: pd.DataFrame, trip: RoundTrip) -> pd.DataFrame:
    """The most probable translation of each input there and back: DATASET, without copies."""
    found = trip.return_trips(trip.pivot(inputs["text"].tolist()))
    return corpus(inputs, found, "round trips")


def constrained_corpus(inputs: pd.DataFrame, trip: RoundTrip, params: Params) -> pd.DataFrame:
    """Like ParaBank1: a DATASET, translated back without some of the words that were there.

    Of the words of a source that are neither capitalized nor numbers nor shorter than four letters,
    a random half is forbidden. Inputs have input_id, text and context_id.
    """
    texts = inputs["text"].tolist()
    avoid = [
        _half(text, item_rng(params.seed, "constraints", name))
        for name, text in zip(inputs["input_id"], texts, strict=True)
    ]
    found = trip.return_trips(trip.pivot(texts), avoid=avoid)
    return corpus(inputs, found, "ParaBank1-like")


def _half(text: str, rng: np.random.Generator) -> list[str]:
    """A random half of the plain content words."""
    first, *rest = text.rstrip(".").split()
    plain = [w for w in dict.fromkeys([first.lower(), *rest]) if w.isalpha() and w.islower()]
    content = [word for word in plain if len(word) > 3]
    return [word for word in content if rng.random() < 0.5]


def clustered_corpus(inputs: pd.DataFrame, trip: RoundTrip, params: Params) -> pd.DataFrame:
    """Like ParaBank2, a DATASET: of many sampled translations, one of each cluster."""
    texts = inputs["text"].tolist()
    sampled = trip.return_trips(
        trip.pivot(texts),
        n=params.n_candidates,
        temperature=params.candidate_temperature,
        top_p=params.candidate_top_p,
        seed=unit_seed(params.seed, "round trips", "all"),
    )
    return corpus(inputs, [representatives(found) for found in sampled], "ParaBank2-like")


def representatives(texts: Sequence[str], apart: float = 0.4) -> list[str]:
    """One text of each cluster: the one most similar to the others.

    Average linkage over 1 − ROUGE-L up to a mean distance `apart`, (0, 1); ties go to the
    alphabetically first.

    >>> representatives(["the fire spread", "the fire spread", "it was rain that fell"])
    ['it was rain that fell', 'the fire spread']
    """
    unique = sorted({text for text in texts if text})
    if len(unique) < 2:
        return unique
    similarity = rouge_l_matrix(unique)
    distance = squareform(1 - similarity, checks=False)
    labels = fcluster(linkage(distance, "average"), apart, "distance")
    chosen = []
    for label in dict.fromkeys(labels):
        members = np.flatnonzero(labels == label)
        inside = similarity[np.ix_(members, members)]
        chosen.append(unique[members[inside.sum(1).argmax()]])
    return chosen


def corpus(inputs: pd.DataFrame, outputs: Sequence[Sequence[str]], origin: str) -> pd.DataFrame:
    """A DATASET of any number of outputs for each input, without copies, empty texts and scores."""
    columns = ["text", "context_id", *(name for name in ("domain",) if name in inputs)]
    pairs = inputs[columns].assign(y=list(outputs)).explode("y").dropna(subset="y")
    pairs = pairs.rename(columns={"text": "x"})
    new = [bool(y.strip()) and words(y) != words(x) for x, y in zip(pairs.x, pairs.y, strict=True)]
    return as_dataset(pairs[np.array(new, dtype=bool)], origin)
