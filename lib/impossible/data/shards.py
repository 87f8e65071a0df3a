"""Long work in pieces that survive interruption: shards on disk and the loop that fills them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from impossible.data.io import read_table, write_frame
from impossible.data.progress import bar
from impossible.data.schemas import item_column
from impossible.errors import DataError

T = TypeVar("T")


class Shards:
    """Append-only part files of one piece of work, each written atomically.

    Every part carries the key of the work and the ids of the items it finished (also those without
    a row). Opened with another key, the folder is started afresh. An unreadable last part is the
    trace of a crash: it is dropped and redone. An unreadable earlier part is an error.

    Args:
        folder: a folder of its own, below `RunFolder.work`.
        key: from `stage_key`; equal keys promise equal results.
        schema: from `records`; its item column names the items.
    """

    def __init__(self, folder: Path, key: str, schema: pa.Schema) -> None:
        self.folder, self.key, self.schema = folder, key, schema
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink()
        self._items: dict[Path, list[str]] = {}
        self._load()

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("part-*.parquet"))

    def _load(self) -> None:
        paths = self._paths()
        for path in paths:
            try:
                metadata = read_table(path, self.schema).schema.metadata or {}
                key, items = metadata[b"key"].decode(), json.loads(metadata[b"items"])
            except (DataError, KeyError, ValueError) as bad:
                if path != paths[-1]:
                    raise DataError(
                        f"The shard {path} is damaged and others follow it: delete the folder "
                        f"{self.folder} to compute it again."
                    ) from bad
                path.unlink()
                continue
            if key != self.key:
                self.clear()
                return
            self._items[path] = items

    def clear(self) -> None:
        """Delete all parts."""
        for path in self._paths():
            path.unlink()
        self._items = {}

    def done(self) -> set[str]:
        """Ids of the items that are finished."""
        return {item for items in self._items.values() for item in items}

    def append(self, frame: pd.DataFrame, items: Sequence[str]) -> None:
        """Add the rows of finished `items` as one more part; an item may have no row."""
        strangers = set(frame[item_column(self.schema)]) - set(items) if len(frame) else set()
        if strangers:
            raise DataError(
                f"Rows for {self.folder.name} name other items: {sorted(strangers)[:3]}"
            )
        path = self.folder / f"part-{len(self._items):06d}.parquet"
        write_frame(path, frame, self.schema, {"key": self.key, "items": json.dumps(list(items))})
        self._items[path] = list(items)

    def read(self) -> pa.Table:
        """All rows, part after part."""
        parts = [read_table(path, self.schema) for path in self._items]
        plain = [part.replace_schema_metadata(self.schema.metadata) for part in parts]
        return pa.concat_tables(plain) if plain else self.schema.empty_table()


def map_items(
    items: Sequence[T],
    item_id: Callable[[T], str],
    compute: Callable[[list[T]], pd.DataFrame],
    shards: Shards,
    chunk_size: int,
    label: str,
) -> pd.DataFrame:
    """Compute rows for items in chunks, skipping what earlier runs finished.

    Args:
        items: what to work on; ids must be unique.
        item_id: id of an item, equal to the item column of its rows.
        compute: rows for a list of items; random numbers must come from `item_rng`, so that rows
            do not depend on which items share a chunk.
        shards: where finished chunks are kept.
        chunk_size: items per chunk, at least 1; no effect on the result.
        label: text of the progress bar.

    Returns:
        The rows in the order of `items`; the same for any chunk size and any interruption.
    """
    ids = [item_id(item) for item in items]
    if len(set(ids)) < len(ids):
        raise DataError(f"{label}: {len(ids) - len(set(ids))} items have an id of another item.")
    done = shards.done()
    waiting = [item for item, name in zip(items, ids, strict=True) if name not in done]
    with bar(total=len(ids), initial=len(ids) - len(waiting), desc=label) as progress:
        for start in range(0, len(waiting), max(1, chunk_size)):
            chunk = waiting[start : start + max(1, chunk_size)]
            shards.append(compute(chunk), [item_id(item) for item in chunk])
            progress.update(len(chunk))
    return _ordered(shards, ids)


def _ordered(shards: Shards, ids: Sequence[str]) -> pd.DataFrame:
    """Rows of the shards that belong to `ids`, in the order of `ids`, stable within an item."""
    position = {name: index for index, name in enumerate(ids)}
    table = shards.read()
    names = table.column(item_column(shards.schema)).to_pylist()
    places = np.array([position.get(name, -1) for name in names], dtype=np.int64)
    order = np.argsort(places, kind="stable")
    frame: pd.DataFrame = table.take(order[places[order] >= 0]).to_pandas()
    return frame
