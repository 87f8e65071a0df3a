"""Syntactic control: a student is shown the tree that is wanted (paper §3.4, Table 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.errors import DataError
from impossible.evaluation.metric_rows import Encoder as Likeness
from impossible.evaluation.systems import System
from impossible.evaluation.systems import predict as systems_predict
from impossible.text.rouge import lcs_length
from impossible.text.tree_edit_distance import Tree, parse_bracketed, ted

__all__ = [
    "annotated", "controlled", "exemplar_distance",
    "exemplars", "linearized", "own_exemplar", "predict", "prompt", "shifted", "tags",
    "with_exemplars",
]  # fmt: skip

Parser = Callable[[str], str | None]
MARK = "tree:"


def linearized(tree: str) -> str:
    """A constituency tree as a short text: labels in order, brackets, neither words nor their tags.

    Words would tell the student what to say; their tags say little that the constituents do not.

    >>> linearized("(S (NP (DT the) (NN cat)) (VP (VBD saw) (NP (NN rain))))")
    'S(NP VP(NP))'
    """
    return _linear(parse_bracketed(tree))


def _linear(tree: Tree) -> str:
    inner = [_linear(child) for child in tree[1:] if isinstance(child, tuple) and _phrase(child)]
    return f"{tree[0]}({' '.join(inner)})" if inner else str(tree[0])


def _phrase(tree: Tree) -> bool:
    return any(isinstance(child, tuple) for child in tree[1:])


def prompt(source: str, tree: str) -> str:
    """What a controlled student reads: the tree that is wanted, then the sentence."""
    return f"{MARK} {linearized(tree)} {source}"


def annotated(pairs: pd.DataFrame, parser: Parser) -> pd.DataFrame:
    """D_control: each source with the tree of its target, as far as targets have trees.

    Args:
        pairs: DATASET, from any source.
        parser: sentence → bracketed tree or None.

    Returns:
        DATASET with changed sources, for `students.train_student`.

    Raises:
        DataError: no target parses.
    """
    trees = [parser(text) for text in pairs["target"]]
    chosen = [i for i, tree in enumerate(trees) if tree is not None]
    if not chosen:
        raise DataError(
            f"None of the {len(pairs)} targets has a tree: choose a parser for this kind of text."
        )
    found = pairs.iloc[chosen].reset_index(drop=True)
    sources = [prompt(x, str(trees[i])) for x, i in zip(found["source"], chosen, strict=True)]
    return found.assign(source=sources)


def tags(tree: str) -> tuple[str, ...]:
    """The part-of-speech tags of a sentence, from its tree.

    >>> tags("(S (NP (DT the) (NN cat)) (VP (VBD sat)))")
    ('DT', 'NN', 'VBD')
    """

    def walk(node: Tree) -> list[str]:
        inner = [child for child in node[1:] if isinstance(child, tuple)]
        return [tag for child in inner for tag in walk(child)] if inner else [str(node[0])]

    return tuple(walk(parse_bracketed(tree)))


def exemplars(targets: Sequence[str], pool: Sequence[str], parser: Parser) -> list[str]:
    """For each target the sentence of the pool that is built most like it.

    Likeness is the number of insertions and deletions between the sequences of part-of-speech
    tags; ties go to the first in the pool. This is how the exemplars of the paper's test set were
    found (Chen et al. 2019, section 3).

    Args:
        targets: sentences that parse.
        pool: other sentences that parse, none of which is a target.
        parser: sentence → bracketed tree or None.

    Raises:
        DataError: a sentence does not parse.
    """
    wanted, offered = ([_tags_of(text, parser) for text in texts] for texts in (targets, pool))
    kinds = {sequence: i for i, sequence in reversed(list(enumerate(offered)))}  # first of its kind
    found: dict[tuple[str, ...], int] = {}
    for sequence in dict.fromkeys(wanted):
        costs = {
            i: len(sequence) + len(other) - 2 * lcs_length(sequence, other)
            for other, i in kinds.items()
        }
        found[sequence] = min(costs, key=lambda i: (costs[i], i))
    return [pool[found[sequence]] for sequence in wanted]


def with_exemplars(
    items: pd.DataFrame, pool: Sequence[str], parser: Parser, n: int
) -> pd.DataFrame:
    """The first n items whose first reference parses, with the column `exemplar`.

    Args:
        items: item, source, references.
        pool: sentences about other things; those that do not parse are left out.
        parser: sentence → bracketed tree or None.
        n: items wanted.

    Raises:
        DataError: no reference, or nothing in the pool, has a tree.
    """
    kept = items[[parser(texts[0]) is not None for texts in items["references"]]].head(n)
    offered = [text for text in dict.fromkeys(pool) if parser(text) is not None]
    if kept.empty or not offered:
        raise DataError("No reference or no other sentence has a tree: choose another parser.")
    return kept.assign(exemplar=exemplars([r[0] for r in kept["references"]], offered, parser))


def _tags_of(text: str, parser: Parser) -> tuple[str, ...]:
    tree = parser(text)
    if tree is None:
        raise DataError(f"This sentence has no tree, and an exemplar needs one: {text[:60]!r}.")
    return tags(tree)


def controlled(system: System, parser: Parser) -> System:
    """A system told the tree of each item's exemplar: a student of `annotated` pairs, or a prompt.

    Args:
        system: what is told, for example `systems.student_system(student)`.
        parser: of the exemplars.

    Returns:
        A system for items with the columns source and exemplar.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        pairs = zip(items["source"], items["exemplar"], strict=True)
        return system(items.assign(source=[prompt(x, str(parser(z))) for x, z in pairs]))

    return answer


def shifted(system: System) -> System:
    """A system that gets the next item's exemplar: the control with the signal destroyed."""

    def answer(items: pd.DataFrame) -> list[str]:
        moved = [*items["exemplar"][1:], *items["exemplar"][:1]]
        return system(items.assign(exemplar=moved))

    return answer


def own_exemplar(items: pd.DataFrame) -> list[str]:
    """The exemplar itself: the right form, about something else."""
    return list(items["exemplar"])


def predict(
    systems: Mapping[str, System], items: pd.DataFrame, encoder: Likeness | None = None
) -> pd.DataFrame:
    """PREDICTIONS of every system; the first reference is the only one, as it alone is asked for.

    Args:
        systems: name → system.
        items: item, source, references, exemplar.
        encoder: as for `systems.predict`.
    """
    # `systems.predict` keeps the first reference from the others: here it is the one that counts
    wanted = [[texts[0], texts[0]] for texts in items["references"]]
    return systems_predict(systems, items.assign(references=wanted), encoder)


def exemplar_distance(
    outputs: Sequence[str], chosen: Sequence[str], parser: Parser
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """TED-F of each output to its exemplar, words left out; NaN where one does not parse."""
    trees = {text: parser(text) for text in {*outputs, *chosen}}
    return np.array(
        [
            np.nan if (a := trees[y]) is None or (b := trees[z]) is None else ted(a, b)
            for y, z in zip(outputs, chosen, strict=True)
        ],
        dtype=np.float64,
    )
