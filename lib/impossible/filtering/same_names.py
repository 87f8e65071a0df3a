"""Critic: x and y name the same people, places, days and things.

Not in the paper. An NLI model that is sure of "a report by Harvard found" and "a report by Yale
found" is told apart from one that reads by what a word list does at no cost.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from impossible.data.schemas import FLAG
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.names import names, words_as_names


class SameNames(Critic):
    """Every name of y stands in x and, for a paraphrase, every name of x in y (`name_consistency`).

    A summary may leave names out, but has none of its own.
    """

    name, exits = "names", True
    columns = (FLAG("names_kept"), FLAG("names_known"))

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Columns names_kept (those of x in y) and names_known (those of y in x)."""
        named, written = (list(map(of, pairs.texts)) for of in (names, words_as_names))
        kept = [named[x] <= written[y] for x, y in zip(pairs.x, pairs.y, strict=True)]
        known = [named[y] <= written[x] for x, y in zip(pairs.x, pairs.y, strict=True)]
        return {"names_kept": np.array(kept, bool), "names_known": np.array(known, bool)}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """All pairs where `name_consistency` is off; then the columns are not read."""
        if not thresholds.name_consistency:
            return np.ones(len(scores), bool)
        kept, known = (scores[column.name].to_numpy(bool) for column in self.columns)
        return np.asarray(known & (kept | (not thresholds.both_directions)))
