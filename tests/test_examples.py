"""Examples: chosen by rank and seed; contexts and changed words by hand; model text is escaped."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import CONTEXTS
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.experiments.example_pairs import (
    Examples,
    changes,
    examples,
    marked,
    readable,
)
from impossible.experiments.ranked_pairs import (
    EXAMPLE_KINDS,
    examples_by_rank,
    lesser_direction,
    nearest_rejected,
    ranked_expected,
    right_by_rank,
    thirds,
    with_context,
)
from impossible.filtering.critics import CANDIDATES, PAIRS
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds
from impossible.report.save import save_table
from numpy.typing import NDArray

PARAPHRASE = Thresholds.paraphrase(Params.load("base"))
SUMMARY = Thresholds.summary(Params.load("base"))
EVIL = '<script>alert("1")</script> costs $5 & more_'


class FirstLetters(Judge):
    """Equivalent if the last characters agree; nothing is known of texts that end in "?"."""

    name = "letters"

    def entails(self, xs: Sequence[str], ys: Sequence[str]) -> NDArray[np.float64]:
        both = zip(xs, ys, strict=True)
        return np.array([np.nan if y[-1:] == "?" else float(x[-1:] == y[-1:]) for x, y in both])


def pairs(*p_yx: float) -> pd.DataFrame:
    """Pairs x0, y0, … whose lesser direction is given."""
    return pd.DataFrame(
        {
            "x": [f"x{i}" for i in range(len(p_yx))],
            "y": [f"y{i}" for i in range(len(p_yx))],
            "p_xy": 0.99,
            "p_yx": p_yx,
            "domain": "news",
        }
    )


def scored(rows: list[tuple[str, str, float, float, float]]) -> pd.DataFrame:
    """PAIRS of one context: x, y, ROUGE-L, P(x ⇒ y), P(y ⇒ x); far apart as trees."""
    frame = pd.DataFrame(rows, columns=["x", "y", "rouge_l", "p_xy", "p_yx"])
    frame = frame.assign(context_id="c", domain="news", ted=np.nan, ted_lower=14.0, ted_upper=20.0)
    return hand_scored(frame, PARAPHRASE)[PAIRS.names]


def test_the_lesser_direction_is_the_one_there_is() -> None:
    frame = pd.DataFrame({"p_xy": [0.9, 0.8, 0.7], "p_yx": [0.8, 0.9, np.nan]})
    assert lesser_direction(frame).tolist() == [0.8, 0.8, 0.7]


NONE = pairs()


def test_best_median_and_worst_by_hand() -> None:
    frame = pairs(0.8, 0.95, 0.9, 0.76, 0.85)
    chosen = examples_by_rank("D", frame, NONE, 1).set_index("kind")
    assert list(chosen.index) == list(EXAMPLE_KINDS[:-1])
    assert chosen["x"][["best", "median", "worst accepted"]].tolist() == ["x1", "x4", "x3"]
    two = examples_by_rank("D", frame, NONE, 2)
    assert two[two["kind"] == "worst accepted"]["x"].tolist() == ["x3", "x0"]
    assert two[two["kind"] == "median"]["x"].tolist() == ["x2", "x4"]


@given(st.lists(st.floats(0.75, 1), min_size=1, max_size=9), st.integers(1, 6))
def test_every_kind_has_its_number_and_its_order(values: list[float], n: int) -> None:
    chosen = examples_by_rank("D", pairs(*values), NONE, n)
    assert (chosen["kind"].value_counts() == min(n, len(values))).all()
    means = chosen.groupby("kind")["lesser"].mean()
    assert means["best"] >= means["median"] - 1e-9
    assert means["median"] >= means["worst accepted"] - 1e-9
    assert not chosen.duplicated(["kind", "x"]).any()


def test_the_random_ones_are_drawn_by_the_seed_from_all() -> None:
    frame = pairs(0.8, 0.85, 0.9, 0.95)
    drawn = [examples_by_rank("D", frame, NONE, 1, seed).iloc[0]["x"] for seed in range(200)]
    assert min(Counter(drawn).values()) > 25
    backwards = examples_by_rank("D", frame.iloc[::-1], NONE, 1).iloc[0]["x"]
    assert drawn[0] == backwards  # not by their order


def test_rejected_by_the_threshold_alone() -> None:
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
    found = nearest_rejected(frame, PARAPHRASE)
    assert found[["x", "y"]].to_numpy().tolist() == [["by", "near"], ["far", "off"]]
    assert nearest_rejected(frame.iloc[3:4], PARAPHRASE).empty


def test_a_summary_is_asked_one_way() -> None:
    frame = scored([("a long one", "short", 1.0, 0.7, np.nan)]).assign(length_ratio=0.5)
    assert nearest_rejected(frame, PARAPHRASE).empty  # no paraphrase: too short
    assert nearest_rejected(frame, SUMMARY)["lesser"].tolist() == pytest.approx([0.7])


def test_pairs_find_the_text_before_them() -> None:
    rows = [
        ("i1", 1, "Two.", "Two.", ""),
        ("i1", 0, "One.", "", "short"),
        ("i2", 0, "One.", "", ""),
    ]
    inputs = pd.DataFrame(rows, columns=["context_id", "sample", "raw", "text", "reason"])
    contexts = pd.DataFrame([("c", "bio", 1, "There:", "There: It.")], columns=CONTEXTS.names)
    frame = pd.DataFrame(
        {"context_id": ["c", "i1", "i1", "i9"], "x": ["One.", "Two.", "One.", "?"]}
    )
    assert with_context(frame, contexts, inputs)["context"].fillna("none").tolist() == [
        "There: It.", "One.", "", "none",
    ]  # fmt: skip


def test_examples_of_a_corpus_domain_by_domain() -> None:
    frame = scored([(f"x{i} 1", f"y{i} 2", 0.5, 0.9, 0.8 + i / 100) for i in range(6)])
    accepted = frame.assign(domain=["news", "bio"] * 3)
    near = scored([("near", "by", 0.5, 0.74, 0.99)]).assign(domain="bio")
    rows = examples_by_rank("D", accepted, near, 2)
    assert rows.groupby("domain").size().to_dict() == {"bio": 9, "news": 8}
    assert rows.loc[rows["kind"] == "nearest rejected", "x"].tolist() == ["near"]
    again = examples_by_rank("D", accepted.iloc[::-1], near, 2)
    pd.testing.assert_frame_equal(rows, again)  # whatever the order of the pairs
    nobody = accepted.assign(domain=None)
    assert len(examples_by_rank("D", nobody, near.iloc[:0], 2)) == 8


def test_right_pairs_by_rank_and_by_chance() -> None:
    values = [0.75 + i / 100 for i in range(24)]
    frame = pairs(*values).assign(right=[0.0] * 16 + [1.0] * 8, context_id=list("abcdefgh") * 3)
    below = frame.iloc[:4]
    found = right_by_rank({"D": frame}, {"D": below}, Bootstrap(20)).set_index(["series", "group"])
    value = found["value"]
    assert value["by rank"].to_dict() == {
        "D, best third": 1, "D, middle third": 0, "D, worst third": 0, "D, just rejected": 0,
    }  # fmt: skip
    assert value["by chance"].mean() == pytest.approx(1 / 3)
    assert found["n"]["by rank", "D, just rejected"] == 4


def test_expectations_of_ranks() -> None:
    """Right: all of the best third, half of the others, none of the rejected."""
    values = [0.75 + i / 400 for i in range(48)]
    right = [float(i % 2) for i in range(32)] + [1.0] * 16
    frame = pairs(*values).assign(right=right, context_id=[f"c{i}" for i in range(48)])
    frame = frame.assign(rouge_l=[0.5, 0.6] * 24)
    below = frame.head(12).assign(right=0.0)
    both = {"D_T": frame, "D_sum": frame}, {"D_T": below, "D_sum": below.head(0)}
    found = ranked_expected(*both, FirstLetters(), Bootstrap(200))
    assert [each.says for each in found] == [
        "D_T, right (letters), %",
        "D_T, ROUGE-L of x and y, %",
        "D_T, right (letters), % points: worst third − just rejected",
        "D_T, right (letters), % points: best third − worst third",
        "D_sum, right (letters), %",
        "D_sum, right (letters), % points: worst third − just rejected",
        "D_sum, right (letters), % points: best third − worst third",
    ]
    assert [each.outcome for each in found] == ["shown"] * 5 + ["not measured", "shown"]
    assert [round(each.found.value, 1) for each in found[:4]] == [66.7, 55, 50, 50]


def test_examples_are_drawn_over_contexts_and_counted_over_all() -> None:
    frame = pd.DataFrame(
        {
            "source": ["a1", "a1", "a1", "b1", "c1"], "target": ["z1", "z2", "z1", "z2", "z?"],
            "context_id": list("aaabc"),
        }
    )  # fmt: skip
    found = examples(frame, 3, FirstLetters())
    assert {x[0] for x in found.table["x"]} == {"a", "b", "c"}
    assert dict(zip(found.table["y"], found.table["verdict"], strict=True))["z?"] == "–"
    every = examples(frame, 9, FirstLetters())
    assert every.sentence == "Of these 4, 2 are wrong (judge: letters); in all 50.0 % of 4."
    assert len(every.table) == 5
    assert examples(frame, 3, FirstLetters(), seed=1).table["x"].tolist() != list(found.table["x"])
    silent = examples(frame, 2, Judge())
    assert silent.sentence == "None of 5 pairs can be judged (judge: none)."
    one_way = frame.assign(right=[1.0, 0.0, 1.0, 1.0, np.nan])
    assert examples(one_way, 5, Judge()).sentence.startswith("Of these 4, 1 is wrong")


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


def hostile() -> pd.DataFrame:
    """One example whose texts are hostile."""
    texts = {"example": "D_T, news: best", "context": EVIL, "x": EVIL, "y": f"New {EVIL}"}
    scores = {"p_xy": 0.954, "p_yx": np.nan, "rouge_l": 0.5, "ted": np.nan, "right": np.nan}
    return pd.DataFrame([texts | scores])


def test_text_of_models_is_escaped_everywhere(tmp_path: Path) -> None:
    table = readable(hostile())
    shown = ["example", "context", "x", "y", "P(x ⇒ y)", "P(y ⇒ x)", "ROUGE-L", "TED", "verdict"]
    assert list(table.columns) == shown
    found = Examples(table)._repr_html_()
    assert "<script" not in found
    assert found.count("&lt;script&gt;") == 3
    assert "<mark>New</mark>" in found
    assert ">0.95</td>" in found
    assert found.count(">–</td>") == 3  # what is missing is a dash
    assert 'class="tex2jax_ignore mathjax_ignore"' in found  # $ is no formula
    assert found == Examples(table)._repr_html_()
    run = RunFolder.open(tmp_path / "run")
    path = save_table(run, "table7", table, "c", "15_examples", numbers=hostile())
    assert "<script" not in path.with_suffix(".md").read_text()
    tex = path.with_suffix(".tex").read_text()
    assert r"costs \$5 \& more\_" in tex
    assert r"p{0.2\linewidth}p{0.2\linewidth}" not in tex  # these texts fit a line


def test_candidates_can_be_examples() -> None:
    frame = scored([("near", "by", 0.5, 0.74, 0.99)]).assign(input_id="i", candidate=0)
    assert len(nearest_rejected(frame[CANDIDATES.names], PARAPHRASE)) == 1
