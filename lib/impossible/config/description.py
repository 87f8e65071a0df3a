"""All parameters as a text: `impossible run --parameters`."""

from __future__ import annotations

from typing import Any

from impossible.config.params import BASE, Params


def describe(params: Params | None = None) -> str:
    """All parameters, one a line: name, value, value in `base`, meaning, range, unit, section.

    Args:
        params: whose values are shown; None: those of `base` alone.
    """
    base = Params.load(BASE)
    shown = [base] if params is None else [params, base]
    titles = [BASE] if params is None else ["value", BASE]
    lines = ["".join(f"{title:<28} " for title in ["name", *titles]) + "meaning"]
    for name, field in Params.model_fields.items():
        extra = Params.about(name)
        limits = " ".join(
            f"{sign}{getattr(each, word)}"
            for each in field.metadata
            for word, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
            if hasattr(each, word)
        )
        values = [_shown(getattr(each, name)) for each in shown]
        notes = ", ".join(filter(None, (limits, extra["unit"], extra["section"])))
        columns = "".join(f"{text:<28} " for text in [name, *values])
        lines.append(f"{columns}{field.description} ({notes})".removesuffix(" ()"))
    return "\n".join(lines)


def _shown(value: Any) -> str:
    """A value in one line; of domains, their names."""
    if isinstance(value, list):
        return ", ".join(getattr(each, "name", str(each)) for each in value)
    return str(value)
