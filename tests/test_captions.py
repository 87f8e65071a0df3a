"""Captions: each says what its own figure or table shows, and nothing of the other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from figure_data import claim_parts, metric_rows, proximity_frame
from impossible.config.params import Params
from impossible.evaluation.corpus_comparison import SHORT_METRICS
from impossible.report import claim_tables, corpora_beside, dataset_tables, proximity_tables

FIGURE, TABLE = "figure", "table"


class Recorder:
    """A stage that keeps captions, by kind and name."""

    def __init__(self) -> None:
        self.captions: dict[tuple[str, str], str] = {}

    def figure(self, name: str, figure: Any, caption: str, *more: Any) -> Any:
        self.captions[FIGURE, name] = caption

    def table(self, name: str, frame: pd.DataFrame, caption: str, *more: Any) -> Any:
        self.captions[TABLE, name] = caption


@pytest.fixture
def stage() -> Recorder:
    return Recorder()


def test_a_funnel_says_what_is_left_and_its_table_what_is_dropped(stage: Recorder) -> None:
    funnel = pd.DataFrame({"reason": ["ted", "scored"], "n": [90, 10]})
    dropped, how = "Pairs dropped by each test.", ([], "candidates", 2, "scored")
    dataset_tables.funnel_shown(stage, "funnel", funnel, ["ted"], dropped, *how)
    assert stage.captions[TABLE, "funnel"] == dropped
    told = stage.captions[FIGURE, "funnel"]
    assert told.startswith("Candidates left after each test")
    assert "last row: scored" in told
    assert "names" not in told
    dataset_tables.funnel_shown(stage, "funnel", funnel, ["duplicate", "names"], dropped, *how)
    named = stage.captions[FIGURE, "funnel"]
    assert "Duplicate: the same two strings again; names: a name that the other" in named
    assert "dropped" not in told


def test_algorithm_1_names_no_context_and_says_when_it_is_off(stage: Recorder) -> None:
    example = pd.DataFrame({"context_id": ["contexts-00019"] * 3})
    told = []
    for thinned in (True, False):
        dataset_tables.diversity_example(stage, example, [(0, 1)], [0, 1, 2], thinned, [])
        told.append(stage.captions[FIGURE, "diversity_graph"])
    assert "contexts-00019" not in told[1]
    assert "the filter is off" in told[1]
    assert "the filter is off" not in told[0]


def test_fractions_promise_no_metric_that_only_their_table_has(stage: Recorder) -> None:
    by = "referee, raw"
    writers = metric_rows(
        ["before training", "student", "pair in D_T"],
        {f"equivalent ({by}), %": 60, "ROUGE-L to source": 50, "copies, %": 5},
    )
    dataset_tables.held_out_rewritings(stage, writers, by)
    groups = metric_rows(
        ["D_T", "all scored candidates", "pass all critics", "D_para"],
        {f"equivalent ({by}), %": 60, "ROUGE-L of x and y, %": 50},
    )
    dataset_tables.second_precision(stage, groups, by, [])
    for name in ("student_heldout", "para_precision"):
        assert "ROUGE-L" in stage.captions[TABLE, name]
        assert "ROUGE-L" not in stage.captions[FIGURE, name]
        assert "exact copies" not in stage.captions[FIGURE, name]
        assert by in stage.captions[FIGURE, name]


def test_only_the_picture_of_losses_has_a_ring(stage: Recorder) -> None:
    curve = pd.DataFrame({"step": [4, 8], "train_loss": [2.0, 1.0], "dev_loss": [2.0, 1.5]})
    history: Any = SimpleNamespace(curve=curve)
    dataset_tables.losses_by_epoch(stage, history)
    assert "ring" in stage.captions[FIGURE, "student_loss"].split()
    assert "ring" not in stage.captions[TABLE, "student_loss"].split()


def test_short_rewritings_are_called_ours_where_there_are_some(stage: Recorder) -> None:
    rows = metric_rows(["D_sum", "Gigaword"], dict.fromkeys((*SHORT_METRICS, "words_source"), 50.0))
    told = []
    for mine in ([], ["D_sum"]):
        some = rows if mine else rows[rows["system"] != "D_sum"]
        corpora_beside.summaries_beside_people(stage, some, mine, 100, [])
        told.append(stage.captions[FIGURE, "short_rewritings"])
    assert "ours" not in told[0]
    assert "in blue, ours" in told[1]


def test_figure_3_says_on_how_much_a_point_rests(stage: Recorder) -> None:
    points = proximity_frame().assign(n=180, contexts=6)
    points.loc[points["series"] == "control", "n"] = 42
    points.loc[points["axis"] == "temperature", "contexts"] = 8
    said = proximity_tables.point_sizes(points)
    assert said == "A point: 180 pairs (control: 42) of 6 to 8 contexts."
    assert proximity_tables.point_sizes(points.head(0)) == "A point: 0 pairs of 0 contexts."
    params = Params.load("base").fixed(proximity_lengths=[1, 5])
    how = ({}, (44.2, "measured"), "", params, [])
    proximity_tables.proximity_panels(stage, points, *how)
    told = stage.captions[FIGURE, "figure3"]
    for words in (said, "of 1, 5 sentences", "raw", "Dash-dotted", "fewer than 5"):
        assert words in told


def test_claims_say_why_they_are_undecided() -> None:
    parts = claim_parts().assign(reason="the interval holds 0")
    assert claim_tables.undecided_because(parts) == "Undecided: the interval holds 0 (1 part)."
    seeds = [f"1 of {n} seeds that a verdict needs" for n in (3, 5, 5, 5)]
    parts = parts.assign(verdict="undecided", reason=seeds)
    assert claim_tables.undecided_because(parts) == "Undecided: too few seeds (4 parts)."
    assert claim_tables.undecided_because(parts.assign(verdict="not measured")) == ""


def test_readers_of_this_very_run_stand_beside_its_judge(stage: Recorder) -> None:
    groups = ["any two sentences", "reached the critic", "D_T"]
    columns = ["group", "value", "low", "high", "n"]
    found = pd.DataFrame([(name, 0.7, 0.6, 0.8, 400) for name in groups], columns=columns)
    read = found.assign(value=0.3, low=0.2, high=0.4, n=80, refused=56, accepted=39)
    for by_readers in (read[:0], read[read["group"] != "reached the critic"]):
        dataset_tables.first_precision(stage, found, "referee, raw", 0.95, [], by_readers)
        told, dropped = (stage.captions[kind, "dataset_precision"] for kind in (FIGURE, TABLE))
        assert "Squares" not in dropped
        assert ("Of 56 pairs of D_T that they do not, the judge calls 39" in told) == bool(
            len(by_readers)
        )
    picture, _, reading = dataset_tables.precision_picture(found, "referee, raw", 0.95, by_readers)
    assert reading.endswith("both blind readers: any two sentences 30.0 %, D_T 30.0 %")
    (axis,), (legend,) = picture.axes, picture.legends
    squares = [line for line in axis.lines if line.get_marker() == "s"]
    assert [list(line.get_ydata()) for line in squares] == [[0.27, 2.27]]
    keys = [text.get_text() for text in legend.get_texts()]
    assert keys == [
        "referee, raw: ours", "referee, raw: other", "referee, raw: control or bound",
        "both blind readers, n=80",
    ]  # fmt: skip
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= picture.bbox.x1
