"""Paragraphs in the place of single sentences, for summaries (future work of the paper).

A paragraph is `paragraph_sentences` sentences in a row, joined by a blank: the teacher writes them
one after the other, or they stand so in a text. Next sentences of the same context are what may
summarize the teacher's.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.data.schemas import SENTENCES


def source_sentences(params: Params, task: str) -> int:
    """The sentences of which a source of the task consists: of a paraphrase one.

    >>> source_sentences(Params.load("base", {"paragraph_sentences": 3}), "summary")
    3
    """
    return params.paragraph_sentences if task == "summary" else 1


def source_name(n: int, several: bool = True) -> str:
    """What a source of n sentences is called.

    >>> source_name(1), source_name(3, several=False)
    ('sentences', 'paragraph of 3 sentences')
    """
    ending = "s" * several
    return f"sentence{ending}" if n == 1 else f"paragraph{ending} of {n} sentences"


def paragraphs_of(sentences: pd.DataFrame, n: int) -> pd.DataFrame:
    """Sentences that stand in a row, n at a time.

    Args:
        sentences: SENTENCES of which `sample` is the place in a text, as of `sentences_of`.
        n: sentences of a paragraph; with 1 nothing changes.

    Returns:
        SENTENCES, a row per paragraph, none of whose sentences is rejected, with the place of its
        first sentence. What is left over, fewer than n in a row, is left out.

    Example:
        Of five sentences of which the third is rejected, two paragraphs of two come.
    """
    if n == 1:
        return sentences
    paragraphs: list[dict[str, Any]] = []
    row: list[dict[str, Any]] = []  # sentences that may become the next one
    for each in sentences[sentences["reason"] == ""].to_dict("records"):
        following = {"context_id": each["context_id"], "sample": each["sample"] - len(row)}
        row = [*row, each] if row and row[0].items() >= following.items() else [each]
        if len(row) == n:
            text = " ".join(sentence["text"] for sentence in row)
            paragraphs.append({**row[0], "raw": text, "text": text})
            row = []
    return pd.DataFrame(paragraphs, columns=SENTENCES.names)
