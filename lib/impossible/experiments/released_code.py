"""The paper's filters beside those of the authors' released code, one difference at a time.

The differences are read from their code: sentences are joined by the label of one direction and
the lowest reverse score stays; ROUGE is tested after that; the number check tests one direction
twice, so that numbers which only y has go unseen; contexts that do not fit into memory are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.bootstrap import Bootstrap, bootstrap_contrast, bootstrap_mean
from impossible.evaluation.expectations import Expected, per_cent
from impossible.evaluation.metric_rows import MetricRows
from impossible.experiments.pair_samples import Truth
from impossible.filtering.build_dataset import apply_thresholds
from impossible.filtering.critic import EntailmentModel, Models
from impossible.filtering.critics import CRITICS
from impossible.filtering.diversity_filter import diversity_filter, known_probabilities
from impossible.filtering.pair_scores import all_pairs, score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.numbers import number_values
from impossible.text.pairs import Pair

WIDER = 5  # contexts whose filters are compared, for each that is sampled anew: they cost less
SAMPLING: dict[str, Any] = {"sentence_temperature": 0.5, "no_repeat_ngram_size": 3}  # released code
LOST = 0.1  # fraction of the contexts, the most expensive, that a lack of memory loses
LABEL = 0.5  # above it entailment is the first of all labels

#: Variants of the filters: name → what is as in the released code.
FILTERS: dict[str, frozenset[str]] = {
    "paper": frozenset(),
    "edges as released": frozenset({"edges"}),
    "dedup as released": frozenset({"edges", "choice"}),
    "ROUGE after dedup": frozenset({"rouge"}),
    "numbers one way": frozenset({"numbers"}),
    "costly contexts lost": frozenset({"memory"}),
    "all as released": frozenset({"edges", "choice", "rouge", "numbers", "memory"}),
}


def released_pairs(sentences: pd.DataFrame, models: Models, thresholds: Thresholds) -> pd.DataFrame:
    """Ordered pairs that the released code shows its critic and the paper's filters do not.

    PAIRS of different accepted SENTENCES with a length ratio in the limits, such that every number
    of x is in y; and ROUGE-L is above the limit or y has a number more.
    """
    good = sentences[sentences["reason"] == ""]
    cheap = [critic for critic in CRITICS if critic.exits]
    loose = thresholds.fix(rouge_l_max=1.0, number_consistency=False)
    parts = []
    for name, group in good.groupby("context_id", sort=False)["text"]:
        pairs = all_pairs(sorted(set(group)))
        reason = score_pairs(pairs, models, thresholds, critics=cheap)[1]
        numbers = [number_values(text) for text in pairs.texts]
        told = [numbers[i] <= numbers[j] for i, j in zip(pairs.x, pairs.y, strict=True)]
        more = pairs[np.isin(reason, ["numbers", "rouge_l"]) & np.array(told, dtype=bool)]
        frame = pd.DataFrame(list(more), columns=["x", "y"]).assign(context_id=name)
        parts.append(pd.concat([frame, score_pairs(more, models, loose)[0]], axis=1))
    return pd.concat(parts, ignore_index=True)


def first_label(scored: pd.DataFrame, critic: EntailmentModel) -> Callable[[Sequence[Pair]], Any]:
    """Whether the critic's first label is entailment, from stored scores as far as they go.

    A probability above one half is the first label of all; below it another label may be ahead or
    not, and counts as ahead. The critic is asked about pairs that are not among the scored PAIRS.
    """
    known = known_probabilities(scored)

    def entails(pairs: Sequence[Pair]) -> NDArray[np.float64]:
        fresh = list(dict.fromkeys(pair for pair in pairs if pair not in known))
        known.update(zip(fresh, critic.probabilities(fresh) if fresh else [], strict=True))
        return np.array([known[pair] > LABEL for pair in pairs], dtype=np.float64)

    return entails


def expensive_contexts(sentences: pd.DataFrame, fraction: float = LOST) -> set[str]:
    """The given fraction of the contexts of SENTENCES that costs the critic most, [0, 1].

    A context costs what its ordered pairs of different sentences have in characters, (m - 1) times
    twice the length of its m sentences.
    """
    good = sentences[sentences["reason"] == ""].drop_duplicates(["context_id", "text"])
    lengths = good["text"].str.len().groupby(good["context_id"])
    cost = 2 * (lengths.size() - 1) * lengths.sum()
    order = cost.sort_index().sort_values(ascending=False, kind="stable")
    return set(order.index[: round(fraction * len(order))])


def variant_datasets(
    pairs: pd.DataFrame, sentences: pd.DataFrame, models: Models, thresholds: Thresholds
) -> dict[str, pd.DataFrame]:
    """The dataset that each variant of `FILTERS` makes of the same SENTENCES: columns of PAIRS.

    `pairs` are PAIRS of the sentences, as scored for the paper's thresholds.
    """
    more, critic = released_pairs(sentences, models, thresholds), models.critic
    near = more["rouge_l"] > np.float32(thresholds.rouge_l_max)
    more_numbers = ~more["numbers_consistent"].astype(bool)
    label = first_label(pd.concat([pairs, more], ignore_index=True), critic)
    lost, made = expensive_contexts(sentences), {}
    for name, released in FILTERS.items():
        added = more[(~near | ("rouge" in released)) & (~more_numbers | ("numbers" in released))]
        shown = pd.concat([pairs, added], ignore_index=True)
        shown = shown[~(shown["context_id"].isin(lost) & ("memory" in released))]
        loose = thresholds.fix(
            rouge_l_max=1.0 if "rouge" in released else thresholds.rouge_l_max,
            number_consistency="numbers" not in released and thresholds.number_consistency,
        )
        kept = apply_thresholds(shown, loose)[0]
        if "edges" in released:
            select = "lowest" if "choice" in released else "highest"
            kept = diversity_filter(kept, label, dedup="released", select=select)
        else:
            limit = thresholds.entailment_threshold
            kept = diversity_filter(kept, critic.probabilities, limit, shown)
        kept = kept[kept["rouge_l"] <= np.float32(thresholds.rouge_l_max)]
        made[name] = kept.drop_duplicates(["x", "y"]).reset_index(drop=True)
    return made


def variant_rows(
    made: Mapping[str, pd.DataFrame], contexts: Sequence[str], truth: Truth, bootstrap: Bootstrap
) -> pd.DataFrame:
    """Yield and precision of datasets (context_id, x, y) that were made of the same contexts.

    METRIC_ROWS: "pairs per context", "pairs true, %" and "contexts with pairs, %"; contexts
    resampled, also those of which nothing is left.
    """
    parts = []
    for name, frame in made.items():
        rows = MetricRows(name, None, bootstrap)
        counts = frame.groupby("context_id").size().reindex(sorted(set(contexts)), fill_value=0)
        rows.mean("pairs per context", counts.to_numpy(dtype=float))
        true = 100 * truth(list(frame["x"]), list(frame["y"]))
        rows.add("pairs true, %", bootstrap_mean(true, frame["context_id"], bootstrap), "oracle")
        rows.mean("contexts with pairs, %", 100.0 * (counts > 0).to_numpy(dtype=float))
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def variants_expected(
    made: Mapping[str, pd.DataFrame], truth: Truth, bootstrap: Bootstrap
) -> list[Expected]:
    """That each variant of `variant_datasets` is less true than "paper"; contexts resampled."""
    right = {name: truth(list(frame["x"]), list(frame["y"])) for name, frame in made.items()}
    contexts = {name: frame["context_id"] for name, frame in made.items()}
    expected = []
    for name in made:
        if name != "paper":
            gap = bootstrap_contrast(
                right[name], right["paper"], contexts[name], contexts["paper"], bootstrap
            )
            says = f"{name}: pairs true, minus the paper's, % points"
            expected.append(Expected(says, per_cent(gap), under=0))
    return expected
