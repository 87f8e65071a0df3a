"""Domains: teachers of one domain, pooled pairs against one domain's, counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.config.params import Params
from impossible.config.schema import Domain
from impossible.data.run_folder import RunFolder
from impossible.experiments import domain_teachers
from impossible.filtering.constituency_parser import get_parser
from impossible.generation.contexts import plan_contexts
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel, load_critic
from impossible.models.nli import EntailmentCritic

NEWS = Domain(name="news", prefixes=[tiny.PREFIX], banned=["\n"], refused=[])
CHAT = Domain(name="chat", prefixes=[tiny.PREFIX], banned=["\n"], refused=[])
PARAMS = Params(domains=[NEWS, CHAT], domain_contexts=2, k=6, max_new_tokens=24, seed=3)
PAIRS = pd.DataFrame(
    [(f"p{i}", f"x{i}", f"y{i}", f"inputs-{i:05d}") for i in range(7)],
    columns=["pair_id", "source", "target", "context_id"],
)


def test_pairs_are_divided_by_the_number_of_their_context() -> None:
    parts = domain_teachers.split_by_domain(PAIRS, PARAMS)
    assert {name: list(part["source"]) for name, part in parts.items()} == {
        "news": ["x0", "x2", "x4", "x6"],
        "chat": ["x1", "x3", "x5"],
    }
    assert list(domain_teachers.split_by_domain(PAIRS.iloc[:1], PARAMS)) == ["news"]
    equal = domain_teachers.equally_many(parts, 100, 0)
    assert [len(part) for part in equal.values()] == [3, 3]
    assert set(equal["news"]["source"]) < {"x0", "x2", "x4", "x6"}
    assert [len(part) for part in domain_teachers.equally_many(parts, 2, 0).values()] == [2, 2]


def test_the_first_contexts_of_each_domain_have_the_lengths_of_a_teacher_alone() -> None:
    plans = pd.DataFrame([vars(plan) for plan in plan_contexts(PARAMS, 9)])
    first = domain_teachers.first_contexts(plans, 3)
    alone = plan_contexts(PARAMS.fixed(domains=[CHAT]), 3)
    chat = first[first["domain"] == "chat"]
    assert list(chat["n_sentences"]) == [plan.n_sentences for plan in alone]
    assert len(first) == 6


def test_yields_count_contexts_without_pairs() -> None:
    contexts = pd.DataFrame({"domain": ["news", "chat"], "context_id": ["a", "b"]})
    rows = [("a", "s", ""), ("a", "s", ""), ("a", "", "no_end"), ("c", "t", "")]
    sentences = pd.DataFrame(rows, columns=["context_id", "text", "reason"])
    pairs = pd.DataFrame({"context_id": ["a", "a", "c"]})
    found = domain_teachers.yield_per_context(contexts, sentences, pairs, "mine").set_index(
        "context_id"
    )
    assert found.loc["a", ["accepted", "distinct", "pairs"]].tolist() == [2, 1, 2]
    assert found.loc["b", ["accepted", "distinct", "pairs"]].tolist() == [0, 0, 0]
    assert set(found["teacher"]) == {"mine"}


def test_alone_at_home_and_away_by_hand() -> None:
    scores = pd.DataFrame(
        {
            "system": ["A"] * 3 + ["B"] * 3 + ["C"] * 3 + ["pooled"] * 3,
            "item": ["a", "b", "c"] * 4,
            "m": [1.0, 2, 3, 10, 20, 30, 100, 200, 300, 7, 7, 7],
        }
    )
    of_item = pd.Series({"a": "DA", "b": "DB", "c": "DC"})
    found = domain_teachers.at_home_and_away(
        scores, of_item, {"DA": "A", "DB": "B", "DC": "C"}, ["m"]
    )
    table = found.pivot(index="item", columns="system", values="m")
    assert table["alone, at home"].tolist() == [1, 20, 300]
    assert table["alone, away"].tolist() == [55, 101, 16.5]


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return LanguageModel(*tiny.reader(), "tiny", "digest")


def test_bits_are_nats_per_character(lm: LanguageModel) -> None:
    items = pd.DataFrame({"context": [tiny.PREFIX], "source": [tiny.SENTENCES[0]]}, index=[7])
    nats = surprise(lm, [tiny.PREFIX], [tiny.SENTENCES[0]])["nats"][0]
    length = len(f" {tiny.SENTENCES[0]}")
    assert domain_teachers.bits_per_character(lm, items)[7] == pytest.approx(
        nats / np.log(2) / length
    )


def test_a_teacher_alone_goes_the_whole_way_and_again(lm: LanguageModel, tmp_path: Path) -> None:
    folder = tmp_path / "critic"
    tiny.save(folder, *tiny.critic())
    critic = EntailmentCritic(load_critic(str(folder), dtype="float32", device="cpu"), 4096)
    params = PARAMS.fixed(
        k=16, temperature=1.0, max_new_tokens=50, context_max_new_tokens=60,
        context_sentences_max=1, entailment_threshold=0.0,
        entailment_floor=0.0, ted_min=0, rouge_l_max=1.0, length_ratio_min=0.0,
        length_ratio_max=99.0, number_consistency=False,
    )  # fmt: skip
    run = RunFolder.open(tmp_path / "run")
    first, second = (
        domain_teachers.pairs_of_domain_teacher(run, lm, CHAT, params, critic, get_parser("flat"))
        for _ in range(2)
    )
    contexts, sentences, pairs = first
    assert set(contexts["domain"]) == {"chat"}
    assert len(pairs) > 0
    assert len(sentences) == params.k * len(contexts)
    assert set(pairs["context_id"]) <= set(contexts["context_id"])
    for a, b in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(a, b)
    every = params.fixed(diversity_filter=False)
    _, _, more = domain_teachers.pairs_of_domain_teacher(
        run, lm, CHAT, every, critic, get_parser("flat")
    )
    assert len(more) > len(pairs)
