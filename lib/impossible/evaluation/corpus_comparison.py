"""Corpora side by side at equal treatment: same number of pairs, same tokenization, same measures.

Some human datasets are tokenized or lower-cased: a fair picture draws the same number of pairs from
each corpus and undoes what tokenizers did. Case is folded by the measures themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.config.places import resolve
from impossible.data.human_datasets import (
    HUMAN,
    SUMMARIES,
    available,
    human_pairs,
    human_predictions,
    take,
)
from impossible.data.io import read_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_mean, independent_difference
from impossible.evaluation.corpus_quality import corpus_quality
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.metric_rows import Encoder, MetricRows
from impossible.evaluation.metrics import CORPUS_METRICS
from impossible.evaluation.paraphrase_metrics import score_predictions
from impossible.text.rouge import jaccards

#: Measures in which corpora are compared with human ones.
COMPARED = (
    "h2", "h3", "msttr", "jaccard", "self_bleu", "rouge_l_source", "words_source", "length_ratio",
)  # fmt: skip

#: Measures of short rewritings.
SHORT_METRICS = ("h2", "h3", "msttr", "novelty", "self_bleu", "compression")

#: Datasets of short rewritings that people wrote.
HUMAN_SUMMARIES = (*SUMMARIES, "wiki_conciseness")

#: Test sets whose Copy-Input row in the paper's Table 2 can be recomputed, and their name there.
COPIED_SETS = {"mrpc": "MRPC test positives", "parasci_arxiv": "ParaSCI-arXiv test"}

#: How near a recomputed Copy-Input score must be; iBLEU is 0.7 BLEU - 30, rounded to 0.1.
TOLERANCE = {"rouge_l": 0.05, "bleu": 0.5, "ibleu": 0.4}

# What Penn-style tokenizers do to English, undone; the measures split punctuation themselves.
_UNDO = (
    (re.compile(r"\s+(n['’]t|['’](?:s|re|ve|ll|d|m))\b", re.IGNORECASE), r"\1"),
    (re.compile(r"``|''|[“”]"), '"'),
    (re.compile(r"’"), "'"),
    (re.compile(r"-lrb-", re.IGNORECASE), "("),
    (re.compile(r"-rrb-", re.IGNORECASE), ")"),
)


def detokenized(text: str) -> str:
    """A text with split contractions joined and quotes and brackets written in one way.

    Spaces before punctuation stay: all measures split punctuation off. Case stays: they fold it.

    >>> detokenized("He does n't say `` no '' to Ann 's dog .")
    'He doesn\\'t say " no " to Ann\\'s dog .'
    """
    for pattern, replacement in _UNDO:
        text = pattern.sub(replacement, text)
    return text


def own_corpora(run: RunFolder, compare_with: str = "") -> dict[str, pd.DataFrame]:
    """D_T and D_para as far as this run has them.

    `compare_with` is a Parquet file of pairs that stands for D_para, for example another run's
    (relative: from the checkout); empty: this run's. A file that is not there is left out.
    """
    para = resolve(compare_with) if compare_with else run.data("dataset_para")
    files = {"D_T": run.data("dataset_teacher"), "D_para": para}
    return {name: read_frame(path, DATASET) for name, path in files.items() if path.is_file()}


def own_summaries(files: Mapping[str, str]) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The corpora of `compare_summaries` that are there, and a sentence for each that is not."""
    paths = {name: resolve(path) for name, path in files.items()}
    there = {name: read_frame(path, DATASET) for name, path in paths.items() if path.is_file()}
    absent = [f"{name} is missing: its file is not there." for name in paths if name not in there]
    return there, absent


def absent_corpora(ours: Mapping[str, pd.DataFrame], folder: str = "") -> list[str]:
    """A sentence for each corpus of paraphrases, of ours or of people, that is not there."""
    makers = {"D_T": "05", "D_para": "07"}
    lacking = [name for name in makers if name not in ours]
    sentences = [f"{name} is missing: notebook {makers[name]} makes it." for name in lacking]
    return [*sentences, *human_corpora(folder)[1].values()]


def by_similarity(corpora: Mapping[str, pd.DataFrame], n: int) -> pd.DataFrame:
    """n pairs of each corpus, from the most different to the most alike, and their Jaccard."""
    parts = [pd.DataFrame(columns=["corpus", "source", "target", "Jaccard"])]
    for name, frame in corpora.items():
        pairs = frame[["source", "target"]].assign(corpus=name)
        similar = 100 * jaccards(pairs["source"], pairs["target"])
        ordered = pairs.assign(Jaccard=similar).sort_values("Jaccard", kind="stable")
        places = np.linspace(0, len(ordered) - 1, min(n, len(ordered))).round().astype(int)
        parts.append(ordered.iloc[places][list(parts[0])])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def human_corpora(
    folder: str = "", names: Sequence[str] = tuple(HUMAN)
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Corpora that people wrote, detokenized, and a sentence for each that is not there.

    Labelled ones give their positives, those with several targets the first.

    Returns:
        (title → pairs, title → how to get it); every dataset is in one of the two.
    """
    sets = HUMAN | SUMMARIES
    advice = available("", names)  # without the folder's path, which is this machine's
    lacking = available(folder, names)
    absent = {sets[name].title: advice[name] for name in names if lacking[name]}
    found = {name: human_pairs(name, folder) for name in names if not lacking[name]}
    return {sets[name].title: _detokenized_pairs(pairs) for name, pairs in found.items()}, absent


def gather(ours: Mapping[str, pd.DataFrame], folder: str = "") -> dict[str, pd.DataFrame]:
    """Every corpus that can be compared, ours first, all detokenized; empty ones are left out.

    Raises:
        DataError: there is neither a corpus of ours nor a human dataset.
    """
    found = {name: _detokenized_pairs(frame) for name, frame in ours.items() if len(frame)}
    found |= human_corpora(folder)[0]
    if not found:
        raise DataError(
            "There is no corpus to measure: run the notebooks 05 and 07 first, or name the folder "
            "of the human datasets (human_data=…/data)."
        )
    return found


def _detokenized_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {name: frame[name].map(detokenized) for name in ("source", "target")}
    return frame.assign(**columns)


def equal_size(corpora: Mapping[str, pd.DataFrame], limit: int) -> int:
    """Pairs to draw from each corpus: as many as the smallest has, at most `limit`."""
    return min([limit, *map(len, corpora.values())])


def equally_many(
    corpora: Mapping[str, pd.DataFrame], limit: int, seed: int
) -> dict[str, pd.DataFrame]:
    """As many pairs of each corpus (`equal_size`), drawn by the seed."""
    size = equal_size(corpora, limit)
    return {name: take(frame, size, seed) for name, frame in corpora.items()}


def permuted(pairs: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Each source with another pair's target: the control with the signal destroyed."""
    mixed = take(pairs, None, seed)
    return mixed.assign(target=np.roll(mixed["target"].to_numpy(), 1))


def shuffled_control(
    corpora: Mapping[str, pd.DataFrame], n: int, encoder: Encoder | None = None, seed: int = 0
) -> pd.DataFrame:
    """The similarity of pairs beside that of the same sentences paired at random.

    A measure of similarity that does not fall when the partners are shuffled sees nothing in these
    sentences, for example an encoder trained on other text.

    Returns:
        A line per corpus: corpus, and for each metric its mean over the pairs (`jaccard`) and over
        shuffled pairs (`jaccard, shuffled`); NaN where the measure is missing.
    """
    metrics, lines = ("cosine", "jaccard", "self_bleu"), []
    for name, frame in corpora.items():
        drawn = take(frame, n, seed)
        line: dict[str, float] = {}
        for ending, part in (("", drawn), (", shuffled", permuted(drawn, seed))):
            rows = corpus_quality(part, name, encoder, bootstrap=Bootstrap(10)).set_index("metric")
            line |= {metric + ending: float(rows["value"][metric]) for metric in metrics}
        lines.append({"corpus": name, **line})
    columns = [metric + ending for metric in metrics for ending in ("", ", shuffled")]
    return pd.DataFrame(lines)[["corpus", *columns]]


def quality_by_size(
    corpora: Mapping[str, pd.DataFrame], sizes: Sequence[int], metric: str = "h2", seed: int = 0
) -> pd.DataFrame:
    """A measure of `CORPUS_METRICS` at several sizes: why corpora are compared at equal n.

    A line per corpus, a column per size; NaN where the corpus is smaller.
    """

    def measured(frame: pd.DataFrame, size: int) -> float:
        drawn = take(frame, size, seed)
        return CORPUS_METRICS[metric]([*drawn["source"], *drawn["target"]])

    lines = [
        {"corpus": name}
        | {str(n): measured(frame, n) if n <= len(frame) else np.nan for n in sizes}
        for name, frame in corpora.items()
    ]
    return pd.DataFrame(lines)


def human_range(rows: pd.DataFrame, ours: Sequence[str]) -> pd.DataFrame:
    """Where our corpora lie beside the range of the human ones, which all others are.

    Returns:
        corpus, metric, value, lowest and highest human value, place ("inside", "below" or "above",
        by the value, not its interval); empty without human datasets or without ours.
    """
    known = rows[rows["metric"].isin(COMPARED)].dropna(subset="value")
    human = known[~known["system"].isin(list(ours))].groupby("metric")["value"].agg(["min", "max"])
    found = known[known["system"].isin(list(ours))].join(human, on="metric", how="inner")
    below, above = found["value"] < found["min"], found["value"] > found["max"]
    place = np.select([below, above], ["below", "above"], "inside")
    table = found[["system", "metric", "value", "min", "max"]].assign(place=place)
    names = {"system": "corpus", "min": "lowest human", "max": "highest human"}
    return table.rename(columns=names).reset_index(drop=True)


def quality_expected(
    rows: pd.DataFrame, human: Sequence[str], pairs: pd.DataFrame, bootstrap: Bootstrap
) -> list[Expected]:
    """What notebook 08 expects of D_para, with what was found.

    Args:
        rows: METRIC_ROWS of all corpora.
        human: names of the human ones; without any what compares with them is not measured.
        pairs: those of D_para that were drawn.
        bootstrap: over them.
    """
    expected = []
    for metric, title in (("jaccard", "Jaccard"), ("self_bleu", "Self-BLEU")):
        theirs = rows[rows["system"].isin(human) & (rows["metric"] == metric)].set_index("system")
        highest = str(theirs["value"].idxmax()) if theirs["value"].notna().any() else "people"
        for other, bound in ((highest, 0), ("D_T", 3)):
            ends = (interval_of(rows, name, metric) for name in ("D_para", other))
            more = independent_difference(*ends)
            expected.append(Expected(f"{title}, D_para minus {other}", more, under=bound))
    alike, by_chance = (
        100 * jaccards(part["source"], part["target"])
        for part in (pairs, permuted(pairs, bootstrap.seed))
    )
    seen = bootstrap_mean(alike - by_chance, None, bootstrap)
    return [*expected, Expected("Jaccard, D_para minus its shuffled pairs", seen, over=0)]


def copy_input_rows(folder: str, bootstrap: Bootstrap = Bootstrap()) -> pd.DataFrame:
    """METRIC_ROWS of the system that copies its input on the test sets of `COPIED_SETS`.

    `system` is the test set; one that `folder` lacks has no rows.
    """
    lacking = available(folder)
    parts = [
        score_predictions(human_predictions(name, folder, title), None, bootstrap)
        for name, title in COPIED_SETS.items()
        if not lacking[name]
    ]
    return pd.concat([MetricRows("", None).frame(), *parts], ignore_index=True)


def copy_input_readings(
    rows: pd.DataFrame, published: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], str]:
    """For each published Copy-Input score that was recomputed: is it near enough?"""
    found = rows.set_index(["system", "metric"])["value"].to_dict()
    readings = {}
    for key, theirs in published.items():
        if key in found:
            allowed = TOLERANCE[key[1]]
            near = abs(found[key] - theirs) <= allowed
            readings[key] = f"{'within' if near else 'OUTSIDE'} ±{allowed}"
    return readings
