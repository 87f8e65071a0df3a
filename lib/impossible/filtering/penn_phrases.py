"""Dependencies of an English sentence, projected to the phrases of the Penn Treebank.

Every word makes a phrase of itself and of what depends on it, labelled by its tag
(`PHRASE_LABELS`). What stands left of a verb's first auxiliary, or of the verb, is outside its verb
phrase. Phrases are cut
out of a projective tree at places between words, so that the words stay in order whatever the
parser says. Labels of dependencies are those of spaCy's English models (ClearNLP).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from nltk.tree import Tree

from impossible.filtering.dependency_words import (
    AUXILIARIES,
    SUBJECTS,
    Member,
    Word,
    chain,
    conjuncts,
    sentence_end_marks,
)
from impossible.filtering.phrase_trees import (
    PHRASE_LABELS,
    flat_words,
    is_word,
    leaf,
    make,
    sentence_parts,
)

BARE_ROLES = {*AUXILIARIES, "neg", "punct", "cc", "mark", "case", "det", "predet", "preconj"}
CLAUSES = SUBJECTS | {
    "ROOT", "advcl", "relcl", "ccomp", "parataxis", "acl", "xcomp", "pcomp", "dep",
}  # fmt: skip
NOUN_ROLES = SUBJECTS | {
    "dobj",
    "pobj",
    "attr",
    "appos",
    "iobj",
    "dative",
    "oprd",
    "npadvmod",
    "conj",
}
MODIFIERS = {"compound", "nummod", "amod", "quantmod", "nmod", "det"}  # one word: no phrase
QUANTITY = {"quantmod", "compound", "advmod", "nummod", "nmod"}  # of a number: $, 25, about
BEFORE = {"cc", "punct", "advmod", "mark", "neg", "dep", "npadvmod", "prep"}  # of a conjunction
FINITE = {"VBD", "VBP", "VBZ", "MD"}
QUESTIONED = {"NP": "WHNP", "ADVP": "WHADVP", "PP": "WHPP", "ADJP": "WHADJP"}


def project(word: Word) -> Tree:
    """The phrase of a word and all that depends on it."""
    return _single(word, word.kids) if not conjuncts(word.kids) else _coordination(word)


def _all(words: Iterable[Word]) -> list[Tree]:
    return [project(word) for word in words]


def _single(word: Word, kids: Sequence[Word]) -> Tree:
    """The phrase of a word with some of its dependents."""
    tag, label = word.tag, PHRASE_LABELS.get(word.tag[:2], "X")
    if word.verbal:
        return _clause_of(word, kids)
    if word.role == "prep" and kids:
        return make("PP", [leaf(word), *_all(kids)])
    named = tag[:2] in {"JJ", "VB", "DT", "PD"} and any(k.role == "det" for k in kids)
    noun = label == "NP" and tag[:2] not in {"DT", "PD"}
    if noun or (word.role in NOUN_ROLES and (named or tag in {"DT", "PDT"})):
        return _noun_phrase(word, kids)
    head = word.head
    bare = word.role in BARE_ROLES | {"amod", "nmod", "compound"}
    if label == "ADVP" and head is not None and word.place < head.place:
        bare = bare or head.tag[:2] in {"JJ", "RB", "CD", "IN", "WR", "DT"}
    if not kids and (
        bare or (label in {"X", "PP", "CONJP"} and word.role not in {"prep", "agent"})
    ):
        return leaf(word)
    if not kids and label == "NP":
        return leaf(word)
    return make(label, [leaf(word), *_all(kids)])


def _noun_phrase(word: Word, kids: Sequence[Word]) -> Tree:
    """Determiners, modifiers, numbers and the noun make one phrase; what follows is put beside."""
    if not kids and (word.tag == "PRP$" or word.role in MODIFIERS):
        return leaf(word)
    if word.tag in {"CD", "$"} and word.role in QUANTITY:
        return make("QP", [leaf(word), *_all(kids)])
    left = [k for k in kids if k.place < word.place]
    right = [k for k in kids if k.place > word.place]
    case = list(takewhile(lambda k: k.role == "case", right))
    base = [leaf(word), *_all(case)]
    if word.tag == "CD":
        n = len(list(takewhile(lambda k: k.role in QUANTITY and k.tag[:2] != "NN", left[::-1])))
        left, amount = left[: len(left) - n], left[len(left) - n :]
        much = len(amount) > 1 or (amount and amount[0].tag not in {"$", "#"})
        base = [make("QP", [*base, *_all(amount)])] if much else [*base, *_all(amount)]
    for kid in left:
        part = project(kid)
        flat = kid.role in {"compound", "nmod"} and part.label() == "NP"
        base += list(part) if flat else [part]
    after = _all(right[len(case) :])
    return make("NP", [make("NP", base), *after] if after else base)


# --- coordination


def _coordination(word: Word) -> Tree:
    members, between, after = chain(word)
    glue = _all(between)
    if word.verbal:
        return _joined_clauses(word, members, glue, after)
    first, *others = [_single(each, kids) for each, kids in members]
    flat = [*others] if is_word(first) else flat_words(first, others)
    if flat:
        parts = [first] if is_word(first) else list(first)
        label = PHRASE_LABELS.get(first.label()[:2], "NP") if is_word(first) else first.label()
        done = make(label, [*parts, *glue, *flat])
    else:
        kinds = {other.label() for other in others if not is_word(other)}
        alike = not kinds or first.label() in kinds or first.label() == "QP"
        done = make(first.label() if alike else "UCP", [first, *glue, *others])
    if all(k.role == "punct" for k in after):
        return make(done.label(), [*done, *_all(after)])
    return make(done.label(), [done, *_all(after)])


def _joined_clauses(word: Word, members: list[Member], glue: list[Tree], after: list[Word]) -> Tree:
    """Clauses side by side where a later one has its own subject, else verb phrases."""
    last, kids = members[-1]
    kids, end = sentence_end_marks(last, kids, word)
    members, end = [*members[:-1], (last, kids)], [*end, *after]
    if any(k.role in SUBJECTS for _, kids in members[1:] for k in kids):
        return make("S", [*(_single(*member) for member in members), *glue, *_all(end)])
    cut = _cut(word, members[0][1])
    inside = [k for k in members[0][1] if k.place >= cut]
    auxiliaries = [k for k in inside if k.role in AUXILIARIES and k.place < word.place]
    shared = auxiliaries and all(
        each.tag == word.tag and not any(k.role in AUXILIARIES for k in kids)
        for each, kids in members[1:]
    )
    floor = auxiliaries[-1].place if shared else -1
    phrases = [_verb_phrase(word, [k for k in inside if k.place > floor])]
    phrases += [_verb_phrase(*m) if m[0].verbal else _single(*m) for m in members[1:]]
    verbs = [phrase[0] for phrase in phrases[:-1] if len(phrase) == 1 and is_word(phrase[0])]
    if len(verbs) == len(phrases) - 1 and phrases[-1].label() == "VP" and len(phrases[-1]) > 1:
        phrases = [*verbs, *phrases[-1]]  # bought and sold shares
    joined = make("VP", [*phrases, *glue])
    if shared:
        joined = _with_auxiliaries(joined, [k for k in inside if k.place <= floor])
    return _clause(word, [k for k in members[0][1] if k.place < cut], joined, end)


# --- clauses


def _cut(word: Word, kids: Sequence[Word]) -> int:
    """Where the verb phrase begins: at the first auxiliary after the subject, or at the verb."""
    left = [k for k in kids if k.place < word.place]
    subject = max((k.place for k in left if k.role in SUBJECTS), default=-1)
    verbs = [k.place for k in left if k.role in AUXILIARIES and k.place > subject]
    if subject >= 0 or verbs:
        return min([*verbs, word.place])
    adverbs = takewhile(lambda k: k.role in {"advmod", "neg"} and not k.asks, left[::-1])
    return min([word.place, *(k.place for k in adverbs)])


def _verb_phrase(word: Word, kids: Sequence[Word]) -> Tree:
    """Auxiliaries nest: (VP has (VP been (VP seen …)))."""
    auxiliaries = [k for k in kids if k.role in AUXILIARIES and k.place < word.place]
    floor = word.place if auxiliaries else -1
    if auxiliaries and auxiliaries[-1].tag == "TO":
        floor = auxiliaries[-1].place
    parts = [_in_verb_phrase(word, k) for k in kids if k.place > floor]
    phrase = make("VP", [leaf(word), *parts])
    return _with_auxiliaries(phrase, [k for k in kids if k.place <= floor])


def _in_verb_phrase(word: Word, kid: Word) -> Tree:
    """A clause that follows its verb without a mark or comma is an SBAR: he said it rained."""
    part = project(kid)
    marks = any(word.place < k.place < kid.place and k.role == "punct" for k in word.kids)
    said = kid.role == "ccomp" and kid.place > word.place and not marks
    plain = part.label() == "S" and any(k.role in SUBJECTS for k in kid.kids)
    return Tree("SBAR", [part]) if said and plain else part


def _with_auxiliaries(phrase: Tree, kids: Sequence[Word]) -> Tree:
    """A verb phrase in those of its auxiliaries, with what stands between them."""
    rest = list(kids)
    while places := [i for i, k in enumerate(rest) if k.role in AUXILIARIES]:
        inner, rest = rest[places[-1] :], rest[: places[-1]]
        phrase = make("VP", [*_opened(inner[0]), *_all(inner[1:]), phrase])
    return make("VP", [*_all(rest), *phrase]) if rest else phrase


def _opened(auxiliary: Word) -> list[Tree]:
    return [leaf(auxiliary), *_all(auxiliary.kids)]


def _clause_of(word: Word, kids: Sequence[Word]) -> Tree:
    """The clause of a verb, or its verb phrase where nothing stands outside."""
    inside, end = sentence_end_marks(word, kids, word)
    left = [k for k in inside if k.place < word.place]
    early = [k.place for k in left if k.role in SUBJECTS]
    late = [k.place for k in inside if k.place > word.place and k.role in SUBJECTS]
    front = [k.place for k in left if k.role in AUXILIARIES and k.tag != "TO"]
    if not early and not late and left and left[-1].role == "prep" and word.tag in FINITE:
        late = [k.place for k in inside if k.place > word.place and k.role == "attr"]
    if late and not early:
        return _inverted(word, inside, min([*front, word.place]), late[0], end)
    if early and front and front[0] < early[-1]:
        return _inverted(word, inside, front[0], early[-1], end)
    cut = _cut(word, inside)
    phrase = _verb_phrase(word, [k for k in inside if k.place >= cut])
    return _clause(word, [k for k in inside if k.place < cut], phrase, end)


def _inverted(word: Word, kids: list[Word], cut: int, subject: int, end: list[Word]) -> Tree:
    """A verb or auxiliary before its subject: a question, or `said he`, `so did they`."""
    front = [k for k in kids if k.place < cut]
    inside = [k for k in kids if k.place >= cut]
    opening = max((i for i, k in enumerate(front) if k.asks), default=None)
    asked = word.question or (opening is not None and word.head is None) or not front
    if subject < word.place:
        head = [k for k in inside if k.place <= subject]
        rest = [k for k in inside if k.place > subject]
        low = _cut(word, rest)
        core = [
            part for k in head for part in (_opened(k) if k.role in AUXILIARIES else [project(k)])
        ]
        core += _all(k for k in rest if k.place < low)
        core.append(_verb_phrase(word, [k for k in rest if k.place >= low]))
    elif asked:
        core = [
            leaf(word),
            *(p for k in inside for p in (_opened(k) if k.role in AUXILIARIES else [project(k)])),
        ]
    else:
        core = [_verb_phrase(word, [k for k in inside if k.place < subject])]
        core += _all(k for k in inside if k.place >= subject)
    if opening is not None and asked:
        before, after = _all(front[:opening]), _all(front[opening + 1 :])
        question = [*before, _questioned(front[opening]), *after, make("SQ", core), *_all(end)]
        return make("SBARQ", question)
    return make("SQ" if asked else "SINV", sentence_parts([*_all(front), *core, *_all(end)]))


def _questioned(word: Word) -> Tree:
    """The phrase of a question word."""
    part = project(word)
    if is_word(part):
        return Tree("WHADVP" if word.tag == "WRB" else "WHNP", [part])
    return Tree(QUESTIONED.get(part.label(), part.label()), list(part))


def _clause(word: Word, front: list[Word], phrase: Tree, end: list[Word]) -> Tree:
    """A verb phrase with what stands before and after it: S, or SBAR after a mark or question word.

    A bare verb phrase stays one where it modifies a noun or continues another.
    """
    bare = not front and not end
    if bare and (word.role not in CLAUSES or (word.role == "acl" and phrase[0].label() != "TO")):
        return phrase
    opening = next((i for i, k in enumerate(front) if k.role == "mark" or k.asks), None)
    if opening is None or any(k.role not in BEFORE and not k.asks for k in front[:opening]):
        clause = make("S", sentence_parts([*_all(front), phrase, *_all(end)]))
        return Tree("SBAR", [clause]) if word.role == "relcl" else clause
    opener = front[opening]
    first = project(opener) if opener.role == "mark" else _questioned(opener)
    asked = word.question and opener.role != "mark"
    inner = make("SQ" if asked else "S", sentence_parts([*_all(front[opening + 1 :]), phrase]))
    return make("SBARQ" if asked else "SBAR", [*_all(front[:opening]), first, inner, *_all(end)])
