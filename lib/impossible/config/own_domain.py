"""A domain of a user's own text, in a short YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from impossible.config.fields import Domain
from impossible.config.params import BASE, Params
from impossible.config.yaml_files import read_yaml
from impossible.errors import ParameterError


def read_domain(path: Path) -> dict[str, Any]:
    """One of the values of the parameter `domains`, which checks it; named as the file if unnamed.

    Args:
        path: lines `prefixes: […]`, `banned: […]`, `refused: […]`, `name: …`, each of which may be
            left out; see `fields.Domain`.

    Raises:
        ParameterError: no such lines, an unknown one, or a value of another kind.

    Example:
        `Params.load("english", {"domains": [read_domain(Path("abstracts.yaml"))]})`
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ParameterError(
            f"{path} describes no domain: give a line such as `prefixes: ['Abstract:']`; known are "
            f"{', '.join(Domain.model_fields)}."
        )
    domain = {"name": path.stem, **content}
    Params.validated({**Params.load(BASE).model_dump(), "domains": [domain]}, str(path))
    return domain
