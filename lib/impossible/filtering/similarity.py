"""Critic: x and y lie near one another for a sentence encoder, before an NLI model is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impossible.data.schemas import SCORE
from impossible.errors import ParameterError
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.thresholds import Thresholds

OFF = -1.0  # every cosine is at least this


class Similarity(Critic):
    """Cosine of sentence embeddings ≥ `similarity_min`; at -1 the encoder is not asked.

    Not in the paper: a first stage that is as cheap as one forward pass for each sentence instead
    of each pair. Its threshold is chosen on human paraphrases so that hardly any is lost.
    """

    name, title, exits = "similarity", "cosine", True
    columns = (SCORE("similarity"),)

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Column similarity; NaN where the critic is off.

        Raises:
            ParameterError: it is on and there is no encoder.
        """
        if thresholds.similarity_min <= OFF or not len(pairs):
            return {"similarity": np.full(len(pairs), np.nan, dtype=np.float32)}
        encoder = models.encoder
        if encoder is None:
            raise ParameterError(
                "similarity_min asks for a sentence encoder, but encoder is none: name one, or set "
                "similarity_min to -1."
            )
        used = np.union1d(pairs.x, pairs.y)
        found = encoder.embed([pairs.texts[i] for i in used])  # (texts, d), unit norm
        vectors = np.zeros((len(pairs.texts), found.shape[1]), dtype=np.float32)
        vectors[used] = found
        return {"similarity": np.einsum("nd,nd->n", vectors[pairs.x], vectors[pairs.y])}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """What was not computed is accepted."""
        found = scores["similarity"].to_numpy(dtype=np.float32, na_value=np.nan)
        return np.asarray(np.isnan(found) | (found >= np.float32(thresholds.similarity_min)))
