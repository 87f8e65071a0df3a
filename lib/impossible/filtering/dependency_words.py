"""Words with their dependents: projective, and with chains of conjuncts taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

SUBJECTS = {"nsubj", "nsubjpass", "csubj", "csubjpass", "expl"}
AUXILIARIES = {"aux", "auxpass"}
WH = {"WP", "WP$", "WDT", "WRB"}


@dataclass(eq=False)
class Word:
    """A word and its dependents, in order; `role` is its dependency's label."""

    place: int
    tag: str
    role: str
    head: Word | None = None
    kids: list[Word] = field(default_factory=list)
    question: bool = False  # the sentence's root, and the sentence ends with a question mark

    @property
    def verbal(self) -> bool:
        """A verb in a verb's place."""
        verb = self.tag.startswith("VB") or self.tag == "MD"
        return verb and self.role not in {*AUXILIARIES, "amod", "compound", "prep"}

    @property
    def asks(self) -> bool:
        """A question word, or a phrase that holds one: `which cats`, `of whom`."""
        return self.tag in WH or (
            not self.verbal
            and any(
                k.tag in WH and k.role in {"poss", "det", "pobj", "advmod", "prep"}
                for k in self.kids
            )
        )


def projective(heads: Sequence[int]) -> list[int]:
    """Heads with −1 for roots; a word whose arc crosses others moves up until it crosses none."""
    lifted = [-1 if head == i else head for i, head in enumerate(heads)]

    def below(i: int, head: int) -> bool:
        while i not in (head, -1):
            i = lifted[i]
        return i == head

    crossing = True
    while crossing:
        crossing = False
        for i, head in enumerate(lifted):
            inside = range(min(i, head) + 1, max(i, head)) if head >= 0 else range(0)
            if not all(below(j, head) for j in inside):
                lifted[i], crossing = lifted[head], True
    return lifted


Member = tuple[Word, list[Word]]  # with what is its own


def conjuncts(kids: Iterable[Word]) -> list[Word]:
    """Those that continue a coordination begun by their head."""
    return [k for k in kids if k.role == "conj" and k.head and k.place > k.head.place]


def chain(word: Word) -> tuple[list[Member], list[Word], list[Word]]:
    """Conjuncts with what is their own, what stands between them, and what follows the last."""
    later = conjuncts(word.kids)
    if not later:
        return [(word, list(word.kids))], [], []
    first, last = later[0].place, later[-1].place
    inside = [k for k in word.kids if word.place < k.place < first]
    n = len(list(takewhile(lambda k: k.role in {"cc", "punct", "preconj"}, inside[::-1])))
    own = [k for k in word.kids if k.place < word.place] + inside[: len(inside) - n]
    between = [k for k in word.kids if k not in own and k.place < last and k not in later]
    after = [k for k in word.kids if k.place > last]
    members = [(word, own)]
    for conjunct in later:
        more, inner, rest = chain(conjunct)
        members += more
        between += inner + (rest if conjunct is not later[-1] else [])
        after = rest + after if conjunct is later[-1] else after
    return members, between, after


def sentence_end_marks(
    word: Word, kids: Sequence[Word], top: Word
) -> tuple[list[Word], list[Word]]:
    """What ends the sentence of a root, from the full stop on, belongs to its outermost clause."""
    if top.head is not None:
        return list(kids), []
    marks = list(takewhile(lambda k: k.role == "punct" and k.place > word.place, kids[::-1]))[::-1]
    stops = [i for i, k in enumerate(marks) if k.tag == "."]
    n = len(marks) - stops[0] if stops else int(bool(marks) and marks[-1].tag == "''")
    if stops and stops[0] and marks[stops[0] - 1].tag == "''":
        n += 1
    return list(kids[: len(kids) - n]), list(kids[len(kids) - n :])
