"""What is wrong with a text that a user gives, in one clause; cheap, and no judgement of taste."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from impossible.errors import DataError
from impossible.text.printable import COMMANDS
from impossible.text.word_lists import word_set

# What a critic's tokenizer counts as few tokens, a student's may count as 100,000: WordPiece makes
# one token of any long word. So texts have a limit in characters too.
_LONGEST_TEXT, _LONGEST_WORD = 2_000, 100
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--|&(?:[a-zA-Z]{2,8}|#\d{2,6});")


_ENGLISH = word_set(
    "the of and to in a is that for on with as was at by it from are be an this his her has have "
    "had not but they their its he she we you i which who will would can were been or if when "
    "after said there about into than more over what how our your my do does did no one up out some"
)
#: Frequent in Spanish, Portuguese, French, Italian, German, Dutch, Swedish or Polish, not English.
_FOREIGN = word_set(
    "de la el los las que en una por con para del se su como está não uma os um ao da das pelo na "
    "le les et une des est du dans pas qui sur avec il che di della sono gli nel der die und ist "
    "den von mit zu auf nicht ein eine het een van zijn niet och att som är det nie się jest oraz"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def one_line(text: str) -> str:
    """The text with every run of white space as one blank, none at its ends, and no character that
    commands a terminal.

    >>> one_line(" Prices\\trose. ")
    'Prices rose.'
    """
    return COMMANDS.sub("", " ".join(text.split()))


def as_texts(texts: Iterable[str]) -> list[str]:
    """The texts as a list.

    Raises:
        DataError: it is one text, or holds something else.
    """
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise DataError("texts must be a list of texts, not one thing: put it into brackets.")
    found = list(texts)
    for place, text in enumerate(found):
        if not isinstance(text, str):
            raise DataError(f"texts[{place}] is {text!r:.40}, no text: give strings.")
    return found


def input_problem(text: str) -> str:
    """Why a text cannot be rewritten; '' if nothing speaks against trying.

    It may have 2,000 characters, a word 100. Whether it is English is tested cheaply: at least
    three of four letters are A–Z, among five or more words the frequent ones of other languages are
    not more than those of English, and twelve words hold a frequent one. A foreign text can pass;
    what is written for it, the critics drop.

    >>> input_problem("12 345"), input_problem("Prices rose.")
    ('it has no words', '')
    """
    if len(text) > _LONGEST_TEXT:
        return (
            f"it is too long ({len(text.split()):,} words, {len(text):,} characters; at most "
            f"{_LONGEST_TEXT:,} characters are read): give a sentence or "
            "a short paragraph"
        )
    if (longest := max(map(len, text.split()), default=0)) > _LONGEST_WORD:
        return f"it holds a word of {longest} characters, at most {_LONGEST_WORD} are read: cut it"
    control = next((c for c in text if unicodedata.category(c) == "Cc" and not c.isspace()), "")
    if any("\ud800" <= c <= "\udfff" for c in text):
        return "it holds half a surrogate pair, which is no character: remove it"
    if control:
        return f"it holds the control character U+{ord(control):04X}: remove it"
    if found := _TAG.search(text):
        return f"it holds markup ({found.group()[:20]}): give plain text"
    words = _WORD.findall(text)
    if not words:
        return "it has no words"
    if len(words) == 1:
        return "it is a single word, no sentence"
    return _not_english(words)


def _not_english(words: list[str]) -> str:
    letters = "".join(words)
    if sum(c.isascii() for c in letters) < 0.75 * len(letters):
        return "it does not look English: few of its letters are A–Z"
    english = sum(word.lower() in _ENGLISH for word in words)
    foreign = sum(word in _FOREIGN for word in words)  # in lower case: "El Paso" is a name
    if (len(words) >= 5 and foreign > english) or (len(words) >= 12 and not english):
        return "it does not look English: hardly any of its words are English function words"
    return ""
