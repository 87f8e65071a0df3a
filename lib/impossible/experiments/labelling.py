"""Pairs for a reader to label, and those labels beside what critic and judge say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impossible.errors import DataError
from impossible.evaluation.judges import Judge
from impossible.experiments.example_pairs import Examples

TO_LABEL = 20  # pairs: what a reader does in a few minutes
WORDS = {1.0: "same", 0.0: "not the same"}


def pairs_to_label(pairs: pd.DataFrame, threshold: float, seed: int) -> pd.DataFrame:
    """Twenty pairs drawn by the seed in random order, half of them accepted as equivalent.

    Args:
        pairs: PAIRS; those whose two directions are known are drawn from, in one order each.
        threshold: entailment from which on the critic accepts.
        seed: of the draw.

    Returns:
        x, y, p_xy, p_yx; all if there are fewer, more of one half if the other has too few.
    """
    known = pairs.dropna(subset=["p_xy", "p_yx"])
    sides = np.sort(known[["x", "y"]].to_numpy(dtype=str), axis=1)
    one = known[~pd.DataFrame(sides, known.index).duplicated()]
    drawn = one.sample(frac=1, random_state=seed)
    turn = drawn.groupby(_accepted(drawn, threshold)).cumcount()  # one of either half in turn
    first = drawn.loc[turn.sort_values(kind="stable").index[:TO_LABEL]]
    shown = first.sample(frac=1, random_state=seed)
    return shown[["x", "y", "p_xy", "p_yx"]].reset_index(drop=True)


def labels_beside(drawn: pd.DataFrame, mine: str, threshold: float, judge: Judge) -> Examples:
    """The pairs, and once they are labelled what reader, critic and judge say of each.

    Args:
        drawn: of `pairs_to_label`.
        mine: a letter for each pair, y (both say the same) or n; "": not labelled yet, and neither
            scores nor verdicts are shown.
        threshold: entailment from which on the critic accepts.
        judge: of the run, for evaluation only.

    Raises:
        DataError: labels are missing, too many, or other letters.
    """
    table = drawn[["x", "y"]].copy()
    table.insert(0, "pair", range(1, len(table) + 1))
    if not mine:
        return Examples(table, f"Not labelled yet: {len(table)} letters, y or n, go into `mine`.")
    if len(mine) != len(table) or set(mine) - {"y", "n"}:
        raise DataError(
            f"mine holds {len(mine)} letters ({mine!r}); it must hold {len(table)}, each y or n, "
            "in the order of the pairs: correct it."
        )
    said = {
        "you": np.array([float(letter == "y") for letter in mine]),
        "critic": _accepted(drawn, threshold).to_numpy(dtype=float),
        judge.name: judge.equivalent(list(drawn["x"]), list(drawn["y"])),
    }
    words = {name: [WORDS.get(value, "–") for value in values] for name, values in said.items()}
    names = [("you", "critic"), ("you", judge.name), ("critic", judge.name)]
    found = [f"{a} and {b} {_agreement(said[a], said[b])}" for a, b in names]
    return Examples(table.assign(**words), f"Of one opinion: {'; '.join(found)}.")


def _accepted(pairs: pd.DataFrame, threshold: float) -> pd.Series[bool]:
    return pairs[["p_xy", "p_yx"]].min(axis=1) >= np.float32(threshold)


def _agreement(a: np.ndarray, b: np.ndarray) -> str:
    """On how many pairs two agree, of those that both have an opinion on."""
    both = ~np.isnan(a) & ~np.isnan(b)
    return f"on {int((a == b)[both].sum())} of {int(both.sum())}"
