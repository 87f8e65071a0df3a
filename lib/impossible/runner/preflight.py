"""What the command settles before anything runs: the folder of the results, and absent data.

Apart from the runner because nothing here runs, and from `params` because no notebook needs it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from impossible.config.params import Params
from impossible.config.places import project_root, resolve
from impossible.data.digests import digest
from impossible.errors import ParameterError
from impossible.world.documents import DOMAINS

__all__ = ["require_data", "results_folder"]

#: Data made by people. Naming it completes a run and changes none of its settings.
COMPLETING = ("human_data", "ratings")
#: Parameters that name data, and what must lie there. A file that `compare_with` names may be
#: absent: it is shown "if it is there" (params/human.yaml).
DATA = {"human_data": "folder", "ratings": "folder", "given_contexts": "file", "thesaurus": "file"}
LONGEST = 60  # characters of the overrides in a folder's name


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
    folder = project_root() / "results"
    own, trial = Params.load(name), Params.load(name, overrides)
    changed = [each for each in Params.model_fields if _differs(each, own, trial)]
    label = "".join(f"-{each}={_text(trial, each)}" for each in sorted(changed))
    safe = re.sub(r"[^\w.+=-]+", "_", label, flags=re.ASCII)[:LONGEST]
    if safe != label:  # two of these could read the same
        safe += f"-{digest(label)[:8]}"
    return folder / (Path(name).stem + safe)


def _differs(name: str, own: Params, trial: Params) -> bool:
    extra = Params.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    counts = extra["affects_results"] and name not in COMPLETING
    return bool(counts and getattr(own, name) != getattr(trial, name))


def _text(params: Params, name: str) -> str:
    value: Any = params.model_dump(include={name})[name]
    return str(value)


def require_data(params: Params) -> None:
    """Refuse data that is not there, before the first notebook starts.

    Raises:
        ParameterError: a folder or file named by one of `DATA` does not exist, or the unseen
            domain is none of the closed world, which gives its gold pairs.
    """
    if params.unseen_domain not in DOMAINS:
        raise ParameterError(
            f"unseen_domain = {params.unseen_domain!r}: its gold pairs come from the closed world, "
            f"whose domains are {', '.join(DOMAINS)}; choose one of them."
        )
    for name, kind in DATA.items():
        value = getattr(params, name)
        place = resolve(value)
        if value in ("", "in-vitro") or (place.is_dir() if kind == "folder" else place.is_file()):
            continue
        default = getattr(Params.load("base"), name) or "nothing"
        raise ParameterError(
            f"{name} = {value!r}: there is no {kind} {place}; give the path of a {kind}, absolute "
            f"or from {project_root()}, or leave {name} as in base ({default})."
        )
