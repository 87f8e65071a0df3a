"""Transfer: gold pairs, curves by hand, the headline stand-in, variety and its intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data import human_datasets
from impossible.errors import DataError, ParameterError
from impossible.evaluation import corpus_comparison, corpus_quality
from impossible.evaluation.bootstrap import Bootstrap, Interval, independent_difference
from impossible.evaluation.judges import Judge
from impossible.evaluation.metrics import novelty
from impossible.experiments import domain_adaptation
from impossible.report import figures
from impossible.text.sentence_boundaries import words
from impossible.training.student import load_student
from impossible.world import parse, test_sets
from impossible.world.documents import split_of
from impossible.world.oracle import Oracle

ORACLE = Oracle()
GIVEN = {"transfer_sizes": [0, 2, 4], "transfer_steps": [1, 2], "student_batch_size": 2,
         "sentence_max_new_tokens": 4, "dtype": "float32"}  # fmt: skip


def items(n: int, references: int = 2) -> pd.DataFrame:
    frame = pd.DataFrame({"id": [f"i{i}" for i in range(n)], "source": [f"x{i}" for i in range(n)]})
    return frame.assign(references=[[f"y{i}", "other"][:references] for i in range(n)])


@given(st.integers(3, 40), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(2, 9))
def test_no_item_serves_twice_and_fewer_pairs_are_a_part_of_more(
    n: int, sizes: list[int], n_test: int
) -> None:
    gold, dev, test = domain_adaptation.gold_dev_test(items(n), sizes, n_test)
    most = max(gold)
    for size, pairs in gold.items():
        assert len(pairs) == size
        assert pairs == gold[most][:size]
    used = [*test["source"], *dev["source"], *(x for x, _ in gold[most])]
    assert len(set(used)) == len(used)
    assert min(len(test), len(dev)) >= 1
    assert len(test) <= n_test


def test_without_references_there_are_no_gold_pairs() -> None:
    gold, dev, test = domain_adaptation.gold_dev_test(items(20, 0), [2, 4], 6)
    assert gold == {0: []}
    assert (len(test), len(dev)) == (6, 2)
    assert domain_adaptation.gold_dev_test(items(20, 1), [2, 400], 6)[0].keys() == {0, 2}


def test_summaries_are_judged_or_else_compared() -> None:
    x, y = "A fire destroyed the school in Lyon on Monday.", "A fire destroyed the school."
    answers = pd.DataFrame({"system": "s", "item": ["a", "b"], "source": x, "output": [y, x]})
    told = answers.assign(references=[[y]] * 2, bert_score_references=np.nan)
    assert domain_adaptation.summary_quality(told, ORACLE, 0.8) == 50
    assert 50 < domain_adaptation.summary_quality(told, Judge(), 0.8) < 100
    assert domain_adaptation.summary_quality(told.assign(references=[[]] * 2), Judge(), 0.8) == 0


def test_home_is_the_first_other_domain() -> None:
    params = Params.load("laboratory")
    assert domain_adaptation.home_domain(params) == "news"
    assert domain_adaptation.home_domain(params.fixed(unseen_domain="news")) == "biomedical"
    alone = params.fixed(domains=[d for d in params.domains if d.name == params.unseen_domain])
    with pytest.raises(ParameterError, match="only domain is the unseen one"):
        domain_adaptation.home_domain(alone)


def scores() -> pd.DataFrame:
    values = {("s", 0): (0, 0), ("s", 16): (40, 60), ("t", 0): (10, 50), ("t", 16): (20, 80)}
    return pd.DataFrame(
        [
            {"start": start, "pairs": pairs, "item": i, "good": float(value)}
            for (start, pairs), both in values.items()
            for i, value in enumerate(both)
        ]
    )


def test_curves_and_areas_by_hand() -> None:
    rows = domain_adaptation.curve_rows(scores(), ["good"], bootstrap=Bootstrap(20)).set_index(
        ["system", "pairs"]
    )
    assert rows["value"].to_dict() == {
        ("s", 0): 0, ("t", 0): 30, ("s", 16): 50, ("t", 16): 50,
        ("s", domain_adaptation.AREA): 25, ("t", domain_adaptation.AREA): 40,
        ("s", domain_adaptation.PAIRED): 50, ("t", domain_adaptation.PAIRED): 50,
    }  # fmt: skip
    gains = domain_adaptation.curve_gain_rows(
        scores(), [("s", "t"), ("s", "s")], ["good"], bootstrap=Bootstrap(20)
    )
    assert gains["value"].tolist() == [-30, 0, -15, 0, 0, 0, 0, 0]
    same = gains[gains["system"] == "s − s"]
    assert (same["low"] == -same["high"]).all()  # nothing differs: the interval is about 0
    assert (same["high"] >= 0).all()


def test_a_start_that_is_ahead_without_gold_pairs_only_is_worth_nothing_with_them() -> None:
    ahead = scores().assign(start=lambda frame: frame["start"].map({"s": "base", "t": "ours"}))
    gains = domain_adaptation.curve_gain_rows(
        ahead, [("ours", "base")], ["good"], bootstrap=Bootstrap(20)
    )
    found = gains.set_index("pairs")["value"]
    assert found[domain_adaptation.AREA] == 15
    assert found[domain_adaptation.PAIRED] == 0
    alone = domain_adaptation.curve_rows(
        ahead[ahead["pairs"] == 0], ["good"], bootstrap=Bootstrap(20)
    )
    assert domain_adaptation.PAIRED not in set(alone["pairs"])  # there is nothing to average


@pytest.mark.parametrize("build", [tiny.t5, tiny.llama])
def test_learning_curves_train_from_the_start_and_choose_on_dev(
    build: Callable[[], tuple[Any, Any]], tmp_path: Path
) -> None:
    load = partial(load_student, str(tiny.save(tmp_path / "base", *build())))
    texts = tiny.SENTENCES
    frame = pd.DataFrame({"id": list("abcd"), "source": texts[:4]})
    frame = frame.assign(references=[[y] for y in texts[4:8]])
    params = Params.load("base", GIVEN)
    asked: list[Sequence[str]] = []

    class FirstIsBetter(Judge):
        def good_summaries(
            self, xs: Sequence[str], ys: Sequence[str], longest: float
        ) -> np.ndarray:
            asked.append(ys)
            return np.full(len(xs), len(asked) % 2, dtype=float)

    gold = {size: list(zip(texts[:size], texts[4:], strict=False)) for size in (0, 2, 4)}
    found = domain_adaptation.learning_curves(
        {"base": load}, gold, frame.iloc[:2], frame, FirstIsBetter(), params
    )
    assert found.groupby("pairs")["steps"].unique().map(list).to_dict() == {0: [0], 2: [1], 4: [1]}
    assert len(asked) == 4  # two numbers of steps at two sizes; none without pairs
    assert list(found["system"].unique()) == ["base | 0 pairs", "base | 2 pairs", "base | 4 pairs"]


def test_headlines_are_words_of_their_sentence_in_order_and_follow() -> None:
    frame = test_sets.headlines(40, seed=3)
    for row in frame.itertuples():
        rest = iter(words(row.source))
        assert all(word in rest for word in words(row.target)), (row.source, row.target)
        assert len(row.target) <= 0.8 * len(row.source)
        fact = parse(row.source)
        assert fact is not None
        assert split_of(fact.core()) == "train"
    assert ORACLE.good_summaries(frame["source"], frame["target"]).all()
    assert set(frame["domain"]) == {"news"}
    assert frame["context_id"].is_unique
    assert test_sets.headlines(10, seed=3).equals(frame.head(10))
    abstractive = test_sets.world_items(40, 3, "summary")
    pairs = zip(abstractive["source"], abstractive["references"], strict=True)
    rewordings = np.nanmean([novelty(x, texts[0]) for x, texts in pairs])
    assert np.nanmean(list(map(novelty, frame["source"], frame["target"]))) < rewordings / 2


def test_test_sets_of_one_domain() -> None:
    assert set(test_sets.world_items(8, task="summary", domain="biomedical")["domain"]) == {
        "biomedical"
    }
    assert set(test_sets.world_items(8, domain="news")["domain"]) == {"news"}
    for make in (test_sets.world_items, test_sets.headlines):
        with pytest.raises(ParameterError, match="no domain 'law': choose one of news"):
            make(2, domain="law")


def test_a_good_summary_is_true_whole_and_short() -> None:
    x = "On Monday, the old school was destroyed by a fire, police said."
    ys = ["The school was destroyed by a fire.", "The school was destroyed.", x, "A fire.", ""]
    assert ORACLE.good_summaries([x] * 5, ys).tolist() == [1, 0, 0, 0, 0]
    assert ORACLE.good_summaries([x], ys[:1], longest=0.3).tolist() == [0]
    assert np.isnan(ORACLE.good_summaries(["Not of this world."], ys[:1])[0])


def test_the_interval_of_a_difference_covers_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(0), 0
    for _ in range(2000):
        a, b = rng.normal(3, 1), rng.normal(1, 2)
        gap = independent_difference(
            Interval(a, a - 1.96, a + 1.96, 1), Interval(b, b - 3.92, b + 3.92, 1)
        )
        hits += gap.low <= 2 <= gap.high
    assert 0.935 < hits / 2000 < 0.965


def corpus(targets: list[str]) -> pd.DataFrame:
    sources = [f"the old word{i} was seen by a man{i} today" for i in range(len(targets))]
    names = [f"c{i}" for i in range(len(targets))]
    return pd.DataFrame({"source": sources, "target": targets, "context_id": names})


def test_variety_by_hand_and_of_equals() -> None:
    copied = corpus([f"word{i} was seen by a man{i}" for i in range(12)])
    new = corpus([f"somebody{i} noticed word{i}" for i in range(12)])
    rows = corpus_quality.quality_rows(
        {"copied": copied, "new": new, "again": new}, 12, bootstrap=Bootstrap(20)
    )
    value = rows.set_index(["system", "metric"])["value"]
    assert value["copied", "novelty"] == 0
    assert value["new", "novelty"] == 100
    assert value["new", "compression"] == pytest.approx(
        np.mean([100 * len(y) / len(x) for x, y in zip(new["source"], new["target"], strict=True)])
    )
    gaps = corpus_quality.corpus_differences(
        rows, [("new", "copied"), ("new", "again")], ["novelty", "h2"]
    )
    assert gaps["value"].tolist()[0] == 100
    assert gaps.loc[gaps["system"] == "new − again", "value"].tolist() == [0, 0]


def test_human_summaries_are_read_or_asked_for(tmp_path) -> None:  # type: ignore[no-untyped-def]
    found, absent = corpus_comparison.human_corpora(names=corpus_comparison.HUMAN_SUMMARIES)
    assert not found
    assert set(absent) == {"Gigaword (headlines)", "Wiki conciseness"}
    assert all(str(tmp_path) not in sentence for sentence in absent.values())
    path = tmp_path / human_datasets.SUMMARIES["gigaword"].file
    path.parent.mkdir()
    path.write_text('{"source": "it did n\'t rain .", "target": "no rain"}\n')
    found, absent = corpus_comparison.human_corpora(
        str(tmp_path), corpus_comparison.HUMAN_SUMMARIES
    )
    assert list(found["Gigaword (headlines)"]["source"]) == ["it didn't rain ."]
    assert set(absent) == {"Wiki conciseness"}
    assert "gigaword" not in human_datasets.available(tmp_path)  # no paraphrases


def test_the_picture_names_every_start_and_number_of_pairs() -> None:
    rows = domain_adaptation.curve_rows(scores(), ["good"], bootstrap=Bootstrap(20))
    points = rows[~rows["pairs"].isin([domain_adaptation.AREA, domain_adaptation.PAIRED])]
    good = {"good": "good, %"}
    figure = figures.metric_curves(points, "pairs", good, ("s",), ("t",), points.head(1), True)
    (axis,) = figure.axes
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["0", "16"]
    assert [text.get_text() for text in figure.legends[0].texts] == ["s", "t"]
    with pytest.raises(DataError, match="lacks the column pairs"):
        figures.metric_curves(rows.drop(columns="pairs"), "pairs", good)
