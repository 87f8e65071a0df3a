"""Paragraphs in the place of sentences: how they are made, paired, covered and summarized."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.filtering.build_dataset import apply_thresholds
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.covered_sentences import CoveredSentences
from impossible.filtering.critic import TextPairs
from impossible.filtering.funnel import ordered_pairs
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.pair_scores import score_context
from impossible.filtering.thresholds import Thresholds
from impossible.generation.next_sentences import (
    accept_sentence,
    accept_sentences,
    draw_paragraphs,
)
from impossible.generation.paragraphs import paragraphs_of
from impossible.models.loading import LanguageModel
from impossible.training.distillation import first_dataset

RISE, FALL = "Prices rose in May.", "Wages fell in June."
BOTH, COPY = "Prices rose and wages fell.", "Prices rose."


class Told:
    """A critic that believes the pairs it is told."""

    lm = SimpleNamespace(digest="told")

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = {*pairs}

    def probabilities(self, pairs: Any) -> Any:
        return np.array([float(pair in self.pairs) for pair in pairs])


def rows(texts: list[str], context_id: str = "c", reasons: dict[int, str] | None = None) -> Any:
    frame = pd.DataFrame({"context_id": context_id, "domain": "news", "sample": range(len(texts))})
    reason = [(reasons or {}).get(i, "") for i in range(len(texts))]
    return frame.assign(raw=texts, text=texts, reason=reason)


def test_a_sample_is_accepted_up_to_its_nth_sentence() -> None:
    text = f" {RISE}  {FALL} The"
    assert accept_sentences(text, 1) == accept_sentence(text) == (RISE, "")
    assert accept_sentences(text, 2) == (f"{RISE} {FALL}", "")
    assert accept_sentences(text, 3) == ("", "no_end")
    assert accept_sentences(RISE, 2) == ("", "too_short")
    assert accept_sentences(f"{RISE} {FALL}", 2, 3, ["wages"]) == ("", "refused")
    assert accept_sentences(f"{RISE}\n{FALL}", 2) == ("", "newline")
    assert accept_sentences(f"{RISE} {RISE} {FALL}", 3) == ("", "repeats")


def test_the_teacher_writes_paragraphs_apart_from_its_sentences(tmp_path: Path) -> None:
    teacher = LanguageModel(*tiny.reader(tiny.bpe_llama), "tiny", "0")
    context = {"context_id": "c", "domain": "news", "n_sentences": 1, "prefix": "", "text": RISE}
    contexts, few = pd.DataFrame([context]), {"k": 8, "sentence_max_new_tokens": 30}
    run = RunFolder.open(tmp_path)
    asked = Params.load("base", {**few, "paragraph_sentences": 2})
    drawn = draw_paragraphs(run, teacher, contexts, asked)
    assert drawn is not None
    assert len(drawn) == 8
    good = drawn[drawn["reason"] == ""]
    assert len(good)
    for row in good.itertuples():
        assert accept_sentences(row.raw, 2) == (row.text, "")
    assert draw_paragraphs(run, teacher, contexts, Params.load("base", few)) is None
    assert draw_paragraphs(run, teacher, contexts, asked, "paraphrase") is None


def test_sentences_in_a_row_are_paragraphs() -> None:
    texts = ["A.", "B.", "C.", "D.", "E.", "F."]
    two = pd.concat([rows(texts, reasons={2: "refused"}), rows(["G.", "H."], "d")])
    found = paragraphs_of(two, 2)
    assert found[["context_id", "sample", "text"]].to_numpy().tolist() == [
        ["c", 0, "A. B."], ["c", 3, "D. E."], ["d", 0, "G. H."],
    ]  # fmt: skip
    assert paragraphs_of(two, 1) is two
    assert paragraphs_of(rows(texts), 4)["text"].tolist() == ["A. B. C. D."]
    gap = rows(texts)[lambda each: each["sample"] != 1]
    assert paragraphs_of(gap, 3)["text"].tolist() == ["C. D. E."]
    assert paragraphs_of(rows(["A."]), 2).columns.tolist() == two.columns.tolist()


def test_every_pair_of_a_paragraph_and_a_sentence_is_counted() -> None:
    paragraph = f"{RISE} {FALL}"
    sources, sentences = [paragraph, paragraph, RISE], [RISE, RISE, BOTH]
    models: Any = SimpleNamespace(critic=Told((paragraph, BOTH)), parser=FlatParser())
    limits = Thresholds.summary(Params.load("base"))
    pairs, funnel = score_context("c", sentences, models, limits, sources)
    counts = funnel.set_index("reason")["n"].to_dict()
    # 9 pairs: RISE with itself twice; paragraph and RISE four times, and BOTH twice: six, of which
    # two are different; RISE and BOTH is too long
    assert counts == {"identical": 2, "duplicate": 4, "length_ratio": 1, "scored": 2}
    assert sorted(pairs["y"]) == [BOTH, RISE]
    assert set(pairs["x"]) == {paragraph}
    kept, _ = apply_thresholds(pairs, limits)
    assert kept["y"].tolist() == [BOTH]
    assert score_context("c", sentences, models, limits, [])[1].empty


def test_covered_sentences_by_hand() -> None:
    paragraph = f"{RISE} {FALL} It was so."
    asked = {BOTH: 2 / 3, COPY: 1 / 3, "June came.": 1 / 3, "Nobody knows.": 0}
    pairs = TextPairs.of([paragraph] * 4, list(asked))
    models: Any = SimpleNamespace()
    params = Params.load("base", {"summary_covered_min": 0.6})
    summary, paraphrase = Thresholds.summary(params), Thresholds.paraphrase(params)
    scores = pd.DataFrame(dict(CoveredSentences().score(pairs, models, summary)))
    # the third sentence has no word of its own, so that nothing covers it
    assert scores["covered"].tolist() == pytest.approx(list(asked.values()))
    assert CoveredSentences().accepts(scores, summary).tolist() == [True, False, False, False]
    assert CoveredSentences().accepts(scores, paraphrase).all()
    assert CoveredSentences().accepts(scores, Thresholds.summary(Params.load("base"))).all()
    # "prices" stands in both sentences: it tells of neither
    same = TextPairs.of(["Prices rose. Prices fell."], ["Prices are known."])
    assert CoveredSentences().score(same, models, summary)["covered"].tolist() == [0]
    row = {"context_id": ["c"], "x": ["a"], "y": ["b"], "covered": [np.nan]}
    missing = hand_scored(pd.DataFrame(row), summary)
    assert apply_thresholds(missing, summary)[1]["reason"].tolist() == ["covered"]


def test_the_first_dataset_has_paragraphs_and_its_funnel_loses_nothing(tmp_path: Path) -> None:
    paragraph = f"{RISE} {FALL}"
    sentences = pd.concat([rows([BOTH, COPY, "x"], reasons={2: "no_end"}), rows([COPY], "d")])
    sources = pd.concat([rows([paragraph, RISE]), rows([""], "d", {0: "too_short"})])
    believed = Told((paragraph, BOTH), (paragraph, COPY), (RISE, COPY))
    models: Any = SimpleNamespace(critic=believed, parser=FlatParser())
    run, params = RunFolder.open(tmp_path), Params.load("base", {"summary_covered_min": 1.0})
    made = first_dataset(run, sentences, models, Thresholds.summary(params), sources=sources)
    assert ordered_pairs(sentences, sources) == {"c": 4, "d": 0}
    assert made.total == 4
    # RISE and BOTH is too long; paragraph and COPY passes over the second sentence
    pairs = made.passed[["x", "y"]].to_numpy().tolist()
    assert sorted(pairs) == [[RISE, COPY], [paragraph, BOTH]]
    assert made.funnel.groupby("reason")["n"].sum().to_dict() == {
        "length_ratio": 1, "covered": 1, "kept": 2,
    }  # fmt: skip
    assert set(made.dataset["task"]) == {"summary"}
