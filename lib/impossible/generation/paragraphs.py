"""Paragraphs in the place of single sentences, for summaries (future work of the paper).

A paragraph is `paragraph_sentences` sentences in a row, joined by a blank: the teacher writes them
one after the other, or they stand so in a text. Next sentences of the same context are what may
summarize the teacher's.
"""

from __future__ import annotations

import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import SENTENCES
from impossible.generation.next_sentences import draw_sentences
from impossible.models.loading import LanguageModel


def draw_paragraphs(
    run: RunFolder, lm: LanguageModel, contexts: pd.DataFrame, params: Params
) -> pd.DataFrame | None:
    """What the teacher writes after each context to be summarized: k paragraphs, or nothing.

    Args:
        run: they are kept in `work/paragraphs`.
        lm: the teacher.
        contexts: CONTEXTS.
        params: reads paragraph_sentences and what `sample_sentences` reads.

    Returns:
        SENTENCES, each `text` a paragraph of which every sentence is accepted; None where single
        sentences are summarized, which are the next sentences themselves.
    """
    n = params.paragraph_sentences
    return draw_sentences(run, lm, contexts, params, "paragraphs", n=n) if n > 1 else None


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
    rows, open_rows = [], []
    for row in sentences.itertuples(index=False):
        goes_on = open_rows and (row.context_id, row.sample) == (
            open_rows[-1].context_id,
            open_rows[-1].sample + 1,
        )
        open_rows = [*(open_rows if goes_on else []), row] if not row.reason else []
        if len(open_rows) == n:
            first, text = open_rows[0], " ".join(str(each.text) for each in open_rows)
            rows.append(first._replace(raw=text, text=text))
            open_rows = []
    return pd.DataFrame(rows, columns=SENTENCES.names)
