"""What a params file names and the pipeline does not know: found late, by `module:attribute`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from impossible.errors import ParameterError

__all__ = ["load"]


def load(name: str) -> Any:
    """The attribute of a module, for example `impossible.world.trees:GrammarParser`.

    Raises:
        ParameterError: the name has another form, or nothing is there.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ParameterError(f"{name!r} is no `module:attribute`: name a class or function so.")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as absent:
        raise ParameterError(f"{name!r} cannot be imported ({absent}): correct it.") from absent
