"""Trees whose leaves are places of words: building phrases, and what stands beside what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from nltk.tree import Tree

from impossible.filtering.dependency_words import Word

#: Phrase of a word by the beginning of its tag.
PHRASE_LABELS = {
    "NN": "NP", "PR": "NP", "EX": "NP", "CD": "NP", "WP": "NP", "WD": "NP", "FW": "NP", "$": "NP",
    "#": "NP", "DT": "NP", "PD": "NP", "JJ": "ADJP", "VB": "ADJP", "RB": "ADVP", "WR": "ADVP",
    "IN": "PP", "TO": "PP", "UH": "INTJ", "RP": "PRT", "CC": "CONJP", "LS": "LST",
}  # fmt: skip


def leaf(word: Word) -> Tree:
    """A word under its tag."""
    return Tree(word.tag, [word.place])


def is_word(tree: Tree) -> bool:
    """Whether this is a word under its tag."""
    return isinstance(tree[0], int)


def is_mark(tree: Tree, *tags: str) -> bool:
    """Whether this is a word with one of the tags, mostly of punctuation."""
    return is_word(tree) and tree.label() in tags


def start(tree: Tree | int) -> int:
    """Place of the first word."""
    return tree if isinstance(tree, int) else start(tree[0])


def make(label: str, parts: Iterable[Tree]) -> Tree:
    """A phrase: its parts in order, brackets grouped, commas at the edges of clauses outside."""
    return Tree(label, bracketed(commas_out(sorted(parts, key=start))))


def commas_out(parts: Sequence[Tree]) -> list[Tree]:
    """Commas at the edge of a part, and brackets open in it, stand beside it.

    The comma that closes a noun phrase stays: it ends an apposition.
    """
    out: list[Tree] = []
    for part in parts:
        if is_word(part) or part.label() == "PRN" or len(part) < 2:
            out.append(part)
            continue
        whole = any(is_mark(each, "-LRB-") for each in part) == any(
            is_mark(each, "-RRB-") for each in part
        )
        begins = is_mark(part[0], ",") or (not whole and is_mark(part[0], "-LRB-"))
        ends = is_mark(part[-1], ",") and part.label() != "NP"
        ends = (ends or (not whole and is_mark(part[-1], "-RRB-"))) and len(part) - begins > 1
        core = part[int(begins) : len(part) - int(ends)]
        out += [*part[: int(begins)], Tree(part.label(), core), *part[len(part) - int(ends) :]]
    return out


def bracketed(parts: list[Tree]) -> list[Tree]:
    """Parts from an opening bracket to its closing one make a PRN, unless they are all."""
    opened = None
    for i, part in enumerate(parts):
        if is_mark(part, "-LRB-"):
            opened = i
        elif is_mark(part, "-RRB-") and opened is not None and (opened, i) != (0, len(parts) - 1):
            return [
                *parts[:opened],
                Tree("PRN", parts[opened : i + 1]),
                *bracketed(parts[i + 1 :]),
            ]
    return parts


def flat_words(first: Tree, others: Sequence[Tree]) -> list[Tree]:
    """The others as words, where all are single words of one kind: `the cats and dogs`."""
    words = [other if is_word(other) else other[0] for other in others if len(other) == 1]
    short = len(words) == len(others) and all(map(is_word, [*first, *words]))
    alike = {PHRASE_LABELS.get(word.label()[:2]) for word in words} == {first.label()}
    return words if short and alike else []


def _unquoted(part: Tree) -> list[Tree]:
    """The quotation mark that opens a clause and is closed outside it stands beside the clause."""
    if part.label() != "S" or len(part) < 2 or any(is_mark(each, "''") for each in part):
        return [part]
    first = [part[0]] if is_mark(part[0], "``") else _unquoted(part[0])
    if not is_mark(first[0], "``"):
        return [part]
    return [first[0], Tree("S", [*first[1:], *part[1:]])]


def sentence_parts(parts: Iterable[Tree]) -> list[Tree]:
    """Parts of a clause in order, with quotations, interposed clauses and appositions set right."""
    out: list[Tree] = []
    for part in commas_out(sorted(parts, key=start)):
        out += _unquoted(part)
    for i in range(len(out) - 2, 1, -1):  # it rained, he said, in May
        says = out[i].label() in {"S", "SINV"} and any(each.label() == "NP" for each in out[i])
        aside = out[i].label() in {"PP", "ADVP"} and out[i - 2].label() == "NP"
        if (says or aside) and is_mark(out[i - 1], ",") and is_mark(out[i + 1], ","):
            out[i - 1 : i + 2] = [Tree("PRN", out[i - 1 : i + 2])]
    for i in range(len(out) - 2, 0, -1):  # Mr. Vinken, 61 years old, joined
        apposed = out[i - 1].label() == "NP" and any(is_mark(each, ",") for each in out[i - 1])
        if apposed and is_mark(out[i], ",") and out[i + 1].label() in {"VP", "ADVP"}:
            out[i - 1 : i + 1] = [Tree("NP", [*out[i - 1], out[i]])]
    if len(out) > 3 and out[0].label() == "S" and is_mark(out[1], ":"):  # it rained; he left
        n = len(out) - len(list(takewhile(lambda each: is_mark(each, ".", "''"), out[::-1])))
        if n > 3:
            out[2:n] = [Tree("S", out[2:n])]
    return out
