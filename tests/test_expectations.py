"""What a notebook expects, and what its numbers say: one rule, by hand, and as a table."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from impossible import notebook
from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder
from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.expectations import (
    OPEN,
    REFUTED,
    SHOWN,
    Expected,
    against_bound,
    interval_of,
    per_cent,
)
from impossible.report.blind_readings import read_claims, read_rates
from impossible.report.main_claims import main_claims

NAN = math.nan
numbers = st.floats(-100, 100)


@pytest.mark.parametrize(
    ("low", "high", "bound", "sign", "said"),
    [
        (51, 60, 50, 1, SHOWN),
        (50, 60, 50, 1, OPEN),
        (40, 60, 50, 1, OPEN),
        (40, 50, 50, 1, OPEN),
        (40, 49, 50, -1, SHOWN),
        (51, 60, 50, -1, REFUTED),
        (NAN, NAN, 0, 1, OPEN),
        (55, 55, 50, 1, OPEN),
    ],
)
def test_the_rule_by_hand(low: float, high: float, bound: float, sign: int, said: str) -> None:
    value = 45.0 if math.isnan(low) else (low + high) / 2
    assert against_bound(Interval(value, low, high, 9), bound, sign) == said


def test_without_a_value_nothing_is_said() -> None:
    assert against_bound(Interval(NAN, NAN, NAN, 0)) == "not measured"


@given(numbers, numbers, numbers)
def test_what_is_shown_above_is_refuted_below(first: float, last: float, bound: float) -> None:
    low, high = sorted((first, last))
    assume(high - low > 1e-6)
    found = Interval((low + high) / 2, low, high, 9)
    above, below = against_bound(found, bound), against_bound(found, bound, -1)
    assert (above == SHOWN) == (below == REFUTED)
    assert (above == REFUTED) == (below == SHOWN)
    if low < bound < high:
        assert above == below == OPEN


def test_a_counted_number_lies_on_one_side() -> None:
    assert [against_bound(3, bound) for bound in (2, 3, 4)] == [SHOWN, REFUTED, REFUTED]
    assert against_bound(3, 3, -1) == REFUTED
    assert against_bound(NAN) == "not measured"


def test_an_expectation_has_one_bound() -> None:
    with pytest.raises(ValueError, match="either over or under"):
        Expected("more", 1)
    with pytest.raises(ValueError, match="either over or under"):
        Expected("more", 1, over=0, under=0)
    assert Expected("more", 1, over=-5).bound == "> −5"


def test_a_rate_that_cannot_be_corrected_is_taken_raw() -> None:
    rows = pd.DataFrame(
        [
            ("ours", "fidelity", NAN, NAN, NAN, 4),
            ("ours", "fidelity_raw", 50.0, 40.0, 60.0, 4),
            ("D_T", "equivalent, %, raw", 80.0, 70.0, 90.0, 5),
        ],
        columns=["system", "metric", "value", "low", "high", "n"],
    )
    assert interval_of(rows, "ours", "fidelity") == Interval(50, 40, 60, 4)
    assert interval_of(rows, "D_T", "equivalent, %").value == 80
    assert math.isnan(interval_of(rows, "theirs", "fidelity").value)
    assert per_cent(Interval(0.5, 0.25, 0.75, 4)) == Interval(50, 25, 75, 4)


def test_the_table_says_how_many_hold(tmp_path: Path) -> None:
    stage = notebook.begin("05_dataset", "smoke", results=str(tmp_path / "run"))
    expected = [
        Expected("a, %", Interval(60.0, 55.0, 65.0, 9), over=50),
        Expected("b", 3.0, under=2),
        Expected("c", Interval(NAN, NAN, NAN, 0), over=0),
    ]
    stage.expect(expected)
    note = read_json(tmp_path / "run" / "tables" / "expectations_05.json")
    assert note["reading"] == "of 3 expectations 1 shown, 1 refuted, 1 not measured"
    assert note["rows"] == [
        ["a, %", "60.0 [55.0, 65.0]", "9", "> 50", "shown"],
        ["b", "3.0", "–", "< 2", "refuted"],
        ["c", "–", "–", "> 0", "not measured"],
    ]


def test_the_main_claims_are_those_whose_expectation_is_there(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    assert main_claims(run) == []
    stage = notebook.begin("09_evaluation", "smoke", results=str(run.root))
    said = "valid paraphrases, % points: M_para, best of 5 − teacher, best of 5"
    stage.expect([Expected(said, Interval(2.0, 1.0, 3.0, 9), over=0)])
    (claim,) = main_claims(run)
    assert claim.found == f"{said}: 2.0 [1.0, 3.0], n = 9"
    assert (claim.bound, claim.outcome) == ("> 0", "shown")
    assert claim.file == "tables/expectations_09"


def test_what_readers_said_by_hand() -> None:
    def pair(of: str, one: bool, two: bool, new: bool = True) -> dict[str, object]:
        return {"of": of, "reader_1": one, "reader_2": two, "referee": True, "new": new}

    pairs = [pair("D_T", True, True)] * 30 + [pair("D_T", True, False)] * 10
    pairs += [pair("any two sentences", False, False)] * 40
    pairs += [pair("news: M_para, best of 10", True, True, new=False)] * 20
    pairs += [pair("news: teacher, best of 10", True, True)] * 20
    rates = dict(read_rates(pairs))
    assert rates["D_T, 40 pairs"].startswith("100 %; 75 %; 75 [")
    assert rates["D_T, 40 pairs"].endswith("] %; 100 %")
    found, best = read_claims(pairs)  # nothing by chance and no second dataset were read
    assert (found.bound, found.outcome, found.file) == ("> 0", SHOWN, "readings")
    assert "D_T − any two sentences: 75.0 [" in found.found
    assert best.outcome == REFUTED  # the same meaning in the same words is no paraphrase
