"""Transfer: draws, curves by hand, the headline stand-in, variety and its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

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
from impossible.evaluation.bootstrap import Bootstrap, Interval
from impossible.evaluation.metrics import novelty
from impossible.experiments import domain_adaptation
from impossible.report import figures
from impossible.text.sentence_boundaries import words
from impossible.training.student import load_student
from impossible.world import oracle, parse, test_sets
from impossible.world.documents import split_of

GIVEN = {"transfer_sizes": [0, 2, 4], "transfer_steps": [1, 2], "student_batch_size": 2,
         "sentence_max_new_tokens": 4, "dtype": "float32"}  # fmt: skip


def gold(n: int) -> pd.DataFrame:
    frame = pd.DataFrame({"source": [f"x{i}" for i in range(n)]})
    return frame.assign(references=[[f"y{i}", "other"] for i in range(n)])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(1, 3))
def test_fewer_pairs_are_a_part_of_more_and_draws_share_none(sizes: list[int], draws: int) -> None:
    points = domain_adaptation.nested_draws(gold(27), sizes, draws)
    most = max(sizes)
    for (size, draw), pairs in points.items():
        assert len(pairs) == size
        assert pairs == points[most, draw][:size]
    drawn = [pair for draw in range(draws) for pair in points.get((most, draw), [])]
    assert len(set(drawn)) == len(drawn)


def test_too_few_gold_pairs_are_told() -> None:
    with pytest.raises(ParameterError, match="need 10 gold pairs, and there are 9"):
        domain_adaptation.nested_draws(gold(9), [5], 2)


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
    assert (same["low"] == 0).all()  # nothing differs: the paired interval has no width
    assert (same["high"] == 0).all()


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


def test_draws_are_averaged_and_do_not_make_more_items() -> None:
    twice = pd.concat([scores(), scores().assign(good=lambda frame: frame["good"] + 10)])
    rows = domain_adaptation.curve_rows(twice, ["good"], bootstrap=Bootstrap(20))
    assert rows["value"].tolist() == [v + 5 for v in (0, 30, 50, 50, 25, 40, 50, 50)]
    assert set(rows["n"]) == {2}


@pytest.mark.parametrize("build", [tiny.t5, tiny.llama])
def test_learning_curves_train_from_the_start_and_choose_on_dev(build, tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = tiny.save(tmp_path / "base", *build())
    load = partial(load_student, str(folder))
    texts = tiny.SENTENCES
    items = pd.DataFrame({"id": list("abcd"), "source": texts[:4]})
    items = items.assign(references=[[y, x] for x, y in zip(texts, texts[4:8], strict=False)])
    params = Params.load("base", GIVEN)
    asked: list[Sequence[str]] = []

    def judge(xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        asked.append(ys)
        return np.full(len(xs), len(asked) % 2, dtype=float)  # the first tried is the better

    found = domain_adaptation.learning_curves(
        {"base": load}, items, items.iloc[:2], items, judge, params
    )
    assert found.groupby("pairs")["steps"].unique().map(list).to_dict() == {0: [0], 2: [1], 4: [1]}
    assert len(asked) == 4  # two numbers of steps at two sizes; none without pairs
    assert list(found["system"].unique()) == ["base | 0 pairs", "base | 2 pairs", "base | 4 pairs"]
    before = [weight.clone() for weight in load().model.parameters()]
    moved = domain_adaptation.fine_tuned(
        load(), [(texts[0], texts[1])], 2, params
    ).model.parameters()
    assert any((a != b).any() for a, b in zip(before, moved, strict=True))


def test_headlines_are_words_of_their_sentence_in_order_and_follow() -> None:
    frame = test_sets.headlines(40, seed=3)
    for row in frame.itertuples():
        rest = iter(words(row.source))
        assert all(word in rest for word in words(row.target)), (row.source, row.target)
        assert len(row.target) <= 0.8 * len(row.source)
        fact = parse(row.source)
        assert fact is not None
        assert split_of(fact.core()) == "train"
    assert oracle.good_summaries(frame["source"], frame["target"]).all()
    assert set(frame["domain"]) == {"news"}
    assert frame["context_id"].is_unique
    assert test_sets.headlines(10, seed=3).equals(frame.head(10))
    abstractive = test_sets.load(40, 3, "summary", n_references=1)
    pairs = zip(abstractive["source"], abstractive["references"], strict=True)
    rewordings = np.nanmean([novelty(x, texts[0]) for x, texts in pairs])
    assert np.nanmean(list(map(novelty, frame["source"], frame["target"]))) < rewordings / 2


def test_test_sets_of_one_domain() -> None:
    assert set(test_sets.load(8, task="summary", domain="biomedical")["domain"]) == {"biomedical"}
    assert set(test_sets.load(8, domain="news")["domain"]) == {"news"}
    for make in (test_sets.load, test_sets.headlines):
        with pytest.raises(ParameterError, match="no domain 'law': choose one of news"):
            make(2, domain="law")


def test_a_good_summary_is_true_whole_and_short() -> None:
    x = "On Monday, the old school was destroyed by a fire, police said."
    ys = ["The school was destroyed by a fire.", "The school was destroyed.", x, "A fire.", ""]
    assert oracle.good_summaries([x] * 5, ys).tolist() == [1, 0, 0, 0, 0]
    assert oracle.good_summaries([x], ys[:1], longest=0.3).tolist() == [0]
    assert np.isnan(oracle.good_summaries(["Not of this world."], ys[:1])[0])


def test_the_interval_of_a_difference_covers_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(0), 0
    for _ in range(2000):
        a, b = rng.normal(3, 1), rng.normal(1, 2)
        gap = corpus_quality.independent_difference(
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
    gaps = corpus_quality.difference_rows(
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


def test_the_pairs_that_another_start_needs_are_bracketed_by_those_tried() -> None:
    points = {"ours": [40.0, 50.0, 70.0], "base": [0.0, 45.0, 60.0]}
    parts = [
        pd.DataFrame({"system": name, "pairs": [0, 16, 64], "metric": "good", "value": values})
        for name, values in points.items()
    ]
    needed = domain_adaptation.pairs_to_catch_up(pd.concat(parts), "ours", "base", "good")
    assert needed.loc[[0, 16]].tolist() == [16, 64]
    assert np.isnan(needed[64])
