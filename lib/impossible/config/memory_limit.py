"""A limit of the address space (`ulimit -v`) that leaves too little room for a library."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from typing import Any

#: Libraries with an OpenBLAS of their own: where it finds no room for its buffers while it is
#: loaded, it asks again for ever, and no signal but SIGKILL ends the process.
LIBRARIES = ("numpy", "scipy")
NEEDED_ROOM = 150 * 2**20  # bytes: the library, a buffer of 32 MB, what malloc sets aside for it


class _RoomFinder(MetaPathFinder):
    """Finds no module; raises MemoryError where one of `LIBRARIES` would be loaded without room."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> None:
        """Called by Python for each module that is not loaded yet."""
        if name.partition(".")[0] in LIBRARIES and self.limit - _address_space() < NEEDED_ROOM:
            raise MemoryError(f"no room to load {name}")


def guard_imports() -> None:
    """From now on a library that the limit leaves no room for is a MemoryError, not a hang.

    Does nothing where no limit is set, which is the rule, or on another system than Linux.
    """
    if sys.platform != "linux" or any(isinstance(each, _RoomFinder) for each in sys.meta_path):
        return
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        sys.meta_path.insert(0, _RoomFinder(limit))


def _address_space() -> int:
    """Bytes of this process's address space that are in use."""
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
