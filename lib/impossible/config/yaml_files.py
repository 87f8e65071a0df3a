"""The one module that reads YAML: safe loading, and a sentence for every way a file can be bad.

Depends on nothing but the errors, so that both the parameters and the in-vitro world can use it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

from impossible.errors import ImpossibleError, ParameterError

_BOOLEAN = "tag:yaml.org,2002:bool"


# The C loader is ten times faster on a large lexicon; both build plain Python objects only.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loader that reads `1e-3` as a number and yes, no, on, off as words (as YAML 1.2 does),
    and refuses a name given twice."""

    yaml_implicit_resolvers: ClassVar = {
        first: [rule for rule in rules if first not in "yYnNoO" or rule[0] != _BOOLEAN]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key.value, str) and key.value in seen:
                problem = f"`{key.value}` is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return dict(super().construct_mapping(node, deep=deep))


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_yaml(path: Path, error: type[ImpossibleError] = ParameterError) -> Any:
    """Plain Python content of a YAML file.

    Args:
        path: the file, UTF-8.
        error: class of the error raised when the file cannot be read or is not YAML.

    Returns:
        Dictionaries, lists, strings, numbers, booleans; None for an empty file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as bad:
        raise error(f"{path} is not UTF-8 text (byte {bad.start}): save it as UTF-8.") from bad
    except OSError as bad:
        reason = bad.strerror or bad
        raise error(f"Cannot read {path}: {reason}. Give the path of a YAML file.") from bad
    return parse_yaml(text, str(path), error)


def parse_yaml(text: str, where: str, error: type[ImpossibleError] = ParameterError) -> Any:
    """Plain Python content of YAML text; `where` names its origin in the error's sentence.

    >>> parse_yaml("50", "k=50")
    50
    """
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, TypeError) as bad:
        mark = getattr(bad, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(bad, "problem", None) or "it cannot be parsed"
        raise error(
            f"{where}{line} is not YAML: {problem}. Write one `name: value` a line."
        ) from bad
