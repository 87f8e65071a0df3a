"""What a noisier critic would do: its scores are exchanged, the rest of the method stays.

The chain is critic → dataset → student; each link is measured against the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.data.human_datasets import take
from impossible.data.run_folder import item_rng
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_mean
from impossible.evaluation.systems import mean_rows
from impossible.filtering.pair_scores import Parser, gate
from impossible.text.tree_edit_distance import at_least, pair_trees
from impossible.training.self_distillation import dataset

__all__ = ["accepted_at", "chain", "exchanged", "level"]

Judge = Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]]


def level(share: float) -> str:
    """Name of a noise level.

    >>> level(0.25)
    'noise 25%'
    """
    return f"noise {100 * share:.4g}%"


def exchanged(pairs: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Give a share of the pairs the scores (p_xy, p_yx) of other pairs, drawn at random.

    So the critic keeps its habits, the distribution of its scores, and loses part of its sense.

    Args:
        pairs: PAIRS; what was not computed stays so where it is exchanged.
        share: probability that a pair's scores are exchanged, [0, 1].
        rng: of the choice and of the draw.

    Returns:
        The pairs in their order, with exchanged scores.

    Example:
        At a share of 1 the scores say nothing about the pairs, and as many are accepted as before.
    """
    hit = np.flatnonzero(rng.random(len(pairs)) < share)
    other = rng.integers(len(pairs), size=len(hit))
    scores = pairs[["p_xy", "p_yx"]].to_numpy(copy=True)
    scores[hit] = scores[other]
    return pairs.assign(p_xy=scores[:, 0], p_yx=scores[:, 1])


def accepted_at(
    pairs: pd.DataFrame, share: float, n: int, parser: Parser, params: Params
) -> pd.DataFrame:
    """Pairs that pass all gates when the critic is degraded, as a corpus to train on.

    Pairs that the critic had refused have no tree distance, so trees are compared last, for as
    many pairs, in random order, as n takes.

    Args:
        pairs: PAIRS.
        share: of `exchanged`.
        n: pairs wanted, all that pass if fewer.
        parser: sentence → bracketed tree or None.
        params: thresholds, and seed.

    Returns:
        DATASET with `origin` `level(share)`; no pair twice.
    """
    rng = item_rng(params.seed, "exchanged scores", level(share))
    passed, _ = gate(exchanged(pairs, share, rng), params.fixed(ted_min=0))
    order = take(passed.drop_duplicates(["x", "y"]), None, params.seed)
    parse = cache(parser)
    far = (
        place
        for place, (x, y) in enumerate(zip(order["x"], order["y"], strict=True))
        if at_least(*pair_trees(x, y, parse)[:2], params.ted_min)[0]
    )
    return dataset(order.iloc[list(islice(far, n))], origin=level(share))


def chain(
    corpora: Mapping[float, pd.DataFrame], scores: pd.DataFrame, judge: Judge, params: Params
) -> pd.DataFrame:
    """From critic noise to dataset noise to student error.

    Args:
        corpora: noise level → DATASET.
        scores: `systems.item_scores` of the students, whose systems are named by `level`.
        judge: (sources, outputs) → 1, 0 or NaN (nothing can be said).
        params: reads seed, bootstrap_samples, confidence.

    Returns:
        METRIC_ROWS with the column `noise`: "pairs true" (contexts resampled), "fidelity" and
        "paraphrase" (items resampled), in per cent.
    """
    parts = []
    for share, frame in corpora.items():
        true = bootstrap_mean(
            100 * judge(list(frame["source"]), list(frame["target"])), frame["context_id"],
            Bootstrap.from_params(params),
        )  # fmt: skip
        row = {"metric": "pairs true", "value": true.value, "low": true.low, "high": true.high}
        own = mean_rows(
            scores[scores["system"] == level(share)], ["fidelity", "paraphrase"],
            Bootstrap.from_params(params),
        )  # fmt: skip
        first = pd.DataFrame([{"system": level(share), **row, "n": true.n, "signature": "oracle"}])
        parts.append(pd.concat([first, own], ignore_index=True).assign(noise=float(share)))
    return pd.concat(parts, ignore_index=True)
