"""Numbers by value."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.text.numbers import number_values

VALUES = [
    ("twelve", ["12"]),
    ("forty-two and forty two", ["42"]),
    ("1,200 or 1200", ["1200"]),
    ("12 million", ["12000000"]),
    ("a dozen eggs, two dozen more", ["12", "24"]),
    ("a hundred people", ["100"]),
    ("half a million", ["500000"]),
    ("two hundred and five", ["205"]),
    ("one thousand two hundred", ["1200"]),
    ("one hundred twenty thousand and six", ["120006"]),
    ("five or six", ["5", "6"]),
    ("10, 20 and 30", ["10", "20", "30"]),
    ("minus four, -4", ["-4"]),
    ("between 5-7", ["5", "7"]),
    ("B12 and H1N1", []),
    ("21st, twenty-first night", ["20", "21"]),  # "first" is no quantity: a stated limit
    ("the third", ["3"]),
    ("the 1st, first, second and 2nd", []),
    ("no one likes one another", []),
    ("one man", ["1"]),
    ("$12bn at 5kg", ["12000000000", "5"]),
    ("3.50", ["3.5"]),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values(text: str, expected: list[str]) -> None:
    assert number_values(text) == {Decimal(value) for value in expected}


def test_words_and_digits_are_the_same_values() -> None:
    assert number_values("Twelve died in 1999.") == number_values("In 1999 it killed 12.")
    assert number_values("Twelve died.") < number_values("Twelve died in 1999.")


@given(st.integers(0, 10**9))
def test_digits_are_read(number: int) -> None:
    assert number_values(f"about {number:,} of them") == {Decimal(number)}


def test_long_numbers_differ_in_any_digit() -> None:
    values = {number_values(f"It cost {'9' * 40}{last} euros.") for last in "12"}
    assert len(values) == 2
    assert number_values("9" * 1_200_000 + " billion")  # no overflow
