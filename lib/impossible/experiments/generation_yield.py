"""What ways of generating yield for the same number of teacher tokens.

All ways are judged by the same critics, thresholds and diversity filter; what differs is which
pairs they propose and what these cost. `spent` is, for each way, the SEQUENCES that its budget paid
for, `kept` its pairs, `truth` what the judge says of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.bootstrap import (
    Bootstrap,
    Interval,
    bootstrap_contrast,
    bootstrap_sums,
    ratio,
)
from impossible.evaluation.corpus_quality import corpus_gap, corpus_quality
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.experiments.sentence_variety import grammatical_fraction
from impossible.filtering.build_dataset import Diversity, apply_thresholds
from impossible.filtering.critic import Models, TextPairs
from impossible.filtering.pair_scores import SCORED, score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.generation.constrained.sequential_generation import SequentialWriter, dead_ends
from impossible.text.bleu import self_bleu
from impossible.text.signature import signature

_POOLS = ("hard", "soft", "soft, foreign keywords")  # pooled with parallel generation
_FEWEST = 10  # pairs of a way whose diversity is compared


def within_budget(written: Mapping[str, pd.DataFrame], budget: float) -> dict[str, pd.DataFrame]:
    """What each way, and each pool of parallel generation with one, writes for so many tokens.

    `written` maps ways to SEQUENCES in the order of writing; the budget is that of each context.
    """
    spent = {name: _within(rows, budget) for name, rows in written.items()}
    for name in _POOLS:
        pool = pool_halves(written["parallel"], written[name], budget)
        spent[f"parallel and {name}"] = pool
    return spent


def _within(rows: pd.DataFrame, budget: float) -> pd.DataFrame:
    spent = rows.groupby("context_id", sort=False)["tokens"].cumsum()
    return rows[spent <= budget].reset_index(drop=True)


def pool_halves(parallel: pd.DataFrame, sequential: pd.DataFrame, budget: float) -> pd.DataFrame:
    """Half of the budget for either way. An x that the first half has written is not paid again.

    Example:
        >>> first = pd.DataFrame({"context_id": "c", "x": "", "y": ["A.", "B."], "tokens": 4})
        >>> then = pd.DataFrame({"context_id": "c", "x": "A.", "y": ["", "A!"], "tokens": 4})
        >>> pool_halves(first, then, 16)["tokens"].tolist()
        [4, 4, 0, 4]
    """
    ours = _within(parallel, budget / 2)
    known = pd.MultiIndex.from_frame(ours[["context_id", "y"]])
    again = pd.MultiIndex.from_frame(sequential[["context_id", "x"]]).isin(known)
    price = ~sequential.duplicated(["context_id", "x"])  # the row of an x before its y
    theirs = sequential.assign(tokens=sequential["tokens"].mask(price & again, 0))
    return pd.concat([ours, _within(theirs, budget / 2)], ignore_index=True)


def way_texts(
    spent: Mapping[str, pd.DataFrame], writer: SequentialWriter, judge: Judge
) -> pd.DataFrame:
    """What each way wrote: tokens, x, x without y (dead ends), accepted y, the keywords of x that
    y holds and the sentences that the judge understands, both in per cent.
    """
    rows = []
    for name, sequences in spent.items():
        after, ys = sequences[sequences["x"] != ""], sequences[sequences["y"] != ""]
        held = 100 * writer.keywords_held(ys[ys["x"] != ""]).mean()
        correct = 100 * grammatical_fraction(ys["y"], judge)
        inputs = len(after[["context_id", "x"]].drop_duplicates())
        rows.append(
            (name, sequences["tokens"].sum(), inputs, dead_ends(after), len(ys), held, correct)
        )
    columns = ["way", "tokens", "x", "dead ends", "y accepted"]
    return pd.DataFrame(rows, columns=[*columns, "keywords of x in y, %", "correct (judge), %"])


def candidate_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Unordered pairs of different sentences: context_id, a, b with a < b, each once.

    Each x with each y written after it; of parallel generation any two samples of a context.
    """
    found: dict[tuple[str, str, str], None] = {}
    for context_id, group in rows[rows["y"] != ""].groupby("context_id", sort=False):
        texts = sorted(set(group.loc[group["x"] == "", "y"]))
        pairs = [(a, b) for i, a in enumerate(texts) for b in texts[i + 1 :]]
        after = group[group["x"] != ""]
        pairs += list(zip(after["x"], after["y"], strict=True))
        found |= {(str(context_id), min(p), max(p)): None for p in pairs if p[0] != p[1]}
    return pd.DataFrame(list(found), columns=["context_id", "a", "b"])


def both_orders(candidates: pd.DataFrame) -> pd.DataFrame:
    """Both orders of `candidate_pairs`, each once: context_id, x, y."""
    orders = ({"a": "x", "b": "y"}, {"a": "y", "b": "x"})
    both = [candidates.rename(columns=names)[["context_id", "x", "y"]] for names in orders]
    return pd.concat(both).drop_duplicates(ignore_index=True)


def score_proposed(
    candidates: pd.DataFrame, models: Models, thresholds: Thresholds
) -> pd.DataFrame:
    """PAIRS of both orders of `candidate_pairs`, without those that a cheap critic exits early."""
    frame = both_orders(candidates)
    pairs = TextPairs.of(frame["x"].tolist(), frame["y"].tolist())
    scores, reason = score_pairs(pairs, models, thresholds)
    return pd.concat([frame, scores], axis=1)[reason == SCORED].reset_index(drop=True)


def threshold_and_thin(
    candidates: pd.DataFrame, scored: pd.DataFrame, thresholds: Thresholds, diversity: Diversity
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What thresholds leave of `candidate_pairs`, and what of that the diversity filter leaves.

    `scored` are PAIRS; what a cheap critic rejected is not there.
    """
    mine = scored.drop_duplicates(["context_id", "x", "y"]).merge(both_orders(candidates))
    passed, _ = apply_thresholds(mine, thresholds)
    return passed, diversity(passed, mine)


def true_pairs(kept: Mapping[str, pd.DataFrame], judge: Judge) -> dict[str, NDArray[np.float64]]:
    """For each way's pairs 1 true, 0 not. Where the judge can tell of some, others count as untrue:
    the ways differ in how often they write what it cannot read. Else all are missing (NaN).
    """
    pairs = {name: (list(rows["x"]), list(rows["y"])) for name, rows in kept.items()}
    truth = {name: judge.equivalent(*texts) for name, texts in pairs.items()}
    known = any(np.isfinite(values).any() for values in truth.values())
    return {name: np.nan_to_num(values) if known else values for name, values in truth.items()}


def tokens_and_pairs(
    spent: pd.DataFrame, kept: pd.DataFrame, contexts: Sequence[str],
    weight: NDArray[np.float64] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Pairs kept and tokens spent of each context: columns kept, tokens; index context_id.

    Args:
        spent: SEQUENCES rows whose tokens were paid.
        contexts: all of them, also those without a pair.
        weight: what each pair counts, for example 1 if it is true, else 0; None: 1.
    """
    values = pd.Series(1.0 if weight is None else weight, index=kept.index, dtype=float)
    pairs = values.groupby(kept["context_id"]).sum(min_count=1)  # NaN where none can be judged
    tokens = spent.groupby("context_id")["tokens"].sum()
    frame = pd.DataFrame(index=pd.Index(contexts, name="context_id"))
    both = {"kept": pairs, "tokens": tokens}
    return frame.assign(**{n: part.reindex(contexts, fill_value=0) for n, part in both.items()})


def way_rows(
    spent: Mapping[str, pd.DataFrame], kept: Mapping[str, pd.DataFrame],
    truth: Mapping[str, NDArray[np.float64]], contexts: Sequence[str], bootstrap: Bootstrap,
) -> pd.DataFrame:  # fmt: skip
    """METRIC_ROWS of the ways: kept and true pairs per 1,000 teacher tokens, and precision in %."""
    parts = []
    for name, pairs in kept.items():
        rows = MetricRows(name, pairs["context_id"].to_numpy(), bootstrap)
        for metric, weight in (("kept", None), ("true", truth[name])):
            if weight is not None and np.isnan(weight).any():
                rows.missing(metric, "not all pairs can be judged")
                continue
            columns = _per_thousand(tokens_and_pairs(spent[name], pairs, contexts, weight))
            found = bootstrap_sums(columns, ratio, None, bootstrap)
            rows.add(metric, found, signature(metric, n=found.n, per="1,000 tokens"))
        if len(pairs):
            rows.mean("precision", 100 * truth[name])
        else:
            rows.missing("precision", "no pair was kept")
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def _per_thousand(counts: pd.DataFrame) -> NDArray[np.float64]:
    return np.asarray(counts[["kept", "tokens"]].to_numpy(float) * [1000, 1])


def rate_gap(a: pd.DataFrame, b: pd.DataFrame, bootstrap: Bootstrap) -> Interval:
    """Rate of a minus rate of b on the same contexts, which are resampled together."""
    both = np.hstack([_per_thousand(a), _per_thousand(b)])

    def gap(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return ratio(sums[..., :2]) - ratio(sums[..., 2:])

    return bootstrap_sums(both, gap, None, bootstrap)


def rate_gaps(
    spent: Mapping[str, pd.DataFrame], kept: Mapping[str, pd.DataFrame],
    truth: Mapping[str, NDArray[np.float64]], contexts: Sequence[str], bootstrap: Bootstrap,
) -> pd.DataFrame:  # fmt: skip
    """Rates of kept and of true pairs, every way minus parallel, free, and its own control.

    Index "a − b"; columns kept and true (`Interval` each).
    """
    weights: dict[str, Mapping[str, NDArray[np.float64] | None]]
    weights = {"kept": dict.fromkeys(kept), "true": truth}
    counts = {
        (name, what): tokens_and_pairs(spent[name], pairs, contexts, weight[name])
        for name, pairs in kept.items()
        for what, weight in weights.items()
    }
    versus = [(name, "parallel") for name in kept if name != "parallel"]
    versus += [(name, "free") for name in kept if name.startswith(("hard", "soft"))]
    versus += [(a, b) for a in kept if (b := f"{a}, foreign keywords") in kept]
    rows = [
        [rate_gap(counts[a, what], counts[b, what], bootstrap) for what in weights]
        for a, b in versus
    ]
    return pd.DataFrame(rows, [f"{a} − {b}" for a, b in versus], list(weights))


def way_quality(
    kept: Mapping[str, pd.DataFrame], truth: Mapping[str, NDArray[np.float64]],
    metrics: Iterable[str], bootstrap: Bootstrap,
) -> tuple[pd.DataFrame, dict[str, Interval], int]:  # fmt: skip
    """Diversity of as many pairs of each way, and all pairs of each beside those of parallel.

    Returns:
        METRIC_ROWS of these metrics, on as many pairs as the smallest way with at least 10 has;
        "WAY − parallel, self_bleu" and "…, precision" on all pairs; and that number.
    """
    columns = {"x": "source", "y": "target"}
    large = {n: p.rename(columns=columns) for n, p in kept.items() if len(p) >= _FEWEST}
    size = min(map(len, large.values()), default=0)
    parts = [corpus_quality(p, name, n=size, bootstrap=bootstrap) for name, p in large.items()]
    rows = pd.concat([MetricRows("", None).frame(), *parts], ignore_index=True)
    base, beside = large.get("parallel"), dict[str, Interval]()
    for name, pairs in large.items():
        if base is not None and name != "parallel":
            beside[f"{name} − parallel, self_bleu"] = corpus_gap(pairs, base, self_bleu, bootstrap)
            beside[f"{name} − parallel, precision"] = bootstrap_contrast(
                100 * truth[name], 100 * truth["parallel"], pairs["context_id"],
                base["context_id"], bootstrap,
            )  # fmt: skip
    return rows[rows["metric"].isin(list(metrics))].reset_index(drop=True), beside, size
