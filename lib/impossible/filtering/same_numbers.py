"""Critic: x and y name the same numbers (authors' code, which tests one direction twice)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impossible.data.schemas import FLAG
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.numbers import number_values


class SameNumbers(Critic):
    """The numbers of x and of y, in words or digits, are equal by value (`number_consistency`)."""

    name, exits = "numbers", True
    columns = (FLAG("numbers_consistent"),)

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Column numbers_consistent."""
        values = [number_values(text) for text in pairs.texts]
        codes = pd.factorize(pd.Series(values, dtype=object))[0]
        return {"numbers_consistent": codes[pairs.x] == codes[pairs.y]}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """All pairs where `number_consistency` is off."""
        same = scores["numbers_consistent"].to_numpy(bool)
        return np.asarray(same | (not thresholds.number_consistency))
