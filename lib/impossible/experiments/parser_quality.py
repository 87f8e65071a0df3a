"""How good a parser's trees are: brackets and tree distances beside those of gold trees.

Gold trees are Penn Treebank lines, `treebank/trees.txt` of the human datasets. The parser reads the
sentence as plain text, and brackets are compared by the characters that they span, so that a
tokenizer of its own costs nothing but what it cuts differently.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from nltk.tokenize.treebank import TreebankWordDetokenizer
from nltk.tree import Tree
from scipy.stats import rankdata

from impossible.data.json_lines import read_lines
from impossible.errors import DataError
from impossible.evaluation.bootstrap import (
    Bootstrap,
    Floats,
    Interval,
    bootstrap_ratio,
    bootstrap_sums,
)
from impossible.evaluation.expectations import Expected
from impossible.text.tree_edit_distance import format_tree, parse_bracketed, ted, top_layers

TREEBANK = "treebank/trees.txt"
WRITTEN = {
    "``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")", "-LCB-": "{", "-RCB-": "}", "-LSB-": "[",
    "-RSB-": "]",
}  # fmt: skip
SAME = {"PRT": "ADVP"}  # as EVALB counts them
PUNCTUATION = re.compile(r"[^\w$#%&+]+")  # tokenizers differ in what they cut off

Brackets = Counter[tuple[str, int, int]]
_COUNTED = ("gold", "found", "matched")
LEAST_CORRELATION = 0.9  # of distances by our trees with those by gold trees


def gold_trees(folder: str | Path) -> list[str]:
    """The treebank's trees without traces, functions and empty phrases.

    Raises:
        DataError: it is not in the folder of human datasets, with what to put where.
    """
    path = Path(folder) / TREEBANK
    if not folder or not path.is_file():
        raise DataError(
            f"Gold trees are missing: put Penn Treebank trees, one bracketed tree a line, at "
            f"{path if folder else f'{TREEBANK} below the folder that human_data names'}."
        )
    trees = (_without_traces(parse_bracketed(line)) for line in read_lines(path) if line.strip())
    return [format_tree(tree) for tree in trees if tree is not None]


def _without_traces(tree: Tree) -> Tree | None:
    if tree.label() == "-NONE-":
        return None
    parts = [part if isinstance(part, str) else _without_traces(part) for part in tree]
    kept = [part for part in parts if part is not None]
    label = tree.label() if tree.label().startswith("-") else re.split(r"[-=|]", tree.label())[0]
    return Tree(label, kept) if kept else None


def plain_text(tree: str) -> str:
    """The sentence of a tree as people write it.

    >>> plain_text("(S (`` ``) (NP (PRP It)) (VP (VBD fell)) ('' '') (. .))")
    '"It fell".'
    """
    words = [_word(leaf) for leaf in parse_bracketed(tree).leaves()]
    quotes = {'"': iter(["``", "''"] * len(words))}
    marked = [next(quotes[word]) if word in quotes else word for word in words]
    return str(TreebankWordDetokenizer().detokenize(marked))


def _word(leaf: str) -> str:
    return WRITTEN.get(leaf, leaf).replace("\\/", "/").replace("\\*", "*")


def brackets(tree: str) -> tuple[str, Brackets]:
    """A tree's characters and its labelled spans of them, punctuation and white space left out."""
    text, found = "", Counter[tuple[str, int, int]]()

    def walk(node: Tree) -> None:
        nonlocal text
        first = len(text)
        for part in node:
            if isinstance(part, str):
                text += PUNCTUATION.sub("", _word(part))
            else:
                walk(part)
        if len(text) > first and isinstance(node[0], Tree):
            found[SAME.get(node.label(), node.label()), first, len(text)] += 1

    walk(parse_bracketed(tree))
    return text, found


def bracket_rows(gold: Sequence[str], ours: Sequence[str | None]) -> pd.DataFrame:
    """Labelled brackets in the way of EVALB (Sekine and Collins 1997), by label and of all.

    Returns:
        label, gold, found, matched (counts), precision, recall, f1 (per cent); the first row is
        "all". Sentences without a tree, or whose tree has other characters, match nothing.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
    for truth, tree in zip(gold, ours, strict=True):
        for name, part in zip(_COUNTED, _compared(truth, tree), strict=True):
            for (label, _, _), n in part.items():
                counts[name].update({label: n, "all": n})
    labels = [label for label, _ in counts["gold"].most_common()]
    frame = pd.DataFrame({name: [part[each] for each in labels] for name, part in counts.items()})
    frame.insert(0, "label", labels)
    frame["precision"] = 100 * frame["matched"] / frame["found"].where(frame["found"] > 0)
    frame["recall"] = 100 * frame["matched"] / frame["gold"]
    return frame.assign(f1=200 * frame["matched"] / (frame["gold"] + frame["found"]))


def _compared(truth: str, tree: str | None) -> tuple[Brackets, Brackets, Brackets]:
    """Brackets of a gold tree, of a parser's, and those that both have."""
    text, right = brackets(truth)
    other, said = brackets(tree) if tree else ("", Brackets())
    return right, said, right & said if text == other else Brackets()


def bracket_f1(
    gold: Sequence[str], ours: Sequence[str | None], bootstrap: Bootstrap = Bootstrap()
) -> Interval:
    """F1 of all brackets of `bracket_rows`, per cent, sentences resampled.

    >>> bracket_f1(["(S (NP (NN rain)))"] * 2, ["(S (NP (NN rain)))", None]).value.__round__(1)
    66.7
    """
    sizes = [[part.total() for part in _compared(*two)] for two in zip(gold, ours, strict=True)]
    counts = np.array(sizes, float).reshape(-1, len(_COUNTED))
    return bootstrap_ratio(200 * counts[:, 2], counts[:, 0] + counts[:, 1], None, bootstrap)


def distances(
    trees: Sequence[str], n: int, seed: int, layers: Callable[[str], str] = str
) -> list[int]:
    """Tree edit distances of n pairs of different sentences; the same seed draws the same pairs.

    `layers` says what is kept of a tree, for example `top_layers` for TED-3.
    """
    rng = np.random.default_rng(seed)
    cut = [layers(tree) for tree in trees]
    pairs = [rng.choice(len(trees), 2, replace=False) for _ in range(n)]
    return [ted(cut[i], cut[j]) for i, j in pairs]


def rank_correlation(
    a: Sequence[float], b: Sequence[float], bootstrap: Bootstrap = Bootstrap()
) -> Interval:
    """Spearman's correlation of two measures of the same pairs, which are resampled.

    A pair keeps its rank in the whole sample, so that a draw is a correlation of sums.

    >>> rank_correlation([1, 2, 3], [10, 30, 90]).value
    1.0
    """
    x, y = (rankdata(values) - (len(values) + 1) / 2 for values in (a, b))

    def correlation(sums: Floats) -> Floats:
        n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(np.maximum(n * xx - x**2, 0) * np.maximum(n * yy - y**2, 0))
            return np.asarray((n * xy - x * y) / spread)

    columns = np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y])
    return bootstrap_sums(columns, correlation, None, bootstrap)


def distance_rows(
    gold: Sequence[str], ours: Sequence[str], n: int, seed: int, bootstrap: Bootstrap = Bootstrap()
) -> pd.DataFrame:
    """TED and TED-3 by a parser's trees beside those by gold trees.

    Returns:
        distance, pairs, rank correlation (Spearman) with low and high, mean by gold trees and by
        ours.
    """
    rows = []
    for name, layers in (("TED", str), ("TED-3", top_layers)):
        true, said = (distances(trees, n, seed, layers) for trees in (gold, ours))
        rho = rank_correlation(true, said, bootstrap)
        rows.append((name, n, *rho.bounds, float(np.mean(true)), float(np.mean(said))))
    columns = ["distance", "pairs", "rank correlation", "low", "high", "gold", "ours"]
    return pd.DataFrame(rows, columns=columns)


def trees_expected(rows: pd.DataFrame) -> list[Expected]:
    """What notebook 25 expects of `distance_rows`; without any, nothing is measured."""
    found = {
        row[0]: Interval(row[2], row[3], row[4], row[1]) for row in rows.itertuples(index=False)
    }
    return [
        Expected(
            f"rank correlation of {name} by the parser's and by gold trees",
            found.get(name, Interval(np.nan, np.nan, np.nan, 0)),
            over=LEAST_CORRELATION,
            digits=3,
        )
        for name in ("TED", "TED-3")
    ]
