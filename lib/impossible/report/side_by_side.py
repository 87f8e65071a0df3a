"""Systems beside each other and beside the paper's: figures and tables for each test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from impossible.config.params import Params
from impossible.evaluation.judges import Judge
from impossible.evaluation.metrics import METRICS, RAW
from impossible.evaluation.test_sets import sentences, suffixes, title
from impossible.report.figures import system_dots
from impossible.report.paper_tables import Published, tables_beside
from impossible.report.tables import interval, wide, with_paper

_ENCODER = (
    " BERTScore and BERT-iBLEU are by another encoder than the paper's: compare the order only."
)


_WHO = {"oracle": "the oracle", "referee": "the referee (an NLI model)"}


def judged(judge: Judge, params: Params) -> str:
    """What the rates of paraphrases mean, who says so, and what intervals are, for a caption."""
    said = f"fidelity: {_who(judge)} says that the meaning is kept{_errors(judge, 'equivalence')}"
    return f"{said}; valid: also ROUGE-L ≤ {100 * params.rouge_l_max:g}; {_intervals(params)}"


def judged_summaries(judge: Judge, params: Params) -> str:
    """The same of summaries."""
    said = f"follows: {_who(judge)} says that it follows from x{_errors(judge, 'entailment')}"
    short = f"short: at most {100 * params.summary_length_ratio_max:g} % of the length of x"
    return f"{said}; {short}; {_intervals(params)}"


def _intervals(params: Params) -> str:
    return f"{100 * params.confidence:g} % bootstrap intervals over sentences"


def _who(judge: Judge) -> str:
    return _WHO.get(judge.name, "no judge" if judge.name == "none" else judge.name)


def _errors(judge: Judge, asks: str) -> str:
    """What was done about the judge's errors."""
    if judge.errors.get(asks) is None:
        return ""
    raw = judge.named(asks).endswith("raw")
    if raw:
        return ", uncorrected (raw)"
    chosen = "raw: uncorrected, as what critics chose, a best of n, always is"
    return f", corrected by its known errors ({chosen})"


class Shows(Protocol):
    """What is needed of `notebook.Stage`."""

    def figure(self, name: str, figure: Any, caption: str, *more: Any) -> Any:
        """Save a figure and return it."""

    def table(self, name: str, frame: pd.DataFrame, caption: str, *more: Any) -> Any:
        """Save a table and return what is to be shown."""


def systems_of_sets(
    stage: Shows, name: str, rows: Mapping[str, pd.DataFrame], caption: str, data: Sequence[Path],
    paper: str | None, titles: Mapping[str, str], panels: Sequence[str], controls: Sequence[str],
    ours: Sequence[str],
) -> list[Any]:  # fmt: skip
    """Save the figure and the table NAME of each test set, NAME-SET of all but the first.

    Args:
        rows: test set → METRIC_ROWS.
        caption: with {} for how many sentences of which test set, "100 sentences of MRPC".
        paper: what the paper says of the first test set.
        titles: metric → title; a column of the table each. panels: those in the figure, raw where
            no corrected one has a title.
        controls, ours: systems that are marked.

    Returns:
        What is to be displayed.
    """
    shown, drawn = [], [name if name in titles else name + RAW for name in panels]
    for each, suffix in suffixes(rows).items():
        place, told = (
            f"{name}{suffix}",
            caption.format(f"{rows[each]['n'].max():,.0f} {sentences(each)}"),
        )
        picture = system_dots(rows[each], {m: titles[m] for m in drawn}, controls, ours)
        theirs = None if suffix else paper  # their numbers are of one test set
        shown.append(stage.figure(place, picture, told, data, theirs))
        known = set(rows[each].dropna(subset="value")["metric"])  # the others have no panel either
        frame = wide(rows[each], [one for one in titles if one in known] or list(titles))
        shown.append(stage.table(place, frame, told, data, None, rows[each]))
    return shown


def papers_of_sets(
    stage: Shows, names: Sequence[str], rows: Mapping[str, pd.DataFrame], data: Sequence[Path],
    paper: str | None = None, published: Published | None = None,
) -> list[Any]:  # fmt: skip
    """Save ours and the paper's rows for each test set: all, and those that answer to each other.

    The latter, with differences, only on the test set that the paper's table was measured on.

    Args:
        names: of the two tables, with {} for the paper's "table2"; without a second one there is
            only the first.
        rows: test set → METRIC_ROWS.
        published: the paper's table; None: that of the test set, with a second name also Table 8.

    Returns:
        The last table of each, to be displayed.
    """
    shown = []
    for each, suffix in suffixes(rows).items():
        for one in [published] if published else tables_beside(each, not suffix and len(names) > 1):
            label = one.table if one.label == "paper" else f"{one.table} ({one.label})"
            places = [name.format(one.table.lower().replace(" ", "")) + suffix for name in names]
            frames = with_paper(rows[each], one, one.answered(rows[each]["system"].unique()))
            if not rows[each].query("metric in @one.metrics")["value"].notna().any():
                continue  # a test set without references, say: there is nothing beside the paper's
            other = "" if each == one.test_set else "; another test set: only the order compares"
            caption = f"Our systems on {title(each)} and the paper's {label}{other}."
            encoder = _ENCODER if any(name.startswith("bert") for name in one.metrics) else ""
            captions = (caption + encoder, f"{label} beside ours on {title(each)}.{encoder}")
            places = places if each == one.test_set else places[:1]
            reading = _ours(rows[each], one)
            for saved in zip(places, frames, captions, strict=False):
                last = stage.table(*saved, data, paper, rows[each], 2, reading)
            shown.append(last)
    return shown


def _ours(rows: pd.DataFrame, one: Published) -> str | None:
    """What our system that answers to the paper's has in the columns of its table, in a line."""
    answered = one.answered(rows["system"].unique())
    mine = [name for name, theirs in answered.items() if theirs == "Impossible-T5"]
    found = rows[rows["system"].isin(mine[-1:]) & rows["metric"].isin(one.metrics)]
    said = [
        f"{METRICS[row.metric].title.rstrip(' ↑↓')} {interval(row.value, row.low, row.high)}"
        for row in found.dropna(subset="value").itertuples()
        if row.metric in METRICS
    ]
    return f"{mine[-1]}: {', '.join(said)}" if said else None
