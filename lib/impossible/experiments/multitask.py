"""One student for several tasks, told which by an instruction, at equal numbers of training tokens.

A student of two tasks has either as many training tokens as a student of one, so fewer of each
task, or as much of each task as the students of one have, so more in all. Both are made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.data.human_datasets import take
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.evaluation.systems import System
from impossible.models.batching import token_ids
from impossible.models.loading import LanguageModel
from impossible.training.objectives import MAX_TOKENS
from impossible.training.student import settings_for, train_students

__all__ = [
    "ALL", "HALF", "INSTRUCTIONS", "cost", "equal_tokens", "instructed", "of_length",
    "specialist", "token_counts", "told", "train_fixed", "untold",
]  # fmt: skip

#: What a student reads before the sentence; in the manner of T5's prefixes (Raffel et al. 2020).
INSTRUCTIONS = {"paraphrase": "paraphrase: ", "summary": "summarize: "}

HALF = "generalist, half"  # as many tokens in all as each specialist
ALL = "generalist, all"  # as many tokens of each task as its specialist


def specialist(task: str) -> str:
    """The name of the student of one task.

    >>> specialist("summary")
    'specialist, summary'
    """
    return f"specialist, {task}"


def instructed(pairs: pd.DataFrame, task: str) -> pd.DataFrame:
    """Pairs whose sources begin with the instruction of their task.

    Args:
        pairs: DATASET, from any source.
        task: a name of `INSTRUCTIONS`.

    Returns:
        DATASET with the task as `origin`; a pair that serves two tasks has a name for each.

    Raises:
        DataError: there is no such task.

    >>> frame = pd.DataFrame({"pair_id": ["a"], "source": ["It rained."], "target": ["Rain fell."]})
    >>> instructed(frame, "paraphrase").iloc[0].tolist()
    ['paraphrase-a', 'paraphrase: It rained.', 'Rain fell.', 'paraphrase']
    """
    source = _instruction(task) + pairs["source"]
    return pairs.assign(pair_id=f"{task}-" + pairs["pair_id"], source=source, origin=task)


def untold(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs of `instructed` without their instructions: nothing says which task is meant.

    >>> frame = pd.DataFrame({"source": ["summarize: It rained."], "origin": ["summary"]})
    >>> untold(frame)["source"].tolist()
    ['It rained.']
    """
    both = zip(pairs["source"], pairs["origin"], strict=True)
    return pairs.assign(source=[text.removeprefix(_instruction(task)) for text, task in both])


def told(system: System, task: str) -> System:
    """A system that reads the instruction of a task before every source.

    Args:
        system: a student of `instructed` pairs, `systems.student_system(student)`.
        task: a name of `INSTRUCTIONS`; the wrong one shows whether the student listens.

    Raises:
        DataError: there is no such task.

    >>> items = pd.DataFrame({"source": ["It rained."]})
    >>> told(lambda asked: list(asked["source"]), "summary")(items)
    ['summarize: It rained.']
    """
    instruction = _instruction(task)
    return lambda items: system(items.assign(source=instruction + items["source"]))


def _instruction(task: str) -> str:
    if task not in INSTRUCTIONS:
        raise DataError(f"There is no instruction for {task!r}: name {' or '.join(INSTRUCTIONS)}.")
    return INSTRUCTIONS[task]


def token_counts(pairs: pd.DataFrame, tokenizer: Any) -> NDArray[np.int64]:
    """Training tokens of each pair in one pass: source with instruction, target, both ends.

    Args:
        pairs: source, target.
        tokenizer: of the student.

    Returns:
        (n,) counts. What training cuts is not counted, nor is padding, which depends on the
        neighbours in the batch.

    >>> from types import SimpleNamespace
    >>> words = lambda texts, **_: SimpleNamespace(input_ids=[text.split() for text in texts])
    >>> token_counts(pd.DataFrame({"source": ["It rained ."], "target": ["Rain ."]}), words)
    array([5])
    """
    sides = (token_ids(tokenizer, list(pairs[s]), True, MAX_TOKENS) for s in ("source", "target"))
    both = zip(*sides, strict=True)
    return np.array([len(x) + len(y) for x, y in both], dtype=np.int64)


def equal_tokens(
    tasks: Mapping[str, pd.DataFrame], tokenizer: Any, limit: int, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Corpora of a specialist for each task and of two generalists, equal in training tokens.

    The pairs of each task are put in a random order, and a student gets the first that fit into
    its budget. So a generalist's pairs are those of the specialists, or the first part of them. A
    budget is missed by less than one pair of each task.

    Args:
        tasks: task → its pairs (`instructed`).
        tokenizer: of the student.
        limit: most pairs of a task. The task whose first `limit` pairs (all, if it has fewer)
            have the fewest tokens sets the budget B of a specialist.
        seed: of the order.

    Returns:
        Name of the student → DATASET: `specialist(task)` has B tokens of its task, `HALF` B tokens
        in all, the same number of each task, and `ALL` B tokens of each task.

    Raises:
        DataError: a task has no pair, or none that fits.

    >>> from types import SimpleNamespace
    >>> words = lambda texts, **_: SimpleNamespace(input_ids=[text.split() for text in texts])
    >>> pairs = pd.DataFrame({"pair_id": list("abcd"), "source": "x x", "target": "y"})
    >>> tasks = {task: instructed(pairs, task) for task in INSTRUCTIONS}
    >>> [len(part) for part in equal_tokens(tasks, words, 2).values()]
    [2, 2, 2, 4]
    """
    orders = {task: take(pairs, None, seed) for task, pairs in tasks.items()}
    counts = {task: token_counts(pairs, tokenizer) for task, pairs in orders.items()}
    budget = min(int(numbers[:limit].sum()) for numbers in counts.values())

    def first(task: str, most: float) -> pd.DataFrame:
        fitting = int(np.searchsorted(counts[task].cumsum(), most, side="right"))
        if not fitting:
            raise DataError(
                f"No pair of the task {task} fits into {most:.0f} training tokens: raise "
                "compared_pairs, or the inputs of the task with the fewest pairs (n_inputs, "
                "summary_inputs)."
            )
        return orders[task].iloc[:fitting]

    def pooled(most: float) -> pd.DataFrame:
        return pd.concat([first(task, most) for task in tasks], ignore_index=True)

    alone = {specialist(task): first(task, budget) for task in tasks}
    return alone | {HALF: pooled(budget / len(tasks)), ALL: pooled(budget)}


def cost(corpora: Mapping[str, pd.DataFrame], tokenizer: Any, params: Params) -> pd.DataFrame:
    """What each student is trained on, counted.

    Args:
        corpora: name → DATASET.
        tokenizer: of the student.
        params: multitask_epochs, student_batch_size.

    Returns:
        A line per student: student, pairs, `tokens per pass`, passes, tokens (that training sees in
        all), steps (of the optimizer).
    """
    lines = []
    for name, pairs in corpora.items():
        tokens, passes = int(token_counts(pairs, tokenizer).sum()), params.multitask_epochs
        steps = settings_for(len(pairs), params, passes).steps
        lines.append((name, len(pairs), tokens, passes, passes * tokens, steps))
    columns = ["student", "pairs", "tokens per pass", "passes", "tokens", "steps"]
    return pd.DataFrame(lines, columns=columns)


def train_fixed(
    corpora: Mapping[str, pd.DataFrame],
    base: Callable[[], LanguageModel],
    params: Params,
    run: RunFolder,
    prefix: str,
) -> dict[str, LanguageModel]:
    """A student of each corpus after the same number of passes, its last weights.

    Other students stop early and keep their best weights on dev, so that each decides for itself
    how many tokens it has seen. Here that number is what is held equal.

    Args:
        corpora: name → DATASET.
        base, run, prefix: as for `students.train_students`.
        params: multitask_epochs, student_batch_size, student_learning_rate, student_warmup, dtype,
            seed.

    Raises:
        DataError: a corpus is empty.
    """
    return train_students(corpora, base, params, run, prefix, params.multitask_epochs)


def of_length(xs: Sequence[str], ys: Sequence[str], params: Params) -> NDArray[np.float64]:
    """Whether each y is as long as the length gate of a task asks: does the student do that task?

    The paper's gates of paraphrase and summary have no length in common but 0.8 exactly, so the
    length tells which task an output can have been meant for. A copy passes for a paraphrase.

    Args:
        xs, ys: n sentences each.
        params: length_ratio_min, length_ratio_max in characters of y / characters of x; those of
            summaries are set by `tasks.summarization`.

    Returns:
        (n,) floats, 1 or 0; an empty y is 0, though it is short.

    Source: section 3.6 (summaries), the authors' code (paraphrases).

    >>> of_length(["A fire burned."] * 2, ["A blaze raged.", ""], Params()).tolist()
    [1.0, 0.0]
    """
    low, high = params.length_ratio_min, params.length_ratio_max
    both = zip(xs, ys, strict=True)
    return np.array([float(bool(y) and low * len(x) <= len(y) <= high * len(x)) for x, y in both])
