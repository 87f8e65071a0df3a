"""Differences in the columns of the paper's tables, by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from impossible.evaluation.table_gains import gains_in_table8, gains_over_people

COLUMNS = ["system", "metric", "value", "low", "high", "n"]


def test_a_dataset_minus_the_mean_of_people_s_sets() -> None:
    rows = pd.DataFrame(
        [
            ("D_para", "h2", 10.0, 9.0, 11.0, 9),
            ("MRPC", "h2", 8.0, 6.0, 10.0, 9),
            ("Quora", "h2", 6.0, 4.0, 8.0, 9),
            ("D_para", "h3", 10.0, 9.0, 11.0, 9),
            ("D_para", "ted_f", math.nan, math.nan, math.nan, 0),
            ("MRPC", "ted_f", 8.0, 6.0, 10.0, 9),
        ],
        columns=COLUMNS,
    )
    (name,), (found,) = zip(*gains_over_people(rows, ["MRPC", "Quora"]).items(), strict=True)
    assert name == "D_para − people, h2"
    # the mean 7 has ± √(2² + 2²) / 2 = √2, the difference 3 ± √(1 + 2)
    assert found == pytest.approx([3, 3 - math.sqrt(3), 3 + math.sqrt(3)])
    assert gains_over_people(rows, []) == {}, "without people nothing is measured, not 0"


def test_table_8_is_compared_in_its_own_ibleu_on_every_test_set() -> None:
    rows = pd.DataFrame(
        [
            ("M_para", "ibleu_table8", 16.0, 13.0, 19.0, 9),
            ("round trip", "ibleu_table8", 12.0, 8.0, 16.0, 9),
            ("M_para", "ibleu", 1.0, 0.0, 2.0, 9),
        ],
        columns=COLUMNS,
    )
    found = gains_in_table8({"mrpc": rows.iloc[:1], "quora": rows})
    assert found == {"quora: M_para − round trip, ibleu_table8": [4.0, -1.0, 9.0]}
