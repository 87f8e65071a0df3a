"""Syntactic control: a student is shown the tree that is wanted (paper §3.4, Table 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from nltk.tree import Tree
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Indel

from impossible.errors import DataError
from impossible.evaluation.systems import System
from impossible.text.tree_edit_distance import ted

__all__ = [
    "distance_to_exemplar", "exemplar_itself", "first_reference_only", "linearized_tree",
    "nearest_exemplars", "part_of_speech_tags", "tree_prompt", "with_exemplars",
    "with_next_exemplar", "with_target_trees", "with_tree",
]  # fmt: skip

Parser = Callable[[str], str | None]


def linearized_tree(tree: str) -> str:
    """A constituency tree as a short text: labels in order, brackets, neither words nor their tags.

    Words would tell the student what to say; their tags say little that the constituents do not.

    >>> linearized_tree("(S (NP (DT the) (NN cat)) (VP (VBD saw) (NP (NN rain))))")
    'S(NP VP(NP))'
    """
    return _constituents(Tree.fromstring(tree))


def _constituents(tree: Tree) -> str:
    phrases = [child for child in tree if isinstance(child, Tree) and child.height() > 2]
    inner = [_constituents(child) for child in phrases]
    return f"{tree.label()}({' '.join(inner)})" if inner else str(tree.label())


def tree_prompt(source: str, tree: str) -> str:
    """What a controlled student reads: the tree that is wanted, then the sentence."""
    return f"tree: {linearized_tree(tree)} {source}"


def with_target_trees(pairs: pd.DataFrame, parser: Parser) -> pd.DataFrame:
    """D_control: each source with the tree of its target, as far as targets have trees.

    Args:
        pairs: DATASET, from any source.
        parser: sentence → bracketed tree or None.

    Raises:
        DataError: no target parses.
    """
    trees = pairs["target"].map(parser)
    parsed = pairs[trees.notna()]
    if parsed.empty:
        raise DataError(
            f"None of the {len(pairs)} targets has a tree: choose a parser for this kind of text."
        )
    both = zip(parsed["source"], trees[parsed.index], strict=True)
    return parsed.assign(source=[tree_prompt(x, tree) for x, tree in both]).reset_index(drop=True)


def part_of_speech_tags(tree: str) -> tuple[str, ...]:
    """The part-of-speech tags of a sentence, from its tree.

    >>> part_of_speech_tags("(S (NP (DT the) (NN cat)) (VP (VBD sat)))")
    ('DT', 'NN', 'VBD')
    """
    return tuple(tag for _, tag in Tree.fromstring(tree).pos())


def nearest_exemplars(targets: Sequence[str], pool: Sequence[str], parser: Parser) -> list[str]:
    """For each target the sentence of the pool that is built most like it.

    Distance is the number of insertions and deletions between the sequences of part-of-speech
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
    first_with = {tags: i for i, tags in reversed(list(enumerate(offered)))}
    kinds = sorted(first_with, key=first_with.__getitem__)
    asked = list(dict.fromkeys(wanted))
    edits = process.cdist(asked, kinds, scorer=Indel.distance, dtype=np.int32)
    nearest = {tags: first_with[kinds[j]] for tags, j in zip(asked, edits.argmin(1), strict=True)}
    return [pool[nearest[tags]] for tags in wanted]


def _tags_of(text: str, parser: Parser) -> tuple[str, ...]:
    tree = parser(text)
    if tree is None:
        raise DataError(f"This sentence has no tree, and an exemplar needs one: {text[:60]!r}.")
    return part_of_speech_tags(tree)


def with_exemplars(
    items: pd.DataFrame, pool: Sequence[str], parser: Parser, n: int, seed: int = 0
) -> pd.DataFrame:
    """The first n items whose wanted form is known, with the column `exemplar`.

    An exemplar that the test set gives stays. Otherwise it is the sentence of the pool nearest to
    the first reference, or, without references, a sentence drawn from the pool.

    Args:
        items: source, references and, if the test set has them, exemplar.
        pool: sentences about other things; those that do not parse are left out.
        parser: sentence → bracketed tree or None.
        n: items wanted.
        seed: of the draw.

    Raises:
        DataError: no reference, or nothing in the pool, has a tree.
    """
    offered = [text for text in dict.fromkeys(pool) if parser(text) is not None]
    first = items["references"].map(lambda texts: texts[0] if len(texts) else None)
    given = items["exemplar"] if "exemplar" in items else first.where(first.isna(), None)
    wanted = given.fillna(first)
    if offered:
        drawn = np.random.default_rng(seed).choice(np.array(offered, dtype=object), len(items))
        wanted = wanted.fillna(pd.Series(drawn, index=items.index))
    parsed = wanted.map(lambda text: text is not None and parser(text) is not None)
    kept = items[parsed].head(n)
    if kept.empty or not offered:
        raise DataError("No reference or no other sentence has a tree: choose another parser.")
    nearest = nearest_exemplars(list(wanted[kept.index]), offered, parser)
    return kept.assign(exemplar=given[kept.index].fillna(pd.Series(nearest, index=kept.index)))


def with_tree(system: System, parser: Parser) -> System:
    """A system that reads the tree of each item's exemplar before the source.

    Args:
        system: a student of `with_target_trees` pairs, or a prompted model.
        parser: of the exemplars.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        pairs = zip(items["source"], items["exemplar"], strict=True)
        return system(items.assign(source=[tree_prompt(x, str(parser(z))) for x, z in pairs]))

    return answer


def with_next_exemplar(system: System) -> System:
    """A system that gets the next item's exemplar: the control with the signal destroyed."""
    return lambda items: system(items.assign(exemplar=np.roll(items["exemplar"], -1)))


def exemplar_itself(items: pd.DataFrame) -> list[str]:
    """The exemplar as the output: the right form, about something else."""
    return list(items["exemplar"])


def first_reference_only(items: pd.DataFrame) -> pd.DataFrame:
    """Items for `systems.predict` whose first reference, the one output asked for, is the only."""
    # `predict` keeps the first reference from the others: here it is the one that counts
    return items.assign(references=[[*texts[:1], *texts[:1]] for texts in items["references"]])


def distance_to_exemplar(
    outputs: Sequence[str], exemplars: Sequence[str], parser: Parser
) -> NDArray[np.float64]:
    """TED-F of each output to its exemplar, words left out; NaN where one does not parse."""
    trees = {text: parser(text) for text in {*outputs, *exemplars}}
    pairs = [(trees[y], trees[z]) for y, z in zip(outputs, exemplars, strict=True)]
    return np.array(
        [ted(a, b) if a is not None and b is not None else np.nan for a, b in pairs], dtype=float
    )
