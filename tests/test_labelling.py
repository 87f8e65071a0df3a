"""Twenty pairs to label oneself: drawn by the seed, blind, and set beside critic and judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from impossible.errors import DataError
from impossible.evaluation.judges import Judge
from impossible.experiments.labelling import labels_beside, pairs_to_label


def pairs(accepted: int = 30, rejected: int = 30) -> pd.DataFrame:
    """Accepted and rejected pairs, each also in the other order, and some of one direction."""
    n = accepted + rejected
    scores = np.array([0.9] * accepted + [0.6] * rejected, dtype=np.float32)
    frame = pd.DataFrame({"x": [f"x{i}" for i in range(n)], "y": [f"y{i}" for i in range(n)]})
    frame = frame.assign(p_xy=scores, p_yx=scores)
    turned = frame.rename(columns={"x": "y", "y": "x"})
    return pd.concat([frame, turned, frame.assign(y="one way", p_yx=np.nan)], ignore_index=True)


class Even(Judge):
    """Calls a pair equivalent whose number is even, and does not know the first ten."""

    name = "even"

    def equivalent(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        numbers = [int(x[1:]) for x in xs]
        return np.array([np.nan if n < 10 else float(n % 2 == 0) for n in numbers])


def test_half_are_accepted_each_pair_once_and_the_seed_decides() -> None:
    drawn = pairs_to_label(pairs(), 0.75, 1)
    assert len(drawn) == 20
    assert (drawn["p_xy"] > 0.75).sum() == 10
    numbers = drawn["x"].str[1:]
    assert numbers.is_unique
    assert "one way" not in {*drawn["x"], *drawn["y"]}
    assert not (drawn["p_xy"].diff().dropna() <= 0).all(), "not sorted by the critic"
    pd.testing.assert_frame_equal(drawn, pairs_to_label(pairs(), 0.75, 1))
    assert not drawn.equals(pairs_to_label(pairs(), 0.75, 2))
    assert len(pairs_to_label(pairs(2, 30), 0.75, 1)) == 20, (
        "too few of one half: more of the other"
    )
    assert pairs_to_label(pairs(0, 0), 0.75, 1).empty


def test_nothing_is_told_before_all_are_labelled() -> None:
    drawn = pairs_to_label(pairs(), 0.75, 1)
    shown = labels_beside(drawn, "", 0.75, Even())
    assert list(shown.table) == ["pair", "x", "y"]
    assert "20 letters" in shown.sentence
    for mine in ("yn", "y" * 19 + "?"):
        with pytest.raises(DataError, match="it must hold 20, each y or n"):
            labels_beside(drawn, mine, 0.75, Even())


def test_labels_stand_beside_critic_and_judge() -> None:
    drawn = pairs_to_label(pairs(), 0.75, 1)
    accepted = drawn["p_xy"] > 0.75
    mine = "".join("y" if each else "n" for each in accepted)
    shown = labels_beside(drawn, mine, 0.75, Even())
    assert list(shown.table) == ["pair", "x", "y", "you", "critic", "even"]
    assert (shown.table["you"] == shown.table["critic"]).all()
    known = (shown.table["even"] != "–").sum()
    assert "you and critic on 20 of 20" in shown.sentence
    assert f"you and even on {(shown.table['you'] == shown.table['even']).sum()} of {known}" in (
        shown.sentence
    )
    nobody = labels_beside(drawn, mine, 0.75, Judge())
    assert "you and none on 0 of 0" in nobody.sentence
