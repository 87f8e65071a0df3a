"""Corpora of pairs beside those of people, of other methods and of the paper: notebooks 08, 10."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.evaluation import corpus_comparison
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.corpus_quality import (
    CORPUS_TITLES,
    corpus_differences,
    quality_rows,
)
from impossible.evaluation.metric_rows import recorded
from impossible.report import tables
from impossible.report.figures import system_dots
from impossible.report.paper_tables import COPY_INPUT, TABLE1
from impossible.report.side_by_side import Shows

#: Corpora of notebook 10 → the paper's that they stand beside.
ANSWERS = {
    "ParaBank1-like": "ParaBank1 (57.0M)",
    "ParaBank2-like": "ParaBank2 (19.7M)",
    "plain forms (stand-in)": "ChatGPT-Para (2.1M)",
    "D_para": "DIMPLE (4.2M)",
}
_FEW = 100  # resamples of a table that only says how measures grow


def corpora_beside_people(
    stage: Shows, rows: pd.DataFrame, ours: Iterable[str], n: int, source: str,
    data: Sequence[Path],
) -> list[Any]:  # fmt: skip
    """Save the figure `human_comparison` and the tables `likeness` and `human_range`.

    Args:
        stage: of the notebook.
        rows: METRIC_ROWS of `corpus_quality.quality_rows`.
        ours: the corpora that people did not write.
        n: pairs of each corpus.
        source: that number and the kind of intervals, in words.
        data: files that the numbers come from.

    Returns:
        What is to be displayed; without human data, or without ours, there is no range.
    """
    own, compared = list(ours), corpus_comparison.COMPARED
    places = corpus_comparison.human_range(rows, own)
    counts = places.loc[places["corpus"] == "D_para", "place"].value_counts().sort_index()
    found = ", ".join(f"{count} {place}" for place, count in counts.items())
    reading = f"D_para by the range of human sets: {found or 'not both in this run'}"
    titles = {name: CORPUS_TITLES[name] for name in compared}
    picture = system_dots(rows, titles, ours=own, human=set(rows["system"]) - set(own))
    caption = f"Pairs made by the pipeline and by people. {source}"
    theirs = "Table 1: DIMPLE is more varied than ParaBank and ChatGPT-Para"
    shown = [stage.figure("human_comparison", picture, caption, data, theirs, reading)]
    measures = [name for name in compared if name != "length_ratio"]
    frame = tables.wide(rows, [*measures, "words_target"]).assign(n=n)
    caption = f"Variety, similarity and length of pairs. {source}"
    shown.append(stage.table("likeness", frame, caption, data, None, rows))
    if len(places):
        caption = f"Our corpora beside the range of the human datasets. {source}"
        shown.append(stage.table("human_range", places, caption, data))
    return shown


def copies_beside_paper(stage: Shows, copied: pd.DataFrame) -> Any:
    """Save the table `copy_input`: the system that copies its input, beside the paper's Table 2.

    Args:
        stage: of the notebook.
        copied: of `corpus_comparison.copy_input_rows`; without human data empty.

    Returns:
        What is to be displayed.
    """
    readings = corpus_comparison.copy_input_readings(copied, COPY_INPUT)
    beside = tables.beside_paper(copied, COPY_INPUT, readings, digits=2)
    measured = beside[(beside["metric"] != "ibleu") & (beside["ours"] != tables.MISSING)]
    said: dict[str, list[str]] = {}
    for row in tables.in_words(measured).itertuples():
        said.setdefault(str(row.system), []).append(f"{str(row.metric).rstrip(' ↑↓')} {row.ours}")
    told = "; ".join(f"{system}: {', '.join(each)}" for system, each in said.items())
    paper = "ROUGE-L 65.7 and 60.2, BLEU 44.4 and 42.8 (MRPC, ParaSCI)"
    caption = "Copy-Input on real test sets beside the paper's Table 2."
    how = (caption, (), paper, beside, 2, told or "not run: no human data")
    return stage.table("copy_input", beside, *how)


def summaries_beside_people(
    stage: Shows, varied: pd.DataFrame, mine: Sequence[str], n: int, data: Sequence[Path]
) -> tuple[list[Any], dict[str, Any]]:
    """Save figure and table `short_rewritings` and, where there are both, `short_gaps`.

    Args:
        stage: of the notebook.
        varied: METRIC_ROWS of `corpus_quality.quality_rows`, of ours and of people's summaries.
        mine: those that people did not write.
        n: pairs of each corpus.
        data: files that the numbers come from.

    Returns:
        What is to be displayed, and the numbers to record.
    """
    short = list(corpus_comparison.SHORT_METRICS)
    known = varied[varied["metric"].isin(short)].itertuples()
    numbers: dict[str, Any] = {f"{row.system}, {row.metric}": row.value for row in known}
    picture = system_dots(varied, {name: CORPUS_TITLES[name] for name in short}, ours=mine)
    caption = "Short rewritings that people wrote" + " and, in blue, ours" * bool(mine)
    caption += f". {n} pairs of each corpus."
    told = (caption, data, "v1: more diverse than Gigaword")
    shown = [stage.figure("short_rewritings", picture, *told)]
    frame = tables.wide(varied, [*short, "words_source"])
    caption = f"Variety, novelty and length of short rewritings. {n} pairs of each corpus."
    shown.append(stage.table("short_rewritings", frame, caption, data, None, varied))
    theirs = [name for name in dict.fromkeys(varied["system"]) if name not in mine]
    if mine and theirs:
        versus = [(name, other) for name in mine for other in theirs]
        gaps = corpus_differences(varied, versus, short)
        numbers |= recorded(gaps)
        reading = "; ".join(tables.readings(gaps[gaps["metric"].isin(["novelty", "self_bleu"])]))
        caption = f"A corpus of summaries minus one of people's. {n} pairs of each corpus."
        how = (caption, data, None, gaps, 2, reading)
        shown.append(stage.table("short_gaps", tables.wide(gaps, short), *how))
    return shown, numbers


def corpora_at_full_size(
    stage: Shows, corpora: Mapping[str, pd.DataFrame], bootstrap: Bootstrap, data: Sequence[Path]
) -> Any:
    """Save the table `corpora_full`: measures that need no model, with all pairs of each corpus."""
    fewer = Bootstrap(_FEW, bootstrap.confidence, bootstrap.seed)
    parts = [quality_rows({n: c}, len(c), bootstrap=fewer) for n, c in corpora.items()]
    rows = pd.concat(parts, ignore_index=True)
    frame = tables.wide(rows, ["h2", "h3", "msttr", "jaccard", "self_bleu"])
    caption = "Corpora at full size: entropies of different sizes are not comparable."
    return stage.table("corpora_full", frame, caption, data, None, rows)


def corpora_beside_paper(
    stage: Shows, rows: pd.DataFrame, source: str, data: Sequence[Path]
) -> list[Any]:
    """Save `table1_all`, ours and the paper's Table 1, and `table1_beside`, line by line.

    Args:
        stage: of the notebook.
        rows: METRIC_ROWS of `corpus_quality.quality_rows`.
        source: sizes and kind of intervals, in words.
        data: files that the numbers come from.
    """
    both, beside = tables.with_paper(rows, TABLE1, ANSWERS)
    told = ("DIMPLE: cosine 87.68, H2 17.75, TED-F 29.84", rows, 2)
    reading = "order only: other texts, other sizes"
    caption = f"Our corpora and the paper's Table 1. {source}"
    shown = [stage.table("table1_all", both, caption, data, *told, reading)]
    caption = f"Table 1 beside ours (the stand-in says nothing about ChatGPT-Para itself). {source}"
    return [*shown, stage.table("table1_beside", beside, caption, data, *told, reading)]
