"""Whole commands as a user types them: start-up, answers, files of a million lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from page import Row

IMPOSSIBLE = [sys.executable, "-m", "impossible.cli"]
LINES = 1_000_000
ANSWERED = 40  # lines after the first one
LINE = "The treatment of cancer needs experts of many fields, and their number grows every year.\n"


def called(code: Sequence[str], given: str = "") -> tuple[float, int]:
    """Wall seconds of a command, and the most bytes of memory that its process had.

    Any status counts: a refusal is timed too.
    """
    with tempfile.TemporaryFile("w+") as text:
        text.write(given)
        text.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(
            code, stdin=text, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, _, used = os.wait4(process.pid, 0)
        return time.perf_counter() - start, used.ru_maxrss * 1024


def start_up() -> list[Row]:
    """Calls a second of what answers without a model."""
    calls = {
        "import impossible": [sys.executable, "-c", "import impossible"],
        "impossible --help": [*IMPOSSIBLE, "--help"],
        "a parameter that is refused": [*IMPOSSIBLE, "run", "english", "kk=3"],
    }
    return [
        Row(what, "calls/s", 1 / min(called(code)[0] for _ in range(3)), goals={"": 2})
        for what, code in calls.items()
    ]


def answers() -> list[Row]:
    """The first answer of `paraphrase`, cold, and what follows it."""
    code = [*IMPOSSIBLE, "paraphrase", "-"]
    first = min(called(code, LINE)[0] for _ in range(3))
    stream = called(code, LINE * (1 + ANSWERED))[0]
    return [
        Row("first answer of impossible paraphrase", "calls/s", 1 / first, goals={"": 1 / 6}),
        Row("and after it", "sentences/s", ANSWERED / (stream - first), goals={"": 5}),
    ]


def big_files(lines: int = LINES) -> list[Row]:
    """`score` and `quality` without an encoder: lines a second, and lines that 2 GiB hold."""
    rows, words = [], np.array([f"w{i}" for i in range(3000)])
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "in.jsonl")
        with file.open("w") as out:
            for _ in range(lines):
                x, y = (" ".join(words[rng.integers(0, 3000, 20)]) for _ in range(2))
                row = {"source": x, "output": y, "target": y, "references": [x]}
                out.write(json.dumps(row) + "\n")
        for name in ("score", "quality"):
            took, memory = called([*IMPOSSIBLE, name, str(file)])
            rows.append(Row(f"impossible {name}", "lines/s", lines / took, goals={"": 1e6 / 120}))
            held = lines * 2 * 2**30 / memory
            rows.append(Row("the same", "lines in 2 GiB", held, goals={"": 1e6}))
    return rows
