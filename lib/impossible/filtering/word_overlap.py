"""Critic: x and y do not share most of their words in order (section 3.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impossible.data.schemas import SCORE
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.rouge import rouge_l, rouge_l_matrix

DENSE = 0.2  # above this fraction of all pairs of its texts, the whole matrix is cheaper


class WordOverlap(Critic):
    """ROUGE-L(x, y) ≤ `rouge_l_max`."""

    name, title, exits = "rouge_l", "ROUGE-L", True
    columns = (SCORE("rouge_l"),)

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Column rouge_l."""
        if len(pairs) > DENSE * len(pairs.texts) ** 2:
            found = rouge_l_matrix(pairs.texts)[pairs.x, pairs.y]
        else:
            found = np.array([rouge_l(x, y) for x, y in pairs], dtype=np.float64)
        return {"rouge_l": found.astype(np.float32)}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """Compared as stored, in 32 bits."""
        return np.asarray(scores["rouge_l"].to_numpy() <= np.float32(thresholds.rouge_l_max))
