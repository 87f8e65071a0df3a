"""How varied sentences are, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.judges import Judge
from impossible.experiments.sentence_variety import (
    accepted_sentences,
    distinct_by_samples,
    distinct_fractions,
    meanings_per_context,
    most_frequent_sentences,
    variety_expected,
)
from impossible.generation.next_sentences import acceptance_counts

CONTEXTS = pd.DataFrame(
    {"context_id": ["a", "b"], "domain": "news", "n_sentences": [1, 2], "text": ["A.", "B."]}
)
ROWS = [("a", "It rose."), ("a", "It rose."), ("a", "It went up."), ("b", ""), ("b", "It fell.")]
SENTENCES = pd.DataFrame(ROWS, columns=["context_id", "text"]).assign(
    sample=[0, 1, 2, 0, 1], reason=["", "", "", "no_end", ""]
)
GOOD = accepted_sentences(SENTENCES, CONTEXTS)


class Verbs(Judge):
    """Knows what these sentences mean, but for the last one."""

    def meaning(self, text: str) -> str:
        return {"It rose.": "up", "It went up.": "up"}.get(text, text)


def test_accepted_sentences_have_domain_and_words() -> None:
    assert GOOD["words"].tolist() == [2, 2, 3, 2]
    assert set(GOOD["domain"]) == {"news"}


def test_distinct_strings_by_hand() -> None:
    counts = acceptance_counts(SENTENCES, CONTEXTS)
    found = distinct_fractions(counts, Bootstrap(samples=10))
    assert found["group"].tolist() == ["1 sentence", "2 sentences"]
    assert found["value"].tolist() == pytest.approx([2 / 3, 1])
    few = distinct_by_samples(GOOD, [1, 3])
    assert few["distinct accepted sentences"].tolist() == [1.0, 1.5]


def test_meanings_by_hand_and_missing_without_an_oracle() -> None:
    found, per_meaning = meanings_per_context(GOOD, Verbs(), 100, 0)
    assert per_meaning.tolist() == [2]
    assert found.to_dict() == pytest.approx(
        {"grammatical": 2 / 3, "strings": 1.5, "meanings": 1, "strings_per_meaning": 2}
    )
    unknown, nothing = meanings_per_context(GOOD, Judge(), 100, 0)
    assert nothing.empty
    assert np.isnan(unknown.drop("strings")).all()


def test_most_frequent_sentences_of_the_shortest_and_longest_context() -> None:
    found = most_frequent_sentences(GOOD, CONTEXTS, 1)
    assert found.to_numpy().tolist() == [["A.", "It rose.", 2], ["B.", "It fell.", 1]]
    alike = most_frequent_sentences(GOOD, CONTEXTS.assign(n_sentences=3), 1)
    assert alike["text"].tolist() == ["It rose."]  # one context is the shortest and the longest


def test_what_is_expected_of_sentences_by_hand() -> None:
    counts = acceptance_counts(SENTENCES, CONTEXTS)
    _, per_meaning = meanings_per_context(GOOD, Verbs(), 100, 0)
    found = variety_expected(counts, per_meaning, Verbs(), Bootstrap(20))
    values = [each.found.value for each in found]  # 4 of 5; 2/3 and 1; 1 − 2/3; 2 strings
    assert values == pytest.approx([80, 100 * 5 / 6, 100 / 3, 2])
    assert [each.bound for each in found] == ["> 50", "> 50", "< 0", "> 2"]
    alike = variety_expected(counts.assign(n_sentences=1), per_meaning, Verbs(), Bootstrap(20))
    assert alike[2].outcome == "not measured"  # no context is longer than another
