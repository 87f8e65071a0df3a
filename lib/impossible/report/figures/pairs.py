"""Pictures of pairs on their way through critics, gates and the diversity filter."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from itertools import product

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from impossible.errors import DataError
from impossible.report.figures.style import (
    BLUE,
    COLOURS,
    COLUMN,
    GREY,
    HATCHES,
    INK,
    MARKERS,
    PALE,
    Picture,
    need,
    styled,
    wrapped,
)

TURNS = 20  # groups of points are drawn by turns, so that the last does not hide the others


@styled
def funnel(
    frame: pd.DataFrame,
    order: Sequence[str] | None = None,
    kept: str = "kept",
    unit: str = "ordered pairs",
) -> Figure:
    """Pairs dropped, by reason, and pairs kept, as horizontal bars with counts and shares.

    Args:
        frame: `reason`, `n`; rows of one reason are added up (a FUNNEL frame fits as it is).
        order: reasons from top to bottom; by default the largest first. `kept` comes last.
        kept: the reason that means "not dropped".
        unit: what is counted.

    The scale is logarithmic when the bars span more than two orders of magnitude.
    """
    need(frame, ["reason", "n"], "funnel")
    counts = frame.groupby("reason")["n"].sum().sort_values(ascending=False)
    named = [reason for reason in (order or counts.index) if reason != kept]
    reasons = [*named, *sorted(set(counts.index) - {*named, kept}), kept]
    values = [int(counts.get(reason, 0)) for reason in reasons]
    total = sum(values)
    figure = Picture(figsize=(COLUMN, 0.55 + 0.19 * len(reasons)))
    axis = figure.subplots()
    colours = [BLUE if reason == kept else PALE for reason in reasons]
    axis.barh(range(len(reasons)), values, color=colours, edgecolor=INK, linewidth=0.5, height=0.7)
    positive = [value for value in values if value]
    log = bool(positive) and max(positive) > 100 * min(positive)
    if log:
        axis.set_xscale("log")
        axis.set_xlim(0.8, 60 * max(positive))
    else:
        axis.set_xlim(0, 1.6 * max(positive, default=1))
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for row, value in enumerate(values):
        share = f" ({100 * value / total:.2g}%)" if total and value else ""
        axis.annotate(
            f"{value:,}{share}", (max(value, 0.8 if log else 0), row), (2.5, 0),
            textcoords="offset points", va="center", fontsize=6.2,
        )  # fmt: skip
    axis.set_yticks(
        range(len(reasons)), [wrapped(str(reason).replace("_", " ")) for reason in reasons]
    )
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(f"{unit}{', logarithmic scale' if log else ''} (of {total:,})")
    return figure


@styled
def score_histogram(
    values: Sequence[float] | np.ndarray | pd.Series | Mapping[str, Sequence[float]],
    threshold: float | None = None,
    label: str = "score",
    keep: str = "above",
    bins: int = 30,
    log: bool = False,
) -> Figure:
    """Histogram of one score with the gate's threshold and the share that passes it.

    Args:
        values: scores, or a mapping from group name to scores (for example "equivalent" and
            "different" by the oracle). Missing scores are left out and counted in the axis label.
        threshold: the gate, drawn as a line; scores equal to it pass.
        keep: which side passes, "above" or "below".
        log: logarithmic counts, for scores that pile up at one end.
    """
    groups = dict(values) if isinstance(values, Mapping) else {"": values}
    raw = {name: np.asarray(group, dtype=float) for name, group in groups.items()}
    clean = {name: group[np.isfinite(group)] for name, group in raw.items()}
    everything = np.concatenate(list(clean.values())) if clean else np.array([])
    if not everything.size:
        raise DataError(f"No finite value of '{label}' to draw: check the stage that scores it.")
    figure = Picture(figsize=(COLUMN, 1.9))
    axis = figure.subplots()
    edges = _edges(everything, bins)
    for index, (name, group) in enumerate(clean.items()):
        axis.hist(
            group, bins=list(edges), label=name or None, log=log, alpha=0.65, linewidth=0.6,
            color=COLOURS[index % 6], edgecolor=INK, hatch=HATCHES[index % 6],
            histtype="stepfilled",
        )  # fmt: skip
    missing = sum(group.size for group in raw.values()) - everything.size
    axis.set_xlabel(label + (f"   ({missing:,} not computed)" if missing else ""))
    axis.set_ylabel("pairs")
    axis.margins(x=0.01)
    if threshold is not None:
        _gate(axis, everything, threshold, keep)
    if any(clean):
        figure.legend(loc="outside upper left", ncols=len(clean))
    return figure


def _edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Edges of at most so many bins; of whole numbers each holds equally many, so none is empty."""
    if (values != np.round(values)).any():
        return np.histogram_bin_edges(values, bins=bins)
    low, high = values.min(), values.max()
    step = math.ceil((high - low + 1) / bins)
    return np.arange(low, high + step + 1, step) - 0.5


def _gate(axis: Axes, values: np.ndarray, threshold: float, keep: str) -> None:
    if keep not in ("above", "below"):
        raise DataError(f"keep is '{keep}'; it must be 'above' or 'below'.")
    passing = values >= threshold if keep == "above" else values <= threshold
    axis.axvline(threshold, color=INK, linewidth=1.1, linestyle=(0, (4, 1.5)))
    low, high = axis.get_xlim()
    axis.axvspan(
        *((threshold, high) if keep == "above" else (low, threshold)), color=PALE, alpha=0.6,
        zorder=-1, linewidth=0,
    )  # fmt: skip
    axis.set_xlim(low, high)
    sign = "≥" if keep == "above" else "≤"
    axis.set_title(f"{sign} {threshold:g} keeps {100 * passing.mean():.1f}%", loc="right")


@styled
def score_scatter(
    pairs: pd.DataFrame, entailment_threshold: float = 0.75, rouge_l_max: float = 0.75,
    group: str | None = None, points: int = 4000,
) -> Figure:  # fmt: skip
    """Word overlap against entailment of each pair, with the two gates and the region they keep.

    Args:
        pairs: PAIRS-like, with `rouge_l`, `p_xy`, `p_yx`; the height of a point is the smaller of
            the two probabilities (or the only one computed), rows with neither are left out.
        group: a column that colours the points (the oracle's verdict, say).
        points: at most this many are drawn, evenly thinned, so that the file stays small.
    """
    need(pairs, ["rouge_l", "p_xy", "p_yx", *([group] if group else [])], "score_scatter")
    frame = pairs.assign(p=pairs[["p_xy", "p_yx"]].astype(float).min(axis=1))
    frame = frame[frame["p"].notna()]
    need(frame, [], "score_scatter")
    shown = frame.iloc[:: max(1, math.ceil(len(frame) / points))]
    figure = Picture(figsize=(COLUMN, 2.6))
    axis = figure.subplots()
    axis.add_patch(
        Rectangle(
            (0, entailment_threshold), rouge_l_max, 1.03 - entailment_threshold,
            facecolor=PALE, alpha=0.6, edgecolor="none", zorder=-1,
        )
    )  # fmt: skip
    axis.axhline(entailment_threshold, color=INK, linewidth=0.9, linestyle=(0, (4, 1.5)))
    axis.axvline(rouge_l_max, color=INK, linewidth=0.9, linestyle=(0, (4, 1.5)))
    names = list(dict.fromkeys(shown[group])) if group else [""]
    for turn, (index, name) in product(range(TURNS), enumerate(names)):
        rows = (shown[shown[group] == name] if group else shown).iloc[turn::TURNS]
        axis.scatter(
            rows["rouge_l"], rows["p"], s=7, label=None if turn else str(name) or None, alpha=0.55,
            color=COLOURS[index % 6], marker=MARKERS[index % 6], edgecolors="white",
            linewidths=0.3, rasterized=True,
        )  # fmt: skip
    axis.set(xlim=(0, 1.03), ylim=(-0.03, 1.03), xlabel="ROUGE-L of the pair")
    axis.set_ylabel("smaller entailment probability")
    inside = (frame["rouge_l"] <= rouge_l_max) & (frame["p"] >= entailment_threshold)
    axis.set_title(f"both gates keep {100 * inside.mean():.1f}% of {len(frame):,}", loc="right")
    if group:
        figure.legend(loc="outside upper left", ncols=3, markerscale=1.6)
    return figure


@styled
def diversity_graph(
    nodes: Sequence[Hashable],
    edges: Sequence[tuple[Hashable, Hashable]],
    kept: Collection[Hashable],
    labels: Mapping[Hashable, str] | None = None,
) -> Figure:
    """One context's pairs as a graph: each component a colour and a marker, the kept pair ringed.

    Args:
        nodes: pair ids; edges: pairs of ids whose sides entail one another; kept: the survivors.
        labels: short text beside a node.

    Source: section 3, Algorithm 1 (one pair survives per connected component).
    """
    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    if not graph:
        raise DataError("No pair to draw: the diversity graph needs at least one node.")
    parts = sorted(
        nx.connected_components(graph), key=lambda part: (-len(part), str(min(map(str, part))))
    )
    figure = Picture(figsize=(COLUMN, 2.7))
    axis = figure.subplots()
    position = _packed(graph, parts)
    nx.draw_networkx_edges(graph, position, ax=axis, edge_color=GREY, width=0.7)
    for index, part in enumerate(parts):
        members = sorted(part, key=str)
        place = np.array([position[node] for node in members])
        ring = [2.0 if node in kept else 0.4 for node in members]
        axis.scatter(
            place[:, 0], place[:, 1], s=[58 if node in kept else 26 for node in members],
            color=COLOURS[index % 6], marker=MARKERS[index % 6], edgecolors=INK, linewidths=ring,
            zorder=3,
        )  # fmt: skip
    for node, text in (labels or {}).items():
        axis.annotate(text, position[node], (4, 4), textcoords="offset points", fontsize=6)
    survivors = sum(1 for node in graph if node in kept)
    axis.set_title(
        f"{len(graph)} pairs, {graph.number_of_edges()} edges, {len(parts)} components, "
        f"{survivors} kept (ringed)"
    )
    axis.margins(0.06)
    axis.set_axis_off()
    return figure


def _packed(graph: nx.Graph, parts: list[set[Hashable]]) -> dict[Hashable, tuple[float, float]]:
    """Spring layout per component, components packed in rows, larger ones with more room."""
    place: dict[Hashable, tuple[float, float]] = {}
    sizes = [0.6 + math.sqrt(len(part)) for part in parts]
    row_width = 1.25 * math.sqrt(sum(size * size for size in sizes)) + sizes[0] * 0.2
    left = top = height = 0.0
    for part, size in zip(parts, sizes, strict=True):
        if left and left + size > row_width:
            left, top, height = 0.0, top - height, 0.0
        ordered = nx.Graph()  # sorted, so that the picture does not depend on set order
        ordered.add_nodes_from(sorted(part, key=str))
        ordered.add_edges_from(sorted(graph.subgraph(part).edges, key=str))
        spring = nx.spring_layout(ordered, seed=1, scale=(size - 0.6) / 2)
        centre = np.array([left + size / 2, top - size / 2])
        place.update({node: tuple(centre + offset) for node, offset in spring.items()})
        left, height = left + size, max(height, size)
    return place
