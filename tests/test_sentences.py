"""Sentence ends, acceptance rules and words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from impossible.text.sentence_boundaries import (
    find_sentence_end,
    first_sentence,
    rejection_reason,
    words,
)

FIRST = [
    ("It fell 3.5 points. Then it rose.", "It fell 3.5 points."),
    ("Dr. Lee met Mr. J. Smith. He left.", "Dr. Lee met Mr. J. Smith."),
    ("He met her in the U.S. Senate. Then he left.", "He met her in the U.S. Senate."),
    ("He lives in the U.S. The rest left.", "He lives in the U.S."),
    ("It opened at 5 p.m. EST on Nov. 9. Few came.", "It opened at 5 p.m. EST on Nov. 9."),
    ('"Why?" he asked. Nobody knew.', '"Why?" he asked.'),
    ('He said, "It is over." She left.', 'He said, "It is over."'),
    ("Really?! Yes.", "Really?!"),
    ("1. First things first. Second.", "1. First things first."),
    ("we used it . then we stopped .", "we used it ."),
    ("See Fig. 3 for details. End.", "See Fig. 3 for details."),
    ("He waited... and left. Gone.", "He waited... and left."),
    ("No end in sight", "No end in sight"),
    (" \tleading blanks go. x", "leading blanks go."),
    ("a line\nbreak. End.", "a line\nbreak."),
    ("It was I. They left.", "It was I."),
    ("", ""),
    ("...", "..."),
]


@pytest.mark.parametrize(("text", "expected"), FIRST)
def test_first_sentence(text: str, expected: str) -> None:
    assert first_sentence(text) == expected


REASONS = [
    ("Prices rose.", ""),
    ("Did they?", ""),
    ("No.", ""),
    ("A.", "too_short"),
    ("", "too_short"),
    ("a\nb.", "newline"),
    ("Prices rose", "no_end"),
    ('He said "no."', "no_end"),
    ("He met Dr.", "no_end"),
]


@pytest.mark.parametrize(("sentence", "reason"), REASONS)
def test_rejection_reason(sentence: str, reason: str) -> None:
    assert rejection_reason(sentence) == reason


def test_minimum_length_is_a_parameter() -> None:
    assert rejection_reason("No.", min_characters=4) == "too_short"


pieces = st.lists(
    st.sampled_from(
        ["The", "the", "Dr.", "U.S.", "p.m.", "Inc.", "J.", "cat", "3.5", "ran.", "ran?", '"No!"',
         "(a.)", "…", ".", "?", '"', "\n", "In", "Indiana", "I."]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip


@given(pieces, st.data())
def test_an_end_seen_while_decoding_is_final(text: str, data: st.DataObject) -> None:
    prefix = text[: data.draw(st.integers(0, len(text)))]
    early = find_sentence_end(prefix, final=False)
    assert early == -1 or early == find_sentence_end(text)


def test_words_treat_raw_and_tokenized_text_alike() -> None:
    assert words("Don\u2019t pay $1,200, he said.") == ["don't", "pay", "1,200", "he", "said"]
    assert words("he left .") == words("He left.")
    assert words("!?") == []
