"""Names in a text, and the critic that asks for the same ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.filtering.critic import TextPairs
from impossible.filtering.same_names import SameNames
from impossible.filtering.thresholds import Thresholds
from impossible.text.names import names, words_as_names

CASES = {
    "Yesterday the mayor of Lyon met Anna.": {"lyon", "anna"},
    "I think I'm late, and I’ve lost it.": set(),
    "The U.S. sued AT&T on Monday.": {"us", "at&t", "monday"},
    "Rain fell. Snow did not. Paris waited.": set(),  # first words: nobody can tell
    'He said: "We won." (They lost.) “It is over.”': set(),
    "The drug helped COVID-19 patients.": {"covid-19"},
    "It is Harvard’s press and James' book.": {"harvard", "james"},
    "Der Bürgermeister von Köln and Élise": {"bürgermeister", "köln", "élise"},
    "": set(),
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_names_are_words_with_a_capital_within_a_sentence(text: str, expected: set[str]) -> None:
    assert names(text) == expected


@given(st.text(max_size=60))
def test_a_name_is_a_word(text: str) -> None:
    assert names(text) <= words_as_names(text)


def accepted(x: str, y: str, task: str = "paraphrase", **values: object) -> bool:
    params = Params.load("base", {"name_consistency": True, **values})
    limits = getattr(Thresholds, task)(params)
    critic, pairs = SameNames(), TextPairs.of([x], [y])
    scores = pd.DataFrame(dict(critic.score(pairs, None, limits)))  # type: ignore[arg-type]
    return bool(np.all(critic.accepts(scores, limits)))


def test_the_critic_wants_the_same_names_wherever_they_stand() -> None:
    assert accepted("A report by Harvard came out.", "Harvard published a report.")
    assert not accepted("A report by Harvard came out.", "A report by Yale came out.")
    assert not accepted("A report by Harvard came out.", "A report came out.")
    assert not accepted("A report came out.", "A report by Harvard came out.")
    assert accepted("A report by Yale.", "A report by Harvard.", name_consistency=False)


def test_a_summary_may_leave_names_out_but_has_none_of_its_own() -> None:
    assert accepted("A report by Harvard came out.", "A report came out.", "summary")
    assert not accepted("A report came out.", "A report by Harvard came out.", "summary")


def test_long_texts_take_time_in_proportion() -> None:
    found = names("The Mayor of Lyon said it " * 20_000)  # some seconds if each word looked back
    assert found == {"the", "mayor", "lyon"}
