"""One context that notebooks 03 to 07 follow, from its next sentences to what a student writes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from impossible.data.run_folder import item_rng
from impossible.experiments.example_pairs import Examples
from impossible.experiments.pair_samples import one_of_each_context
from impossible.experiments.pair_verdicts import counted_noun, fates, verdict_table
from impossible.filtering.build_dataset import KEPT, rejections
from impossible.filtering.thresholds import Thresholds
from impossible.text.rouge import rouge_tokens

_ALIKE = 4  # the seed draws from one in so many contexts, whose sentences are most alike
_SHOWN = 5  # next sentences
_PAIRS = 2  # of either fate


def context_to_follow(sentences: pd.DataFrame, seed: int) -> str:
    """The context_id that the seed draws from the quarter whose sentences are most alike in words.

    Only SENTENCES are looked at, no critic: so every notebook finds the same one, and what becomes
    of it is not known. Likeness is the mean Jaccard similarity of two different sentences' words.
    """
    good = sentences[sentences["reason"] == ""]
    alike = good.groupby("context_id")["text"].agg(_similarity)
    most = alike.sort_values(ascending=False, kind="stable").index
    first = sorted(most[: max(1, len(most) // _ALIKE)])
    return str(item_rng(seed, "same context", "0").choice(first))


def _similarity(texts: pd.Series) -> float:
    words = [set(rouge_tokens(text)) for text in sorted(set(texts))]
    known = {word: i for i, word in enumerate(sorted(set().union(*words)))}
    has = np.zeros((len(words), len(known)))
    for row, one in enumerate(words):
        has[row, [known[word] for word in one]] = 1
    both, sizes = has @ has.T, has.sum(1)
    every = np.maximum(sizes[:, None] + sizes - both, 1)
    n = len(words)
    return float((both / every)[~np.eye(n, dtype=bool)].mean()) if n > 1 else 0.0


def followed_sentences(
    contexts: pd.DataFrame, sentences: pd.DataFrame, followed: str, seed: int
) -> pd.DataFrame:
    """The context's text, and some of its next sentences, drawn by the seed: what, text."""
    here = sentences[(sentences["context_id"] == followed) & (sentences["reason"] == "")]
    texts = here["text"].drop_duplicates()
    context = contexts.loc[contexts["context_id"] == followed, "text"].iloc[0]
    drawn = texts.sample(min(_SHOWN, len(texts)), random_state=seed)
    rows = [("context", context), *(("next sentence", text) for text in drawn)]
    return pd.DataFrame(rows, columns=["what", "text"])


def followed_pairs(pairs: pd.DataFrame, thresholds: Thresholds, followed: str) -> Examples:
    """The surest of a context's PAIRS that all critics accept, and the nearest misses, each why."""
    here = pairs[pairs["context_id"] == followed].reset_index(drop=True)
    here["reason"] = rejections(here, thresholds)
    return _surest(here, thresholds, "all critics accept")


def candidates_of_one(
    candidates: pd.DataFrame, dataset: pd.DataFrame, thresholds: Thresholds
) -> Examples:
    """What became of the CANDIDATES of one input, drawn by the seed of those with a pair if any.

    `dataset` is the DATASET chosen from them.
    """
    chosen = candidates[candidates["x"].isin(dataset["source"])]
    of = chosen if len(chosen) else candidates
    name = one_of_each_context(of, 1, thresholds.seed)["input_id"]
    here = candidates[candidates["input_id"].isin(name)].reset_index(drop=True)
    reasons = fates(here, thresholds, dataset, "not_chosen")
    return _surest(here.assign(reason=reasons), thresholds, "chosen")


def _surest(rows: pd.DataFrame, thresholds: Thresholds, said: str) -> Examples:
    """The likeliest kept rows and others, in one order each, by the smaller known probability."""
    order = rows[["p_xy", "p_yx"]].min(axis=1).sort_values(ascending=False, kind="stable").index
    sides = pd.DataFrame(np.sort(rows[["x", "y"]].to_numpy(dtype=str), axis=1), rows.index)
    once = rows.loc[order][~sides.loc[order].duplicated().to_numpy()]
    kept = once["reason"] == KEPT
    shown = pd.concat([once[kept].head(_PAIRS), once[~kept].head(_PAIRS)])
    passed = int((rows["reason"] == KEPT).sum())
    sentence = f"Of {counted_noun(len(rows), 'scored pair')}, {said}: {passed:,}."
    return verdict_table(shown.reset_index(drop=True), thresholds, sentence)


def followed_dataset(
    passed: pd.DataFrame, dataset: pd.DataFrame, followed: str, thinned: bool
) -> str:
    """What is left of a context: pairs that passed all critics, and those in the DATASET.

    >>> one = pd.DataFrame({"context_id": ["a"]})
    >>> followed_dataset(one, one, "b", True)
    'The same context: no pair of it passes all critics, and none is in the dataset.'
    """
    before, after = (int((part["context_id"] == followed).sum()) for part in (passed, dataset))
    if not before:
        return "The same context: no pair of it passes all critics, and none is in the dataset."
    how = "after Algorithm 1" if thinned else "without Algorithm 1, which is off"
    return (
        f"The same context: {counted_noun(before, 'ordered pair')} of it passed all critics, "
        f"{after:,} in the dataset {how}."
    )


def thread_caption(own: bool) -> str:
    """How the table `thread` was drawn: from the followed context, or another where it has none.

    >>> "another" in thread_caption(False), "another" in thread_caption(True)
    (True, False)
    """
    followed = "drawn by the seed from the quarter whose sentences share most words"
    shown = "a pair of it drawn by the seed, and three more of its next sentences."
    if own:
        return f"A context {followed}, {shown}"
    return f"The context that was {followed} has no accepted pair: this is another, {shown}"


def followed_source(dataset: pd.DataFrame, followed: str, seed: int) -> pd.DataFrame:
    """One pair of the DATASET, of the followed context, or of another where that has none."""
    own = dataset[dataset["context_id"] == followed]
    return one_of_each_context(own if len(own) else dataset, 1, seed)


def followed_writers(pair: pd.DataFrame, written: Mapping[str, str], followed: str) -> pd.DataFrame:
    """A pair of the dataset, and what each writer makes of its source: what, text."""
    row = pair.iloc[0]
    own = "" if row["context_id"] == followed else ", another context's: the followed one has none"
    rows = [(f"source{own}", row["source"]), ("pair in D_T", row["target"]), *written.items()]
    return pd.DataFrame([(what, text or "(nothing)") for what, text in rows],
                        columns=["what", "text"])  # fmt: skip
