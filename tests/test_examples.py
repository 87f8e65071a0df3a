"""Examples: chosen by rank and seed; contexts and changed words by hand; model text is escaped."""

from __future__ import annotations

import html
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import CONTEXTS, SENTENCES
from impossible.experiments.example_pairs import (
    COLUMNS,
    KINDS,
    changes,
    examples,
    lesser,
    located,
    marked,
    nearly,
    page,
    pick,
    printed,
    thirds,
    told_before,
)
from impossible.filtering.critics import CANDIDATES, PAIRS
from impossible.filtering.thresholds import Thresholds
from impossible.report.save import save_table

PARAPHRASE = Thresholds.paraphrase(Params.load("base"))
SUMMARY = Thresholds.summary(Params.load("base"))
EVIL = '<script>alert("1")</script> costs $5 & more_'


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def pairs(*p_yx: float) -> pd.DataFrame:
    """Pairs x0, y0, … whose lesser direction is given."""
    return pd.DataFrame(
        {
            "x": [f"x{i}" for i in range(len(p_yx))],
            "y": [f"y{i}" for i in range(len(p_yx))],
            "p_xy": 0.99,
            "p_yx": p_yx,
        }
    )


def scored(rows: list[tuple[str, str, float, float, float]]) -> pd.DataFrame:
    """PAIRS of one context: x, y, ROUGE-L, P(x ⇒ y), P(y ⇒ x); far apart as trees."""
    frame = pd.DataFrame(rows, columns=["x", "y", "rouge_l", "p_xy", "p_yx"])
    frame = frame.assign(
        context_id="c", domain="news", length_ratio=1.0, numbers_consistent=True, ted=np.nan,
        ted_lower=14.0, ted_upper=20.0, tree_fallback=False,
    )  # fmt: skip
    return frame[PAIRS.names]


def test_the_lesser_direction_is_the_one_there_is() -> None:
    frame = pd.DataFrame({"p_xy": [0.9, 0.8, 0.7], "p_yx": [0.8, 0.9, np.nan]})
    assert lesser(frame).tolist() == [0.8, 0.8, 0.7]


def test_best_median_and_worst_by_hand() -> None:
    chosen = pick(pairs(0.8, 0.95, 0.9, 0.76, 0.85), 1, rng()).set_index("kind")
    assert list(chosen.index) == list(KINDS[:-1])
    assert chosen["x"][["best", "median", "worst accepted"]].tolist() == ["x1", "x4", "x3"]
    two = pick(pairs(0.8, 0.95, 0.9, 0.76, 0.85), 2, rng())
    assert two[two["kind"] == "worst accepted"]["x"].tolist() == ["x3", "x0"]
    assert two[two["kind"] == "median"]["x"].tolist() == ["x2", "x4"]


@given(st.lists(st.floats(0.75, 1), min_size=1, max_size=9), st.integers(1, 6))
def test_every_kind_has_its_number_and_its_order(values: list[float], n: int) -> None:
    chosen = pick(pairs(*values), n, rng())
    assert (chosen["kind"].value_counts() == min(n, len(values))).all()
    means = chosen.groupby("kind")["lesser"].mean()
    assert means["best"] >= means["median"] - 1e-9
    assert means["median"] >= means["worst accepted"] - 1e-9
    assert not chosen.duplicated(["kind", "x"]).any()


def test_the_random_ones_are_drawn_by_the_seed_from_all() -> None:
    frame = pairs(0.8, 0.85, 0.9, 0.95)
    drawn = [pick(frame, 1, rng(seed)).iloc[0]["x"] for seed in range(400)]
    assert min(Counter(drawn).values()) > 60
    assert drawn[0] == pick(frame.iloc[::-1], 1, rng(0)).iloc[0]["x"]  # not by place


def test_refused_by_the_threshold_alone() -> None:
    frame = scored(
        [
            ("near", "by", 0.5, 0.74, 0.99),
            ("by", "near", 0.5, 0.99, 0.74),  # its mirror
            ("far", "off", 0.5, 0.55, 0.99),
            ("kept", "pair", 0.5, 0.9, 0.9),
            ("too", "alike", 0.8, 0.74, 0.99),
            ("not", "asked", 0.5, 0.1, np.nan),
        ]
    )
    found = nearly(frame, PARAPHRASE)
    assert found[["x", "y"]].to_numpy().tolist() == [["by", "near"], ["far", "off"]]
    assert nearly(frame.iloc[3:4], PARAPHRASE).empty


def test_a_summary_is_asked_one_way() -> None:
    frame = scored([("a long one", "short", 1.0, 0.7, np.nan)]).assign(length_ratio=0.5)
    assert nearly(frame, PARAPHRASE).empty  # no paraphrase: too short
    assert nearly(frame, SUMMARY)["lesser"].tolist() == pytest.approx([0.7])


def texts() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sentences of two fresh texts, and their plans."""
    rows = [
        ("i1", "news", 1, "Two.", "Two.", ""),
        ("i1", "news", 0, "One.", "One.", ""),
        ("i2", "bio", 0, "One.", "One.", ""),
    ]
    plans = [("i1", "news", "Here --"), ("i2", "bio", "There:")]
    return (
        pd.DataFrame(rows, columns=SENTENCES.names),
        pd.DataFrame(plans, columns=["context_id", "domain", "prefix"]),
    )


def test_what_was_told_before_a_sentence() -> None:
    told = told_before(*texts()).set_index("x")
    assert told.loc["One."].tolist() == ["i1", "news", "Here --"]
    assert told.loc["Two."].tolist() == ["i1", "news", "Here -- One."]
    assert len(told) == 2
    sentences, plans = texts()
    assert told_before(sentences, plans.iloc[1:])["context"].tolist() == ["There:"]


def test_pairs_find_their_context() -> None:
    contexts = pd.DataFrame([("c", "bio", 1, "There:", "There: It.")], columns=CONTEXTS.names)
    told = told_before(*texts())
    frame = pd.DataFrame({"context_id": ["c", "i1", "i9"], "x": ["One.", "Two.", "Nine."], "y": ""})
    found = located(frame, contexts, told)
    assert found["domain"].fillna("?").tolist() == ["bio", "news", "?"]
    assert found["context"].fillna("?").tolist() == ["There: It.", "Here -- One.", "?"]
    candidate = pd.DataFrame({"input_id": ["i1-1"], "x": ["Two."], "y": [""]})
    assert located(candidate, contexts, told)["context"].tolist() == ["Here -- One."]
    assert located(candidate, contexts, told)["context_id"].tolist() == ["i1"]


def test_examples_of_a_corpus_domain_by_domain() -> None:
    frame = scored([(f"x{i} 1", f"y{i} 2", 0.5, 0.9, 0.8 + i / 100) for i in range(6)])
    accepted = frame.assign(domain=["news", "bio"] * 3, context="There:")
    near = scored([("near", "by", 0.5, 0.74, 0.99)]).assign(domain="bio", context=None)
    near = near.assign(lesser=lesser(near))
    params = Params.load("base", {"n_examples": 2})
    rows = examples("D", accepted, near, pd.concat([frame, near]), params)
    assert list(rows.columns) == list(COLUMNS)
    assert rows.groupby("domain").size().to_dict() == {"bio": 9, "news": 8}
    assert rows.loc[rows["kind"] == "nearest refused", "x"].tolist() == ["near"]
    assert set(rows["ted_lower"]) == {14.0}
    assert not rows.loc[rows["kind"] == "best", "numbers_consistent"].any()
    again = examples("D", accepted.iloc[::-1], near, pd.concat([frame, near]), params)
    pd.testing.assert_frame_equal(rows, again)  # whatever the order of the pairs
    nobody = accepted.assign(domain=None)
    assert len(examples("D", nobody, near.iloc[:0], frame, params)) == 8


def test_thirds_by_hand_and_of_any_size() -> None:
    assert thirds(pairs(0.9, 0.8, 0.95)).tolist() == ["middle third", "worst third", "best third"]
    assert set(thirds(pairs(*[0.9] * 10)).value_counts()) == {3, 4}
    assert thirds(pairs()).empty


def test_changed_words_by_hand() -> None:
    found = changes(
        "A fire destroyed a school on Monday.", "On Monday a school was hit by a blaze."
    )
    assert [piece for piece, what in found if what == "new"] == ["was", "hit", "by", "blaze"]
    assert [piece for piece, what in found if what == "moved"] == ["On", "Monday", "a"]
    assert not [what for _, what in changes("Prices rose.", "prices rose!") if what]
    assert {what for piece, what in changes("a b", "c d") if piece != " "} == {"new"}


SENTENCE = st.text(st.sampled_from("ab <>&$_.'\n"), max_size=25)


@given(SENTENCE, SENTENCE)
def test_marking_changes_nothing_but_marks(x: str, y: str) -> None:
    assert "".join(piece for piece, _ in changes(x, y)) == y
    assert html.unescape(re.sub("</?(mark|u)>", "", marked(x, y))) == y
    words = [piece.lower() for piece, what in changes(x, y) if piece[0].isalnum() and what != "new"]
    theirs = [piece.lower() for piece, _ in changes("", x) if piece[0].isalnum()]
    assert not Counter(words) - Counter(theirs)


def example() -> pd.DataFrame:
    """One example whose texts are hostile."""
    texts = ("D_T", "news", "best", EVIL, EVIL, f"New {EVIL}")
    scores = (0.9, 0.95, 0.9, 0.5, np.nan, 12.0, 17.0, 1.1, True)
    return pd.DataFrame([texts + scores], columns=COLUMNS).assign(oracle="unparsed")


def test_scores_are_told_in_words_and_what_is_missing_is_a_dash() -> None:
    table = printed(example())
    assert list(table.columns) == ["example", "context", "x", "y", "scores", "oracle"]
    assert table.at[0, "example"] == "D_T, news: best"
    told = "P(x⇒y) 0.95, P(y⇒x) 0.90, ROUGE-L 0.50, TED 12–17, |y|/|x| 1.10, same numbers"
    assert table.at[0, "scores"] == told
    bare = example().assign(p_yx=np.nan, ted_lower=np.nan, ted=np.nan, context=None)
    assert "P(y⇒x) –" in printed(bare).at[0, "scores"]
    assert "TED –" in printed(bare).at[0, "scores"]
    assert printed(bare).at[0, "context"] == "–"
    assert "TED 13," in printed(example().assign(ted=13.0)).at[0, "scores"]


def test_text_of_models_is_escaped_everywhere(tmp_path: Path) -> None:
    found = page(printed(example()))
    assert "<script" not in found
    assert found.count("&lt;script&gt;") == 3
    assert "<mark>New</mark>" in found
    assert 'class="tex2jax_ignore mathjax_ignore"' in found  # $ is no formula
    run = RunFolder.open(tmp_path / "run")
    path = save_table(run, "table7", printed(example()), "c", "15_examples", numbers=example())
    assert "<script" not in path.with_suffix(".md").read_text()
    tex = path.with_suffix(".tex").read_text()
    assert r"costs \$5 \& more\_" in tex
    assert r"p{0.2\linewidth}p{0.2\linewidth}" not in tex  # these texts fit a line
    long = printed(example().assign(context="word " * 20))
    tex = save_table(run, "long", long, "c", "15_examples").with_suffix(".tex").read_text()
    assert r"\begin{tabular}{lp{0.4\linewidth}llp{0.4\linewidth}l}" in tex


def test_candidates_can_be_examples() -> None:
    frame = scored([("near", "by", 0.5, 0.74, 0.99)]).assign(input_id="i", candidate=0)
    assert len(nearly(frame[CANDIDATES.names], PARAPHRASE)) == 1
