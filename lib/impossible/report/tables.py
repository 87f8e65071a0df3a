"""Tables for readers, papers and programs, each with the note that the report reads."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.data.run_folder import RunFolder, write_json, write_text
from impossible.errors import DataError
from impossible.report.paper_tables import Published

MISSING = "–"
NUMERIC = re.compile(r"([+−-]?\d[\d,.]*%?(–\d[\d,.]*)?)?\s?(\[.*\])?|–")  # cells set to the right
LONG = 60  # characters: longer cells are broken into lines in print
LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--",
    "−": "$-$", "×": r"$\times$", "≥": r"$\geq$", "≤": r"$\leq$", "⇒": r"$\Rightarrow$",
    "→": r"$\rightarrow$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "τ": r"$\tau$",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "\n": " ",
}  # fmt: skip


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
        return f"{int(number):,}"
    return f"{number:z,.{digits}f}" if math.isfinite(number) else str(number)


def interval(value: object, low: object = None, high: object = None, digits: int = 1) -> str:
    """`68.2 [66.1, 70.3]`; the value alone when a bound is missing; "–" when the value is.

    >>> interval(68.23, 66.1, 70.29)
    '68.2 [66.1, 70.3]'
    """
    if is_missing(value) or is_missing(low) or is_missing(high):
        return show(value, digits)
    return f"{show(value, digits)} [{show(low, digits)}, {show(high, digits)}]"


def against(value: object, low: object, high: object, bound: float = 0) -> str:
    """On which side of a bound an interval lies, in words: how a reading comes from numbers.

    Args:
        value, low, high: an estimate and its interval; any may be missing.
        bound: 0, or for example -5 where "no worse" is asked.

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
        f"{row.system}, {row.metric}: {against(row.value, row.low, row.high, bound)}"
        for row in metric_rows.itertuples()
    ]


def wide(
    metric_rows: pd.DataFrame, metrics: Sequence[str] | None = None, digits: int = 1
) -> pd.DataFrame:
    """METRIC_ROWS as a printable table: a line per system, a column per metric, `n` at the end.

    `n` is that of the metrics shown, the least and the most if they differ.

    Args:
        metric_rows: `system`, `metric`, `value`, `low`, `high`, `n`, (`signature`); at most one row
            per system and metric. A system without a row for a metric gets "–".
        metrics: which, in this order; by default all, in order of appearance.
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
    chosen = list(metrics or dict.fromkeys(metric_rows["metric"]))
    cells: dict[str, dict[str, str]] = {}
    shown = metric_rows[metric_rows["metric"].isin(chosen)]
    for row in shown.to_dict("records"):
        text = interval(row["value"], row["low"], row["high"], digits)
        cells.setdefault(row["system"], {})[row["metric"]] = text
    counts = shown.groupby("system")["n"].agg(["min", "max"])
    lines = []
    for system in dict.fromkeys(metric_rows["system"]):
        low, high = counts.loc[system] if system in counts.index else (0, 0)
        n = show(int(high)) if low == high else f"{show(int(low))}–{show(int(high))}"
        found = cells.get(system, {})
        lines.append({"system": system, **{m: found.get(m, MISSING) for m in chosen}, "n": n})
    return pd.DataFrame(lines, columns=["system", *chosen, "n"])


def beside_paper(
    metric_rows: pd.DataFrame,
    paper: Mapping[tuple[str, str], float],
    readings: Mapping[tuple[str, str], str] | None = None,
    digits: int = 1,
) -> pd.DataFrame:
    """The paper's numbers beside ours: paper, ours, interval, difference, reading.

    Args:
        metric_rows: METRIC_ROWS. paper: (system, metric) → the paper's value, in our unit.
        readings: (system, metric) → what to make of it; by default whether the paper's value lies
            inside our interval, and if not, on which side ours is.

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
                "system": key[0],
                "metric": key[1],
                "paper": show(float(theirs), digits),
                "ours": show(ours, digits),
                "interval": bounds or MISSING,
                "difference": MISSING if gap is None else f"{gap:+,.{digits}f}".replace("-", "−"),
                "reading": (readings or {}).get(key) or _reading(theirs, row),
            }
        )
    columns = ["system", "metric", "paper", "ours", "interval", "difference", "reading"]
    return pd.DataFrame(lines, columns=columns)


def _reading(theirs: float, row: Mapping[Any, Any]) -> str:
    if is_missing(row.get("value")):
        return "not run"
    if is_missing(row.get("low")) or is_missing(row.get("high")):
        return "no interval"
    if row["low"] <= theirs <= row["high"]:
        return "agrees: inside the interval"
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


def note(
    run: RunFolder, kind: str, name: str, caption: str, notebook: str,
    data: Sequence[str | Path], paper: str | None, reading: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The sidecar's common part; paths are written relative to the run folder, never absolute."""
    if not re.fullmatch(r"[\w-]+", name):
        raise DataError(f"'{name}' cannot name a {kind}: use letters, digits, '_' and '-' only.")
    if isinstance(data, (str, Path)):
        raise DataError(f"data of '{name}' is one path; give a list of paths.")
    root = run.root.resolve()
    files = []
    for item in map(Path, data):
        inside = item.resolve() if item.is_absolute() else (root / item).resolve()
        files.append(
            inside.relative_to(root).as_posix() if inside.is_relative_to(root) else item.name
        )
    return {
        "kind": kind, "name": name, "caption": caption, "notebook": notebook, "data": files,
        "paper": paper, "reading": reading,
    }  # fmt: skip


def save_table(
    run: RunFolder,
    name: str,
    frame: pd.DataFrame,
    caption: str,
    notebook: str,
    data: Sequence[str | Path] = (),
    paper: str | None = None,
    reading: str | None = None,
    digits: int = 1,
    numbers: pd.DataFrame | None = None,
) -> Path:
    """Write `tables/NAME.csv`, `.md`, `.tex` and the sidecar `.json`; return the CSV's path.

    Args:
        name: file name without ending: letters, digits, `_`, `-`.
        frame: the table as it is read; numbers are printed with `digits` decimals. The index is
            not printed.
        caption: one or two sentences, plain text (escaped in each format).
        notebook: the notebook that made it, for example "09_evaluation".
        data: files (inside the run folder) that the numbers come from.
        paper, reading: what the paper says here; what our numbers say.
        numbers: what the CSV holds instead of `frame`, in full precision (the metric rows behind a
            `wide` table, say).
    """
    sidecar = note(run, "table", name, caption, notebook, data, paper, reading)
    columns = [str(column) for column in frame.columns]
    cells = frame.itertuples(index=False, name=None)
    rows = [[show(value, digits) for value in line] for line in cells]
    right = [
        bool(rows) and all(NUMERIC.fullmatch(row[i]) for row in rows) for i in range(len(columns))
    ]
    write_text(
        run.tables / f"{name}.csv",
        (frame if numbers is None else numbers).to_csv(index=False, lineterminator="\n"),
    )
    write_text(run.tables / f"{name}.md", markdown(columns, rows, right, caption))
    write_text(run.tables / f"{name}.tex", latex(columns, rows, right, caption, name))
    write_json(
        run.tables / f"{name}.json", {**sidecar, "columns": columns, "rows": rows, "right": right}
    )
    return run.tables / f"{name}.csv"


def markdown(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], caption: str
) -> str:
    """A pipe table that shows every cell as it is, whatever characters it holds."""

    def cell(text: str) -> str:
        text = re.sub(r"([\\|*_`~])", r"\\\1", html.escape(text, quote=False))
        return text.replace("](", r"]\(").replace("\r", "").replace("\n", "<br>")

    lines = [
        [cell(column) for column in columns],
        ["---:" if is_right else ":---" for is_right in right],
        *([cell(text) for text in row] for row in rows),
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{body}\n\n{cell(caption)}\n"


def latex(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], caption: str,
    name: str,
) -> str:  # fmt: skip
    """A booktabs table; needs only `\\usepackage{booktabs}` and UTF-8 input."""

    def line(cells: Sequence[str]) -> str:
        # a "[" right after the line before would be read as its optional argument
        shielded = [
            "{}" + text if text.startswith("[") else text for text in map(escape_latex, cells)
        ]
        return " & ".join(shielded) + r" \\"

    return "\n".join(
        [
            r"\begin{table}[t]",
            r"\centering",
            r"\begin{tabular}{" + _layout(columns, rows, right) + "}",
            r"\toprule",
            line(columns),
            r"\midrule",
            *map(line, rows),
            r"\bottomrule",
            r"\end{tabular}",
            rf"\caption{{{escape_latex(caption)}}}",
            rf"\label{{tab:{name}}}",
            r"\end{table}",
            "",
        ]
    )


def _layout(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Columns of a tabular: numbers to the right, text to the left, long text in lines."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    share = 0.8 / max(1, sum(width > LONG for width in widths))
    long = rf"p{{{share:.2g}\linewidth}}"
    return "".join(
        "r" if is_right else long if width > LONG else "l"
        for is_right, width in zip(right, widths, strict=True)
    )


def escape_latex(text: str) -> str:
    """`text` with every character that LaTeX would read as a command written out."""
    return "".join(LATEX.get(character, character) for character in text)
