"""Corpora side by side at equal treatment: same number of pairs, same tokenization, same measures.

Entropies grow with the size of a corpus, and some human datasets are tokenized or lower-cased: a
fair picture draws the same number of pairs from each and undoes what tokenizers did. Case is folded
by the measures themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.data.human_datasets import HUMAN, available, human_pairs, human_predictions, take
from impossible.data.run_folder import RunFolder, read_frame, resolve
from impossible.data.schemas import DATASET
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_contrast
from impossible.evaluation.corpus_quality import Parser, corpus_quality
from impossible.evaluation.metric_rows import Encoder, MetricRows
from impossible.evaluation.paraphrase_metrics import score_predictions
from impossible.report import paper_tables

__all__ = [
    "COPY_INPUT", "TITLES", "copy_input_readings",
    "copy_input_rows", "detokenized", "equal_size", "fidelity_rows", "gap", "gather", "human_range",
    "missing_sets", "own_corpora", "permuted", "quality_by_size", "quality_rows",
    "shuffled_control",
]  # fmt: skip

#: Measures of the picture, with the direction that means more varied pairs.
TITLES = {
    "h2": "H2, bits ↑", "h3": "H3, bits ↑", "msttr": "MSTTR ↑", "jaccard": "Jaccard ↓",
    "self_bleu": "Self-BLEU ↓", "rouge_l": "ROUGE-L ↓", "words_source": "words per source",
    "length_ratio": "words, target / source",
}  # fmt: skip

#: Test sets whose Copy-Input row in the paper's Table 2 can be recomputed, and their name there.
COPY_INPUT = {"mrpc": "MRPC test positives", "parasci_arxiv": "ParaSCI-arXiv test"}

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

    Example:
        >>> detokenized("He does n't say `` no '' to Ann 's dog .")
        'He doesn\\'t say " no " to Ann\\'s dog .'
    """
    for pattern, replacement in _UNDO:
        text = pattern.sub(replacement, text)
    return text


def own_corpora(run: RunFolder, compare_with: str = "") -> dict[str, pd.DataFrame]:
    """D_T and D_para as far as this run has them.

    Args:
        run: its `data/dataset_teacher` and `data/dataset_para` are read.
        compare_with: a Parquet file of pairs that stands for D_para, for example another run's
            (relative: from the checkout); empty: this run's. A file that is not there is left out.
    """
    para = resolve(compare_with) if compare_with else run.data("dataset_para")
    files = {"D_T": run.data("dataset_teacher"), "D_para": para}
    return {name: read_frame(path, DATASET) for name, path in files.items() if path.is_file()}


def gather(ours: Mapping[str, pd.DataFrame], folder: str = "") -> dict[str, pd.DataFrame]:
    """Every corpus that can be compared, ours first, all detokenized.

    Args:
        ours: name → pairs (source, target, context_id); empty corpora are left out.
        folder: where the human datasets are; empty: none.

    Returns:
        name → pairs. Labelled datasets give their positives, those with several targets the first.

    Raises:
        DataError: there is neither a corpus of ours nor a human dataset.
    """
    found = {name: frame for name, frame in ours.items() if len(frame)}
    if folder:
        for name, lacking in available(folder).items():
            if not lacking:
                found[HUMAN[name].title] = human_pairs(name, folder)
    if not found:
        raise DataError(
            "There is no corpus to measure: run the notebooks 05 and 07 first, or name the folder "
            "of the human datasets (human_data=…/data)."
        )
    return {name: _detokenized_pairs(frame) for name, frame in found.items()}


def _detokenized_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {name: frame[name].map(detokenized) for name in ("source", "target")}
    return frame.assign(**columns)


def missing_sets(folder: str = "") -> list[str]:
    """A sentence for each human dataset that `folder` lacks: what it is and how to get it."""
    absent = [name for name, lacking in available(folder).items() if lacking] if folder else HUMAN
    sentences = available("")  # without the folder's path, which is this machine's
    return [sentences[name] for name in absent]


def equal_size(corpora: Mapping[str, pd.DataFrame], limit: int) -> int:
    """Pairs to draw from each corpus: as many as the smallest has, at most `limit`.

    Example:
        >>> equal_size({"a": pd.DataFrame(index=range(5)), "b": pd.DataFrame(index=range(9))}, 7)
        5
    """
    return min([limit, *map(len, corpora.values())])


def quality_rows(
    corpora: Mapping[str, pd.DataFrame],
    n: int,
    encoder: Encoder | None = None,
    parser: Parser | None = None,
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """`corpus_quality` of each corpus at n pairs: METRIC_ROWS with the corpus as `system`."""
    parts = [
        corpus_quality(frame, name, encoder, parser, n, bootstrap)
        for name, frame in corpora.items()
    ]
    return pd.concat(parts, ignore_index=True)


def fidelity_rows(
    corpora: Mapping[str, pd.DataFrame],
    judge: Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]],
    n: int,
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """METRIC_ROWS of the share of true pairs, in per cent, of the pairs `quality_rows` draws.

    Args:
        corpora: name → pairs with context_id.
        judge: (sources, targets) → 1, 0 or NaN (nothing can be said) for each pair.
        n: pairs drawn from each corpus.
        bootstrap: of the intervals; contexts are drawn together.
    """
    parts = []
    for name, frame in corpora.items():
        drawn = take(frame, n, bootstrap.seed)
        rows = MetricRows(name, drawn["context_id"].to_numpy(), bootstrap)
        rows.mean("fidelity", 100 * judge(list(drawn["source"]), list(drawn["target"])))
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def gap(
    a: pd.DataFrame,
    b: pd.DataFrame,
    measure: Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]],
    bootstrap: Bootstrap = Bootstrap(),
) -> Interval:
    """Mean of a measure over the pairs of one corpus minus that over another's.

    Args:
        a, b: corpora with context_id; contexts that both have are drawn together.
        measure: (sources, targets) → a value for each pair, NaN where it is missing.
        bootstrap: of the interval.
    """
    ours, theirs = (measure(list(part["source"]), list(part["target"])) for part in (a, b))
    groups = (a["context_id"], b["context_id"])
    return bootstrap_contrast(ours, theirs, *groups, bootstrap)


def permuted(pairs: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Each source with another pair's target: the control with the signal destroyed."""
    mixed = take(pairs, None, seed)
    return mixed.assign(target=np.roll(mixed["target"].to_numpy(), 1))


def shuffled_control(
    corpora: Mapping[str, pd.DataFrame],
    n: int,
    encoder: Encoder | None = None,
    metrics: Sequence[str] = ("cosine", "jaccard", "self_bleu"),
    seed: int = 0,
) -> pd.DataFrame:
    """The likeness of pairs beside that of the same sentences paired at random.

    A measure of likeness that does not fall when the partners are shuffled sees nothing in these
    sentences, for example an encoder trained on other text.

    Returns:
        A line per corpus: corpus, and for each metric its mean over the pairs (`jaccard`) and over
        shuffled pairs (`jaccard, shuffled`); NaN where the measure is missing.
    """
    lines = []
    for name, frame in corpora.items():
        drawn = take(frame, n, seed)
        mixed = permuted(drawn, seed)
        line: dict[str, object] = {"corpus": name}
        for ending, part in (("", drawn), (", shuffled", mixed)):
            rows = corpus_quality(part, name, encoder, bootstrap=Bootstrap(10)).set_index("metric")
            line |= {metric + ending: float(rows["value"][metric]) for metric in metrics}
        lines.append(line)
    columns = [metric + ending for metric in metrics for ending in ("", ", shuffled")]
    return pd.DataFrame(lines)[["corpus", *columns]]


def quality_by_size(
    corpora: Mapping[str, pd.DataFrame], sizes: Sequence[int], metric: str = "h2", seed: int = 0
) -> pd.DataFrame:
    """One measure at several numbers of pairs: why corpora are compared at equal n.

    Returns:
        A line per corpus, a column per size; NaN where the corpus is smaller.
    """
    lines = []
    for name, frame in corpora.items():
        line: dict[str, object] = {"corpus": name}
        for size in sizes:
            drawn = frame if size <= len(frame) else frame.iloc[:0]
            rows = corpus_quality(drawn, name, n=size, bootstrap=Bootstrap(10, seed=seed))
            line[str(size)] = float(rows.set_index("metric")["value"][metric])
        lines.append(line)
    return pd.DataFrame(lines)


def human_range(
    rows: pd.DataFrame, ours: Sequence[str], metrics: Sequence[str] = tuple(TITLES)
) -> pd.DataFrame:
    """Where our corpora lie beside the range of the human ones.

    Args:
        rows: METRIC_ROWS of `quality_rows`.
        ours: systems that are not human.
        metrics: which.

    Returns:
        corpus, metric, value, lowest and highest human value, place ("inside", "below" or "above",
        by the value, not its interval); empty without human datasets or without ours.
    """
    human, lines = rows[~rows["system"].isin(list(ours))], []
    for row in rows[rows["system"].isin(list(ours))].itertuples():
        values = human.loc[human["metric"] == row.metric, "value"].dropna()
        if row.metric in metrics and len(values) and not np.isnan(row.value):
            low, high = float(values.min()), float(values.max())
            place = "below" if row.value < low else "above" if row.value > high else "inside"
            lines.append((row.system, row.metric, row.value, low, high, place))
    columns = ["corpus", "metric", "value", "lowest human", "highest human", "place"]
    return pd.DataFrame(lines, columns=columns)


def copy_input_readings(rows: pd.DataFrame) -> dict[tuple[str, str], str]:
    """For each of the paper's Copy-Input scores that was recomputed: is it near enough?"""
    found = rows.set_index(["system", "metric"])["value"].to_dict()
    readings = {}
    for key, theirs in paper_tables.COPY_INPUT.items():
        allowed = TOLERANCE[key[1]]
        if key in found:
            near = abs(found[key] - theirs) <= allowed
            readings[key] = f"{'within' if near else 'OUTSIDE'} ±{allowed}"
    return readings


def copy_input_rows(folder: str, bootstrap: Bootstrap = Bootstrap()) -> pd.DataFrame:
    """Scores of the system that copies its input on the test sets of `COPY_INPUT`, as they are.

    Args:
        folder: where the human datasets are.
        bootstrap: of the intervals.

    Returns:
        METRIC_ROWS; `system` is the test set. A test set that is absent has no rows.
    """
    lacking = available(folder)
    parts = [
        score_predictions(human_predictions(name, folder, title), None, bootstrap)
        for name, title in COPY_INPUT.items()
        if not lacking[name]
    ]
    columns = ["system", "metric", "value", "low", "high", "n", "signature"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
