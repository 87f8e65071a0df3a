"""Where constituency trees come from: the place that CoreNLP has in the paper."""

from __future__ import annotations

from collections import ChainMap, OrderedDict
from collections.abc import Mapping, Sequence

import pandas as pd

from impossible.config import plugins
from impossible.errors import ParameterError
from impossible.filtering.critic import Parser

PARSERS = {
    "grammar": "impossible.world.trees:GrammarParser",
    "flat": "impossible.filtering.constituency_parser:FlatParser",
    "spacy": "impossible.filtering.english_parsers:SpacyParser",
    "benepar": "impossible.filtering.english_parsers:BeneparParser",
    "stanza": "impossible.filtering.english_parsers:StanzaParser",
    "corenlp": "impossible.filtering.english_parsers:CoreNlpParser",
}

#: Models that a parser loads, for `impossible fetch` and `impossible doctor`.
PARSER_MODELS = dict.fromkeys(("spacy", "benepar"), ("pypi:spacy-en-core-web-sm",))

#: Trees that are held in memory, which long work must not fill. A run of more sentences, as the
#: 18,800 different ones of `english-full` are, parses some of them twice.
TREES_HELD = 2**14


class FlatParser:
    """Finds no tree, so that pairs are compared as flat trees, which is word edit distance."""

    def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
        """None for each."""
        return [None] * len(sentences)


class Trees:
    """The trees of a run: a sentence is parsed once, unless `TREES_HELD` others came in between.

    Args:
        parser: is asked for what is not known yet.
        known: sentence → its tree or None, for example from `data/trees`.

    >>> Trees(FlatParser(), {"A dog barked.": "(S …)"}).parse_many(["A dog barked.", "Rain fell."])
    ['(S …)', None]
    """

    def __init__(self, parser: Parser, known: Mapping[str, str | None] | None = None) -> None:
        self.parser = parser
        self._known = dict(known or {})
        self._recent: OrderedDict[str, str | None] = OrderedDict()

    def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
        """A bracketed tree of each sentence, None where there is none."""
        known = ChainMap(self._recent, self._known)
        found = {text: known[text] for text in sentences if text in known}
        fresh = [text for text in dict.fromkeys(sentences) if text not in found]
        if fresh:
            new = dict(zip(fresh, self.parser.parse_many(fresh), strict=True))
            found |= new
            self._recent |= new
        while len(self._recent) > TREES_HELD:
            self._recent.popitem(last=False)
        return [found[text] for text in sentences]

    def __call__(self, sentence: str) -> str | None:
        """The tree of one sentence."""
        return self.parse_many([sentence])[0]

    def frame(self, sentences: Sequence[str]) -> pd.DataFrame:
        """TREES of different sentences, to be stored once per run."""
        texts = list(dict.fromkeys(sentences))
        return pd.DataFrame({"text": texts, "tree": self.parse_many(texts)}, dtype=object)


def load_parser(name: str, known: Mapping[str, str | None] | None = None) -> Trees:
    """The parser that the parameter `parser` names.

    Args:
        name: "grammar" (the laboratory's; no tree outside it), "flat" (never a tree), "spacy" (open
            English), "benepar", "stanza" or "corenlp" (if you have them), or `module:Class` of your
            own with a method `parse_many`.
        known: as for `Trees`.

    Raises:
        ParameterError: an unknown name.
    """
    if name not in PARSERS and ":" not in name:
        raise ParameterError(
            f"There is no parser {name!r}: give one of {', '.join(PARSERS)}, or module:Class."
        )
    kind = plugins.load_plugin(PARSERS.get(name, name))
    if not hasattr(kind, "parse_many"):
        raise ParameterError(f"parser = {name!r} has no method parse_many: name a class that has.")
    return Trees(kind(), known)
