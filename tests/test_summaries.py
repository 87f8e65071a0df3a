"""Scores of summaries against hand counts and the rouge-score library; systems without training."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.evaluation.metrics import SUMMARY, novelty
from impossible.evaluation.paraphrase_metrics import with_similarities
from impossible.evaluation.summarization import first_words, pruned, summary_systems
from impossible.evaluation.systems import item_scores
from impossible.filtering.constituency_parser import load_parser
from impossible.filtering.thresholds import Thresholds
from impossible.models.loading import LanguageModel
from impossible.text.rouge import rouge_l
from impossible.world import test_sets
from impossible.world.oracle import Oracle

ORACLE = Oracle()


class Alike:
    """An encoder for which two texts are as alike as the share of their common words."""

    def embed(self, sentences: Sequence[str]) -> np.ndarray:
        return np.ones((len(sentences), 1))

    def bert_score(self, candidates: Sequence[str], references: Sequence[str]) -> np.ndarray:
        pairs = [({*a.split()}, {*b.split()}) for a, b in zip(candidates, references, strict=True)]
        return np.array([len(a & b) / len(a | b) for a, b in pairs])


def predictions(outputs: list[str]) -> pd.DataFrame:
    source = "On Monday the old school was destroyed by a fire"
    n = len(outputs)
    return pd.DataFrame(
        {
            "system": "s", "item": [str(i) for i in range(n)], "source": source,
            "references": [["a fire destroyed the school", "the school burned"]] * n,
            "output": outputs,
        }
    )  # fmt: skip


def test_scores_by_hand() -> None:
    outputs = predictions(["the school burned", "", "fire"])
    frame = item_scores(with_similarities(outputs, Alike(), references=True), metrics=SUMMARY)
    assert frame["rouge1"].tolist() == pytest.approx([100, 0, 100 / 3])
    assert frame["rouge2"].tolist() == pytest.approx([100, 0, 0])
    assert frame["bert_score_references"].tolist() == pytest.approx([100, 0, 20])
    assert frame["compression"].tolist() == pytest.approx([100 * 17 / 48, 0, 100 * 4 / 48])
    assert frame["novelty"][0] == pytest.approx(100)  # neither pair of words is in the source
    assert frame["novelty"][1:].isna().all()


def test_rouge_l_is_the_one_of_the_other_tables() -> None:
    frame = predictions(["a fire destroyed schools", "the school"])
    pairs = zip(frame["output"], frame["references"], strict=True)
    best = [max(rouge_l(output, text) for text in texts) for output, texts in pairs]
    scores = item_scores(with_similarities(frame, Alike()), metrics=SUMMARY)
    assert scores["rouge_l"].tolist() == pytest.approx([100 * v for v in best])
    assert scores["bert_score_references"].isna().all()  # not asked for


def test_nothing_is_like_references_that_are_not_there() -> None:
    frame = predictions(["the school burned", ""]).assign(references=[[], []])
    found = with_similarities(frame, Alike(), references=True)
    assert found["bert_score_references"].isna().all()


def test_novelty_of_deletion_is_the_seam() -> None:
    assert novelty("a b c d", "a b c d") == 0
    assert novelty("a b c d", "a b d") == 0.5
    assert novelty("a b c d", "d c b a") == 1
    assert np.isnan(novelty("a b", "a"))


def test_first_words() -> None:
    items = pd.DataFrame({"source": ["one two three four five", "one"]})
    assert first_words()(items) == ["one two.", "one."]
    assert first_words(0.2)(items) == ["one.", "one."]


def test_deletion_leaves_english_that_follows() -> None:
    items = test_sets.world_items(60, task="summary")
    outputs = pruned(load_parser("grammar"))(items)
    follows = ORACLE.entails(items["source"], outputs)
    assert np.nanmean(follows) > 0.6
    lengths = [len(y) <= len(x) for x, y in zip(items["source"], outputs, strict=True)]
    assert all(lengths)
    assert pruned(lambda _: None)(items) == list(items["source"])
    text = "On Monday, police said that the old school was destroyed by a fire."
    (output,) = pruned(load_parser("grammar"))(pd.DataFrame({"source": [text]}))
    assert output == text or output.count(",") == 0


class Tells:
    """A student that says one thing."""

    def __init__(self, text: str) -> None:
        self.text = text

    def generate(self, sources: Sequence[str], **how: object) -> list[list[str]]:
        return [[self.text]] * len(sources)


def test_the_systems_of_table_5_and_deletion_only_where_something_parses() -> None:
    students: dict[str, Any] = {"student base": Tells("base"), "M_sum": Tells("m")}
    teacher = LanguageModel(*tiny.gpt2(), "tiny", "0")
    limits = Thresholds.summary(Params.load("base", {"n_candidates": 3}))
    items = test_sets.world_items(2, task="summary")
    found = {}
    for name in ("grammar", "flat"):
        models: Any = SimpleNamespace(parser=load_parser(name))
        found[name] = summary_systems(students, teacher, [], items, models, limits)
    assert list(found["grammar"]) == [
        "source", "shuffled M_sum", "first words", "deletion in the tree", "teacher, TL;DR",
        "teacher, best of 3", "student base", "M_sum", "M_sum, best of 3", "gold summary",
    ]  # fmt: skip
    assert set(found["grammar"]) - set(found["flat"]) == {"deletion in the tree"}
    assert found["flat"]["M_sum"](items) == ["m", "m"]


def test_gold_summaries_follow_are_short_and_whole() -> None:
    items = test_sets.world_items(40, 3, "summary")
    for row in items.itertuples():
        sources = [row.source] * len(row.references)
        assert ORACLE.entails(sources, row.references).all()
        assert (ORACLE.coverage(sources, row.references) == 1).all()
        assert all(len(text) <= 0.8 * len(row.source) for text in row.references)


def test_coverage_by_hand() -> None:
    x = "The blaze destroyed the old school on Monday."
    ys = ["A building was damaged.", "The school was not destroyed.", "Prices rose.", "Nonsense"]
    assert ORACLE.coverage([x] * 4, ys) == pytest.approx([2 / 3, 0, 0, 0])
    assert np.isnan(ORACLE.coverage(["Nonsense"], [x])[0])
