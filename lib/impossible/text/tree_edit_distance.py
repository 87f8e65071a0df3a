"""Constituency trees as bracketed strings, and the distance between them.

A tree is written ``(S (NP (DT the) (NN cat)) (VP (VBD sat)))``. Parsed, a node is a tuple
``(label, child, …)`` and a word a plain string; a node without children is written ``(DT)``. The
tree edit distance (TED) is the least number of inserted, deleted and renamed nodes (unit costs),
computed by the `apted` library.

Do words count? By default they do not. The paper does not say, but its figures answer. In Table 4
the outputs have TED-F 8.5 to the parse of an exemplar that shares hardly a word with them, in
sentences of about 12 words: with words the distance would exceed the number of words. And two
unrelated Penn Treebank sentences of 10-14 words are 20 apart without words and 33 with them (20-25
words: 39 and 64), beside 14-17 for ParaBank and 30 for DIMPLE in Table 1. Chen et al. (2019), whose
exemplar test sets the paper uses, remove the words as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from apted import APTED

from impossible.errors import DataError

__all__ = [
    "Tree", "at_least", "flat_tree", "format_tree", "pair_trees", "parse_bracketed",
    "strip_words", "ted", "ted_bounds", "top_layers",
]  # fmt: skip

Tree = tuple[Any, ...]  # (label: str, *children: Tree | str); a str child is a word
_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_ROOTS = frozenset(["", "ROOT", "TOP"])
_CACHE = 2**15


def parse_bracketed(text: str) -> Tree:
    """Read one bracketed tree; an outer ``( … )``, ``(ROOT … )`` or ``(TOP … )`` is taken off.

    Raises:
        DataError: when brackets do not match or something follows the tree.

    Example:
        >>> parse_bracketed("(ROOT (NP (NN cat)))")
        ('NP', ('NN', 'cat'))
    """
    stack: list[list[Any]] = [[]]
    tokens = _TOKEN.findall(text)
    for i, token in enumerate(tokens):
        if token == "(":
            labelled = i + 1 < len(tokens) and tokens[i + 1] not in "()"
            stack.append([] if labelled else [""])
        elif token == ")" and len(stack) > 1:
            node = tuple(stack.pop())
            stack[-1].append(node)
        elif token != ")" and len(stack) > 1:
            stack[-1].append(token)  # a label if it is the first, else a word
        else:
            break
    else:
        if len(stack) == 1 and len(stack[0]) == 1:
            return _without_root(stack[0][0])
    raise DataError(
        f"Not one bracketed tree: {text[:60]!r}; write it as '(S (NP (NN rain)) (VP (VBD fell)))'."
    )


def _without_root(tree: Tree) -> Tree:
    while tree[0] in _ROOTS and len(tree) == 2 and isinstance(tree[1], tuple):
        tree = tree[1]
    return tree


def format_tree(tree: Tree) -> str:
    """Write a tree as a bracketed string; brackets inside words become ``-LRB-`` and ``-RRB-``."""
    parts = [part if isinstance(part, tuple) else _escape(str(part)) for part in tree]
    return f"({' '.join(p if isinstance(p, str) else format_tree(p) for p in parts)})"


def _escape(text: str) -> str:
    return text.replace("(", "-LRB-").replace(")", "-RRB-")


def strip_words(tree: Tree) -> Tree:
    """Remove the words, keeping their part-of-speech nodes."""
    return (tree[0], *(strip_words(child) for child in tree[1:] if isinstance(child, tuple)))


def top_layers(tree: str, layers: int = 3, with_words: bool = False) -> str:
    """Keep the top `layers` layers of nodes (the S is layer 1, a ROOT above it none): TED-3's tree.

    Words are removed first unless `with_words`.

    Example:
        >>> top_layers("(S (NP (DT the) (NN cat)) (VP (VBD sat)))", 2)
        '(S (NP) (VP))'
    """
    parsed = parse_bracketed(tree)
    return format_tree(_top(parsed if with_words else strip_words(parsed), layers))


def _top(tree: Tree, layers: int) -> Tree:
    kept = tree[1:] if layers > 1 else ()
    return (tree[0], *(_top(c, layers - 1) if isinstance(c, tuple) else c for c in kept))


def flat_tree(sentence: str) -> str:
    """The tree of a sentence that does not parse: its tokens, side by side, under one S.

    Each token is its own part of speech, so that the distance of two flat trees is the word edit
    distance of the sentences, whether or not words count.

    Example:
        >>> flat_tree("It fell.")
        '(S (It It) (fell fell) (. .))'
    """
    tokens = re.findall(r"\w+(?:['\u2019.,]\w+)*|[^\w\s]", sentence)
    return format_tree(("S", *((token, token) for token in tokens)))


def pair_trees(x: str, y: str, parser: Callable[[str], str | None]) -> tuple[str, str, bool]:
    """Trees of two sentences and whether the fallback was used.

    If either sentence does not parse, both get a `flat_tree`: a tree and a flat tree would be far
    apart for no other reason than the parser's.
    """
    tx, ty = parser(x), parser(y)
    if tx is None or ty is None:
        return flat_tree(x), flat_tree(y), True
    return tx, ty, False


@lru_cache(maxsize=_CACHE)
def _nodes(text: str, with_words: bool) -> Tree:
    """The tree as nodes only: words are dropped, or made nodes without children."""
    tree = parse_bracketed(text)
    return _words_as_nodes(tree) if with_words else strip_words(tree)


def _words_as_nodes(tree: Tree) -> Tree:
    return (tree[0], *(_words_as_nodes(c) if isinstance(c, tuple) else (c,) for c in tree[1:]))


class _Node:
    """What `apted` expects of a node."""

    __slots__ = ("children", "name")

    def __init__(self, tree: Tree) -> None:
        self.name = tree[0]
        self.children = [_Node(child) for child in tree[1:]]


def ted(a: str, b: str, with_words: bool = False) -> int:
    """Tree edit distance of two bracketed trees (paper section 3.2: TED ≥ 12), exact.

    Example:
        >>> ted("(S (NP (NN rain)) (VP (VBD fell)))", "(S (RB then) (NP (NNS men)) (VBD left))")
        3
    """
    return _exact(*sorted((a, b)), with_words)


@lru_cache(maxsize=_CACHE)
def _exact(a: str, b: str, with_words: bool) -> int:
    ta, tb = _nodes(a, with_words), _nodes(b, with_words)
    return 0 if ta == tb else int(APTED(_Node(ta), _Node(tb)).compute_edit_distance())


def ted_bounds(a: str, b: str, with_words: bool = False) -> tuple[int, int]:
    """Cheap bounds ``lower ≤ ted(a, b) ≤ upper``.

    Lower: an edit of a tree changes its labels in preorder (and in postorder) by one edit or none,
    so the string edit distance of either sequence is a lower bound (Guha et al. 2002); so is the
    distance of the bags of labels. Upper: Selkow's distance (1977), in which only whole subtrees
    are inserted and deleted: its edits are edits, so the best unrestricted ones are no more.
    """
    fa, fb = _features(a, with_words), _features(b, with_words)
    return _lower(fa, fb), _selkow(_nodes(a, with_words), _nodes(b, with_words))


def at_least(a: str, b: str, threshold: float, with_words: bool = False) -> tuple[bool, int | None]:
    """Whether ``ted(a, b) ≥ threshold``, and the exact distance if it had to be computed.

    Example:
        >>> at_least("(S (A a))", "(S (B b) (C c) (D d) (E e))", 3)
        (True, None)
    """
    if _lower(_features(a, with_words), _features(b, with_words)) >= threshold:
        return True, None
    if _selkow(_nodes(a, with_words), _nodes(b, with_words)) < threshold:
        return False, None
    exact = ted(a, b, with_words)
    return exact >= threshold, exact


_Features = tuple[tuple[str, ...], tuple[str, ...], Counter[str]]


@lru_cache(maxsize=_CACHE)
def _features(text: str, with_words: bool) -> _Features:
    """Labels in preorder and in postorder, and their bag."""
    before: list[str] = []
    after: list[str] = []

    def visit(tree: Tree) -> None:
        before.append(tree[0])
        for child in tree[1:]:
            visit(child)
        after.append(tree[0])

    visit(_nodes(text, with_words))
    return tuple(before), tuple(after), Counter(before)


def _lower(a: _Features, b: _Features) -> int:
    bag = max((a[2] - b[2]).total(), (b[2] - a[2]).total())
    return max(bag, _levenshtein(a[0], b[0]), _levenshtein(a[1], b[1]))


def _levenshtein(a: Sequence[str], b: Sequence[str]) -> int:
    """String edit distance, bit-parallel (Myers 1999 as restated by Hyyrö 2003)."""
    if not a:
        return len(b)
    masks: dict[str, int] = {}
    for i, label in enumerate(a):
        masks[label] = masks.get(label, 0) | (1 << i)
    full, top = (1 << len(a)) - 1, 1 << (len(a) - 1)
    plus, minus, distance = full, 0, len(a)
    for label in b:
        match = masks.get(label, 0)
        diagonal = (((match & plus) + plus) ^ plus) | match | minus
        up = minus | (~(diagonal | plus) & full)
        down = plus & diagonal
        distance += bool(up & top) - bool(down & top)
        up = (up << 1 | 1) & full
        plus = (down << 1 | ~(diagonal | up)) & full
        minus = up & diagonal
    return distance


@lru_cache(maxsize=_CACHE)
def _size(tree: Tree) -> int:
    return 1 + sum(map(_size, tree[1:]))


@lru_cache(maxsize=_CACHE)
def _selkow(a: Tree, b: Tree) -> int:
    """Selkow's distance: the roots are matched, their children aligned, the rest whole subtrees."""
    if a == b:
        return 0
    xs, ys = a[1:], b[1:]
    row: list[int] = [0]
    for y in ys:
        row.append(row[-1] + _size(y))
    for x in xs:
        previous, row = row, [row[0] + _size(x)]
        for j, y in enumerate(ys):
            row.append(
                min(previous[j + 1] + _size(x), row[j] + _size(y), previous[j] + _selkow(x, y))
            )
    return row[-1] + int(a[0] != b[0])
