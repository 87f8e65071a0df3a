"""What a noisier critic would do: its scores are exchanged, the rest of the method stays.

The chain is critic → dataset → student; each link is measured against the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import numpy as np
import pandas as pd

from impossible.data.human_datasets import take
from impossible.data.run_folder import item_rng
from impossible.evaluation.bootstrap import Bootstrap, independent_difference
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.metric_rows import MetricRows
from impossible.evaluation.systems import mean_rows
from impossible.experiments.pair_samples import Truth
from impossible.filtering.build_dataset import apply_thresholds, as_dataset
from impossible.filtering.constituency_parser import Trees
from impossible.filtering.thresholds import Thresholds
from impossible.text.tree_edit_distance import at_least, pair_trees


def noise_name(fraction: float) -> str:
    """Name of a noise level, such as "noise 25%"."""
    return f"noise {100 * fraction:.4g}%"


def exchanged(pairs: pd.DataFrame, fraction: float, rng: np.random.Generator) -> pd.DataFrame:
    """Give some pairs the scores (p_xy, p_yx) of other pairs, drawn at random.

    So the critic keeps the distribution of its scores and loses part of its sense. At a fraction of
    1 the scores say nothing about the pairs, and as many are accepted as before. What was not
    computed stays so where it is exchanged.
    """
    hit = np.flatnonzero(rng.random(len(pairs)) < fraction)
    scores = pairs[["p_xy", "p_yx"]].to_numpy(copy=True)
    scores[hit] = scores[rng.integers(len(pairs), size=len(hit))]
    return pairs.assign(p_xy=scores[:, 0], p_yx=scores[:, 1])


def noisy_dataset(
    pairs: pd.DataFrame, fraction: float, n: int, trees: Trees, thresholds: Thresholds
) -> pd.DataFrame:
    """The dataset that a degraded critic makes, without the diversity filter.

    Pairs that the critic had rejected have no tree distance, so trees are compared last, for as
    many pairs, in random order, as n takes. The DATASET has no pair twice.
    """
    seed, name = thresholds.params.seed, noise_name(fraction)
    noisy = exchanged(pairs, fraction, item_rng(seed, "exchanged scores", name))
    passed, _ = apply_thresholds(noisy, thresholds.fix(ted_min=0))
    order = take(passed.drop_duplicates(["x", "y"]), None, seed)
    far = (
        i
        for i, (x, y) in enumerate(zip(order["x"], order["y"], strict=True))
        if at_least(*pair_trees(x, y, trees)[:2], thresholds.ted_min)[0]
    )
    return as_dataset(order.iloc[list(islice(far, n))], name)


def noise_chain_rows(
    corpora: Mapping[float, pd.DataFrame], scores: pd.DataFrame, truth: Truth, bootstrap: Bootstrap
) -> pd.DataFrame:
    """From critic noise to dataset noise to student error.

    Args:
        corpora: fraction exchanged → DATASET.
        scores: `systems.item_scores` of the students, whose systems are named by `noise_name`.

    Returns:
        METRIC_ROWS with the column `noise`: "pairs true" (contexts resampled), "fidelity" and
        "paraphrase" (items resampled), in per cent.
    """
    parts = []
    for fraction, frame in corpora.items():
        name = noise_name(fraction)
        rows = MetricRows(name, frame["context_id"].to_numpy(), bootstrap)
        rows.mean("pairs true", 100 * truth(list(frame["source"]), list(frame["target"])))
        student = scores[scores["system"] == name]
        parts += [
            part.assign(noise=float(fraction))
            for part in (rows.frame(), mean_rows(student, ["fidelity", "paraphrase"], bootstrap))
        ]
    return pd.concat(parts, ignore_index=True)


def noise_expected(chain: pd.DataFrame, gains: pd.DataFrame) -> list[Expected]:
    """What the most noise does to the dataset and its student: each link weaker than the last.

    Args:
        chain: `noise_chain_rows`, with a level without noise.
        gains: `systems.paired_gain` of the noisy students over that without noise.
    """
    most = float(chain["noise"].max())
    if most == 0:
        return []
    base, noisy = noise_name(0), noise_name(most)
    pairs = [interval_of(chain, name, "pairs true") for name in (noisy, base)]
    dataset = independent_difference(*pairs)
    student = interval_of(gains, f"{noisy} − {base}", "fidelity")
    weaker = independent_difference(student, dataset)
    at = f"{noisy} minus none, % points"
    return [
        Expected(f"true pairs of the dataset, {at}", dataset, under=0),
        Expected(f"the same: fewer lost than scores exchanged, {at}", dataset, over=-100 * most),
        Expected(f"fidelity of its student, {at}", student, under=0),
        Expected(f"change of fidelity minus that of true pairs, {at}", weaker, over=0),
    ]
