"""Critic: y is about as long as x (authors' code; a summary is shorter, section 3.6)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impossible.data.schemas import SCORE
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.thresholds import Thresholds


class LengthRatio(Critic):
    """`length_ratio_min` ≤ characters of y / characters of x ≤ `length_ratio_max`."""

    name, exits = "length_ratio", True
    columns = (SCORE("length_ratio"),)

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Column length_ratio."""
        lengths = np.array([len(text) for text in pairs.texts], dtype=np.float64)
        ratio = lengths[pairs.y] / np.maximum(lengths[pairs.x], 1)
        return {"length_ratio": ratio.astype(np.float32)}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """Compared as stored, in 32 bits."""
        ratio = scores["length_ratio"].to_numpy()
        low, high = np.float32(thresholds.length_ratio_min), np.float32(thresholds.length_ratio_max)
        return np.asarray((ratio >= low) & (ratio <= high))
