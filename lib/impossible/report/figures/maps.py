"""Heat maps: the proximity surface and confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn
from matplotlib.figure import Figure

from impossible.errors import DataError
from impossible.report.figures import style
from impossible.report.figures.curves import SERIES_NAMES
from impossible.report.figures.style import COLUMN, PAGE, styled

_SHADES = seaborn.blend_palette(["white", style.BLUE, "#002b44"], as_cmap=True)  # by lightness


@styled
def proximity_map(frame: pd.DataFrame) -> Figure:
    """Fraction of equivalent pairs by context length × temperature, a heat map for each series.

    All maps have one colour scale, from 0 to the largest value, and the value in per cent in each
    cell; a cell without a value shows "–".

    Args:
        frame: one row per cell: `n_sentences`, `temperature`, `series` ("critic", the
            judge's name), `value` in [0, 1] or NaN.

    Source: section 2; the paper shows two cuts through this surface, the panels of Figure 3.
    """
    style.need(frame, ["n_sentences", "temperature", "series", "value"], "proximity_map")
    names = list(dict.fromkeys(frame["series"]))
    table = frame.pivot(
        index="n_sentences", columns=["series", "temperature"], values="value"
    ).sort_index(ascending=False)
    largest = float(np.nanmax([0.0, *frame["value"]])) or 1.0
    titles = [f"{SERIES_NAMES.get(name, name)}, %" for name in names]
    figure, axes = style.small_panels(
        titles, PAGE, len(names), 0.24 * len(table), more=0.75, sharey=True
    )
    for axis, name in zip(axes, names, strict=True):
        cells = table[name].astype(float).sort_index(axis=1)
        seaborn.heatmap(
            cells, vmin=0, vmax=largest, cmap=_SHADES, cbar=False, linewidths=0.5,
            linecolor=style.PALE, annot=100 * cells, fmt=".0f", annot_kws={"fontsize": 7}, ax=axis,
        )  # fmt: skip
        for row, column in np.argwhere(cells.isna().to_numpy()):
            axis.text(column + 0.5, row + 0.5, "–", ha="center", va="center")
        axis.grid(False)
        axis.set(xlabel="sampling temperature", ylabel="")
        axis.tick_params(length=0, labelrotation=0)
    axes[0].set_ylabel("context sentences")
    return figure


@styled
def confusion_map(
    matrix: Sequence[Sequence[float]] | np.ndarray, labels: Sequence[str],
    rows: Sequence[str] | None = None, names: tuple[str, str] = ("true", "predicted"),
) -> Figure:  # fmt: skip
    """Confusion matrix: shade is the fraction of the true class, text is fraction and count.

    Args:
        matrix: counts, rows true class, columns predicted class, shape (rows, labels).
        labels: predicted classes.
        rows: true classes, where not every label can be one; by default the labels.
        names: of the two axes, down and across.
    """
    counts, down = np.asarray(matrix, dtype=float), list(labels if rows is None else rows)
    if counts.shape != (len(down), len(labels)):
        must = "it must be square with" if rows is None else "it must have"
        raise DataError(
            f"The confusion matrix has shape {counts.shape}, but there are {len(labels)} labels "
            f"for {len(down)} rows: {must} one row and one column per label."
        )
    totals = counts.sum(axis=1, keepdims=True)
    fraction = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    texts = [
        [f"{f'{value:.1%}' if total else '–'}\n{n:,.0f}" for value, n in zip(*line, strict=True)]
        for *line, (total,) in zip(fraction, counts, totals, strict=True)
    ]
    figure, axis = style.one_panel(COLUMN, 0.75 + 0.55 * len(down))
    seaborn.heatmap(
        fraction, vmin=0, vmax=1.15, cmap="Blues", cbar=False, annot=np.array(texts), fmt="",
        annot_kws={"fontsize": 6.5}, xticklabels=labels, yticklabels=down, ax=axis,
    )  # fmt: skip
    axis.tick_params(length=0, labelrotation=0)
    axis.tick_params(axis="x", labelsize=6 if len(labels) > 4 else 6.5)
    axis.set(xlabel=names[1], ylabel=names[0])
    return figure
