"""Parameters: loading, checking and overriding, and noting which of them are read.

`params/base.yaml` states every parameter once; every other file states how it differs from the
file that it `extends`, which is `base` unless it says otherwise. An unknown name, a wrong type or
a value out of range is one sentence before anything starts, with the range and the nearest name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr, ValidationError, model_validator

from impossible.config.experiments import Experiments
from impossible.config.fields import Domain
from impossible.config.places import project_root
from impossible.config.yaml_files import parse_yaml, read_yaml
from impossible.errors import ParameterError, nearest

BASE = "base"  # the file that states every parameter
EXTENDS = "extends"  # in a params file: the name or path of another, whose values it starts from
OVERRIDE = "override"

# How a machine computes: no executed notebook holds it, the runner tells its kernels by a variable
MACHINE, MACHINE_VARIABLE = ("workers", "executor", "ray_address"), "IMPOSSIBLE_MACHINE"


class Params(Experiments):
    """All parameters of a run. Use `Params.load`; `origins` tells where each value comes from."""

    _config: str = PrivateAttr(default=BASE)
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
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
        for reason, patterns in self.__dict__["rejections"].items():
            for pattern in patterns:
                try:
                    re.compile(pattern)
                except re.error as bad:
                    raise ValueError(f"rejections.{reason}: {pattern!r} is wrong: {bad}") from bad
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
        """The values of a params file and of those that it extends, then overrides.

        Args:
            name_or_path: a name in `params/` of the checkout (`smoke`) or the path of a YAML file.
            overrides: values by name, or texts `name=value`, the value read as YAML (`k=50`).

        Raises:
            ParameterError: one sentence that names the place, the received value and the range.

        >>> Params.load("smoke", {"k": 50}).k
        50
        """
        values, origins = _values(params_file(name_or_path))
        if not isinstance(overrides, Mapping):
            overrides = parse_overrides(overrides)
        params = cls.validated({**values, **_machine(), **overrides}, "the overrides")
        params._origins = origins | dict.fromkeys(overrides, OVERRIDE)
        params._config = str(name_or_path)
        return params

    @classmethod
    def validated(cls, values: dict[str, Any], where: str) -> Self:
        """Parameters with these values, which must be all; an error's sentence names `where`."""
        known(values, where)
        try:
            return cls.model_validate(values)
        except ValidationError as bad:
            raise ParameterError(_sentence(bad, where)) from bad

    @classmethod
    def about(cls, name: str) -> dict[str, Any]:
        """Unit, section, `affects_results` and `names` of a parameter; see `fields.parameter`."""
        extra = cls.model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        return dict(extra)

    def naming(self, *kinds: str) -> dict[str, list[str]]:
        """What the parameters of these kinds (see `fields.parameter`) name: parameter → names."""
        found = {}
        for name in type(self).model_fields:
            if self.about(name)["names"] in kinds:
                value = self.plain(name)
                several = value.values() if isinstance(value, dict) else value
                found[name] = [value] if isinstance(value, str) else list(several)
        return found

    @property
    def config(self) -> str:
        """Name or path of the params file, as it was given."""
        return self._config

    @property
    def origins(self) -> dict[str, str]:
        """Where each value comes from: the name of a params file, or `override`."""
        return dict(self._origins)

    def fixed(self, **values: Any) -> Self:
        """A copy in which these values are set, as a task sets its thresholds."""
        return self.model_copy(update=values)

    def reseeded(self, seed: int) -> Self:
        """A copy with another seed, which `origins` calls an override."""
        copy = self.fixed(seed=seed)
        copy._origins = {**self._origins, "seed": OVERRIDE}
        copy._set = self._set - {"seed"}
        return copy

    @property
    def read(self) -> frozenset[str]:
        """The parameters that were read so far, here and in copies; see `notebook.Stage`."""
        return frozenset(self._read)

    def note(self, names: Iterable[str]) -> None:
        """Note these as read: what was computed earlier has read them."""
        self._read.update(set(names) - self._set)

    def view(self) -> Self:
        """A copy that notes by itself what is read of it, also what `fixed` has set."""
        copy = self.model_copy()
        copy._read, copy._set = set(), frozenset()
        return copy

    @property
    def notebooks_at_once(self) -> int:
        """How many the runner executes side by side: on Ray one, which uses all workers."""
        return 1 if self.plain("executor") == "ray" else int(self.plain("workers"))

    def plain(self, name: str) -> Any:
        """A value as JSON has it, without noting it as read."""
        return super().model_dump(include={name})[name]

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


def _values(path: Path, chain: tuple[Path, ...] = ()) -> tuple[dict[str, Any], dict[str, str]]:
    """The values that a params file gives, own and extended, and from which file each one is."""
    content = read_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        what = "is empty" if content is None else "is no list of `name: value` lines"
        raise ParameterError(f"{path} {what}: give at least one line such as `seed: 0`.")
    is_base = path.resolve() == (project_root() / "params" / f"{BASE}.yaml").resolve()
    parent = content.pop(EXTENDS, None if is_base else BASE)
    values, origins = ({}, {}) if parent is None else _extended(path, parent, (*chain, path))
    values, origins = values | content, origins | dict.fromkeys(content, path.stem)
    Params.validated(values, str(path))
    return values, origins


def _extended(
    path: Path, name: Any, chain: tuple[Path, ...]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Values of the file that a params file extends: a name in `params/`, or a path from there."""
    where = f"{path}: {EXTENDS} = {name!r}"
    if not isinstance(name, str):
        raise ParameterError(f"{where}: give the name or path of one file.")
    other = params_file(name)
    other = other if other.is_absolute() or other.is_file() else path.parent / other
    if not other.is_file():
        raise ParameterError(f"{where}: there is no such file.")
    if other.resolve() in [each.resolve() for each in chain]:
        raise ParameterError(f"{where}: the files extend each other.")
    return _values(other, chain)


def params_file(name_or_path: str | Path) -> Path:
    """File of a params name or path; an unknown name proposes the nearest."""
    path = Path(name_or_path)
    if path.suffix or len(path.parts) > 1:
        return path
    folder = project_root() / "params"
    if (folder / f"{path}.yaml").is_file():
        return folder / f"{path}.yaml"
    names = sorted(each.stem for each in folder.glob("*.yaml") if each.stem != "sources")
    told = f"give one of {', '.join(names)}" if names else f"none is in {folder}"
    called = f"There are no parameters called {path}{nearest(str(path), names)}"
    raise ParameterError(f"{called}: {told}, or the path of a YAML file.")


def _machine() -> dict[str, Any]:
    """What the runner tells its kernels about the machine, if it does."""
    text = os.environ.get(MACHINE_VARIABLE, "{}")
    with suppress(ValueError):
        told = json.loads(text)
        if isinstance(told, dict) and told.keys() <= {*MACHINE}:
            return told
    raise ParameterError(
        f"{MACHINE_VARIABLE} is {text[:60]!r}: unset it, the runner sets it for its notebooks."
    )


def known(names: Iterable[str], where: str) -> None:
    """Refuse a name that is no parameter."""
    for name in names:
        if name not in Params.model_fields:
            hint = nearest(name, Params.model_fields)
            raise ParameterError(
                f"{where}: there is no parameter {name}{hint}; "
                "`impossible run --parameters` lists all with their ranges."
            )


def parse_overrides(texts: Iterable[str]) -> dict[str, Any]:
    """Typed values by name, of texts `name=value`; of several for one name, the last.

    Raises:
        ParameterError: a text of another form, or an unknown name.

    >>> parse_overrides(["k=50", "human_data=a=b"])
    {'k': 50, 'human_data': 'a=b'}
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not (name := name.strip()):
            raise ParameterError(
                f"The override {text!r} is not of the form name=value, such as k=50."
            )
        known([name], f"The override {text!r}")
        values[name] = parse_yaml(value, f"The override {text!r}")
    return values


def _sentence(error: ValidationError, where: str) -> str:
    """One sentence for the first problem pydantic found."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if not place:
        return f"{where}: {first['msg'].removeprefix('Value error, ')}."
    field = Params.model_fields[str(first["loc"][0])]
    meaning = str(field.description).removesuffix(".")
    if first["type"] == "missing" and place in Params.model_fields:
        return f"{where}: there is no value for {place}: add the line `{place}: …` ({meaning})."
    allowed = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "extra_forbidden":
        allowed = "no such field" + nearest(str(first["loc"][-1]), Domain.model_fields)
    return f"{where}: {place} = {first['input']!r}: {allowed} ({meaning})."
