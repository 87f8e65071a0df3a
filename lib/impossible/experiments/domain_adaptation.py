"""What a student brings to a domain that its pairs never covered: learning curves (paper v1).

Models that learned from different corpora are fine-tuned on the same few gold pairs of an unseen
domain and tested there. Where a curve lies at 0 pairs is what its corpus taught without any; how
soon the curves meet is what that was worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.errors import ParameterError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.systems import mean_rows, paired_gain, predict, student_system
from impossible.training.fine_tuning import settings_of
from impossible.training.student import Student, train_student

AREA = "mean over sizes"  # 0 too
PAIRED = "mean with gold pairs"  # over the sizes above 0

Draws = dict[tuple[int, int], list[tuple[str, str]]]
Value = Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]]


def home_domain(params: Params) -> str:
    """The domain whose pairs students learn from: the first that is not the unseen one.

    Args:
        params: domains, unseen_domain.

    Raises:
        ParameterError: there is no other domain.
    """
    others = [domain.name for domain in params.domains if domain.name != params.unseen_domain]
    if not others:
        raise ParameterError(
            f"The only domain is the unseen one, {params.unseen_domain!r}: name another in "
            "unseen_domain, or add one to domains."
        )
    return others[0]


def nested_draws(gold: pd.DataFrame, sizes: Iterable[int], draws: int = 1) -> Draws:
    """The pairs of every point of a curve: of one draw, fewer pairs are a part of more.

    Args:
        gold: items with source and references, at least draws × the largest size; the first
            reference is the target.
        sizes: numbers of pairs, ≥ 0.
        draws: repetitions; draws share no pair.

    Returns:
        (size, draw) → (source, target) pairs; without pairs there is draw 0 only.

    >>> gold = pd.DataFrame({"source": list("abcd"), "references": [["A"], ["B"], ["C"], ["D"]]})
    >>> nested_draws(gold, [0, 1, 2], 2)[2, 1]
    [('c', 'C'), ('d', 'D')]
    """
    pairs = [(row.source, row.references[0]) for row in gold.itertuples()]
    ordered = sorted(set(sizes))
    most = ordered[-1]
    if len(pairs) < draws * most:
        raise ParameterError(
            f"{draws} draws of {most} pairs need {draws * most} gold pairs, and there are "
            f"{len(pairs)}: lower transfer_sizes or transfer_draws."
        )
    return {
        (size, draw): pairs[draw * most : draw * most + size]
        for size in ordered
        for draw in range(draws if size else 1)
    }


def fine_tuned(
    start: Student, pairs: Sequence[tuple[str, str]], steps: int, params: Params
) -> Student:
    """A start after some steps of the optimizer on gold pairs; its weights are changed in place."""
    return train_student(start, pairs, (), settings_of(steps, params))


def best_fine_tuned(
    load: Callable[[], Student],
    pairs: Sequence[tuple[str, str]],
    dev: pd.DataFrame,
    value: Value,
    params: Params,
) -> tuple[Student, int]:
    """A start fine-tuned for each of `transfer_steps`; the one that does best on dev items.

    A start that knows the task is soon spoilt by more steps, one that does not needs them: one
    number for all would decide between them. The loss on dev pairs would not choose well, as it
    asks for the words of one reference.

    Args:
        load: loads the start anew.
        pairs: gold pairs; none: the start as it is, after 0 steps.
        dev: items of the unseen domain with source.
        value: (sources, outputs) → a number for each output, the higher the better.
        params: transfer_steps, max_new_tokens, student_*.

    Returns:
        (model, its number of steps); of equals the one with fewer.
    """
    if not pairs:
        return load(), 0
    sources = list(dev["source"])

    def mean_value(student: Student) -> float:
        outputs = student_system(student, params.sentence_max_new_tokens)(dev)
        return float(np.nanmean(value(sources, outputs)))

    tried = (
        (fine_tuned(load(), pairs, steps, params), steps)
        for steps in sorted(set(params.transfer_steps))
    )
    return max(tried, key=lambda each: mean_value(each[0]))


def learning_curves(
    starts: Mapping[str, Callable[[], Student]],
    gold: pd.DataFrame,
    dev: pd.DataFrame,
    test: pd.DataFrame,
    value: Value,
    params: Params,
) -> pd.DataFrame:
    """What every start answers after every number of gold pairs, the same pairs for all starts.

    Args:
        starts: name → loads a student anew.
        gold: gold pairs of the unseen domain, as for `nested_draws`.
        dev, value: as for `best_fine_tuned`.
        test: items of that domain, as `dev`.
        params: transfer_sizes, transfer_draws, and as for `best_fine_tuned`.

    Returns:
        PREDICTIONS without similarity, with start, pairs, draw and steps besides; `system` names
        the first three.
    """
    parts = []
    draws = nested_draws(gold, params.transfer_sizes, params.transfer_draws)
    for (size, draw), pairs in draws.items():
        for name, load in starts.items():
            system = f"{name} | {size} pairs" + (f" | draw {draw + 1}" if draw else "")
            student, steps = best_fine_tuned(load, pairs, dev, value, params)
            answers = predict(
                {system: student_system(student, params.sentence_max_new_tokens)}, test
            )
            parts.append(answers.assign(start=name, pairs=size, draw=draw, steps=steps))
    return pd.concat(parts, ignore_index=True)


def _by_size(scores: pd.DataFrame, metrics: Sequence[str]) -> list[tuple[object, pd.DataFrame]]:
    """Scores of items at each size, averaged over draws, then their means (`AREA`, `PAIRED`)."""
    keys, columns = ["start", "pairs", "item"], list(metrics)
    points = scores.groupby(keys, sort=False)[columns].mean().reset_index()
    means = [
        part.groupby(["start", "item"], sort=False)[columns].mean().reset_index().assign(pairs=name)
        for name, part in ((AREA, points), (PAIRED, points[points["pairs"] > 0]))
        if len(part)
    ]
    frame = pd.concat([points, *means], ignore_index=True).rename(columns={"start": "system"})
    return list(frame.groupby("pairs", sort=False))


def curve_rows(
    scores: pd.DataFrame, metrics: Sequence[str], bootstrap: Bootstrap = Bootstrap()
) -> pd.DataFrame:
    """Every point of every curve, and means over sizes, with intervals over test items.

    In a mean every size counts alike, in `AREA` 0 too. With sizes that grow by a constant factor
    that is about the area under the curve in the picture; it depends on which sizes there are.
    `PAIRED` leaves out what a start does without any gold pair.

    Args:
        scores: start, pairs, item and a column per metric; draws are averaged first.
        metrics: columns.
        bootstrap: of the intervals.

    Returns:
        METRIC_ROWS whose `system` is the start, with the column `pairs` (a number, `AREA` or
        `PAIRED`).
    """
    parts = _by_size(scores, metrics)
    return pd.concat(
        [mean_rows(part, metrics, bootstrap).assign(pairs=size) for size, part in parts],
        ignore_index=True,
    )


def curve_gain_rows(
    scores: pd.DataFrame,
    versus: Iterable[tuple[str, str]],
    metrics: Sequence[str],
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """One start minus another at every size and on their means, paired by test item.

    Args:
        scores, metrics, bootstrap: as for `curve_rows`.
        versus: pairs of starts.

    Returns:
        METRIC_ROWS whose `system` is "START − OTHER", with the column `pairs`.
    """
    points = _by_size(scores, metrics)
    parts = [
        paired_gain(part, ours, other, metrics, bootstrap).assign(pairs=size)
        for ours, other in versus
        for size, part in points
    ]
    return pd.concat(parts, ignore_index=True)


def pairs_to_catch_up(rows: pd.DataFrame, ours: str, other: str, metric: str) -> pd.Series:
    """How many gold pairs another start needs to be as good as ours, by values alone.

    Args:
        rows: METRIC_ROWS of `curve_rows` whose `pairs` are numbers.
        ours, other: two starts.
        metric: the higher, the better.

    Returns:
        Number of pairs of ours → the fewest pairs, of those tried, with which the value of the
        other is at least as high; NaN: with none of them.

    >>> rows = pd.DataFrame({"system": list("aabb"), "pairs": [0, 16] * 2, "metric": "good"})
    >>> pairs_to_catch_up(rows.assign(value=[40, 70, 10, 50]), "a", "b", "good").to_dict()
    {0: 16.0, 16: nan}
    """
    values = rows[rows["metric"] == metric].set_index(["system", "pairs"])["value"]
    mine, theirs = values[ours], values[other]
    fewest = [theirs.index[theirs >= value].min() for value in mine]
    return pd.Series(fewest, index=mine.index, dtype=float)


def named_points(rows: pd.DataFrame) -> pd.DataFrame:
    """METRIC_ROWS of `curve_rows` or `curve_gain_rows` whose `system` names the size, too.

    >>> rows = pd.DataFrame({"system": ["a", "a"], "pairs": [16, AREA]})
    >>> list(named_points(rows)["system"])
    ['a | 16 pairs', 'a | mean over sizes']
    """
    sizes = [size if size in (AREA, PAIRED) else f"{size} pairs" for size in rows["pairs"]]
    return rows.assign(system=rows["system"] + " | " + sizes).drop(columns="pairs")
