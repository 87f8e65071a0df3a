"""What a metric is, and what systems wrote as metrics read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.bootstrap import Floats
from impossible.evaluation.judges import Judge
from impossible.text import bleu
from impossible.text.rouge import rouge_l, rouge_tokens
from impossible.text.signature import signature

NO_ENCODER = "no sentence encoder was given"


@dataclass(frozen=True)
class Written:
    """What systems wrote, as metrics read it.

    Args:
        frame: PREDICTIONS, for metrics of an encoder with the columns of `with_similarities`.
        rouge_l_max: more similar to its source, an output is no paraphrase, F1 (paper §3.2).
        longest: fraction of the source's characters that a summary has at most (§3.6).
    """

    frame: pd.DataFrame
    judge: Judge = field(default_factory=Judge)
    rouge_l_max: float = 0.75
    longest: float = 0.8

    @cached_property
    def sources(self) -> list[str]:
        return list(self.frame["source"])

    @cached_property
    def outputs(self) -> list[str]:
        return list(self.frame["output"])

    @cached_property
    def references(self) -> list[list[str]]:
        return [list(texts) for texts in self.frame["references"]]

    @property
    def encoder(self) -> str:
        """Digests of the encoders that ran."""
        return ", ".join(self.frame["encoder"].dropna().unique()) if "encoder" in self.frame else ""

    @cached_property
    def similar(self) -> Floats:
        """ROUGE-L of output and source, F1."""
        return self.each(rouge_l)

    @cached_property
    def bleu(self) -> Floats:
        """Sentence BLEU of each output, shape (n,); NaN without a reference."""
        return np.where(self._known, bleu.sentence_bleus(self.outputs, self._references), np.nan)

    @cached_property
    def self_bleu(self) -> Floats:
        """Sentence BLEU of each output against its source, shape (n,)."""
        return bleu.self_bleu(self.sources, self.outputs)

    @cached_property
    def bleu_columns(self) -> Floats:
        """Sufficient statistics of corpus BLEU, shape (n, 10); NaN without a reference."""
        columns = bleu.bleu_statistics(self.outputs, self._references)
        columns[~self._known] = np.nan
        return columns

    @cached_property
    def self_bleu_columns(self) -> Floats:
        """Sufficient statistics of corpus BLEU against the sources, shape (n, 10)."""
        return bleu.bleu_statistics(self.outputs, [[source] for source in self.sources])

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        """Which outputs have a reference."""
        return np.array([bool(texts) for texts in self.references], dtype=bool)

    @property
    def _references(self) -> list[list[str]]:
        return [texts or [""] for texts in self.references]

    @cached_property
    def written(self) -> NDArray[np.bool_]:
        """Which outputs are not empty, shape (n,)."""
        return np.array([bool(output.strip()) for output in self.outputs], dtype=bool)

    @cached_property
    def different(self) -> NDArray[np.bool_]:
        """Which outputs are not too similar to their source to be a paraphrase, shape (n,)."""
        return np.asarray(self.written & (self.similar <= self.rouge_l_max))

    @cached_property
    def short(self) -> NDArray[np.bool_]:
        """Which outputs are short enough for a summary, shape (n,)."""
        lengths = self.each(lambda x, y: float(len(y) <= self.longest * len(x)))
        return np.asarray(self.written & (lengths > 0))

    def column(self, name: str) -> Floats:
        """A column of the frame; NaN where it is missing."""
        values = self.frame.get(name, np.full(len(self.frame), np.nan))
        return np.asarray(values, dtype=np.float64)

    def each(self, score: Callable[[str, str], float]) -> Floats:
        """score(source, output) of each, shape (n,)."""
        return np.array([score(x, y) for x, y in zip(self.sources, self.outputs, strict=True)])

    def best_rouge(self, score: Callable[[str, str], float]) -> Floats:
        """The largest score(reference, output) of each, shape (n,).

        References that hold no token of ROUGE (Chinese, Arabic) say nothing; NaN without others.
        """
        both = zip(self.outputs, self.references, strict=True)
        scores = ([score(r, y) for r in texts if rouge_tokens(r)] for y, texts in both)
        return np.array([max(each, default=np.nan) for each in scores])


@dataclass(frozen=True)
class Metric:
    """How one metric is computed.

    Args:
        title: its name in tables and figures; the arrow points to what is better.
        values: shape (n,), a score of each output, whose mean counts; or (n, d) with a `statistic`.
        statistic: maps sums of columns, shape (…, d), to the score of all outputs together.
        lacks: why values are missing.
        parts: of the signature; or a function from n to all of it.
        asks: what the judge says: "equivalence" or "entailment"; "": nothing that is yes or no.
        asked: where the judge decides, shape (n,); elsewhere a rule says no.
    """

    title: str
    values: Callable[[Written], Floats]
    statistic: Callable[[Floats], Floats] | None = None
    lacks: str = "no references"
    parts: dict[str, Any] | Callable[[int], str] = field(default_factory=dict)
    asks: str = ""
    asked: Callable[[Written], NDArray[np.bool_]] = lambda texts: texts.written

    def present(self, values: Floats) -> NDArray[np.bool_]:
        """Which outputs have a value, shape (n,)."""
        return np.asarray(~np.isnan(np.atleast_2d(values.T)).any(axis=0))

    def signature(self, name: str, n: int, encoder: str = "") -> str:
        """How a score over n outputs was computed."""
        if callable(self.parts):
            return self.parts(n)
        more = {"encoder": encoder} if self.lacks == NO_ENCODER else {}
        return signature(name, n=n, **self.parts, **more)

    def score(self, texts: Written) -> float:
        """The score of all outputs that have a value; NaN where none has."""
        values = self.values(texts)
        values = values[self.present(values)]
        if not len(values):
            return float("nan")
        if self.statistic is None:
            return float(values.mean())
        return float(self.statistic(values.sum(axis=0)))
