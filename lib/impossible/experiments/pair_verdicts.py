"""What became of single pairs, told with the number that decided."""

from __future__ import annotations

import numpy as np
import pandas as pd

from impossible.experiments.example_pairs import SHOWN_SCORES, Examples
from impossible.filtering.build_dataset import KEPT, rejections
from impossible.filtering.thresholds import Thresholds


def fates(
    scores: pd.DataFrame, thresholds: Thresholds, dataset: pd.DataFrame, otherwise: str
) -> pd.Series:
    """What became of each scored pair: "kept", the first critic that rejects it, or `otherwise`.

    The last is that of a pair that all critics accept and that is not in the DATASET made of them:
    "diversity", "not_chosen".
    """
    reason = rejections(scores, thresholds)
    chosen = set(zip(dataset["source"], dataset["target"], strict=True))
    left_out = [pair not in chosen for pair in zip(scores["x"], scores["y"], strict=True)]
    return reason.mask((reason == KEPT) & pd.Series(left_out, scores.index, dtype=bool), otherwise)


def why(reason: str, row: pd.Series, limits: Thresholds) -> str:
    """A pair's fate (of `fates`) in words, with the number that decided."""
    if reason == "entailment":
        least = np.nanmin(row[["p_xy", "p_yx"]].astype(float))
        return f"entailment: {least:.2f} < {limits.entailment_threshold:g}"
    if reason == "ted":
        exact = row["ted"] == row["ted"]  # else a bound has decided
        edits = counted_noun(int(row["ted" if exact else "ted_upper"]), "edit")
        return f"trees: {'' if exact else 'at most '}{edits} < {limits.ted_min}"
    if reason == "length_ratio":
        span = f"{limits.length_ratio_min:g} to {limits.length_ratio_max:g}"
        return f"length ratio: {row['length_ratio']:.2f}, not {span}"
    if reason == "rouge_l":
        return f"ROUGE-L: {row['rouge_l']:.2f} > {limits.rouge_l_max:g}"
    if reason == "covered":
        return f"sentences covered: {row['covered']:.2f} < {limits.summary_covered_min:g}"
    if reason == "similarity":
        return f"cosine: {row['similarity']:.2f} < {limits.similarity_min:g}"
    words = {
        "numbers": "numbers: not the same",
        "names": "names: not the same",
        "diversity": "diversity: another pair says it",
        "not_chosen": "passes, but another candidate is further from x",
    }
    return words.get(reason, reason)


def verdict_table(rows: pd.DataFrame, thresholds: Thresholds, sentence: str) -> Examples:
    """What a reader sees of pairs: texts, scores, and the fate (`reason`) of each in words."""
    table = rows[["x", "y"]].copy()
    for name, shown in SHOWN_SCORES.items():
        table[shown] = rows[name].astype(float) if name in rows else np.nan
    table["verdict"] = [why(str(row["reason"]), row, thresholds) for _, row in rows.iterrows()]
    return Examples(table, sentence)


def counted_noun(n: int, noun: str) -> str:
    """A number and its noun.

    >>> counted_noun(1, "pair"), counted_noun(1200, "pair")
    ('1 pair', '1,200 pairs')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"
