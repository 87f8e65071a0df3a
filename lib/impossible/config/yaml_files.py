"""The one module that reads YAML: safe loading, and a sentence for every way a file can be bad.

Depends on nothing but the errors, so that both the parameters and the in-vitro world can use it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

from impossible.errors import ImpossibleError, ParameterError

#: What a plain word means, by YAML 1.2's core schema; all else is text. (In YAML 1.1, which PyYAML
#: knows, 010 is 8, 1:30 is 90, 1_000 a number, 2020-01-01 a date, and yes, no, on, off are true.)
_MEANINGS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}
DEEPEST = 100  # collections in each other
REPEATED = 1_000_000  # characters that the aliases of a file stand for, all together


# The C loader is ten times faster on a large lexicon; both build plain Python objects only.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loader that reads plain words as `_MEANINGS` says and refuses a name given twice."""

    yaml_implicit_resolvers: ClassVar[dict[Any, Any]] = {}

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        """`010` is ten, as people write it."""
        text = str(self.construct_scalar(node))
        return int(text, {"0x": 16, "0o": 8}.get(text[:2], 10))

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problem = "a name is one word, not a list"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if key.value == "<<":
                problem = "`<<` merges nothing here: write the values out"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            name = self.construct_object(key)
            if name in seen:
                problem = f"`{key.value}` is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(name)
        return dict(super().construct_mapping(node, deep=deep))


for _kind, _pattern in _MEANINGS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^({_pattern})$"), None)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_integer)


def _require_bounded(text: str) -> None:
    """Refuse collections nested without end, and aliases that would repeat too much."""
    sizes: dict[str | None, int] = {}  # characters behind an anchor
    open_collections: list[tuple[str | None, int]] = []
    size = repeated = 0  # of all so far
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_collections.append((event.anchor, size))
            size += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_collections.pop()
            sizes[anchor] = size - before
        elif isinstance(event, yaml.ScalarEvent):
            sizes[event.anchor] = len(event.value) + 1
            size += sizes[event.anchor]
        elif isinstance(event, yaml.AliasEvent):  # of what holds it, it would have no end
            held = event.anchor in (anchor for anchor, _ in open_collections)
            more = REPEATED + 1 if held else sizes.get(event.anchor, 0)
            size, repeated = size + more, repeated + more
        problem = "it is nested too deep" if len(open_collections) > DEEPEST else ""
        problem = "its aliases (*name) repeat too much" if repeated > REPEATED else problem
        if problem:
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def read_yaml(path: Path, error: type[ImpossibleError] = ParameterError) -> Any:
    """Plain Python content of a YAML file.

    Args:
        path: the file, UTF-8.
        error: class of the error raised when the file cannot be read or is not YAML.

    Returns:
        Dictionaries, lists, strings, numbers, booleans; None for an empty file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
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
        _require_bounded(text)
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError) as bad:
        mark = getattr(bad, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(bad, "problem", None) or "it cannot be parsed"
        if mark and re.match(" *\t", "".join(text.split("\n")[mark.line :][:1])):
            problem += ", a tab (indent by spaces)"
        raise error(
            f"{where}{line} is not YAML: {problem}. Write one `name: value` a line."
        ) from bad
