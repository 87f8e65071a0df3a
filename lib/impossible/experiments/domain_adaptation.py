"""What a student brings to a domain that its pairs never covered: learning curves (paper v1).

Models that learned from different corpora are fine-tuned on the same few gold pairs of an unseen
domain and tested there. Where a curve lies at 0 pairs is what its corpus taught without any; how
soon the curves meet is what that was worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from impossible.config.params import Params
from impossible.data.human_datasets import human_folder
from impossible.data.io import read_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.errors import ParameterError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.corpus_comparison import (
    HUMAN_SUMMARIES,
    equal_size,
    equally_many,
    human_corpora,
    permuted,
)
from impossible.evaluation.corpus_quality import CORPUS_TITLES, quality_rows
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.evaluation.systems import (
    item_scores,
    mean_rows,
    paired_gain,
    predict,
    student_system,
)
from impossible.experiments.ablation import filtered
from impossible.filtering.build_dataset import as_dataset
from impossible.filtering.critic import Models
from impossible.filtering.thresholds import Thresholds
from impossible.text.pairs import Pair
from impossible.training.fine_tuning import settings_of
from impossible.training.student import Student
from impossible.training.student_training import train_student
from impossible.world import test_sets as world_test_sets

AREA = "mean over sizes"  # 0 too
PAIRED = "mean with gold pairs"  # over the sizes above 0


def home_domain(params: Params) -> str:
    """The domain whose pairs students learn from: the first that is not the unseen one."""
    others = [domain.name for domain in params.domains if domain.name != params.unseen_domain]
    if not others:
        raise ParameterError(
            f"The only domain is the unseen one, {params.unseen_domain!r}: name another in "
            "unseen_domain, or add one to domains."
        )
    return others[0]


def other_corpora(run: RunFolder, models: Models, params: Params) -> dict[str, pd.DataFrame]:
    """Corpora of summaries to set beside D_sum; empty where there is nothing to make them of.

    "round trips" (of notebook 10) of the home domain that the critics of summaries accept, and
    "headlines": in the laboratory a stand-in of that domain, else Gigaword.
    """
    home, file = home_domain(params), run.data("corpora")
    trips = read_frame(file, DATASET) if file.is_file() else pd.DataFrame(columns=DATASET.names)
    trips = trips[(trips["origin"] == "ParaBank2-like") & (trips["domain"] == home)]
    if len(trips):
        trips = filtered(trips, models, Thresholds.summary(params))
    if "world" in params.test_sets:
        pairs = world_test_sets.headlines(params.compared_pairs, params.seed, home)
    else:
        known, _ = human_corpora(human_folder(params), ["gigaword"])
        pairs = next(iter(known.values()), pd.DataFrame(columns=["source", "target", "context_id"]))
    pairs = pairs.rename(columns={"source": "x", "target": "y"})
    return {"round trips": trips, "headlines": as_dataset(pairs, "headlines", "summary")}


def transfer_corpora(
    dataset: pd.DataFrame, others: Mapping[str, pd.DataFrame], params: Params
) -> dict[str, pd.DataFrame]:
    """As many pairs for every student: D_sum of the home domain, the others, and a control.

    "student of D_sum", "student of …", and "student of shuffled D_sum", its targets permuted.
    """
    pools = {"student of D_sum": dataset[dataset["domain"] == home_domain(params)]}
    pools |= {f"student of {name}": part for name, part in others.items() if len(part) > 1}
    corpora = equally_many(pools, params.compared_pairs, params.seed)
    shuffled = permuted(corpora["student of D_sum"], params.seed)
    return corpora | {"student of shuffled D_sum": shuffled}


def variety_rows(
    corpora: Mapping[str, pd.DataFrame], control: Mapping[str, pd.DataFrame], n: int,
    params: Params, bootstrap: Bootstrap,
) -> tuple[pd.DataFrame, dict[str, str]]:  # fmt: skip
    """How varied corpora of summaries are, beside human ones, at equal size, at most n pairs.

    Args:
        corpora, control: name → DATASET; the latter should not differ.

    Returns:
        (METRIC_ROWS of `quality_rows`, human datasets that are not there being missing;
        title of such a dataset → how to get it).
    """
    human, absent = human_corpora(human_folder(params), HUMAN_SUMMARIES)
    compared = {**corpora, **human}
    size = equal_size(compared, n)
    parts = [quality_rows(compared, size, bootstrap=bootstrap)]
    parts += [quality_rows(control, equal_size(control, size), bootstrap=bootstrap)]
    for name, advice in absent.items():
        gap = MetricRows(name, None, bootstrap)
        for metric in parts[0]["metric"].unique():
            gap.missing(metric, advice)
        parts.append(gap.frame())
    return pd.concat(parts, ignore_index=True), absent


def gold_dev_test(
    items: pd.DataFrame, sizes: Iterable[int], n_test: int
) -> tuple[dict[int, list[Pair]], pd.DataFrame, pd.DataFrame]:
    """Items of the new domain for fine-tuning, for choosing and for testing; none serves twice.

    Args:
        items: id, source, references.
        sizes: numbers of gold pairs, ≥ 0; those that there are not enough references for go.
        n_test: test items at most, and a third as many for choosing.

    Returns:
        (size → gold pairs (source, first reference), fewer being a part of more; dev items; test
        items, at most half of all).
    """
    n_test = max(1, min(n_test, len(items) // 2))
    n_dev = max(1, n_test // 3)
    test, dev, rest = items[:n_test], items[n_test : n_test + n_dev], items[n_test + n_dev :]
    gold = [(row.source, row.references[0]) for row in rest.itertuples() if len(row.references)]
    return {size: gold[:size] for size in sorted({0, *sizes}) if size <= len(gold)}, dev, test


def summary_quality(predictions: pd.DataFrame, judge: Judge, longest: float) -> float:
    """How good summaries are on average: the judge's verdict, without one ROUGE-L to references."""
    scores = item_scores(predictions, judge, metrics=("good", "rouge_l"), longest=longest)
    means = scores[["good", "rouge_l"]].mean().dropna()
    return float(means.iloc[0]) if len(means) else 0.0


def best_fine_tuned(
    load: Callable[[], Student], pairs: Sequence[Pair], dev: pd.DataFrame, judge: Judge,
    params: Params,
) -> tuple[Student, int]:  # fmt: skip
    """A start fine-tuned for each of `transfer_steps`; the one that does best on dev items.

    A start that knows the task is soon spoilt by more steps, one that does not needs them. The loss
    on dev pairs would not choose well, as it asks for the words of one reference.

    Returns:
        (student, its number of steps); of equals the one with fewer, and without gold pairs the
        start as it is, after 0 steps.
    """
    if not pairs:
        return load(), 0

    def quality(student: Student) -> float:
        answers = predict({"": student_system(student, params.sentence_max_new_tokens)}, dev)
        return summary_quality(answers, judge, params.summary_length_ratio_max)

    tried = (
        (train_student(load(), pairs, (), settings_of(steps, params)), steps)
        for steps in sorted(set(params.transfer_steps))
    )
    return max(tried, key=lambda each: quality(each[0]))


def learning_curves(
    starts: Mapping[str, Callable[[], Student]],
    gold: Mapping[int, Sequence[Pair]],
    dev: pd.DataFrame,
    test: pd.DataFrame,
    judge: Judge,
    params: Params,
) -> pd.DataFrame:
    """What every start answers after every number of gold pairs, the same pairs for all starts.

    Args:
        starts: name → loads a student anew.
        gold, dev, test: of `gold_dev_test`.

    Returns:
        PREDICTIONS without similarities, with start, pairs and steps besides; `system` names the
        first two.
    """
    parts = []
    for size, pairs in gold.items():
        for name, load in starts.items():
            student, steps = best_fine_tuned(load, pairs, dev, judge, params)
            system = student_system(student, params.sentence_max_new_tokens)
            answers = predict({f"{name} | {size} pairs": system}, test)
            parts.append(answers.assign(start=name, pairs=size, steps=steps))
    return pd.concat(parts, ignore_index=True)


def _by_size(scores: pd.DataFrame, metrics: Sequence[str]) -> list[tuple[object, pd.DataFrame]]:
    """Scores of items at each size, then their means over sizes (`AREA`, `PAIRED`)."""
    columns = list(metrics)
    points = scores[["start", "pairs", "item", *columns]]
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

    In a mean every size counts alike, in `AREA` 0 too: about the area under the curve in the
    picture. `PAIRED` leaves out what a start does without any gold pair.

    `scores` has start, pairs, item and a column per metric. METRIC_ROWS whose `system` is the
    start, with the column `pairs` (or `AREA`, `PAIRED`).
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
    """As `curve_rows`, one start minus another, paired by test item ("START − OTHER")."""
    points = _by_size(scores, metrics)
    parts = [
        paired_gain(part, ours, other, metrics, bootstrap).assign(pairs=size)
        for ours, other in versus
        for size, part in points
    ]
    return pd.concat(parts, ignore_index=True)


def transfer_expected(gains: pd.DataFrame, gaps: pd.DataFrame, home: str) -> list[Expected]:
    """What notebook 21 expects, with what was found.

    Args:
        gains: of `curve_gain_rows`, by `named_points`.
        gaps: METRIC_ROWS, one corpus minus another, of `corpus_quality.corpus_differences`.
        home: domain of the students' pairs.
    """
    expected = []
    for other in ("base", "student of headlines"):
        for size in ("0 pairs", PAIRED):
            two = f"student of D_sum − {other} | {size}"
            found = interval_of(gains, two, "good")
            expected.append(Expected(f"good summaries, % points: {two}", found, over=0))
    two = f"student of shuffled D_sum − base | {AREA}"
    found = interval_of(gains, two, "good")
    expected.append(Expected(f"good summaries, % points: {two}", found, under=0))
    two = f"D_sum, {home} − headlines"
    for metric in ("h2", "h3", "msttr", "novelty"):
        found, title = interval_of(gaps, two, metric), CORPUS_TITLES[metric].rstrip(" ↑↓")
        expected.append(Expected(f"{title}: {two}", found, over=0, digits=2))
    found = interval_of(gaps, two, "self_bleu")
    return [*expected, Expected(f"Self-BLEU: {two}", found, under=0, digits=2)]


def named_points(rows: pd.DataFrame) -> pd.DataFrame:
    """METRIC_ROWS of `curve_rows` or `curve_gain_rows` whose `system` names the size, too.

    >>> rows = pd.DataFrame({"system": ["a", "a"], "pairs": [16, AREA]})
    >>> list(named_points(rows)["system"])
    ['a | 16 pairs', 'a | mean over sizes']
    """
    sizes = [size if size in (AREA, PAIRED) else f"{size} pairs" for size in rows["pairs"]]
    return rows.assign(system=rows["system"] + " | " + sizes).drop(columns="pairs")
