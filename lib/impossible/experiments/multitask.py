"""One student for several tasks, told which by an instruction, at equal numbers of training tokens.

A student of two tasks has either as many training tokens as a student of one, so fewer of each
task, or as much of each task as the students of one have, so more in all. Both are made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.data.human_datasets import take
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.judges import Judge
from impossible.evaluation.metrics import METRICS
from impossible.evaluation.systems import (
    System,
    gold_reference,
    item_scores,
    mean_rows,
    paired_gain,
    shuffled,
)
from impossible.filtering.thresholds import Thresholds
from impossible.training.fine_tuning import settings_for
from impossible.training.student import Student

#: What a student reads before the sentence; in the manner of T5's prefixes (Raffel et al. 2020).
INSTRUCTIONS = {"paraphrase": "paraphrase: ", "summary": "summarize: "}

#: What is measured of each task; the first is the main measure.
MEASURES_OF = {
    "paraphrase": ("paraphrase", "fidelity", "bert_ibleu"),
    "summary": ("good", "follows", "compression"),
}

HALF = "generalist, half"  # as many tokens in all as each specialist
ALL = "generalist, all"  # as many tokens of each task as its specialist


def specialist(task: str) -> str:
    """The name of the student of one task."""
    return f"specialist, {task}"


def _instruction(task: str) -> str:
    if task not in INSTRUCTIONS:
        raise DataError(f"There is no instruction for {task!r}: name {' or '.join(INSTRUCTIONS)}.")
    return INSTRUCTIONS[task]


def instructed_pairs(pairs: pd.DataFrame, task: str) -> pd.DataFrame:
    """DATASET pairs whose sources begin with the instruction of their task (`origin`).

    A pair that serves two tasks has a name for each.

    >>> frame = pd.DataFrame({"pair_id": ["a"], "source": ["It rained."], "target": ["Rain fell."]})
    >>> instructed_pairs(frame, "paraphrase").iloc[0].tolist()
    ['paraphrase-a', 'paraphrase: It rained.', 'Rain fell.', 'paraphrase', 'paraphrase']
    """
    source = _instruction(task) + pairs["source"]
    name = f"{task}-" + pairs["pair_id"]
    return pairs.assign(pair_id=name, source=source, origin=task, task=task)


def uninstructed_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs of `instructed_pairs` as they were: nothing says which task is meant."""
    both = zip(pairs["source"], pairs["origin"], strict=True)
    return pairs.assign(source=[text.removeprefix(_instruction(task)) for text, task in both])


def instructed_system(system: System, task: str) -> System:
    """A system that reads the instruction of a task before every source."""
    instruction = _instruction(task)
    return lambda items: system(items.assign(source=instruction + items["source"]))


def training_tokens(pairs: pd.DataFrame, student: Student) -> NDArray[np.int64]:
    """Training tokens of each pair in one epoch, shape (n,), with instruction and ends.

    What training cuts is not counted, nor is padding, which depends on the neighbours in the batch.
    """
    both = list(zip(pairs["source"], pairs["target"], strict=True))
    return np.array(student.tokens(both), dtype=np.int64)


def equal_token_corpora(
    tasks: Mapping[str, pd.DataFrame], student: Student, limit: int, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Corpora of a specialist for each task and of two generalists, equal in training tokens.

    The pairs of each task are put in a random order, and a student gets the first that fit into its
    budget. So a generalist's pairs are those of the specialists, or the first part of them. A
    budget is missed by less than one pair of each task.

    Args:
        tasks: task → its pairs (`instructed_pairs`).
        limit: most pairs of a task. The task whose first `limit` pairs (all, if it has fewer)
            have the fewest tokens sets the budget B of a specialist.

    Returns:
        Name of the student → DATASET: `specialist(task)` has B tokens of its task, `HALF` B tokens
        in all, the same number of each task, and `ALL` B tokens of each task.

    Raises:
        DataError: a task has no pair, or none that fits.
    """
    orders = {task: take(pairs, None, seed) for task, pairs in tasks.items()}
    counts = {task: training_tokens(pairs, student) for task, pairs in orders.items()}
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

    corpora = {specialist(task): first(task, budget) for task in tasks}
    for name, most in ((HALF, budget / len(tasks)), (ALL, budget)):
        corpora[name] = pd.concat([first(task, most) for task in tasks], ignore_index=True)
    return corpora


def training_costs(
    corpora: Mapping[str, pd.DataFrame], student: Student, params: Params
) -> pd.DataFrame:
    """What each student is trained on, counted.

    A line per student: student, pairs, tokens per epoch, epochs, tokens (that training sees in
    all), steps (of the optimizer), and `TASK pairs` for each task.
    """
    frame = pd.DataFrame({"student": list(corpora), "pairs": [len(p) for p in corpora.values()]})
    frame["tokens per epoch"] = [training_tokens(p, student).sum() for p in corpora.values()]
    frame["epochs"] = params.multitask_epochs
    frame["tokens"] = frame["epochs"] * frame["tokens per epoch"]
    sizes = frame["pairs"]
    frame["steps"] = [settings_for(n, params, params.multitask_epochs).steps for n in sizes]
    for task in INSTRUCTIONS:
        frame[f"{task} pairs"] = [int((p["origin"] == task).sum()) for p in corpora.values()]
    return frame


def length_fits_task(
    xs: Sequence[str], ys: Sequence[str], thresholds: Thresholds
) -> NDArray[np.float64]:
    """Whether each y is as long as a task asks (1 or 0, shape (n,)): does the student do that task?

    The length thresholds of paraphrase (the authors' code) and summary (section 3.6) have nothing
    in common but 0.8 exactly, so the length tells which task an output can have been meant for. A
    copy passes for a paraphrase, an empty y for neither.

    >>> params = Thresholds.paraphrase(Params.load("base"))
    >>> length_fits_task(["A fire burned."] * 2, ["A blaze raged.", ""], params).tolist()
    [1.0, 0.0]
    """
    low, high = thresholds.length_ratio_min, thresholds.length_ratio_max
    both = zip(xs, ys, strict=True)
    return np.array([float(bool(y) and low * len(x) <= len(y) <= high * len(x)) for x, y in both])


def two_task_systems(asked: Mapping[str, System], task: str, base: System) -> dict[str, System]:
    """The systems of one task and their controls.

    "specialist" of the task; `HALF` and `ALL` after its instruction, "…, told wrong" after the
    other one; "shuffled", the outputs of `ALL` for the next item; "gold", a reference.

    Args:
        asked: student of `equal_token_corpora`, or "not told" → its system.
        base: the student that all start from.
    """
    (other,) = (name for name in INSTRUCTIONS if name != task)
    right = {name: instructed_system(asked[name], task) for name in (HALF, ALL)}
    wrong = {f"{name}, told wrong": instructed_system(asked[name], other) for name in (HALF, ALL)}
    return {
        "student base": base,
        "specialist": instructed_system(asked[specialist(task)], task),
        **right,
        **wrong,
        "not told": asked["not told"],
        "shuffled": shuffled(right[ALL]),
        "gold": gold_reference,
    }


def two_task_scores(
    predictions: pd.DataFrame, task: str, judge: Judge, params: Params
) -> pd.DataFrame:
    """Item scores in per cent: whether an output does its task, and how well.

    Returns:
        system, item, the metrics of the task, `TASK length` for both tasks (the length fits),
        length (characters of the output / source), and of the task itself `right, TASK` and
        `TASK, right length`: the main measure where the length fits, null elsewhere.
    """
    limits = {"rouge_l_max": params.rouge_l_max, "longest": params.summary_length_ratio_max}
    scores = item_scores(predictions, judge, metrics=MEASURES_OF[task], **limits)
    texts = list(predictions["source"]), list(predictions["output"])
    both = Thresholds.paraphrase(params), Thresholds.summary(params)
    for name, thresholds in zip(("paraphrase", "summary"), both, strict=True):
        scores[f"{name} length"] = 100 * length_fits_task(*texts, thresholds)
    scores["length"] = [100 * len(y) / max(1, len(x)) for x, y in zip(*texts, strict=True)]
    fits = scores[f"{task} length"]
    main = scores[MEASURES_OF[task][0]]
    return scores.assign(
        **{f"right, {task}": fits, f"{task}, right length": main.where(fits == 100)}
    )


def generalist_gains(scores: Mapping[str, pd.DataFrame], bootstrap: Bootstrap) -> pd.DataFrame:
    """Gains of the generalists, paired by item, as METRIC_ROWS; `scores` by task.

    Generalists and controls minus the specialist of the task, minus their controls, and `ALL` minus
    `HALF`.
    """
    wrong = {name: f"{name}, told wrong" for name in (HALF, ALL)}
    versus = [(s, "specialist") for s in (HALF, ALL, *wrong.values(), "not told", "shuffled")]
    versus += [*wrong.items(), (HALF, "not told"), (ALL, HALF)]
    rows = [
        paired_gain(frame, *pair, [*MEASURES_OF[task], f"right, {task}"], bootstrap)
        for pair in versus
        for task, frame in scores.items()
    ]
    return pd.concat(rows, ignore_index=True)


def listening_rows(scores: pd.DataFrame, bootstrap: Bootstrap) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How long outputs for the sentences of the summary test are after both instructions.

    METRIC_ROWS of the students after each, and of one minus the other, paired by item.
    """
    lengths = ["paraphrase length", "summary length", "length"]
    names = {f"{name}, told wrong": f"{name}: paraphrase" for name in (HALF, ALL)}
    names |= {name: f"{name}: summarize" for name in (HALF, ALL)} | {"not told": "not told"}
    heard = scores.assign(system=scores["system"].map(names)).dropna(subset="system")
    gains = [
        paired_gain(heard, f"{name}: summarize", f"{name}: paraphrase", lengths, bootstrap)
        for name in (HALF, ALL)
    ]
    return mean_rows(heard, lengths, bootstrap), pd.concat(gains, ignore_index=True)


def generalist_expected(gains: pd.DataFrame, obeys: pd.DataFrame) -> list[Expected]:
    """What notebook 19 expects, with what was found.

    Args:
        gains: of `generalist_gains`.
        obeys: of `listening_rows`, one instruction minus the other.
    """
    expected = []
    for metric, *_ in MEASURES_OF.values():
        said = f"{METRICS[metric].title.rstrip(' ↑↓')} points"
        all_of, half, *wrong, mixed = (
            (f"{said}: {two}", interval_of(gains, two, metric))
            for two in (
                f"{ALL} − specialist", f"{HALF} − specialist", f"{ALL} − {ALL}, told wrong",
                f"{HALF} − {HALF}, told wrong", "shuffled − specialist",
            )
        )  # fmt: skip
        expected += [Expected(*all_of, over=-5), Expected(*half, under=-5)]
        expected += [Expected(*each, over=0) for each in wrong]
        expected.append(Expected(*mixed, under=0))
    for two in obeys["system"].unique():
        found = interval_of(obeys, two, "summary length")
        expected.append(Expected(f"a summary's length, % points: {two}", found, over=0))
    return expected
