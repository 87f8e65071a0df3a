"""Trees of open English: spaCy, and a user's own benepar, stanza or CoreNLP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from nltk.tree import Tree

from impossible.errors import ModelError
from impossible.filtering.constituency_parser import PARSER_MODELS
from impossible.filtering.dependency_words import Word, projective
from impossible.filtering.penn_phrases import project
from impossible.filtering.phrase_trees import is_word, make
from impossible.models.assets import asset_folder
from impossible.text.tree_edit_distance import format_tree, parse_bracketed

(SPACY,) = PARSER_MODELS["spacy"]
PARSED_AT_ONCE = 64  # sentences
_BENEPAR_MODEL = "benepar_en3"
ESCAPED = {"[": "-LSB-", "]": "-RSB-", "{": "-LCB-", "}": "-RCB-"}


def optional(library: str, parser: str, install: str) -> Any:
    """A library that a parser needs and this package does not.

    Raises:
        ModelError: it is not installed, with the command that installs it.
    """
    try:
        return import_module(library)
    except ImportError as absent:
        raise ModelError(
            f"parser: {parser} needs the library {library}, which is not installed ({absent}): "
            f"`{install}`, or take `parser: spacy`."
        ) from absent


def load_spacy() -> Any:
    """spaCy's English pipeline: tags, dependencies, sentence boundaries.

    Raises:
        ModelError: the asset was not fetched.
    """
    folder = asset_folder(SPACY)
    import spacy

    return spacy.load(folder, exclude=["ner", "lemmatizer"])


class SpacyParser:
    """spaCy's dependencies, projected to Penn phrases (`penn_phrases`); about 200 sentences/s.

    The model is the asset `pypi:spacy-en-core-web-sm`, never fetched silently.

    >>> SpacyParser().parse_many([])
    []
    """

    @cached_property
    def _model(self) -> Any:
        return load_spacy()

    def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
        """A tree of each text, None where there is no word."""
        if not sentences:
            return []
        texts = (" ".join(text.split()) for text in sentences)
        return [tree_of(doc) for doc in self._model.pipe(texts, batch_size=PARSED_AT_ONCE)]


def tree_of(doc: Any) -> str | None:
    """The tree of a parsed spaCy `Doc`."""
    return penn_tree(
        [token.text for token in doc],
        [token.tag_ for token in doc],
        [token.dep_ for token in doc],
        [token.head.i for token in doc],
    )


def penn_tree(
    words: Sequence[str], tags: Sequence[str], roles: Sequence[str], heads: Sequence[int]
) -> str | None:
    """The phrases of a text, as a bracketed tree; several sentences stand side by side under S.

    Args:
        words: of the text.
        tags: Penn tags.
        roles: labels of the dependencies.
        heads: position of each word's head; a root is its own.

    Returns:
        The tree, None without words.

    >>> penn_tree(["Rain", "fell", "."], ["NN", "VBD", "."], ["nsubj", "ROOT", "punct"], [1, 1, 1])
    '(S (NP (NN Rain)) (VP (VBD fell)) (. .))'
    """
    if not words:
        return None
    found = [
        Word(i, tag or "XX", role) for i, (tag, role) in enumerate(zip(tags, roles, strict=True))
    ]
    for i, word in enumerate(found):
        if word.tag == "IN" and words[i].lower() == "to":
            word.tag = "TO"
    roots: list[Word] = []
    for word, head in zip(found, projective(heads), strict=True):
        word.head = None if head < 0 else found[head]
        (roots if word.head is None else word.head.kids).append(word)
    for root in roots:
        root.question = any(words[kid.place] == "?" for kid in root.kids)
    trees = [project(root) for root in roots]
    if len(trees) > 1 or is_word(trees[0]):
        trees = [make("S" if len(trees) > 1 else "FRAG", trees)]
    return format_tree(_with_words(trees[0], words))


def _with_words(tree: Tree, words: Sequence[str]) -> Tree:
    if is_word(tree):
        tag, word = tree.label(), words[tree[0]]
        shown = tag if word in {'"', "“", "”"} and tag in {"``", "''"} else ESCAPED.get(word, word)
        return Tree(format_tree(tag), [shown])
    return Tree(tree.label(), [_with_words(part, words) for part in tree])


def as_one_tree(trees: Iterable[str]) -> str | None:
    """The trees of a text's sentences as one: alone as it is, several under S, None of none.

    >>> as_one_tree(["(ROOT (S (NN rain)))", "(INTJ (UH ah))"])
    '(S (S (NN rain)) (INTJ (UH ah)))'
    """
    found = [parse_bracketed(tree) for tree in trees]
    if len(found) > 1:
        found = [Tree("S", found)]
    return format_tree(found[0]) if found else None


class BeneparParser:
    """The Berkeley neural parser (Kitaev and Klein 2018), on the sentences of the spaCy model."""

    def __init__(self) -> None:
        library = optional("benepar", "benepar", "pip install benepar")
        self._pipe = load_spacy()
        try:
            self._pipe.add_pipe(library.__name__, config={"model": _BENEPAR_MODEL})
        except LookupError as absent:
            raise ModelError(
                f"parser: benepar finds no model {_BENEPAR_MODEL}: "
                f"`python -m benepar.download {_BENEPAR_MODEL}` once."
            ) from absent

    def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
        """A tree of each text, None where there is no word."""
        docs = self._pipe.pipe(
            (" ".join(text.split()) for text in sentences), batch_size=PARSED_AT_ONCE
        )
        return [as_one_tree(part._.parse_string for part in doc.sents) for doc in docs]


class StanzaParser:
    """stanza's constituency parser (Qi et al. 2020); its models are fetched by the user."""

    def __init__(self) -> None:
        stanza = optional("stanza", "stanza", "pip install stanza")
        try:
            self._pipe = stanza.Pipeline(
                "en", processors="tokenize,pos,constituency", download_method=None, verbose=False
            )
        except Exception as absent:  # of classes of its own, by version
            raise ModelError(
                f"parser: stanza has no English models ({absent}): "
                "`python -c \"import stanza; stanza.download('en')\"` once."
            ) from absent

    def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
        """A tree of each text, None where there is no word."""
        return [
            as_one_tree(str(part.constituency) for part in self._pipe(text).sentences)
            if text.strip()
            else None
            for text in sentences
        ]


class CoreNlpParser:
    """A CoreNLP server that the user runs, the parser of the paper."""

    def __init__(self, url: str = "http://localhost:9000") -> None:
        self._url = url

    def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
        """A tree of each text, None where there is no word.

        Raises:
            ModelError: no server answers.
        """
        return [self._parsed(text) if text.strip() else None for text in sentences]

    def _parsed(self, text: str) -> str | None:
        asked = json.dumps({"annotators": "tokenize,ssplit,pos,parse", "outputFormat": "json"})
        url = f"{self._url}/?{urlencode({'properties': asked})}"
        try:
            with urlopen(Request(url, text.encode()), timeout=60) as answer:
                found = json.load(answer)
        except (OSError, ValueError) as silent:
            raise ModelError(
                f"parser: corenlp gets no answer from {self._url} ({silent}): start the server "
                "(`java edu.stanford.nlp.pipeline.StanfordCoreNLPServer`), or take `parser: spacy`."
            ) from silent
        return as_one_tree(" ".join(part["parse"].split()) for part in found["sentences"])
