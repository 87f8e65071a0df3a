"""Summarization is the same pipeline with other gates: one direction, shorter, nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from impossible.config.params import Params
from impossible.config.tasks import summarization
from impossible.filtering.diversity_filter import diversity_filter
from impossible.filtering.pair_scores import gate, score_pairs

LONG = "On Monday, the old school was destroyed by a fire in Lyon."
TEXTS = ["A fire destroyed the school.", "The school burned.", "Prices rose by 3 percent in Lyon."]


class Asked:
    """Says yes to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        self.pairs += pairs
        return np.ones(len(pairs))


def scored(critic: Asked, params: Params) -> pd.DataFrame:
    x, y = [LONG] * 3 + TEXTS[:1], [*TEXTS, LONG]
    frame = score_pairs(x, y, critic, lambda _: None, params)
    return pd.concat([pd.DataFrame({"context_id": "c", "x": x, "y": y}), frame], axis=1)


def test_only_one_direction_is_asked_and_no_tree_is_compared() -> None:
    critic, params = Asked(), summarization(Params.load("base"))
    frame = scored(critic, params)
    assert critic.pairs == list(zip(frame["x"], frame["y"], strict=True))
    assert frame["p_yx"].isna().all()
    assert frame["ted"].isna().all()
    kept, funnel = gate(frame, params)
    assert list(kept["y"]) == TEXTS  # numbers may differ and words may be the same
    assert funnel.set_index("reason")["n"].to_dict() == {"kept": 3, "length_ratio": 1}


def test_paraphrasing_still_asks_both_ways_and_refuses_short_texts() -> None:
    critic = Asked()
    kept, _ = gate(scored(critic, Params.load("base")), Params.load("base"))
    assert {(LONG, text) for text in TEXTS} | {(text, LONG) for text in TEXTS} <= set(critic.pairs)
    assert kept.empty


def test_a_summary_that_the_critic_refuses_is_dropped() -> None:
    params = summarization(Params.load("base"))
    frame = scored(Asked(), params)
    frame["p_xy"] = np.float32([0.9, 0.74, 0.75, 0.9])
    assert list(gate(frame, params)[0]["y"]) == [TEXTS[0], TEXTS[2]]


def test_of_summaries_that_say_the_same_the_surest_stays() -> None:
    params = summarization(Params.load("base"))
    kept = scored(Asked(), params).iloc[:3].assign(p_xy=np.float32([0.8, 0.95, 0.9]))
    left = diversity_filter(kept, lambda pairs: np.ones(len(pairs)))
    assert list(left["y"]) == [TEXTS[1]]


def test_thresholds_that_a_task_sets_are_not_read_from_the_run() -> None:
    params = Params.load("base", {"summary_length_ratio_max": 0.5})
    task = summarization(params)
    assert (task.rouge_l_max, task.length_ratio_max, task.ted_min) == (1.0, 0.5, 0)
    assert params.read == {"summary_length_ratio_max"}
