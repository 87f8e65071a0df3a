"""Places in a results folder, where models lie, random numbers of items, recorded numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from impossible.config.places import PACKAGE, resolve
from impossible.data.io import read_object, write_json
from impossible.errors import RunError


@dataclass(frozen=True)
class RunFolder:
    """Places in `results/<run>/`. Use `RunFolder.open` to create them.

    >>> RunFolder(Path("results/smoke")).data("contexts").as_posix()
    'results/smoke/data/contexts.parquet'
    """

    root: Path

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """The run folder at `path` (relative: from the checkout), with its subfolders made."""
        run = cls(resolve(path))
        try:
            for folder in (run.root / "data", run.figures, run.tables, run.models, run.work):
                folder.mkdir(parents=True, exist_ok=True)
            run.notebooks.mkdir(exist_ok=True)
            run.scalars.mkdir(exist_ok=True)
        except OSError as bad:
            raise RunError(
                f"Cannot make the results folder {run.root}: {bad.strerror}. Give a writable one."
            ) from bad
        return run

    def data(self, name: str) -> Path:
        """File of the records called `name`."""
        return self.root / "data" / f"{name}.parquet"

    @property
    def figures(self) -> Path:
        """Figures and their captions."""
        return self.root / "figures"

    @property
    def tables(self) -> Path:
        """Tables and their captions."""
        return self.root / "tables"

    @property
    def rating(self) -> Path:
        """Forms for raters and, apart from them, the key that says who wrote what."""
        return self.root / "rating"

    @property
    def models(self) -> Path:
        """Models made by this run, each a folder for `from_pretrained`."""
        return self.root / "models"

    @property
    def work(self) -> Path:
        """Parts of long work, checkpoints, ledger: needed to go on, not to read the results."""
        return self.root / "work"

    @property
    def notebooks(self) -> Path:
        """Completely executed notebooks."""
        return self.root / "notebooks"

    @property
    def scalars(self) -> Path:
        """Recorded numbers, one JSON file per notebook."""
        return self.root / "scalars"

    @property
    def seeds(self) -> Path:
        """Further seeds of this run, each a folder named by its seed and laid out like this one."""
        return self.root / "seeds"


def locate_model(name: str, run: RunFolder | None = None) -> Path | None:
    """Folder of a model, or None when the name is a hub id.

    Args:
        name: `in-vitro/NAME`, `english/NAME`, a local folder, or a hub id `owner/name[@revision]`.
        run: take `in-vitro/NAME` from this run, which has rebuilt it, not from the package.
    """
    if name.startswith("in-vitro/"):
        short = name.removeprefix("in-vitro/")
        return (PACKAGE / "world" / "models" if run is None else run.models) / short
    if name.startswith("english/"):
        return PACKAGE / "english" / name.removeprefix("english/")
    folder = resolve(name)
    return folder if folder.is_dir() else None


def item_rng(seed: int, stage: str, item: str, index: int = 0) -> np.random.Generator:
    """Random numbers that belong to one item, whatever ran before it or beside it.

    Args:
        seed: the run's seed.
        stage: name of the step, so that two steps never share numbers.
        item: the item's id.
        index: number of the sample within the item.

    Returns:
        A counter-based (Philox) generator keyed by the SHA-256 of the four.
    """
    name = json.dumps([seed, stage, item, index]).encode()
    key = int.from_bytes(hashlib.sha256(name).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key))


def unit_seed(seed: int, stage: str, unit: str) -> int:
    """The seed of a unit of work, such as one shard of inputs; see `item_rng`."""
    return int(item_rng(seed, stage, unit).integers(2**63))


def record(run: RunFolder, notebook: str, **scalars: Any) -> None:
    """Add numbers to `scalars/<notebook>.json`: what tests and the report read of a notebook.

    Args:
        run: the run.
        notebook: the notebook's file name without ending, for example `04_pairs`.
        scalars: JSON-able values; an `Interval`-like tuple becomes a list.
    """
    path = run.scalars / f"{notebook}.json"
    known = read_object(path) if path.is_file() else {}
    write_json(path, {**known, **scalars})


def scalars(run: RunFolder, notebooks: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
    """Recorded numbers of a run, per notebook: of all, or of those named as far as they ran."""
    paths = sorted(run.scalars.glob("*.json"))
    return {
        path.stem: read_object(path)
        for path in paths
        if notebooks is None or path.stem in notebooks
    }
