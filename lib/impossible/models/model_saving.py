"""Models written so that `from_pretrained` opens them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers

from impossible.data.io import write_json
from impossible.models.model_files import model_digest
from impossible.models.precision import dtype_named


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
    folder.mkdir(parents=True, exist_ok=True)
    # first: by it `impossible train` knows its own folder again, also one that was killed here
    write_json(folder / "recipe.json", dict(recipe))
    with quiet():
        if hasattr(model, "peft_config"):
            half = {
                name: weight.to(dtype_named(dtype, torch.device("cpu")))
                for name, weight in model.state_dict().items()
            }
            model.save_pretrained(folder, state_dict=half)
        else:
            _save_weights(folder, model, dtype_named(dtype, torch.device("cpu")))
        tokenizer.save_pretrained(folder)
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
