"""Algorithm 1: of pairs that say the same, keep one (paper §3.2, diversity)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.errors import ParameterError
from impossible.filtering.critic import EntailmentModel
from impossible.text.pairs import Pair

Entails = Callable[[Sequence[Pair]], NDArray[Any]]


@dataclass(frozen=True)
class Algorithm1:
    """`diversity_filter` as a run's parameters ask for it, for `build_dataset`.

    Args:
        critic: judges what is not among the scores.
        params: reads diversity_filter (False keeps all pairs), dedup, entailment_threshold.
    """

    critic: EntailmentModel
    params: Params
    reason: ClassVar[str] = "diversity"

    def __call__(self, kept: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
        """The pairs that stay; the scores of all pairs spare the critic questions."""
        if not self.params.diversity_filter:
            return kept
        paper = self.params.dedup == "paper"
        entail: Entails = self.critic.probabilities if paper else self.critic.entails
        return diversity_filter(
            kept, entail, self.params.entailment_threshold, scores, self.params.dedup
        )


def diversity_filter(
    kept: pd.DataFrame,
    entail: Entails,
    threshold: float = 0.75,
    scored: pd.DataFrame | None = None,
    dedup: str = "paper",
    select: str = "",
) -> pd.DataFrame:
    """Keep one pair of each group of pairs that paraphrase each other, context by context.

    Pairs are nodes. Under "paper" an edge joins pairs i and j when P(x_i⇒x_j) > τ or
    P(y_i⇒y_j) > τ, in either order of i and j, and of each connected component the "highest"
    pair stays, by P(x⇒y) + P(y⇒x). Under "released" (the authors' code) sentences x are joined
    when the critic's first label for x_i⇒x_j, i before j, is entailment, and of the pairs of a
    component the "lowest" stays, by P(y⇒x); then the same over y. Ties go to the alphabetically
    first (x, y).

    Args:
        kept: pairs that passed the thresholds: context_id, x, y, p_xy, p_yx.
        entail: P(premise ⇒ hypothesis) of text pairs; for "released" the decisions, such as
            `EntailmentCritic.entails`.
        threshold: τ, [0, 1]; not read under "released".
        scored: all scored pairs of these contexts; their probabilities are not computed again.
        dedup: "paper" or "released".
        select: "highest" or "lowest"; by default as `dedup` says.

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
            kept = _collapsed(kept, side, entail, select or "lowest")
        return kept
    texts = {*kept["x"], *kept["y"]}
    rows = kept if scored is None else pd.concat([scored, kept])
    known = known_probabilities(rows[rows["x"].isin(texts) & rows["y"].isin(texts)])
    groups = [group for _, group in kept.groupby("context_id", sort=False)]
    asked = [pair for group in groups for pair in _open(_graph(group, known, threshold), known)]
    asked = list(dict.fromkeys(asked))
    known |= dict(zip(asked, entail(asked), strict=True))
    components = [
        [node for node in component if isinstance(node, int)]
        for group in groups
        for component in nx.connected_components(_graph(group, known, threshold))
    ]
    return _chosen(kept, components, select or "highest")


def known_probabilities(pairs: pd.DataFrame) -> dict[Pair, float]:
    """P(premise ⇒ hypothesis) of the ordered text pairs of scored pairs, both ways."""
    known: dict[Pair, float] = {}
    for first, second, column in (("x", "y", "p_xy"), ("y", "x", "p_yx")):
        rows = pairs[[first, second, column]].dropna().itertuples(index=False)
        known |= {(a, b): float(p) for a, b, p in rows}
    return known


def _graph(group: pd.DataFrame, known: dict[Pair, float], threshold: float) -> nx.Graph:
    """Rows of pairs (int nodes) tied to their texts (("x", text), ("y", text)), texts to texts.

    Two pairs are connected through text nodes exactly when a path of the paper's edges joins them,
    since a text entails itself and the rows of one text are joined in both graphs.
    """
    graph = nx.Graph()
    for row, x, y in zip(group.index, group["x"], group["y"], strict=True):
        graph.add_edges_from([(int(row), ("x", x)), (int(row), ("y", y))])
    for side in ("x", "y"):
        texts = list(dict.fromkeys(group[side]))
        graph.add_edges_from(
            ((side, a), (side, b))
            for a in texts
            for b in texts
            if a != b and known.get((a, b), -1.0) > threshold
        )
    return graph


def _open(graph: nx.Graph, known: dict[Pair, float]) -> list[Pair]:
    """Text pairs of unknown probability that could still join two components."""
    component = {
        node: i for i, nodes in enumerate(nx.connected_components(graph)) for node in nodes
    }
    texts = [node for node in graph if not isinstance(node, int)]
    return [
        (a, b)
        for side, a in texts
        for other, b in texts
        if side == other and component[side, a] != component[other, b] and (a, b) not in known
    ]


def _collapsed(kept: pd.DataFrame, side: str, entails: Entails, select: str) -> pd.DataFrame:
    """The released code's step: components of the texts of one side, one pair of each."""
    groups = []
    for _, group in kept.groupby("context_id", sort=False):
        texts = list(dict.fromkeys(group[side]))
        asked = [(a, b) for i, a in enumerate(texts) for b in texts[i + 1 :]]
        joined = np.asarray(entails(asked), dtype=float) > 0.5
        graph = nx.Graph()
        graph.add_nodes_from(texts)
        graph.add_edges_from(pair for pair, yes in zip(asked, joined, strict=True) if yes)
        for component in nx.connected_components(graph):
            groups.append(list(group.index[group[side].isin(component)]))
    return _chosen(kept, groups, select)


def _chosen(kept: pd.DataFrame, groups: Sequence[list[int]], select: str) -> pd.DataFrame:
    """One row of each group of rows, in the order of `kept`."""
    if select not in ("highest", "lowest"):
        raise ParameterError(f"select must be 'highest' or 'lowest', got {select!r}")
    group = pd.Series({row: i for i, rows in enumerate(groups) for row in rows})
    total = kept[["p_xy", "p_yx"]].astype(float).sum(axis=1)  # of those that were judged
    order = kept.assign(group=group, order=-total if select == "highest" else kept["p_yx"])
    best = order.sort_values(["group", "order", "x", "y"], kind="stable").drop_duplicates("group")
    return kept.loc[sorted(best.index)].reset_index(drop=True)
