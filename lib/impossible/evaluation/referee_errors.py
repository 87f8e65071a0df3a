"""How often the referee errs: its verdicts on pairs that people have labelled.

Counts ship beside a referee (`errors.json`, no texts); those of another model are measured where
the human datasets are, once for a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from impossible.data.human_datasets import human_folder, take
from impossible.data.io import read_json, write_json
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.evaluation.bootstrap import Floats
from impossible.evaluation.corrected_rates import ErrorRates
from impossible.models.model_files import locate

FILE = "errors.json"  # beside the weights
#: What is asked → file in the folder of the human datasets → fields (x, y) and the label for yes.
LABELLED: dict[str, dict[str, tuple[str, str, object]]] = {
    "equivalence": {
        "mrpc/train.jsonl": ("source", "target", 1),
        "pawsx_en/dev.jsonl": ("source", "target", 1),
    },
    "entailment": {
        "snli/test.jsonl": ("premise", "hypothesis", "entailment"),
        "mnli_dev/dev_mismatched.jsonl": ("premise", "hypothesis", "entailment"),
    },
}
Counts = dict[str, list[ErrorRates]]


class Judging(Protocol):
    """What is measured: verdicts 1, 0 or NaN, as a `judges.Judge` gives them."""

    def entails(self, xs: list[str], ys: list[str]) -> Floats: ...

    def equivalent(self, xs: list[str], ys: list[str]) -> Floats: ...


def known_errors(
    judge: Judging, name: str, digest: str, params: Any, run: RunFolder | None = None
) -> Mapping[str, ErrorRates]:
    """Error rates of a referee, pooled over its sets; nothing where nobody has measured them.

    Args:
        judge: the referee.
        name: of its model, whose folder may hold `errors.json`.
        digest: of its weights; counts of other weights are passed over.
        params: human_data, human_n and seed, where they must be measured.
        run: keeps what was measured, in `work/`.
    """
    places = [locate(name, run) / FILE, *([run.work / f"referee-{FILE}"] if run else [])]
    for place in places:
        if counts := _stored(place, digest):
            return _pooled(counts)
    counts = measured_errors(judge, human_folder(params), params.human_n, params.seed)
    if run and counts:
        _write(places[-1], digest, counts)
    return _pooled(counts)


def ship_errors(judge: Judging, name: str, digest: str, folder: str | Path) -> Counts:
    """Measure a referee on every labelled pair, and write `errors.json` beside it."""
    counts = measured_errors(judge, folder)
    _write(locate(name) / FILE, digest, counts)
    return counts


def measured_errors(
    judge: Judging, folder: str | Path, n: int | None = None, seed: int = 0
) -> Counts:
    """Verdicts on labelled pairs, counted for each set that the folder has.

    Args:
        judge: the referee.
        folder: of the human datasets; "": none.
        n: pairs of each set, drawn by `seed`; None: all.

    Returns:
        "equivalence" and "entailment" → counts of each set; without a set, not there.
    """
    found: Counts = {}
    for asks, sets in LABELLED.items():
        decide = judge.equivalent if asks == "equivalence" else judge.entails
        for file, (x, y, yes) in sets.items():
            if folder and (path := Path(folder) / file).is_file():
                pairs = take(_labelled(path, [x, y, "label"]), n, seed)
                said, true = decide(list(pairs[x]), list(pairs[y])), pairs["label"] == yes
                found.setdefault(asks, []).append(ErrorRates.counted(said, true, file))
    return found


def _labelled(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return pd.read_json(path, lines=True, dtype=False)[columns]
    except (ValueError, KeyError) as error:
        fields = ", ".join(columns)
        raise DataError(f"{path} is no JSON lines file with the fields {fields}.") from error


def _pooled(counts: Counts) -> dict[str, ErrorRates]:
    return {asks: ErrorRates.pooled(parts) for asks, parts in counts.items()}


def _stored(path: Path, digest: str) -> Counts:
    """Counts of a file; none if it is not there, or of other weights."""
    content = read_json(path) if path.is_file() else {}
    if content.pop("model", None) != digest:
        return {}
    return {asks: [ErrorRates(**part) for part in parts] for asks, parts in content.items()}


def _write(path: Path, digest: str, counts: Counts) -> None:
    content = {asks: [vars(part) for part in parts] for asks, parts in counts.items()}
    write_json(path, {"model": digest, **content})
