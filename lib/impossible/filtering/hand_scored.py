"""Pairs scored by hand, for examples and tests: what is not given is such that critics accept it.

An example that shows one critic at work names that critic's scores and no others, so a new critic
in the registry changes no example.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np
import pandas as pd

from impossible.errors import ParameterError
from impossible.filtering.critic import Critic, column_types
from impossible.filtering.critics import CRITICS
from impossible.filtering.thresholds import Thresholds

#: What scores are tried: most or nothing of a fraction, endlessly much or little, not computed.
TRIED = (1.0, 0.0, np.inf, -np.inf, np.nan)


def hand_scored(
    pairs: pd.DataFrame, thresholds: Thresholds, critics: Iterable[Critic] = CRITICS
) -> pd.DataFrame:
    """Pairs with the columns of all critics; those that are not given are accepted.

    Args:
        pairs: any columns; those of a critic stay as they are, in the critic's type.
        thresholds: by which the critics accept.
        critics: whose columns are filled in.

    Returns:
        The pairs with the critics' columns, in the types of `score_pairs`.

    Raises:
        ParameterError: a critic accepts none of the values that are tried.

    Example:
        `hand_scored(pd.DataFrame({"x": ["a"], "y": ["b"], "p_xy": [0.1]}), thresholds)` is a pair
        that the entailment critic rejects, and no other does.
    """
    filled = pairs.copy()
    for critic in critics:
        types = column_types([critic])
        accepted = _accepted(critic, thresholds)
        absent = {name: accepted[name] for name in types if name not in pairs}
        filled = filled.assign(**absent).astype(types)
    return filled


def _accepted(critic: Critic, thresholds: Thresholds) -> dict[str, bool | float]:
    """A value for each column of a critic such that it accepts the pair; equal ones come first."""
    types = column_types([critic])
    tried = [(True, False) if kind == "boolean" else TRIED for kind in types.values()]
    alike = [[values[0] if len(values) == 2 else score for values in tried] for score in TRIED]
    for values in [*alike, *product(*tried)]:
        found = dict(zip(types, values, strict=True))
        if critic.accepts(pd.DataFrame([found]).astype(types), thresholds).all():
            return found
    raise ParameterError(
        f"The critic {critic.name} accepts none of the scores {TRIED}: give {', '.join(types)}."
    )
