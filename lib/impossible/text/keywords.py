"""Keywords of a sentence and their inflections, by frequency and by Porter's rules.

Inflections are the words of a corpus that have the same stem (Porter 1980, as nltk has it): no list
of English is needed, and what a language model never wrote is not asked of it. Porter's stem also
joins some derivations ("reject", "rejection"), and takes apart irregular forms ("rise", "rose").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from nltk.stem.porter import PorterStemmer

from impossible.text.sentence_boundaries import words

__all__ = ["FUNCTION_WORDS", "Lexicon"]


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


SHORTEST = 3  # letters of a keyword
FUNCTION_WORDS = _set(
    "a about after against all an and any are as at be because been before being both but by can "
    "could did do does during each for from had has have he her his how if in into is it its more "
    "most no not of off on one or other our out over she so some such than that the their them "
    "then there these they this those through to under until up was we were what when where which "
    "while who whom whose why will with would you your"
)
_STEMMER = PorterStemmer()


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    stem: str = _STEMMER.stem(word)
    return stem


class Lexicon:
    """What a corpus says about words: in how many sentences they stand, and their inflections.

    Args:
        sentences: the corpus; repeated sentences count once.

    Example:
        >>> lexicon = Lexicon(["Prices rise.", "The price rises in May.", "Prices fell."])
        >>> lexicon.keywords("The price of bread rises.", 2), lexicon.inflections("rises")
        (['rises', 'price'], ('rise', 'rises'))
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        self.frequency: Counter[str] = Counter()
        self._families: dict[str, set[str]] = {}
        for text in dict.fromkeys(sentences):
            found = set(words(text))
            self.frequency.update({_stem(word) for word in found})
            for word in found:
                self._families.setdefault(_stem(word), set()).add(word)

    def inflections(self, word: str) -> tuple[str, ...]:
        """The words of the corpus with the same stem, in lower case, sorted; at least the word."""
        lower = word.lower()
        return tuple(sorted(self._families.get(_stem(lower), set()) | {lower}))

    def keywords(self, sentence: str, n: int) -> list[str]:
        """At most n content words that the corpus has, the rarest first, one of each stem.

        A content word has at least three letters and nothing else, and is no function word. How
        rare it is, is the number of sentences that hold a word of its stem; ties by alphabet.
        """
        stems: dict[str, str] = {}
        for word in words(sentence):
            if word.isalpha() and len(word) >= SHORTEST and word not in FUNCTION_WORDS:
                stems.setdefault(_stem(word), word)
        known = [word for stem, word in stems.items() if self.frequency[stem]]
        return sorted(known, key=lambda word: (self.frequency[_stem(word)], word))[: max(0, n)]
