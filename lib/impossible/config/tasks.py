"""A task is a set of gates: the same pipeline summarizes when they are redefined (paper §3.6)."""

from __future__ import annotations

from typing import TypeVar

from impossible.config.params import Params

__all__ = ["summarization"]

AnyParams = TypeVar("AnyParams", bound=Params)


def summarization(params: AnyParams) -> AnyParams:
    """The parameters with the gates of sentence summarization in the place of paraphrasing.

    A summary y follows from x (one direction), is shorter than `summary_length_ratio_max` of it in
    characters, and is unlike the other pairs of its context (Algorithm 1). Nothing is asked of
    ROUGE-L and tree distance: a summary may keep the words that it keeps. Numbers may be left out.

    Args:
        params: of a run; the thresholds that both tasks have stay as they are.

    Source: section 3.6 and appendix C.

    >>> summarization(Params.load("base")).both_directions
    False
    """
    return params.fixed(
        both_directions=False,
        length_ratio_min=0.0,
        length_ratio_max=params.summary_length_ratio_max,
        number_consistency=False,
        rouge_l_max=1.0,
        ted_min=0,
    )
