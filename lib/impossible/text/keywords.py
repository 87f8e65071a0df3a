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

from impossible.text.sentence_boundaries import split_sentences, words
from impossible.text.word_edits import content_words

_SHORTEST = 3  # letters of a keyword
_STEMMER = PorterStemmer()


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_STEMMER.stem(word))


def content_stems(text: str) -> frozenset[str]:
    """The stems of the content words and numbers of a text.

    >>> sorted(content_stems("The prices rose in 2020."))
    ['2020', 'price', 'rose']
    """
    return frozenset(map(_stem, content_words(words(text))))


def own_stems(text: str) -> list[frozenset[str]]:
    """Of each sentence of a text the stems that stand in no other one.

    >>> [sorted(stems) for stems in own_stems("Prices rose. The price fell in May.")]
    [['rose'], ['fell', 'may']]
    """
    stems = [content_stems(sentence) for sentence in split_sentences(text)]
    counts = Counter(stem for each in stems for stem in each)
    return [frozenset(stem for stem in each if counts[stem] == 1) for each in stems]


class CorpusWords:
    """What a corpus says about words: in how many sentences they stand, and their inflections.

    Repeated sentences count once.

    >>> corpus = CorpusWords(["Prices rise.", "The price rises in May.", "Prices fell."])
    >>> corpus.keywords("The price of bread rises.", 2), corpus.inflections("rises")
    (['rises', 'price'], ('rise', 'rises'))
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        self.frequency: Counter[str] = Counter()
        self._families: dict[str, set[str]] = {}
        for text in dict.fromkeys(sentences):
            distinct = set(words(text))
            self.frequency.update({_stem(word) for word in distinct})
            for word in distinct:
                self._families.setdefault(_stem(word), set()).add(word)

    def inflections(self, word: str) -> tuple[str, ...]:
        """The words of the corpus with the same stem, in lower case, sorted; at least the word."""
        lower = word.lower()
        return tuple(sorted(self._families.get(_stem(lower), set()) | {lower}))

    def keywords(self, sentence: str, n: int) -> list[str]:
        """At most n content words of at least three letters that the corpus has, one of each stem.

        The rarest come first, by the number of sentences with a word of the stem; ties by alphabet.
        """
        stems: dict[str, str] = {}
        for word in content_words(words(sentence)):
            if word.isalpha() and len(word) >= _SHORTEST:
                stems.setdefault(_stem(word), word)
        known = [word for stem, word in stems.items() if self.frequency[stem]]
        return sorted(known, key=lambda word: (self.frequency[_stem(word)], word))[: max(0, n)]
