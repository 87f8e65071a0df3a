"""Next sentences as pictures: what became of the samples, how long and how varied they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.report.figures import fraction_dots, funnel_dots, score_histogram
from impossible.report.side_by_side import Shows


def fates_of_samples(stage: Shows, fates: pd.Series, data: Sequence[Path]) -> Any:
    """Save figure `sentence_fates`.

    Args:
        stage: of the notebook.
        fates: reason, or "kept" → samples.
        data: files that the numbers come from.

    Returns:
        What is to be displayed.
    """
    caption = (
        "Sampled continuations left after each acceptance rule, the one that rejects most first, "
        "and the fraction it retains; last row: kept. Too short: the model ended the text instead "
        "of writing a sentence; no end: no full stop within the token limit. Logarithmic scale."
    )
    reading = f"{fates['kept'] / fates.sum():.1%} of {fates.sum():,} samples are accepted"
    counts = fates.rename_axis("reason").reset_index(name="n")
    picture = funnel_dots(counts, unit="samples")
    return stage.figure("sentence_fates", picture, caption, data, None, reading)


def sentence_lengths(stage: Shows, accepted: pd.DataFrame, data: Sequence[Path]) -> Any:
    """Save figure `sentence_length`.

    Args:
        stage, data: as for `fates_of_samples`.
        accepted: of `sentence_variety.accepted_sentences`.

    Returns:
        What is to be displayed.
    """
    how: dict[str, Any] = {"group": "domain", "bins": 25, "unit": "sentences"}
    picture = score_histogram(accepted, "words", label="words of an accepted sentence", **how)
    caption = "Length of the accepted sentences, by domain."
    reading = f"{accepted['words'].mean():.1f} words on average"
    return stage.figure("sentence_length", picture, caption, data, None, reading)


def distinct_sentences(
    stage: Shows, distinct: pd.DataFrame, overall: float, data: Sequence[Path]
) -> Any:
    """Save figure `distinct_sentences`.

    Args:
        stage, data: as for `fates_of_samples`.
        distinct: of `sentence_variety.distinct_fractions`.
        overall: the mean over all contexts.

    Returns:
        What is to be displayed.
    """
    caption = (
        "Fraction of distinct strings among the accepted sentences of a context, by the length of "
        "the context and domain, with intervals over contexts (n contexts per domain)."
    )
    reading = f"{overall:.1%} of the accepted sentences of a context are distinct"
    picture = fraction_dots(distinct, "distinct among accepted sentences")
    return stage.figure("distinct_sentences", picture, caption, data, None, reading)
