"""The paper's tables: complete, and never taken for ours."""

from __future__ import annotations

import pandas as pd
import pytest
from impossible.report import paper_tables
from impossible.report.paper_tables import Published
from impossible.report.side_by_side import papers_of_sets, systems_of_sets
from impossible.report.tables import with_paper

EVERY = list(paper_tables.PAPER_TABLES.values())


@pytest.mark.parametrize("paper", EVERY, ids=lambda each: each.table)
def test_every_system_has_every_metric_and_a_name_that_says_whose_it_is(paper: Published) -> None:
    rows = paper.rows()
    assert len(rows) == len(paper.values) * len(paper.metrics)
    assert rows["system"].str.startswith("paper").all()
    assert rows[["low", "high"]].isna().all(axis=None)


def test_values_of_the_paper() -> None:
    assert paper_tables.TABLE8_QUORA.table == "Table 8"
    value = paper_tables.TABLE1.rows().set_index(["system", "metric"])["value"]
    assert value["paper: DIMPLE (4.2M)", "ted_f"] == 29.84
    assert value["paper: ParaBank2 (19.7M)", "jaccard"] == 43.44
    value = paper_tables.TABLE2_MRPC.rows().set_index(["system", "metric"])["value"]
    assert value["paper, MRPC: Impossible-T5", "bert_ibleu"] == 67.1


def test_ours_below_and_beside_the_papers() -> None:
    rows = pd.DataFrame(
        [("M_para", "bert_ibleu", 70.0, 68.0, 72.0, 9), ("M_para", "fidelity", 1.0, 0.0, 2.0, 9)],
        columns=["system", "metric", "value", "low", "high", "n"],
    )
    both, beside = with_paper(rows, paper_tables.TABLE6, {"M_para": "Impossible-T5"})
    assert list(both.columns) == ["system", "bert_ibleu", "n"]  # the paper's columns only
    assert len(both) == 1 + len(paper_tables.TABLE6.values)
    assert beside["difference"].tolist() == ["+2.9"]
    with pytest.raises(KeyError):
        paper_tables.TABLE6.matched({"M_para": "no such system"})


def test_each_test_set_stands_beside_its_own_table() -> None:
    assert paper_tables.tables_beside("quora", True) == [paper_tables.TABLE8_QUORA]
    both = [paper_tables.TABLE2_MRPC, paper_tables.TABLE8_QUORA]
    assert paper_tables.tables_beside("mrpc", True) == both
    assert paper_tables.tables_beside("held_out") == both[:1]
    assert paper_tables.TABLE8_MSCOCO.values["MCPG"] == [11.99, 20.54]
    names = ["round trip", "M_para", "student"]
    assert paper_tables.TABLE8_QUORA.answered(names) == {
        "round trip": "BT", "M_para": "Impossible-T5",
    }  # fmt: skip
    known = {name for one in EVERY for name in one.values}
    assert set(paper_tables.ANSWERS_TO.values()) <= known


class Saved:
    """Remembers the names of what a notebook saves."""

    def __init__(self) -> None:
        self.tables: list[str] = []
        self.captions: list[str] = []

    def table(self, name: str, frame: object, caption: str, *rest: object) -> str:
        self.tables.append(name)
        self.captions.append(caption)
        return name

    figure = table


def test_differences_are_shown_on_the_paper_s_own_test_set_only() -> None:
    rows = pd.DataFrame(
        [("M_para", "ibleu", 7.0, 6.0, 8.0, 9)],
        columns=["system", "metric", "value", "low", "high", "n"],
    )
    saved = Saved()
    sets = {"held_out": rows, "mrpc": rows}
    shown = papers_of_sets(saved, ["{}", "{}_beside"], sets, [], None, paper_tables.TABLE2_MRPC)
    assert saved.tables == ["table2", "table2-mrpc", "table2_beside-mrpc"]
    assert shown == ["table2", "table2_beside-mrpc"]
    assert saved.captions[1].startswith("Our systems on MRPC and the paper's Table 2")
    told = ("All systems on {}; c.", [], None, {"ibleu": "iBLEU ↑"}, ["ibleu"], [], [])
    systems_of_sets(saved, "systems", sets, *told)
    assert saved.captions[-4] == "All systems on 9 held-out sentences of the teacher; c."
    assert saved.captions[-1] == "All systems on 9 sentences of MRPC; c."
    assert saved.tables[-1] == "systems-mrpc", "a file keeps the set's name"


def test_a_table_with_names_of_its_own_shows_also_what_was_not_run() -> None:
    for one in EVERY:
        assert set(one.ours.values()) <= set(one.values)
    assert paper_tables.TABLE5.answered(["M_sum"]) == paper_tables.TABLE5.ours
    rows = pd.DataFrame(columns=["system", "metric", "value", "low", "high", "n"])
    _, beside = with_paper(rows, paper_tables.TABLE6, paper_tables.TABLE6.answered([]))
    assert set(beside["reading"]) == {"not run"}
