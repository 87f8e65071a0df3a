"""Write a figure as PDF, SVG and PNG with the note that the report reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from impossible.data.run_folder import RunFolder, replacing, write_json
from impossible.report.figures.style import render
from impossible.report.tables import note, save_table


def save_figure(
    run: RunFolder,
    name: str,
    fig: Figure,
    caption: str,
    notebook: str,
    data: Sequence[str | Path] = (),
    paper: str | None = None,
    reading: str | None = None,
) -> Path:
    """Write `figures/NAME.pdf`, `.svg`, `.png` and the sidecar `.json`; return the PNG's path.

    Args:
        name: file name without ending: letters, digits, `_`, `-`.
        caption: one or two sentences, plain text; also the alternative text in the report.
        notebook: the notebook that made it, for example "02_proximity".
        data: files (inside the run folder) that hold the numbers drawn.
        paper: what the paper shows here, with its number, for example "Figure 3: rises to 11 %".
        reading: what our figure says, in one sentence.

    The bytes depend on the figure alone: no dates, versions or random ids.
    """
    sidecar = note(run, "figure", name, caption, notebook, data, paper, reading)
    for kind in ("pdf", "svg", "png"):
        with replacing(run.figures / f"{name}.{kind}") as temporary:
            temporary.write_bytes(render(fig, kind))
    write_json(run.figures / f"{name}.json", sidecar)
    return run.figures / f"{name}.png"


def save_both(
    run: RunFolder,
    name: str,
    fig: Figure,
    frame: pd.DataFrame,
    caption: str,
    reading: str,
    notebook: str,
    data: Sequence[str | Path] = (),
    digits: int = 1,
    numbers: pd.DataFrame | None = None,
) -> Figure:
    """A figure and the table of its numbers, under one name, caption and reading.

    Args:
        frame, digits, numbers: as for `tables.save_table`; the others as for `save_figure`.

    Returns:
        `fig`, for the notebook to show.
    """
    save_figure(run, name, fig, caption, notebook, data, reading=reading)
    save_table(
        run, name, frame, caption, notebook, data, reading=reading, digits=digits, numbers=numbers
    )
    return fig
