"""How good the off-the-shelf models are before the pipeline uses them.

The critic on labelled pairs (confusion, calibration, accuracy by group) and the teacher prompted to
paraphrase. Every share has a Wilson interval, which is honest for shares near 0 and 1 too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from impossible.data.run_folder import read_json
from impossible.evaluation.bootstrap import Interval
from impossible.models.batching import token_ids
from impossible.models.causal_generation import sample_continuations
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.sentence_boundaries import first_sentence

__all__ = [
    "answers", "calibration_curve", "calibration_error", "confusion_matrix", "few_shot",
    "judged_examples", "model_card", "share", "shares", "zero_shot",
]  # fmt: skip

Pairs = Sequence[tuple[str, str]]


class Labelled(Protocol):
    """What is needed of a labelled pair (`recipes.examples`): texts, truth and how it was made."""

    @property
    def premise(self) -> str: ...
    @property
    def hypothesis(self) -> str: ...
    @property
    def gold(self) -> str: ...
    @property
    def edits(self) -> tuple[str, ...]: ...
    @property
    def premise_fact(self) -> Any: ...
    @property
    def hypothesis_fact(self) -> Any: ...


def judged_examples(critic: EntailmentCritic, examples: Sequence[Labelled]) -> pd.DataFrame:
    """What the critic says about labelled pairs, with the traits by which its errors are grouped.

    Returns:
        A row per pair: premise, hypothesis, gold, predicted (label names in lower case),
        p_<label> for each label, correct (0/1), and the traits `edit`, `modifiers`, `numbers`,
        `negation`, `words` as short texts.
    """
    pairs = [(e.premise, e.hypothesis) for e in examples]
    config = critic.lm.model.config
    labels = [str(config.id2label[i]).lower() for i in range(config.num_labels)]
    table = critic.distributions(pairs)
    frame = pd.DataFrame([_traits(example) for example in examples])
    frame["gold"] = [example.gold for example in examples]
    frame["predicted"] = [labels[i] for i in table.argmax(axis=1)]
    frame["correct"] = (frame["gold"] == frame["predicted"]).astype(int)
    return frame.assign(**{f"p_{label}": table[:, i] for i, label in enumerate(labels)})


def _traits(example: Labelled) -> dict[str, str]:
    """Texts of a pair and the groups it belongs to."""
    facts = (example.premise_fact, example.hypothesis_fact)
    edits = example.edits
    modifiers = max(len(fact.modifiers) for fact in facts)
    counted = any(entity.number.isdigit() for fact in facts for _, entity in fact.roles)
    numeric = counted or any(m.kind == "quantity" for fact in facts for m in fact.modifiers)
    words = max(len(example.premise.split()), len(example.hypothesis.split()))
    start = min(5 * ((words - 1) // 5), 25)
    return {
        "premise": example.premise,
        "hypothesis": example.hypothesis,
        "edit": "several edits" if len(edits) > 1 else "".join(edits).replace("_", " ") or "none",
        "modifiers": str(modifiers) if modifiers < 4 else "4 or more",
        "numbers": "yes" if numeric else "no",
        "negation": ("neither", "one", "both")[sum(bool(fact.negated) for fact in facts)],
        "words": f"{start + 1}–{start + 5}" if start < 25 else "26 or more",
    }


def share(outcomes: ArrayLike, confidence: float = 0.95) -> Interval:
    """Share of ones among independent outcomes that are present, with its Wilson (1927) interval.

    Args:
        outcomes: zeros and ones, shape (n,); NaN = missing, not counted.
        confidence: in (0, 1).

    >>> share([1, 1, 0, float("nan")]).n
    3
    """
    values = np.asarray(outcomes, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return Interval(np.nan, np.nan, np.nan, 0)
    test = binomtest(int(values.sum()), len(values))
    bounds = test.proportion_ci(confidence_level=confidence, method="wilson")
    return Interval(float(values.mean()), float(bounds.low), float(bounds.high), len(values))


def shares(
    frame: pd.DataFrame, by: Iterable[str], outcome: str, confidence: float = 0.95
) -> pd.DataFrame:
    """Share of ones per group, for each of several groupings, as figures draw them.

    Args:
        frame: a row per observation.
        by: columns to group by, one after the other.
        outcome: column of zeros and ones.
        confidence: of the intervals.

    Returns:
        by, group ("BY: value", or the value if there is one grouping only), value, low, high, n;
        groups in the order of their values, except "none" first and texts like "26 or more" last.
    """
    columns = list(by)
    rows = []
    for column in columns:
        for name in sorted(frame[column].unique(), key=_natural):
            found = share(frame.loc[frame[column] == name, outcome], confidence)
            group = f"{column}: {name}" if len(columns) > 1 else str(name)
            rows.append((column, group, found.value, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=["by", "group", "value", "low", "high", "n"])


def _natural(name: object) -> tuple[float, str]:
    """Sorts "1–5" before "11–15" and "none" before all texts."""
    text = str(name)
    digits = "".join(character if character.isdigit() else " " for character in text).split()
    return (float(digits[0]) if digits else -1.0 if text == "none" else 0.0), text


def confusion_matrix(
    gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> NDArray[np.int64]:
    """Counts, rows the true and columns the predicted label, shape (labels, labels).

    >>> confusion_matrix(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    place = {label: i for i, label in enumerate(labels)}
    for true, said in zip(gold, predicted, strict=True):
        counts[place[true], place[said]] += 1
    return counts


def calibration_curve(
    probabilities: ArrayLike, truth: ArrayLike, bins: int = 10, confidence: float = 0.95
) -> pd.DataFrame:
    """Share that was true among predictions of about the same probability.

    Args:
        probabilities: predictions in [0, 1], shape (n,).
        truth: zeros and ones, shape (n,).
        bins: number of bins of equal width; empty ones are left out.
        confidence: of the intervals.

    Returns:
        predicted (mean of the bin), observed, low, high, n.
    """
    predicted = np.asarray(probabilities, dtype=np.float64)
    actual = np.asarray(truth, dtype=np.float64)
    place = np.minimum((predicted * bins).astype(int), bins - 1)
    rows = []
    for number in np.unique(place):
        inside = place == number
        found = share(actual[inside], confidence)
        rows.append((predicted[inside].mean(), found.value, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=["predicted", "observed", "low", "high", "n"])


def calibration_error(curve: pd.DataFrame) -> float:
    """Mean distance of prediction and observation over a calibration curve, weighted by n.

    Source: expected calibration error, Naeini et al. 2015.
    """
    gap = (curve["predicted"] - curve["observed"]).abs()
    return float((gap * curve["n"]).sum() / curve["n"].sum())


def zero_shot(source: str, context: str = "") -> str:
    """A prompt that a language model continues with a paraphrase, if it can.

    >>> zero_shot("Prices rose.")
    'Prices rose. In other words,'
    """
    return f"{context} {source} In other words,".strip()


def few_shot(source: str, demonstrations: Pairs, task: str = "paraphrase") -> str:
    """A prompt that shows how the task is done and asks for one more.

    Args:
        source: the sentence to rewrite.
        demonstrations: (sentence, its paraphrase or summary) pairs.
        task: "paraphrase" or "summary": what the prompt calls a target.

    >>> few_shot("Prices rose.", [("He left.", "He went.")])
    'Sentence: He left. Paraphrase: He went. Sentence: Prices rose. Paraphrase:'
    """
    label = task.capitalize()
    shown = [f"Sentence: {x} {label}: {y}" for x, y in demonstrations]
    return " ".join([*shown, f"Sentence: {source} {label}:"])


def answers(lm: LanguageModel, prompts: Sequence[str], max_new_tokens: int = 60) -> list[str]:
    """The first sentence of each prompt's most probable continuation (greedy).

    Args:
        lm: the language model.
        prompts: a prompt too long for the window loses its beginning.
        max_new_tokens: most tokens of an answer.

    Returns:
        One answer per prompt, perhaps ""; with a capital, for "In other words," asks for none.
    """
    room = lm.window - max_new_tokens
    ids = token_ids(lm.tokenizer, list(prompts), True)
    fitting = [
        prompt if len(row) <= room else lm.tokenizer.decode(row[-room:]).split(" ", 1)[-1]
        for prompt, row in zip(prompts, ids, strict=True)
    ]
    unused, greedy = np.zeros((1, max_new_tokens)), Nucleus(temperature=0)
    texts = {prompt: sample_continuations(lm, prompt, unused, greedy)[0] for prompt in {*fitting}}
    sentences = [first_sentence(texts[prompt]) for prompt in fitting]
    return [sentence[:1].upper() + sentence[1:] for sentence in sentences]


def model_card(name: str, lm: LanguageModel, folder: Path) -> dict[str, Any]:
    """A model's architecture and size, and its recipe and metrics where the folder tells them.

    Args:
        name: as shown.
        lm: the loaded model.
        folder: where it lies (`models.locate`).
    """
    recipe, metrics = _notes(folder / "recipe.json"), _notes(folder / "metrics.json")
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return {
        "model": name,
        "architecture": type(lm.model).__name__,
        "parameters (M)": lm.model.num_parameters() / 1e6,
        "weights (MB)": weights / 1e6,
        "texts": recipe.get("texts"),
        "steps": recipe.get("steps"),
        "dev loss": metrics.get("dev_loss"),
        "digest": lm.digest[:12],
    }


def _notes(path: Path) -> Mapping[str, Any]:
    return read_json(path) if path.is_file() else {}
