"""Pairs on their way through critics and the diversity filter: scores, thresholds, components."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from impossible.errors import DataError
from impossible.report.figures import style
from impossible.report.figures.style import COLUMN, INK, styled

_POINTS = 4000  # of a scatter plot at most, so that its file stays small
#: Filled and hollow: told apart in grey, also where they overlap; not judged is the third.
_MARKS: tuple[dict[str, Any], ...] = (
    {"marker": "D", "color": style.GREEN, "alpha": 0.75, "linewidths": 0, "zorder": 3},
    {"marker": "o", "facecolors": "none", "edgecolors": style.GREY, "linewidths": 0.6},
    {"marker": "x", "color": style.GREY, "linewidths": 0.6},
)


@styled
def score_histogram(
    frame: pd.DataFrame, score: str, threshold: float | None = None, label: str = "",
    group: str | None = None, keep: str = "above", bins: int = 30, log: bool = False,
    unit: str = "pairs", width: float = COLUMN,
) -> Figure:  # fmt: skip
    """Histogram of one score with its threshold and the fraction that passes it.

    Args:
        frame: `score` (missing ones are left out and counted in the axis label) and `group`.
        score: the column.
        threshold: drawn as a line; scores equal to it pass.
        label: of the axis, by default the column's name.
        group: a column; each of its values (the judge's verdicts, say) has a line of its own.
        keep: which side passes, "above" or "below".
        bins: at most so many; of whole numbers each holds equally many, so that none is empty.
        log: logarithmic counts, for scores that pile up at one end.
        unit: what is counted.
    """
    rows = frame[np.isfinite(frame[score].astype(float))] if score in frame else frame
    if score not in frame or rows.empty:
        raise DataError(f"No finite value of '{score}' to draw: check the stage that scores it.")
    values = rows[score].to_numpy(dtype=float)
    figure, axis = style.one_panel(width, 1.9)
    names = sorted(rows[group].unique()) if group else []
    look: dict[str, Any] = {"x": score, "bins": list(_bin_edges(values, bins)), "ax": axis}
    if names:  # lines, since areas above one another cannot be told apart in grey
        for place, name in enumerate(names):
            dashes = style.DASHES[place % 6]
            seaborn.histplot(
                rows[rows[group] == name], element="step", fill=False, linewidth=1.1, label=name,
                color=style.palette(names)[name], linestyle=(0, dashes) if dashes else "-", **look,
            )  # fmt: skip
        style.legend_above(figure, [axis], len(names))
    else:
        seaborn.histplot(
            rows, element="step", linewidth=0.6, edgecolor=INK, alpha=0.5, color=style.COLOURS[0],
            **look,
        )  # fmt: skip
    if log:
        axis.set_yscale("log")
        style.plain_log(axis.yaxis, (1, 2, 5))
    missing = len(frame) - len(rows)
    axis.set_xlabel((label or score) + (f"   ({missing:,} not computed)" if missing else ""))
    axis.set_ylabel(unit)
    axis.margins(x=0.01)
    if threshold is not None:
        _show_threshold(axis, values, threshold, keep)
    return figure


def _bin_edges(values: np.ndarray, bins: int) -> np.ndarray:
    if (values != np.round(values)).any():
        return np.histogram_bin_edges(values, bins=bins)
    low, high = values.min(), values.max()
    step = math.ceil((high - low + 1) / bins)
    return np.arange(low, high + step + 1, step) - 0.5


def _show_threshold(axis: Axes, values: np.ndarray, threshold: float, keep: str) -> None:
    if keep not in ("above", "below"):
        raise DataError(f"keep is '{keep}'; it must be 'above' or 'below'.")
    above = keep == "above"
    passing = values >= threshold if above else values <= threshold
    low, high = axis.get_xlim()
    axis.axvline(threshold, **style.DASHED)
    kept = (threshold, high) if above else (low, threshold)
    axis.axvspan(*kept, **style.SHADED)
    axis.set_xlim(low, high)
    axis.set_title(f"{'≥' if above else '≤'} {threshold:g} keeps {passing.mean():.1%}", loc="right")


@styled
def score_scatter(
    pairs: pd.DataFrame, entailment_threshold: float = 0.75, rouge_l_max: float = 0.75,
    group: str | None = None,
) -> Figure:  # fmt: skip
    """Word overlap against entailment of each pair, with both thresholds and what they keep.

    Args:
        pairs: PAIRS-like, with `rouge_l`, `p_xy`, `p_yx`; the height of a point is the smaller of
            the two probabilities (or the only one computed), rows with neither are left out.
        entailment_threshold, rouge_l_max: the thresholds.
        group: a column that marks the points (the judge's verdict, say); where there are more than
            two, "equivalent" and all others, since more cannot be told apart in grey.
    """
    style.need(pairs, ["rouge_l", "p_xy", "p_yx", *([group] if group else [])], "score_scatter")
    frame = pairs.assign(p=pairs[["p_xy", "p_yx"]].astype(float).min(axis=1)).dropna(subset="p")
    style.need(frame, [], "score_scatter")
    # drawn in random order, so that no group hides the others
    shown = frame.sample(min(_POINTS, len(frame)), random_state=0)
    figure, axis = style.one_panel(COLUMN, 2.6)
    if group:
        shown = shown.assign(**{group: _in_two(shown[group])})
    names = sorted(shown[group].unique(), key=lambda name: name != "equivalent") if group else [""]
    size = 7 if len(shown) > 1000 else 12
    for name, look in zip(names, _MARKS, strict=False):
        rows = shown[shown[group] == name] if group else shown
        axis.scatter(rows["rouge_l"], rows["p"], size, label=name, rasterized=True, **look)
    axis.fill_between([0, rouge_l_max], entailment_threshold, 1.03, **style.SHADED)
    axis.axhline(entailment_threshold, **style.DASHED)
    axis.axvline(rouge_l_max, **style.DASHED)
    axis.set(xlim=(0, 1.03), ylim=(-0.03, 1.03), xlabel="ROUGE-L of the pair")
    axis.set_ylabel("smaller entailment probability")
    inside = (frame["rouge_l"] <= rouge_l_max) & (frame["p"] >= entailment_threshold)
    axis.set_title(f"both keep {inside.mean():.1%} of {len(frame):,}", loc="right")
    style.legend_above(figure, [axis], markerscale=1.6)
    return figure


def _in_two(group: pd.Series) -> pd.Series:
    """The groups if they are two, else "equivalent" and "not equivalent"."""
    if group.nunique() <= 2 or "equivalent" not in set(group):
        return group
    return group.where(group.isin(["equivalent", "not judged"]), "not equivalent")


@styled
def diversity_graph(
    nodes: Sequence[Hashable], edges: Sequence[tuple[Hashable, Hashable]],
    kept: Collection[Hashable],
) -> Figure:  # fmt: skip
    """One context's pairs as a graph: each component a colour and a marker, the kept pair ringed.

    Args:
        nodes: pair ids; edges: pairs of ids whose sides entail one another; kept: the survivors.

    Source: section 3, Algorithm 1 (one pair survives per connected component).
    """
    graph = nx.Graph()  # sorted, so that the picture does not depend on the order of sets
    graph.add_nodes_from(sorted(nodes, key=str))
    graph.add_edges_from(sorted(edges, key=str))
    if not graph:
        raise DataError("No pair to draw: the diversity graph needs at least one node.")
    parts = sorted(
        nx.connected_components(graph), key=lambda part: (-len(part), min(map(str, part)))
    )
    position = _packed_components(graph, parts)
    figure, axis = style.one_panel(COLUMN, 2.7)
    nx.draw_networkx_edges(graph, position, ax=axis, edge_color=style.GREY, width=0.7)
    for index, part in enumerate(parts):
        for members, size, ring in ((part - set(kept), 26, 0.4), (part & set(kept), 58, 2.0)):
            x, y = np.array([position[node] for node in sorted(members, key=str)]).reshape(-1, 2).T
            axis.scatter(
                x, y, s=size, color=style.COLOURS[index % 6], zorder=3,
                marker=style.MARKERS[index % 6], edgecolors=INK, linewidths=ring,
            )  # fmt: skip
    axis.set_title(
        f"{len(graph)} pairs, {graph.number_of_edges()} edges, {len(parts)} component"
        f"{'s' * (len(parts) != 1)}, "
        f"{len(set(graph) & set(kept))} kept (ringed)"
    )
    axis.margins(0.06)
    axis.set_axis_off()
    return figure


def _packed_components(graph: nx.Graph, parts: list[set[Hashable]]) -> dict[Hashable, np.ndarray]:
    """Spring layout per component, components packed in rows, larger ones with more room."""
    place: dict[Hashable, np.ndarray] = {}
    sizes = [0.6 + math.sqrt(len(part)) for part in parts]
    row_width = 1.25 * math.hypot(*sizes) + sizes[0] * 0.2
    left = top = height = 0.0
    for part, size in zip(parts, sizes, strict=True):
        if left and left + size > row_width:
            left, top, height = 0.0, top - height, 0.0
        component = nx.Graph()  # of sorted nodes, unlike a view of the graph
        component.add_nodes_from(sorted(part, key=str))
        component.add_edges_from(graph.subgraph(part).edges)
        centre = (left + size / 2, top - size / 2)
        place |= nx.spring_layout(component, seed=1, scale=(size - 0.6) / 2, center=centre)
        left, height = left + size, max(height, size)
    return place
