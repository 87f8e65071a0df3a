"""The pipeline as a slim strip, one stage lit: the header of every notebook."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from impossible.errors import DataError
from impossible.report.figures.style import BLUE, GREY, INK, PAGE, PALE, Picture, styled

STAGES = (
    "models", "proximity", "contexts &\nsentences", "pairs &\ncritics", "dataset\n$D_T$",
    "student", "self-\ndistillation", "quality", "evaluation", "summaries", "control",
    "comparison", "report",
)  # fmt: skip


@styled
def pipeline_strip(lit: int | str = 0) -> Figure:
    """Boxes and arrows, left to right; the stage `lit` is filled, those before it are outlined.

    Args:
        lit: position (from 0) or name of the stage to light.
    """
    names = [stage.replace("\n", " ").replace("- ", "-") for stage in STAGES]
    if isinstance(lit, str) and lit not in (*STAGES, *names):
        raise DataError(f"No stage is called '{lit}'; the stages are {', '.join(names)}.")
    if isinstance(lit, str):
        lit = (list(STAGES) if lit in STAGES else names).index(lit)
    if not 0 <= lit < len(STAGES):
        raise DataError(f"lit is {lit}; it must be between 0 and {len(STAGES) - 1}.")
    figure = Picture(figsize=(PAGE, 0.42))
    figure.set_layout_engine("none")
    axis = figure.add_axes((0.002, 0, 0.996, 1))
    for place, stage in enumerate(STAGES):
        here = place == lit
        box = FancyBboxPatch(
            (place + 0.04, 0.12), 0.88, 0.76, boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=BLUE if here else "white", edgecolor=BLUE if here else GREY,
            linewidth=1.2 if here else 0.6, mutation_aspect=0.6,
        )  # fmt: skip
        axis.add_patch(box)
        axis.text(
            place + 0.48, 0.5, stage, ha="center", va="center", fontsize=5.5,
            linespacing=1.05, color="white" if here else (INK if place < lit else GREY),
            fontweight="bold" if here else "normal",
        )  # fmt: skip
        if place:
            look = {"arrowstyle": "-|>", "color": GREY if place <= lit else PALE, "lw": 0.7}
            ends = (place + 0.06, 0.5), (place - 0.1, 0.5)
            axis.annotate("", *ends, arrowprops={**look, "mutation_scale": 4})
    axis.set(xlim=(0, len(STAGES)), ylim=(1, 0))
    axis.set_axis_off()
    return figure
