"""A bias audit of pairs: names, words for women and men, kind and harsh words, before and after.

Not in the paper, which names the detection of bias as future work. What a dataset changes between
source and target its students learn to change, so it is set beside what people change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.data.human_datasets import take
from impossible.evaluation.bootstrap import (
    Bootstrap,
    Interval,
    bootstrap_rate,
    bootstrap_ratio,
    independent_difference,
)
from impossible.evaluation.corpus_comparison import permuted
from impossible.evaluation.corpus_quality import corpus_differences
from impossible.evaluation.expectations import Expected, interval_of, per_cent
from impossible.evaluation.metric_rows import MetricRows
from impossible.text.names import names, words_as_names
from impossible.text.sentence_boundaries import words
from impossible.text.signature import signature
from impossible.text.word_lists import HE, NEGATIVE, POSITIVE, SHE, count_listed

PEOPLE = "people"  # all human sets together
CONTROL_PREFIX = "shuffled "  # before a corpus's name: its sources with targets of other pairs
FEWEST = 5  # pairs or words of which a rate is given: one of 1 would widen people's range to 100 %

#: Measure → the column of zeros and ones whose rate it is, over the pairs that have a value.
SHARES = {
    "named sources, %": "named",
    "a name lost, % of these": "name_lost",
    "named targets, %": "named_target",
    "a name new, % of these": "name_new",
    "she or he lost, % of pairs with one": "gender_lost",
    "she or he new, % of pairs with one": "gender_new",
    "sentiment changed, % of pairs": "sentiment_changed",
}
#: Measure → columns whose sums are divided, and what the quotient is multiplied by.
DENSITIES = {
    "she and he, sources, ‰ of words": ("gendered", "words", 1000),
    "she and he, targets, ‰ of words": ("gendered_target", "words_target", 1000),
    "she of she and he, sources, %": ("she", "gendered", 100),
    "she of she and he, targets, %": ("she_target", "gendered_target", 100),
    "kind − harsh, sources, ‰ of words": ("sentiment", "words", 1000),
    "kind − harsh, targets, ‰ of words": ("sentiment_target", "words_target", 1000),
}
#: What a target changes, and the title of its panel: shuffled targets must show more of each.
CHANGES = {
    "a name lost, % of these": "a name lost, %",
    "she or he lost, % of pairs with one": "she or he lost, %",
    "sentiment changed, % of pairs": "sentiment changed, %",
}


def audited_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """What the two texts of each pair hold, and what the target loses and adds.

    Args:
        pairs: source, target and context_id.

    Returns:
        The pairs, and of sources the columns named (0 or 1), words, she, gendered (she and he) and
        sentiment (kind minus harsh words), of targets the same ending in `_target`; name_lost,
        name_new, gender_lost, gender_new and sentiment_changed, 0 or 1. NaN, which counts nowhere:
        what asks for names where a text has no capital letter, and losses of what is not there.

    >>> pair = pd.DataFrame({"source": ["She met Ann."], "target": ["He met Bob."]})
    >>> audited_pairs(pair)[["name_lost", "gender_lost", "sentiment_changed"]].iloc[0].tolist()
    [1.0, 1.0, 0.0]
    """
    sources, targets = list(pairs["source"]), list(pairs["target"])
    found = _counts(sources).join(_counts(targets).add_suffix("_target"))
    named = [_lost_and_new(*pair) for pair in zip(sources, targets, strict=True)]
    found[["named", "named_target", "name_lost", "name_new"]] = np.array(named, float).reshape(
        -1, 4
    )
    sides = [found[["she" + end, "he" + end]].to_numpy() > 0 for end in ("", "_target")]
    for name, (before, after) in {"lost": sides, "new": sides[::-1]}.items():
        changed = (before & ~after).any(axis=1).astype(float)
        found[f"gender_{name}"] = np.where(before.any(axis=1), changed, np.nan)
    signs = [np.sign(found["sentiment" + end]) for end in ("", "_target")]
    found["sentiment_changed"] = (signs[0] != signs[1]).astype(float)
    return pd.concat([pairs.reset_index(drop=True), found], axis=1)


def _counts(texts: Sequence[str]) -> pd.DataFrame:
    lists = {"she": SHE, "he": HE, "kind": POSITIVE, "harsh": NEGATIVE}
    columns = {name: [count_listed(t, listed) for t in texts] for name, listed in lists.items()}
    frame = pd.DataFrame({"words": [len(words(text)) for text in texts], **columns}, dtype=float)
    frame["gendered"] = frame["she"] + frame["he"]
    frame["sentiment"] = frame["kind"] - frame["harsh"]
    return frame.drop(columns=["kind", "harsh"])


def _lost_and_new(source: str, target: str) -> tuple[float, float, float, float]:
    """Whether source and target have names, and whether a name is lost and one is new."""
    if any(text == text.lower() for text in (source, target)):
        return (np.nan,) * 4
    before, after = names(source), names(target)
    lost = not before <= words_as_names(target) if before else np.nan
    new = not after <= words_as_names(source) if after else np.nan
    return bool(before), bool(after), lost, new


def audit_corpora(
    corpora: Mapping[str, pd.DataFrame], ours: Sequence[str], n: int, seed: int
) -> dict[str, pd.DataFrame]:
    """The corpora that are audited, at most n pairs of each, drawn by the seed.

    Args:
        corpora: name → pairs, of `corpus_comparison.gather`.
        ours: names of those that people did not write.

    Returns:
        `corpora` with, of each of ours, its pairs with shuffled targets, and `PEOPLE`: as many
        pairs of each human set, if there is one.
    """
    drawn = {name: take(frame, n, seed) for name, frame in corpora.items()}
    mixed = {CONTROL_PREFIX + name: permuted(drawn[name], seed) for name in ours if name in drawn}
    human = {name: frame for name, frame in drawn.items() if name not in ours}
    size = min(map(len, human.values()), default=0)
    parts = [
        frame.head(size).assign(context_id=name + " " + frame["context_id"].astype(str))
        for name, frame in human.items()
    ]
    return drawn | mixed | ({PEOPLE: pd.concat(parts, ignore_index=True)} if parts else {})


def audit_rows(corpora: Mapping[str, pd.DataFrame], bootstrap: Bootstrap) -> pd.DataFrame:
    """METRIC_ROWS of `SHARES` and `DENSITIES` of each corpus, contexts resampled.

    A rate of fewer than `FEWEST` is missing.
    """
    return pd.concat(
        [_rows_of(name, audited_pairs(frame), bootstrap) for name, frame in corpora.items()],
        ignore_index=True,
    )


def _rows_of(name: str, found: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    rows, contexts = MetricRows(name, None), found["context_id"].to_numpy()
    for metric, column in SHARES.items():
        rate = bootstrap_rate(found[column], contexts, bootstrap)
        _add(rows, metric, per_cent(rate), found[column].count(), column)
    for metric, (counted, total, scale) in DENSITIES.items():
        ratio = bootstrap_ratio(scale * found[counted], found[total], contexts, bootstrap)
        _add(rows, metric, ratio, found[total].sum(), f"{counted}/{total}")
    return rows.frame()


def _add(rows: MetricRows, metric: str, found: Interval, of: float, counted: str) -> None:
    if of < FEWEST:
        rows.missing(metric, f"{of:.0f} in this corpus have what is counted")
    else:
        rows.add(metric, found, signature("bias", n=found.n, counted=counted, lists="ours"))


def beside_human_pairs(rows: pd.DataFrame, ours: Sequence[str]) -> pd.DataFrame:
    """METRIC_ROWS of each corpus of ours minus `PEOPLE`; no rows without human sets."""
    known = set(rows["system"])
    versus = [(name, PEOPLE) for name in ours if {name, PEOPLE} <= known]
    return corpus_differences(rows, versus, [*SHARES, *DENSITIES]) if versus else rows.head(0)


def audit_expected(rows: pd.DataFrame, ours: Sequence[str]) -> list[Expected]:
    """The control: what an audit can see of a pairing is more where targets are shuffled."""
    expected = []
    for name in ours:
        for metric, title in CHANGES.items():
            ends = (interval_of(rows, system, metric) for system in (CONTROL_PREFIX + name, name))
            more = independent_difference(*ends)
            says = f"{title} points: {CONTROL_PREFIX}{name} − {name}"
            expected.append(Expected(says, more, over=0))
    return expected


def changed_examples(
    corpora: Mapping[str, pd.DataFrame], ours: Sequence[str], n: int = 1
) -> pd.DataFrame:
    """Of each corpus of ours the first n pairs of every kind of change: corpus, change, texts."""
    kinds = {
        "a name lost": "name_lost", "a name new": "name_new", "she or he lost": "gender_lost",
        "she or he new": "gender_new", "sentiment changed": "sentiment_changed",
    }  # fmt: skip
    parts = [pd.DataFrame(columns=["corpus", "change", "source", "target"])]
    for name in ours:
        found = audited_pairs(corpora[name])
        for change, column in kinds.items():
            some = found[found[column] == 1].head(n)
            parts.append(some.assign(corpus=name, change=change)[list(parts[0])])
    return pd.concat(parts, ignore_index=True)
