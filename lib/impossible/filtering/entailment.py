"""Critic: x and y entail one another, as an NLI model judges (section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.data.schemas import SCORE
from impossible.errors import ParameterError
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.pairs import Pair


class Entailment(Critic):
    """P(x⇒y) ≥ `entailment_threshold`, and P(y⇒x) too where `both_directions` is on.

    The shorter text is asked first whether it entails the longer, which fails more often; the other
    direction is computed only where the first reaches `entailment_floor`. So does the tree critic
    see only pairs at or above the floor.
    """

    name = "entailment"
    columns = (SCORE("p_xy"), SCORE("p_yx"))

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Columns p_xy and p_yx; each different question is asked once."""
        asked = list(pairs)
        if not thresholds.both_directions:
            known = _ask(models, asked)
            back = np.full(len(asked), np.nan, dtype=np.float32)
            return {"p_xy": _column(known, asked), "p_yx": back}
        known = _ask(models, [min((x, y), (y, x), key=_shorter) for x, y in asked])
        floor = np.float32(thresholds.entailment_floor)
        known |= _ask(models, [(y, x) for (x, y), p in known.items() if np.float32(p) >= floor])
        return {"p_xy": _column(known, asked), "p_yx": _column(known, [(y, x) for x, y in asked])}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """What was not computed (NaN) had been refuted the other way and is rejected.

        Raises:
            ParameterError: the threshold lies below the floor down to which both directions exist.
        """
        floor, threshold = thresholds.entailment_floor, thresholds.entailment_threshold
        if threshold < floor:
            raise ParameterError(
                f"entailment_threshold is {threshold}, below entailment_floor {floor}: scores "
                "there are incomplete; lower the floor and score again"
            )
        return _reaches(scores, threshold, thresholds.both_directions)

    def goes_on(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """Pairs at or above the floor."""
        return _reaches(scores, thresholds.entailment_floor, thresholds.both_directions)


def _shorter(pair: Pair) -> tuple[int, str]:
    return len(pair[0]), pair[0]


def _ask(models: Models, pairs: list[Pair]) -> dict[Pair, float]:
    critic, unique = models.critic, list(dict.fromkeys(pairs))
    return dict(zip(unique, critic.probabilities(unique), strict=True)) if unique else {}


def _column(known: Mapping[Pair, float], pairs: list[Pair]) -> NDArray[np.float32]:
    return np.array([known.get(pair, np.nan) for pair in pairs], dtype=np.float32)


def _reaches(scores: pd.DataFrame, least: float, both: bool) -> Mask:
    """Comparisons with NaN are false."""
    enough = scores["p_xy"].to_numpy() >= np.float32(least)
    return np.asarray(enough & (scores["p_yx"].to_numpy() >= np.float32(least)) if both else enough)
