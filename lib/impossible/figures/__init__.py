"""Every picture of the project: tidy frames in, figures out (`save_figure` alone writes files)."""

from impossible.figures.claims import claims
from impossible.figures.corpora import by_round, trade_off
from impossible.figures.critics import calibration, confusion, loss_curves
from impossible.figures.pairs import (
    diversity_graph,
    funnel,
    score_histogram,
    score_scatter,
)
from impossible.figures.pipeline import STAGES, pipeline_strip
from impossible.figures.proximity import proximity, proximity_surface
from impossible.figures.save import save_both, save_figure
from impossible.figures.shares import group_shares, precision_by_group
from impossible.figures.style import COLUMN, PAGE, render, styled
from impossible.figures.systems import fidelity_bars, human_comparison, systems
from impossible.figures.transfer import learning_curves
from impossible.figures.truth import class_curves, frontier, noise_chain

__all__ = [
    "COLUMN",
    "PAGE",
    "STAGES",
    "by_round",
    "calibration",
    "claims",
    "class_curves",
    "confusion",
    "diversity_graph",
    "fidelity_bars",
    "frontier",
    "funnel",
    "group_shares",
    "human_comparison",
    "learning_curves",
    "loss_curves",
    "noise_chain",
    "pipeline_strip",
    "precision_by_group",
    "proximity",
    "proximity_surface",
    "render",
    "save_both",
    "save_figure",
    "score_histogram",
    "score_scatter",
    "styled",
    "systems",
    "trade_off",
]
