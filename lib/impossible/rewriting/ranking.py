"""Which of a student's candidates a user gets: what the critics accept, ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from impossible.filtering.build_dataset import KEPT, rejections
from impossible.filtering.critic import Models, TextPairs
from impossible.filtering.critics import CRITICS
from impossible.filtering.pair_scores import least_entailment, score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.rouge import rouge_tokens
from impossible.text.sentence_boundaries import words

_MEANING = {
    "copy": "copied the text",
    "repeated": "repeated another",
    "empty": "had no words",
    "endless": "did not end",
    "length_ratio": "were too long or too short",
    "numbers": "had other numbers",
    "names": "had other names",
    "rouge_l": "had too many of its words",
    "covered": "passed over a sentence",
    "entailment": "did not mean the same",
}


@dataclass(frozen=True)
class Candidate:
    """A text that a student wrote, with what the critics say about it.

    Attributes:
        text: on one line.
        score: (1 − w) · fidelity + w · novelty, by which candidates are ranked; w is what the
            caller gave as `novelty`.
        fidelity: the least of the entailment probabilities that were asked for, [0, 1].
        novelty: how far its words are from the source's, [0, 1]; see `new_words`.
        entailment: P(source ⇒ text), and `entailment_back` P(text ⇒ source); None: not asked.
        rouge_l: ROUGE-L F1 with the source, [0, 1].
        length_ratio: characters of the text / of the source.
        rejected: the critic that rejects it, only with `best_effort`; else "".
    """

    text: str
    score: float
    fidelity: float
    novelty: float
    entailment: float | None
    entailment_back: float | None
    rouge_l: float
    length_ratio: float
    rejected: str = ""


def new_words(rouge_l: float, source: str, text: str, task: str) -> float:
    """How far a text is from its source in words, [0, 1].

    A paraphrase: 1 − ROUGE-L (F1). A summary: 1 − the fraction of its own words that stand in the
    source in this order (ROUGE-L's precision), because F1 falls with length alone, and the shortest
    summary would be the newest.

    >>> new_words(0.5, "a b c d", "a b e f", "paraphrase"), new_words(2 / 3, "a b", "a", "summary")
    (0.5, 0.0)
    """
    if task != "summary":
        return 1 - rouge_l
    x, y = len(rouge_tokens(source)), len(rouge_tokens(text))
    return 1 - min(1.0, rouge_l * (x + y) / (2 * y)) if y else 1.0


def sorted_out(source: str, texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """Texts in their order without copies of the source and repetitions, and how many those were.

    Two texts with the same words are the same, whatever their case and punctuation.

    >>> sorted_out("It rained.", ["it rained", "Rain fell.", "Rain fell", ""])[0]
    ['Rain fell.']
    """
    copied, seen, left, dropped = tuple(words(source)), set(), [], Counter[str]()
    for text in texts:
        key = tuple(words(text))
        if key == copied or not key or key in seen:
            dropped["copy" if key == copied else "repeated" if key else "empty"] += 1
        else:
            seen.add(key)
            left.append(text)
    return left, dropped


def judge_candidates(
    xs: Sequence[str], ys: Sequence[str], models: Models, thresholds: Thresholds, weight: float,
    best_effort: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Ask the pipeline's critics about (source, candidate) pairs and rank what they accept.

    Args:
        xs, ys: sources and candidates, of the same length.
        models: with the NLI model.
        thresholds: of the task.
        weight: of novelty, [0, 1].
        best_effort: score also what a cheap critic rejects.

    Returns:
        One row per pair with the fields of `Candidate`; `rejected` is "" where all accept.
    """
    scores, _ = score_pairs(
        TextPairs.of(xs, ys), models, thresholds, exits_after=int(not best_effort)
    )
    reasons = rejections(scores, thresholds)
    numbers = {name: scores[name].to_numpy(np.float64) for name in ("p_xy", "p_yx", "rouge_l")}
    fidelity = least_entailment(scores).to_numpy()
    triples = zip(numbers["rouge_l"], xs, ys, strict=True)
    novelty = np.array([new_words(float(r), x, y, thresholds.task) for r, x, y in triples])
    return pd.DataFrame(
        {
            "text": list(ys),
            "score": (1 - weight) * fidelity + weight * novelty,
            "fidelity": fidelity,
            "novelty": novelty,
            "entailment": numbers["p_xy"],
            "entailment_back": numbers["p_yx"],
            "rouge_l": numbers["rouge_l"],
            "length_ratio": scores["length_ratio"].to_numpy(np.float64),
            "rejected": reasons.where(reasons != KEPT, ""),
        }
    )


def as_candidate(row: Mapping[str, Any]) -> Candidate:
    """A row of `judge_candidates`; None for what was not computed."""
    values: dict[str, Any] = {k: None if pd.isna(v) else v for k, v in row.items()}
    return Candidate(**values)


def what_was_dropped(written: int, dropped: Mapping[str, int]) -> str:
    """One clause, such as "of 5 candidates 2 copied the text and 3 did not mean the same"."""
    order = ["copy", "repeated", "empty", "endless", *(critic.name for critic in CRITICS)]
    parts = [f"{dropped[r]} {_MEANING.get(r, f'failed {r}')}" for r in order if dropped.get(r)]
    return f"nothing passed: of {written} candidates {', '.join(parts)}"
