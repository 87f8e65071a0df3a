"""Summarization is the same pipeline with other thresholds: one direction, shorter, no more."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
from impossible.config.params import Params
from impossible.filtering.build_dataset import apply_thresholds
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.critic import TextPairs
from impossible.filtering.diversity_filter import diversity_filter
from impossible.filtering.pair_scores import score_pairs
from impossible.filtering.thresholds import Thresholds

LONG = "On Monday, the old school was destroyed by a fire in Lyon."
TEXTS = ["A fire destroyed the school.", "The school burned.", "Prices rose by 3 percent in Lyon."]
SUMMARY, PARAPHRASE = (
    Thresholds.summary(Params.load("base")),
    Thresholds.paraphrase(Params.load("base")),
)


class Asked:
    """Says yes to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        self.pairs += pairs
        return np.ones(len(pairs))


def scored(critic: Asked, thresholds: Thresholds) -> pd.DataFrame:
    x, y = [LONG] * 3 + TEXTS[:1], [*TEXTS, LONG]
    models = SimpleNamespace(critic=critic, parser=FlatParser())
    frame, _ = score_pairs(TextPairs.of(x, y), models, thresholds, exits_after=0)
    return pd.concat([pd.DataFrame({"context_id": "c", "x": x, "y": y}), frame], axis=1)


def test_only_one_direction_is_asked_and_no_tree_is_compared() -> None:
    critic = Asked()
    frame = scored(critic, SUMMARY)
    assert critic.pairs == list(zip(frame["x"], frame["y"], strict=True))
    assert frame["p_yx"].isna().all()
    assert frame["ted"].isna().all()
    kept, funnel = apply_thresholds(frame, SUMMARY)
    assert list(kept["y"]) == TEXTS  # numbers may differ and words may be the same
    assert funnel.set_index("reason")["n"].to_dict() == {"kept": 3, "length_ratio": 1}


def test_paraphrasing_still_asks_both_ways_and_rejects_short_texts() -> None:
    critic = Asked()
    kept, _ = apply_thresholds(scored(critic, PARAPHRASE), PARAPHRASE)
    assert {(LONG, text) for text in TEXTS} | {(text, LONG) for text in TEXTS} <= set(critic.pairs)
    assert kept.empty


def test_a_summary_that_the_critic_rejects_is_dropped() -> None:
    frame = scored(Asked(), SUMMARY)
    frame["p_xy"] = np.float32([0.9, 0.74, 0.75, 0.9])
    assert list(apply_thresholds(frame, SUMMARY)[0]["y"]) == [TEXTS[0], TEXTS[2]]


def test_of_summaries_that_say_the_same_the_surest_stays() -> None:
    kept = scored(Asked(), SUMMARY).iloc[:3].assign(p_xy=np.float32([0.8, 0.95, 0.9]))
    left = diversity_filter(kept, lambda pairs: np.ones(len(pairs)))
    assert list(left["y"]) == [TEXTS[1]]


def test_only_thresholds_that_are_asked_for_count_as_read() -> None:
    params = Params.load("base", {"summary_length_ratio_max": 0.5})
    assert not params.read - {"summary_length_ratio_max"}
    task = Thresholds.summary(params)
    assert (task.rouge_l_max, task.length_ratio_max, task.ted_min) == (1.0, 0.5, 0)
    assert params.read == {"summary_length_ratio_max"}
    assert Thresholds.paraphrase(params).rouge_l_max == 0.75
    assert "rouge_l_max" in params.read
