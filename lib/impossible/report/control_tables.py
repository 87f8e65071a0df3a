"""Control of length and style: the figures and tables of notebook 18, of each task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.evaluation.metrics import METRICS
from impossible.experiments.control_grids import Grid
from impossible.experiments.length_style_control import asked_and_got
from impossible.report import tables
from impossible.report.figures import confusion_map, system_dots
from impossible.report.side_by_side import Shows

_CONTROLS = ("told the opposite", "instructions permuted", "not told")
_PAPER = "v1: controllable where few-shot GPT-3 is not"


def control_panels(stage: Shows, task: str, rows: pd.DataFrame, data: Sequence[Path]) -> list[Any]:
    """Save figure and table `control_groups_TASK`.

    Args:
        stage: of the notebook.
        task: "summary" or "paraphrase".
        rows: METRIC_ROWS by system of `length_style_control.control_rows`.
        data: files that the numbers come from.

    Returns:
        What is to be displayed.
    """
    titles = {name: METRICS[name].title if name in METRICS else name for name in rows["metric"]}
    caption, name = f"Control of a {task} by length and style; hollow: controls.", "control_groups"
    picture = system_dots(rows, titles, _CONTROLS, ("told",))
    return [
        stage.figure(f"{name}_{task}", picture, caption, data, _PAPER),
        stage.table(f"{name}_{task}", tables.wide(rows), caption, data, _PAPER, rows),
    ]


def control_confusion(
    stage: Shows, grid: Grid, scores: pd.DataFrame, by_group: pd.DataFrame, data: Sequence[Path]
) -> list[Any]:
    """Save figure `control_confusion_TASK` and table `control_by_group_TASK`.

    Args:
        stage, data: as for `control_panels`.
        grid: groups of the task.
        scores: of `length_style_control.control_scores`.
        by_group: METRIC_ROWS by system and group of `length_style_control.control_rows`.
    """
    task, counts = grid.task, asked_and_got(scores, grid)
    lines = [name.replace(" ", "\n") for name in counts.columns]
    axes = ("group asked for", "group of the output")
    picture = confusion_map(counts.to_numpy(), lines, lines[:-1], axes)
    caption = f"The told student: group of a {task} asked for and got (none: beyond a threshold)."
    shown = [stage.figure(f"control_confusion_{task}", picture, caption, data)]
    rows = by_group[by_group["system"].str.startswith(("told |", "not told |"))]
    caption = f"Told and not told, by the group of a {task} asked for, per cent."
    name = f"control_by_group_{task}"
    return [*shown, stage.table(name, tables.wide(rows), caption, data, None, rows)]


def controlled_gains(stage: Shows, task: str, gains: pd.DataFrame, data: Sequence[Path]) -> Any:
    """Save table `control_gains_TASK`.

    Args:
        stage, task, data: as for `control_panels`.
        gains: METRIC_ROWS of `length_style_control.control_gains`.
    """
    caption = f"Control of a {task}: differences, paired by sentence (mean over its groups)."
    return stage.table(f"control_gains_{task}", tables.wide(gains), caption, data, _PAPER, gains)
