"""Trees: reading, distance by hand and against a second algorithm, bounds always valid."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from apted import APTED, Config
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.data.io import write_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import TREES
from impossible.errors import DataError
from impossible.filtering import constituency_parser
from impossible.runner.models import RunModels
from impossible.text.tree_edit_distance import (
    at_least,
    flat_tree,
    format_tree,
    pair_trees,
    parse_bracketed,
    ted,
    ted_bounds,
    top_layers,
)
from impossible.world.trees import GrammarParser
from nltk.tree import Tree

CAT = "(S (NP (DT the) (NN cat)) (VP (VBD sat)))"


def as_tree(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    parts = st.lists(st.one_of(children, st.sampled_from(["x", "y"])), max_size=3)
    return st.builds(Tree, st.sampled_from("ABC"), parts)


leaves = st.sampled_from("ABC").map(lambda label: Tree(label, []))
trees = st.recursive(leaves, as_tree, max_leaves=10)
Node = tuple[Any, ...]


@cache
def forest_distance(a: tuple[Node, ...], b: tuple[Node, ...]) -> int:
    """The textbook recursion on rightmost roots (Zhang and Shasha 1989), exponential but plain."""
    if not a or not b:
        return sum(map(size, a + b))
    (*left, x), (*right, y) = a, b
    return min(
        forest_distance((*left, *x[1:]), b) + 1,
        forest_distance(a, (*right, *y[1:])) + 1,
        forest_distance(tuple(left), tuple(right))
        + forest_distance(x[1:], y[1:])
        + int(x[0] != y[0]),
    )


def size(node: Node) -> int:
    return 1 + sum(map(size, node[1:]))


def nodes(tree: Tree, with_words: bool) -> Node:
    kept = [child for child in tree if with_words or isinstance(child, Tree)]
    return (tree.label(), *((c,) if isinstance(c, str) else nodes(c, with_words) for c in kept))


@settings(max_examples=150, deadline=None)
@given(trees, trees, st.booleans(), st.integers(0, 8))
def test_distance_and_bounds(a: Tree, b: Tree, with_words: bool, threshold: int) -> None:
    x, y = format_tree(a), format_tree(b)
    exact = forest_distance((nodes(a, with_words),), (nodes(b, with_words),))
    assert ted(x, y, with_words) == ted(y, x, with_words) == exact
    lower, upper = ted_bounds(x, y, with_words)
    assert lower <= exact <= upper
    decided, value = at_least(x, y, threshold, with_words)
    assert decided == (exact >= threshold)
    assert value in (None, exact)


class Nodes(Config):
    """Tells `apted` how to read a node."""

    def rename(self, node1: Node, node2: Node) -> int:
        return int(node1[0] != node2[0])

    def children(self, node: Node) -> Node:
        return node[1:]


large = st.recursive(leaves, as_tree, max_leaves=60)


@settings(max_examples=60, deadline=None)
@given(large, large, st.booleans())
def test_distance_of_large_trees_is_that_of_a_library(a: Tree, b: Tree, with_words: bool) -> None:
    theirs = APTED(nodes(a, with_words), nodes(b, with_words), Nodes()).compute_edit_distance()
    assert ted(format_tree(a), format_tree(b), with_words) == theirs


@given(trees)
def test_round_trip_and_identity(tree: Tree) -> None:
    text = format_tree(tree)
    assert parse_bracketed(text) == tree
    assert ted(text, text) == 0
    assert ted_bounds(text, text) == (0, 0)


def test_by_hand() -> None:
    assert ted(CAT, "(S (NP (DT a) (NN dog)) (VP (VBD ran)))") == 0
    assert ted(CAT, "(S (NP (DT a) (NN dog)) (VP (VBD ran)))", with_words=True) == 3
    assert ted(CAT, "(S (NP (NN cat)) (VP (VBD sat) (ADVP (RB there))))") == 3


def test_outer_brackets_are_taken_off() -> None:
    assert parse_bracketed(f"(ROOT {CAT})") == parse_bracketed(f"( {CAT} )") == parse_bracketed(CAT)


@pytest.mark.parametrize("text", ["", "word", "(S", "(S a))", "(S a) (S b)", "(S a) b"])
def test_bad_trees(text: str) -> None:
    with pytest.raises(DataError, match="Not one bracketed tree"):
        parse_bracketed(text)


def test_top_layers() -> None:
    assert top_layers(CAT, 1) == "(S)"
    assert top_layers(CAT, 3) == "(S (NP (DT) (NN)) (VP (VBD)))"
    assert top_layers(CAT, 3, with_words=True) == "(S (NP (DT) (NN)) (VP (VBD)))"
    assert top_layers(CAT, 4, with_words=True) == CAT


def test_flat_trees_are_word_edit_distance() -> None:
    assert flat_tree("(a)") == "(S (-LRB- -LRB-) (a a) (-RRB- -RRB-))"
    assert ted(flat_tree("a b c"), flat_tree("a x c d")) == 2
    assert ted(flat_tree(""), flat_tree("a")) == 1


def test_one_failure_makes_both_flat() -> None:
    parser = {"good": CAT}.get
    assert pair_trees("good", "good", parser) == (CAT, CAT, False)
    assert pair_trees("good", "bad", parser) == (flat_tree("good"), flat_tree("bad"), True)


def test_stored_trees_serve_the_parser_and_code_that_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sentences = RunFolder.open(tmp_path), ["The blaze destroyed a school."]
    grammar, flat = (Params.load("base", {"parser": name}) for name in ("grammar", "flat"))
    (tree,) = RunModels(run, grammar).parser.parse_many(sentences)
    path = RunModels(run, grammar).store_trees(sentences)
    assert tree is not None
    assert RunModels(run, flat).parser.parse_many(sentences) == [None]
    with monkeypatch.context() as patched:
        patched.setattr(GrammarParser, "parse_many", lambda *_: pytest.fail("parsed twice"))
        assert RunModels(run, grammar).parser.parse_many(sentences) == [tree]
    write_frame(path, pd.DataFrame({"text": sentences, "tree": ["(OLD)"]}), TREES)  # tells nothing
    assert RunModels(run, grammar).parser.parse_many(sentences) == [tree]


def test_trees_are_remembered_and_never_more_than_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Asked:
        def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
            asked.extend(sentences)
            return [f"(S (A {text}))" for text in sentences]

    monkeypatch.setattr(constituency_parser, "TREES_HELD", 3)
    trees = constituency_parser.Trees(Asked(), {"given": "(S)"})
    texts = ["a", "b", "a", "given"]
    for _ in range(2):
        assert trees.parse_many(texts) == ["(S (A a))", "(S (A b))", "(S (A a))", "(S)"]
    assert asked == ["a", "b"]
    many = [str(number) for number in range(9)]  # more at once than are held
    assert trees.parse_many(many) == [f"(S (A {text}))" for text in many]
    assert len(trees._recent) == 3
    assert trees.parse_many(texts)[0] == "(S (A a))"
    assert asked == ["a", "b", *many, "a", "b"]  # but what was given stays
