"""Every metric of an output, once: notebooks, `impossible score` and `evaluate` read this registry.

A value that cannot be computed (no reference, no encoder, a silent judge) is NaN and never counts
as zero. Nothing is rounded. Scores are in per cent unless the title says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from impossible.evaluation.bootstrap import Floats
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric import NO_ENCODER, Metric, Written
from impossible.text import bleu, lexical_diversity
from impossible.text.ibleu import bert_ibleu, ibleu
from impossible.text.rouge import rouge_l, rouge_tokens
from impossible.text.sentence_boundaries import words

RAW = "_raw"  # after the name of a judged metric: by the verdicts as they are


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


def _rouge(kind: str) -> Callable[[Written], Floats]:
    def values(texts: Written) -> Floats:
        score = _scorer(kind).score
        return 100 * texts.best_rouge(lambda r, y: float(score(r, y)[kind].fmeasure))

    return values


def _rouge_l_source(texts: Written) -> Floats:
    """NaN where the source has no token of ROUGE, and a 0 would say that nothing is copied."""
    known = np.array([bool(rouge_tokens(source)) for source in texts.sources], dtype=bool)
    return np.where(known, 100 * texts.similar, np.nan)


def _ibleu_columns(texts: Written) -> Floats:
    return np.hstack([texts.bleu_columns, texts.self_bleu_columns])


def _ibleu_of_sums(sums: Floats, alpha: float = 0.7) -> Floats:
    half = sums.shape[-1] // 2
    both = bleu.bleu_from_sums(sums[..., :half]), bleu.bleu_from_sums(sums[..., half:])
    return ibleu(*both, alpha)


def _bert_ibleu(texts: Written) -> Floats:
    return 100 * bert_ibleu(texts.column("bert_score"), texts.self_bleu / 100)


def _valid(texts: Written) -> Floats:
    """Faithful and not too similar; what cannot be judged is missing, similar or not."""
    return 100 * texts.judge.equivalent(texts.sources, texts.outputs) * texts.different


def _follows(texts: Written) -> Floats:
    return 100 * texts.judge.entails(texts.sources, texts.outputs)


def _of_bleu(variant: str, prefix: str = "") -> Callable[[int], str]:
    return lambda n: prefix + bleu.bleu_signature(variant, n)


_ROUGE = {"tok": "rouge-score", "stem": "no"}
_OF_SOURCE = {"of": "output,source"}
_NO_WORDS = "no words"
_NO_TOKENS = "with letters a-z or digits, the only ones that ROUGE counts"
_SILENT = "the judge says nothing"

#: name → metric. What an outcome is called here, it is called everywhere.
METRICS: dict[str, Metric] = {
    "bleu": Metric("BLEU ↑", lambda t: t.bleu, parts=_of_bleu("sentence")),
    "bleu_corpus": Metric(
        "corpus BLEU ↑", lambda t: t.bleu_columns, bleu.bleu_from_sums, parts=_of_bleu("corpus")
    ),
    "ibleu": Metric(
        "iBLEU ↑", lambda t: ibleu(t.bleu, t.self_bleu),
        parts=_of_bleu("sentence", "ibleu|alpha:0.7|"),
    ),
    "ibleu_corpus": Metric(
        "corpus iBLEU ↑", _ibleu_columns, _ibleu_of_sums,
        parts=_of_bleu("corpus", "ibleu|alpha:0.7|"),
    ),
    "ibleu_table8": Metric(
        "corpus iBLEU, weights .9 and .1 ↑", _ibleu_columns, partial(_ibleu_of_sums, alpha=0.9),
        parts=_of_bleu("corpus", "ibleu|alpha:0.9|"),
    ),
    "rouge_l": Metric(
        "ROUGE-L to references ↑", lambda t: 100 * t.best_rouge(rouge_l),
        lacks=f"no references {_NO_TOKENS}", parts=_ROUGE | {"refs": "best"},
    ),
    "rouge_l_source": Metric(
        "ROUGE-L to source ↓", _rouge_l_source, lacks=f"no sources {_NO_TOKENS}", parts=_ROUGE
    ),
    "self_bleu": Metric(
        "Self-BLEU ↓", lambda t: t.self_bleu, lacks=_NO_WORDS,
        parts=_of_bleu("sentence", "self_bleu|"),
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
    "rouge1": Metric(
        "ROUGE-1 ↑", _rouge("rouge1"), lacks=f"no references {_NO_TOKENS}",
        parts=_ROUGE | {"refs": "best"},
    ),
    "rouge2": Metric(
        "ROUGE-2 ↑", _rouge("rouge2"), lacks=f"no references {_NO_TOKENS}",
        parts=_ROUGE | {"refs": "best"},
    ),
    "bert_score_references": Metric(
        "BERTScore ↑", lambda t: 100 * t.column("bert_score_references"), lacks=NO_ENCODER,
        parts={"refs": "best"},
    ),
    "compression": Metric(
        "length, % of x ↓", lambda t: 100 * t.each(lambda x, y: len(y) / max(1, len(x))),
        lacks=_NO_WORDS, parts={"unit": "characters"},
    ),
    "novelty": Metric(
        "new word pairs, % ↑", lambda t: 100 * t.each(novelty), lacks=_NO_WORDS, parts={"n-gram": 2}
    ),
    "fidelity": Metric(
        "fidelity, % ↑", lambda t: 100 * t.judge.equivalent(t.sources, t.outputs),
        lacks=_SILENT, asks="equivalence",
    ),
    "paraphrase": Metric(
        "valid paraphrase, % ↑", _valid, lacks=_SILENT, asks="equivalence",
        asked=lambda t: t.different,
    ),
    "follows": Metric("follows, % ↑", _follows, lacks=_SILENT, asks="entailment"),
    "short_follows": Metric(
        "follows and short, % ↑", lambda t: _follows(t) * t.short, lacks=_SILENT, asks="entailment",
        asked=lambda t: t.short,
    ),
    "coverage": Metric(
        "coverage, % ↑", lambda t: 100 * t.judge.coverage(t.sources, t.outputs), lacks=_SILENT
    ),
    "good": Metric(
        "good summary, % ↑",
        lambda t: 100 * t.judge.good_summaries(t.sources, t.outputs, t.longest), lacks=_SILENT,
    ),
}  # fmt: skip

#: Metrics of Table 2, and of Table 5.
PARAPHRASE = (
    "bleu", "bleu_corpus", "ibleu", "ibleu_corpus", "ibleu_table8", "rouge_l", "rouge_l_source",
    "self_bleu", "length_ratio", "bert_ibleu", "bert_score", "cosine",
)  # fmt: skip
SUMMARY = (
    "follows", "short_follows", "coverage", "good", "compression", "novelty", "rouge1", "rouge2",
    "rouge_l", "bert_score_references",
)  # fmt: skip
JUDGED = tuple(name for name, metric in METRICS.items() if metric.lacks == _SILENT)
ENCODED = tuple(name for name, metric in METRICS.items() if metric.lacks == NO_ENCODER)

#: What is shown of paraphrasers beside each other.
SHOWN_METRICS = (
    "fidelity", "paraphrase", "rouge_l_source", "self_bleu", "ibleu", "bert_ibleu", "rouge_l",
    "cosine",
)  # fmt: skip


def titles(names: Iterable[str], judge: Judge | None = None) -> dict[str, str]:
    """Metric → its title; judged ones say who judges, and stand twice if rates are corrected.

    Where the judge's errors are known and allow no correction, only the raw rate has a title.

    >>> titles(["fidelity", "ibleu"], Judge())
    {'fidelity': 'fidelity (none), % ↑', 'ibleu': 'iBLEU ↑'}
    """
    found = {}
    for name in names:
        title, asks = METRICS[name].title, METRICS[name].asks
        if judge and name in JUDGED and (errors := judge.errors.get(asks)):
            if not errors.problem:
                found[name] = title.replace(",", f" ({judge.name}, corrected),")
            found[name + RAW] = title.replace(",", f" ({judge.name}, raw),")
        else:
            who = f" ({judge.name})," if judge and name in JUDGED else ","
            found[name] = title.replace(",", who)
    return found


#: Metrics of a set of sentences as a whole; see `corpus_quality` for their intervals.
CORPUS_METRICS: dict[str, Callable[[Sequence[str]], float]] = {
    "h2": lambda texts: lexical_diversity.ngram_entropy(texts, 2),
    "h3": lambda texts: lexical_diversity.ngram_entropy(texts, 3),
    "msttr": lambda texts: 100 * lexical_diversity.msttr(texts),
}
