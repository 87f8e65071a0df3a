"""The oracle's helpers: verdicts, gaps, the test set."""

from __future__ import annotations

import numpy as np
from impossible.world import parse, test_sets
from impossible.world.documents import split_of
from impossible.world.oracle import equivalent, traits


def test_equivalent_tells_false_from_unknown() -> None:
    xs = ["A fire destroyed a school.", "A fire destroyed a school.", "Not of this world."]
    ys = ["The blaze wrecked a school.", "Not of this world.", "A fire destroyed a school."]
    values = equivalent(xs, ys)
    assert values[0] == 1
    assert values[1] == 0
    assert np.isnan(values[2])


def test_traits_of_a_sentence() -> None:
    found = traits("On Monday, twelve workers were not injured by the fire.")
    assert found["construction"] == "negated passive"
    assert found["modifiers"] == "time"
    assert found["counted"]
    assert found["negated"]
    assert traits("Nothing here.") == {}


def test_the_held_out_set_holds_out_its_facts_and_its_references_are_true() -> None:
    frame = test_sets.world_items(25, seed=1)
    assert len(frame) == 25
    for row in frame.itertuples():
        fact = parse(row.source)
        assert fact is not None
        assert split_of(fact.core()) == "test"
        assert len(set(row.references)) == 4
        assert row.source not in row.references
        assert all(parse(reference) == fact for reference in row.references)
    assert test_sets.world_items(10, seed=1).equals(frame.head(10))
    assert not test_sets.world_items(10, seed=2).equals(frame.head(10))
