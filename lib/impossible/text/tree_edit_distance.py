"""Constituency trees as bracketed strings, and the distance between them.

A tree is written ``(S (NP (DT the) (NN cat)) (VP (VBD sat)))``. The tree edit distance (TED) is
the least number of inserted, deleted and renamed nodes (unit costs), by the algorithm of Zhang and
Shasha (1989); bounds that cost little decide most comparisons with a threshold without it.

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
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from nltk.tree import Tree
from rapidfuzz.distance import Levenshtein

from impossible.errors import DataError

_Node = tuple[Any, ...]  # (label, *children), each a node; a word is a node without children
_cached = lru_cache(maxsize=2**12)  # trees, more than a context has: long work keeps no others
_cached_parts = lru_cache(maxsize=2**15)  # of trees: they are small, and recur in many contexts


def parse_bracketed(text: str) -> Tree:
    """Read one bracketed tree; an outer ``( … )``, ``(ROOT … )`` or ``(TOP … )`` is taken off.

    Raises:
        DataError: when brackets do not match or something follows the tree.

    >>> parse_bracketed("(ROOT (NP (NN cat)))")
    Tree('NP', [Tree('NN', ['cat'])])
    """
    try:
        tree = Tree.fromstring(text)
    except ValueError as bad:
        raise DataError(
            f"Not one bracketed tree: {text[:60]!r}; write it as "
            "'(S (NP (NN rain)) (VP (VBD fell)))'."
        ) from bad
    while tree.label() in ("", "ROOT", "TOP") and len(tree) == 1 and isinstance(tree[0], Tree):
        tree = tree[0]
    return tree


def format_tree(tree: Tree | str) -> str:
    """Write a tree as a bracketed string; brackets inside words become ``-LRB-`` and ``-RRB-``."""
    if isinstance(tree, str):
        return tree.replace("(", "-LRB-").replace(")", "-RRB-")
    return f"({' '.join(map(format_tree, [str(tree.label()), *tree]))})"


def top_layers(tree: str, layers: int = 3, with_words: bool = False) -> str:
    """Keep the top `layers` layers of nodes (the S is layer 1, a ROOT above it none): TED-3's tree.

    Words are removed first unless `with_words`.

    >>> top_layers("(S (NP (DT the) (NN cat)) (VP (VBD sat)))", 2)
    '(S (NP) (VP))'
    """

    def top(node: Tree | str, left: int) -> Tree | str:
        if isinstance(node, str):
            return node
        kept = [child for child in node if with_words or isinstance(child, Tree)]
        return Tree(node.label(), [top(child, left - 1) for child in kept] if left > 1 else [])

    return format_tree(top(parse_bracketed(tree), layers))


def flat_tree(sentence: str) -> str:
    """The tree of a sentence that does not parse: its tokens, side by side, under one S.

    Each token is its own part of speech, so that the distance of two flat trees is the word edit
    distance of the sentences, whether or not words count.

    >>> flat_tree("It fell.")
    '(S (It It) (fell fell) (. .))'
    """
    tokens = re.findall(r"\w+(?:['\u2019.,]\w+)*|[^\w\s]", sentence)
    return format_tree(Tree("S", [Tree(format_tree(token), [token]) for token in tokens]))


def pair_trees(x: str, y: str, parser: Callable[[str], str | None]) -> tuple[str, str, bool]:
    """Trees of two sentences and whether the fallback was used.

    If either sentence does not parse, both get a `flat_tree`: a tree and a flat tree would be far
    apart for no other reason than the parser's.
    """
    tx, ty = parser(x), parser(y)
    if tx is None or ty is None:
        return flat_tree(x), flat_tree(y), True
    return tx, ty, False


def ted(a: str, b: str, with_words: bool = False) -> int:
    """Tree edit distance of two bracketed trees (paper section 3.2: TED ≥ 12), exact.

    >>> ted("(S (NP (NN rain)) (VP (VBD fell)))", "(S (RB then) (NP (NNS men)) (VBD left))")
    3
    """
    return _exact(*sorted((a, b)), with_words)


def ted_bounds(a: str, b: str, with_words: bool = False) -> tuple[int, int]:
    """Cheap bounds ``lower ≤ ted(a, b) ≤ upper``.

    Lower: an edit of a tree changes its labels in preorder (and in postorder) by one edit or none,
    so the string edit distance of either sequence is a lower bound (Guha et al. 2002); so is the
    distance of the bags of labels. Upper: Selkow's distance (1977), in which only whole subtrees
    are inserted and deleted: its edits are edits, so the best unrestricted ones are no more.
    """
    return _lower(a, b, with_words), _selkow(_nodes(a, with_words), _nodes(b, with_words))


def at_least(a: str, b: str, threshold: float, with_words: bool = False) -> tuple[bool, int | None]:
    """Whether ``ted(a, b) ≥ threshold``, and the exact distance if it had to be computed.

    >>> at_least("(S (A a))", "(S (B b) (C c) (D d) (E e))", 3)
    (True, None)
    """
    if _lower(a, b, with_words) >= threshold:
        return True, None
    if _selkow(_nodes(a, with_words), _nodes(b, with_words)) < threshold:
        return False, None
    exact = ted(a, b, with_words)
    return exact >= threshold, exact


@_cached
def _exact(a: str, b: str, with_words: bool) -> int:
    """Zhang and Shasha's algorithm: trees of keyroots, each by a table over prefixes of postorder.

    `between[x][y]` becomes the distance of the subtrees whose roots are the x-th and y-th node.
    """
    (labels_a, first_a, keyroots_a), (labels_b, first_b, keyroots_b) = (
        _postorder(a, with_words), _postorder(b, with_words)
    )  # fmt: skip
    between = [[0] * len(labels_b) for _ in labels_a]
    for i in keyroots_a:
        for j in keyroots_b:
            start_a, start_b = first_a[i], first_b[j]
            columns = range(start_b, j + 1)
            rows = [list(range(len(columns) + 1))]  # rows[m][n]: the first m and n nodes
            for x in range(start_a, i + 1):
                above, found, label = rows[-1], between[x], labels_a[x]
                before = rows[first_a[x] - start_a]  # the nodes left of the subtree of x
                whole = first_a[x] == start_a
                least = above[0] + 1
                row = [least]
                for n, y in enumerate(columns, 1):
                    left = first_b[y]
                    least = min(least, above[n]) + 1
                    if whole and left == start_b:
                        least = found[y] = min(least, above[n - 1] + (label != labels_b[y]))
                    else:
                        least = min(least, before[left - start_b] + found[y])
                    row.append(least)
                rows.append(row)
    return between[-1][-1]


@_cached
def _postorder(text: str, with_words: bool) -> tuple[list[str], list[int], list[int]]:
    """Labels in postorder, the first node of each one's subtree, and the keyroots.

    A keyroot is the last node of those whose subtrees begin at the same node.
    """
    labels, first = list[str](), list[int]()

    def walk(node: _Node) -> int:
        begins = [walk(child) for child in node[1:]]
        labels.append(node[0])
        first.append(begins[0] if begins else len(first))
        return first[-1]

    walk(_nodes(text, with_words))
    return labels, first, sorted({begin: i for i, begin in enumerate(first)}.values())


@_cached
def _nodes(text: str, with_words: bool) -> _Node:
    """The tree as nodes only: words are dropped, or made nodes without children."""

    def nodes(tree: Tree | str) -> _Node:
        if isinstance(tree, str):
            return (tree,)
        kept = (child for child in tree if with_words or isinstance(child, Tree))
        return (tree.label(), *map(nodes, kept))

    return nodes(parse_bracketed(text))


@_cached
def _labels(text: str, with_words: bool) -> tuple[list[str], list[str], Counter[str]]:
    """Labels in preorder and in postorder, and their bag."""

    def preorder(node: _Node) -> list[str]:
        return [node[0], *(label for child in node[1:] for label in preorder(child))]

    def postorder(node: _Node) -> list[str]:
        return [*(label for child in node[1:] for label in postorder(child)), node[0]]

    root = _nodes(text, with_words)
    return (before := preorder(root)), postorder(root), Counter(before)


def _lower(a: str, b: str, with_words: bool) -> int:
    (pre_a, post_a, bag_a), (pre_b, post_b, bag_b) = _labels(a, with_words), _labels(b, with_words)
    bags = max((bag_a - bag_b).total(), (bag_b - bag_a).total())
    return max(bags, Levenshtein.distance(pre_a, pre_b), Levenshtein.distance(post_a, post_b))


@_cached_parts
def _size(node: _Node) -> int:
    return 1 + sum(map(_size, node[1:]))


@_cached_parts
def _selkow(a: _Node, b: _Node) -> int:
    """Selkow's distance: the roots are matched, their children aligned, the rest whole subtrees."""
    if a == b:
        return 0
    row = [0]
    for y in b[1:]:
        row.append(row[-1] + _size(y))
    for x in a[1:]:
        previous, row = row, [row[0] + _size(x)]
        for j, y in enumerate(b[1:]):
            deleted, inserted = previous[j + 1] + _size(x), row[j] + _size(y)
            row.append(min(deleted, inserted, previous[j] + _selkow(x, y)))
    return row[-1] + int(a[0] != b[0])
