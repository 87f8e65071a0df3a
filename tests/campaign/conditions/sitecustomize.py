"""Read by every Python below a starved run: the bad conditions that `CAMPAIGN_*` asks for."""

from __future__ import annotations

import errno
import os
import time
from typing import Any


def _full_disk(counter: str, at: int) -> None:
    """From the `at`-th write on (counted in a file, over all processes) the disk is full."""
    flush = os.fsync

    def fsync(number: int) -> None:
        with open(counter, "ab") as file:
            file.write(b".")
        if 0 < at <= os.stat(counter).st_size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(number)

    os.fsync = fsync


def _backwards() -> None:
    """The clock of the wall goes back, by a second each time it is asked."""
    real, asked = time.time, [0]

    def going_back() -> float:
        asked[0] += 1
        return real() - asked[0]

    time.time = going_back


def _slow_rename() -> None:
    """As a file system that lies far away."""
    rename = os.replace

    def replace(*names: Any, **more: Any) -> None:
        time.sleep(0.2)
        rename(*names, **more)

    os.replace = replace


if "CAMPAIGN_WRITES" in os.environ:
    _full_disk(os.environ["CAMPAIGN_WRITES"], int(os.environ["CAMPAIGN_FULL_AT"]))
if "CAMPAIGN_BACKWARDS" in os.environ:
    _backwards()
if "CAMPAIGN_SLOW" in os.environ:
    _slow_rename()
