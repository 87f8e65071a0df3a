"""What a critic is, and the pairs that it judges."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from impossible.filtering.thresholds import Thresholds
from impossible.text.pairs import Pair

Mask = NDArray[np.bool_]
Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class TextPairs:
    """Ordered pairs of texts: pair i is (texts[x[i]], texts[y[i]]); iterating gives the pairs.

    Whatever belongs to a text alone (its length, its numbers) is computed once per text.

    >>> list(TextPairs.of(["a", "b"], ["b", "c"]))
    [('a', 'b'), ('b', 'c')]
    """

    texts: Sequence[str]
    x: NDArray[np.intp]
    y: NDArray[np.intp]

    @classmethod
    def of(cls, xs: Sequence[str], ys: Sequence[str]) -> Self:
        """Pairs of two lists of the same length."""
        index = {text: i for i, text in enumerate(dict.fromkeys([*xs, *ys]))}
        x, y = (np.array([index[text] for text in side], dtype=np.intp) for side in (xs, ys))
        return cls(list(index), x, y)

    def __len__(self) -> int:
        return len(self.x)

    def __iter__(self) -> Iterator[Pair]:
        return ((self.texts[i], self.texts[j]) for i, j in zip(self.x, self.y, strict=True))

    def __getitem__(self, rows: NDArray[Any]) -> TextPairs:
        """The pairs of a mask or of row numbers."""
        return TextPairs(self.texts, self.x[rows], self.y[rows])


class EntailmentModel(Protocol):
    """Such as `models.nli.EntailmentCritic` or `resumable_scoring.RememberedCritic`."""

    def probabilities(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """P(premise ⇒ hypothesis) of each pair, in [0, 1]."""

    def entails(self, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
        """Whether entailment is the most probable label of each pair."""


class TextEncoder(Protocol):
    """Such as `models.sentence_encoder.SentenceEncoder`."""

    def embed(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings of unit norm, shape (n, d)."""


class Parser(Protocol):
    """A constituency parser: all that another one needs is this method."""

    def parse_many(self, sentences: Sequence[str]) -> list[str | None]:
        """A bracketed tree of each sentence, None where there is none."""


class Models(Protocol):
    """Who critics may ask: `notebook.begin(...).models`, or anything with the same names."""

    @property
    def critic(self) -> EntailmentModel:
        """The NLI model."""

    @property
    def encoder(self) -> TextEncoder | None:
        """The sentence encoder; None: there is none."""

    @property
    def parser(self) -> Parser:
        """The parser."""


class Critic(ABC):
    """One requirement of a pair. A new one is a subclass and a line in `critics.CRITICS`.

    `name` is its reason in the funnel, `title` how people read it (by default the name with
    blanks), `columns` are what it adds to PAIRS. A critic that `exits`
    early spares the more expensive ones the pairs it rejects: they are counted, not kept, so a
    looser threshold needs their scores anew. Of any other critic all scores are kept.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    columns: ClassVar[tuple[pa.Field, ...]]
    exits: ClassVar[bool] = False

    @abstractmethod
    def score(self, pairs: TextPairs, models: Models, thresholds: Thresholds) -> Columns:
        """Its `columns` for n pairs, each of shape (n,); NaN where nothing was computed."""

    @abstractmethod
    def accepts(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """Which scored pairs it accepts, shape (n,); reads its own columns only."""

    def goes_on(self, scores: pd.DataFrame, thresholds: Thresholds) -> Mask:
        """Which pairs the more expensive critics are shown, shape (n,): all, unless it says so."""
        return np.ones(len(scores), dtype=bool)


def column_types(critics: Iterable[Critic]) -> dict[str, str]:
    """The critics' columns → their types in a frame, in which null is possible."""
    fields = [field for critic in critics for field in critic.columns]
    return {field.name: "boolean" if field.type == "bool" else "float32" for field in fields}
