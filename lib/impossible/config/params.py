"""Parameters: one typed schema for every name that a run can be given.

A params file holds differences from the defaults only. Defaults are the paper's values where it
has one, else those of the in-vitro run. An unknown name, a wrong type or a value out of range is
refused before anything starts, with the place, the range and the nearest name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import PrivateAttr, ValidationError, model_validator

from impossible.config.schema import Domain, Schema
from impossible.config.yaml_files import parse_yaml, read_yaml
from impossible.data.run_folder import project_root
from impossible.errors import ParameterError

EXTENDS = "extends"  # in a params file: the name or path of another, whose values it starts from

Origin = Literal["default", "file", "override"]


class Params(Schema):
    """All parameters of a run. Use `Params.load`; `origins` tells where each value comes from."""

    _config: str = PrivateAttr(default="laboratory")
    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)
    _read: set[str] = PrivateAttr(default_factory=set)  # shared with copies
    _set: frozenset[str] = PrivateAttr(default=frozenset())  # by `fixed`

    ORDERED: ClassVar[tuple[tuple[str, str], ...]] = (
        ("context_sentences_min", "context_sentences_max"),
        ("length_ratio_min", "length_ratio_max"),
        ("entailment_floor", "entailment_threshold"),
        ("trained_seeds", "sampled_seeds"),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for low, high in self.ORDERED:
            a, b = self.__dict__[low], self.__dict__[high]
            if a > b:
                raise ValueError(f"{low} ({a}) must not exceed {high} ({b})")
        names = [domain.name for domain in self.__dict__["domains"]]
        if len(set(names)) < len(names):
            raise ValueError(f"domains must have different names, got {names}")
        if unknown := sorted(set(self.__dict__["domain_teachers"]) - set(names)):
            raise ValueError(
                f"domain_teachers names {', '.join(unknown)}, and the domains are "
                f"{', '.join(names)}: give a teacher to these only"
            )
        return self

    @classmethod
    def load(
        cls,
        name_or_path: str | Path = "laboratory",
        overrides: Sequence[str] | Mapping[str, Any] = (),
    ) -> Self:
        """Defaults, then a params file (after the one it `extends`, if any), then overrides.

        Args:
            name_or_path: a name in `params/` of the checkout (`smoke`) or the path of a YAML file.
            overrides: values by name, or texts `name=value`, the value read as YAML (`k=50`).

        Raises:
            ParameterError: one sentence that names the place, the received value and the range.

        >>> Params.load("smoke", ["k=50"]).k
        50
        """
        content = _content(params_file(name_or_path))
        texts = () if isinstance(overrides, Mapping) else overrides
        given = {**dict(parse_override(text) for text in texts)}
        given |= overrides if isinstance(overrides, Mapping) else {}
        params = cls.validated({**content, **given}, "the overrides")
        origins: dict[str, Origin] = dict.fromkeys(content, "file")
        params._origins.update(origins | dict.fromkeys(given, "override"))
        params._config = str(name_or_path)
        return params

    @classmethod
    def validated(cls, values: dict[str, Any], where: str) -> Self:
        """Parameters with these values; `where` is named in the error's sentence."""
        known(values, where)
        try:
            return cls.model_validate(values)
        except ValidationError as bad:
            raise ParameterError(_sentence(bad, where)) from bad

    @property
    def config(self) -> str:
        """Name or path of the params file, as it was given."""
        return self._config

    @property
    def origins(self) -> dict[str, Origin]:
        """Where each value comes from: default, file or override."""
        return {name: self._origins.get(name, "default") for name in Params.model_fields}

    def fixed(self, **values: Any) -> Self:
        """A copy in which these values are set, as a task sets its gates."""
        return self.model_copy(update=values)

    def reseeded(self, seed: int) -> Self:
        """A copy with another seed, which `origins` calls an override."""
        copy = self.fixed(seed=seed)
        copy._origins = {**self._origins, "seed": "override"}
        copy._set = self._set - {"seed"}
        return copy

    @property
    def read(self) -> frozenset[str]:
        """The parameters that were read so far, here and in copies; see `notebook.Stage`."""
        return frozenset(self._read)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic does; what `update` sets is not the run's, and is not noted as read."""
        copy = super().model_copy(update=update, deep=deep)
        copy._set = self._set | (update or {}).keys()
        return copy

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As pydantic does; what is dumped counts as read."""
        values: dict[str, Any] = super().model_dump(**options)
        self._read.update(values.keys() - self._set)
        return values

    def __getattribute__(self, name: str) -> Any:
        if name in Params.model_fields and name not in self._set:
            self._read.add(name)
        return super().__getattribute__(name)


def _content(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """What a params file gives: its own values over those of the file that it extends."""
    content = read_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        what = "is empty" if content is None else "is no list of `name: value` lines"
        raise ParameterError(f"{path} {what}: give at least one line such as `seed: 0`.")
    values = {name: value for name, value in content.items() if name != EXTENDS}
    if EXTENDS in content:
        values = _base(path, content[EXTENDS], (*seen, path.resolve())) | values
    Params.validated(values, str(path))
    return values


def _base(path: Path, name: Any, chain: tuple[Path, ...]) -> dict[str, Any]:
    """Values of the file that a params file extends: a name in `params/`, or a path from there."""
    where = f"{path}: {EXTENDS} = {name!r}"
    if not isinstance(name, str):
        raise ParameterError(f"{where}: give the name or path of one file.")
    other = params_file(name)
    other = other if other.is_absolute() or other.is_file() else path.parent / other
    if not other.is_file():
        raise ParameterError(f"{where}: there is no such file.")
    if other.resolve() in chain:
        raise ParameterError(f"{where}: the files extend each other.")
    return _content(other, chain)


def params_file(name_or_path: str | Path) -> Path:
    """File of a params name or path; an unknown name proposes the nearest."""
    path = Path(name_or_path)
    if path.suffix or len(path.parts) > 1:
        return path
    folder = project_root() / "params"
    if (folder / f"{path}.yaml").is_file():
        return folder / f"{path}.yaml"
    names = sorted(each.stem for each in folder.glob("*.yaml") if each.stem != "sources")
    raise ParameterError(
        f"There are no parameters called {path}{nearest(str(path), names)}: "
        f"give one of {', '.join(names)}, or the path of a YAML file."
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """' (did you mean NAME?)' for the most similar name, or nothing."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" (did you mean {found[0]}?)" if found else ""


def known(names: Iterable[str], where: str) -> None:
    """Refuse a name that is no parameter."""
    for name in names:
        if name not in Params.model_fields:
            hint = nearest(name, Params.model_fields)
            raise ParameterError(
                f"{where}: there is no parameter {name}{hint}; "
                "`impossible run --parameters` lists all with their ranges."
            )


def parse_override(text: str) -> tuple[str, Any]:
    """Name and typed value of an override.

    >>> parse_override("k=50")
    ('k', 50)
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ParameterError(f"The override {text!r} is not of the form name=value, such as k=50.")
    known([name.strip()], f"The override {text!r}")
    return name.strip(), parse_yaml(value, f"The override {text!r}")


def _sentence(error: ValidationError, where: str) -> str:
    """One sentence for the first problem pydantic found."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if not place:
        return f"{where}: {first['msg'].removeprefix('Value error, ')}."
    allowed = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "extra_forbidden":
        allowed = "no such field" + nearest(str(first["loc"][-1]), Domain.model_fields)
    field = Params.model_fields[str(first["loc"][0])]
    return f"{where}: {place} = {first['input']!r}: {allowed} ({field.description})."


def describe() -> str:
    """All parameters, one a line: name, type, default, range, unit and meaning."""
    lines = []
    for name, field in Params.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        limits = " ".join(
            f"{sign}{getattr(each, word)}"
            for each in field.metadata
            for word, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
            if hasattr(each, word)
        )
        default = "news, bio" if name == "domains" else field.default
        notes = ", ".join(filter(None, (limits, str(extra["unit"]), str(extra["section"]))))
        lines.append(f"{name:<24} {default!s:<28} {field.description} ({notes})".replace(" ()", ""))
    return "\n".join(lines)
