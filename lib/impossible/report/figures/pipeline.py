"""The pipeline as a slim strip, one stage lit: the header of every notebook."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from impossible.errors import DataError
from impossible.report.figures.style import BLUE, COLUMN, GREY, INK, PAGE, PALE, Picture, styled

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
        width: in one column the strip has two rows.
    """
    names = [stage.replace("\n", " ").replace("- ", "-") for stage in stages]
    if isinstance(lit, str) and lit not in (*stages, *names):
        raise DataError(f"No stage is called '{lit}'; the stages are {', '.join(names)}.")
    if isinstance(lit, str):
        lit = (list(stages) if lit in stages else names).index(lit)
    if not 0 <= lit < len(stages):
        raise DataError(f"lit is {lit}; it must be between 0 and {len(stages) - 1}.")
    down = 1 if width > COLUMN else 2
    across = math.ceil(len(stages) / down)
    figure = Picture(figsize=(width, 0.42 * down))
    figure.set_layout_engine("none")
    axis = figure.add_axes((0.002, 0, 0.996, 1))
    for place, stage in enumerate(stages):
        row, column = divmod(place, across)
        here = place == lit
        box = FancyBboxPatch(
            (column + 0.04, 0.12 + row), 0.88, 0.76, boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=BLUE if here else "white", edgecolor=BLUE if here else GREY,
            linewidth=1.2 if here else 0.6, mutation_aspect=0.6,
        )  # fmt: skip
        axis.add_patch(box)
        axis.text(
            column + 0.48, row + 0.5, stage, ha="center", va="center", fontsize=5.5,
            linespacing=1.05, color="white" if here else (INK if place < lit else GREY),
            fontweight="bold" if here else "normal",
        )  # fmt: skip
        if column:
            look = {"arrowstyle": "-|>", "color": GREY if place <= lit else PALE, "lw": 0.7}
            ends = (column + 0.06, row + 0.5), (column - 0.1, row + 0.5)
            axis.annotate("", *ends, arrowprops={**look, "mutation_scale": 4})
    axis.set(xlim=(0, across), ylim=(down, 0))
    axis.set_axis_off()
    return figure
