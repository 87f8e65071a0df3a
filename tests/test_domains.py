"""Domains: teachers of one domain, pooled pairs against one domain's, counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from impossible.config.fields import Domain
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.corpus_comparison import equally_many
from impossible.evaluation.judges import Judge
from impossible.experiments import domain_teachers
from impossible.filtering.constituency_parser import FlatParser
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel, load_critic
from impossible.models.nli import EntailmentCritic

NEWS = Domain(name="news", prefixes=[tiny.PREFIX], banned=["\n"], refused=[])
CHAT = Domain(name="chat", prefixes=[tiny.PREFIX], banned=["\n"], refused=[])
PARAMS = Params.load(
    "base",
    {
        "domains": [NEWS, CHAT],
        "domain_contexts": 2,
        "k": 6,
        "sentence_max_new_tokens": 24,
        "seed": 3,
    },
)
PAIRS = pd.DataFrame(
    [(f"p{i}", f"x{i}", f"y{i}", ["news", "chat"][i % 2]) for i in range(7)],
    columns=["pair_id", "source", "target", "domain"],
)


def test_parts_are_equally_large() -> None:
    parts = dict(list(PAIRS.groupby("domain")))
    equal = equally_many(parts, 100, 0)
    assert [len(part) for part in equal.values()] == [3, 3]
    assert set(equal["news"]["source"]) < {"x0", "x2", "x4", "x6"}
    assert [len(part) for part in equally_many(parts, 2, 0).values()] == [2, 2]


def test_corpora_of_one_domain_are_as_large_as_the_pooled_one() -> None:
    found = domain_teachers.domain_corpora(PAIRS, PARAMS.fixed(compared_pairs=100))
    assert {name: len(part) for name, part in found.items()} == {
        "news only": 3, "chat only": 3, "pooled": 3, "shuffled pooled": 3, "pooled, all": 6,
    }  # fmt: skip
    assert sorted(found["shuffled pooled"]["target"]) == sorted(found["pooled"]["target"])
    assert set(found["pooled"]["source"]) < set(found["pooled, all"]["source"])


def judged(texts: Sequence[str]) -> pd.DataFrame:
    """Pairs of one context, sound where source and target are the same letter."""
    frame = pd.DataFrame([tuple(text) for text in texts], columns=["context_id", "source"])
    return frame.assign(target="t", rouge_l=0.5)


class Letters(Judge):
    """Says t is right, f is wrong, and nothing of others."""

    def equivalent(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        return np.array([{"t": 1.0, "f": 0.0}.get(x, np.nan) for x in xs])


def test_yields_count_contexts_without_pairs_and_judge_what_can_be_judged() -> None:
    contexts = pd.DataFrame({"domain": ["news", "chat", "chat"], "context_id": ["a", "b", "c"]})
    rows = [("a", "s", ""), ("a", "s", ""), ("a", "", "no_end"), ("z", "t", "")]
    sentences = pd.DataFrame(rows, columns=["context_id", "text", "reason"])
    own = (contexts.iloc[:1].assign(context_id="d"), sentences, judged(["dt", "df"]))
    made = {
        "mixed teacher": (contexts, sentences, judged(["at", "at", "af", "c?"])),
        "news: its own teacher": own,
    }
    pairs = domain_teachers.judged_pairs(made, Letters())
    assert list(pairs["system"].unique()) == [
        "news: mixed teacher", "chat: mixed teacher", "news: its own teacher",
    ]  # fmt: skip
    assert set(pairs["ROUGE-L"]) == {50}
    found = domain_teachers.yield_per_context(made, pairs).set_index("item")
    assert found.loc["a", ["accepted", "distinct", "pairs", "true pairs"]].tolist() == [2, 1, 3, 2]
    assert found.loc["b", ["accepted", "distinct", "pairs", "true pairs"]].tolist() == [0, 0, 0, 0]
    assert found.loc["c", "pairs"] == 1
    assert np.isnan(found.loc["c", "true pairs"])  # not none: nobody knows
    gaps = domain_teachers.true_pair_gaps(found.reset_index(), Bootstrap(10))
    values = {name.removeprefix("true pairs per context, "): i.value for name, i in gaps.items()}
    assert values["own − mixed"] == 1 - (2 + 0) / 2
    assert np.isnan(values["half − other half"])  # the other half has nothing that can be judged


SCORES = pd.DataFrame(
    {
        "system": ["A"] * 3 + ["B"] * 3 + ["C"] * 3 + ["pooled"] * 3,
        "item": ["a", "b", "c"] * 4,
        "domain": ["DA", "DB", "DC"] * 4,
        "m": [1.0, 2, 3, 10, 20, 30, 100, 200, 300, 7, 7, 7],
    }
)


def test_alone_at_home_and_away_by_hand() -> None:
    alone = {"DA": "A", "DB": "B", "DC": "C"}
    found = domain_teachers.at_home_and_away(SCORES, alone, ["m"])
    table = found.pivot(index="item", columns="system", values="m")
    assert table["alone, at home"].tolist() == [1, 20, 300]
    assert table["alone, away"].tolist() == [55, 101, 16.5]
    part = domain_teachers.by_domain(SCORES, "m", "m, {}")["m, DB"]
    assert part.dropna().tolist() == [2, 20, 200, 7]


def test_pooled_minus_alone_by_hand() -> None:
    scores = SCORES.replace({"system": {"A": "DA only", "B": "DB only", "C": "DC only"}})
    more = [scores[scores["system"] == "pooled"].assign(system=name)
            for name in ("shuffled pooled", "pooled, all")]  # fmt: skip
    rows = domain_teachers.pooling_gain_rows(
        pd.concat([scores, *more]), ["DA", "DB", "DC"], ["m"], Bootstrap(10)
    )
    value = rows.set_index("system")["value"]
    assert value["pooled − alone, at home"] == 7 - (1 + 20 + 300) / 3
    assert value["pooled − alone, away"] == 7 - (55 + 101 + 16.5) / 3
    assert value["DB: pooled − alone, at home"] == 7 - 20
    only = domain_teachers.pooling_gain_rows(
        pd.concat([scores, *more]).assign(domain=None), ["DA", "DB", "DC"], ["m"], Bootstrap(10)
    )
    assert set(only["system"]) == {
        "pooled − alone, away", "shuffled pooled − alone, away", "pooled, all − alone, away",
    }  # fmt: skip


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return LanguageModel(*tiny.reader(), "tiny", "digest")


def test_bits_are_nats_per_character(lm: LanguageModel) -> None:
    items = pd.DataFrame({"id": ["i"], "domain": ["law"], "source": [tiny.SENTENCES[0]]})
    nats = surprise(lm, [tiny.PREFIX], [tiny.SENTENCES[0]])["nats"][0]
    length = len(f" {tiny.SENTENCES[0]}")
    found = domain_teachers.bits_per_character({"mixed teacher": lm}, items, [NEWS, CHAT])
    assert found["bits"][0] == pytest.approx(nats / np.log(2) / length)
    assert domain_teachers.bits_gap_rows(found, ["news"], Bootstrap(10)).empty


def test_bits_at_home_minus_the_others() -> None:
    bits = SCORES.rename(columns={"m": "bits"}).replace({"system": {
        "A": "teacher of DA", "B": "teacher of DB", "C": "teacher of DC",
        "pooled": "mixed teacher"}})  # fmt: skip
    rows = domain_teachers.bits_gap_rows(bits, ["DA", "DB", "DC"], Bootstrap(10))
    value = rows.set_index(["system", "metric"])["value"]
    assert value["its own − mixed", "DA"] == 1 - 7
    assert value["its own − of other domains", "DC"] == 300 - 16.5


def test_a_teacher_alone_goes_the_whole_way_and_again(lm: LanguageModel, tmp_path: Path) -> None:
    folder = tmp_path / "critic"
    tiny.save(folder, *tiny.critic())
    critic = EntailmentCritic(load_critic(str(folder), dtype="float32", device="cpu"), 4096)
    models = SimpleNamespace(critic=critic, parser=FlatParser())
    params = PARAMS.fixed(
        k=16, temperature=1.0, max_new_tokens=50, context_max_new_tokens=60,
        context_sentences_max=1, entailment_threshold=0.0,
        entailment_floor=0.0, ted_min=0, rouge_l_max=1.0, length_ratio_min=0.0,
        length_ratio_max=99.0, number_consistency=False,
    )  # fmt: skip
    run = RunFolder.open(tmp_path / "run")
    first, second = (
        domain_teachers.pairs_of_domain_teacher(run, lm, CHAT, params, models) for _ in range(2)
    )
    contexts, sentences, pairs = first
    assert set(contexts["domain"]) == {"chat"}
    assert len(pairs) > 0
    assert len(sentences) == params.k * len(contexts)
    assert set(pairs["domain"]) == {"chat"}
    assert set(pairs["context_id"]) <= set(contexts["context_id"])
    for a, b in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(a, b)
    every = params.fixed(diversity_filter=False)
    _, _, more = domain_teachers.pairs_of_domain_teacher(run, lm, CHAT, every, models)
    assert len(more) > len(pairs)
