"""Where a sentence ends, which sentences are accepted, and what a word is.

The rules are few and written for newswire and abstracts in English. They look only at the words
around a full stop, so that a decoder can ask after every token whether a sentence is complete.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Never the last word of a sentence: a name, a number or an explanation follows.
_TITLES = _set(
    "mr mrs ms dr prof sen gov lt capt sgt cpl pvt maj cmdr adm fr messrs vs v cf e.g i.e viz "
    "approx ca a.k.a"
)
# A name or an explanation is missing after these; what is also a word (a fig) in capitals only.
_CUT_OFF = _set("mr mrs ms dr prof sen gov lt sgt vs e.g i.e") | _set("Gen Rep Col Fig Eq")
# Abbreviations before a number (No. 5, Fig. S2, Vol. IV), else words that may be the last.
_NUMBERED = _set(
    "no nos fig figs tab eq eqs sec ref refs vol vols p pp art ch pt ver min hr hrs lb lbs oz "
    "apt max"
)
_NUMBER = re.compile(r"[A-Z]?\d|[IVXLC]{2,}$|[B-HJ-Z]$")
# Sometimes the last word: a sentence ends here only when a common sentence opener follows.
_MAYBE_LAST = _set(
    "inc corp co ltd llc plc bros jr sr ph.d etc al jan feb mar apr jun jul aug sep sept oct nov "
    "dec mon tue tues thu thurs fri gen rep col rev hon st mt ft ave blvd rd dept univ calif fla"
)
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")  # u.s, d.c, p.m, r.p
_OPENERS = _set(
    "the a an this that these those he she it they we i you his her its their our my your in on at "
    "by for from to of with without as after before when while since until once although though if "
    "because but and or so yet then now later still however also there here what who how why where "
    "which meanwhile moreover furthermore most many some several both each every all another such "
    "one nobody nothing no not during despite under is are was were do does did can let please"
)
_END = re.compile(r"[.?!\u2026]+(?:['\"\u201d\u2019)\]]+)?(?=\s|$)")
_WORD_BEFORE = re.compile(r"[^\s(\[\"'\u201c\u2018\u2013\u2014]+$")
_NEXT = re.compile(r"\s+[\"'`(\[\u201c\u2018]*(\w+|[^\s\"'`(\[\u201c\u2018])")
_ITEM = re.compile(r"\s*\(?(?:[\d.]+|\w|[IVX]+|[ivx]+)?\)?\s*")  # 1, 2.3, b, (iv) of a list
_LABEL = re.compile(r"(?:[:.!?]|--?)\s")  # what ends a label or a sentence
_WORD = re.compile(r"[^\W_]+(?:['\u2019.,][^\W_]+)*")


def find_sentence_end(text: str, final: bool = True) -> int:
    """Return the index just after the first sentence of `text`, or -1 if no sentence ends in it.

    A run of ``. ? ! …`` with closing quotes or brackets ends a sentence when white space or the end
    of the text follows (so ``3.5`` does not), unless

    - the next word starts in lower case while the text so far has capitals (``"Why?" he asked``);
    - it follows a title or the like (``Dr.``, ``e.g.``) or the number of an item (``1. First``);
    - it follows ``No.``, ``Fig.`` and the like and a number follows (``ate a fig. Then`` ends);
    - it follows an initial (``J. Smith``) or an abbreviation such as ``U.S.``, ``Inc.``, ``p.m.``
      and no common opener follows.

    Where a name and a new sentence look the same (``in the U.S. Police``) the sentence goes on.

    Args:
        text: any text, usually a language model's continuation.
        final: whether the text is complete. With ``False`` (while decoding) an end counts only
            once enough of the next word is seen for the answer to hold however the text goes on.

    Example:
        >>> find_sentence_end("It fell 3.5 points. Dr. Ada left.")
        19
    """
    for match in _END.finditer(text):
        before, following = text[: match.start()], _NEXT.match(text, match.end())
        cut = following is None or (following.end() == len(text) and _asks_next(before))
        if cut and not final:
            return -1
        if _is_end(before, match.group(), following.group(1) if following else ""):
            return match.end()
    return -1


def sentence_end(text: str, n: int, final: bool = True) -> int:
    """Index after the n-th sentence of `text`, or -1 if it has fewer (see `find_sentence_end`).

    >>> sentence_end("It fell. He left. She", 2)
    17
    """
    end = 0
    for _ in range(n):
        step = find_sentence_end(text[end:], final)
        if step < 0:
            return -1
        end += step
    return end


def _last(text: str) -> str:
    """The last word of a text without an opening quote or bracket."""
    found = _WORD_BEFORE.search(text[-20:])  # what is longer is no abbreviation
    return found.group() if found else ""


def _may_be_last(word: str) -> bool:
    """Whether a word is an initial or an abbreviation that may end a sentence."""
    initial = len(word) == 1 and word.isupper()
    return initial or word.lower() in _MAYBE_LAST or _DOTTED.fullmatch(word.lower()) is not None


def _asks_next(before: str) -> bool:
    """Whether the whole next word decides if a full stop after `before` ends a sentence."""
    word = _last(before)
    return word.lower() in _NUMBERED or _may_be_last(word)


def _is_end(before: str, mark: str, following: str) -> bool:
    """Decide one candidate from the text before it, itself and the next word ('' at the end)."""
    if not before.strip() or (mark[0] == "." and _ITEM.fullmatch(before)):
        return False
    if following == "." or (following[:1].islower() and before != before.lower()):
        return False  # ". . ." goes on
    if not mark.startswith(".") or mark.startswith(".."):
        return True
    word = _last(before)
    if word.lower() in _TITLES:
        return False
    if word.lower() in _NUMBERED:
        return not _NUMBER.match(following)
    if _may_be_last(word):
        # "J. A. Smith", "J. I. Case": one letter is the next initial and opens nothing.
        opens = following.lower() in _OPENERS and (len(word) > 1 or len(following) > 1)
        return not following or opens
    return True


def first_sentence(continuation: str) -> str:
    """Return the first sentence of a continuation, without surrounding blanks (paper section 3.1).

    Newlines inside are kept, for `rejection_reason`; a text in which no sentence ends stays whole.

    >>> first_sentence(" He met Dr. Lee in the U.S. Senate. Then he left.")
    'He met Dr. Lee in the U.S. Senate.'
    """
    text = continuation.strip(" \t")
    end = find_sentence_end(text)
    return (text if end < 0 else text[:end]).strip(" \t")


def opening_words(prefix: str) -> str:
    """The words of a context's prefix that its first sentence begins with; after a label, none.

    >>> opening_words("Abstract: In patients with"), opening_words("New York (CNN) --")
    ('In patients with', '')
    """
    return _LABEL.split(f"{prefix} ")[-1].strip()


def split_sentences(text: str) -> list[str]:
    """The sentences of a text; what follows the last one that ends is one more.

    >>> split_sentences("It fell. He left. She")
    ['It fell.', 'He left.', 'She']
    """
    sentences, rest = [], text.strip()
    while rest:
        sentences.append(first_sentence(rest))
        rest = rest[len(sentences[-1]) :].strip()
    return sentences


def rejection_reason(sentence: str, min_characters: int = 3) -> str:
    """Why a sentence is not accepted: 'too_short', 'newline', 'no_end'; '' if it is (§3.1).

    A sentence must have at least `min_characters` characters (paper: 3), contain no newline and end
    in ``.``, ``?`` or ``!``. As in the paper a closing quote after the mark is not an end; a title
    (``… met Dr.``) is a cut-off sentence and not an end either.

    >>> rejection_reason("Prices rose."), rejection_reason("Prices rose")
    ('', 'no_end')
    """
    if len(sentence) < min_characters:
        return "too_short"
    if "\n" in sentence or "\r" in sentence:
        return "newline"
    if sentence[-1] not in ".?!":
        return "no_end"
    last = _last(sentence[:-1])
    return "no_end" if sentence[-1] == "." and {last, last.lower()} & _CUT_OFF else ""


def rejected_by(sentence: str, rejections: Mapping[str, Sequence[str]]) -> str:
    """The first reason of which a regular expression is found in the sentence, or ''.

    >>> rejected_by("User: prices rose.", {"link": ["www[.]"], "chat": ["^User:"]})
    'chat'
    """
    found = (name for name, each in rejections.items() if any(re.search(p, sentence) for p in each))
    return next(found, "")


def words(text: str) -> list[str]:
    """Split a text into lower-cased words: the one tokenizer of all diversity metrics.

    A word is a run of letters and digits, joined across ``' . ,`` between them (``don't``, ``3.5``,
    ``1,200``); hyphens split and punctuation is dropped, so that a tokenized corpus (``left .``)
    and a raw one (``left.``) are treated alike. Case is folded: some corpora are lower-cased.

    Example:
        >>> words("Don't pay $1,200 for a well-known U.S. car.")
        ["don't", 'pay', '1,200', 'for', 'a', 'well', 'known', 'u.s', 'car']
    """
    return _WORD.findall(text.lower().replace("\u2019", "'"))
