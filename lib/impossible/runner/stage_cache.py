"""Whether a notebook need not run: its key, and what it wrote.

A stage's key holds the parameters that it was seen to read and that affect results, its models, its
inputs' bytes, its own code and the package's. It is skipped only if the ledger says done under the
same key and everything it wrote still has the recorded digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from impossible.config.params import Params
from impossible.config.places import resolve
from impossible.data.digests import digest, package_digest
from impossible.data.run_folder import RunFolder, locate_model
from impossible.runner.ledger import Ledger
from impossible.runner.notebook_spec import Stage, matches


def reads_file(run: RunFolder, name: str) -> Path:
    """Where a notebook notes which parameters it read."""
    return run.work / "reads" / f"{name}.json"


def stage_key(stage: Stage, params: Params, run: RunFolder, read: Iterable[str]) -> str:
    """Key of a stage as things are now (see the module's text).

    Args:
        stage, params, run: the notebook, the run's parameters and its folder.
        read: the parameters that it was seen to read.
    """
    values: dict[str, Any] = {}
    for name in sorted({*read, "threads"}):  # the kernel's, whether it is read or not
        extra = Params.model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        if extra["affects_results"]:
            values[name] = _identity(name, str(extra["names"]), params, run)
    own = set(_own_files(stage, run))
    found = [path for name in stage.inputs for path in matches(run.root, name) if path not in own]
    inputs = {path.relative_to(run.root).as_posix(): digest(path) for path in found}
    return digest({"values": values, "inputs": inputs, "code": [stage.code, package_digest()]})


def _identity(name: str, kind: str, params: Params, run: RunFolder) -> Any:
    """What counts of a parameter: its value, or the bytes that it points to."""
    value = params.model_dump(include={name})[name]
    if kind == "folder":
        return _behind(value)
    if kind == "folders":
        pairs = value.items() if isinstance(value, dict) else zip(value, value, strict=True)
        return {key: _behind(path) for key, path in pairs}
    if kind == "models":
        return {key: _of_model(name, params, run) for key, name in value.items()}
    return _of_model(value, params, run) if kind == "model" else value


def _behind(path: str) -> str:
    """The bytes of a file or folder; its name if there is none."""
    return digest(resolve(path)) if path and resolve(path).exists() else path


def _of_model(name: str, params: Params, run: RunFolder) -> Any:
    """The bytes of a model, or its name where it lies on a hub; None if a rebuild is to come."""
    path = locate_model(name, run if params.rebuild_models else None)
    return name if path is None else digest(path) if path.exists() else None


def _own_files(stage: Stage, run: RunFolder) -> list[Path]:
    return [path for name in stage.writes for path in matches(run.root, name)]


def outputs(stage: Stage, run: RunFolder) -> dict[str, str]:
    """Digest of everything that the stage wrote."""
    return {path.relative_to(run.root).as_posix(): digest(path) for path in _own_files(stage, run)}


def is_done(stage: Stage, params: Params, run: RunFolder, ledger: Ledger) -> bool:
    """Whether the ledger says done under the key as it is now, and its outputs are unchanged."""
    entry = ledger.entry(stage.name)
    if entry.get("status") != "done" or not Params.model_fields.keys() >= set(entry["read"]):
        return False
    same = entry["key"] == stage_key(stage, params, run, entry["read"])
    return bool(same and entry["outputs"] == outputs(stage, run))
