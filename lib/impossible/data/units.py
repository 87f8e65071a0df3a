"""Long work in fixed units: kept on disk, resumed after an interruption, shared by many workers.

A unit is the smallest piece that is computed at once: the samples of one context, the pairs of one
context, one shard of inputs. What it gives depends on its own payload, on the parameters and models
that its function is seen to read, and on the package's code; never on what runs beside it. A part
is written once, atomically, under a name made of all these and of its content; so it is reused if
and only if they are the same and it is not damaged, and many workers may write to one folder.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from impossible.config.params import Params
from impossible.data.digests import digest, package_digest
from impossible.data.executors import Executor, executor_for
from impossible.data.identity import identities
from impossible.data.io import read_table, write_frame
from impossible.data.progress import bar
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError


@dataclass(frozen=True)
class Unit:
    """A piece of work.

    Attributes:
        id: unique among the units of one call, for example a context's id.
        payload: what it works on, JSON-able: texts, a temperature, the name of a random stream.
    """

    id: str
    payload: Any = None


#: Rows, and the funnel of what was left out; either may be empty.
Scored = tuple[pd.DataFrame, pd.DataFrame]

#: (unit, params, models) → rows and funnel: a function of a module, so that it can be sent to
#: another process. Random numbers come from `item_rng` or `unit_seed`.
Function = Callable[[Unit, Params, Any], Scored]


@dataclass(frozen=True)
class Task:
    """A unit with all that a worker needs to compute it; can be pickled if its models can.

    Attributes:
        models: given to the function: `stage.models`, whose reading is noted, or what is loaded
            already (a model, or several in a tuple or dictionary), of which the fingerprint counts.
        schema: of the rows.
    """

    function: Function
    unit: Unit
    params: Params
    run: RunFolder
    folder: Path
    schema: pa.Schema
    models: Any

    def compute(self) -> Path:
        """Compute the unit and write its part."""
        params = self.params.view()
        frame, funnel = self.function(self.unit, params, _using(self.models, params))
        notes = {"read": sorted(params.read), "funnel": funnel.to_dict("list")}
        metadata = {name: json.dumps(value) for name, value in notes.items()}
        name = self.name(params.read)
        part = write_frame(self.folder / f"{name}.new", frame, self.schema, metadata)
        return part.replace(self.folder / f"{name}-{digest(part)[:16]}.parquet")

    def name(self, read: frozenset[str]) -> str:
        """What the part is called if these are read, as things are now, but for its content."""
        values = identities(read, self.params, self.run)
        given = fingerprint(self.models)
        work = f"{self.function.__module__}.{self.function.__qualname__}"
        key = digest([work, values, given, digest(self.unit.payload), package_digest()])
        return f"{self.prefix}-{key[:24]}"

    @property
    def prefix(self) -> str:
        """What the names of all its parts begin with, whatever was read."""
        return digest(self.unit.id)[:16]

    def known(self, parts: Sequence[Path]) -> Path | None:
        """The one of these parts, which earlier runs wrote, that is what would be computed now."""
        for path in parts:
            name, _, content = path.stem.rpartition("-")
            if digest(path)[:16] != content:
                path.unlink(missing_ok=True)  # damaged: it is computed anew
            elif self.name(frozenset(json.loads(pq.read_metadata(path).metadata[b"read"]))) == name:
                return path
        return None


def fingerprint(thing: Any) -> Any:
    """What results depend on of something given to a function: JSON-able.

    >>> fingerprint((len, None))
    ['builtins.len', None]
    """
    if thing is None or hasattr(thing, "fingerprint"):
        return thing and thing.fingerprint
    if isinstance(thing, dict):
        return {name: fingerprint(each) for name, each in thing.items()}
    if isinstance(thing, tuple | list):
        return [fingerprint(each) for each in thing]
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"


def _using(thing: Any, params: Params) -> Any:
    """Models that note what is read of these parameters, also those in a tuple."""
    if isinstance(thing, tuple):
        return tuple(_using(each, params) for each in thing)
    return thing.using(params) if hasattr(thing, "using") else thing


def map_units(
    function: Function,
    units: Sequence[Unit],
    params: Params,
    run: RunFolder,
    name: str,
    schema: pa.Schema,
    models: Any = None,
    executor: Executor | None = None,
) -> Scored:
    """Rows and funnel of all units, computing only what no earlier run has written.

    Args:
        function: see `Function`.
        units: their ids are unique.
        params: what the function reads of them is noted as read by the caller too.
        run: parts are kept in its `work/NAME`.
        name: of the work; also shown beside the progress bar.
        schema: of the rows.
        models: handed to the function, see `Task`.
        executor: where to compute; default `executor_for` the run's parameters.

    Returns:
        The rows, and the funnels, of the units in their order.

    Raises:
        DataError: two units have one id.
    """
    if len({unit.id for unit in units}) < len(units):
        raise DataError(f"{name}: units have the id of another unit; give each its own.")
    folder = run.work / name
    written: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.parquet")):
        written[path.name.partition("-")[0]].append(path)
    tasks = [Task(function, unit, params, run, folder, schema, models) for unit in units]
    done: dict[str, Path | None]
    done = {task.prefix: task.known(written[task.prefix]) for task in tasks}
    waiting = [task for task in tasks if done[task.prefix] is None]
    with bar(total=len(tasks), initial=len(tasks) - len(waiting), desc=name) as progress:
        executor = executor or executor_for(params, len(waiting))
        for path in executor.run(waiting):
            done[path.name.partition("-")[0]] = path
            progress.update()
    kept = [part for part in done.values() if part is not None]
    for prefix in done:  # what they replace is of no use any more
        for old in set(written[prefix]) - set(kept):
            old.unlink(missing_ok=True)
    return _collected(kept, params, schema)


def _collected(paths: Sequence[Path], params: Params, schema: pa.Schema) -> Scored:
    """What parts hold, one after the other; what they read is noted."""
    tables, funnels = [schema.empty_table()], []
    for path in paths:
        table = read_table(path, schema)
        notes = table.schema.metadata
        params.note(json.loads(notes[b"read"]))
        funnels.append(pd.DataFrame(json.loads(notes[b"funnel"])))
        tables.append(table.replace_schema_metadata(schema.metadata))
    rows: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return rows, pd.concat(funnels, ignore_index=True) if funnels else pd.DataFrame()
