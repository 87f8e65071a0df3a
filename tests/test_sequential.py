"""Sequential generation: keywords, constraints of a sentence, what is paid and what is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.experiments import generation_yield
from impossible.filtering.constituency_parser import FlatParser
from impossible.filtering.thresholds import Thresholds
from impossible.generation.constrained.constraints import Constraints
from impossible.generation.constrained.sequential_generation import (
    METHODS,
    SequentialWriter,
    dead_ends,
    draw_sequences,
    next_of_domain,
    parallel_sequences,
    sentence_constraints,
)
from impossible.models.loading import LanguageModel
from impossible.text.keywords import CorpusWords
from impossible.text.word_edits import FUNCTION_WORDS

CORPUS = [
    "The council opened a new bridge.",
    "A bridge was opened by the council.",
    "The councils sold ships.",
    "The storm damaged the school.",
]


def test_keywords_are_rare_content_words_of_different_stems() -> None:
    lexicon = CorpusWords(CORPUS)
    sentence = "The council opened the bridge and the bridges, and the storm damaged 12 of it."
    assert lexicon.keywords(sentence, 9) == ["damaged", "storm", "bridge", "opened", "council"]
    assert lexicon.keywords(sentence, 2) == ["damaged", "storm"]
    assert lexicon.keywords("Nobody here is known.", 5) == []
    assert lexicon.inflections("council") == ("council", "councils")
    assert lexicon.inflections("Unheard") == ("unheard",)
    assert not set(lexicon.keywords(" ".join(CORPUS), 99)) & FUNCTION_WORDS


def test_constraints_ask_for_keywords_and_ban_copies() -> None:
    lexicon = CorpusWords(CORPUS)
    x = "On Monday, the council opened a bridge."
    words = sentence_constraints(x, ["council", "bridge"], lexicon, 5)
    assert words.required == (("council", "councils"), ("bridge",))
    assert words.banned == (
        "On Monday, the council opened", "Monday, the council opened a",
        "the council opened a bridge",
    )  # fmt: skip
    assert sentence_constraints(x, [], lexicon, 0) == Constraints()
    assert sentence_constraints("Rain fell.", [], lexicon, 4) == Constraints()


@given(st.lists(st.sampled_from(["the", "old", "bridge,", "fell", "(2)"]), min_size=1, max_size=9))
def test_a_copy_breaks_a_ban_whenever_it_is_long_enough(words: list[str]) -> None:
    x = " ".join(words) + "."
    banned = sentence_constraints(x, [], CorpusWords([]), 4).banned
    held = [re.search(rf"(?<![^\W_]){re.escape(form)}(?![^\W_])", x) for form in banned]
    assert any(held) == bool(banned)
    assert bool(banned) or len(words) < 4 or "(2)" in words


def test_a_budget_pays_for_the_first_rows_of_each_context() -> None:
    rows = pd.DataFrame({"context_id": list("ccdd"), "tokens": [5, 5, 9, 2]})
    rows = rows.assign(x="", y="A.")
    written = dict.fromkeys(["parallel", "hard", "soft", "soft, foreign keywords"], rows)
    spent = generation_yield.within_budget(written, 9)
    assert spent["hard"]["context_id"].tolist() == ["c", "d"]
    assert list(spent)[4:] == [f"parallel and {name}" for name in list(written)[1:]]


def test_candidates_by_hand() -> None:
    columns = ["context_id", "x", "y"]
    side_by_side = pd.DataFrame([("c", "", t) for t in ("b", "a", "b", "")], columns=columns)
    assert generation_yield.candidate_pairs(side_by_side).to_numpy().tolist() == [["c", "a", "b"]]
    after = [("c", "x", ""), ("c", "x", "b"), ("c", "x", "a"), ("c", "x", "x"), ("c", "b", "x")]
    found = (
        generation_yield.candidate_pairs(pd.DataFrame(after, columns=columns)).to_numpy().tolist()
    )
    assert found == [["c", "b", "x"], ["c", "a", "x"]]  # x with its y's, never y with y
    pool = pd.concat([side_by_side, pd.DataFrame(after, columns=columns)])
    found = generation_yield.candidate_pairs(pool).to_numpy().tolist()
    assert found == [["c", "a", "b"], ["c", "b", "x"], ["c", "a", "x"]]


def test_rates_by_hand() -> None:
    spent = pd.DataFrame({"context_id": list("ccd"), "tokens": [100, 100, 300]})
    kept = pd.DataFrame({"context_id": ["c", "c", "d"]})
    counts = generation_yield.tokens_and_pairs(spent, kept, ["c", "d", "e"])
    assert counts["kept"].tolist() == [2, 1, 0]
    assert counts["tokens"].tolist() == [200, 300, 0]
    half = generation_yield.tokens_and_pairs(
        spent, kept, ["c", "d", "e"], np.array([1.0, 0.0, 0.0])
    )
    assert generation_yield.rate_gap(counts, half, Bootstrap(200)).value == pytest.approx(
        1000 * 2 / 500
    )
    same = generation_yield.rate_gap(counts, counts, Bootstrap(200))
    assert same.bounds == [0, 0, 0]
    truth = {"w": np.array([1.0, 0.0, np.nan])}
    rows = generation_yield.way_rows({"w": spent}, {"w": kept}, truth, ["c", "d"], Bootstrap())
    value = rows.set_index("metric")["value"]
    assert value["kept"] == pytest.approx(6)
    assert np.isnan(value["true"])
    assert value["precision"] == pytest.approx(50)


def test_gaps_of_ways_by_hand_and_missing_without_a_judge() -> None:
    spent = pd.DataFrame({"context_id": list("cd"), "tokens": [100, 100]})
    pairs = pd.DataFrame({"context_id": list("cd"), "x": "It rose.", "y": ["It rose.", "It fell."]})
    kept = {"parallel": pairs, "soft": pairs.head(1), "free": pairs.head(0)}
    ways = dict.fromkeys(kept, spent)
    for judge, known in ((Literal(), True), (Judge(), False)):
        truth = generation_yield.true_pairs(kept, judge)
        found = generation_yield.rate_gaps(ways, kept, truth, ["c", "d"], Bootstrap(50))
        assert list(found.index) == ["soft − parallel", "free − parallel", "soft − free"]
        assert [gap.value for gap in found["kept"]] == pytest.approx([-5, -10, 5])
        true = [gap.value for gap in found["true"]]
        assert true == pytest.approx([0, -5, 5]) if known else np.isnan(true[:2]).all()


class Literal(Judge):
    """Knows only that a sentence means itself."""

    def entails(self, xs: Sequence[str], ys: Sequence[str]) -> np.ndarray:
        return np.array([float(x == y) for x, y in zip(xs, ys, strict=True)])


class Sure:
    """A critic that believes that everything follows."""

    def probabilities(self, pairs: list[tuple[str, str]]) -> np.ndarray:
        return np.ones(len(pairs))


def test_the_same_thresholds_for_any_candidates() -> None:
    params = Params.load("smoke").model_copy(update={"ted_min": 0})
    texts = ("The council opened a new bridge.", "A bridge was built by some mayor.")
    more = ("Rain.", texts[0])
    proposed = pd.DataFrame(
        [("c", *sorted(texts)), ("c", *sorted(more))], columns=["context_id", "a", "b"]
    )
    thresholds = Thresholds.paraphrase(params)
    models = SimpleNamespace(critic=Sure(), parser=FlatParser())
    scored = generation_yield.score_proposed(proposed, models, thresholds)
    passed, kept = generation_yield.threshold_and_thin(
        proposed, scored, thresholds, lambda pairs, _: pairs.head(1)
    )
    assert {(row.x, row.y) for row in passed.itertuples()} == {texts, texts[::-1]}
    assert len(kept) == 1
    assert set(passed["context_id"]) == {"c"}


@pytest.fixture(scope="module")
def writer() -> SequentialWriter:
    model, tok = tiny.gpt2()
    texts = {f"contexts-0000{i}": f"{tiny.PREFIX} {CORPUS[i]}" for i in range(2)}
    contexts = pd.DataFrame(
        {"context_id": list(texts), "domain": "news", "text": list(texts.values())}
    )
    rows = [
        (
            name,
            number,
            f" {text}",
            "" if text == "Rain" else text,
            "no_end" if text == "Rain" else "",
        )
        for i, name in enumerate(texts)
        for number, text in enumerate(["Rain", CORPUS[i], CORPUS[i], CORPUS[i + 2]])
    ]
    sentences = pd.DataFrame(rows, columns=["context_id", "sample", "raw", "text", "reason"])
    update = {
        "sequential_keywords": 1,
        "sequential_samples": 4,
        "sentence_max_new_tokens": 30,
        "sequential_budget": 200,
    }
    params = Params.load("smoke").model_copy(update=update)
    return SequentialWriter(LanguageModel(model, tok, "tiny", "0"), sentences, contexts, params)


@pytest.mark.parametrize("method", METHODS)
def test_every_token_is_paid_and_writing_stops_with_the_budget(
    writer: SequentialWriter, method: str
) -> None:
    rows = writer.write("contexts-00000", method)
    assert (rows["tokens"] >= 0).all()
    firsts = rows[rows["y"] == ""].drop_duplicates("x")
    assert list(firsts["x"]) == [CORPUS[0], CORPUS[2]][: len(firsts)]
    lengths = writer._lengths([" Rain", f" {CORPUS[0]}"])
    assert rows["tokens"].iloc[0] == sum(lengths)  # the sample thrown away before x is paid too
    before_last = rows[rows["x"] != firsts["x"].iloc[-1]]["tokens"].sum()
    assert before_last < writer.params.sequential_budget


@pytest.mark.parametrize("method", ["soft", "hard"])
def test_an_x_whose_words_do_not_fit_is_a_dead_end_that_costs_itself(
    writer: SequentialWriter, method: str
) -> None:
    words = {"sequential_copied": 1, "sequential_keywords": 1}  # asked for and banned
    rows = replace(writer, params=writer.params.fixed(**words)).write("contexts-00000", method)
    assert rows["x"].tolist() == [CORPUS[0], CORPUS[2]]
    assert (rows["y"] == "").all()
    assert dead_ends(rows) == 2
    assert dead_ends(writer.write("contexts-00000", "free")) == 0


def test_hard_holds_all_keywords_and_foreign_keywords_are_others(
    writer: SequentialWriter,
) -> None:
    hard = writer.write("contexts-00001", "hard")
    ys = hard[hard["y"] != ""]
    assert len(ys)
    assert (writer.keywords_held(ys) == 1).all()
    own = writer.constraints("contexts-00000", 0, "hard")
    foreign = writer.constraints("contexts-00000", 1, "hard, foreign keywords")
    assert own.required != foreign.required


def test_foreign_keywords_are_those_of_the_same_domain_where_it_has_another_context() -> None:
    contexts = pd.DataFrame({"context_id": list("abcde"), "domain": ["n", "b", "n", "b", "f"]})
    found = next_of_domain(contexts)
    assert found == {"a": "c", "c": "a", "b": "d", "d": "b", "e": "a"}
    assert next_of_domain(contexts.head(1)) == {}
    assert next_of_domain(contexts.head(0)) == {}


@pytest.mark.parametrize("method", ["hard, foreign keywords", "soft, foreign keywords"])
def test_foreign_keywords_are_never_own_ones_where_the_next_context_has_no_sentence(
    writer: SequentialWriter, method: str
) -> None:
    nothing = writer.contexts.iloc[[0]].assign(context_id="nothing", domain="news")
    between = pd.concat([writer.contexts.head(1), nothing, writer.contexts.tail(1)])
    again = replace(writer, contexts=between.reset_index(drop=True))
    asked = ("contexts-00000", 0, method)
    assert again.constraints(*asked) == writer.constraints(*asked)
    alone = replace(writer, contexts=between.head(2).reset_index(drop=True))
    assert alone.write("contexts-00000", method).empty
    assert alone.write("nothing", method).empty
    assert len(alone.write("contexts-00000", "soft"))


def test_what_a_domain_refuses_is_refused_after_x_too(writer: SequentialWriter) -> None:
    rows = writer.write("contexts-00000", "free")
    word = rows.loc[rows["y"] != "", "y"].iloc[0].split()[-1].strip(".?!")
    domain = writer.params.domains[0].model_copy(update={"refused": [word.upper()]})
    strict = replace(writer, params=writer.params.fixed(domains=[domain]))
    again = strict.write("contexts-00000", "free")
    assert not any(word.lower() in y.lower() for y in again["y"])
    assert len(again) == len(rows)  # what is refused was paid for all the same


def test_a_pool_pays_once_for_an_x_that_its_first_half_wrote() -> None:
    first = pd.DataFrame({"context_id": "c", "x": "", "y": ["A.", "B.", "C."], "tokens": 4})
    then = pd.DataFrame(
        {"context_id": "c", "x": ["A.", "A.", "C.", "C."], "y": ["", "", "", "C!"], "tokens": 4}
    )
    found = generation_yield.pool_halves(first, then, 16)
    assert found["tokens"].tolist() == [4, 4, 0, 4, 4]  # C. lies beyond the first half's budget
    assert found["x"].tolist() == ["", "", "A.", "A.", "C."]


def test_an_interrupted_draw_goes_on(writer: SequentialWriter, tmp_path: object) -> None:
    run = RunFolder.open(str(tmp_path))
    first = draw_sequences(run, writer, "hard")
    again = draw_sequences(run, writer, "hard")
    pd.testing.assert_frame_equal(first, again)
    assert set(first["context_id"]) == set(writer.contexts["context_id"])


def test_parallel_rows_are_the_samples(writer: SequentialWriter) -> None:
    rows = parallel_sequences(writer)
    assert len(rows) == 8
    assert set(rows["x"]) == {""}
    assert (rows["tokens"] > 0).all()
