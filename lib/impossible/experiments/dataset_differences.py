"""What one dataset of pairs has that another lacks: forms, changes of form, words, lengths.

Both datasets are looked at with the same number of pairs. Intervals resample contexts, or halve
them where resampling would bias (numbers of different words).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_sums, half_samples
from impossible.evaluation.metric_rows import MetricRows
from impossible.experiments.critic_errors import family
from impossible.filtering.funnel import share_by_group
from impossible.text.sentence_boundaries import words

__all__ = ["compared", "described", "families", "gap_rows", "quality", "reading", "vocabulary_rows"]

OUTSIDE = "outside the grammar"

#: Columns of `described` that are averaged, and how tables call them.
MEASURES = {
    "form_changes": "form changes, %",
    "new_words": "words of y not in x, %",
    "words_source": "words of x",
    "words_target": "words of y",
}


def described(corpus: pd.DataFrame, traits: Mapping[str, Mapping[str, object]]) -> pd.DataFrame:
    """A corpus with the forms, words and lengths of its pairs.

    Args:
        corpus: DATASET.
        traits: sentence → construction and negated (`oracle.traits`); none outside the grammar.

    Returns:
        The corpus with form_source and form_target (families of constructions), form_changes (0 or
        100, NaN where a form is not known), new_words (share of the words of the target that the
        source does not have, in per cent), words_source and words_target.
    """
    forms = {
        side: [_form(traits.get(text, {})) for text in corpus[side]]
        for side in ("source", "target")
    }
    sides = [[words(text) for text in corpus[side]] for side in ("source", "target")]
    changes = [
        np.nan if OUTSIDE in pair else 100.0 * (pair[0] != pair[1])
        for pair in zip(forms["source"], forms["target"], strict=True)
    ]
    fresh = [
        100 * np.mean([word not in set(x) for word in y]) if y else np.nan
        for x, y in zip(*sides, strict=True)
    ]
    return corpus.assign(
        form_source=forms["source"], form_target=forms["target"], form_changes=changes,
        new_words=fresh, words_source=[float(len(x)) for x in sides[0]],
        words_target=[float(len(y)) for y in sides[1]],
    )  # fmt: skip


def _form(found: Mapping[str, object]) -> str:
    return family(str(found["construction"]), bool(found["negated"])) if found else OUTSIDE


def families(corpora: Mapping[str, pd.DataFrame], params: Params) -> pd.DataFrame:
    """How often each form is the target's.

    Args:
        corpora: name → `described`, of equal size.
        params: reads seed, bootstrap_samples, confidence.

    Returns:
        group (form, the most frequent over all corpora first), series (corpus), value, low, high,
        n (pairs of the corpus).
    """
    counts = pd.concat(list(corpora.values()))["form_target"].value_counts()
    rows = []
    for form in sorted(counts.index, key=lambda name: name == OUTSIDE):  # stable: that one last
        for name, frame in corpora.items():
            hit = (frame["form_target"] == form).astype(float)
            share = share_by_group(
                hit, [form] * len(hit), frame["context_id"], bootstrap=Bootstrap.from_params(params)
            )
            rows.append(share.assign(series=name))
    return pd.concat(rows, ignore_index=True)[["group", "series", "value", "low", "high", "n"]]


def quality(corpora: Mapping[str, pd.DataFrame], params: Params) -> pd.DataFrame:
    """METRIC_ROWS of the means of `MEASURES`, per corpus, contexts resampled."""
    parts = []
    for name, frame in corpora.items():
        clusters = frame["context_id"].to_numpy()
        rows = MetricRows(name, clusters, Bootstrap.from_params(params))
        for column, title in MEASURES.items():
            rows.mean(title, frame[column].to_numpy(dtype=float))
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def gap_rows(first: pd.DataFrame, second: pd.DataFrame, name: str, params: Params) -> pd.DataFrame:
    """METRIC_ROWS of the means of the second corpus minus those of the first.

    The corpora have other contexts, so contexts of both are resampled together.
    """
    rows = MetricRows(name, None, Bootstrap.from_params(params))
    for column, title in MEASURES.items():
        rows.add(title, _gap(first, second, column, params), "difference of means")
    return rows.frame()


def _gap(first: pd.DataFrame, second: pd.DataFrame, column: str, params: Params) -> Interval:
    blocks, clusters = [], []
    for place, frame in enumerate((first, second)):
        present = frame[frame[column].notna()]
        block = np.zeros((len(present), 4))
        block[:, 2 * place], block[:, 2 * place + 1] = present[column], 1
        blocks.append(block)
        clusters += [f"{place} {name}" for name in present["context_id"]]
    return bootstrap_sums(
        np.concatenate(blocks), _difference, clusters, Bootstrap.from_params(params),
    )  # fmt: skip


def _difference(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the second part minus mean of the first, from sums and counts in turn."""
    counts = np.where(sums[..., 1::2] == 0, np.nan, sums[..., 1::2])
    ratio = sums[..., 0::2] / counts
    return np.asarray(ratio[..., 1] - ratio[..., 0])


def compared(corpora: Mapping[str, pd.DataFrame], params: Params) -> pd.DataFrame:
    """All METRIC_ROWS of this module: each corpus, then the second minus the first.

    Args:
        corpora: name → `described`, two of equal size.
        params: as for `families`.
    """
    (one, first), (two, second) = corpora.items()
    parts = [quality(corpora, params), vocabulary_rows(corpora, params)]
    parts.append(gap_rows(first, second, f"{two} − {one}", params))
    return pd.concat(parts, ignore_index=True)


def vocabulary_rows(corpora: Mapping[str, pd.DataFrame], params: Params) -> pd.DataFrame:
    """METRIC_ROWS of the numbers of different words in targets, and of those the others lack.

    Args:
        corpora: name → pairs, of equal size; a number of different words grows with the size.
        params: reads seed, confidence.

    Returns:
        "different words of y" and "of them in no other" (in neither side of any other corpus), with
        half-sample intervals over contexts.
    """
    parts = []
    for name, frame in corpora.items():
        others = [other for key, other in corpora.items() if key != name]
        elsewhere = {
            word for other in others for side in ("source", "target")
            for text in other[side] for word in words(text)
        }  # fmt: skip
        targets = [set(words(text)) for text in frame["target"]]
        bootstrap = Bootstrap.from_params(params)
        rows = MetricRows(name, None, bootstrap)
        for title, known in (("different words of y", set()), ("of them in no other", elsewhere)):
            found = half_samples(_counter(targets, known), frame["context_id"], bootstrap)
            rows.add(title, found, "half-samples of contexts")
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def reading(shares: pd.DataFrame, rows: pd.DataFrame, names: Sequence[str]) -> str:
    """What the second dataset adds to the first, in two sentences.

    Args:
        shares: `families`.
        rows: `compared`.
        names: of the first and second dataset.
    """
    table = shares.pivot(index="group", columns="series", values="value")
    change = (table[names[1]] - table[names[0]]).drop(OUTSIDE, errors="ignore")
    if change.empty:
        return "Nothing parses, so no form is known."
    row = rows[rows["system"] == f"{names[1]} − {names[0]}"].set_index("metric")
    form, new = (
        f"{row.at[title, 'value']:+.1f} points ({row.at[title, 'low']:.1f} to "
        f"{row.at[title, 'high']:.1f})"
        for title in (MEASURES["form_changes"], MEASURES["new_words"])
    )
    up, down = change.idxmax(), change.idxmin()
    return (
        f"At equal size, {names[1]} has more targets of the form {up} ({100 * change[up]:+.0f} "
        f"points) and fewer of the form {down} ({100 * change[down]:+.0f}). The share of its pairs "
        f"that change form differs by {form}, the share of new words by {new}."
    )


def _counter(texts: Sequence[set[str]], known: set[str]):  # type: ignore[no-untyped-def]
    """Number of different words outside `known` among chosen texts."""

    def count(mask: NDArray[np.bool_]) -> float:
        chosen = [text for text, yes in zip(texts, mask, strict=True) if yes]
        return float(len(set().union(*chosen) - known))

    return count
