"""Sentence summaries: their scores, and systems that need no training (paper §3.6, Table 5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
from nltk.tree import Tree
from rouge_score.rouge_scorer import RougeScorer

from impossible.evaluation.prompting import answers
from impossible.evaluation.systems import System
from impossible.models.loading import LanguageModel
from impossible.text.sentence_boundaries import words
from impossible.text.tree_edit_distance import parse_bracketed

__all__ = ["first_words", "novelty", "pruned", "summary_scores", "tldr"]

#: Prepositions whose phrases mostly name participants, so that deletion spares them.
SPARED = frozenset({"by", "from", "of", "to", "with"})
DROPPED = frozenset({"ADVP", "JJ", "PRN"})
ROUGE = ("rouge1", "rouge2", "rougeL")


def summary_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Scores of single summaries, times 100, whose means `systems.mean_rows` makes.

    Args:
        predictions: PREDICTIONS with the likeness to references (`evaluation.with_likeness`).

    Returns:
        system, item, rouge1, rouge2, rouge_l (F1, best reference, no stemmer),
        bert_score_references (F1, best reference), compression (characters of output / source),
        novelty (share of the output's word pairs that the source lacks). An empty output scores 0
        and has no novelty.
    """
    scorer = RougeScorer(ROUGE)
    outputs, references = list(predictions["output"]), list(predictions["references"])
    rows = [
        [max(scorer.score(text, output)[name].fmeasure for text in texts) for name in ROUGE]
        for output, texts in zip(outputs, references, strict=True)
    ]
    frame = predictions[["system", "item"]].reset_index(drop=True)
    frame[["rouge1", "rouge2", "rouge_l"]] = 100 * np.array(rows).reshape(-1, 3)
    frame["bert_score_references"] = 100 * predictions["bert_score_references"].to_numpy(float)
    sources = list(predictions["source"])
    lengths = [len(y) / max(1, len(x)) for x, y in zip(sources, outputs, strict=True)]
    frame["compression"] = 100 * np.array(lengths)
    frame["novelty"] = 100 * np.array(
        [novelty(x, y) for x, y in zip(sources, outputs, strict=True)]
    )
    return frame


def novelty(source: str, summary: str) -> float:
    """Share of the summary's different word pairs that do not occur in the source; NaN without any.

    Abstractive summaries have a high share (See et al. 2017, section 6).

    >>> novelty("The old school burned down.", "The school burned.")
    0.5
    """
    ours, theirs = (set(pairwise(w)) for w in (words(summary), words(source)))
    return len(ours - theirs) / len(ours) if ours else float("nan")


def first_words(share: float = 0.5) -> System:
    """The first words of the source and a full stop: the baseline of DUC and Gigaword ("lead").

    Args:
        share: of the source's words, (0, 1]; the usual 75 bytes or 8 words are about half of a
            headline corpus' sentence.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        texts = [str(source).split() for source in items["source"]]
        cut = [" ".join(text[: max(1, round(share * len(text)))]) for text in texts]
        return [text.rstrip(",.") + "." for text in cut]

    return answer


def pruned(parser: Callable[[str], str | None]) -> System:
    """The source without its modifiers: sentence compression by deletion in the tree.

    What a constituency tree shows without a lexicon is left out: adverb phrases, adjectives,
    parentheses, and prepositional phrases but those of `SPARED`. A sentence that does not parse
    stays as it is.

    Args:
        parser: sentence → bracketed tree or None.

    Source: in the manner of Hedge Trimmer (Dorr et al. 2003).
    """

    def answer(items: pd.DataFrame) -> list[str]:
        trees = [parser(str(source)) for source in items["source"]]
        pairs = zip(items["source"], trees, strict=True)
        return [str(source) if tree is None else _pruned(tree) for source, tree in pairs]

    return answer


def _pruned(tree: str) -> str:
    """The sentence of the tree without what `pruned` deletes."""
    text = " ".join(_spared(parse_bracketed(tree)))
    text = re.sub(r" (?=[,.]|'s)", "", text)
    text = re.sub(r"^[, ]+|,(?=[,.])", "", text)
    return text[:1].upper() + text[1:]


def _spared(tree: Tree) -> list[str]:
    """Words of a tree that stay."""
    kept: list[str] = []
    for child in tree:
        if isinstance(child, str):
            kept.append(child)
        elif child.label() not in DROPPED:
            inside = _spared(child)
            if child.label() != "PP" or (inside and inside[0] in SPARED):
                kept += inside
    return kept


def tldr(lm: LanguageModel, max_new_tokens: int = 60) -> System:
    """A language model asked for a summary, zero-shot; greedy, the first sentence counts.

    The prompt of Radford et al. (2019), section 3.6: the text and "TL;DR:".
    """

    def answer(items: pd.DataFrame) -> list[str]:
        return answers(lm, [f"{source} TL;DR:" for source in items["source"]], max_new_tokens)

    return answer
