"""Corpora of other methods, on which students like ours are trained (the paper's Table 2)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from impossible.config.params import Params
from impossible.data.human_datasets import human_folder, human_pairs
from impossible.data.io import read_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.errors import DataError
from impossible.evaluation.baselines.back_translation import RoundTrip, corpus, plain_corpus
from impossible.evaluation.prompting import Asked
from impossible.filtering.build_dataset import as_dataset


def stored_corpora(run: RunFolder) -> pd.DataFrame:
    """The corpora of notebook 10, a DATASET told apart by `origin`; empty if the run has none."""
    path = run.data("corpora")
    return read_frame(path, DATASET) if path.is_file() else DATASET.empty_table().to_pandas()


def rival_corpora(
    params: Params,
    run: RunFolder,
    inputs: pd.DataFrame,
    trip: RoundTrip | None,
    teacher: Asked,
    tested: Sequence[str] = (),
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Those of notebook 10 where the run has them; else what is made here of the same inputs.

    The teacher is asked for a paraphrase of each input (input_id, text, context_id); no pair of
    people with a sentence of `tested` is trained on.

    Returns:
        (name → DATASET, name → why it is missing).
    """
    if len(stored := stored_corpora(run)):
        return {str(name): part for name, part in stored.groupby("origin", sort=False)}, {}
    found: dict[str, pd.DataFrame] = {}
    missing: dict[str, str] = {}
    some = inputs.head(2 * params.compared_pairs)  # some come back unchanged
    if trip is None:
        missing["round trips"] = "No translator is named (translator, back_translator)."
    else:
        found["round trips"] = plain_corpus(some, trip)
    written = teacher.generate(some["text"].tolist(), max_new_tokens=params.sentence_max_new_tokens)
    found["asked teacher"] = corpus(some, written, "asked teacher")
    try:
        pairs = human_pairs("mrpc_train", human_folder(params))
        known = pairs["source"].isin([*tested]) | pairs["target"].isin([*tested])
        named = pairs[~known].rename(columns={"source": "x", "target": "y"})
        found["human pairs"] = as_dataset(named, "human pairs")
    except DataError as absent:
        missing["human pairs"] = str(absent)
    return {name: frame for name, frame in found.items() if len(frame) > 1}, missing
