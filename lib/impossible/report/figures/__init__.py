"""Every picture of the project: tidy frames in, figures out (`save_figure` alone writes files)."""

from impossible.report.figures.claims import claims
from impossible.report.figures.corpora import by_round, trade_off
from impossible.report.figures.critics import calibration, confusion, loss_curves
from impossible.report.figures.pairs import diversity_graph, funnel, score_histogram, score_scatter
from impossible.report.figures.pipeline import STAGES, pipeline_strip
from impossible.report.figures.proximity import proximity, proximity_surface
from impossible.report.figures.save import save_both, save_figure
from impossible.report.figures.shares import group_shares, precision_by_group
from impossible.report.figures.style import COLUMN, PAGE, render, styled
from impossible.report.figures.systems import fidelity_bars, human_comparison, systems
from impossible.report.figures.transfer import learning_curves
from impossible.report.figures.truth import class_curves, frontier, noise_chain

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
