"""Syntactic control: one line per tree, exemplars by tags, distances, and a control that fails."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from impossible.errors import DataError
from impossible.evaluation.judges import Judge
from impossible.experiments import syntactic_control
from impossible.filtering.constituency_parser import load_parser
from impossible.text.tree_edit_distance import ted
from impossible.world import test_sets
from impossible.world.oracle import Oracle
from nltk.tree import Tree

parse = load_parser("grammar")
ACTIVE = "A fire destroyed the school."
PASSIVE = "The bridge was repaired by the worker."


def test_linearized_by_hand() -> None:
    assert syntactic_control.linearized_tree(str(parse(ACTIVE))) == "S(NP VP(NP))"
    assert syntactic_control.linearized_tree(str(parse(PASSIVE))) == "S(NP VP(VP(PP(NP))))"
    assert syntactic_control.linearized_tree("(NN rain)") == "NN"


def test_a_line_tells_constructions_apart_and_not_their_words() -> None:
    line = {text: syntactic_control.linearized_tree(str(parse(text))) for text in (ACTIVE, PASSIVE)}
    same = syntactic_control.linearized_tree(str(parse("The government approved a plan.")))
    assert line[ACTIVE] == same != line[PASSIVE]


def test_annotated_pairs_carry_the_tree_of_the_target() -> None:
    pairs = pd.DataFrame({"source": ["x", "y"], "target": [ACTIVE, "no tree"], "context_id": "c"})
    found = syntactic_control.with_target_trees(pairs, parse)
    assert found["source"].tolist() == ["tree: S(NP VP(NP)) x"]
    assert pairs["source"].tolist() == ["x", "y"]
    with pytest.raises(DataError, match="None of the 1 targets has a tree"):
        syntactic_control.with_target_trees(pairs.iloc[1:], parse)


def test_exemplars_are_the_nearest_by_tags() -> None:
    pool = ["The minister praised the plan.", "It was a dam that collapsed.", PASSIVE]
    targets = [ACTIVE, "The school was destroyed by a fire."]
    assert syntactic_control.nearest_exemplars(targets, pool, parse) == [pool[0], PASSIVE]
    assert syntactic_control.nearest_exemplars(pool, pool, parse) == pool
    with pytest.raises(DataError, match="has no tree"):
        syntactic_control.nearest_exemplars(["no tree"], pool, parse)


def test_items_without_a_tree_are_passed_over() -> None:
    items = pd.DataFrame({"id": ["a", "b", "c"], "references": [["no tree"], [ACTIVE], [PASSIVE]]})
    found = syntactic_control.with_exemplars(items, [PASSIVE, "no tree", ACTIVE], parse, 2)
    assert found["id"].tolist() == ["b", "c"]
    assert found["exemplar"].tolist() == [ACTIVE, PASSIVE]
    given = items.assign(exemplar=[None, PASSIVE, "no tree"])
    found = syntactic_control.with_exemplars(given, [ACTIVE, PASSIVE], parse, 3)
    assert found["exemplar"].tolist() == [PASSIVE]  # what the test set gives stays
    alone = items.assign(references=[[]] * 3)
    found = syntactic_control.with_exemplars(alone, [ACTIVE, "no tree", PASSIVE], parse, 3, seed=1)
    assert set(found["exemplar"]) == {ACTIVE, PASSIVE}  # drawn
    with pytest.raises(DataError, match="has a tree"):
        syntactic_control.with_exemplars(items.iloc[:1], [ACTIVE], parse, 2)


def test_exemplars_equal_a_search_of_all() -> None:
    items = test_sets.world_items(12)
    pool = [text for texts in test_sets.world_items(30, 5)["references"] for text in texts]
    targets = [texts[0] for texts in items["references"]]

    def distance(a: str, b: str) -> int:
        x, y = ([tag for _, tag in Tree.fromstring(parse(text)).pos()] for text in (a, b))
        table = np.zeros((len(x) + 1, len(y) + 1), dtype=int)
        for i, tag in enumerate(x):
            for j, other in enumerate(y):
                above = max(table[i, j + 1], table[i + 1, j])
                table[i + 1, j + 1] = table[i, j] + 1 if tag == other else above
        return len(x) + len(y) - 2 * int(table[-1, -1])

    expected = [min(pool, key=lambda text: distance(target, text)) for target in targets]
    assert syntactic_control.nearest_exemplars(targets, pool, parse) == expected


def test_distance_to_the_exemplar() -> None:
    found = syntactic_control.distance_to_exemplar(
        [ACTIVE, "no tree", ACTIVE], [PASSIVE, ACTIVE, ACTIVE], parse
    )
    assert found[0] == ted(str(parse(ACTIVE)), str(parse(PASSIVE))) > 0
    assert np.isnan(found[1])
    assert found[2] == 0


def test_the_shifted_system_gets_another_items_exemplar() -> None:
    items = pd.DataFrame({"source": ["a", "b", "c"], "exemplar": ["1", "2", "3"]})
    assert syntactic_control.exemplar_itself(items) == ["1", "2", "3"]
    assert syntactic_control.with_next_exemplar(syntactic_control.exemplar_itself)(items) == [
        "2",
        "3",
        "1",
    ]
    assert items["exemplar"].tolist() == ["1", "2", "3"]


def corpus(targets: list[str], origin: str = "any") -> pd.DataFrame:
    frame = pd.DataFrame({"source": "x", "target": targets, "origin": origin})
    return frame.assign(pair_id=[f"{origin}-{i}" for i in range(len(targets))])


def test_every_student_has_as_many_pairs_and_the_one_not_told_has_the_same() -> None:
    others = pd.concat([corpus([ACTIVE] * 3, "round trips"), corpus([ACTIVE] * 9, "gold")])
    ours = corpus([ACTIVE, PASSIVE, "no tree", ACTIVE, ACTIVE, PASSIVE])
    found = syntactic_control.syntax_corpora(ours, others, parse, 100, 0)
    assert {name: len(pairs) for name, pairs in found.items()} == {
        "M_control": 3, "student of round trips": 3, "not told": 3,
    }  # fmt: skip
    assert set(found["not told"]["pair_id"]) == set(found["M_control"]["pair_id"])
    assert set(found["not told"]["source"]) == {"x"}
    assert found["M_control"]["source"].str.startswith("tree: S(").all()
    assert list(syntactic_control.syntax_corpora(ours, others.head(0), parse, 2, 0)) == [
        "M_control", "not told",
    ]  # fmt: skip


def test_a_test_has_exemplars_of_other_items_and_examples_where_there_are_references() -> None:
    items = test_sets.world_items(40, seed=2)
    test, examples = syntactic_control.syntax_tests({"a": items}, parse, 5, shots=3)
    assert (len(test), len(examples)) == (5, 3)
    assert set(test["references"].map(len)) == {1}  # the one output that is asked for
    assert not set(test["exemplar"]) & {text for texts in items["references"][:5] for text in texts}
    (source, target), *_ = examples
    assert source.startswith("tree: S(")
    assert target not in {texts[0] for texts in test["references"]}
    alone = items.assign(references=[[] for _ in range(len(items))])
    test, examples = syntactic_control.syntax_tests({"a": items, "b": alone}, parse, 5, shots=3)
    assert test["test_set"].value_counts().to_dict() == {"a": 5, "b": 8}
    assert len(examples) == 3
    of_alone = test.loc[test["test_set"] == "b", "exemplar"]
    assert set(of_alone) <= set(alone["source"].iloc[8:])
    assert syntactic_control.syntax_tests({"b": alone}, parse, 5, shots=3)[1] == []


def test_scores_are_missing_where_nothing_parses_and_nobody_judges() -> None:
    items = pd.DataFrame({"id": ["a", "b"], "exemplar": [ACTIVE, PASSIVE]})
    outputs = {"item": ["a", "b"], "source": [ACTIVE] * 2, "output": [ACTIVE, "no tree"]}
    asked = pd.DataFrame(outputs).assign(system="s")
    found = syntactic_control.syntax_scores(asked, items, parse, Oracle())
    assert found["ted_exemplar"].fillna(-1).tolist() == [0, -1]
    assert found["parses"].tolist() == found["fidelity"].tolist() == [100, 0]
    silent = syntactic_control.syntax_scores(asked, items, parse, Judge())
    assert silent["fidelity"].isna().all()


def test_one_source_is_asked_for_the_forms_of_others() -> None:
    items = pd.DataFrame({"source": ["x", "y", "z"], "exemplar": [ACTIVE, PASSIVE, ACTIVE]})
    found = syntactic_control.one_source_many_exemplars(
        syntactic_control.exemplar_itself, items, parse, Judge()
    )
    assert found["source"].tolist() == ["x", "x"]
    assert found["output"].tolist() == found["exemplar"].tolist() == [PASSIVE, ACTIVE]
    assert found["TED"].tolist() == [0, 0]
