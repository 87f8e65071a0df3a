"""Pictures of trained models: is the critic honest, did the training go well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from impossible.errors import DataError
from impossible.report.figures.style import (
    BLUE,
    COLUMN,
    GREY,
    INK,
    PALE,
    Picture,
    grid,
    look,
    need,
    styled,
)


@styled
def calibration(curve: pd.DataFrame, label: str = "entailment probability") -> Figure:
    """Reliability diagram above a histogram of the predictions.

    Args:
        curve: one row per bin: `predicted` (mean prediction), `observed` (share that was true),
            `low`, `high` (interval of the latter), `n`, and optionally `series` (critics).
    """
    need(curve, ["predicted", "observed", "low", "high", "n"], "calibration")
    series = list(dict.fromkeys(curve["series"])) if "series" in curve else [""]
    figure = Picture(figsize=(COLUMN, 3.1))
    reliability, counts = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [2.8, 1]}
    )
    reliability.plot(
        [0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (1, 1.2)), label="ideal"
    )
    for index, name in enumerate(series):
        rows = (curve[curve["series"] == name] if name else curve).sort_values("predicted")
        bars = [
            (rows["observed"] - rows["low"]).clip(lower=0).fillna(0),
            (rows["high"] - rows["observed"]).clip(lower=0).fillna(0),
        ]
        reliability.errorbar(
            rows["predicted"], rows["observed"], yerr=bars, elinewidth=0.9, label=name or None,
            **look(index),
        )  # fmt: skip
        style = look(index)
        counts.step(
            rows["predicted"], rows["n"], where="mid", color=style["color"],
            linestyle=style["linestyle"],
        )  # fmt: skip
    reliability.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that is true")
    grid(reliability)
    if (curve["n"] > 0).any():
        counts.set_yscale("log")
    counts.set(xlabel=f"predicted {label}", ylabel="pairs")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@styled
def confusion(
    matrix: Sequence[Sequence[float]] | np.ndarray,
    labels: Sequence[str],
    rows: Sequence[str] | None = None,
) -> Figure:
    """Confusion matrix: shade is the share of the true class, text is share and count.

    Args:
        matrix: counts, rows true class, columns predicted class, shape (rows, labels).
        labels: predicted classes.
        rows: true classes, where not every label can be one; by default the labels.
    """
    counts = np.asarray(matrix, dtype=float)
    down = list(labels if rows is None else rows)
    if counts.shape != (len(down), len(labels)):
        must = "it must be square with" if rows is None else "it must have"
        raise DataError(
            f"The confusion matrix has shape {counts.shape}, but there are {len(labels)} labels "
            f"for {len(down)} rows: {must} one row and one column per label."
        )
    totals = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    figure = Picture(figsize=(COLUMN, 0.75 + 0.55 * len(down)))
    axis = figure.subplots()
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), value in np.ndenumerate(share):
        text = f"{100 * value:.1f}%" if totals[row] else "–"
        axis.text(
            column, row, f"{text}\n{counts[row, column]:,.0f}", ha="center", va="center",
            color="white" if value > 0.6 else INK, fontsize=6.5,
        )  # fmt: skip
    axis.set_xticks(range(len(labels)), labels, fontsize=5.8 if len(labels) > 4 else 6.5)
    axis.set_yticks(range(len(down)), down)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set(xlabel="predicted", ylabel="true")
    return figure


@styled
def loss_curves(frame: pd.DataFrame, log: bool = False) -> Figure:
    """Training and dev loss by step; a ring marks the best dev loss, whose weights are kept.

    Args:
        frame: `step`, `split` ("train" or "dev"), `loss` (nats per token), and optionally `run`
            (one panel each); missing losses leave gaps.
    """
    need(frame, ["step", "split", "loss"], "loss_curves")
    runs = list(dict.fromkeys(frame["run"])) if "run" in frame else [""]
    figure = Picture(figsize=(COLUMN, 0.5 + 1.5 * len(runs)))
    panels = figure.subplots(len(runs), 1, squeeze=False)[:, 0]
    for panel, run in zip(panels, runs, strict=True):
        rows = (frame[frame["run"] == run] if run else frame).sort_values("step")
        train, dev = (rows[rows["split"] == split].dropna() for split in ("train", "dev"))
        panel.plot(train["step"], train["loss"], color=GREY, linewidth=0.9, label="train")
        panel.plot(dev["step"], dev["loss"], color=BLUE, marker="o", markersize=2.5, label="dev")
        if not dev.empty:
            best = dev.loc[dev["loss"].idxmin()]
            panel.plot(
                best["step"], best["loss"], "o", markersize=8, markerfacecolor="none",
                markeredgecolor=INK, label=f"best dev {best['loss']:.3g}" if not run else None,
            )  # fmt: skip
            if run:
                panel.set_title(f"{run}: best dev {best['loss']:.3g}", loc="left")
        if log:
            panel.set_yscale("log")
            for set_formatter in (panel.yaxis.set_major_formatter, panel.yaxis.set_minor_formatter):
                set_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        panel.set_ylabel("loss (nats/token)")
        panel.grid(True, axis="y", color=PALE, linewidth=0.5)
    panels[-1].set_xlabel("step")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure
