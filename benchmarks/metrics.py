"""What the metrics gain over what one would use instead: prints time and ratio of each.

Run from the repository root: ``python benchmarks/metrics.py``. Trees are the in-vitro world's, so
that the share of pairs which the bounds decide is the pipeline's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import sacrebleu
from apted import APTED, Config
from impossible.evaluation import bootstrap
from impossible.text import tree_edit_distance
from impossible.text.bleu import bleu_from_sums, bleu_statistics
from impossible.text.rouge import rouge_l_matrix
from impossible.world.documents import draw_facts, random_script
from impossible.world.realize import realize_tree
from rouge_score.rouge_scorer import RougeScorer
from scipy import stats

RNG = random.Random(0)
WORDS = [f"w{i}" for i in range(60)]
TED_MIN = 12


def sentence(words: int = 20) -> str:
    """A sentence of the length of newswire, with the overlap of one context's samples."""
    return " ".join(RNG.choice(WORDS) for _ in range(words)) + "."


def seconds(call: Callable[[], object], repeat: int = 3) -> float:
    """Best wall time of some calls."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def report(what: str, ours: float, theirs: float) -> None:
    """One line: ours, theirs, ratio."""
    print(f"{what:<58} {1e3 * ours:9.1f} ms {1e3 * theirs:10.1f} ms {theirs / ours:8.1f} x")


def context_trees(contexts: int = 3, samples: int = 24) -> list[list[str]]:
    """Trees of sentences about the few facts of one in-vitro document, as a teacher writes."""
    rng = np.random.default_rng(0)
    groups = []
    for _ in range(contexts):
        facts = draw_facts(*random_script(rng), rng)
        made = {realize_tree(facts[i % len(facts)], rng) for i in range(samples)}
        groups.append(sorted(made))
    return groups


def clear() -> None:
    """Forget all cached trees."""
    for cache in (
        tree_edit_distance._nodes,
        tree_edit_distance._postorder,
        tree_edit_distance._exact,
        tree_edit_distance._labels,
        tree_edit_distance._selkow,
        tree_edit_distance._size,
    ):
        cache.cache_clear()


class Nodes(Config):
    """Tells `apted` how to read a node, which is a label and its children."""

    def rename(self, node1: tuple[Any, ...], node2: tuple[Any, ...]) -> int:
        """Cost of another label."""
        return int(node1[0] != node2[0])

    def children(self, node: tuple[Any, ...]) -> tuple[Any, ...]:
        """The nodes below."""
        return node[1:]


def apted_distance(a: tuple[Any, ...], b: tuple[Any, ...]) -> int:
    """The tree edit distance by the library."""
    return int(APTED(a, b, Nodes()).compute_edit_distance())


def bench_rouge() -> None:
    """All pairs of 100 sentences."""
    texts = [sentence() for _ in range(100)]
    scorer = RougeScorer(["rougeL"])
    some = texts[:15]  # rouge-score on all 4,950 pairs takes many seconds: scaled up

    def naive() -> None:
        for x, y in combinations(some, 2):
            scorer.score(x, y)

    theirs = seconds(naive, 1) * (100 * 99) / (15 * 14)
    report(
        "rouge_l_matrix, 100 sentences / rouge-score",
        seconds(lambda: rouge_l_matrix(texts)),
        theirs,
    )


def bench_trees() -> None:
    """TED >= 12 for all pairs of the sentences of three contexts."""
    pairs = [pair for group in context_trees() for pair in combinations(group, 2)]

    def bounded() -> None:
        clear()
        for a, b in pairs:
            tree_edit_distance.at_least(a, b, TED_MIN)

    nodes = [[tree_edit_distance._nodes(tree, False) for tree in pair] for pair in pairs]

    def exact() -> None:
        for a, b in nodes:
            apted_distance(a, b)

    report(
        f"at_least(…, {TED_MIN}), {len(pairs)} pairs / apted",
        seconds(bounded, 1),
        seconds(exact, 1),
    )
    decided = sum(tree_edit_distance.at_least(a, b, TED_MIN)[1] is None for a, b in pairs)
    print(f"  decided by bounds alone: {decided} of {len(pairs)}")


def bench_intervals() -> None:
    """A bootstrap of a mean, and of corpus BLEU, with 1000 resamples."""
    values = np.random.default_rng(0).random(1000)

    def library() -> None:
        stats.bootstrap((values,), np.mean, n_resamples=1000, method="percentile")

    report(
        "bootstrap_mean, n = 1000 / scipy.stats.bootstrap",
        seconds(lambda: bootstrap.bootstrap_mean(values)),
        seconds(library),
    )
    outputs, references = [sentence() for _ in range(300)], [[sentence()] for _ in range(300)]
    rows = bleu_statistics(outputs, references)
    metric = sacrebleu.BLEU()
    streams = [[r[0] for r in references]]

    def resampled() -> None:
        metric.corpus_score(outputs, streams, n_bootstrap=1000)

    report(
        "corpus BLEU interval, n = 300 / sacrebleu n_bootstrap",
        seconds(lambda: bootstrap.bootstrap_sums(rows, bleu_from_sums)),
        seconds(resampled, 1),
    )


if __name__ == "__main__":
    print(f"{'ours / instead':<58} {'ours':>12} {'instead':>13} {'ratio':>10}")
    bench_rouge()
    bench_trees()
    bench_intervals()
