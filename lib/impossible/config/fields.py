"""How a parameter is described: its type and range, what it does, its unit, the paper's section."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
NonNegative = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(gt=0, le=1)]
Temperature = Annotated[float, Field(gt=0, le=5)]
Ratio = Annotated[float, Field(ge=0, le=100)]
Exponent = Annotated[float, Field(ge=0, le=100)]


def parameter(
    description: str,
    unit: str = "",
    section: str = "",
    *,
    affects: bool = True,
    names: Literal["value", "model", "folder", "file", "paths"] = "value",
    **limits: Any,
) -> Any:
    """A parameter without a value: `params/base.yaml` has those.

    Args:
        description: one sentence that a newcomer understands.
        unit: what it counts.
        section: where the paper has it.
        affects: whether results depend on it.
        names: what it names: a "value"; a "model"; a "folder" of data made by people; a "file";
            "paths" that may be absent. Of all but the first, what lies there counts for results.
        limits: `ge`, `gt`, `le`, `lt`, `min_length`, `pattern`.
    """
    extra: dict[str, Any] = {
        "unit": unit,
        "section": section,
        "affects_results": affects,
        "names": names,
    }
    return Field(description=description, json_schema_extra=extra, **limits)


class Domain(BaseModel):
    """A kind of text: how its contexts open, and what is never generated in it (section 3.1)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(min_length=1, description="short name, for example news")
    prefixes: list[str] = Field([], description="opening lines, one drawn per context; none: empty")
    banned: list[str] = Field(["\n"], description="strings that are never generated")
    refused: list[str] = Field(
        [], description="a sentence that holds one of these, in any case, is rejected (links, say)"
    )
