"""Written words: sentences to tokens and back, and the bracketed notation of trees."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\$?\d[\d,]*(?:\.\d+)?|'s|[A-Za-z]+\d*(?:-[a-z]+)?|[.,]")
VOWELS = tuple("aeiou")


def tokenize(sentence: str) -> list[str] | None:
    """Tokens of a sentence, or None when something in it is no token of this world.

    >>> tokenize("Halden's profit rose.")
    ['Halden', "'s", 'profit', 'rose', '.']
    >>> tokenize("Profit rose!") is None
    True
    """
    tokens = TOKEN.findall(sentence)
    return tokens if "".join(tokens) == sentence.replace(" ", "") else None


def detokenize(tokens: list[str]) -> str:
    """The written sentence: capital first letter, no blank before punctuation or 's.

    >>> detokenize(["halden", "'s", "profit", "rose", "."])
    "Halden's profit rose."
    """
    text = " ".join(tokens)
    for mark in (",", ".", "'s"):
        text = text.replace(" " + mark, mark)
    return text[0].upper() + text[1:]


def leaves(tag: str, text: str) -> str:
    """The leaves of a run of words with one tag.

    >>> leaves("NN", "heavy rain")
    '(NN heavy) (NN rain)'
    """
    return " ".join(f"({tag} {word})" for word in text.split())


def verb_tree(tag: str, form: str) -> str:
    """A verb, perhaps with particles.

    >>> verb_tree("VBD", "carried out")
    '(VBD carried) (PRT (RP out))'
    """
    verb, *particles = form.split()
    tree = f"({tag} {verb})"
    return f"{tree} (PRT {leaves('RP', ' '.join(particles))})" if particles else tree


def words_of(tree: str) -> list[str]:
    """The words of a bracketed tree ("@", the open place of a head phrase, counts as one).

    >>> words_of("(NP (DT the) (NN fire))")
    ['the', 'fire']
    """
    return re.findall(r" ([^\s()]+)\)", tree)


def article(word: str) -> str:
    """The indefinite article before this word: a or an."""
    return "an" if word.startswith(VOWELS) else "a"
