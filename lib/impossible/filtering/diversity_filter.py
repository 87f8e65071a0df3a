"""Algorithm 1: of pairs that say the same, keep one (paper §3.2, diversity)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.errors import ParameterError

__all__ = ["Critic", "diversity_filter", "thinned"]

Pair = tuple[str, str]
Entail = Callable[[Sequence[Pair]], NDArray[np.float64]]


class Critic(Protocol):
    """Who judges entailment: `critics.EntailmentCritic`, `scoring.RememberedCritic`."""

    def probabilities(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """P(premise ⇒ hypothesis) of each pair."""

    def entails(self, pairs: Sequence[Pair]) -> NDArray[Any]:
        """Whether entailment is the first label of each pair."""


def thinned(
    kept: pd.DataFrame, critic: Critic, params: Params, scored: pd.DataFrame | None = None
) -> pd.DataFrame:
    """`diversity_filter` as a run's parameters ask for it.

    Args:
        kept, scored: as for `diversity_filter`.
        critic: judges what is not known yet.
        params: diversity_filter (False leaves all pairs), dedup, entailment_threshold.
    """
    if not params.diversity_filter:
        return kept
    entail = critic.probabilities if params.dedup == "paper" else critic.entails
    return diversity_filter(kept, entail, params.entailment_threshold, scored, params.dedup)


def diversity_filter(
    kept: pd.DataFrame,
    entail: Entail,
    threshold: float = 0.75,
    scored: pd.DataFrame | None = None,
    dedup: str = "paper",
) -> pd.DataFrame:
    """Keep one pair of each group of pairs that paraphrase each other, context by context.

    Pairs are nodes. Under "paper" an edge joins pairs i and j when P(x_i⇒x_j) > τ or
    P(y_i⇒y_j) > τ, in either order of i and j, and of each connected component the pair with the
    largest P(x⇒y) + P(y⇒x) stays. Under "released" (the authors' code) sentences
    x are joined when the critic's first label for x_i⇒x_j, i before j, is entailment, and of the
    pairs of a component the one with the *lowest* P(y⇒x) stays; then the same over y.
    Ties go to the alphabetically first (x, y).

    Args:
        kept: pairs that passed the gates: context_id, x, y, p_xy, p_yx.
        entail: P(premise ⇒ hypothesis) of text pairs, such as `EntailmentCritic.probabilities`;
            for "released" the decision itself, such as `EntailmentCritic.entails`.
        threshold: τ, [0, 1]; "released" takes any decision above 0.5.
        scored: all scored pairs of these contexts; their probabilities are not computed again.
        dedup: "paper" or "released".

    Returns:
        The pairs that stay, in the order of `kept`.

    Example:
        Of (a, b) and (b, a) with P(a⇒b) = 0.9 one stays: a⇒b joins them.
    """
    if dedup not in ("paper", "released"):
        raise ParameterError(f"dedup must be 'paper' or 'released', got {dedup!r}")
    if kept.empty:
        return kept
    kept = kept.reset_index(drop=True)  # rows are the nodes: their numbers must be unique
    if dedup == "released":
        for side in ("x", "y"):
            kept = _collapse(kept, side, entail)
        return kept.reset_index(drop=True)
    known = _known(kept if scored is None else pd.concat([scored, kept]))
    graphs = [
        _graph(group, known, threshold) for _, group in kept.groupby("context_id", sort=False)
    ]
    asked = list(dict.fromkeys(pair for graph in graphs for pair in _open(graph, known)))
    known |= dict(zip(asked, entail(asked), strict=True))
    rows: list[int] = []
    for _, group in kept.groupby("context_id", sort=False):
        for component in nx.connected_components(_graph(group, known, threshold)):
            members = sorted(node for node in component if isinstance(node, int))
            rows.append(_best(kept, members))
    return kept.loc[sorted(rows)].reset_index(drop=True)


def _known(pairs: pd.DataFrame) -> dict[Pair, float]:
    """Probabilities of ordered text pairs that are in the table."""
    known: dict[Pair, float] = {}
    for x, y, p_xy, p_yx in pairs[["x", "y", "p_xy", "p_yx"]].itertuples(index=False):
        for pair, p in (((x, y), p_xy), ((y, x), p_yx)):
            if not np.isnan(p):
                known[pair] = float(p)
    return known


def _graph(group: pd.DataFrame, known: dict[Pair, float], threshold: float) -> nx.Graph:
    """Rows of pairs (int nodes) tied to their texts (("x", text), ("y", text)), texts to texts.

    Two pairs are connected through text nodes exactly when a path of the paper's edges joins them,
    since a text entails itself and the rows of one text are joined in both graphs.
    """
    graph = nx.Graph()
    for row, x, y in zip(group.index, group["x"], group["y"], strict=True):
        graph.add_edge(int(row), ("x", x))
        graph.add_edge(int(row), ("y", y))
    for side in ("x", "y"):
        texts = list(dict.fromkeys(group[side]))
        for a in texts:
            for b in texts:
                if a != b and known.get((a, b), -1.0) > threshold:
                    graph.add_edge((side, a), (side, b))
    return graph


def _open(graph: nx.Graph, known: dict[Pair, float]) -> list[Pair]:
    """Text pairs of unknown probability that could still join two components."""
    component = {
        node: i for i, nodes in enumerate(nx.connected_components(graph)) for node in nodes
    }
    asked: list[Pair] = []
    for side in ("x", "y"):
        texts = [node for node in graph if not isinstance(node, int) and node[0] == side]
        for a in texts:
            for b in texts:
                if component[a] != component[b] and (a[1], b[1]) not in known:
                    asked.append((a[1], b[1]))
    return asked


def _best(pairs: pd.DataFrame, rows: Sequence[int]) -> int:
    """The row with the largest P(x⇒y) + P(y⇒x), as far as both were judged; ties by text."""
    part = pairs.loc[list(rows)]
    total = part[["p_xy", "p_yx"]].astype(float).sum(axis=1)
    return min(rows, key=lambda i: (-total[i], part.at[i, "x"], part.at[i, "y"]))


def _collapse(kept: pd.DataFrame, side: str, entails: Entail) -> pd.DataFrame:
    """The released code's step: components of sentences, the lowest reverse score of each."""
    stay: list[int] = []
    for _, group in kept.groupby("context_id", sort=False):
        texts = list(dict.fromkeys(group[side]))
        asked = [(a, b) for i, a in enumerate(texts) for b in texts[i + 1 :]]
        joined = np.asarray(entails(asked), dtype=float) > 0.5
        graph = nx.Graph()
        graph.add_nodes_from(texts)
        graph.add_edges_from(pair for pair, yes in zip(asked, joined, strict=True) if yes)
        for component in nx.connected_components(graph):
            part = group[group[side].isin(component)].sort_values(["p_yx", "x", "y"], kind="stable")
            stay.append(part.index[0])
    return kept.loc[sorted(stay)]
