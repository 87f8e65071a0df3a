"""What a params file names and the pipeline does not know: found late, by `module:attribute`.

The closed world's parts have short names here, as texts: nothing of it is imported before it is
asked for. A class or function of your own is named in full, `my_package.my_module:MyParser`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from impossible.errors import ParameterError, nearest

#: Kind → short name → `module:attribute`.
SHORT = {
    "judge": {"oracle": "impossible.world.oracle:Oracle"},
    "test set": {"world": "impossible.world.test_sets:world_items"},
    "thesaurus": {"in-vitro": "impossible.world.thesaurus:entries_by_form"},
}


def load_plugin(name: str, kind: str = "plugin", others: Iterable[str] = ()) -> Any:
    """The attribute that a short name of this kind, or `module:attribute`, stands for.

    Args:
        name: for example `grammar`, or `my_package.parsers:Constituency`.
        kind: a key of `SHORT`; also named in the error's sentence.
        others: names that the caller knows without this table, to be named there too.

    Raises:
        ParameterError: the name has another form, or nothing is there.

    >>> load_plugin("math:sqrt")(9.0)
    3.0
    """
    short = SHORT.get(kind, {})
    full = short.get(name, name)
    module, _, attribute = full.partition(":")
    if not module or not attribute:
        known = [*short, *others]
        raise ParameterError(
            f"There is no {kind} {name!r}{nearest(name, known)}: give "
            f"{', '.join([*known, ''])}or `module:attribute`."
        )
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as absent:
        raise ParameterError(
            f"The {kind} {name!r} cannot be imported ({absent}): correct it."
        ) from absent
