"""Where synonyms come from: the place that WordNet has in the paper's baselines.

A thesaurus is knowledge about words, as a dictionary has it; what sentences mean stays with the
oracle.
"""

from __future__ import annotations

from typing import Any

from impossible.config.places import resolve
from impossible.config.yaml_files import read_yaml
from impossible.errors import DataError

__all__ = ["load_thesaurus"]

SHAPE = "lists of two or more wordings, such as [[theater, playhouse], [sold, disposed of]]"


def load_thesaurus(name: str) -> list[tuple[str, ...]]:
    """Groups of wordings with one meaning, each of which can stand in the place of the others.

    Args:
        name: "in-vitro" (the closed world's own, apart by form: past tense, participle, noun), or
            a JSON or YAML file of groups, relative to the checkout. A file for open English can be
            made of WordNet's synsets, one group for each inflected form.

    Returns:
        Groups of two or more wordings; a wording may stand in several.

    Raises:
        DataError: the file cannot be read or is of another shape.

    >>> ("theater", "playhouse") in load_thesaurus("in-vitro")
    True
    """
    if name == "in-vitro":
        from impossible.world.thesaurus import entries  # read only when asked for

        return entries(by_form=True)
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
    return all(isinstance(wording, str) and wording.strip() for wording in group)
