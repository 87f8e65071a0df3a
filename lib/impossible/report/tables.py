"""Numbers as readers see them, and tables of metric rows beside the paper's."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from impossible.errors import DataError
from impossible.evaluation.corpus_quality import CORPUS_TITLES
from impossible.evaluation.metrics import ENCODED, METRICS, RAW
from impossible.evaluation.test_sets import with_title
from impossible.experiments.example_pairs import NO_FORMULAS
from impossible.filtering.critics import reason_title
from impossible.report.paper_tables import Published

MISSING = "–"
#: Metric, parameter or column → what it is called where people read it.
HEADINGS = CORPUS_TITLES | {name: metric.title for name, metric in METRICS.items()}
HEADINGS |= {name + RAW: title.replace(",", ", raw,") for name, title in HEADINGS.items()}
HEADINGS |= {
    f"{name}, shuffled": f"{HEADINGS[name].rstrip(' ↑↓')}, shuffled"
    for name in ("cosine", "jaccard", "self_bleu")
} | {
    "this_run": "this run", "entailment_threshold": "entailment threshold",
    "rouge_l_max": "largest ROUGE-L", "ted_min": "least tree edit distance",
    "learning_rate": "learning rate", "train_loss": "training loss", "dev_loss": "dev loss",
    "ted_exemplar": "TED to the exemplar ↓",
}  # fmt: skip
_HYPHEN = re.compile(r"(?<![^\s\[(|])-(?=\d)")  # before a number, where it is a sign


def is_missing(value: object) -> bool:
    """True for None, NaN, NaT and pandas' NA."""
    return value is None or (not isinstance(value, (str, list, dict)) and bool(pd.isna(value)))


def show(value: object, digits: int = 1) -> str:
    """One value as a reader sees it: `digits` decimals, thousands separated, "–" when missing."""
    if is_missing(value):
        return MISSING
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    if number == int(number) and not isinstance(value, float):
        return minus(f"{int(number):,}")
    return minus(f"{number:z,.{digits}f}") if math.isfinite(number) else str(number)


def as_shown(frame: pd.DataFrame, digits: int = 2, caption: str = "") -> Styler:
    """A table in a notebook: text escaped and no formulas, whoever wrote it; no index.

    Args:
        digits: decimals of a number, as `show`.
        caption: above it.
    """
    rows = frame.reset_index(drop=True)  # it is not shown, and a style wants a unique one
    style = rows.style.format(lambda value: html.escape(show(value, digits)))
    style = style.format_index(escape="html", axis=1).hide(axis="index")
    above = {"selector": "caption", "props": "caption-side: top; text-align: left"}
    if caption:
        style = style.set_caption(html.escape(caption)).set_table_styles([above])
    return style.set_table_attributes(NO_FORMULAS)


def as_written(frame: pd.DataFrame) -> Styler:
    """The same for texts: set to the left."""
    return as_shown(frame).set_properties(**{"text-align": "left", "vertical-align": "top"})


def minus(text: str) -> str:
    """Text with the sign − before its negative numbers instead of a hyphen.

    >>> minus("-1.5 [-2.0, 1.0], n-2")
    '−1.5 [−2.0, 1.0], n-2'
    """
    return _HYPHEN.sub("−", text)


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose cells are words: reasons, metrics, thresholds, test sets before a system."""
    words = {
        "reason": reason_title, "metric": _heading, "threshold": _heading, "why": _plain,
        "system": with_title, "expectation": with_title,
    }  # fmt: skip
    return frame.assign(
        **{
            name: [word(cell) if isinstance(cell, str) else cell for cell in frame[name]]
            for name, word in words.items()
            if name in frame
        }
    )


def _heading(name: str) -> str:
    return HEADINGS.get(name, name)


def _plain(text: str) -> str:
    """Text without identifiers: those of metrics by their title, others without underscores."""
    return re.sub(
        r"\b[a-z0-9]+(_[a-z0-9]+)+\b",
        lambda found: HEADINGS.get(found[0], found[0].replace("_", " ")).rstrip(" ↑↓"), text,
    )  # fmt: skip


def interval(value: object, low: object = None, high: object = None, digits: int = 1) -> str:
    """`68.2 [66.1, 70.3]`; the value alone when a bound is missing; "–" when the value is.

    >>> interval(68.23, 66.1, 70.29)
    '68.2 [66.1, 70.3]'
    """
    if is_missing(value) or is_missing(low) or is_missing(high):
        return show(value, digits)
    return f"{show(value, digits)} [{show(low, digits)}, {show(high, digits)}]"


def against(value: object, low: object, high: object, bound: float = 0) -> str:
    """On which side of a bound an interval lies, in words; `bound` is -5 for "no worse by 5".

    >>> against(2.0, 1.0, 3.0), against(-7, -9, -6, -5), against(1.0, -1.0, 3.0)
    ('above 0', 'below −5', 'undecided at 0')
    """
    if is_missing(value) or is_missing(low) or is_missing(high):
        return "not measured" if is_missing(value) else "without an interval"
    first, last = (float(str(end)) for end in (low, high))
    side = "above" if first > bound else "below" if last < bound else "undecided at"
    return f"{side} {bound:g}".replace("-", "−")


def readings(metric_rows: pd.DataFrame, bound: float = 0) -> list[str]:
    """A sentence for each row of differences: on which side of the bound its interval lies."""
    return [
        f"{with_title(row.system)}, {_heading(row.metric).rstrip(' ↑↓')}: "
        f"{against(row.value, row.low, row.high, bound)}"
        for row in metric_rows[metric_rows["metric"].isin(told(metric_rows))].itertuples()
    ]


def told(metric_rows: pd.DataFrame, metrics: Sequence[str] | None = None) -> list[str]:
    """Metrics to show: all asked for but corrected rates that no system has beside their raw ones.

    By default those that some system has, if any is there.

    Args:
        metric_rows: `metric`, `value`.
        metrics: asked for; by default all, in order of appearance.
    """
    chosen = list(metrics or dict.fromkeys(metric_rows["metric"]))
    known = set(metric_rows.loc[metric_rows["value"].notna(), "metric"])
    if not metrics and known:
        return [name for name in chosen if name in known]
    return [name for name in chosen if name in known or name + RAW not in chosen]


def wide(
    metric_rows: pd.DataFrame, metrics: Sequence[str] | None = None, digits: int = 1
) -> pd.DataFrame:
    """METRIC_ROWS as a printable table: a line per system, a column per metric, `n` at the end.

    `n` is that of the values shown, the least and the most if they differ.

    Args:
        metric_rows: `system`, `metric`, `value`, `low`, `high`, `n`; at most one row per system
            and metric. A system without a row for a metric gets "–".
        metrics: which, in this order; by default all, in order of appearance. Of them those that
            are `told`.
        digits: decimals of every number.

    Raises:
        DataError: a column is missing, or a system has two rows for one metric.
    """
    lacking = {"system", "metric", "value", "low", "high", "n"} - set(metric_rows.columns)
    if lacking:
        raise DataError(f"Metric rows lack the columns {', '.join(sorted(lacking))}.")
    twice = metric_rows[metric_rows.duplicated(["system", "metric"])]
    if not twice.empty:
        row = twice.iloc[0]
        raise DataError(f"Two rows give {row['metric']} of {row['system']}; one is allowed.")
    systems = list(dict.fromkeys(metric_rows["system"]))
    chosen = told(metric_rows, metrics)
    shown = metric_rows[metric_rows["metric"].isin(chosen)]
    cells = zip(shown["value"], shown["low"], shown["high"], strict=True)
    texts = shown.assign(text=[interval(*cell, digits) for cell in cells])
    table = texts.pivot(index="system", columns="metric", values="text")
    table = table.reindex(index=systems, columns=chosen).astype(object).fillna(MISSING)
    counts = shown[shown["value"].notna()].groupby("system")["n"].agg(["min", "max"])
    counts = counts.reindex(systems, fill_value=0)
    table["n"] = [
        show(int(low)) if low == high else f"{show(int(low))}–{show(int(high))}"
        for low, high in counts.to_numpy()
    ]
    return table.rename_axis(index="system", columns=None).reset_index()


def beside_paper(
    metric_rows: pd.DataFrame, paper: Mapping[tuple[str, str], float],
    readings: Mapping[tuple[str, str], str] | None = None, digits: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """The paper's numbers beside ours: paper, ours, interval, difference, reading.

    Args:
        metric_rows: METRIC_ROWS. paper: (system, metric) → the paper's value, in our unit.
        readings: (system, metric) → what to make of it; by default whether the paper's value lies
            inside our interval, and if not, on which side ours is; of what an encoder says nothing.
        digits: decimals of every number.

    A number of the paper that this run did not measure stays in the table, as "–" and "not run".
    """
    found = {(row["system"], row["metric"]): row for row in metric_rows.to_dict("records")}
    lines = []
    for key, theirs in paper.items():
        row = found.get(key, {})
        ours = row.get("value")
        gap = None if is_missing(ours) else float(ours) - theirs
        bounds = interval(ours, row.get("low"), row.get("high"), digits).partition(" ")[2]
        lines.append(
            {
                "system": key[0], "metric": key[1], "paper": show(float(theirs), digits),
                "ours": show(ours, digits), "interval": bounds or MISSING,
                "difference": MISSING if gap is None else f"{gap:+,.{digits}f}".replace("-", "−"),
                "reading": (readings or {}).get(key) or _reading(theirs, row),
            }
        )  # fmt: skip
    columns = ["system", "metric", "paper", "ours", "interval", "difference", "reading"]
    return pd.DataFrame(lines, columns=columns)


def _reading(theirs: float, row: Mapping[Any, Any]) -> str:
    if is_missing(row.get("value")):
        return "not run"
    if row.get("metric") in ENCODED:
        return "not comparable: another encoder"
    if is_missing(row.get("low")) or is_missing(row.get("high")):
        return "no interval"
    if row["low"] <= theirs <= row["high"]:
        return "not distinguished: inside the interval"
    return "ours is higher" if row["low"] > theirs else "ours is lower"


def with_paper(
    metric_rows: pd.DataFrame, paper: Published, ours: Mapping[str, str], digits: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ours and a table of the paper, in its columns: all lines below each other, and side by side.

    Args:
        metric_rows: METRIC_ROWS.
        paper: the table.
        ours: our system → the paper's system that it answers to.
        digits: decimals of every number.

    Returns:
        (`wide` of ours and the paper's, `beside_paper` of those that answer to each other).
    """
    columns = list(paper.metrics)
    both = [wide(rows, columns, digits) for rows in (metric_rows, paper.rows())]
    beside = beside_paper(metric_rows, paper.matched(ours), digits=digits)
    return pd.concat(both, ignore_index=True), beside
