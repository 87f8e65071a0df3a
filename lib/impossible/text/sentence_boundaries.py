"""Where a sentence ends, which sentences are accepted, and what a word is.

The rules are few and written for newswire and abstracts in English. They look only at the words
around a full stop, so that a decoder can ask after every token whether a sentence is complete.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = [
    "find_sentence_end", "first_sentence", "opening_words", "rejected_by", "rejection_reason",
    "sentence_end", "split_sentences", "words",
]  # fmt: skip


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Never the last word of a sentence: a name, a number or an explanation follows.
_TITLES = _set(
    "mr mrs ms dr prof gen sen rep gov lt col capt sgt cpl pvt maj cmdr rev hon st mt ft messrs "
    "vs v cf e.g i.e viz approx ca fig figs eq eqs sec ref refs tab no nos vol pp al"
)
_CUT_OFF = _set("mr mrs ms dr prof gen sen rep gov lt col sgt vs e.g i.e fig eq")
# Sometimes the last word: a sentence ends here only when a common sentence opener follows.
_MAYBE_LAST = _set(
    "inc corp co ltd llc plc bros jr sr ph.d etc jan feb mar apr jun jul aug sep sept oct nov dec"
)
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")  # u.s, d.c, p.m, r.p
_OPENERS = _set(
    "the a an this that these those he she it they we i you his her its their our my in on at by "
    "for from with as after before when while since although though if but and so however "
    "there here what who how why meanwhile moreover furthermore most many some all no"
)
_END = re.compile(r"[.?!]+(?:['\"\u201d\u2019)\]]+)?(?=\s|$)")
_WORD_BEFORE = re.compile(r"[^\s(\[\"'\u201c\u2018]+$")
_NEXT = re.compile(r"\s+[\"'`(\[\u201c\u2018]*(\w+|[^\s\"'`(\[\u201c\u2018])")
_LABEL = re.compile(r"(?:[:.!?]|--?)\s")  # what ends a label or a sentence
_WORD = re.compile(r"[^\W_]+(?:['\u2019.,][^\W_]+)*")


def find_sentence_end(text: str, final: bool = True) -> int:
    """Return the index just after the first sentence of `text`, or -1 if no sentence ends in it.

    A run of ``. ? !`` with closing quotes or brackets ends a sentence when white space or the end
    of the text follows (so ``3.5`` does not), unless

    - the next word starts in lower case while the text so far has capitals (``"Why?" he asked``);
    - it follows a title or a reference (``Dr.``, ``e.g.``, ``Fig.``), an initial (``J. Smith``; but
      ``I.`` ends), or is an item number (``1. First``);
    - it follows an abbreviation such as ``U.S.``, ``Inc.``, ``p.m.`` and no common opener follows.

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
        cut = following is None or (following.end() == len(text) and _may_be_last(_last(before)))
        if cut and not final:
            return -1
        if _is_end(before, match.group(), following.group(1) if following else ""):
            return match.end()
    return -1


def sentence_end(text: str, n: int, final: bool = True) -> int:
    """Index after the n-th sentence of `text`, or -1 if it has fewer (see `find_sentence_end`).

    Example:
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
    """The last word of a text, lower-cased, without an opening quote or bracket."""
    found = _WORD_BEFORE.search(text)
    return found.group().lower() if found else ""


def _may_be_last(word: str) -> bool:
    return word in _MAYBE_LAST or _DOTTED.fullmatch(word) is not None


def _is_end(before: str, mark: str, following: str) -> bool:
    """Decide one candidate from the text before it, itself and the next word ('' at the end)."""
    if not before.strip() or before.strip().isdigit():
        return False
    if following[:1].islower() and before != before.lower():
        return False
    if not mark.startswith(".") or mark.startswith(".."):
        return True
    word = _last(before)
    if word in _TITLES or (len(word) == 1 and before[-1].isupper() and word != "i"):
        return False
    if _may_be_last(word):
        return not following or following.lower() in _OPENERS
    return True


def first_sentence(continuation: str) -> str:
    """Return the first sentence of a continuation, without surrounding blanks (paper section 3.1).

    Newlines inside are kept, for `rejection_reason`; a text in which no sentence ends stays whole.

    Example:
        >>> first_sentence(" He met Dr. Lee in the U.S. Senate. Then he left.")
        'He met Dr. Lee in the U.S. Senate.'
    """
    text = continuation.strip(" \t")
    end = find_sentence_end(text)
    return (text if end < 0 else text[:end]).strip(" \t")


def opening_words(prefix: str) -> str:
    """The words of a context's prefix that its first sentence begins with; after a label, none.

    Example:
        >>> opening_words("Abstract: In patients with"), opening_words("New York (CNN) --")
        ('In patients with', '')
    """
    return _LABEL.split(f"{prefix} ")[-1].strip()


def split_sentences(text: str) -> list[str]:
    """The sentences of a text; what follows the last one that ends is one more.

    Example:
        >>> split_sentences("It fell. He left. She")
        ['It fell.', 'He left.', 'She']
    """
    sentences, rest = [], text.strip()
    while rest:
        sentences.append(first_sentence(rest))
        rest = rest[len(sentences[-1]) :].strip()
    return sentences


def rejection_reason(sentence: str, min_characters: int = 3) -> str:
    """Say why a sentence is not accepted, or '' when it is (the paper's rules, section 3.1).

    A sentence must have at least `min_characters` characters (paper: 3), contain no newline and end
    in ``.``, ``?`` or ``!``. As in the paper a closing quote after the mark is not an end; a title
    (``… met Dr.``) is a cut-off sentence and not an end either.

    Returns:
        '' (accepted), 'too_short', 'newline' or 'no_end'; the first that holds, in this order.

    Example:
        >>> rejection_reason("Prices rose."), rejection_reason("Prices rose")
        ('', 'no_end')
    """
    if len(sentence) < min_characters:
        return "too_short"
    if "\n" in sentence or "\r" in sentence:
        return "newline"
    if sentence[-1] not in ".?!":
        return "no_end"
    return "no_end" if sentence[-1] == "." and _last(sentence[:-1]) in _CUT_OFF else ""


def rejected_by(sentence: str, rejections: Mapping[str, Sequence[str]]) -> str:
    """The first reason of which a regular expression is found in the sentence, or ''.

    Args:
        sentence: any text.
        rejections: reason → regular expressions, as the parameter `rejections` gives them.

    Example:
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
