"""Where synonyms come from: the place that WordNet has in the paper's baselines."""

from __future__ import annotations

from typing import Any

from impossible.config import plugins
from impossible.config.places import resolve
from impossible.config.yaml_files import read_yaml
from impossible.errors import DataError

NO_THESAURUS = (
    "Synonym replacement is missing, and Corruption exchanges no word: name a thesaurus, a JSON or "
    "YAML file of groups of synonyms (thesaurus=FILE), for example made of WordNet's synsets."
)

SHAPE = "lists of two or more synonyms, such as [[theater, playhouse], [sold, disposed of]]"


def load_thesaurus(name: str) -> list[tuple[str, ...]]:
    """Groups of two or more synonyms, each of which can stand in the place of the others.

    Args:
        name: "in-vitro" (the closed world's own, apart by form: past tense, participle, noun); or
            a JSON or YAML file of groups, relative to the checkout. A file for open English can be
            made of WordNet's synsets, one group for each inflected form. Empty: no synonyms.

    Raises:
        DataError: the file cannot be read or is of another shape.

    >>> ("theater", "playhouse") in load_thesaurus("in-vitro")
    True
    """
    if not name:
        return []
    if name in plugins.SHORT["thesaurus"]:
        return list(plugins.load_plugin(name, "thesaurus")())
    path = resolve(name)
    groups = read_yaml(path, DataError)
    if not isinstance(groups, list) or not groups:
        raise DataError(f"{path} holds no groups of synonyms: write {SHAPE}.")
    for number, group in enumerate(groups, start=1):
        if not _is_group(group):
            raise DataError(f"{path}, group {number}: {group!r} is no group: write {SHAPE}.")
    return [tuple(group) for group in groups]


def _is_group(group: Any) -> bool:
    if not isinstance(group, list) or len(group) < 2:
        return False
    return all(isinstance(word, str) and word.strip() for word in group)
