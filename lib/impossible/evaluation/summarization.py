"""Sentence summaries by systems that need no training (paper §3.6, Table 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from nltk.tree import Tree

from impossible.evaluation.best_of import asked_systems, best_of_system
from impossible.evaluation.systems import (
    System,
    copy_input,
    gold_reference,
    of_sources,
    shuffled,
    student_system,
)
from impossible.filtering.critic import Models
from impossible.filtering.thresholds import Thresholds
from impossible.models.loading import LanguageModel
from impossible.text.tree_edit_distance import parse_bracketed
from impossible.training.student import Student

#: Prepositions whose phrases mostly name participants, so that deletion spares them.
SPARED = ("by", "from", "of", "to", "with")
DROPPED = ("ADVP", "JJ", "PRN")
TRIED_SOURCES = 9  # if none of so many parses, the parser is for another kind of text


def summary_systems(
    students: Mapping[str, Student], teacher: LanguageModel, shots: Sequence[tuple[str, str]],
    items: pd.DataFrame, models: Models, thresholds: Thresholds,
) -> dict[str, System]:  # fmt: skip
    """The systems of Table 5, the baselines without training, and the controls.

    Args:
        students: "M_sum" and others.
        teacher: is asked, with and without the examples `shots`, and for the best of n.
        items: source; if none of the first parses, nothing is deleted in trees.
    """
    longest, ours = thresholds.sentence_max_new_tokens, students["M_sum"]
    trained = {name: student_system(model, longest) for name, model in students.items()}
    parser = models.parser
    parses = any(parser.parse_many(list(items["source"].head(TRIED_SOURCES))))
    deletion = pruned(lambda text: parser.parse_many([text])[0])
    best = best_of_system(ours, models, thresholds, "best of M_sum")
    return {
        "source": copy_input,
        "shuffled M_sum": shuffled(trained["M_sum"]),
        "first words": first_words(),
        **({"deletion in the tree": deletion} if parses else {}),
        **asked_systems(teacher, shots, models, thresholds),
        **trained,
        f"M_sum, best of {thresholds.n_candidates}": best,
        "gold summary": gold_reference,
    }


def first_words(fraction: float = 0.5) -> System:
    """The first words of the source and a full stop: the baseline of DUC and Gigaword ("lead").

    Half of the words by default, about what the usual 75 bytes or 8 words leave of such sentences.
    """

    def start(source: str) -> str:
        tokens = source.split()
        return " ".join(tokens[: max(1, round(fraction * len(tokens)))]).rstrip(",.") + "."

    return of_sources(lambda sources: [start(source) for source in sources])


def pruned(parser: Callable[[str], str | None]) -> System:
    """The source without its modifiers: sentence compression by deletion in the tree.

    Deleted are adverb phrases, adjectives, parentheses, and prepositional phrases but those of
    `SPARED`. A sentence that does not parse stays as it is.

    Source: in the manner of Hedge Trimmer (Dorr et al. 2003).
    """

    def shortened(source: str) -> str:
        tree = parser(source)
        return source if tree is None else _pruned(tree)

    return of_sources(lambda sources: [shortened(source) for source in sources])


def _pruned(tree: str) -> str:
    text = " ".join(_kept_words(parse_bracketed(tree)))
    text = re.sub(r" (?=[,.]|'s)", "", text)
    text = re.sub(r"^[, ]+|,(?=[,.])", "", text)
    return text[:1].upper() + text[1:]


def _kept_words(tree: Tree | str) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    kept = [word for child in tree for word in _kept_words(child)]
    if tree.label() in DROPPED or (tree.label() == "PP" and "".join(kept[:1]) not in SPARED):
        return []
    return kept
