"""Syntactic control: a student is shown the tree that is wanted (paper §3.4, Table 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.errors import DataError
from impossible.models import LanguageModel
from impossible.systems import System, prompted, student_system
from impossible.text.overlap import lcs_length
from impossible.trees import Tree, parse_bracketed, ted

__all__ = [
    "PAPER_TABLE4", "TABLE4", "annotated", "asked", "controlled", "exemplar_distance",
    "exemplars", "linearized", "own_exemplar", "predict", "prompt", "shifted", "tags",
    "with_exemplars",
]  # fmt: skip

Parser = Callable[[str], str | None]
MARK = "tree:"

#: Columns of the paper's Table 4.
TABLE4 = ("ibleu", "bert_ibleu", "rouge_l", "ted_exemplar")

#: The paper's Table 4 (ParaNMT-small).
PAPER_TABLE4: dict[str, tuple[float, ...]] = {
    "paper: ChatGPT, 0-shot": (9.1, 85.8, 41.6, 11.6),
    "paper: ChatGPT, 5-shot": (9.0, 85.9, 42.2, 10.3),
    "paper: T5 on ParaBank1": (10.7, 82.3, 55.6, 8.4),
    "paper: T5 on ParaBank2": (10.9, 84.7, 57.5, 8.8),
    "paper: T5 on ChatGPT-Para": (10.5, 79.4, 47.6, 10.4),
    "paper: Impossible-T5": (11.2, 86.6, 51.8, 8.5),
}


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


def controlled(student: LanguageModel, parser: Parser, max_new_tokens: int = 100) -> System:
    """A student that was trained on `annotated` pairs, told the tree of each item's exemplar.

    Args:
        student: an encoder-decoder.
        parser: of the exemplars.
        max_new_tokens: longest output.

    Returns:
        A system for items with the columns source and exemplar.
    """
    plain = student_system(student, max_new_tokens)

    def answer(items: pd.DataFrame) -> list[str]:
        return plain(items.assign(source=_prompts(items, parser)))

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


def asked(lm: LanguageModel, parser: Parser, shots: Sequence[tuple[str, str]] = ()) -> System:
    """A language model asked for the sentence in the form of a tree; greedy, first sentence.

    Args:
        lm: the teacher.
        parser: of the exemplars.
        shots: (prompt, output) examples; none: zero-shot.
    """
    plain = prompted(lm, shots)

    def answer(items: pd.DataFrame) -> list[str]:
        return plain(items.assign(source=_prompts(items, parser)))

    return answer


def _prompts(items: pd.DataFrame, parser: Parser) -> list[str]:
    pairs = zip(items["source"], items["exemplar"], strict=True)
    return [prompt(x, str(parser(z))) for x, z in pairs]


def predict(systems: Mapping[str, System], items: pd.DataFrame) -> pd.DataFrame:
    """PREDICTIONS of every system; the first reference is the only one, as it alone is asked for.

    Args:
        systems: name → system.
        items: item, source, references, exemplar.
    """
    wanted = [list(texts)[:1] for texts in items["references"]]
    columns = {"item": items["item"], "source": items["source"], "references": wanted}
    parts = [
        pd.DataFrame({"system": name, **columns, "output": system(items)})
        for name, system in systems.items()
    ]
    return pd.concat(parts, ignore_index=True)


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
