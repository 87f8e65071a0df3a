"""Pairs by rank (the paper's Table 7): best, worst, nearest to the threshold; is the rank right?

The rank is the critic's *lesser direction*, the smaller of P(x ⇒ y) and P(y ⇒ x): a pair is as
equivalent as its weaker half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.data.io import read_frame
from impossible.data.run_folder import RunFolder, item_rng
from impossible.data.schemas import CONTEXTS, DATASET, SENTENCES
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_contrast, bootstrap_mean
from impossible.evaluation.expectations import Expected, per_cent
from impossible.evaluation.fractions import fraction_by_group
from impossible.evaluation.judges import Judge
from impossible.experiments.example_pairs import right_or_not
from impossible.filtering.build_dataset import apply_thresholds
from impossible.filtering.critics import CANDIDATES, PAIRS
from impossible.filtering.thresholds import Thresholds

#: Every accepted pair reaches the threshold, so the worst accepted is the nearest to it.
EXAMPLE_KINDS = ("random", "best", "median", "worst accepted", "nearest rejected")
#: Corpus → file of its pairs, file of the scores that it was chosen from, task.
RANKED_CORPORA = {
    "D_T": ("dataset_teacher", "pairs", "paraphrase"),
    "D_para": ("dataset_para", "candidates", "paraphrase"),
    "D_sum": ("dataset_summary", "summary_candidates", "summary"),
}
THIRDS = ("best third", "middle third", "worst third")
JUST_REJECTED = "just rejected"
_FAR = 60  # per cent of ROUGE-L: a paraphrase with more is nearly a copy


def pairs_of_run(
    run: RunFolder, params: Params, judge: Judge
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Accepted and nearest rejected pairs of each corpus that a run has.

    Returns:
        (corpus → accepted pairs, corpus → `nearest_rejected`), with context and `right`.
    """
    contexts = read_frame(run.data("contexts"), CONTEXTS)
    inputs = read_frame(run.data("inputs"), SENTENCES)
    accepted: dict[str, pd.DataFrame] = {}
    rejected: dict[str, pd.DataFrame] = {}
    for corpus, (dataset, scores, task) in RANKED_CORPORA.items():
        if not run.data(dataset).is_file():
            continue
        thresholds = getattr(Thresholds, task)(params)
        schema = PAIRS if scores == "pairs" else CANDIDATES
        kept = read_frame(run.data(dataset), DATASET)
        near = nearest_rejected(read_frame(run.data(scores), schema), thresholds)
        for frames, pairs in ((accepted, kept), (rejected, near)):
            known = pairs.rename(columns={"source": "x", "target": "y"})
            known = known.assign(right=right_or_not(known, judge, task))
            frames[corpus] = with_context(known, contexts, inputs)
    return accepted, rejected


def lesser_direction(pairs: pd.DataFrame) -> pd.Series[float]:
    """The critic's lesser direction of each pair, in [0, 1].

    Where one was not computed the other stands alone: for a summary only P(x ⇒ y) is asked, and a
    pair refuted in one direction is not asked in the other.
    """
    return pairs[["p_xy", "p_yx"]].min(axis=1)


def _ranked(pairs: pd.DataFrame) -> pd.DataFrame:
    """Best first; pairs of equal rank in the order of their texts."""
    frame = pairs.assign(lesser=lesser_direction(pairs))
    return frame.sort_values(["lesser", "x", "y"], ascending=[False, True, True], kind="stable")


def examples_by_rank(
    corpus: str, accepted: pd.DataFrame, rejected: pd.DataFrame, n: int, seed: int = 0
) -> pd.DataFrame:
    """Of each domain n random, best, median, worst accepted and nearest rejected pairs.

    Args:
        corpus: its name; also names the random stream.
        accepted: x, y, domain, p_xy, p_yx; a pair can be of several kinds.
        rejected: the same, from `nearest_rejected`; may be empty.

    Returns:
        Rows of both with corpus, kind (of `EXAMPLE_KINDS`) and lesser.
    """
    parts = []
    for domain in sorted(accepted["domain"].dropna().unique()) or [None]:
        here, near = (
            _ranked(frame if domain is None else frame[frame["domain"] == domain])
            for frame in (accepted, rejected)
        )
        rng = item_rng(seed, "examples", f"{corpus} {domain}")
        middle = max(0, (len(here) - n) // 2)
        chosen = (
            here.iloc[rng.permutation(len(here))[:n]],
            here.head(n),
            here.iloc[middle : middle + n],
            here.tail(n).iloc[::-1],
            near.head(n),
        )
        named = zip(EXAMPLE_KINDS, chosen, strict=True)
        parts += [part.assign(kind=kind) for kind, part in named if len(part)]
    return pd.concat(parts, ignore_index=True).assign(corpus=corpus)


def examples_of_all(
    accepted: Mapping[str, pd.DataFrame], rejected: Mapping[str, pd.DataFrame], params: Params
) -> pd.DataFrame:
    """`examples_by_rank` of every corpus, each with its name as `example`."""
    parts = [
        examples_by_rank(corpus, pairs, rejected[corpus], params.n_examples, params.seed)
        for corpus, pairs in accepted.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(
        example=rows["corpus"] + ", " + rows["domain"].fillna("–") + ": " + rows["kind"]
    )


def nearest_rejected(scores: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Pairs that the critic's threshold alone rejected, nearest first; of mirrored pairs one.

    Their lesser direction is in [entailment_floor, entailment_threshold); below the floor a
    direction was not computed.
    """
    low, high = thresholds.entailment_floor, thresholds.entailment_threshold
    inside = lesser_direction(scores).between(low, high, inclusive="left")
    passed = _ranked(apply_thresholds(scores[inside], thresholds.fix(entailment_threshold=low))[0])
    sides = [tuple(sorted(pair)) for pair in zip(passed["x"], passed["y"], strict=True)]
    return passed[~pd.Series(sides, passed.index, dtype=object).duplicated()]


def with_context(pairs: pd.DataFrame, contexts: pd.DataFrame, inputs: pd.DataFrame) -> pd.DataFrame:
    """Pairs with the text before them as `context`, missing where nothing knows it.

    The contexts of `inputs` (SENTENCES) were cut into sentences: what was written before a sentence
    is its context.
    """
    cut = inputs.sort_values("sample")
    before = cut.groupby("context_id")["raw"].transform(_before)
    preceding = dict(zip(zip(cut["context_id"], cut["raw"], strict=True), before, strict=True))
    keys = zip(pairs["context_id"], pairs["x"], strict=True)
    known = pairs["context_id"].map(contexts.set_index("context_id")["text"])
    return pairs.assign(context=known.fillna(pd.Series(map(preceding.get, keys), pairs.index)))


def _before(sentences: pd.Series[str]) -> list[str]:
    return [" ".join(sentences.iloc[:i]) for i in range(len(sentences))]


def thirds(pairs: pd.DataFrame) -> pd.Series[str]:
    """Best, middle or worst third, of each pair among all by its lesser direction."""
    rank = lesser_direction(pairs).rank(method="first", ascending=False, na_option="bottom") - 1
    return (3 * rank // max(1, len(pairs))).astype(int).map(dict(enumerate(THIRDS)))


def right_by_rank(
    accepted: Mapping[str, pd.DataFrame],
    rejected: Mapping[str, pd.DataFrame],
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """Fraction of right pairs in each third of each corpus, and in thirds drawn by chance.

    Args:
        accepted: corpus → x, y, context_id, p_xy, p_yx and `right`.
        rejected: the same of pairs below the threshold.
        bootstrap: contexts are resampled; its seed draws the control.

    Returns:
        group ("CORPUS, best third" …), series ("by rank", "by chance"), value, low, high, n.
    """
    rng = item_rng(bootstrap.seed, "examples", "thirds by chance")
    parts, found = [], []
    for corpus, frame in accepted.items():
        third = thirds(frame)
        below = rejected[corpus].assign(place=JUST_REJECTED)
        ranked = pd.concat([frame.assign(place=third), below])
        drawn = frame.assign(place=pd.Series(rng.permutation(third), frame.index, dtype=object))
        for series, part in (("by rank", ranked), ("by chance", drawn)):
            parts.append(part.assign(series=series, group=corpus + ", " + part["place"]))
    order = [f"{corpus}, {name}" for corpus in accepted for name in (*THIRDS, JUST_REJECTED)]
    for series, part in pd.concat(parts, ignore_index=True).groupby("series", sort=False):
        here = [name for name in order if name in set(part["group"])]
        named = (part["right"], part["group"], part["context_id"])
        found.append(fraction_by_group(*named, bootstrap, here).assign(series=series))
    return pd.concat(found, ignore_index=True)


def ranked_expected(
    accepted: Mapping[str, pd.DataFrame],
    rejected: Mapping[str, pd.DataFrame],
    judge: Judge,
    bootstrap: Bootstrap = Bootstrap(),
) -> list[Expected]:
    """What notebook 15 expects of each corpus, with what was found.

    Arguments as for `right_by_rank`; accepted paraphrases have rouge_l, too.
    """
    best, _, worst = THIRDS
    expected = []
    for corpus, frame in accepted.items():
        paraphrases = RANKED_CORPORA[corpus][2] == "paraphrase"
        right = f"{corpus}, right ({judge.unaided('equivalence' if paraphrases else 'entailment')})"
        names, place = frame["context_id"], thirds(frame)
        every = per_cent(bootstrap_mean(frame["right"], names, bootstrap))
        expected.append(Expected(f"{right}, %", every, over=50))
        if paraphrases:
            near = per_cent(bootstrap_mean(frame["rouge_l"], names, bootstrap))
            expected.append(Expected(f"{corpus}, ROUGE-L of x and y, %", near, under=_FAR))
        low = frame[place == worst]
        for a, b, between in (
            (low, rejected[corpus], f"{worst} − {JUST_REJECTED}"),
            (frame[place == best], low, f"{best} − {worst}"),
        ):
            ends = (a["right"], b["right"], a["context_id"], b["context_id"])
            gap = per_cent(bootstrap_contrast(*ends, bootstrap))
            expected.append(Expected(f"{right}, % points: {between}", gap, over=0))
    return expected


def best_minus_worst(by_rank: pd.Series[float], corpora: Iterable[str]) -> dict[str, float]:
    """Of each corpus the fraction right in the best third minus that in the worst; NaN: unknown."""
    best, _, worst = THIRDS
    return {
        corpus: by_rank.get(f"{corpus}, {best}", np.nan) - by_rank.get(f"{corpus}, {worst}", np.nan)
        for corpus in corpora
    }
