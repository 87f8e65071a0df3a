"""BLEU in the two variants of the paper's tables, and self-BLEU; all in [0, 100].

- *corpus*: sacreBLEU with its defaults, what a reader expects under "BLEU".
- *sentence*: the mean of lower-cased sentence BLEU with add-one smoothing of the 2- to 4-gram
  precisions (Lin and Och 2004). The paper does not state its variant; for Copy-Input on MRPC and
  ParaSCI this one gives 44.0 and 42.3 beside the paper's 44.4 and 42.8, the corpus variant 47.5 and
  45.8. It is the default wherever a BLEU enters another metric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sacrebleu import __version__ as sacrebleu_version
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from impossible.text.signature import signature

_ORDER = 4
_tokenized: Callable[[str], str] = Tokenizer13a()  # type: ignore[no-untyped-call]
_ROWS, _ROW_BIT = 2**11, 53  # pairs counted at once, and the bit at which their number begins
_PRIME = np.uint64(0x9E3779B97F4A7C15)
Ints = NDArray[np.int64]


def sentence_bleu(output: str, references: Sequence[str]) -> float:
    """Lower-cased, add-one smoothed BLEU of one sentence against its references, in [0, 100].

    0 when no word is shared. Equal to sacrebleu's with "add-k" smoothing of 1 in lower case.

    >>> round(sentence_bleu("The cat sat.", ["the cat sat ."]), 6)
    100.0
    """
    return _sentence(output, tuple(references))


@lru_cache(maxsize=2**16)
def _sentence(output: str, references: tuple[str, ...]) -> float:
    return float(sentence_bleus([output], [references])[0])


def sentence_bleus(
    outputs: Sequence[str], references: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    """`sentence_bleu` of each output against its references, shape (n,)."""
    counts = bleu_statistics(outputs, references, lowercase=True)
    counts[:, 3 : 2 + _ORDER] += 1  # add-one smoothing of 2- to 4-grams
    counts[:, 3 + _ORDER :] += 1
    shared = counts[:, 2] > 0  # without a common word nothing else is common
    system, reference, *_ = np.where(shared[:, None], counts, 1).T
    precisions = np.where(shared[:, None], counts[:, 2 : 2 + _ORDER], 1)
    precisions /= np.where(shared[:, None], counts[:, 2 + _ORDER :], 1)
    logs = np.log(precisions).mean(axis=1) + np.minimum(0.0, 1 - reference / system)
    return np.asarray(np.where(shared, 100 * np.exp(logs), 0.0), dtype=np.float64)


def bleu_statistics(
    outputs: Sequence[str], references: Sequence[Sequence[str]], lowercase: bool = False
) -> NDArray[np.float64]:
    """Sufficient statistics of corpus BLEU, one row per sentence, shape (n, 10).

    Columns: output length, reference length, then matches and totals of 1- to 4-grams. The corpus
    score depends only on their sum, so a bootstrap resamples rows instead of sentences. Counts are
    those of sacrebleu, which takes seven times as long for them.
    """
    both = list(zip(outputs, references, strict=True))
    parts = [_statistics(both[i : i + _ROWS], lowercase) for i in range(0, len(both), _ROWS)]
    return np.concatenate([np.zeros((0, 2 + 2 * _ORDER)), *parts])


def _statistics(pairs: Sequence[tuple[str, Sequence[str]]], lowercase: bool) -> NDArray[np.float64]:
    """Statistics of at most `_ROWS` pairs, all their n-grams sorted at once.

    An n-gram is a number: its pair's in the highest bits, then a digest of its tokens, then which
    text of the pair it stands in, of which the output is 0. Fewer than one pair in 10¹⁰ holds two
    n-grams of the same digest.
    """
    texts = [_tokens(text, lowercase) for output, refs in pairs for text in (output, *refs)]
    many = np.array([1 + len(refs) for _, refs in pairs])
    first = np.cumsum(many) - many  # where each pair's output stands among the texts
    row = np.repeat(np.arange(len(pairs)), many)
    place = np.arange(len(texts)) - first[row]
    sizes = np.array(list(map(len, texts)))
    text = np.repeat(np.arange(len(texts)), sizes)
    left = np.cumsum(sizes)[text] - np.arange(len(text))  # tokens from here to the text's end
    tokens = np.fromiter(chain.from_iterable(texts), np.uint64, len(text))
    bits = int(many.max()).bit_length()
    named = (row << _ROW_BIT | place).astype(np.uint64)[text]
    digests = np.zeros_like(tokens)
    columns = [sizes[first], _nearest(sizes, first, row)]
    for n in range(_ORDER):
        digests *= _PRIME
        digests[: max(0, len(text) - n)] += tokens[n:]  # of the last ones n-grams do not fit
        middle = digests >> np.uint64(64 - _ROW_BIT + bits) << np.uint64(bits)
        columns.append(_matches((named | middle)[left > n], bits, len(pairs)))
    totals = [np.maximum(0, sizes[first] - n) for n in range(_ORDER)]
    return np.column_stack([*columns, *totals]).astype(np.float64)


def _nearest(sizes: Ints, first: Ints, row: Ints) -> Ints:
    """The reference's length that is nearest to the output's, the shorter of two; per pair."""
    most = sizes.max() + 1
    rank = abs(sizes - sizes[first][row]) * most + sizes
    rank[first] = most * most + most  # the output itself is behind all others
    return np.asarray(np.minimum.reduceat(rank, first) % most)


def _matches(grams: NDArray[np.uint64], bits: int, n: int) -> Ints:
    """How many n-grams of each output a reference has, each at most as often as one has it."""
    if not len(grams):
        return np.zeros(n, dtype=np.int64)
    grams.sort()
    starts = np.flatnonzero(np.diff(grams, prepend=~grams[:1]))
    counts, found = np.diff(starts, append=len(grams)), grams[starts]
    same, is_output = found >> np.uint64(bits), found & np.uint64(2**bits - 1) == 0
    heads = np.flatnonzero(np.diff(same, prepend=~same[:1]))
    own = np.where(is_output[heads], counts[heads], 0)
    matched = np.minimum(own, np.maximum.reduceat(np.where(is_output, 0, counts), heads))
    rows = (same[heads] >> np.uint64(_ROW_BIT - bits)).astype(np.int64)
    return np.bincount(rows, matched, minlength=n).astype(np.int64)


def _tokens(text: str, lowercase: bool) -> list[int]:
    """Tokens "13a" of a text as numbers, made word by word: the rules never look across a blank."""
    text = (text.lower() if lowercase else text).rstrip()
    if "\n" in text:  # but for this one
        text = text.replace("<skipped>", "").replace("-\n", "")
    return list(chain.from_iterable(map(_WORDS.__getitem__, text.split())))


class _Words(dict[str, list[int]]):
    """Words and digests of their tokens, as they come up; read without a call in Python."""

    def __missing__(self, word: str) -> list[int]:
        if len(self) >= 2**16:
            self.clear()
        parts = (
            blake2b(each.encode(errors="replace"), digest_size=8)
            for each in _tokenized(word).split()
        )
        self[word] = found = [int.from_bytes(each.digest(), "big") for each in parts]
        return found


_WORDS = _Words()


def bleu_from_sums(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corpus BLEU in [0, 100] from summed `bleu_statistics`, shape (…, 10) → (…).

    Smoothing as in sacrebleu's default ("exp"): the k-th zero match count is replaced by 2^-k.
    """
    system, reference = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + _ORDER], sums[..., 2 + _ORDER :]
    zeros = np.cumsum(matches == 0, axis=-1)
    smoothed = np.where(matches == 0, 0.5**zeros, matches)
    logs = np.log(smoothed / np.maximum(totals, 1)).mean(axis=-1)
    brevity = np.minimum(0.0, 1 - reference / np.maximum(system, 1))
    defined = (totals > 0).all(axis=-1) & (matches > 0).any(axis=-1)
    return np.asarray(np.where(defined, 100 * np.exp(logs + brevity), 0.0), dtype=np.float64)


def self_bleu(sources: Sequence[str], targets: Sequence[str]) -> NDArray[np.float64]:
    """Sentence BLEU of each target against its source, shape (n,), in [0, 100]; high = similar."""
    return sentence_bleus(targets, [[source] for source in sources])


def bleu_signature(variant: str, n: int) -> str:
    """Signature of a BLEU score; `variant` is 'corpus' or 'sentence'."""
    case, smooth = ("mixed", "exp") if variant == "corpus" else ("lc", "add-k[1.00]")
    library = {"case": case, "tok": "13a", "smooth": smooth, "sacrebleu": sacrebleu_version}
    return signature(f"bleu_{variant}", n=n, **library)
