"""What is settled before a notebook starts: its results folder, absent data, what it is given."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from impossible.config.params import MACHINE, MACHINE_VARIABLE, Params
from impossible.config.places import project_root, resolve
from impossible.config.plugins import SHORT
from impossible.data.digests import digest
from impossible.data.human_datasets import HUB
from impossible.data.ray_executor import require_ray
from impossible.data.run_folder import RunFolder, locate_model
from impossible.errors import ParameterError, nearest
from impossible.evaluation.test_sets import HELD_OUT, NAMED
from impossible.filtering.constituency_parser import PARSERS
from impossible.models.assets import PREFIX, asset_named
from impossible.models.hub import cached

LONGEST_NAME = 60  # characters of the overrides in a folder's name
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE", "TRANSFORMERS_OFFLINE")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def results_folder(name: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Path:
    """Where a run's results go if the user names no folder: `results/<name>`.

    Overrides that change results get a folder of their own, called after them, so that a trial
    never mixes with what the params file itself gives. One that repeats the file's value, changes
    no result (`workers`) or names data made by people (`human_data`) changes no folder.

    Args:
        name: name or path of a params file.
        overrides: texts `name=value`, or values by name.

    >>> results_folder("smoke", ["seed=1", "k=50", "workers=1"]).name
    'smoke-k=50-seed=1'
    """
    own, trial = Params.load(name), Params.load(name, overrides)
    label = ""
    for each in sorted(Params.model_fields):
        about, value = Params.about(each), trial.plain(each)
        counts = about["affects_results"] and about["names"] != "folder"
        if counts and value != own.plain(each):
            label += f"-{each}={value}"
    safe = re.sub(r"[^\w.+=-]+", "_", label, flags=re.ASCII)[:LONGEST_NAME]
    if safe != label:  # two of these could read the same
        safe += f"-{digest(label)[:8]}"
    return project_root() / "results" / (Path(name).stem + safe)


def require_data(params: Params) -> None:
    """Refuse data that is not there, before the first notebook starts.

    Raises:
        ParameterError: a folder, file, model, judge, parser or test set that a parameter names does
            not exist, or the closed world is a test set and has no such unseen domain.
    """
    _require_names(params)
    _require_models(params)
    if "world" in params.plain("test_sets"):
        _require_unseen_domain(params.unseen_domain)
    for kind, is_there in (("folder", Path.is_dir), ("file", Path.is_file)):
        for name, (value,) in params.naming(kind).items():
            place = resolve(value)
            elsewhere = ("", "in-vitro", *([HUB] if name == "human_data" else []))
            if value not in elsewhere and not is_there(place):
                raise ParameterError(
                    f"{name} = {value!r}: there is no {kind} {place}; give the path of a {kind}, "
                    f"absolute or from {project_root()}, or leave {name} as in base "
                    f"({Params.load('base').plain(name) or 'nothing'})."
                )


def require_executor(params: Params) -> None:
    """Refuse an executor that is not installed or does not answer; see `ray_executor`."""
    if params.plain("executor") == "ray":
        require_ray(params.plain("ray_address"))


def require_readable(folder: Path) -> None:
    """Refuse a folder whose name this Python cannot read: a notebook could not be told it."""
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as bad:
        raise ParameterError(
            f"The name of the results folder {folder} is not in this terminal's encoding "
            f"({sys.getfilesystemencoding()}): set PYTHONUTF8=1, or give another with --results."
        ) from bad


def _require_names(params: Params) -> None:
    """Refuse a judge, parser or test set that no stage would find, but for `module:attribute`."""
    known = {
        "judge": [*SHORT["judge"], "referee", "people", "none"],
        "parser": [*PARSERS],
        "test_sets": [*NAMED, *SHORT["test set"], HELD_OUT],
    }
    for parameter, names in known.items():
        value = params.plain(parameter)
        for name in [value] if isinstance(value, str) else value:
            if name not in names and ":" not in name and not resolve(name).is_file():
                raise ParameterError(
                    f"{parameter}: there is no {name!r}{nearest(name, names)}: give "
                    f"{', '.join(names)} or `module:attribute`."
                )


def _require_unseen_domain(name: str) -> None:
    """Refuse a domain of which the closed world could give no gold pairs."""
    from impossible.world.documents import DOMAINS  # no other run needs the closed world

    if name not in DOMAINS:
        raise ParameterError(
            f"unseen_domain = {name!r}: its gold pairs come from the closed world, "
            f"whose domains are {', '.join(DOMAINS)}; choose one of them."
        )


def _require_models(params: Params) -> None:
    """Refuse a model that is no folder and looks like no name of one; hubs are not asked."""
    for parameter, names in params.naming("model").items():
        for name in set(names) - {"", "none"}:
            if name.startswith(PREFIX):
                asset_named(name)
                continue
            folder = locate_model(name)
            if folder is None:
                there = name.count("/") == 1 and not name.startswith((".", "/", "~"))
            else:
                made = name.startswith("in-vitro/") and params.plain("rebuild_models")
                there = made or folder.is_dir()
            if not there:
                raise ParameterError(
                    f"{parameter} = {name!r}: there is no such model: give in-vitro/NAME, "
                    f"{PREFIX}NAME, an existing folder, or a hub id owner/name[@revision]."
                )


def portable(params: Params) -> Params:
    """The same parameters with folders and files named from the checkout.

    What a run leaves behind then names no folder of this machine, and reads the same elsewhere:
    `/home/me/shared/data` beside the checkout becomes `../shared/data`.
    """

    def moved(value: Any, kind: str) -> Any:
        if isinstance(value, dict):
            return {key: moved(each, kind) for key, each in value.items()}
        if isinstance(value, list):
            return [moved(each, kind) for each in value]
        is_model = kind == "model" and not Path(value).exists()
        return value if is_model else from_checkout(value)

    kinds = {name: Params.about(name)["names"] for name in Params.model_fields}
    named = {name: kind for name, kind in kinds.items() if kind != "value"}
    return params.fixed(**{name: moved(params.plain(name), k) for name, k in named.items()})


def from_checkout(name: str) -> str:
    """An absolute path as one from the checkout; other names, such as hub ids, as they are."""
    path = Path(name).expanduser()
    return Path(os.path.relpath(path, project_root())).as_posix() if path.is_absolute() else name


def cell_values(params: Params, results: Path) -> dict[str, Any]:
    """What the runner puts into the tagged cell of a notebook.

    Overrides are all values that differ from the params file's, but for those of `MACHINE`.
    """
    theirs = Params.load(params.config)
    values = {name: params.plain(name) for name in Params.model_fields if name not in MACHINE}
    differing = {name: value for name, value in values.items() if value != theirs.plain(name)}
    folder = Path(os.path.relpath(results, project_root())).as_posix()
    return {"config": from_checkout(params.config), "overrides": differing, "results": folder}


def kernel_environment(params: Params, run: RunFolder) -> dict[str, str]:
    """Variables of every kernel of a run."""
    # Advice of transformers (about padding that we do not use, say) is no part of a result.
    values = {"TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error"}
    values[MACHINE_VARIABLE] = json.dumps({name: params.plain(name) for name in MACHINE})
    if params.threads:
        values |= dict.fromkeys(THREADS, str(params.threads))
    return values if needs_hub(params, run) else values | dict.fromkeys(OFFLINE, "1")


def needs_hub(params: Params, run: RunFolder) -> bool:
    """Whether a model is in no folder and no cache, or human data are to come from the hub."""
    rebuilt = run if params.rebuild_models else None
    names = {name for several in params.naming("model").values() for name in several} - {"none"}
    absent = (
        locate_model(name, rebuilt) is None and cached(name) is None
        for name in names
        if not name.startswith(PREFIX)
    )
    return params.plain("human_data") == HUB or any(absent)
