"""What somebody would write in a few lines instead: counts of words, sentence by sentence."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence


def tokens(text: str) -> list[str]:
    """Lower-cased words."""
    return re.findall(r"[a-z0-9]+", text.lower())


def overlaps(pairs: Iterable[tuple[str, str]]) -> list[float]:
    """Jaccard similarity of the words of each pair."""
    found = []
    for x, y in pairs:
        a, b = set(tokens(x)), set(tokens(y))
        found.append(len(a & b) / len(a | b) if a | b else 0.0)
    return found


def entropy(texts: Iterable[str], n: int) -> float:
    """Bits of the distribution of n-grams."""
    counts: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        found = tokens(text)
        counts.update(tuple(found[i : i + n]) for i in range(len(found) - n + 1))
    total = sum(counts.values())
    return -sum(c / total * math.log2(c / total) for c in counts.values())


def variety(texts: Sequence[str], segment: int) -> float:
    """Mean share of different words in segments of running words."""
    found = [token for text in texts for token in tokens(text)]
    parts = [found[i : i + segment] for i in range(0, len(found) - segment + 1, segment)]
    return sum(len(set(part)) / segment for part in parts) / len(parts)
