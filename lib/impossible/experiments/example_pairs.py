"""Examples of pairs for readers: drawn by the seed, never by hand, with changed words marked."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape
from typing import Literal

import numpy as np
import pandas as pd

from impossible.evaluation.judges import Judge

SHOWN_SCORES = {"p_xy": "P(x ⇒ y)", "p_yx": "P(y ⇒ x)", "rouge_l": "ROUGE-L", "ted": "TED"}
TAGS = {"new": "mark", "moved": "u"}
NO_FORMULAS = 'class="tex2jax_ignore mathjax_ignore"'  # names that MathJax 2 and 3 leave alone

_PIECES = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*|.", re.DOTALL)  # words, else single characters


@dataclass(frozen=True)
class Examples:
    """Pairs to look at, and what they are a sample of; a notebook shows both.

    Attributes:
        table: x, y and what else a reader sees of each pair.
        sentence: how many of the pairs shown, and of all, are wrong.
    """

    table: pd.DataFrame
    sentence: str = ""

    def _repr_html_(self) -> str:
        """Every cell escaped, the changed words of y marked."""
        cells = self.table.map(_shown)
        cells["y"] = [marked(x, y) for x, y in zip(self.table["x"], self.table["y"], strict=True)]
        style = cells.style.hide(axis="index").set_table_attributes(NO_FORMULAS)
        style = style.set_properties(**{"text-align": "left", "vertical-align": "top"})
        return f"{style.to_html(table_uuid='examples')}\n<p>{escape(self.sentence)}</p>"


def _shown(value: object) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else escape(str(value))


def examples(
    pairs: pd.DataFrame, n: int, judge: Judge, seed: int = 0, task: str = "paraphrase"
) -> Examples:
    """n pairs drawn by the seed, each of another context as long as there are some.

    Args:
        pairs: x and y, or source and target; context_id; `right`, where they were judged before.
        judge: its verdict is shown beside each pair, and counted over all.
        task: "paraphrase" or "summary".
    """
    named = pairs.rename(columns={"source": "x", "target": "y"}).reset_index(drop=True)
    right = named["right"] if "right" in named else right_or_not(named, judge, task)
    order = np.random.default_rng(seed).permutation(len(named))
    drawn = named.assign(right=right).iloc[order]
    turn = drawn.groupby("context_id", sort=False).cumcount()
    chosen = drawn.loc[turn.sort_values(kind="stable").index[:n]]
    return Examples(readable(chosen), _counted(chosen["right"], right, judge.name))


def right_or_not(pairs: pd.DataFrame, judge: Judge, task: str = "paraphrase") -> pd.Series[float]:
    """Whether each y is a paraphrase, or a summary, of its x: 1, 0 or NaN (cannot be judged)."""
    relation = judge.entails if task == "summary" else judge.equivalent
    return pd.Series(relation(list(pairs["x"]), list(pairs["y"])), pairs.index, dtype=float)


def _counted(shown: pd.Series[float], every: pd.Series[float], judge: str) -> str:
    known, of_all = shown.dropna(), every.dropna()
    if of_all.empty:
        return f"None of {len(every):,} pairs can be judged (judge: {judge})."
    wrong = int((known == 0).sum())
    return (
        f"Of these {len(known)}, {wrong} {'is' if wrong == 1 else 'are'} wrong (judge: {judge}); "
        f"in all {100 * (1 - of_all.mean()):.1f} % of {len(of_all):,}."
    )


def readable(pairs: pd.DataFrame) -> pd.DataFrame:
    """What a reader sees of pairs: `example` and `context` if there, texts, scores, verdict."""
    texts = [name for name in ("example", "context", "x", "y") if name in pairs]
    scores = [name for name in SHOWN_SCORES if name in pairs]
    verdict = pairs["right"].map({1.0: "right", 0.0: "wrong"}).fillna("–")
    table = pairs[[*texts, *scores]].assign(verdict=verdict).rename(columns=SHOWN_SCORES)
    return table.reset_index(drop=True)


def changes(x: str, y: str) -> list[tuple[str, Literal["", "moved", "new"]]]:
    """The pieces of y, in order, with what became of each word of it against x.

    Returns:
        (piece, what): "" where x has the same words in the same order (and for what is no word),
        "moved" where x has the word elsewhere, "new" where it has not. Case is folded.

    >>> changes("Prices rose.", "Costs rose.")
    [('Costs', 'new'), (' ', ''), ('rose', ''), ('.', '')]
    """
    pieces = _PIECES.findall(y)
    theirs = [piece.lower() for piece in _PIECES.findall(x) if piece[0].isalnum()]
    places = [i for i, piece in enumerate(pieces) if piece[0].isalnum()]
    ours = [pieces[i].lower() for i in places]
    blocks = SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks()
    same = {i for block in blocks for i in range(block.b, block.b + block.size)}
    left = Counter(theirs) - Counter(ours[i] for i in same)
    states: list[Literal["", "moved", "new"]] = [""] * len(pieces)
    for i, word in enumerate(ours):
        if i not in same:
            states[places[i]] = "moved" if left[word] > 0 else "new"
            left[word] -= 1
    return list(zip(pieces, states, strict=True))


def marked(x: str, y: str) -> str:
    """y as HTML, escaped, its new words in <mark> and its moved words in <u>.

    >>> marked("Prices rose.", "Costs rose.")
    '<mark>Costs</mark> rose.'
    """
    return "".join(
        f"<{TAGS[what]}>{escape(piece)}</{TAGS[what]}>" if what else escape(piece)
        for piece, what in changes(x, y)
    )
