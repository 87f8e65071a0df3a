"""What one dataset of pairs has that another lacks: forms, changes of form, words, lengths.

Both datasets are looked at with the same number of pairs. Intervals resample contexts, or halve
them where resampling would bias (numbers of different words).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.bootstrap import Bootstrap, bootstrap_contrast, half_samples
from impossible.evaluation.fractions import value_fractions
from impossible.evaluation.metric_rows import MetricRows
from impossible.experiments.critic_errors import OUTSIDE, Traits, family
from impossible.text.sentence_boundaries import words

#: Columns of `described` that are averaged, and how tables call them.
PAIR_MEASURES = {
    "form_changes": "form changes, %",
    "new_words": "words of y not in x, %",
    "words_source": "words of x",
    "words_target": "words of y",
}


def described(corpus: pd.DataFrame, traits: Traits) -> pd.DataFrame:
    """A DATASET with the forms, words and lengths of its pairs.

    Returns:
        The corpus with form_source and form_target (families of constructions by `traits`),
        form_changes (0 or 100, NaN where a form is not known), new_words (words of the target that
        the source does not have, in per cent), words_source and words_target.
    """
    frame = corpus.copy()
    for side in ("source", "target"):
        frame[f"form_{side}"] = [_form(traits.get(text, {})) for text in corpus[side]]
        frame[f"words_{side}"] = [float(len(words(text))) for text in corpus[side]]
    frame["new_words"] = [
        100 * np.mean([word not in set(words(x)) for word in words(y)]) if words(y) else np.nan
        for x, y in zip(corpus["source"], corpus["target"], strict=True)
    ]
    changes = 100.0 * (frame["form_source"] != frame["form_target"])
    known = (frame[["form_source", "form_target"]] != OUTSIDE).all(axis=1)
    return frame.assign(form_changes=changes.where(known))


def _form(found: Mapping[str, object]) -> str:
    return family(str(found["construction"]), bool(found["negated"])) if found else OUTSIDE


def target_forms(corpora: Mapping[str, pd.DataFrame], bootstrap: Bootstrap) -> pd.DataFrame:
    """How often each form is the target's in corpora `described`, of equal size.

    Returns:
        group (form, the most frequent over all corpora first), series (corpus), value, low, high,
        n (pairs of the corpus).
    """
    counts = pd.concat(list(corpora.values()))["form_target"].value_counts()
    forms = sorted(counts.index, key=lambda name: name == OUTSIDE)  # stable: that one last
    return value_fractions(corpora, "form_target", forms, bootstrap)


def difference_rows(corpora: Mapping[str, pd.DataFrame], bootstrap: Bootstrap) -> pd.DataFrame:
    """METRIC_ROWS of two `described` corpora of equal size, then of the second minus the first."""
    (one, first), (two, second) = corpora.items()
    parts = [_own_rows(one, first, second, bootstrap), _own_rows(two, second, first, bootstrap)]
    gaps = MetricRows(f"{two} − {one}", None, bootstrap)
    clusters = second["context_id"], first["context_id"]
    for column, title in PAIR_MEASURES.items():
        gap = bootstrap_contrast(second[column], first[column], *clusters, bootstrap)
        gaps.add(title, gap, "difference of means")
    return pd.concat([*parts, gaps.frame()], ignore_index=True)


def _own_rows(
    name: str, frame: pd.DataFrame, other: pd.DataFrame, bootstrap: Bootstrap
) -> pd.DataFrame:
    """Means of `PAIR_MEASURES`, and different words of the targets, in all and not in `other`."""
    rows = MetricRows(name, frame["context_id"].to_numpy(), bootstrap)
    for column, title in PAIR_MEASURES.items():
        rows.mean(title, frame[column].to_numpy(dtype=float))
    targets = [set(words(text)) for text in frame["target"]]
    elsewhere = {
        word for side in ("source", "target") for text in other[side] for word in words(text)
    }
    for title, known in (("different words of y", set()), ("of them in no other", elsewhere)):

        def different(mask: NDArray[np.bool_], known: set[str] = known) -> float:
            chosen = [text for text, yes in zip(targets, mask, strict=True) if yes]
            return float(len(set().union(*chosen) - known))

        found = half_samples(different, frame["context_id"], bootstrap)
        rows.add(title, found, "half-samples of contexts")
    return rows.frame()
