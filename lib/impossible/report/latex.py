"""Tables for LaTeX, laid out so that they fit one column of a two-column paper, or both."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

LONG = 60  # characters: longer cells are broken into lines in print
WORDY = 24  # characters: so are shorter ones of text, where the table is wider than the page
#: Characters that fit one column, and the same a size smaller; both columns, and so on.
COLUMN_FITS, SMALL_COLUMN_FITS, PAGE_FITS, SMALL_PAGE_FITS = 44, 52, 108, 122
SEPARATION = 1.6  # characters between two columns, where they stand close
_INTERVAL = re.compile(r"(\S+) (\[.*\])")
LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--",
    "−": "$-$", "×": r"$\times$", "≥": r"$\geq$", "≤": r"$\leq$", "⇒": r"$\Rightarrow$",
    "→": r"$\rightarrow$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "τ": r"$\tau$",
    "α": r"$\alpha$", "÷": r"$\div$", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\n": " ",
    **dict.fromkeys(map(chr, [*range(10), *range(11, 32), *range(127, 160)]), " "),  # it would stop
})  # fmt: skip


def escape_latex(text: str) -> str:
    """`text` with every character written out that LaTeX would read as a command.

    A "[" at the start would be read as an argument of the line break before it.
    """
    return ("{}" if text.startswith("[") else "") + text.translate(LATEX)


def latex_table(cells: pd.DataFrame, right: Sequence[bool], caption: str, name: str) -> str:
    """A booktabs table: numbers to the right, text to the left, long text in lines.

    One that is too wide for a column stands across both (`table*`), there in a smaller size; one
    too wide for that too has its intervals below their values, and its headings in lines.
    """
    cells = cells.map(lambda text: text.replace("\n", " "))
    widths = [max(map(len, [str(head), *column])) for head, column in cells.items()]
    long = [width > LONG and not is_right for width, is_right in zip(widths, right, strict=True)]
    total = sum(width + SEPARATION for width in widths)
    if not any(long) and total <= SMALL_COLUMN_FITS:
        size = "" if total <= COLUMN_FITS else "small"
        return _written(cells, right, [0.0] * len(widths), caption, name, size, False)
    if not any(long) and total <= PAGE_FITS:
        return _written(cells, right, [0.0] * len(widths), caption, name, "small", True)
    stacked = cells.map(_stacked).set_axis([_in_lines(str(head)) for head in cells.columns], axis=1)
    broad = [max(map(_broadest, [str(head), *column])) for head, column in stacked.items()]
    text = [min(max(width, 40.0), 160.0) if width > WORDY and not is_right else 0.0
            for width, is_right in zip(broad, right, strict=True)]  # fmt: skip
    numbers = sum(SEPARATION + width * (not lines)
                  for width, lines in zip(broad, text, strict=True))  # fmt: skip
    size = "footnotesize" if numbers + WORDY * sum(map(bool, text)) <= SMALL_PAGE_FITS else "tiny"
    room = max(0.2, 0.94 - numbers / SMALL_PAGE_FITS)
    shares = [room * width / max(1, sum(text)) for width in text]
    return _written(stacked, right, shares, caption, name, size, True)


def _stacked(cell: str) -> str:
    """A value above its interval."""
    return _INTERVAL.sub("\\1\n\\2", cell) if _INTERVAL.fullmatch(cell) else cell


def _in_lines(head: str, most: int = 12) -> str:
    """A heading broken at blanks into lines of about so many characters."""
    lines: list[str] = []
    for word in head.split(" "):
        fits = lines and len(lines[-1]) + len(word) < most
        lines[-1:] = [f"{lines[-1]} {word}"] if fits else [*lines[-1:], word]
    return "\n".join(lines)


def _broadest(text: str) -> float:
    """Characters of the longest line; an interval below its value is set smaller."""
    lines = text.split("\n")
    return max(len(line) * (0.75 if line.startswith("[") else 1) for line in lines)


def _lines(text: str, side: str) -> str:
    """Text whose lines stand below one another in a cell."""
    if "\n" not in text:
        return escape_latex(text)
    lines = [
        rf"{{\tiny {escape_latex(line)}}}" if line.startswith("[") else escape_latex(line)
        for line in text.split("\n")
    ]
    rows = r"\\".join(lines)
    return rf"\begin{{tabular}}[t]{{@{{}}{side}@{{}}}}{rows}\end{{tabular}}"


def _written(
    cells: pd.DataFrame, right: Sequence[bool], shares: Sequence[float], caption: str, name: str,
    size: str, across: bool,
) -> str:  # fmt: skip
    """The table; `shares` are fractions of the line that columns of text get, 0 for the others."""
    layout = ["r" if is_right else rf"p{{{share:.2g}\linewidth}}" if share else "l"
              for is_right, share in zip(right, shares, strict=True)]  # fmt: skip
    table = pd.DataFrame(
        {
            place: [_lines(text, "r" if right[place] else "l") for text in column]
            for place, (_, column) in enumerate(cells.items())
        }
    )
    heads = [_lines(str(head), "r" if right[place] else "l")
             for place, head in enumerate(cells.columns)]  # fmt: skip
    text: str = table.set_axis(heads, axis=1).style.hide().to_latex(
        hrules=True, position="t", position_float="centering", column_format="".join(layout),
        caption=escape_latex(caption), label=f"tab:{name}",
        environment="table*" if across else "table",
    )  # fmt: skip
    tight = f"\\{size}\\setlength{{\\tabcolsep}}{{3pt}}\n" if size else ""
    return text.replace("\\begin{tabular}", f"{tight}\\begin{{tabular}}", 1)
