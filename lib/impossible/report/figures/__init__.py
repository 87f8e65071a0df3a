"""Every picture of the project: tidy frames in, figures out. A `width` is in inches."""

from impossible.report.figures.claims import claim_dots
from impossible.report.figures.curves import (
    calibration_curves,
    frontier_curves,
    loss_curves,
    metric_curves,
    series_curves,
)
from impossible.report.figures.dots import fraction_dots, system_dots
from impossible.report.figures.funnels import funnel_dots
from impossible.report.figures.maps import confusion_map, proximity_map
from impossible.report.figures.method import METHOD, method_flow
from impossible.report.figures.pairs import diversity_graph, score_histogram, score_scatter
from impossible.report.figures.pipeline import STAGES, pipeline_strip
from impossible.report.figures.planes import trade_off_dots
from impossible.report.figures.proximity import proximity_curves
from impossible.report.figures.style import COLUMN, PAGE, render, styled

__all__ = [
    "COLUMN",
    "METHOD",
    "PAGE",
    "STAGES",
    "calibration_curves",
    "claim_dots",
    "confusion_map",
    "diversity_graph",
    "fraction_dots",
    "frontier_curves",
    "funnel_dots",
    "loss_curves",
    "method_flow",
    "metric_curves",
    "pipeline_strip",
    "proximity_curves",
    "proximity_map",
    "render",

    "score_histogram",
    "score_scatter",
    "series_curves",
    "styled",
    "system_dots",
    "trade_off_dots",
]  # fmt: skip
