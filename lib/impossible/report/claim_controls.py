"""What must be read beside a main claim: its control, a trivial method, too few pairs."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import pandas as pd

from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder
from impossible.evaluation.bootstrap import Interval, independent_difference
from impossible.evaluation.expectations import interval_of
from impossible.evaluation.metrics import RAW
from impossible.evaluation.test_sets import TITLES

#: Students of fewer pairs write almost nothing, so that a comparison of two says nothing of data.
ENOUGH_PAIRS = 50
_OTHERS = ("teacher, zero-shot", "round trip")  # with which the paper's metrics are compared


def told_from_shuffled(run: RunFolder, test_set: str, metric: str) -> tuple[bool, str]:
    """Whether M_para scores above its own outputs moved to other sentences, and what to read.

    Args:
        run: with the tables of systems of notebook 09.
        test_set: name or title; "" is the first.
        metric: "ibleu" or "bert_ibleu".

    Returns:
        True where all of the interval of the difference (as of independent samples) lies above 0,
        or where nothing is known; and both numbers in words, with how often meaning is kept.
    """
    rows = _systems(run, test_set)
    mine, moved = (interval_of(rows, name, metric) for name in ("M_para", "shuffled M_para"))
    if not (mine.n and moved.n):
        return True, ""
    apart = independent_difference(mine, moved).low > 0
    word = "shuffled outputs" if apart else "not told apart from shuffled outputs,"
    said = f"{word} {moved.value:.1f} (M_para {mine.value:.1f})"
    kept = {name: interval_of(rows, name, "fidelity").value for name in ("M_para", *_OTHERS)}
    others = [f"{name} {kept[name]:.0f} %" for name in _OTHERS if not isnan(kept[name])]
    if others and not isnan(kept["M_para"]):
        said += f", same meaning {kept['M_para']:.0f} % ({', '.join(others)})"
    return apart, said


def _systems(run: RunFolder, test_set: str) -> pd.DataFrame:
    names = {title: name for name, title in TITLES.items()}
    suffixed = run.tables / f"systems-{names.get(test_set, test_set)}.csv"
    return _table(suffixed if suffixed.is_file() else run.tables / "systems.csv")


def _table(path: Path) -> pd.DataFrame:
    empty = pd.DataFrame(columns=["system", "metric", "value", "low", "high", "n"])
    return pd.read_csv(path) if path.is_file() else empty


def few_pairs(run: RunFolder) -> str:
    """How many pairs the students of notebook 13 had, if fewer than `ENOUGH_PAIRS`, else ""."""
    path = run.scalars / "13_baselines.json"
    n = read_json(path).get("n_pairs") if path.is_file() else None
    return f"{n} pairs" if n is not None and n < ENOUGH_PAIRS else ""


def beside_summaries(run: RunFolder) -> str:
    """How often a sentence's first words follow and are short, and scores to the reference."""
    rows = _table(run.tables / "summary_systems.csv")

    def of(system: str, metric: str) -> Interval:
        return interval_of(rows, system, metric)

    trivial, mine = (of(name, "short_follows" + RAW) for name in ("first words", "M_sum"))
    said = []
    if trivial.n and mine.n:
        said.append(f"just the first words {trivial.value:.1f} % (M_sum {mine.value:.1f} %)")
    for metric, name in (("rouge_l", "ROUGE-L"), ("bert_score_references", "BERTScore")):
        both = of("M_sum", metric), of("teacher, TL;DR", metric)
        if all(each.n for each in both):
            mean, theirs = (f"{each.value:.1f}" for each in both)
            said.append(f"{name} to the reference {mean} (teacher {theirs})")
    return ", ".join(said)
