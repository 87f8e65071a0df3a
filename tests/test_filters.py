"""Algorithm 1 on graphs worked by hand, and against the definition on random ones."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.config.params import Params
from impossible.errors import ParameterError
from impossible.filtering.diversity_filter import Algorithm1, diversity_filter


class Table:
    """Entailment probabilities from a dict; everything else is 0."""

    def __init__(self, known: dict[tuple[str, str], float]) -> None:
        self.known = known
        self.asked: list[tuple[str, str]] = []

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        self.asked += pairs
        return np.array([self.known.get(pair, 0.0) for pair in pairs], dtype=np.float64)


def frame(*rows: tuple[str, str, float, float], context: str = "c") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["x", "y", "p_xy", "p_yx"])
    return table.assign(context_id=context)


def left(kept: pd.DataFrame) -> list[str]:
    return [f"{x}{y}" for x, y in zip(kept["x"], kept["y"], strict=True)]


def test_a_chain_is_one_component_and_its_best_pair_stays() -> None:
    # ab -(a=>c)- cd -(d=>f)- ef, gh alone; sums 1.6, 1.9, 1.7, 1.5
    pairs = frame(
        ("a", "b", 0.8, 0.8), ("c", "d", 0.9, 1.0), ("e", "f", 0.9, 0.8), ("g", "h", 0.75, 0.75)
    )
    table = Table({("a", "c"): 0.8, ("d", "f"): 0.9})
    assert left(diversity_filter(pairs, table)) == ["cd", "gh"]


class Judge:
    """A critic whose decisions differ from its probabilities."""

    probabilities = staticmethod(Table({}))
    entails = staticmethod(Table({("a", "c"): 1.0}))


def test_the_parameters_say_which_filter() -> None:
    pairs = frame(("a", "b", 0.8, 0.9), ("c", "d", 0.9, 0.8))
    for chosen, wanted in (
        ({}, ["ab", "cd"]),
        ({"dedup": "released"}, ["cd"]),
        ({"dedup": "released", "diversity_filter": False}, ["ab", "cd"]),
    ):
        filtered = Algorithm1(Judge(), Params.load("base", chosen))
        assert left(filtered(pairs, pairs)) == wanted
    joined = frame(("a", "b", 0.8, 0.9), ("a", "d", 0.9, 0.9))
    assert left(Algorithm1(Judge(), Params.load("base"))(joined, joined)) == ["ad"]


def test_an_edge_needs_more_than_the_threshold_and_the_same_side() -> None:
    pairs = frame(("a", "b", 0.8, 0.8), ("c", "d", 0.9, 0.9))
    assert left(diversity_filter(pairs, Table({("a", "c"): 0.75}))) == ["ab", "cd"]
    assert left(diversity_filter(pairs, Table({("a", "d"): 0.99, ("b", "c"): 0.99}))) == [
        "ab",
        "cd",
    ]
    assert left(diversity_filter(pairs, Table({("c", "a"): 0.76}))) == ["cd"]  # either direction
    assert left(diversity_filter(pairs, Table({("b", "d"): 0.76}))) == ["cd"]


def test_the_same_text_joins_and_ties_go_by_text() -> None:
    pairs = frame(("a", "z", 0.9, 0.9), ("a", "b", 0.9, 0.9))
    assert left(diversity_filter(pairs, Table({}))) == ["ab"]


def test_both_orders_of_a_pair_collapse_by_the_known_scores() -> None:
    pairs = frame(("a", "b", 0.9, 0.8), ("b", "a", 0.8, 0.9))
    table = Table({})
    assert left(diversity_filter(pairs, table)) == ["ab"]
    assert table.asked == []  # P(a=>b) was in the table


def test_scored_pairs_are_not_asked_again() -> None:
    pairs = frame(("a", "b", 0.9, 0.9), ("c", "d", 0.9, 0.8))
    scored = pd.concat([pairs, frame(("a", "c", 0.8, np.nan), ("b", "d", 0.1, np.nan))])
    table = Table({})
    assert left(diversity_filter(pairs, table, scored=scored)) == ["ab"]
    assert table.asked == []  # a=>c joins all, so nothing else matters
    scored["p_xy"] = scored["p_xy"].where(scored["x"] != "a", 0.2)
    diversity_filter(pairs.assign(p_xy=[0.9, 0.9]), table, scored=scored)
    assert ("b", "d") not in table.asked
    assert ("d", "b") in table.asked


def test_contexts_are_apart() -> None:
    pairs = pd.concat([frame(("a", "b", 0.9, 0.9)), frame(("a", "b", 0.9, 0.9), context="d")])
    assert len(diversity_filter(pairs, Table({("a", "b"): 1.0}))) == 2


def test_the_released_variant_collapses_texts_and_keeps_the_lowest_reverse_score() -> None:
    # a=>c joins the x of ab and cd: the lower reverse score (ab: .6) stays. In y, h comes after f,
    # and only h=>f is entailed: the released code looks one way and misses it.
    pairs = frame(
        ("a", "b", 0.9, 0.6), ("c", "d", 0.9, 0.9), ("e", "f", 0.9, 0.9), ("g", "h", 0.9, 0.8)
    )
    table = Table({("a", "c"): 1.0, ("h", "f"): 1.0})
    assert left(diversity_filter(pairs, table, dedup="released")) == ["ab", "ef", "gh"]
    assert left(diversity_filter(pairs, table)) == ["cd", "ef"]
    with pytest.raises(ParameterError, match="'paper' or 'released'"):
        diversity_filter(pairs, table, dedup="other")
    surest = diversity_filter(pairs, table, dedup="released", select="highest")
    assert left(surest) == ["cd", "ef", "gh"]  # released edges, the paper's choice
    with pytest.raises(ParameterError, match="'highest' or 'lowest'"):
        diversity_filter(pairs, table, select="best")


def test_nothing_in_nothing_out() -> None:
    assert diversity_filter(frame(), Table({})).empty


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.floats(0.5, 0.99))
def test_equal_to_the_definition(seed: int, n: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    texts = list("abcdefgh")
    pool = [(x, y) for x in texts for y in texts if x != y]
    chosen = [pool[i] for i in rng.choice(len(pool), n, replace=False)]
    p = {(x, y): float(np.float32(rng.random() ** 0.3)) for x, y in pool}
    pairs = frame(*[(x, y, p[x, y], p[y, x]) for x, y in chosen])
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    for i in range(n):
        for j in range(n):
            for a, b in zip(chosen[i], chosen[j], strict=True):
                if i != j and (a == b or p[a, b] > threshold):
                    graph.add_edge(i, j)
    expected = []
    for component in nx.connected_components(graph):
        expected.append(
            min(component, key=lambda i: (-(p[chosen[i]] + p[chosen[i][::-1]]), chosen[i]))
        )
    got = diversity_filter(pairs, Table(p), threshold)
    assert left(got) == ["".join(chosen[i]) for i in sorted(expected)]
