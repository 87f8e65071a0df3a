"""Figures and tables as files, each with the note that the report reads."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from impossible.data.digests import digest
from impossible.data.io import replacing, write_json, write_text
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.report.figures.style import render
from impossible.report.latex import latex_table
from impossible.report.tables import HEADINGS, in_words, minus, show

#: Cells that are set to the right.
NUMERIC = re.compile(r"([+−-]?\d[\d,.]*\s?%?(–\d[\d,.]*)?)?\s?(\[.*\])?|–")
#: Text that a spreadsheet would compute: a formula, or a sign before more than a number.
FORMULA = re.compile(r"[=@\t\r]|[+-](?![-+−–\d\s.,%\[\]()]*$)")


def save_figure(
    run: RunFolder, name: str, figure: Figure, caption: str, notebook: str,
    data: Sequence[str | Path] = (), paper: str | None = None, reading: str | None = None,
) -> Path:  # fmt: skip
    """Write `figures/NAME.pdf`, `.svg`, `.png` and the sidecar `.json`; return the PNG's path.

    Args:
        name: file name without ending: letters, digits, `_`, `-`.
        caption: one or two sentences, plain text; also the alternative text in the report.
        notebook: the notebook that made it, for example "02_proximity".
        data: files (inside the run folder) that the numbers come from.
        paper, reading: what the paper says here, with its number; what our numbers say.

    The bytes depend on the figure alone: no dates, versions or random ids.
    """
    note = _note(run, "figure", name, caption, notebook, data, paper, reading)
    for kind in ("pdf", "svg", "png"):
        with replacing(run.figures / f"{name}.{kind}") as temporary:
            temporary.write_bytes(render(figure, kind))
    write_json(run.figures / f"{name}.json", note)
    return run.figures / f"{name}.png"


def save_table(
    run: RunFolder, name: str, frame: pd.DataFrame, caption: str, notebook: str,
    data: Sequence[str | Path] = (), paper: str | None = None, reading: str | None = None,
    digits: int = 1, numbers: pd.DataFrame | None = None,
) -> Path:  # fmt: skip
    """Write `tables/NAME.csv`, `.md`, `.tex` and the sidecar `.json`; return the CSV's path.

    Args:
        frame: the table as it is read; numbers are printed with `digits` decimals. The index is
            not printed.
        numbers: what the CSV holds instead of `frame`, in full precision (the metric rows behind a
            `wide` table, say).

    The others are those of `save_figure`; LaTeX needs `\\usepackage{booktabs}` and UTF-8 input.
    A metric's column is headed by its title.
    """
    note = _note(run, "table", name, caption, notebook, data, paper, reading)
    lines = in_words(frame).itertuples(index=False, name=None)
    rows = [[in_print(show(value, digits)) for value in line] for line in lines]
    heads = [HEADINGS.get(name, name) for name in map(str, frame.columns)]
    cells = pd.DataFrame(rows, columns=heads, dtype=object)
    right = [bool(rows) and all(map(NUMERIC.fullmatch, column)) for _, column in cells.items()]
    exact = (frame if numbers is None else numbers).map(_shown_by_spreadsheets)
    write_text(run.tables / f"{name}.csv", exact.to_csv(index=False, lineterminator="\n"))
    note |= {"columns": list(cells.columns), "rows": rows, "right": right}
    for ending, text in table_texts(note).items():
        write_text(run.tables / f"{name}.{ending}", text)
    write_json(run.tables / f"{name}.json", note)
    return run.tables / f"{name}.csv"


def table_texts(note: Mapping[str, Any]) -> dict[str, str]:
    """Ending → text of the files of a table that follow from its note, an older one's too."""
    cells = pd.DataFrame(note["rows"], columns=note["columns"], dtype=object).map(in_print)
    shown = (cells, note["right"], caption_in_print(note["caption"]))
    return {"md": markdown_table(*shown), "tex": latex_table(*shown, note["name"])}


def in_print(cell: str) -> str:
    """A cell as it is printed: a negative number has a minus sign; other text stays."""
    return minus(cell) if NUMERIC.fullmatch(cell) else cell


def caption_in_print(caption: str) -> str:
    """A caption with a blank between every number and its per cent."""
    return re.sub(r"(?<=\d)%", " %", caption)


def _shown_by_spreadsheets(value: Any) -> Any:
    """A cell of a CSV file: numbers with a plain sign, no text that would be computed.

    Text that is a formula gets the mark that makes it text again.
    """
    if isinstance(value, str) and NUMERIC.fullmatch(value):
        return value.replace("−", "-")
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def _note(
    run: RunFolder, kind: str, name: str, caption: str, notebook: str,
    data: Sequence[str | Path], paper: str | None, reading: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The sidecar's common part; `data` is path → digest, relative to the run, never absolute."""
    if not re.fullmatch(r"[\w-]+", name):
        raise DataError(f"'{name}' cannot name a {kind}: use letters, digits, '_' and '-' only.")
    if isinstance(data, (str, Path)):
        raise DataError(f"data of '{name}' is one path; give a list of paths.")
    said = {"caption": caption_in_print(caption), "paper": paper, "reading": reading}
    root, files = run.root.resolve(), {}
    for path in (root / item for item in data):
        path = path.resolve()
        inside = path.is_relative_to(root)
        shown = path.relative_to(root).as_posix() if inside else path.name
        files[shown] = digest(path)[:12] if path.is_file() else None
    return {
        "kind": kind, "name": name, "notebook": notebook, "data": files,
        **{key: text and minus(text) for key, text in said.items()},
    }  # fmt: skip


def markdown_table(cells: pd.DataFrame, right: Sequence[bool], caption: str) -> str:
    """A pipe table that shows every cell as it is, whatever characters it holds."""

    def escape(text: str) -> str:
        text = re.sub(r"([\\|*_`~])", r"\\\1", html.escape(text, quote=False))
        return text.replace("](", r"]\(").replace("\r", "").replace("\n", "<br>")

    table = cells.map(escape).set_axis([escape(name) for name in cells.columns], axis=1)
    aligned = ["right" if is_right else "left" for is_right in right]
    body = table.to_markdown(
        index=False, disable_numparse=True, colalign=aligned if len(table) else None
    )
    return f"{body}\n\n{escape(caption)}\n"
