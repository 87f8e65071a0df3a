"""Tables for LaTeX, laid out for a two-column page: a column, both, or several pages of both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import pandas as pd

#: Points of a page of two columns (3.3 and 6.8 inches), and what a page holds with its caption.
_COLUMN, _PAGE, _HEIGHT = 238.0, 490.0, 530.0
TALL = 0.6 * _HEIGHT  # what is taller LaTeX puts on no page that has text too
#: Size → points from line to line, and the width of its letters, as a part of that at 10 points.
SIZES = {
    "normalsize": (12.0, 1.0), "small": (11.0, 0.93), "footnotesize": (9.5, 0.86),
    "scriptsize": (8.0, 0.8), r"fontsize{6}{7}\selectfont": (7.0, 0.74),
}  # fmt: skip
LONG = 280.0  # points: longer cells of text are broken into lines in print
WORDY = 115.0  # points: so are shorter ones, where the table is wider than the page
_FEW = 50.0  # points that a column of such lines has at least
ROOM = 0.25  # of the width is left for such columns beyond that, or they take two lines
NEEDS = "% needs \\usepackage{booktabs} and UTF-8 input"
_INTERVAL = re.compile(r"(\S+) (\[.*\])")
#: Points of a character at 10 points, about those of Computer Modern; 5 of all others.
_WIDTHS = {
    char: points
    for points, chars in (
        (2.8, "il.,:;'!|[]"), (3.3, " fj-"), (3.9, "rst()/"), (5.6, "bdhknpqu"), (6.0, "_"),
        (7.3, "ABCDEFGHIJKLNOPQRSTUVXYZ&"), (8.4, "mwMW%−×≥≤+=<>⇒→"),
    )
    for char in chars
}  # fmt: skip
LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--",
    "−": "$-$", "×": r"$\times$", "≥": r"$\geq$", "≤": r"$\leq$", "⇒": r"$\Rightarrow$",
    "→": r"$\rightarrow$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "τ": r"$\tau$",
    "α": r"$\alpha$", "÷": r"$\div$", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\n": " ", '"': "''",
    **dict.fromkeys(map(chr, [*range(10), *range(11, 32), *range(127, 160)]), " "),  # it would stop
})  # fmt: skip


def escape_latex(text: str) -> str:
    """`text` with every character written out that LaTeX would read as a command.

    A "[" at the start would be read as an argument of the line break before it.
    """
    quoted = re.sub(r'"([^"]*)"', r"``\1''", text)
    return ("{}" if text.startswith("[") else "") + quoted.translate(LATEX)


def latex_table(cells: pd.DataFrame, right: Sequence[bool], caption: str, name: str) -> str:
    """A booktabs table: numbers to the right, text to the left, long text in lines.

    One that is too wide for a column stands across both (`table*`), there in a smaller size; one
    too wide for that too has its intervals below their values, and its headings in lines. What is
    still too wide, or too tall for a page, is several tables, each with the caption and its part.
    """
    layouts = _layouts(cells.map(lambda text: text.replace("\n", " ")), right)
    parts = [(each, *part) for each in layouts for part in each.parts(caption)]
    written = [NEEDS]
    for place, (layout, rows, height) in enumerate(parts, 1):
        told = caption if len(parts) == 1 else f"{caption} (Part {place} of {len(parts)}.)"
        label = name if place == 1 else f"{name}-{place}"
        written.append(layout.written(rows, told, label, "t" if height < TALL else "tp"))
    return "\n".join(written)


@dataclass(frozen=True)
class _Layout:
    """Cells as they are set.

    Attributes:
        cells: with their line breaks.
        right: columns that are set to the right.
        size: of `SIZES`.
        width: `_COLUMN`, or `_PAGE` for a table across both.
        shares: parts of the width that columns of text get; 0 for columns that are not broken.
        readable: whether these columns have room for their words.
    """

    cells: pd.DataFrame
    right: Sequence[bool]
    size: str
    width: float
    shares: Sequence[float]
    readable: bool = False

    @property
    def gap(self) -> int:
        """Points between a column and what is beside it."""
        return {"normalsize": 6, "scriptsize": 2}.get(self.size, 3)

    def widths(self) -> list[float]:
        """Points of each column, not broken, with the gaps beside it."""
        return [
            2 * self.gap + max(_points(text, self.size) for text in (head, *column))
            for head, column in zip(self.cells.columns, self.cells.to_numpy().T, strict=True)
        ]

    def fits(self) -> bool:
        """Whether all columns fit as they are."""
        return sum(self.widths()) <= self.width

    def wrapped(self) -> _Layout:
        """The same with wide columns of text broken into lines, which share what is left.

        Each gets what its longest word needs, and more the more text it holds.
        """
        widths, columns = self.widths(), self.cells.to_numpy().T
        wide = [not is_right and width > WORDY
                for width, is_right in zip(widths, self.right, strict=True)]  # fmt: skip
        least = [
            max(_FEW, *(_points(word, self.size) for text in column for word in text.split()))
            if breaks else 0.0
            for column, breaks in zip(columns, wide, strict=True)
        ]  # fmt: skip
        taken = sum(2 * self.gap if breaks else width
                    for width, breaks in zip(widths, wide, strict=True))  # fmt: skip
        more = [min(width, 800.0) * breaks for width, breaks in zip(widths, wide, strict=True)]
        left = 0.99 * self.width - taken - sum(least)
        wanted = min(ROOM * self.width, 0.5 * sum(more) - sum(least))
        shares = [(word + left * text / max(1.0, sum(more))) / self.width
                  for word, text in zip(least, more, strict=True)]  # fmt: skip
        return replace(self, shares=shares, readable=any(wide) and left >= max(0.0, wanted))

    def parts(self, caption: str) -> list[tuple[list[list[str]], float]]:
        """The rows that stand on one page each, and their height with heading and caption."""
        around = 12 * ceil((_points(caption, "normalsize") + 120) / self.width) + 30.0
        around += self._height(list(self.cells.columns))
        parts: list[tuple[list[list[str]], float]] = [([], around)]
        for row in self.cells.to_numpy().tolist():
            rows, before = parts[-1]
            height = before + self._height(row)
            if rows and height > _HEIGHT:
                parts.append(([row], around + height - before))
            else:
                parts[-1] = ([*rows, row], height)
        return parts

    def _height(self, row: Sequence[str]) -> float:
        lines = [
            ceil(1.15 * _points(text, self.size) / (share * self.width)) if share
            else text.count("\n") + 1
            for text, share in zip(row, self.shares, strict=True)
        ]  # fmt: skip
        return SIZES[self.size][0] * (max(lines) + 0.5 * (max(lines) > 1))

    def written(self, rows: list[list[str]], caption: str, name: str, place: str) -> str:
        """These rows in a float of their own, `place`d at "t" or "tp"; stacked ones stand apart."""
        kinds = [
            f"p{{{share:.3f}\\linewidth}}" if share else "r" if is_right else "l"
            for is_right, share in zip(self.right, self.shares, strict=True)
        ]
        head, *body = [self._line(row) for row in (list(self.cells.columns), *rows)]
        apart = "\\addlinespace\n" if any("\n" in text for row in rows for text in row) else ""
        floating = "table*" if self.width == _PAGE else "table"
        tight = f"\\{self.size}\\setlength{{\\tabcolsep}}{{{self.gap}pt}}\n"
        return (
            f"\\begin{{{floating}}}[{place}]\n\\centering\n\\caption{{{escape_latex(caption)}}}\n"
            f"\\label{{tab:{name}}}\n{'' if self.size == 'normalsize' else tight}"
            f"\\begin{{tabular}}{{{''.join(kinds)}}}\n\\toprule\n{head}\\midrule\n"
            f"{apart.join(body)}\\bottomrule\n\\end{{tabular}}\n\\end{{{floating}}}\n"
        )

    def _line(self, row: Sequence[str]) -> str:
        sides = ["r" if is_right else "l" for is_right in self.right]
        cells = (_lines(*cell, _smaller(self.size)) for cell in zip(row, sides, strict=True))
        return f"{' & '.join(cells)} \\\\\n"


def _layouts(cells: pd.DataFrame, right: Sequence[bool]) -> list[_Layout]:
    """The first that fits: of one column before two, of large letters before small ones.

    Where none does, the columns are cut in two, with what names a row before either half.
    """
    cells = cells.set_axis(list(map(str, cells.columns)), axis=1)
    headed = cells.set_axis([_in_lines(head) for head in cells.columns], axis=1)
    whole, none = headed.map(_stacked), [0.0] * len(right)
    broken = any(
        not is_right and _widest(column) > LONG
        for (_, column), is_right in zip(cells.items(), right, strict=True)
    )
    for shown, width, sizes in (
        (cells, _COLUMN, ("normalsize", "small", "footnotesize")),
        (headed, _COLUMN, ("small", "footnotesize", "scriptsize")),
        (cells, _PAGE, ("small",)),
        (headed, _PAGE, ("small", "footnotesize")),
        (whole, _PAGE, ("footnotesize", "scriptsize")),
    ):
        for size in sizes:
            layout = _Layout(shown, right, size, width, none)
            if not broken and layout.fits():
                return [layout]
            if shown is whole and (wrapped := layout.wrapped()).readable:
                return [wrapped]
    lead = 1  # columns that name a row: the first, and short ones of text after it
    while lead < len(right) and not right[lead] and _widest(cells.iloc[:, lead]) <= LONG / 2:
        lead += 1
    half = (lead + len(right) + 1) // 2
    if not lead < half < len(right):
        return [layout.wrapped()]
    halves = ([*range(half)], [*range(lead), *range(half, len(right))])
    return [
        each
        for places in halves
        for each in _layouts(cells.iloc[:, places], [right[place] for place in places])
    ]


def _widest(column: pd.Series) -> float:
    return max((_points(text, "normalsize") for text in column), default=0.0)


def _points(text: str, size: str) -> float:
    """Points of the longest line; an interval below its value is set smaller."""
    first, *others = text.split("\n")
    smaller = _smaller(size)
    sizes = [size, *(smaller if line.startswith("[") else size for line in others)]
    return max(
        SIZES[size][1] * sum(_WIDTHS.get(char, 5.0) for char in line)
        for line, size in zip((first, *others), sizes, strict=True)
    )


def _smaller(size: str) -> str:
    """Of an interval below its value: scriptsize, or 6 points, below which nobody reads it."""
    return list(SIZES)[-1 if size == "scriptsize" else -2]


def _stacked(cell: str) -> str:
    """A value above its interval."""
    return _INTERVAL.sub("\\1\n\\2", cell) if _INTERVAL.fullmatch(cell) else cell


def _in_lines(head: str) -> str:
    """A heading broken at blanks into lines of about a dozen characters."""
    lines: list[str] = []
    for word in head.split(" "):
        fits = lines and len(lines[-1]) + len(word) < 12
        lines[-1:] = [f"{lines[-1]} {word}"] if fits else [*lines[-1:], word]
    return "\n".join(lines)


def _lines(text: str, side: str, smaller: str) -> str:
    """Text whose lines stand below one another in a cell, an interval close to its value."""
    if "\n" not in text:
        return escape_latex(text)
    rows = escape_latex(text.partition("\n")[0])
    for line in text.split("\n")[1:]:
        below = line.startswith("[")
        rows += (
            rf"\\[-2pt]{{\{smaller} {escape_latex(line)}}}" if below else rf"\\{escape_latex(line)}"
        )
    return rf"\begin{{tabular}}[t]{{@{{}}{side}@{{}}}}{rows}\end{{tabular}}"
