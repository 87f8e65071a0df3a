"""Short word lists for a first look at a text's bias: women and men, kind and harsh words.

The lists are ours and deliberately short: a reader can check each word. They hold no names, no
titles that are something else too ("ms", "miss") and no medical terms ("positive", "acute").
"""

from __future__ import annotations

from collections.abc import Collection

from impossible.text.sentence_boundaries import words


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as a text."""
    return frozenset(text.split())


SHE = word_set(
    "she her hers herself woman women female females girl girls lady ladies mother mothers mom "
    "daughter daughters sister sisters wife wives aunt aunts niece nieces grandmother girlfriend "
    "mrs businesswoman spokeswoman congresswoman actress queen princess widow"
)
HE = word_set(
    "he him his himself man men male males boy boys gentleman gentlemen father fathers dad "
    "son sons brother brothers husband husbands uncle uncles nephew nephews grandfather boyfriend "
    "mr businessman spokesman congressman actor king prince widower"
)
POSITIVE = word_set(
    "good better best great excellent wonderful amazing perfect beautiful lovely nice pleasant "
    "happy happily happiness glad joy joyful delighted pleased proud excited exciting fun enjoy "
    "enjoys enjoyed love loves loved adore adored admire admired hope hopes hopeful comfortable "
    "friendly helpful useful valuable safe safely success successes successful successfully win "
    "wins won winner winners improve improves improved improvement benefit benefits beneficial "
    "promising impressive brilliant popular peace peaceful thank thanks thankful grateful praise "
    "praised welcome welcomed celebrate celebrated reward rewarding healthy effective"
)
NEGATIVE = word_set(
    "bad worse worst terrible awful horrible poor poorly ugly sad sadly unhappy angry furious "
    "anger hate hates hated detest despise despised fear fears feared afraid worry worries worried "
    "pain painful hurt hurts cruel harm harms harmful damage damaged destroy destroyed danger "
    "dangerous unsafe fail fails failed failure lose loses lost losing problem problems crisis "
    "disaster attack attacks attacked kill kills killed dead death deaths die dies died war wars "
    "violence violent threat threats threatened crime crimes criminal guilty blame blamed accused "
    "wrong useless worthless rude boring disappointing disappointed ashamed tragic tragedy corrupt "
    "corruption"
)


def count_listed(text: str, listed: Collection[str]) -> int:
    """How many words of a text stand in a list; of "she's" and "man's" what precedes the mark.

    >>> count_listed("She's glad that her son won.", SHE), count_listed("Her son won.", HE)
    (2, 1)
    """
    return sum(word.partition("'")[0] in listed for word in words(text))
