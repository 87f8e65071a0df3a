"""A tokenizer's vocabulary as bytes: what each token writes, and which tokens end a text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impossible.generation.constrained.constraints import ConstraintError

__all__ = ["Vocabulary", "token_bytes"]

Ints = NDArray[np.int32]


def token_bytes(tokenizer: Any) -> list[bytes]:
    """The bytes that each token writes (byte-level BPE, or pieces with "▁" or "</w>" for a blank).

    A byte-level tokenizer writes bytes as printable characters: those of Latin-1 that are printable
    stand for themselves, the others follow from U+0100 on (GPT-2's table).
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    table = {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(rest)}
    special = set(tokenizer.all_special_ids)
    pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    texts = ["" if i in special or piece is None else piece for i, piece in enumerate(pieces)]
    if all(character in table for text in texts for character in text):
        return [bytes(table[character] for character in text) for text in texts]
    return [text.replace("▁", " ").replace("</w>", " ").encode() for text in texts]


@dataclass(frozen=True)
class Vocabulary:
    """Tokens as the automaton reads them.

    Args:
        texts: bytes of each token.
        stops: tokens that end the text, such as the end of text; they stand for a boundary.
        marks: characters that end a sentence: a token that holds one is allowed only when all
            clauses hold, and one that ends with one is an end. "": only `stops` end.
        unusable: tokens that other rules forbid.
    """

    texts: tuple[bytes, ...]
    stops: frozenset[int] = frozenset()
    marks: str = ""
    unusable: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not self.stops and not self.marks:
            raise ConstraintError("a text must be able to end: name stops or marks")

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, tokenizer: Any, marks: str = "", banned: tuple[str, ...] = ()) -> Vocabulary:
        """That of a tokenizer; tokens with a banned character, and special ones, are unusable."""
        texts = token_bytes(tokenizer)
        stops = frozenset({tokenizer.eos_token_id} - {None})
        wrong = [text.encode() for text in banned]
        out = {i for i, text in enumerate(texts) if not text or any(b in text for b in wrong)}
        return cls(tuple(texts), stops, marks, frozenset(out - stops))

    @cached_property
    def groups(self) -> list[tuple[int, NDArray[np.int64], Ints, Ints]]:
        """Usable tokens by first byte: (byte, tokens, bytes of each, lengths), longest first."""
        heads: dict[int, list[tuple[bytes, int]]] = {}
        for token, text in enumerate(self.texts):
            if token not in self.unusable:
                read = b"\n" if token in self.stops else text
                if read:
                    heads.setdefault(read[0], []).append((read, token))
        found = []
        for head, pairs in heads.items():
            pairs.sort(key=lambda pair: (-len(pair[0]), pair[1]))
            matrix = np.zeros((len(pairs), len(pairs[0][0])), np.int32)
            for row, (read, _) in enumerate(pairs):
                matrix[row, : len(read)] = list(read)
            sizes = np.array([len(read) for read, _ in pairs], np.int32)
            found.append((head, np.array([token for _, token in pairs]), matrix, sizes))
        return found

    @cached_property
    def kinds(self) -> Ints:
        """0: no end in it, 1: holds an end mark, 2: ends the text or sentence; shape (tokens,)."""
        marks = self.marks.encode()
        kinds = np.zeros(len(self.texts), np.int32)
        for token, text in enumerate(self.texts):
            if token in self.stops or (text and text[-1] in marks):
                kinds[token] = 2
            elif any(byte in marks for byte in text):
                kinds[token] = 1
        return kinds
