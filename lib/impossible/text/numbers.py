"""Numbers in English text, by value (a critic of the authors' code, section 3.2).

A pair is consistent when both sentences have the same values. The authors' code tests one direction
twice; both are meant.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from functools import lru_cache

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS = {word: value for value, word in enumerate(_SMALL.split())}
_UNITS |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
_ORDINALS = {
    "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "twentieth": 20,
}  # fmt: skip
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_MULTIPLIERS = _SCALES | {"hundred": 100, "dozen": 12}
_SUFFIX = {"bn": 10**9, "tn": 10**12}
#: Numbers of up to 2,000 digits differ if one of these does.
_EXACT = Context(prec=2_000, Emax=MAX_EMAX, Emin=MIN_EMIN)
# "one" is a number in "one man", not in these: "no one", "one another", "the one who".
_PRONOUN_BEFORE = re.compile(r"no|any|every|some|this|that|which|the|each|another")

_TOKEN = re.compile(
    r"(?P<sign>(?:(?<=[\s($])|^)-)?(?<![A-Za-z\d.])(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
    r"(?P<fraction>\.\d+)?(?P<suffix>[A-Za-z]*)|(?P<word>[A-Za-z]+)|(?P<break>[^\s\w-])"
)


@lru_cache(maxsize=2**12)  # texts, more than a context has: long work keeps no others
def number_values(text: str) -> frozenset[Decimal]:
    """The values of all numbers in `text`, in digits or in words.

    Understood: ``1,200``, ``3.5``, ``-4``, ``minus four``, ``21st``, ``12bn``, ``12 million``,
    ``forty-two``, ``two hundred and five``, ``a dozen``, ``half a million``, ``third``. Not
    counted: digits in a name (``B12``), "first", "second", "1st" and "2nd" (mostly no quantities,
    and the second is also a unit), and "one" as a pronoun (``no one``, ``one another``).

    Example:
        >>> sorted(number_values("Twelve men paid $1.5 million on May 3."))
        [Decimal('3'), Decimal('12'), Decimal('1500000.0')]
    """
    reader = _NumberReader()
    matches = list(_TOKEN.finditer(text))
    lowered = ["", *((match["word"] or "").lower() for match in matches), ""]
    with localcontext(_EXACT):
        for i, match in enumerate(matches, start=1):
            if match["digits"]:
                reader.digits(match)
            elif lowered[i]:
                reader.word(lowered[i], lowered[i - 1], lowered[i + 1])
                if lowered[max(0, i - 2) : i] == ["half", "a"]:
                    reader.halve()
            else:
                reader.close()
        reader.close()
    return frozenset(reader.values)


class _NumberReader:
    """Puts the parts of a number together: `total` of closed thousands, `part` still open."""

    def __init__(self) -> None:
        self.values: set[Decimal] = set()
        self._reset()

    def _reset(self) -> None:
        self.total, self.part, self.last = Decimal(0), Decimal(0), Decimal(0)
        self.open, self.negative = False, False

    def close(self) -> None:
        """End the current number, if any, and keep its value."""
        if self.open:
            value = self.total + self.part
            self.values.add(-value if self.negative else value)
        self._reset()

    def digits(self, match: re.Match[str]) -> None:
        """Start a number in digits; a scale word may follow."""
        suffix = match["suffix"].lower()
        negative = self.negative and not self.open
        self.close()
        value = Decimal(match["digits"].replace(",", "") + (match["fraction"] or ""))
        if suffix in ("st", "nd") and value in (1, 2):
            return
        self.part, self.open = value * _SUFFIX.get(suffix, 1), True
        self.negative = negative or bool(match["sign"])
        self.last = Decimal(10)  # no unit word continues digits: "3 four" is two numbers
        if suffix:
            self.close()

    def word(self, word: str, before: str, after: str) -> None:
        """Extend the current number by a word, or end it."""
        pronoun = after == "another" or _PRONOUN_BEFORE.fullmatch(before)
        if word == "one" and pronoun and not self.open:
            return
        if word in _UNITS:
            self._unit(Decimal(_UNITS[word]))
        elif word in _ORDINALS:
            self._unit(Decimal(_ORDINALS[word]))
            self.close()
        elif word in _MULTIPLIERS and (self.open or before == "a"):
            self._multiply(word)
        elif word in ("minus", "negative"):
            self.close()
            self.negative = True
        elif not (word == "and" and self.open and self.last >= 100 and after in _UNITS):
            self.close()

    def halve(self) -> None:
        """Halve the open number: the word was the "million" of "half a million"."""
        self.total, self.part = self.total / 2, self.part / 2

    def _unit(self, value: Decimal) -> None:
        # "forty two" and "hundred five" continue a number; "four five" are two numbers
        fits = value < 10 if 20 <= self.last < 100 else self.last >= 100
        if self.open and not (fits and 0 < value < self.last):
            self.close()
        self.part, self.open, self.last = self.part + value, True, value

    def _multiply(self, word: str) -> None:
        factor = Decimal(_MULTIPLIERS[word])
        group = self.part if self.open else Decimal(1)
        if word in _SCALES:
            self.total, self.part = self.total + group * factor, Decimal(0)
        else:
            self.part = group * factor
        self.open, self.last = True, factor
