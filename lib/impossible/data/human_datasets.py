"""Readers of JSON lines and of the human datasets the paper and the notebooks compare with.

Human datasets are never part of this package. They are read from a local folder with one subfolder
per dataset, or, for those the Hugging Face hub has under a known id, from there when asked for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from impossible.data.io import UNREADABLE, unzipped
from impossible.errors import DataError

__all__ = [
    "HUMAN", "SUMMARIES", "HumanSet", "available", "human_items", "human_pairs",
    "human_predictions", "read_items", "read_lines", "read_pairs", "read_predictions",
    "stream_pairs", "take",
]  # fmt: skip

PREDICTION_FIELDS = '{"source": "…", "output": "…", "references": ["…"]}'
PAIR_FIELDS = '{"source": "…", "target": "…"}'
ITEM_FIELDS = '{"source": "…", "references": ["…"]}'


@dataclass(frozen=True)
class HumanSet:
    """A human paraphrase (or rewriting) dataset and where to find it.

    `file` is relative to the data folder; `positive` says that only rows with label 1 are
    paraphrases; `hub` is (id, configuration, split, source column, target column) on the hub.
    """

    title: str
    file: str
    positive: bool
    get: str
    hub: tuple[str, str | None, str, str, str] | None = None


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


def read_lines(path: str | Path) -> list[str]:
    """Lines of a UTF-8 text file, perhaps gzipped; ``-`` is standard input.

    Raises:
        DataError: when the file is missing, a folder, damaged, or not UTF-8 (with the line number).
    """
    name = "standard input" if str(path) == "-" else str(path)
    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read()
        else:
            with unzipped(path) as stream:
                raw = stream.read()
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{name}: {reason}; give a JSON lines file, or - for stdin.") from error
    try:
        return raw.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}, line {line}: not UTF-8; convert the file to UTF-8.") from error


def _objects(lines: Iterable[str], name: str, shape: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's place (for messages) and object; blank lines at the end are allowed."""
    blank = number = 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            blank = blank or number
            continue
        if blank:
            raise DataError(
                f"{name}, line {blank}: empty; remove it or write an object like {shape}."
            )
        yield f"{name}, line {number}", _object(text, f"{name}, line {number}", shape)
    if number == 0 or blank == 1:
        raise DataError(f"{name}: empty; each line must be an object like {shape}.")


def _object(text: str, place: str, shape: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not JSON; write an object like {shape}.") from error
    if not isinstance(record, dict):
        kind = type(record).__name__
        raise DataError(f"{place}: a JSON {kind}, not an object like {shape}.")
    return record


def _string(record: dict[str, Any], field: str, place: str, shape: str) -> str:
    if field not in record:
        raise DataError(f"{place}: field '{field}' is missing; write an object like {shape}.")
    return _text(record[field], field, place)


def _text(value: object, field: str, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        what = "empty" if isinstance(value, str) else f"{json.dumps(value)[:40]}, not a string"
        raise DataError(f"{place}: field '{field}' is {what}; it must be a non-empty string.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:  # "\ud800" is JSON, but no text
        raise DataError(f"{place}: field '{field}' holds half a surrogate pair.") from error
    return value


def _strings(record: dict[str, Any], field: str, place: str, shape: str) -> list[str]:
    if field not in record:
        raise DataError(f"{place}: field '{field}' is missing; write an object like {shape}.")
    values = record[field]
    if not isinstance(values, list) or not values:
        raise DataError(f"{place}: field '{field}' must be a non-empty list of strings.")
    return [_text(value, field, place) for value in values]


def read_predictions(lines: Iterable[str], name: str, system: str = "") -> pd.DataFrame:
    """Read lines ``{"source", "output", "references": […]}`` into a `records.PREDICTIONS` frame.

    Other fields are ignored. An output may be empty or blank: a system can fail to answer.

    Raises:
        DataError: naming `name`, the line and the field.
    """
    rows: list[tuple[str, str, str, list[str], str]] = []
    for place, record in _objects(lines, name, PREDICTION_FIELDS):
        source = _string(record, "source", place, PREDICTION_FIELDS)
        answer = record.get("output")
        blank = isinstance(answer, str) and not answer.strip()
        output = "" if blank else _string(record, "output", place, PREDICTION_FIELDS)
        references = _strings(record, "references", place, PREDICTION_FIELDS)
        rows.append((system or name, f"{len(rows):06d}", source, references, output))
    # As objects: columns of Arrow's would be a second copy of all texts.
    names = ["system", "item", "source", "references", "output"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def read_pairs(lines: Iterable[str], name: str) -> pd.DataFrame:
    """Read lines ``{"source", "target"}`` into a frame of pairs, one per line.

    Columns: pair_id, source, target, context_id (the line's, if it has one, else its source: pairs
    of one source are not independent), origin = name.

    Raises:
        DataError: naming `name`, the line and the field.
    """
    rows: list[tuple[str, str, str, str]] = []
    for place, record in _objects(lines, name, PAIR_FIELDS):
        source = _string(record, "source", place, PAIR_FIELDS)
        target = _string(record, "target", place, PAIR_FIELDS)
        rows.append((f"{len(rows):06d}", source, target, str(record.get("context_id", source))))
    frame = pd.DataFrame(rows, columns=["pair_id", "source", "target", "context_id"])
    return frame.assign(origin=name)


def stream_pairs(lines: Iterable[str], name: str) -> Iterator[dict[str, Any]]:
    """Lines ``{"source", "target", …}`` one by one, each with all its fields.

    Raises:
        DataError: naming `name`, the line and the field, when that line is reached.
    """
    for place, record in _objects(lines, name, PAIR_FIELDS):
        for field in ("source", "target"):
            _string(record, field, place, PAIR_FIELDS)
        yield record


def read_items(lines: Iterable[str], name: str) -> pd.DataFrame:
    """Read a test set, lines ``{"source"}`` with what else is known of an item.

    Fields that may be there: id (else the line's number), references or targets (a list, perhaps
    empty) or target (one text), domain, exemplar, task.

    Raises:
        DataError: naming `name`, the line and the field.
    """
    rows: list[dict[str, Any]] = []
    for place, record in _objects(lines, name, ITEM_FIELDS):
        source = _string(record, "source", place, ITEM_FIELDS)
        many = next((field for field in ("references", "targets") if record.get(field)), "")
        one = [_string(record, "target", place, ITEM_FIELDS)] if "target" in record else []
        references = _strings(record, many, place, ITEM_FIELDS) if many else one
        known = {f: record[f] for f in ("domain", "exemplar", "task") if record.get(f) is not None}
        label = str(record.get("id", f"{len(rows):06d}"))
        rows.append({"id": label, "source": source, "references": references, **known})
    return pd.DataFrame(rows)


def take(frame: pd.DataFrame, n: int | None, seed: int = 0) -> pd.DataFrame:
    """A seeded sample of n rows in random order (all rows when n is None or there are fewer)."""
    size = len(frame) if n is None else min(n, len(frame))
    order = np.random.default_rng(seed).permutation(len(frame))[:size]
    return frame.iloc[order].reset_index(drop=True)


def available(folder: str | Path, names: Collection[str] = tuple(HUMAN)) -> dict[str, str]:
    """For each human dataset "" if `folder` has it, else the sentence that tells how to get it.

    Args:
        folder: the local data folder; "": none.
        names: keys of `HUMAN` (the default: paraphrases) or `SUMMARIES`.
    """
    found = {name for name in names if folder and _path(folder, name).is_file()}
    return {name: "" if name in found else _missing(folder, name) for name in names}


def _known(name: str) -> HumanSet:
    sets = HUMAN | SUMMARIES | TRAINING
    if name not in sets:
        raise DataError(f"Unknown human dataset {name!r}; known are {', '.join(sets)}.")
    return sets[name]


def _path(folder: str | Path, name: str) -> Path:
    return Path(folder) / _known(name).file


def _missing(folder: str | Path, name: str) -> str:
    known, where = _known(name), f"{folder}/" if str(folder) else "the folder human_data names, as "
    hub = f", or ask for the hub's copy ({known.hub[0]})" if known.hub else ""
    return (
        f"{known.title} is missing: put {known.get} as JSON lines with id, source and target (or "
        f"targets) at {where}{known.file}{hub}."
    )


def _human_rows(name: str, folder: str | Path, hub: bool) -> list[tuple[str, str, list[str]]]:
    """(id, source, targets) of a human dataset; only positives where pairs are labelled."""
    known, path = _known(name), _path(folder, name)
    if hub:
        return _hub_rows(name, known)
    if not path.is_file():
        raise DataError(_missing(folder, name))
    rows: list[tuple[str, str, list[str]]] = []
    for place, record in _objects(read_lines(path), str(path), PAIR_FIELDS):
        if known.positive and record.get("label") != 1:
            continue
        source = _string(record, "source", place, PAIR_FIELDS)
        many = "targets" in record
        targets = (
            _strings(record, "targets", place, PAIR_FIELDS)
            if many
            else [_string(record, "target", place, PAIR_FIELDS)]
        )
        rows.append((str(record.get("id", len(rows))), source, targets))
    return rows


def _hub_rows(name: str, known: HumanSet) -> list[tuple[str, str, list[str]]]:
    if known.hub is None:
        raise DataError(f"{known.title} has no known hub id; {_missing('', name)}")
    import datasets  # the hub's library, needed here only

    repository, configuration, split, source, target = known.hub
    try:
        table = datasets.load_dataset(repository, configuration, split=split)
    except Exception as error:  # the library raises many kinds: no network, no such id, …
        reason = " ".join(str(error).split())
        raise DataError(f"{repository} cannot be loaded from the hub: {reason}") from error
    rows = [row for row in table if not known.positive or row["label"] == 1]
    listed = [[row[target]] if isinstance(row[target], str) else row[target] for row in rows]
    pairs = zip(rows, listed, strict=True)
    return [(f"{name}-{i:06d}", row[source], texts) for i, (row, texts) in enumerate(pairs)]


def human_pairs(
    name: str, folder: str | Path = "", n: int | None = None, seed: int = 0, hub: bool = False
) -> pd.DataFrame:
    """Pairs of a human dataset: one per source, with its first target.

    Args:
        name: a key of `HUMAN` or `SUMMARIES`.
        folder: the local data folder.
        n: how many, drawn by `seed` without replacement; None: all.
        hub: read the hub's copy instead of the folder (needs the network).

    Returns:
        Frame with columns pair_id, source, target, context_id, origin (= name).

    Raises:
        DataError: when the dataset is absent, with the sentence that tells how to get it.
    """
    rows = _human_rows(name, folder, hub)
    frame = pd.DataFrame(
        [(item, source, targets[0], item, name) for item, source, targets in rows],
        columns=["pair_id", "source", "target", "context_id", "origin"],
    )
    return take(frame, n, seed)


def human_items(name: str, folder: str | Path = "", hub: bool = False) -> pd.DataFrame:
    """Columns id, source, references (list of str) of a human dataset.

    Raises:
        DataError: when the dataset is absent, with the sentence that tells how to get it.
    """
    rows = _human_rows(name, folder, hub)
    return pd.DataFrame(rows, columns=["id", "source", "references"])


def human_predictions(
    name: str, folder: str | Path = "", system: str = "Copy-Input", hub: bool = False
) -> pd.DataFrame:
    """A `records.PREDICTIONS` frame of Copy-Input (the output is the source) on a human dataset."""
    rows = _human_rows(name, folder, hub)
    return pd.DataFrame(
        [(system, item, source, targets, source) for item, source, targets in rows],
        columns=["system", "item", "source", "references", "output"],
    )
