"""What makes the tour of notebook 00 readable: counts, fates in words, what is shown and how."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from impossible.config.params import Params
from impossible.errors import DataError
from impossible.experiments import tour
from impossible.experiments.pair_verdicts import fates, why
from impossible.filtering.build_dataset import as_dataset
from impossible.filtering.critics import CANDIDATES, PAIRS
from impossible.filtering.hand_scored import hand_scored
from impossible.filtering.thresholds import Thresholds
from impossible.report import figures
from impossible.report.tables import as_written
from impossible.training.self_distillation import LowestOverlap, candidates_of
from matplotlib.text import Text

PARAMS = Params.load("base")
THRESHOLDS = Thresholds.paraphrase(PARAMS)
EVIL = "<script>alert(1)</script> $x$"
GOOD = {
    "length_ratio": 1.0, "numbers_consistent": True, "rouge_l": 0.5, "p_xy": 0.9, "p_yx": 0.8,
    "ted": 14.0, "ted_lower": 14.0, "ted_upper": 14.0,
}  # fmt: skip


def scored(*changes: dict[str, Any]) -> pd.DataFrame:
    """One pair for each dictionary: good in everything that it does not change."""
    rows = [
        {"context_id": "c", "x": f"x{i}", "y": f"y{i}", **GOOD, **each}
        for i, each in enumerate(changes)
    ]
    return hand_scored(pd.DataFrame(rows), THRESHOLDS)


def test_each_fate_is_told_with_the_number_that_decided() -> None:
    pairs = scored(
        {}, {}, {"p_yx": 0.31}, {"p_yx": np.nan, "p_xy": 0.2}, {"ted": 8.0, "ted_lower": 8.0},
        {"ted": np.nan, "ted_lower": 2.0, "ted_upper": 6.0}, {"rouge_l": 0.8},
        {"length_ratio": 2.0}, {"numbers_consistent": False},
    )  # fmt: skip
    dataset = as_dataset(pairs.head(1), "teacher")
    reasons = fates(pairs, THRESHOLDS, dataset, "diversity")
    rows = [row for _, row in pairs.iterrows()]
    words = [why(r, row, THRESHOLDS) for r, row in zip(reasons, rows, strict=True)]
    assert words == [
        "kept",
        "diversity: another pair says it",
        "entailment: 0.31 < 0.75",
        "entailment: 0.20 < 0.75",
        "trees: 8 edits < 12",
        "trees: at most 6 edits < 12",
        "ROUGE-L: 0.80 > 0.75",
        "length ratio: 2.00, not 0.8 to 1.5",
        "numbers: not the same",
    ]


def test_the_context_with_most_pairs_comes_first_and_ties_keep_their_order() -> None:
    names = ["a", "b", "c"]
    contexts = pd.DataFrame({"context_id": names, "prefix": "P:"})
    sentences = pd.DataFrame({"context_id": ["a", "a", "b", "c"], "text": ["s", "s", "", "t"]})
    sentences["reason"] = ["", "", "no_end", ""]
    pairs = scored({"context_id": "b"}, {"context_id": "b"}, {"p_xy": 0.1})
    counts = tour.counts_by_context(contexts, sentences, pairs, THRESHOLDS)
    assert counts["context_id"].tolist() == ["b", "a", "c"]
    assert counts["pass"].tolist() == [2, 0, 0]
    assert counts["accepted"].tolist() == [0, 2, 1]
    assert counts["different"].tolist() == [0, 1, 1]
    none = tour.counts_by_context(contexts, sentences, pairs.head(0), THRESHOLDS)
    assert none["context_id"].tolist() == names


def test_what_models_write_is_escaped() -> None:
    page = as_written(pd.DataFrame({"x": [EVIL]})).to_html()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "mathjax_ignore" in page
    inputs = pd.DataFrame({"input_id": ["i"], "text": [EVIL]})
    candidates = scored({}).assign(input_id="i", x=EVIL, y=EVIL + "!")
    funnel = pd.DataFrame({"input_id": ["i"], "reason": ["kept"], "n": [1]})
    shown = tour.relabelled(inputs, candidates, pd.Series(["kept"]), funnel, THRESHOLDS)
    assert "<script>" not in shown._repr_html_()


def test_an_input_shows_its_kept_candidate_or_the_nearest_one() -> None:
    inputs = pd.DataFrame({"input_id": list("abc"), "text": ["A.", "B.", "C."]})
    candidates = scored({"p_xy": 0.99, "p_yx": 0.99, "ted": 1.0}, {}, {"p_yx": 0.6}, {"p_yx": 0.1})
    candidates = candidates.assign(input_id=list("aabb"))
    reasons = pd.Series(["ted", "kept", "entailment", "entailment"])
    funnel = pd.DataFrame(
        [("a", "kept", 1), ("a", "ted", 1), ("b", "entailment", 2), ("c", "identical", 2)],
        columns=["input_id", "reason", "n"],
    )
    shown = tour.relabelled(inputs, candidates, reasons, funnel, THRESHOLDS)
    assert shown.table["verdict"].tolist() == [
        "kept",
        "entailment: 0.60 < 0.75",
        "no candidate is new",
    ]
    assert shown.table["all candidates"].tolist() == [
        "1 kept, 1 tree distance",
        "2 entailment",
        "2 identical",
    ]
    assert shown.sentence == "The critics keep a candidate for 1 of 3 fresh sentences."


def test_it_says_so_when_nothing_passes() -> None:
    funnel = pd.DataFrame({"reason": ["entailment", "identical"], "n": [10, 2]})
    nothing = as_dataset(scored({}).head(0), "teacher")
    told = tour.outcome(funnel, nothing, nothing)
    assert told.startswith("Of 12 pairs of next sentences none passes the critics")
    assert told.endswith("the student stays as it was.")
    others = as_dataset(scored({}, {}), "teacher")
    assert tour.outcome(funnel, nothing, others).endswith("the 2 pairs of the other contexts.")
    more = pd.DataFrame({"reason": ["kept", "diversity", "ted"], "n": [1, 3, 8]})
    told = tour.outcome(more, others.head(1), others)
    assert "Of 12 pairs of next sentences 4 pass" in told
    assert "1 of them is left" in told


def test_no_pair_teaches_nothing_and_no_input_gets_a_candidate() -> None:
    nothing = as_dataset(scored({}).head(0), "teacher")
    base: Any = object()  # is asked for nothing
    student, losses = tour.taught(base, nothing, nothing, PARAMS)
    assert student is base
    assert losses["pairs"].tolist() == [0, 0]
    assert losses[["before", "after"]].isna().all(axis=None)
    inputs = pd.DataFrame(columns=["input_id", "context_id", "domain", "text"])
    parser = SimpleNamespace(parse_many=list)
    models: Any = SimpleNamespace(critic=None, encoder=None, parser=parser)
    candidates, funnel = candidates_of(inputs, base, models, THRESHOLDS, "tour")
    assert set(CANDIDATES.names) >= set(candidates.columns)
    assert candidates.empty
    assert funnel.empty
    assert LowestOverlap()(candidates, candidates).empty


def test_the_flow_of_a_run_names_each_step_and_draws_also_nothing() -> None:
    context = pd.Series({"prefix": "P:", "text": "P: It $1 rained. It $2 did.", "n_sentences": 2})
    funnel = pd.DataFrame({"reason": ["rouge_l", "entailment"], "n": [1, 11]})
    nothing = as_dataset(scored({}).head(0), "teacher")
    losses = pd.DataFrame({"before": [np.nan], "after": [np.nan]}, index=["held out"])
    rewritten = pd.DataFrame({"x": ["A."], "before": ["A."], "after": ["B."]})
    candidates = scored({}).head(0)
    found = tour.flow_of(context, ["S."], funnel, nothing, losses, rewritten, candidates, nothing)
    assert len(found) == len(figures.METHOD)
    assert found["text"].iloc[1] == "It $1 rained. It $2 did."
    assert found["text"].iloc[3] == "−11 entailment\n−1 ROUGE-L"
    assert found["count"].tolist()[4:7] == ["0 pass", "0 pairs, all contexts", "not trained"]
    assert found["text"].iloc[-1] == "no candidate passed in this small run"
    figure = figures.method_flow(figures.METHOD.assign(**found))
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert "It $1 rained. It $2 did." in " ".join(" ".join(texts).split())


def test_the_flow_shows_the_loss_of_pairs_that_taught_nothing() -> None:
    context = pd.Series({"prefix": "A man", "text": "A man went home.", "n_sentences": 1})
    lost = {"rouge_l": 5, "entailment": 90, "ted": 1, "numbers": 3, "names": 2, "identical": 2}
    funnel = pd.DataFrame({"reason": [*lost, "kept"], "n": [*lost.values(), 2]})
    dataset = as_dataset(scored({}, {}), "teacher")
    losses = pd.DataFrame(
        {"before": [1.13, 1.28], "after": [0.0, 1.05]}, index=["training", "held out"]
    )
    rewritten = pd.DataFrame({"x": ["A."], "before": ["A."], "after": ["B."]})
    candidates = scored({}, {}).assign(y=["It rained in all of Rome.", "It rained in all of Bonn."])
    how = (dataset, losses, rewritten, candidates, dataset)
    found = tour.flow_of(context, ["S."], funnel, *how)
    assert found["count"].iloc[6] == "loss 1.28 → 1.05"
    assert found["text"].iloc[6].startswith("on held-out pairs; it rewrites x as y:\n")
    assert found["text"].iloc[1] == "… went home.", "the sentence starts in the prefix"
    assert found["text"].iloc[8] == "· … in all of Rome.\n· … in all of Bonn."
    dropped = [int(re.sub(r"\D", "", line)) for line in found["text"].iloc[3].splitlines()]
    assert sum(dropped) == sum(lost.values()), "with the others the drops add up"
    assert found["text"].iloc[3].endswith("−3 other")
    alone = losses.assign(before=[1.13, np.nan], after=[0.0, np.nan])
    found = tour.flow_of(context, ["S."], funnel, dataset, alone, *how[2:])
    assert found["count"].iloc[6] == "trained"


def test_the_flow_refuses_roles_without_a_colour() -> None:
    with pytest.raises(DataError, match=r"Unknown roles \['cook'\]"):
        figures.method_flow(figures.METHOD.assign(role="cook"))


def test_pairs_have_the_columns_that_are_shown() -> None:
    assert {"ted_upper", "similarity", "length_ratio", "p_xy"} <= set(PAIRS.names)
