"""What counts of what was read: values of parameters, and the bytes of what they name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from impossible.config.params import Params
from impossible.config.places import resolve
from impossible.data.digests import digest
from impossible.data.run_folder import RunFolder, locate_model

OWN_MODEL = "models/"  # what a name begins with that is no parameter but a model of this run


def identities(read: Iterable[str], params: Params, run: RunFolder) -> dict[str, Any]:
    """Of each name that was read, what results depend on; equal values promise equal results.

    Args:
        read: names of parameters, or `models/NAME` for models that this run has made. Parameters
            that affect no result are left out.
        params: their values.
        run: where the run's models are.
    """
    found: dict[str, Any] = {}
    for name in sorted(read):
        if name.startswith(OWN_MODEL):
            found[name] = _behind(str(run.root / name))
            continue
        about = Params.about(name)
        if about["affects_results"]:
            found[name] = _of_value(params.plain(name), about["names"], params, run)
    return found


def _of_value(value: Any, kind: str, params: Params, run: RunFolder) -> Any:
    if isinstance(value, dict) and kind != "value":
        return {key: _of_value(each, kind, params, run) for key, each in value.items()}
    if isinstance(value, list) and kind != "value":
        return [_of_value(each, kind, params, run) for each in value]
    if kind == "value":
        return value
    return _of_model(value, params, run) if kind == "model" else _behind(value)


def _behind(path: str) -> str:
    """The bytes of a file or folder; its name if there is none."""
    return digest(resolve(path)) if path and resolve(path).exists() else path


def _of_model(name: str, params: Params, run: RunFolder) -> Any:
    """The bytes of a model, or its name where it lies on a hub; None if a rebuild is to come."""
    rebuilt = run if params.plain("rebuild_models") else None
    path = locate_model(name, rebuilt) if name else None
    return name if path is None else digest(path) if path.exists() else None
