"""What every stage notebook does first and last.

The tagged cell of a notebook assigns literals to names of `Params` and to `run_folder`; the runner
replaces them by the run's values. `begin` checks them once more (also in Jupyter), `finish` records
the numbers that tests and the report read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.config.params import Declared, Params
from impossible.data.run_folder import RunFolder, digest, read_json, record
from impossible.errors import ParameterError


def begin(names: Mapping[str, Any], notebook: str) -> tuple[RunFolder, Params]:
    """Open the run folder and check the notebook's parameters.

    Args:
        names: the notebook's `globals()` after its tagged cell.
        notebook: its file name without ending, for example `04_pairs`.

    Returns:
        The run folder, and parameters of which those named in the tagged cell can be read.
    """
    if not isinstance(names.get("run_folder"), str):
        raise ParameterError(f"{notebook}: the parameters cell must set run_folder to a text.")
    given = {name: names[name] for name in Params.model_fields if name in names}
    run = RunFolder.open(names["run_folder"])
    (run.scalars / f"{notebook}.json").unlink(missing_ok=True)
    return run, Params.validated(given, notebook).declared(given)


def resolved(params: Params, run: RunFolder) -> pd.DataFrame:
    """The parameters in use: name, default, this run, origin, unit, meaning and paper section."""
    path = run.work / "params.json"
    origins = read_json(path)["origins"] if path.is_file() else {}
    rows = []
    for name, field in Params.model_fields.items():
        if isinstance(params, Declared) and name not in params.names:
            continue
        default = Params.validated({}, "defaults").model_dump()[name]
        value = params.model_dump(include={name})[name]
        origin = "default" if value == default else origins.get(name, "notebook")
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        rows.append(
            {
                "name": name,
                "default": str(default),
                "this run": str(value),
                "origin": origin,
                "unit": extra["unit"],
                "meaning": field.description,
                "paper": extra["section"],
            }
        )
    return pd.DataFrame(rows).set_index("name")


def finish(
    run: RunFolder, notebook: str, files: Sequence[Path] = (), **scalars: Any
) -> pd.DataFrame:
    """Record the notebook's numbers and show what it wrote.

    Args:
        run: the run folder.
        notebook: the notebook's file name without ending.
        files: files and folders that were written.
        scalars: numbers to record, JSON-able.

    Returns:
        A table with the name, kilobytes and digest of each file.
    """
    record(run, notebook, **scalars)
    rows = []
    for path in files:
        parts = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        size = sum(part.stat().st_size for part in parts) / 1024
        name = path.relative_to(run.root).as_posix()
        rows.append({"file": name, "kB": round(size, 1), "sha256": digest(path)[:12]})
    return pd.DataFrame(rows, columns=["file", "kB", "sha256"])
