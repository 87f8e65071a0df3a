"""Text that is shown and commands nothing: not the terminal, and not the order of what is read."""

from __future__ import annotations

import json
import re
from typing import Any

#: Control characters but for tab and line feed, those that turn the direction of text, and halves
#: of surrogate pairs, which no file takes.
COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def printable(text: str) -> str:
    """The text with what `COMMANDS` finds written out, as JSON does.

    >>> printable("a\\x1b[2J")
    'a\\\\u001b[2J'
    """
    return COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_line(value: Any, indent: int | None = None) -> str:
    """A JSON value of the same content, in which nothing commands the terminal.

    >>> json_line({"a": "é\\x9b"})
    '{"a": "é\\\\u009b"}'
    """
    return printable(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False))
