"""Signatures: which definition a number was computed by, in the manner of sacrebleu."""

from __future__ import annotations

#: Raised by one whenever the definition of any of our own metrics changes.
DEFINITIONS = 1


def signature(name: str, **parts: object) -> str:
    """One line that says how a score was computed: ``name|key:value|…|version:N``.

    >>> signature("rouge_l", n=3, tok="rouge-score")
    'rouge_l|n:3|tok:rouge-score|version:1'
    """
    return "|".join([name, *(f"{k}:{v}" for k, v in parts.items()), f"version:{DEFINITIONS}"])
