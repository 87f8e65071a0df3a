"""Synonym replacement: the oldest paraphraser, a sentence with some of its words exchanged.

It keeps the order of the words, so it is faithful as far as its thesaurus is right and never far
from its source.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from impossible.data.run_folder import item_rng
from impossible.evaluation.systems import System
from impossible.text.word_edits import replace_synonyms, synonym_table


def synonym_system(groups: Sequence[Sequence[str]], rate: float = 1.0, seed: int = 0) -> System:
    """A system that exchanges a fraction of the words that `groups` knows for synonyms.

    Source: Zhang et al. 2015 (arXiv 1509.01626), section 2.4, as augmentation.

    >>> items = {"id": ["a"], "source": ["A theater burned."]}
    >>> synonym_system([("theater", "opera house")])(items)
    ['An opera house burned.']
    """
    known = synonym_table(groups)
    others = {word: [w for w in found if w != word] for word, found in known.items()}

    def replaced(item: str, source: str) -> str:
        rng = item_rng(seed, "synonyms", item)
        output = " ".join(replace_synonyms(source, others, rng, rate))
        if not source[:1].islower():
            output = output[:1].upper() + output[1:]
        return agreeing(output, source)

    return lambda items: list(map(replaced, items["id"], items["source"]))


def agreeing(output: str, source: str) -> str:
    """An output whose articles fit the words they now stand before, by the first letter.

    An article that stands before the same word in the source is left alone ("an hour").

    >>> agreeing("A old house and a hour.", "A house and a hour.")
    'An old house and a hour.'
    """
    words, seen = output.split(), set(pairwise(source.split()))
    for i, (word, following) in enumerate(pairwise(words)):
        if word.lower() in ("a", "an") and (word, following) not in seen:
            words[i] = word[0] + ("n" if following[0].lower() in "aeiou" else "")
    return " ".join(words)
