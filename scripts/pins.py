"""Check that the running Python satisfies the pins of a pyproject.toml; standard library only.

Usage: pins.py PYPROJECT [EXTRA]. Exit status 0 if all hold, else 1 and the first that does not.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata


def first_unmet(project: dict[str, object], extra: str) -> str:
    """The first pin that does not hold, in words; empty if all do."""
    extras = project.get("optional-dependencies", {})
    pins = [*project["dependencies"], *(extras.get(extra, []))]  # type: ignore
    for pin in pins:
        match = re.fullmatch(r"([\w.-]+)==([\w.]+)", pin)
        if match is None:
            return f"{pin} is not an exact pin"
        name, wanted = match.groups()
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            return f"it lacks {pin}"
        if found.partition("+")[0] != wanted:  # a local label such as +cpu does not count
            return f"it has {name} {found}, and {wanted} is pinned"
    return ""


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        project = tomllib.load(file)["project"]
    unmet = first_unmet(project, sys.argv[2] if len(sys.argv) > 2 else "")
    if unmet:
        print(unmet, file=sys.stderr)
        sys.exit(1)
