"""Corpora: hand-counted frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.fractions import fraction_by_group, fraction_rows, precision_recall
from impossible.experiments.pair_samples import (
    chosen_by_chance,
    distinct_pairs,
    example_context,
    nearest_to,
    one_of_each_context,
    pair_edges,
    thread,
)
from impossible.filtering.funnel import check_funnel, continued, dropped_by, funnel_table


def test_funnel_must_add_up():
    funnel = pd.DataFrame(
        {"context_id": ["a", "a", "b"], "reason": ["rouge_l", "kept", "rouge_l"], "n": [4, 2, 6]}
    )
    assert check_funnel(funnel, {"a": 6, "b": 6}) == 12
    with pytest.raises(DataError, match=r"context_id b: 7 pairs came in and 6"):
        check_funnel(funnel, {"a": 6, "b": 7})
    with pytest.raises(DataError, match="context_id c"):
        check_funnel(funnel, {"a": 6, "b": 6, "c": 1})


def test_funnel_table_shares():
    funnel = pd.DataFrame({"reason": ["b", "kept", "a", "b"], "n": [30, 10, 50, 10]})
    table = funnel_table(funnel, ["a", "b", "never"]).set_index("reason")
    assert list(table.index) == ["a", "b", "never", "kept"]
    assert list(table["n"]) == [50, 40, 0, 10]
    assert table.loc["a", "of those left, %"] == 50
    assert table.loc["b", "of those left, %"] == 80  # 40 of the 50 that a left
    assert table.loc["kept", "of those left, %"] == 100


def test_fraction_by_group_leaves_missing_out():
    frame = fraction_by_group(
        [1, 0, np.nan, 1, np.nan], ["p", "p", "p", "q", "r"], clusters=[1, 2, 3, 4, 5]
    ).set_index("group")
    assert frame.loc["p", "value"] == 0.5
    assert frame.loc["p", "n"] == 2
    assert frame.loc["p", "low"] == 0
    assert frame.loc["p", "high"] == 1
    assert frame.loc["q", "value"] == 1
    assert np.isnan(frame.loc["r", "value"])
    assert frame.loc["r", "n"] == 0


def test_chance_takes_as_many_of_each_item():
    pairs = pd.DataFrame({"context_id": list("aaabbc"), "x": range(6)})
    kept = pairs.iloc[[0, 1, 5]]
    drawn = chosen_by_chance(pairs, kept, np.random.default_rng(1))
    assert list(drawn["context_id"]) == ["a", "a", "c"]
    assert drawn["x"].is_unique
    assert chosen_by_chance(pairs, kept.iloc[:0], np.random.default_rng(1)).empty


def test_funnel_of_steps_adds_up():
    funnel = pd.DataFrame({"context_id": ["a", "b"], "reason": ["scored", "rouge_l"], "n": [3, 2]})
    before = pd.DataFrame({"context_id": ["a", "a", "a"]})
    step = dropped_by(before, before.iloc[:1], "diversity")
    whole = continued(funnel, step, "scored")
    assert dict(zip(whole["reason"], whole["n"], strict=True)) == {
        "rouge_l": 2, "diversity": 2, "kept": 1,
    }  # fmt: skip


def test_edges_and_example_of_algorithm_1():
    pairs = pd.DataFrame(
        {"context_id": ["c"] * 3 + ["d"], "x": ["1", "1", "2", "9"], "y": ["5", "6", "7", "8"]}
    )
    entailed = {("7", "6")}
    edges = pair_edges(pairs, lambda asked: [float(p in entailed) for p in asked], 0.75)
    assert edges == [(0, 1), (1, 2)]  # the same x; y of 2 entails y of 1
    assert set(example_context(pairs, pairs.iloc[[0, 1, 3]])["context_id"]) == {"c"}
    assert set(example_context(pairs, pairs.iloc[[0, 1, 3]], most=2)["context_id"]) == {"d"}


def test_examples_come_from_as_many_contexts_as_there_are():
    pairs = pd.DataFrame({"context_id": list("aaaabbc"), "x": list("1234567")})
    for seed in range(5):
        drawn = one_of_each_context(pairs, 3, seed)
        assert sorted(drawn["context_id"]) == ["a", "b", "c"]
        assert sorted(one_of_each_context(pairs, 5, seed)["context_id"]) == list("aabbc")
    assert len(one_of_each_context(pairs, 20)) == len(pairs)


def test_nearest_to_a_threshold():
    frame = pd.DataFrame({"p": [0.1, 0.74, np.nan, 0.8]})
    assert list(nearest_to(frame, frame["p"], 0.75, 2).index) == [1, 3]


def test_distinct_pairs_are_all_pairs_when_asked_for_enough():
    texts = {"a": ["1", "2", "3", "3", ""], "b": ["1"], "c": list("wxyz")}
    frame = pd.DataFrame(
        [
            {"context_id": c, "text": t, "reason": "" if t else "no_end"}
            for c in texts
            for t in texts[c]
        ]
    )
    pairs = distinct_pairs(frame, 100, np.random.default_rng(0))
    assert len(pairs) == 3 + 0 + 6
    assert not pairs.duplicated().any()
    assert (pairs["x"] != pairs["y"]).all()
    assert set(map(tuple, pairs[pairs["context_id"] == "a"][["x", "y"]].to_numpy())) == {
        ("1", "2"), ("1", "3"), ("2", "3"),
    }  # fmt: skip
    assert len(distinct_pairs(frame, 4, np.random.default_rng(0))) == 4
    assert distinct_pairs(frame.iloc[:0], 4, np.random.default_rng(0)).empty


def test_precision_and_recall_by_hand():
    passed = [True, True, True, False, False, False]
    truth = [1, 1, 0, 1, 0, np.nan]
    frame = precision_recall(passed, truth, list("aabbcc"), bootstrap=Bootstrap(20)).set_index(
        "group"
    )
    assert frame.loc["precision", "value"] == pytest.approx(2 / 3)
    assert frame.loc["recall", "value"] == pytest.approx(2 / 3)
    assert list(frame["n"]) == [3, 3]
    nothing = precision_recall([False], [np.nan])
    assert nothing["value"].isna().all()
    assert list(fraction_rows(frame.reset_index())["value"].round(1)) == [66.7, 66.7]


def test_the_thread_follows_one_pair_from_its_context() -> None:
    kept = pd.DataFrame([("c", "A rose.", "A did rise.")], columns=["context_id", "x", "y"])
    texts = ["A rose.", "A did rise.", "B fell.", "B fell.", "", "C stood."]
    sentences = pd.DataFrame({"context_id": [*"cccccd"], "text": texts})
    sentences["reason"] = ["" if text else "no_end" for text in texts]
    contexts = pd.DataFrame({"context_id": ["d", "c"], "text": ["Of d.", "Of c."]})
    assert thread(kept, sentences, contexts).to_numpy().tolist() == [
        ["context", "Of c."],
        ["next sentence", "B fell."],
        ["all critics accept: x", "A rose."],
        ["and y", "A did rise."],
    ]
