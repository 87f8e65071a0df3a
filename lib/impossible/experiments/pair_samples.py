"""Pairs to look at: random ones, those nearest to a threshold, the diversity filter's graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_contrast
from impossible.evaluation.fractions import fraction_by_group, rows_by_group
from impossible.evaluation.judges import Judge
from impossible.filtering.build_dataset import as_pairs
from impossible.filtering.funnel import item_of
from impossible.text.rouge import rouge_l

Truth = Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]]
_OTHER_SENTENCES = 3  # of a thread, beside its pair


def distinct_pairs(sentences: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """A random sample of all unordered pairs of different accepted SENTENCES of one context.

    The base against which critics are judged: what two next sentences are before any critic. Every
    pair is equally likely, so contexts with more different sentences have more pairs.

    Returns:
        context_id, x, y: n rows, or all there are if fewer.
    """
    good = sentences[sentences["reason"] == ""]
    texts = {i: sorted(set(group)) for i, group in good.groupby("context_id", sort=False)["text"]}
    ends = np.cumsum([len(t) * (len(t) - 1) // 2 for t in texts.values()], dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    names, rows = list(texts), []
    for place in np.sort(rng.choice(total, size=min(n, total), replace=False)):
        context = int(np.searchsorted(ends, place, side="right"))
        number = int(place - (ends[context - 1] if context else 0))
        # pairs are numbered (1,0), (2,0), (2,1), (3,0), …: j is the last with j(j-1)/2 <= number
        j = int((1 + np.sqrt(1 + 8 * number)) // 2)
        group = texts[names[context]]
        rows.append((names[context], group[number - j * (j - 1) // 2], group[j]))
    return pd.DataFrame(rows, columns=["context_id", "x", "y"])


def chosen_by_chance(
    pairs: pd.DataFrame, kept: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """A random critic: of each context as many rows as were kept, but which ones is chance.

    The destroyed-signal control of a choice by scores.
    """
    item = item_of(pairs)
    wanted = kept.groupby(item).size()
    places = pairs.reset_index(drop=True).groupby(item, sort=True).indices
    drawn = [rng.choice(places[name], n, replace=False) for name, n in wanted.items()]
    rows = np.sort(np.concatenate(drawn)) if drawn else np.array([], dtype=int)
    return pairs.iloc[rows].reset_index(drop=True)


def nearest_to(frame: pd.DataFrame, score: pd.Series, threshold: float, n: int = 3) -> pd.DataFrame:
    """The rows whose score lies nearest to a threshold, on either side, nearest first."""
    distance = (score - threshold).abs().dropna()
    return frame.loc[distance.sort_values(kind="stable").index[:n]]


def example_context(kept: pd.DataFrame, survivors: pd.DataFrame, most: int = 40) -> pd.DataFrame:
    """The kept pairs of one context that makes a readable picture of the diversity filter.

    It is that with most survivors, then most pairs, then the first by name; contexts with more than
    `most` pairs are left out, unless there are no others.
    """
    sizes = pd.DataFrame({"n": kept.groupby("context_id").size()})
    sizes["left"] = survivors.groupby("context_id").size().reindex(sizes.index, fill_value=0)
    small = sizes[sizes["n"] <= most]
    order = (small if len(small) else sizes).sort_values(["left", "n"], ascending=False)
    return kept[kept["context_id"] == order.index[0]]


def pair_edges(
    pairs: pd.DataFrame, entail: Callable[[Sequence[tuple[str, str]]], Any], threshold: float
) -> list[tuple[int, int]]:
    """The edges of Algorithm 1 between pairs of one context, spelled out for a picture.

    The index names the nodes. An edge joins i and j where P(x_i⇒x_j) or P(y_i⇒y_j), either way,
    exceeds the threshold.
    """
    joined: set[tuple[int, int]] = set()
    for side in ("x", "y"):
        texts = list(dict.fromkeys(pairs[side]))
        asked = [(a, b) for a in texts for b in texts if a != b]
        close = {p for p, value in zip(asked, entail(asked), strict=True) if value > threshold}
        close |= {(a, a) for a in texts}
        rows = list(zip(pairs.index, pairs[side], strict=True))
        joined |= {(i, j) for (i, a), (j, b) in combinations(rows, 2) if {(a, b), (b, a)} & close}
    return sorted(joined)


def side_by_side(groups: Mapping[str, pd.DataFrame], columns: Sequence[str] = ()) -> pd.DataFrame:
    """Rows of several frames under one another: `group` first, then `columns` (default: scores)."""
    table = pd.concat(groups, names=["group", None]).reset_index("group")
    return table[["group", "x", "y", *(columns or ("p_xy", "p_yx", "rouge_l"))]].round(2)


def one_of_each_context(pairs: pd.DataFrame, n: int, seed: int = 0) -> pd.DataFrame:
    """n pairs drawn by the seed, none of a context that has one while another has none.

    >>> pairs = pd.DataFrame({"context_id": list("aaab"), "x": list("1234")})
    >>> sorted(one_of_each_context(pairs, 2)["context_id"])
    ['a', 'b']
    """
    mixed = pairs.sample(frac=1, random_state=seed)
    turn = mixed.groupby("context_id").cumcount().to_numpy()
    return mixed.iloc[np.argsort(turn, kind="stable")[:n]]


def thread(
    kept: pd.DataFrame, sentences: pd.DataFrame, contexts: pd.DataFrame, seed: int = 0
) -> pd.DataFrame:
    """One context from what it says to its pair: the seed draws a pair, and some other sentences.

    Args:
        kept: PAIRS of the dataset, not empty.
        sentences: SENTENCES, which the pair was found among.
        contexts: CONTEXTS.

    Returns:
        what, text.
    """
    pair = one_of_each_context(kept, 1, seed).iloc[0]
    context = contexts.loc[contexts["context_id"] == pair["context_id"], "text"].iloc[0]
    here = sentences[(sentences["context_id"] == pair["context_id"]) & (sentences["reason"] == "")]
    others = here.loc[~here["text"].isin([pair["x"], pair["y"]]), "text"].drop_duplicates()
    drawn = others.sample(min(_OTHER_SENTENCES, len(others)), random_state=seed)
    rows = [("context", context), *(("next sentence", text) for text in drawn)]
    rows += [("all critics accept: x", pair["x"]), ("and y", pair["y"])]
    return pd.DataFrame(rows, columns=["what", "text"])


def judged_side_by_side(
    groups: Mapping[str, pd.DataFrame], judge: Judge, columns: Sequence[str] = ()
) -> pd.DataFrame:
    """`side_by_side` of pairs to be read, with the judge's verdict in a column of its name."""
    table = side_by_side(groups, columns)
    return table.assign(**{judge.name: verdicts(judge, table)})


def affordable(
    groups: Mapping[str, pd.DataFrame], judge: Judge, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Of each group at most as many rows as a judge can be asked about, drawn by the seed."""
    return {
        name: frame.sample(min(judge.most, len(frame)), random_state=seed).sort_index()
        for name, frame in groups.items()
    }


def judged_groups(samples: Mapping[str, pd.DataFrame], asked: Truth) -> pd.DataFrame:
    """The pairs of several samples with the judge's verdicts: group, context_id, x, y, judged.

    `asked` maps (xs, ys) to 1, 0 or NaN (cannot be judged), such as a method of a judge.
    """
    columns = ["context_id", "x", "y"]
    parts = {name: frame[columns] for name, frame in samples.items()}
    rows = pd.concat(parts, names=["group", None]).reset_index("group")
    return rows.assign(judged=asked(list(rows["x"]), list(rows["y"])))


def judged_fractions(
    judged: pd.DataFrame, judge: Judge, bootstrap: Bootstrap, order: Sequence[str]
) -> pd.DataFrame:
    """The fraction of equivalent pairs of each group, contexts resampled: `fraction_by_group`.

    Args:
        judged: of `judged_groups`, asked for equivalence.
        judge: its error rates, where they are known, correct the fractions.
        order: the groups.
    """
    errors = judge.errors.get("equivalence")
    how = (judged["group"], judged["context_id"], bootstrap, order, errors)
    return fraction_by_group(judged["judged"], *how)


def compared_choices(
    groups: Mapping[str, pd.DataFrame], judge: Judge, bootstrap: Bootstrap
) -> pd.DataFrame:
    """How often the pairs of a few choices are equivalent, as far as the judge can be asked.

    Returns:
        `fraction_by_group`, contexts drawn together, without error rates of the judge.
    """
    judged = judged_groups(affordable(groups, judge, bootstrap.seed), judge.equivalent)
    names, contexts = judged["group"], judged["context_id"]
    return fraction_by_group(judged["judged"], names, contexts, bootstrap, list(groups))


def judged_gain(judged: pd.DataFrame, group: str, base: str, bootstrap: Bootstrap) -> Interval:
    """Judged fraction of a group minus that of another, contexts drawn together."""
    a, b = (judged[judged["group"] == name] for name in (group, base))
    return bootstrap_contrast(a["judged"], b["judged"], a["context_id"], b["context_id"], bootstrap)


def verdicts(judge: Judge, pairs: pd.DataFrame) -> list[str]:
    """How x and y relate: equivalent, entails, entailed, different, or not judged."""
    xs, ys = list(pairs["x"]), list(pairs["y"])
    there, back = judge.entails(xs, ys), judge.entails(ys, xs)
    names = ["not judged", "equivalent", "entails", "entailed"]
    known = [np.isnan(there) | np.isnan(back), (there * back) == 1, there == 1, back == 1]
    return [str(name) for name in np.select(known, names, default="different")]


def rewritings(
    inputs: pd.DataFrame, outputs: Mapping[str, Sequence[str]], judge: Judge
) -> pd.DataFrame:
    """What several writers made of the same sources.

    Args:
        inputs: source, context_id.
        outputs: group → a text for each input.

    Returns:
        group, context_id, x, y, same (1, 0 or NaN: not judged), rouge_l (in [0, 1]), copy (0/1).
    """
    parts = [
        pd.DataFrame({"group": name, "context_id": inputs["context_id"], "x": inputs["source"]})
        .assign(y=list(texts))
        for name, texts in outputs.items()
    ]  # fmt: skip
    rows = pd.concat(parts, ignore_index=True)
    xs, ys = rows["x"].tolist(), rows["y"].tolist()
    similar = [rouge_l(x, y) for x, y in zip(xs, ys, strict=True)]
    copied = (rows["x"] == rows["y"]).astype(float)
    return rows.assign(same=judge.equivalent(xs, ys), rouge_l=similar, copy=copied)


def rewriting_rows(
    written: pd.DataFrame, judge: Judge, bootstrap: Bootstrap, order: Sequence[str]
) -> pd.DataFrame:
    """METRIC_ROWS of `rewritings` by writer: equivalent to the source, ROUGE-L to it, copies.

    Args:
        written: of `rewritings`.
        judge: who was asked; its error rates correct the first, where they are known.
        order: the writers.
    """
    same = f"equivalent ({judge.named('equivalence')}), %"
    measures = {same: "same", "ROUGE-L to source": "rouge_l", "copies, %": "copy"}
    errors = {"same": judge.errors.get("equivalence")}
    return rows_by_group(written, measures, bootstrap, order, errors)


def summary_rows(
    groups: Mapping[str, pd.DataFrame], judge: Judge, bootstrap: Bootstrap, seed: int
) -> pd.DataFrame:
    """METRIC_ROWS of groups of summaries: how many follow from their source, and coverage.

    Args:
        groups: PAIRS, CANDIDATES or DATASET by name, each looked at as far as is `affordable`.
        judge: who is asked; its error rates correct the first, where they are known.
        bootstrap: over contexts.
        seed: of what is looked at.
    """
    pairs = affordable({name: as_pairs(part) for name, part in groups.items()}, judge, seed)
    looked = judged_groups(pairs, judge.entails)
    looked["coverage"] = judge.coverage(list(looked["x"]), list(looked["y"]))
    follows = f"follows from x ({judge.named('entailment')}), %"
    measures = {follows: "judged", "coverage, %": "coverage"}
    errors = {"judged": judge.errors.get("entailment")}
    return rows_by_group(looked, measures, bootstrap, list(groups), errors)
