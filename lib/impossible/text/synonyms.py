"""Exchange wordings for synonyms: the one routine of the noise of denoising and of baselines.

A thesaurus is given as groups of wordings with one meaning; `baselines.thesaurus` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["Synonyms", "exchanged", "lookup"]

Synonyms = Mapping[str, Sequence[str]]
LONGEST = 3  # words of the longest wording that is looked up


def lookup(groups: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Each wording's group; the groups one after the other for a wording that stands in several.

    Args:
        groups: wordings of one thing, two or more each.

    >>> lookup([("theater", "playhouse"), ("play", "theater")])["theater"]
    ['theater', 'playhouse', 'play', 'theater']
    """
    synonyms: dict[str, list[str]] = {}
    for group in groups:
        for wording in group:
            synonyms.setdefault(wording, []).extend(group)
    return synonyms


def exchanged(text: str, synonyms: Synonyms, rng: np.random.Generator, rate: float) -> list[str]:
    """The words of a text, some wordings of up to three words exchanged for synonyms.

    The longest wording is looked up first, with a small letter at its start too. One that ends in
    a comma is left alone; full stops at the end of the text stay there.

    Args:
        text: a sentence.
        synonyms: from `lookup`.
        rng: source of the choices, used for wordings with synonyms only.
        rate: share of the wordings with synonyms that are exchanged, [0, 1], each for a random one
            of its group and so perhaps for itself.

    Returns:
        Words without blanks; [] for a text without words.

    >>> rng = np.random.default_rng(0)
    >>> exchanged("The theater burned.", lookup([("theater", "playhouse")]), rng, 1.0)
    ['The', 'playhouse', 'burned.']
    """
    words, result, place = text.rstrip(".").split(), list[str](), 0
    while place < len(words):
        for size in range(LONGEST, 0, -1):
            wording = " ".join(words[place : place + size])
            found = synonyms.get(wording[:1].lower() + wording[1:], synonyms.get(wording))
            if found and place + size <= len(words):
                break
        if found and rng.random() < rate:
            wording = found[int(rng.integers(len(found)))]
        result += wording.split()
        place += size
    return [*result[:-1], result[-1] + text[len(text.rstrip(".")) :]] if result else []
