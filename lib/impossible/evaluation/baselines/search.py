"""Paraphrasing by search with the teacher as language model: UPSA and CGMH (paper, Table 8).

Nothing is trained. A source is edited word by word; edits that keep the meaning, read well and make
it new are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.data.progress import bar
from impossible.data.run_folder import item_rng
from impossible.errors import ModelError
from impossible.evaluation.baselines.annealing import NUMBERS, Schedule, search
from impossible.evaluation.baselines.language import Language, Sentence
from impossible.evaluation.baselines.objective import Objective, Weights, WordVectors
from impossible.evaluation.systems import System
from impossible.models.loading import LanguageModel
from impossible.models.sentence_encoder import Encoder
from impossible.text.word_edits import Units, joined, units

__all__ = ["search_settings", "search_system"]

AT_ONCE = 384  # items searched side by side; memory only
GROWTH = 2  # most units of an output, times those of its source


def search_settings(params: Params) -> tuple[Schedule, Weights]:
    """The parameters `search_*`; `search_cooling` 1 is UPSA, 0 is CGMH."""
    schedule = Schedule(params.search_steps, params.search_temperature, params.search_cooling)
    weights = Weights(
        params.search_fluency,
        params.search_keywords,
        params.search_sentence,
        params.search_novelty,
        params.search_proposal,
        params.search_keyword_floor,
    )
    return schedule, weights


def search_system(
    teacher: LanguageModel,
    encoder: Encoder | None,
    openings: Sequence[str],
    schedule: Schedule,
    weights: Weights,
    seed: int = 0,
) -> System:
    """A system that searches for each source the sentence that `Objective` values most.

    Args:
        teacher: the language model; says what is fluent and which words may stand where.
        encoder: says what is alike; needed.
        openings: what the teacher may read before a sentence, one or more; it takes the one after
            which the source is most probable. The first prefix of each domain will do.
        schedule, weights: from `search_settings`, or to be tried.
        seed: root of the randomness; an output depends on its item only.

    Returns:
        Items → outputs; a source without words, and one for which nothing of f > 0 was found, is
        given back as it is.

    Raises:
        ModelError: no encoder, or no opening that is not empty.

    Example:
        `search_system(lm, encoder, ["Abstract:"], *search_settings(params))(items)`, and CGMH with
        `Schedule(100, 0.1, cooling=0)` in the place of the first setting.

    Source: Liu et al. 2020 (UPSA), Miao et al. 2019 (CGMH). They take the words that are likeliest
    by a forward and a backward model and choose one by its f, at the cost of 50 to 100 readings for
    an edit. Here one word is drawn by what the teacher expects after the words before it, times its
    likeness to what it replaces. They differ in what they return, too: here the best sentence seen.
    """
    if encoder is None or not all(openings or [""]):
        raise ModelError(
            "a search needs a sentence encoder and openings that are not empty: name an encoder "
            "other than none, and give each domain a prefix"
        )
    language, vectors = Language(teacher), WordVectors(encoder)
    shape = (schedule.steps, NUMBERS)

    def edited(
        names: Sequence[str], sources: Sequence[Sentence], tick: Callable[[], Any]
    ) -> list[Units]:
        best = language.likeliest(openings, sources)
        reader = Objective(language, vectors, sources, best, weights)
        numbers = [item_rng(seed, "search", name).random(shape) for name in names]
        starts = [words for words, _ in sources]
        longest = [GROWTH * len(words) for words in starts]
        return search(reader, starts, numbers, schedule, longest, lambda _: tick())

    def answer(items: pd.DataFrame) -> list[str]:
        names, outputs = list(items["item"]), list(items["source"])
        sources = [units(source) for source in outputs]
        chosen = [i for i, (words, _) in enumerate(sources) if words]
        parts = [chosen[start : start + AT_ONCE] for start in range(0, len(chosen), AT_ONCE)]
        with bar(total=len(parts) * schedule.steps, desc="search") as progress:
            for part in parts:
                given = [sources[i] for i in part]
                found = edited([names[i] for i in part], given, progress.update)
                for i, words in zip(part, found, strict=True):
                    outputs[i] = joined(words, sources[i][1])
        return outputs

    return answer
