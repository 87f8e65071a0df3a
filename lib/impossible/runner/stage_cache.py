"""Whether a notebook need not run: its key, and what it wrote.

A stage's key holds the parameters it names that affect results, its code and that of the modules it
imports, its inputs' bytes and its models. It is skipped only if the ledger says done under the same
key and everything it wrote still has the recorded digest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from impossible.config.params import Params
from impossible.data.digests import digest, module_closure
from impossible.data.run_folder import RunFolder, locate_model, resolve
from impossible.runner.ledger import Ledger
from impossible.runner.notebook_spec import Stage, matches


def notebook_key(stage: Stage, params: Params, run: RunFolder) -> str:
    """Key of a stage as things are now (see the module's text)."""
    values: dict[str, Any] = {}
    for name in (*stage.names, "threads"):  # the kernel's, whether it is named or not
        extra = Params.model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        if extra["affects_results"]:
            values[name] = _identity(name, str(extra["names"]), params, run)
    own = set(_own_files(stage, run))
    read = [path for name in stage.inputs for path in matches(run.root, name) if path not in own]
    inputs = {path.relative_to(run.root).as_posix(): digest(path) for path in read}
    code = [stage.code, module_closure(stage.modules)]
    return digest({"values": values, "inputs": inputs, "code": code})


def _identity(name: str, kind: str, params: Params, run: RunFolder) -> Any:
    """What counts of a parameter: its value, or the bytes that it points to."""
    value = params.model_dump(include={name})[name]
    if kind == "folder":
        return _behind(value)
    if kind == "folders":
        return {key: _behind(path) for key, path in value.items()}
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


def is_done(stage: Stage, key: str, run: RunFolder, ledger: Ledger) -> bool:
    """Whether the ledger's word for this key still holds on the disk."""
    entry = ledger.entry(stage.name)
    same = entry.get("status") == "done" and entry.get("key") == key
    return same and entry.get("outputs") == outputs(stage, run)
