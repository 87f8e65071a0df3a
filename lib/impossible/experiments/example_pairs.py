"""Examples of pairs for readers (the paper's Table 7): chosen by rank and by seed, never by hand.

The rank is the critic's *lesser direction*, the smaller of P(x ⇒ y) and P(y ⇒ x): a pair is as
equivalent as its weaker half. Nothing here asks a model; texts of models are escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import item_rng
from impossible.filtering.build_dataset import apply_thresholds
from impossible.filtering.thresholds import Thresholds
from impossible.report.tables import MISSING, is_missing, show
from impossible.text.numbers import number_values

__all__ = [
    "KINDS", "changes", "examples", "lesser", "located", "marked", "nearly", "page", "pick",
    "printed", "thirds", "told_before",
]  # fmt: skip

#: The kinds of examples. Every accepted pair reaches the threshold, so the worst is the nearest.
KINDS = ("random", "best", "median", "worst accepted", "nearest refused")
SCORES = ["p_xy", "p_yx", "rouge_l", "ted"]
COLUMNS = (
    "corpus", "domain", "kind", "context", "x", "y", "lesser", *SCORES, "ted_lower", "ted_upper",
    "length_ratio", "numbers_consistent",
)  # fmt: skip
TAGS = {"new": "mark", "moved": "u"}
PLAIN = "tex2jax_ignore mathjax_ignore"  # names that MathJax 2 and 3 leave alone
STYLE, WIDE = "text-align: left; vertical-align: top;", " min-width: 11em;"  # Jupyter sets right

_PIECES = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*|.", re.DOTALL)  # words, else single characters


def lesser(pairs: pd.DataFrame) -> pd.Series[float]:
    """The critic's lesser direction of each pair, in [0, 1].

    Args:
        pairs: p_xy, p_yx; where one was not computed the other stands alone: for a summary only
            P(x ⇒ y) is asked, and a pair refuted in one direction is not asked in the other.
    """
    return pairs[["p_xy", "p_yx"]].min(axis=1)


def pick(pairs: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Examples of accepted pairs: n drawn at random, the best n, those in the middle, the worst n.

    Args:
        pairs: x, y, p_xy, p_yx. Pairs of equal rank stand in the order of their texts.
        n: of each kind, all if there are fewer; a pair can be of several kinds.
        rng: source of the draw.

    Returns:
        Rows of `pairs` with kind (of `KINDS`, in that order) and lesser; the worst comes first.
    """
    ranked = pairs.assign(lesser=lesser(pairs)).sort_values(
        ["lesser", "x", "y"], ascending=[False, True, True], kind="stable"
    )
    middle = max(0, (len(ranked) - n) // 2)
    chosen = (
        ranked.iloc[rng.permutation(len(ranked))[:n]],
        ranked.head(n),
        ranked.iloc[middle : middle + n],
        ranked.tail(n).iloc[::-1],
    )
    return pd.concat(
        [part.assign(kind=kind) for kind, part in zip(KINDS, chosen, strict=False)],
        ignore_index=True,
    )


def thirds(pairs: pd.DataFrame) -> pd.Series[str]:
    """Best, middle or worst third, of each pair among all by its lesser direction.

    Example:
        Of three pairs with 0.9, 0.8 and 0.95 they are "middle third", "worst third", "best third".
    """
    place = lesser(pairs).rank(method="first", ascending=False, na_option="bottom") - 1
    names = pd.Series(["best third", "middle third", "worst third"])
    return (3 * place // max(1, len(pairs))).astype(int).map(names)


def nearly(scored: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Pairs that the critic's threshold alone refused, nearest first; of a pair and its mirror one.

    Args:
        scored: PAIRS or CANDIDATES.
        thresholds: all others must let the pair pass; below entailment_floor a direction was not
            computed.

    Returns:
        Rows of `scored` with lesser in [entailment_floor, entailment_threshold).
    """
    ranked = scored.assign(lesser=lesser(scored))
    inside = ranked["lesser"].between(
        thresholds.entailment_floor, thresholds.entailment_threshold, inclusive="left"
    )
    lower = thresholds.fix(entailment_threshold=thresholds.entailment_floor)
    passed = apply_thresholds(ranked[inside], lower)[0].sort_values(
        ["lesser", "x", "y"], ascending=[False, True, True], kind="stable"
    )
    sides = [tuple(sorted(pair)) for pair in zip(passed["x"], passed["y"], strict=True)]
    return passed[~pd.Series(sides, passed.index, dtype=object).duplicated()]


def told_before(sentences: pd.DataFrame, plans: pd.DataFrame) -> pd.DataFrame:
    """What was told before each sentence of texts that were cut into sentences.

    Args:
        sentences: `records.SENTENCES` whose `sample` is the place in the text (`data/inputs`).
        plans: context_id, domain, prefix of the texts; a text without a plan is left out.

    Returns:
        x (the sentence, where it occurs first), context_id, domain, context (prefix and sentences
        before).
    """
    known = plans.set_index("context_id")[["domain", "prefix"]]
    rows = []
    planned = sentences[sentences["context_id"].isin(known.index)]
    for name, text in planned.groupby("context_id", sort=False):
        domain, before = known.loc[name]
        for raw in text.sort_values("sample")["raw"]:
            rows.append((raw, name, domain, before))
            before = f"{before} {raw}".strip()
    told = pd.DataFrame(rows, columns=["x", "context_id", "domain", "context"])
    return told.drop_duplicates("x")


def located(pairs: pd.DataFrame, contexts: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Pairs with their domain and context.

    Args:
        pairs: x, y and, but for candidates, context_id.
        contexts: `records.CONTEXTS`, asked first.
        told: from `told_before`, asked for a pair whose context is not among `contexts`.

    Returns:
        `pairs` with context_id, domain and context, missing where neither knows the pair.
    """
    first, second = contexts.set_index("context_id"), told.set_index("x")
    names = pairs.get("context_id", pairs["x"].map(second["context_id"]))
    return pairs.assign(
        context_id=names,
        domain=names.map(first["domain"]).fillna(pairs["x"].map(second["domain"])),
        context=names.map(first["text"]).fillna(pairs["x"].map(second["context"])),
    )


def examples(
    corpus: str, accepted: pd.DataFrame, refused: pd.DataFrame, scored: pd.DataFrame,
    params: Params,
) -> pd.DataFrame:  # fmt: skip
    """The examples of one corpus: all kinds, domain by domain.

    Args:
        corpus: its name; also names the random stream.
        accepted: its pairs, from `located`.
        refused: from `nearly` and `located`; may be empty.
        scored: where to look up what a dataset does not hold: bounds of the tree distance.
        params: reads seed, n_examples.

    Returns:
        The columns `COLUMNS`; length_ratio is characters of y / characters of x.
    """
    parts = []
    for domain in sorted(accepted["domain"].dropna().unique()) or [None]:
        here, near = (
            frame if domain is None else frame[frame["domain"] == domain]
            for frame in (accepted, refused)
        )
        rng = item_rng(params.seed, "examples", f"{corpus} {domain}")
        near = near.head(params.n_examples).assign(kind=KINDS[-1])
        parts += [pick(here, params.n_examples, rng), near]
    known = ["domain", "kind", "context", "x", "y", "lesser", *SCORES]
    rows = pd.concat([part[known] for part in parts if len(part)], ignore_index=True)
    bounds = scored[["x", "y", "ted_lower", "ted_upper"]].drop_duplicates(["x", "y"])
    rows = rows.merge(bounds, on=["x", "y"], how="left")
    pairs = list(zip(rows["x"], rows["y"], strict=True))
    rows["length_ratio"] = [len(y) / max(1, len(x)) for x, y in pairs]
    rows["numbers_consistent"] = [number_values(x) == number_values(y) for x, y in pairs]
    return rows.assign(corpus=corpus)[list(COLUMNS)]


def printed(rows: pd.DataFrame) -> pd.DataFrame:
    """Examples as a reader sees them: whose, context, x, y, scores in words, and what was added.

    Args:
        rows: from `examples`, perhaps with further columns, which stay at the end.

    Returns:
        example, context, x, y, scores ("P(x⇒y) 0.98, …"; "–" for what is missing; a tree distance
        that its bounds decided is shown as its bounds) and the further columns.
    """
    texts = {name: rows[name].fillna(MISSING) for name in ("corpus", "domain", "context")}
    whose = texts["corpus"] + ", " + texts["domain"] + ": " + rows["kind"]
    columns = {"example": whose, "context": texts["context"], "x": rows["x"], "y": rows["y"]}
    scores = [_scores(row) for row in rows.to_dict("records")]
    more = [name for name in rows.columns if name not in COLUMNS]
    return pd.DataFrame({**columns, "scores": scores, **rows[more]})


def _scores(row: dict[Any, Any]) -> str:
    numbers = {"P(x⇒y)": "p_xy", "P(y⇒x)": "p_yx", "ROUGE-L": "rouge_l", "|y|/|x|": "length_ratio"}
    told = [f"{title} {show(row[name], 2)}" for title, name in numbers.items()]
    told.insert(3, f"TED {_ted(row['ted'], row['ted_lower'], row['ted_upper'])}")
    return ", ".join([*told, f"{'same' if row['numbers_consistent'] else 'other'} numbers"])


def _ted(exact: float, lower: float, upper: float) -> str:
    if not is_missing(exact):
        return f"{exact:g}"
    return MISSING if is_missing(lower) else f"{lower:g}–{upper:g}"


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


def page(table: pd.DataFrame) -> str:
    """A table from `printed` as HTML: every cell escaped, the changed words of y marked.

    Its class keeps Jupyter from reading dollar signs as the marks of formulas.
    """
    head = _line("th", {str(name): escape(str(name)) for name in table.columns})
    body = "".join(
        _line("td", {name: escape(show(value)) for name, value in row.items()} | {"y": y})
        for row in table.to_dict("records")
        for y in [marked(row["x"], row["y"])]
    )
    return f'<table class="{PLAIN}"><thead>{head}</thead><tbody>{body}</tbody></table>'


def _line(tag: str, cells: dict[Any, str]) -> str:
    """A row of an HTML table from cells that are HTML already."""
    texts = ("context", "x", "y", "scores")
    parts = (
        f'<{tag} style="{STYLE}{WIDE if name in texts else ""}">{cell}</{tag}>'
        for name, cell in cells.items()
    )
    return f"<tr>{''.join(parts)}</tr>"
