"""Errors a user can cause and can mend.

Every failure that is not a bug is an `ImpossibleError`: one sentence that says what is wrong,
where, what is allowed and what to do. The command line prints it alone and exits with status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ImpossibleError(Exception):
    """Base of all errors with a sentence for the user."""


class ParameterError(ImpossibleError):
    """An unknown, mistyped or out-of-range parameter, or an unreadable params file."""


class DataError(ImpossibleError):
    """Input text, a record file that is missing, corrupt or of another shape."""


class ModelError(ImpossibleError):
    """A model that cannot be found, loaded or used as asked (for example a too long context)."""


class RunError(ImpossibleError):
    """A run that cannot start or go on (locked folder, no disk space, a failed notebook)."""


def nearest(name: str, names: Iterable[str]) -> str:
    """' (did you mean NAME?)' for the most similar name, or nothing."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" (did you mean {found[0]}?)" if found else ""
