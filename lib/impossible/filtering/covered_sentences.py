"""Critic: a summary takes something from each sentence of its source (ours; off in the paper)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from impossible.data.schemas import OPTIONAL
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.keywords import content_stems, own_stems


class CoveredSentences(Critic):
    """Sentences of x that y has a word of, as a fraction of all, ≥ `summary_covered_min`.

    Of summaries only. A sentence next to a paragraph may follow from one of its sentences and pass
    over the others, which entailment and length do not notice; and a teacher may say one thing
    three times, in sentences without a word of their own, which nothing covers. It counts words,
    not what is said: a summary in other words than its source has covers nothing.
    """

    name, title, exits = "covered", "sentences covered", True
    columns = (pa.field("covered", pa.float32(), metadata=OPTIONAL),)  # older files lack it

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Column covered."""
        own = {i: own_stems(pairs.texts[i]) for i in set(pairs.x.tolist())}
        said = {i: content_stems(pairs.texts[i]) for i in set(pairs.y.tolist())}
        ends = zip(pairs.x.tolist(), pairs.y.tolist(), strict=True)
        return {"covered": np.array([_covered(own[x], said[y]) for x, y in ends], np.float32)}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """All paraphrases, and all summaries where `summary_covered_min` is 0."""
        least = thresholds.summary_covered_min if thresholds.task == "summary" else 0.0
        if least == 0:
            return np.ones(len(scores), bool)
        return np.asarray(scores["covered"].to_numpy() >= np.float32(least))


def _covered(own: list[frozenset[str]], said: frozenset[str]) -> float:
    """The fraction of sentences of which a word of their own is said."""
    return sum(bool(words & said) for words in own) / max(1, len(own))
