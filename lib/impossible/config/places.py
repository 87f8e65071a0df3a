"""Where the package and the checkout are, from which relative paths in parameters are meant."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeGuard

from impossible.errors import RunError

PACKAGE = Path(__file__).resolve().parents[1]
ROOT_VARIABLE = "IMPOSSIBLE_ROOT"


def project_root() -> Path:
    """The checkout: the nearest folder upwards with `notebooks/` and `params/`, else the package's.

    So a notebook finds the same files in Jupyter (started anywhere) and under the runner.
    `IMPOSSIBLE_ROOT` (set by `run_all.sh`, which may be called from elsewhere) goes before.
    """
    if given := os.environ.get(ROOT_VARIABLE):
        if (Path(given) / "params").is_dir():
            return Path(given)
        raise RunError(
            f"{ROOT_VARIABLE} is {given!r}, which holds no params/: give a checkout or unset it."
        )
    here = Path.cwd()
    for folder in (here, *here.parents, PACKAGE.parents[1]):
        if (folder / "notebooks").is_dir() and (folder / "params").is_dir():
            return folder
    raise RunError(
        f"No folder with notebooks/ and params/ at or above {here}: start inside a checkout."
    )


def resolve(path: str | Path) -> Path:
    """An absolute path as it is, a relative one from the checkout."""
    given = Path(path).expanduser()
    return given if given.is_absolute() else Path(os.path.normpath(project_root() / given))


def is_url(place: str | None) -> TypeGuard[str]:
    """Whether a results folder is named by a URL.

    >>> is_url("s3://bucket/english"), is_url("results/english"), is_url(None)
    (True, False, False)
    """
    return place is not None and "://" in place
