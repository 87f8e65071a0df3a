"""Readers of the human datasets that the paper and the notebooks compare with.

Human datasets are never part of this package: they are read from a folder with one subfolder each,
or, where `human_data` is "hub" and the Hugging Face hub has them as rows of a table, from there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.config.places import resolve
from impossible.data.json_lines import (
    PAIR_FIELDS,
    json_objects,
    read_lines,
    read_string,
    read_strings,
)
from impossible.errors import DataError

HUB = "hub"  # in the place of a folder


@dataclass(frozen=True)
class HumanSet:
    """A human dataset: `file` below the data folder; if only rows with label 1 are paraphrases.

    `hub`: repository, configuration, split, source column, target column.
    """

    title: str
    file: str
    positive: bool
    get: str
    hub: tuple[str, str, str, str, str] | None = None


HUMAN = {
    "mrpc": HumanSet(
        "MRPC (news)",
        "mrpc/test.jsonl",
        True,
        "the Microsoft Research Paraphrase Corpus (Dolan and Brockett 2005)",
        ("nyu-mll/glue", "mrpc", "test", "sentence1", "sentence2"),
    ),
    "parasci_arxiv": HumanSet(
        "ParaSCI-arXiv (science)",
        "parasci_arxiv/test.jsonl",
        False,
        "ParaSCI, github.com/dqxiu/ParaSCI (Dong et al. 2021)",
    ),
    "quora_vaesvg": HumanSet(
        "Quora (questions)",
        "quora_vaesvg/test.jsonl",
        False,
        "Quora pairs as split by Gupta et al. (2018), github.com/arvind385801/paraphraseGen",
    ),
    "mscoco_captions": HumanSet(
        "MSCOCO (captions)",
        "mscoco_captions/test5k.jsonl",
        False,
        "the Karpathy split of the MSCOCO captions (Lin et al. 2014), cocodataset.org",
    ),
    "pawsx_en": HumanSet(
        "PAWS-X English",
        "pawsx_en/dev.jsonl",
        True,
        "PAWS-X, github.com/google-research-datasets/paws (Yang et al. 2019)",
        ("google-research-datasets/paws-x", "en", "validation", "sentence1", "sentence2"),
    ),
    "asset": HumanSet(
        "ASSET (simplification)",
        "asset/valid.jsonl",
        False,
        "ASSET, github.com/facebookresearch/asset (Alva-Manchego et al. 2020)",
        ("facebook/asset", "simplification", "validation", "original", "simplifications"),
    ),
    "wiki_conciseness": HumanSet(
        "Wiki conciseness",
        "wiki_conciseness/full.jsonl",
        False,
        "github.com/google-research-datasets/wiki-conciseness-dataset (Stahlberg et al. 2022)",
    ),
}

#: Human summaries of single sentences; no paraphrases, so `HUMAN` and its range leave them out.
SUMMARIES = {
    "gigaword": HumanSet(
        "Gigaword (headlines)",
        "gigaword/test.jsonl",
        False,
        "the Gigaword test set, github.com/complementizer/rl-sentence-compression (Rush et al. "
        "2015)",
    ),
}


#: Pairs by people that a student may learn from; 14 of MRPC are in its test set too.
TRAINING = {
    "mrpc_train": HumanSet(
        "MRPC train (news)", "mrpc/train.jsonl", True, HUMAN["mrpc"].get,
        ("nyu-mll/glue", "mrpc", "train", "sentence1", "sentence2"),
    ),
}  # fmt: skip


def take(frame: pd.DataFrame, n: int | None, seed: int = 0) -> pd.DataFrame:
    """A seeded sample of n rows in random order (all rows when n is None or there are fewer)."""
    size = len(frame) if n is None else min(n, len(frame))
    order = np.random.default_rng(seed).permutation(len(frame))[:size]
    return frame.iloc[order].reset_index(drop=True)


def available(folder: str | Path, names: Collection[str] = tuple(HUMAN)) -> dict[str, str]:
    """For each human dataset "" if `folder` has it, else the sentence that tells how to get it.

    Args:
        folder: the local data folder; "hub"; "": none.
        names: keys of `HUMAN` (the default: paraphrases) or `SUMMARIES`.
    """
    return {name: "" if _is_there(folder, name) else _missing(folder, name) for name in names}


def _is_there(folder: str | Path, name: str) -> bool:
    if folder == HUB:
        return _known(name).hub is not None
    return bool(folder) and _path(folder, name).is_file()


def _known(name: str) -> HumanSet:
    sets = HUMAN | SUMMARIES | TRAINING
    if name not in sets:
        raise DataError(f"Unknown human dataset {name!r}; known are {', '.join(sets)}.")
    return sets[name]


def _path(folder: str | Path, name: str) -> Path:
    return Path(folder) / _known(name).file


def _missing(folder: str | Path, name: str) -> str:
    known, named = _known(name), str(folder) not in ("", HUB)
    where = f"{folder}/" if named else "the folder human_data names, as "
    hub = f", or say human_data=hub for {known.hub[0]}" if known.hub else ""
    return (
        f"{known.title} is missing: put {known.get} as JSON lines with id, source and target (or "
        f"targets) at {where}{known.file}{hub}."
    )


def _human_rows(name: str, folder: str | Path) -> list[tuple[str, str, list[str]]]:
    """(id, source, targets) of a human dataset; only positives where pairs are labelled."""
    known, path = _known(name), _path(folder, name)
    if not _is_there(folder, name):
        raise DataError(_missing(folder, name))
    if folder == HUB:
        return _hub_rows(name, known)
    rows: list[tuple[str, str, list[str]]] = []
    for place, record in json_objects(read_lines(path), str(path), PAIR_FIELDS):
        if known.positive and record.get("label") != 1:
            continue
        source = read_string(record, "source", place, PAIR_FIELDS)
        targets = (
            read_strings(record, "targets", place, PAIR_FIELDS)
            if "targets" in record
            else [read_string(record, "target", place, PAIR_FIELDS)]
        )
        rows.append((str(record.get("id", len(rows))), source, targets))
    return rows


def _hub_rows(name: str, known: HumanSet) -> list[tuple[str, str, list[str]]]:
    """The same from the hub, by its own library: tables only, no code of a repository is run."""
    import datasets  # slow to import, and needed here only

    assert known.hub is not None
    repository, configuration, split, source, target = known.hub
    try:
        table = datasets.load_dataset(repository, configuration, split=split)
    except Exception as error:  # the library raises many kinds: no network, no such id, …
        raise DataError(
            f"{known.title} cannot be loaded from the hub as {repository}: "
            f"{' '.join(str(error).split())[:200]}; go online once, or put it into a folder that "
            "human_data names."
        ) from error
    rows = [row for row in table if not known.positive or row["label"] == 1]
    listed = [[row[target]] if isinstance(row[target], str) else row[target] for row in rows]
    pairs = enumerate(zip(rows, listed, strict=True))
    return [(f"{name}-{i:06d}", row[source], list(texts)) for i, (row, texts) in pairs]


def human_folder(params: Params) -> str:
    """The folder that `human_data` names, "hub", or "" for none."""
    named = params.human_data
    return named if named in ("", HUB) else str(resolve(named))


def human_pairs(name: str, folder: str | Path = "") -> pd.DataFrame:
    """Pairs of a human dataset: one per source, with its first target.

    Args:
        name: a key of `HUMAN` or `SUMMARIES`.
        folder: the local data folder, or "hub".

    Returns:
        Frame with columns pair_id, source, target, context_id, origin (= name).

    Raises:
        DataError: when the dataset is absent, with the sentence that tells how to get it.
    """
    rows = _human_rows(name, folder)
    return pd.DataFrame(
        [(item, source, targets[0], item, name) for item, source, targets in rows],
        columns=["pair_id", "source", "target", "context_id", "origin"],
    )


def human_items(name: str, folder: str | Path = "") -> pd.DataFrame:
    """Columns id, source, references (list of str) of a human dataset.

    Raises:
        DataError: when the dataset is absent, with the sentence that tells how to get it.
    """
    rows = _human_rows(name, folder)
    return pd.DataFrame(rows, columns=["id", "source", "references"])


def human_predictions(
    name: str, folder: str | Path = "", system: str = "Copy-Input"
) -> pd.DataFrame:
    """A `records.PREDICTIONS` frame of Copy-Input (the output is the source) on a human dataset."""
    rows = _human_rows(name, folder)
    return pd.DataFrame(
        [(system, item, source, targets, source) for item, source, targets in rows],
        columns=["system", "item", "source", "references", "output"],
    )
