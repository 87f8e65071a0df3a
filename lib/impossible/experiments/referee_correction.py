"""Is a rate right once it is corrected for the errors of the referee that gave it?

Where an oracle knows the truth, the whole procedure can be repeated: measure a referee on some
pairs, let it judge others, correct its rate, and see whether the interval holds the true rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from impossible.data.human_datasets import take
from impossible.data.run_folder import item_rng
from impossible.evaluation.bootstrap import Bootstrap, Floats, Interval, bootstrap_mean
from impossible.evaluation.calibration import fraction
from impossible.evaluation.corrected_rates import ErrorRates, corrected_mean
from impossible.evaluation.expectations import Expected
from impossible.experiments.pair_samples import Truth, distinct_pairs
from impossible.world import recipes

STUDIES = 200  # repetitions: the fraction that covers is then known to about 3 points
COVERED = 90  # per cent of the studies: an interval that covers lies above it
RESAMPLES = 400  # of one study at most: thousands of intervals are drawn
ANY_TWO, MIXTURE = "any two sentences", "mixture"
OTHERS, FEW, RULE = "others of its own", "few of its own", "pairs made by rule"
RAW_BIAS, BIAS = "raw − truth, points", "corrected − truth, points"
RAW_COVERS, COVERS = "raw interval holds it, %", "corrected interval holds it, %"
ALLOWED, INTERVAL_WIDTH = "corrected at all, %", "width, points"
_METRICS = (RAW_BIAS, BIAS, RAW_COVERS, COVERS, INTERVAL_WIDTH, ALLOWED)


@dataclass(frozen=True)
class Design:
    """How a referee is measured before it judges.

    Args:
        labelled: pairs with a label that measure it, at least 1.
        elsewhere: dataset that these come from; "": the judged one, of which they are others.
    """

    labelled: int
    elsewhere: str = ""


def designs(judged: int) -> dict[str, Design]:
    """As many labelled pairs as judged ones, a fifth of that, and as many of another make."""
    return {OTHERS: Design(judged), FEW: Design(max(1, judged // 5)), RULE: Design(judged, RULE)}


def chance_referee(truth: Truth, sensitivity: float, specificity: float, seed: int = 0) -> Truth:
    """A referee that errs on fixed fractions of any pairs, which ones is chance.

    So its error rates are the same wherever it judges: what a correction assumes.

    Args:
        truth: (xs, ys) → 1, 0 or NaN.
        sensitivity: fraction of yes where the truth is 1, up to rounding.
        specificity: fraction of no where it is 0.
        seed: of the choice.
    """
    rng = np.random.default_rng(seed)

    def verdicts(xs: Sequence[str], ys: Sequence[str]) -> Floats:
        true = np.asarray(truth(xs, ys), dtype=float)
        said = true.copy()
        for label, right in ((1, sensitivity), (0, specificity)):
            places = rng.permutation(np.flatnonzero(true == label))
            said[places[: round((1 - right) * len(places))]] = 1 - label
        return said

    return verdicts


def same_translation(translate: Callable[[Sequence[str]], Sequence[str]]) -> Truth:
    """A referee that says yes where both sentences have the same translation, in any word order.

    Args:
        translate: sentences → a translation of each.

    >>> same_translation(lambda texts: [text.lower() for text in texts])(["A b."], ["B a."])
    array([1.])
    """

    def verdicts(xs: Sequence[str], ys: Sequence[str]) -> Floats:
        texts = list(dict.fromkeys([*xs, *ys]))
        words = [sorted(text.rstrip(".").split()) for text in translate(texts)]
        known = dict(zip(texts, words, strict=True))
        return np.array([float(known[x] == known[y]) for x, y in zip(xs, ys, strict=True)])

    return verdicts


def verdict_pools(
    samples: Mapping[str, pd.DataFrame], truth: Truth, referees: Mapping[str, Truth]
) -> dict[str, pd.DataFrame]:
    """The truth about the pairs of each sample, and what each referee says of them.

    Args:
        samples: dataset → x, y.
        truth: (xs, ys) → 1, 0 or NaN.
        referees: name → verdicts, likewise.

    Returns:
        dataset → x, y, true and a column per referee; without pairs that one cannot judge.
    """
    pools = {}
    for name, frame in samples.items():
        xs, ys = list(frame["x"]), list(frame["y"])
        said = {referee: judge(xs, ys) for referee, judge in referees.items()}
        pool = pd.DataFrame({"x": xs, "y": ys, "true": truth(xs, ys), **said})
        pools[name] = pool.dropna(ignore_index=True)
    return pools


def samples_to_judge(
    sentences: pd.DataFrame, corpora: Mapping[str, pd.DataFrame], n: int, seed: int
) -> dict[str, pd.DataFrame]:
    """Datasets of several truths: any two sentences of a context, corpora, and a mixture.

    Args:
        sentences: SENTENCES.
        corpora: name → DATASET.
        n: pairs of each, or all there are.
        seed: of the draws.

    Returns:
        name → x, y; the last is half of the first and half of the second, where they have as many.
    """
    two = distinct_pairs(sentences, n, item_rng(seed, "referee", ANY_TWO))[["x", "y"]]
    samples = {ANY_TWO: two.sample(frac=1, random_state=seed)}
    for name, frame in corpora.items():
        pairs = take(frame, n, seed).rename(columns={"source": "x", "target": "y"})
        samples[name] = pairs[["x", "y"]]
    first, second = list(samples.values())[:2]
    half = min(len(first), len(second)) // 2
    return samples | {MIXTURE: pd.concat([first[:half], second[:half]])}


def pairs_by_rule(n: int, seed: int) -> pd.DataFrame:
    """Pairs that a rule made, of one fact or of facts that differ by an edit: x, y."""
    made = recipes.nli_examples(n, seed, "test", noise=0.0)
    return pd.DataFrame([(e.premise, e.hypothesis) for e in made], columns=["x", "y"])


def error_rows(pools: Mapping[str, pd.DataFrame], referees: Sequence[str]) -> pd.DataFrame:
    """Truth of each dataset, and sensitivity and specificity of each referee on it, per cent."""
    rows = []
    for dataset, pool in pools.items():
        row: dict[str, object] = {"dataset": dataset, "pairs": len(pool)}
        row["true, %"] = 100 * pool["true"].mean()
        for name in referees:
            errors = ErrorRates.counted(pool[name], pool["true"], dataset)
            row[f"{name}: sensitivity"] = 100 * errors.sensitivity
            row[f"{name}: specificity"] = 100 * errors.specificity
        rows.append(row)
    return pd.DataFrame(rows)


def repeated(
    judged: pd.DataFrame,
    labelled: pd.DataFrame | None,
    sizes: tuple[int, int],
    bootstrap: Bootstrap,
    studies: int = STUDIES,
) -> pd.DataFrame:
    """Measure a referee, let it judge and correct its rate, again and again.

    Pairs are drawn without replacement, so that none both measures the referee and is judged by it.

    Args:
        judged: true and said (0 or 1) of each pair of the dataset whose rate is asked for.
        labelled: the same of the pairs that measure the referee; None: others of `judged`.
        sizes: pairs judged and pairs that measure, in each study.
        bootstrap: how the interval of one study is made.
        studies: repetitions.

    Returns:
        A row per study: raw, raw_low, raw_high; value, low, high of the corrected rate, NaN where
        the measured errors allow no correction.
    """
    rng, rows = np.random.default_rng([bootstrap.seed, 2]), []
    n_judged, n_labelled = sizes
    for _ in range(studies):
        order = rng.permutation(len(judged))
        said = judged["said"].to_numpy()[order[:n_judged]]
        source = judged if labelled is None else labelled
        rest = order[n_judged:] if labelled is None else rng.permutation(len(labelled))
        known = source.iloc[rest[:n_labelled]]
        errors = ErrorRates.counted(known["said"], known["true"])
        raw = bootstrap_mean(said, bootstrap=bootstrap)
        corrected = corrected_mean(said, np.ones(len(said)), errors, bootstrap=bootstrap)
        rows.append([*raw.bounds, *corrected.bounds])
    return pd.DataFrame(rows, columns=["raw", "raw_low", "raw_high", "value", "low", "high"])


def correction_rows(
    pools: Mapping[str, pd.DataFrame],
    referees: Sequence[str],
    judged: int,
    bootstrap: Bootstrap,
    studies: int = STUDIES,
) -> pd.DataFrame:
    """How far raw and corrected rates are from the truth, and how often intervals hold it.

    Args:
        pools: from `verdict_pools`; that called `RULE` only measures.
        referees: columns of the pools.
        judged: pairs judged in each study.
        bootstrap: of one study's interval.
        studies: of each referee, dataset and design.

    Returns:
        METRIC_ROWS with referee, dataset and labels (the name of the design); `system` joins them.
    """
    parts, few = [], replace(bootstrap, samples=min(bootstrap.samples, RESAMPLES))
    for referee in referees:
        said = {name: pool.assign(said=pool[referee]) for name, pool in pools.items()}
        for dataset in [name for name in said if name != RULE]:
            for labels, design in designs(judged).items():
                known, sizes = said.get(design.elsewhere), (judged, design.labelled)
                found = repeated(said[dataset], known, sizes, few, studies)
                rows = _summary(found, said[dataset]["true"].mean(), bootstrap)
                names = {"referee": referee, "dataset": dataset, "labels": labels}
                parts.append(rows.assign(system="; ".join(names.values()), **names))
    return pd.concat(parts, ignore_index=True)


def _summary(found: pd.DataFrame, truth: float, bootstrap: Bootstrap) -> pd.DataFrame:
    """The metrics of one series of studies; those of corrected rates where there are any."""
    some = found.dropna(subset="value")

    def holds(low: str, high: str, frame: pd.DataFrame) -> pd.Series:
        return ((frame[low] <= truth) & (truth <= frame[high])).astype(float)

    per_cent, confidence = 100.0, bootstrap.confidence
    intervals = (
        bootstrap_mean(found["raw"] - truth, bootstrap=bootstrap),
        bootstrap_mean(some["value"] - truth, bootstrap=bootstrap),
        fraction(holds("raw_low", "raw_high", found), confidence),
        fraction(holds("low", "high", some), confidence),
        bootstrap_mean(some["high"] - some["low"], bootstrap=bootstrap),
        fraction(found["value"].notna().astype(float), confidence),
    )
    bounds = np.array([each.bounds for each in intervals]) * per_cent
    table = pd.DataFrame(bounds, columns=["value", "low", "high"])
    counts = [each.n for each in intervals]
    return table.assign(metric=_METRICS, n=counts, signature=f"{len(found)} studies")


def coverage_expected(rows: pd.DataFrame) -> list[Expected]:
    """What notebook 22g expects of the intervals of `correction_rows`, at worst.

    Of each expectation the row that is hardest on it decides. What the critic chose (the datasets
    whose names begin with "D_") is judged by the last expectation alone.
    """
    own = rows["referee"].eq("critic") & rows["dataset"].str.startswith("D_")
    others, right = rows["labels"].eq(OTHERS), rows["metric"].eq(COVERS)
    parts = {
        "corrected by others of its own": (rows[others & right & ~own], 1),
        "not corrected": (rows[others & rows["metric"].eq(RAW_COVERS)], -1),
        "corrected, the critic on what it chose": (rows[own & right], -1),
    }
    expected = []
    for says, (part, sign) in parts.items():
        name, found = _hardest(part, sign)
        said = f"intervals that hold the truth, {says}, at worst ({name}), % of studies"
        over, under = (COVERED, None) if sign > 0 else (None, COVERED)
        expected.append(Expected(said, found, over, under))
    return expected


def _hardest(rows: pd.DataFrame, sign: int) -> tuple[str, Interval]:
    """The row that speaks most against lying above (sign 1) or below (-1) `COVERED`, and its name.

    That is a row wholly on the other side, if there is one; of several, the one whose end reaches
    farthest there.
    """
    known = rows.dropna(subset=["value", "low", "high"])
    if known.empty:
        return "none", Interval(np.nan, np.nan, np.nan, 0)
    near, far = ("low", "high") if sign > 0 else ("high", "low")
    beyond = known[sign * (known[far] - COVERED) < 0]
    row = (known if beyond.empty else beyond).sort_values(near, ascending=sign > 0).iloc[0]
    value, low, high = (float(row[column]) for column in ("value", "low", "high"))
    return str(row["system"]), Interval(value, low, high, int(row["n"]))
