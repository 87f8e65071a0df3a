"""A translator of the Bergamot project with a compiled engine, as a `pypi:` asset brings it.

The engine is opened from the asset's folder; nothing is installed. Of the package's own Python code
nothing is run: what it does to translations afterwards takes the Portuguese "no" for English, and
writes "não" instead.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from impossible.errors import ModelError
from impossible.models.assets import PREFIX, asset_folder, asset_named
from impossible.models.model_files import locate

_ENGINE = "_native"  # module of the engine
_MODELS = {"en-pt": "enpt-*", "pt-en": "pten-*"}  # direction → folder in resources/models


def has_engine(name: str) -> bool:
    """Whether a model's name stands for an asset with such an engine."""
    is_asset = name.startswith(PREFIX) and asset_named(name).present
    return is_asset and bool(list(asset_folder(name).glob(f"{_ENGINE}.*")))


class Bergamot:
    """One direction, with the part of a `training.student.Student` that a round trip uses.

    Args:
        name: of the asset, `pypi:NAME`.
        direction: "en-pt" or "pt-en".

    Raises:
        ModelError: the asset is not there, or its engine does not run on this machine.

    Example:
        `Bergamot("pypi:bergamot-en-pt", "en-pt").generate(["Prices rose."])` is
        `[["Os preços subiram."]]`.
    """

    def __init__(self, name: str, direction: str) -> None:
        self.name, self.direction = name, direction
        folder = locate(name)
        models = sorted((folder / "resources" / "models").glob(_MODELS[direction]))
        try:
            self._engine = _opened(folder).NativeDirection(str(models[0]))
        except (ImportError, OSError, RuntimeError, AttributeError, IndexError) as error:
            reason = str(error).strip().partition("\n")[0][:200]
            raise ModelError(
                f"the translator {name!r} does not run on this machine ({reason}): its engine is "
                "compiled for Linux on x86-64; name other models as translator and "
                "back_translator, or none to leave the round trip out"
            ) from error

    def generate(
        self,
        sources: Sequence[str],
        n: int = 1,
        temperature: float = 0.0,
        avoid: Sequence[Iterable[str]] = (),
        **_: Any,
    ) -> list[list[str]]:
        """One translation of each text, the engine's only one; an empty text stays empty.

        Raises:
            ModelError: samples or constraints are asked for.
        """
        if n > 1 or temperature or avoid:
            raise ModelError(
                f"the translator {self.name!r} writes one translation of a text: it can be neither "
                "sampled nor constrained"
            )
        known = {text: self._engine.translate(text) if text.strip() else "" for text in {*sources}}
        return [[known[text].strip()] for text in sources]


@lru_cache  # a process may initialize the engine only once
def _opened(folder: Path) -> Any:
    """The engine's module, from the folder's file for this Python."""
    file = next(iter(sorted(folder.glob(f"{_ENGINE}.*"))), folder / f"{_ENGINE}.so")
    loader = importlib.machinery.ExtensionFileLoader(_ENGINE, str(file))
    spec = importlib.util.spec_from_file_location(_ENGINE, file, loader=loader)
    if spec is None:
        raise ImportError(f"no engine in {folder.name}")
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
