"""Folders of models: found by name, fingerprinted, written so that `from_pretrained` opens them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impossible.data.io import write_json
from impossible.data.run_folder import RunFolder, locate_model
from impossible.errors import ModelError
from impossible.models.assets import PREFIX, asset_folder, asset_named, fetch
from impossible.models.hub import cached, download, is_offline, megabytes

if TYPE_CHECKING:
    import torch

_HASHED = (".safetensors", ".json", ".txt", ".model")  # what decides a model's output
_NOTES = ("recipe.json", "metrics.json", "errors.json", "README.md")  # what does not
_WHOLE, _ADAPTER = "config.json", "adapter_config.json"
_BASE = "base_model_name_or_path"


def locate(name: str, run: RunFolder | None = None) -> Path:
    """Folder of a model; a hub id is downloaded (safetensors, configuration, tokenizer only).

    Args:
        name: `in-vitro/NAME` or `english/NAME` (shipped with the package), `pypi:NAME` (fetched
            before), a local folder, or a hub id `owner/name[@revision]`; only the last may use
            the network.
        run: take `in-vitro/NAME` from this run, which has rebuilt it.

    Raises:
        ModelError: nothing of that name, with what was looked for.
    """
    if name.startswith(PREFIX):
        return asset_folder(name)
    folder = locate_model(name, run)
    if folder is not None:
        if any((folder / file).is_file() for file in (_WHOLE, _ADAPTER)):
            return folder
        if name.startswith("english/"):
            raise ModelError(
                f"the model {name!r} is not shipped with this version: name the folder of another."
            )
        if name.startswith("in-vitro/"):
            there = sorted(p.parent.name for p in folder.parent.glob(f"*/{_WHOLE}"))
            raise ModelError(
                f"there is no model {name!r} among {there or 'none'}; "
                "run notebook 01 with rebuild_models=true to build it"
            )
        raise ModelError(f"the folder {name!r} holds no model: it has no {_WHOLE}")
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise ModelError(
            f"there is no model {name!r}: give in-vitro/NAME, an existing folder, "
            "or a hub id owner/name[@revision]"
        )
    return download(name)


def adapter_settings(folder: Path) -> dict[str, Any] | None:
    """What the configuration of a folder's adapter says; None: it holds a whole model.

    Raises:
        ModelError: it is damaged, or names no base.
    """
    file = folder / _ADAPTER
    if not file.is_file():
        return None
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        settings = None
    if not isinstance(settings, dict) or not isinstance(settings.get(_BASE), str):
        raise ModelError(f"{file} is damaged: an adapter's configuration names its {_BASE!r}.")
    return settings


def adapter_base(folder: Path) -> str | None:
    """The name of the model that a folder's adapter belongs to; None: it holds a whole model."""
    base: str | None = (adapter_settings(folder) or {}).get(_BASE)
    below, seen = base, {folder.resolve()}
    while below is not None and (place := locate_model(below)) is not None:
        if place.resolve() in seen:
            raise ModelError(
                f"the adapter in {folder} lies above itself: {_ADAPTER} names {below!r} as base."
            )
        seen.add(place.resolve())
        below = (adapter_settings(place) or {}).get(_BASE)
    return base


def model_below(name: str) -> str:
    """The model that a name stands for, or the one that lies below its adapters."""
    folder = None if name.startswith(PREFIX) else locate_model(name)
    base = adapter_base(folder) if folder else None
    return name if base is None else model_below(base)


def asset_below(name: str) -> str | None:
    """The `pypi:` asset that a model is, or that lies below its adapters; None: there is none."""
    below = model_below(name)
    return below if below.startswith(PREFIX) else None


def hub_id_below(name: str) -> str | None:
    """The hub id that a model is, or that lies below its adapters; None: there is none."""
    below = model_below(name)
    return None if below.startswith(PREFIX) or locate_model(below) else below


def fetch_missing(name: str, say: Callable[[str], None] = print) -> None:
    """Fetch what a model, or the base of an adapter, needs of the package registry.

    Nothing is done for what is present, and nothing where HF_HUB_OFFLINE is 1.
    """
    below = asset_below(name)
    if below is not None and not is_offline() and not asset_named(below).present:
        fetch([below], say=say)


def fetch_hub_id(name: str, say: Callable[[str], None] = print) -> Path:
    """Make a hub id present, also what lies below it if it is an adapter; returns its folder.

    Raises:
        ModelError: it is neither in the cache nor can it be fetched, or has no safetensors.
    """
    known = cached(name)
    folder = known or locate(name)
    require_safetensors(folder, name)
    how = "present" if known else "fetched"
    say(f"{name}: {how} in {folder} ({megabytes(folder)}, licence: see its page)")
    if (base := adapter_base(folder)) and (below := hub_id_below(base)):
        fetch_hub_id(below, say)
    return folder


def require_safetensors(folder: Path, name: str) -> None:
    """Refuse a folder without weights that can be opened."""
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"the model {name!r} has no .safetensors weights; other formats are not opened because "
            "they can run code: convert it first"
        )


def model_digest(folder: Path) -> str:
    """sha256 of weights, configuration and tokenizer in a folder; notes do not count."""
    hasher = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in _HASHED and file.name not in _NOTES and file.is_file():
            hasher.update(file.name.encode())
            with file.open("rb") as stream:
                hasher.update(hashlib.file_digest(stream, "sha256").digest())
    return hasher.hexdigest()


def save_model(
    folder: Path,
    model: Any,
    tokenizer: Any,
    recipe: Mapping[str, Any],
    metrics: Mapping[str, Any],
    dtype: str = "float16",
) -> str:
    """Write a model, or the adapter of a peft model, and return its digest.

    Args:
        folder: made if missing.
        model: left as it is.
        tokenizer: its tokenizer.
        recipe: how it was trained → recipe.json.
        metrics: how good it is → metrics.json.
        dtype: of the stored weights; "float16" halves the size.
    """
    import torch

    from impossible.models.precision import dtype_named

    stored = dtype_named(dtype, torch.device("cpu"))
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        if hasattr(model, "peft_config"):
            half = {name: weight.to(stored) for name, weight in model.state_dict().items()}
            model.save_pretrained(folder, state_dict=half)
        else:
            _save_weights(folder, model, stored)
        tokenizer.save_pretrained(folder)
    write_json(folder / "recipe.json", dict(recipe))
    write_json(folder / "metrics.json", dict(metrics))
    return model_digest(folder)


def _save_weights(folder: Path, model: Any, dtype: torch.dtype) -> None:
    state: dict[str, Any] = {}
    seen: set[int] = set()
    for name, weight in model.state_dict(keep_vars=True).items():
        # a tied weight (output layer = embedding) is stored under its first name only
        if id(weight) not in seen and weight.is_floating_point():
            state[name] = weight.detach().to(dtype)
        seen.add(id(weight))
    kept = model.config.dtype
    model.config.dtype = dtype
    model.save_pretrained(folder, state_dict=state)
    model.config.dtype = kept


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and bars from transformers: what matters is raised as an error."""
    import transformers  # slow to load, and commands ask here what is in a folder

    log: Any = transformers.logging
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()
