"""Critic: x and y differ in structure (section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from impossible.data.schemas import FLAG, SCORE
from impossible.errors import DataError
from impossible.filtering.critic import Columns, Critic, Mask, Models, TextPairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.tree_edit_distance import at_least, pair_trees, ted_bounds


class TreeDistance(Critic):
    """Tree edit distance of the constituency trees ≥ `ted_min`.

    Cheap bounds, ted_lower ≤ ted ≤ ted_upper, are always stored; the exact distance only where they
    leave `ted_min` open. tree_fallback: a sentence did not parse, flat trees were compared.
    """

    name = "ted"
    title = "tree distance"
    columns = (
        *(SCORE(name) for name in ("ted", "ted_lower", "ted_upper")),
        FLAG("tree_fallback"),
    )

    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Its four columns; where `ted_min` is 0, all are null: any distance is enough."""
        names = [field.name for field in self.columns]
        if thresholds.ted_min == 0:
            empty = np.full(len(pairs), np.nan, dtype=np.float32)
            return dict.fromkeys(names[:3], empty) | {names[3]: np.full(len(pairs), None)}
        texts = [pairs.texts[i] for i in np.unique([*pairs.x, *pairs.y])]
        trees = dict(zip(texts, models.parser.parse_many(texts), strict=True))
        rows = [_distances(x, y, trees, thresholds.ted_min) for x, y in pairs]
        columns = zip(*rows, strict=True) if rows else [()] * 4
        return {name: np.array(column) for name, column in zip(names, columns, strict=True)}

    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """Decided by the exact distance or by a bound.

        Raises:
            DataError: the stored bounds leave the threshold open and there is no exact distance.
        """
        least = thresholds.ted_min
        if least == 0:
            return np.ones(len(scores), dtype=bool)
        exact = scores["ted"].to_numpy()
        far = (exact >= least) | (scores["ted_lower"].to_numpy() >= least)
        near = (exact < least) | (scores["ted_upper"].to_numpy() < least)
        undecided = int((~far & ~near).sum())
        if undecided:
            raise DataError(
                f"ted_min={least} is not decided by the saved bounds for {undecided} pairs; "
                "score them again with this ted_min"
            )
        return np.asarray(far)


def _distances(
    x: str, y: str, trees: Mapping[str, str | None], threshold: float
) -> tuple[float, float, float, bool]:
    """Exact distance or NaN, lower and upper bound, whether flat trees were compared."""
    first, second = sorted((x, y))
    tree_x, tree_y, fallback = pair_trees(first, second, trees.__getitem__)
    lower, upper = ted_bounds(tree_x, tree_y)
    exact = at_least(tree_x, tree_y, threshold)[1]
    if exact is None and lower == upper:
        exact = lower
    return np.nan if exact is None else exact, lower, upper, fallback
