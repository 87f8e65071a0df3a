"""Impossible Distillation: paraphrase datasets and models from a small language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from impossible.rewriting.rewriters import Paraphraser as Paraphraser
    from impossible.rewriting.rewriters import Summarizer as Summarizer

__all__ = ["Paraphraser", "Summarizer"]


def __getattr__(name: str) -> Any:
    """The classes that people use, imported on first use because they need torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from impossible.rewriting import rewriters

    return getattr(rewriters, name)
