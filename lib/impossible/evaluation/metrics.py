"""Every metric of an output, once: notebooks, `impossible score` and `evaluate` read this registry.

A value that cannot be computed (no reference, no encoder, a silent judge) is NaN and never counts
as zero. Nothing is rounded. Scores are in per cent unless the title says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.judges import Judge
from impossible.text import bleu, lexical_diversity
from impossible.text.ibleu import bert_ibleu, ibleu
from impossible.text.rouge import rouge_l
from impossible.text.sentence_boundaries import words
from impossible.text.signature import signature

__all__ = [
    "CORPUS_METRICS", "ENCODED", "JUDGED", "METRICS", "NO_ENCODER", "PARAPHRASE", "SHOWN",
    "SUMMARY", "Metric", "Texts", "novelty", "titles", "word_ratio",
]  # fmt: skip

Floats = NDArray[np.float64]
NO_ENCODER = "no sentence encoder was given"


@dataclass(frozen=True)
class Texts:
    """What systems wrote, as metrics read it.

    Args:
        frame: PREDICTIONS, for metrics of an encoder with the columns of `with_similarities`.
        judge: says what an output means.
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

    def column(self, name: str) -> Floats:
        """A column of the frame; NaN where it is missing."""
        values = self.frame.get(name, np.full(len(self.frame), np.nan))
        return np.asarray(values, dtype=np.float64)

    def each(self, score: Callable[[str, str], float]) -> Floats:
        """score(source, output) of each, shape (n,)."""
        return np.array([score(x, y) for x, y in zip(self.sources, self.outputs, strict=True)])

    def best(self, score: Callable[[str, str], float]) -> Floats:
        """The largest score(reference, output) of each, shape (n,); NaN without a reference."""
        both = zip(self.outputs, self.references, strict=True)
        return np.array([max((score(r, y) for r in texts), default=np.nan) for y, texts in both])


@dataclass(frozen=True)
class Metric:
    """How one metric is computed.

    Args:
        title: its name in tables and figures; the arrow points to what is better.
        values: shape (n,), a score of each output, whose mean counts; or (n, d) with a `statistic`.
        statistic: maps sums of columns, shape (…, d), to the score of all outputs together.
        lacks: why values are missing.
        parts: of the signature; or a function from n to all of it.
    """

    title: str
    values: Callable[[Texts], Floats]
    statistic: Callable[[Floats], Floats] | None = None
    lacks: str = "no references"
    parts: dict[str, Any] | Callable[[int], str] = field(default_factory=dict)

    def present(self, values: Floats) -> NDArray[np.bool_]:
        """Which outputs have a value, shape (n,)."""
        return np.asarray(~np.isnan(np.atleast_2d(values.T)).any(axis=0))

    def signature(self, name: str, n: int, encoder: str = "") -> str:
        """How a score over n outputs was computed."""
        if callable(self.parts):
            return self.parts(n)
        more = {"encoder": encoder} if self.lacks == NO_ENCODER else {}
        return signature(name, n=n, **self.parts, **more)

    def score(self, texts: Texts) -> float:
        """The score of all outputs that have a value; NaN where none has."""
        values = self.values(texts)
        values = values[self.present(values)]
        if not len(values):
            return float("nan")
        if self.statistic is None:
            return float(values.mean())
        return float(self.statistic(values.sum(axis=0)))


def novelty(source: str, summary: str) -> float:
    """Fraction of the summary's different word pairs that the source lacks; NaN without any.

    Abstractive summaries have a high one (See et al. 2017, section 6).

    >>> novelty("The old school burned down.", "The school burned.")
    0.5
    """
    ours, theirs = (set(pairwise(w)) for w in (words(summary), words(source)))
    return len(ours - theirs) / len(ours) if ours else float("nan")


def word_ratio(source: str, target: str) -> float:
    """Words of the target per word of its source; NaN for a source without words."""
    before = len(words(source))
    return len(words(target)) / before if before else float("nan")


@lru_cache
def _scorer(kind: str) -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # slow to import

    return RougeScorer([kind])


def _rouge(kind: str) -> Callable[[Texts], Floats]:
    def values(texts: Texts) -> Floats:
        score = _scorer(kind).score
        return 100 * texts.best(lambda r, y: float(score(r, y)[kind].fmeasure))

    return values


def _bleu(texts: Texts) -> Floats:
    pairs = zip(texts.outputs, texts.references, strict=True)
    return np.array([bleu.sentence_bleu(y, r) if r else np.nan for y, r in pairs])


def _self_bleu(texts: Texts) -> Floats:
    return bleu.self_bleu(texts.sources, texts.outputs)


def _bleu_columns(texts: Texts) -> Floats:
    """Sufficient statistics of corpus BLEU; NaN without a reference."""
    known = np.array([bool(r) for r in texts.references], dtype=bool)
    columns = bleu.bleu_statistics(texts.outputs, [r or [""] for r in texts.references])
    columns[~known] = np.nan
    return columns


def _ibleu_columns(texts: Texts) -> Floats:
    own = bleu.bleu_statistics(texts.outputs, [[x] for x in texts.sources])
    return np.hstack([_bleu_columns(texts), own])


def _ibleu_of_sums(sums: Floats) -> Floats:
    half = sums.shape[-1] // 2
    return ibleu(bleu.bleu_from_sums(sums[..., :half]), bleu.bleu_from_sums(sums[..., half:]))


def _bert_ibleu(texts: Texts) -> Floats:
    return 100 * bert_ibleu(texts.column("bert_score"), _self_bleu(texts) / 100)


def _valid(texts: Texts) -> Floats:
    """Faithful and not too similar; what cannot be judged is missing, similar or not."""
    faithful = texts.judge.equivalent(texts.sources, texts.outputs)
    return 100 * faithful * (texts.similar <= texts.rouge_l_max)


def _of_bleu(variant: str, prefix: str = "") -> Callable[[int], str]:
    return lambda n: prefix + bleu.bleu_signature(variant, n)


_ROUGE = {"tok": "rouge-score", "stem": "no"}
_OF_SOURCE = {"of": "output,source"}
_NO_WORDS = "no words"

#: name → metric. What an outcome is called here, it is called everywhere.
METRICS: dict[str, Metric] = {
    "bleu": Metric("BLEU ↑", _bleu, parts=_of_bleu("sentence")),
    "bleu_corpus": Metric(
        "corpus BLEU ↑", _bleu_columns, bleu.bleu_from_sums, parts=_of_bleu("corpus")
    ),
    "ibleu": Metric(
        "iBLEU ↑", lambda t: ibleu(_bleu(t), _self_bleu(t)),
        parts=_of_bleu("sentence", "ibleu|alpha:0.7|"),
    ),
    "ibleu_corpus": Metric(
        "corpus iBLEU ↑", _ibleu_columns, _ibleu_of_sums,
        parts=_of_bleu("corpus", "ibleu|alpha:0.7|"),
    ),
    "rouge_l": Metric(
        "ROUGE-L to references ↑", lambda t: 100 * t.best(rouge_l), parts=_ROUGE | {"refs": "best"}
    ),
    "rouge_l_source": Metric(
        "ROUGE-L to source ↓", lambda t: 100 * t.similar, lacks=_NO_WORDS, parts=_ROUGE
    ),
    "self_bleu": Metric(
        "Self-BLEU ↓", _self_bleu, lacks=_NO_WORDS, parts=_of_bleu("sentence", "self_bleu|")
    ),
    "length_ratio": Metric(
        "words, output / source", lambda t: t.each(word_ratio), lacks=_NO_WORDS,
        parts={"unit": "words"},
    ),
    "bert_ibleu": Metric(
        "BERT-iBLEU ↑", _bert_ibleu, lacks=NO_ENCODER, parts={"beta": 4} | _OF_SOURCE
    ),
    "bert_score": Metric(
        "BERTScore to source ↑", lambda t: 100 * t.column("bert_score"), lacks=NO_ENCODER,
        parts=_OF_SOURCE,
    ),
    "cosine": Metric("cosine ↑", lambda t: 100 * t.column("cosine"), lacks=NO_ENCODER),
    "rouge1": Metric("ROUGE-1 ↑", _rouge("rouge1"), parts=_ROUGE | {"refs": "best"}),
    "rouge2": Metric("ROUGE-2 ↑", _rouge("rouge2"), parts=_ROUGE | {"refs": "best"}),
    "bert_score_references": Metric(
        "BERTScore ↑", lambda t: 100 * t.column("bert_score_references"), lacks=NO_ENCODER,
        parts={"refs": "best"},
    ),
    "compression": Metric(
        "length, % of x ↓", lambda t: 100 * t.each(lambda x, y: len(y) / max(1, len(x))),
        lacks=_NO_WORDS, parts={"unit": "characters"},
    ),
    "novelty": Metric(
        "new word pairs ↑", lambda t: 100 * t.each(novelty), lacks=_NO_WORDS, parts={"n-gram": 2}
    ),
    "fidelity": Metric(
        "fidelity ↑", lambda t: 100 * t.judge.equivalent(t.sources, t.outputs),
        lacks="the judge says nothing",
    ),
    "paraphrase": Metric("valid paraphrase ↑", _valid, lacks="the judge says nothing"),
    "follows": Metric(
        "follows ↑", lambda t: 100 * t.judge.entails(t.sources, t.outputs),
        lacks="the judge says nothing",
    ),
    "coverage": Metric(
        "coverage ↑", lambda t: 100 * t.judge.coverage(t.sources, t.outputs),
        lacks="the judge says nothing",
    ),
    "good": Metric(
        "good summary ↑",
        lambda t: 100 * t.judge.good_summaries(t.sources, t.outputs, t.longest),
        lacks="the judge says nothing",
    ),
}  # fmt: skip

#: Metrics of Table 2, and of Table 5.
PARAPHRASE = (
    "bleu", "bleu_corpus", "ibleu", "ibleu_corpus", "rouge_l", "rouge_l_source", "self_bleu",
    "length_ratio", "bert_ibleu", "bert_score", "cosine",
)  # fmt: skip
SUMMARY = (
    "follows", "coverage", "good", "compression", "novelty", "rouge1", "rouge2", "rouge_l",
    "bert_score_references",
)  # fmt: skip
JUDGED = ("fidelity", "paraphrase", "follows", "coverage", "good")
ENCODED = tuple(name for name, metric in METRICS.items() if metric.lacks == NO_ENCODER)

#: What is shown of paraphrasers beside each other.
SHOWN = (
    "fidelity", "paraphrase", "rouge_l_source", "self_bleu", "ibleu", "bert_ibleu", "rouge_l",
    "cosine",
)  # fmt: skip


def titles(names: Iterable[str], judge: Judge | None = None) -> dict[str, str]:
    """Metric → its title, in which judged metrics name who judges.

    >>> titles(["fidelity", "ibleu"], Judge())
    {'fidelity': 'fidelity (none) ↑', 'ibleu': 'iBLEU ↑'}
    """
    who = f" ({judge.name})" if judge else ""
    known = {name: METRICS[name].title for name in names}
    return {n: t.replace(" ↑", f"{who} ↑") if n in JUDGED else t for n, t in known.items()}


#: Metrics of a set of sentences as a whole; see `corpus_quality` for their intervals.
CORPUS_METRICS: dict[str, Callable[[Sequence[str]], float]] = {
    "h2": lambda texts: lexical_diversity.ngram_entropy(texts, 2),
    "h3": lambda texts: lexical_diversity.ngram_entropy(texts, 3),
    "msttr": lambda texts: 100 * lexical_diversity.msttr(texts),
}
