"""The pipeline as a slim strip, one stage lit: the header of every notebook."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from impossible.errors import DataError
from impossible.report.figures.style import BLUE, GREY, INK, PAGE, PALE, Picture, styled

STAGES = (
    "models", "proximity", "contexts &\nsentences", "pairs &\ncritics", "dataset\n$D_T$",
    "student", "self-\ndistillation", "quality", "evaluation", "summaries", "control",
    "comparison", "report",
)  # fmt: skip


@styled
def pipeline_strip(
    stages: Sequence[str] = STAGES, lit: int | str = 0, width: float = PAGE
) -> Figure:
    """Boxes and arrows, left to right; the stage `lit` is filled, those before it are outlined.

    Args:
        stages: names, a line break where a name is long.
        lit: position (from 0) or name of the stage to light.
    """
    names = [stage.replace("\n", " ").replace("- ", "-") for stage in stages]
    if isinstance(lit, str) and lit not in (*stages, *names):
        raise DataError(f"No stage is called '{lit}'; the stages are {', '.join(names)}.")
    if isinstance(lit, str):
        lit = (list(stages) if lit in stages else names).index(lit)
    if not 0 <= lit < len(stages):
        raise DataError(f"lit is {lit}; it must be between 0 and {len(stages) - 1}.")
    figure = Picture(figsize=(width, 0.42))
    figure.set_layout_engine("none")
    axis = figure.add_axes((0.002, 0, 0.996, 1))
    for place, stage in enumerate(stages):
        here = place == lit
        axis.add_patch(
            FancyBboxPatch(
                (place + 0.06, 0.12), 0.82, 0.76, boxstyle="round,pad=0,rounding_size=0.12",
                facecolor=BLUE if here else "white", edgecolor=BLUE if here else GREY,
                linewidth=1.2 if here else 0.6, mutation_aspect=0.6,
            )
        )  # fmt: skip
        axis.text(
            place + 0.47, 0.5, stage, ha="center", va="center", fontsize=5.8, linespacing=1.05,
            color="white" if here else (INK if place < lit else GREY),
            fontweight="bold" if here else "normal",
        )  # fmt: skip
        if place:
            axis.add_patch(
                FancyArrowPatch(
                    (place - 0.12, 0.5), (place + 0.06, 0.5), arrowstyle="-|>", mutation_scale=4,
                    color=GREY if place <= lit else PALE, linewidth=0.7, shrinkA=0, shrinkB=0,
                )
            )  # fmt: skip
    axis.set(xlim=(0, len(stages)), ylim=(0, 1))
    axis.set_axis_off()
    return figure
