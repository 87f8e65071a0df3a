"""Progress bars that suit the place: a bar in Jupyter and on a terminal, a status line under the
runner, and never a trace of either in an executed notebook."""

from __future__ import annotations

import os
from typing import Any

from tqdm.auto import tqdm
from tqdm.std import tqdm as plain_tqdm

#: Set by the runner: the file whose last line it shows on the terminal.
PROGRESS_FILE = "IMPOSSIBLE_PROGRESS"


def bar(*args: Any, **options: Any) -> Any:
    """A tqdm bar (same arguments) that is wiped when it ends.

    >>> with bar(total=2, desc="contexts") as progress:
    ...     _ = progress.update(2)
    """
    options = {"leave": False, "mininterval": 0.5, **options}
    target = os.environ.get(PROGRESS_FILE)
    if not target:
        return tqdm(*args, **options)
    # One open file per bar: the runner only ever reads the end of it.
    file = open(target, "w", encoding="utf-8")  # noqa: SIM115
    return plain_tqdm(*args, **{**options, "file": file, "ncols": 70, "ascii": " ="})


def last_line(path: str | os.PathLike[str]) -> str:
    """What a bar wrote last to the runner's file; empty when there is none.

    Only its end is read: the file grows as long as the work goes on, and is looked at often.
    """
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 400))
            return file.read().decode("utf-8", "replace").split("\r")[-1].strip()
    except OSError:
        return ""
