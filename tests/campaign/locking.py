"""Write the lock from what is installed: `uv` resolves what other machines need, and has hashes."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from impossible.data.io import write_text

from scripts import lock as locks

from .common import ROOT

LOCK = ROOT / "constraints.txt"
INDEX = "https://pypi.org/simple"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
#: As Python names a machine, and as uv does.
MACHINES = {
    "Linux-x86_64": "x86_64-manylinux_2_28",
    "Linux-aarch64": "aarch64-manylinux_2_28",
    "Darwin-arm64": "aarch64-apple-darwin",
}
FROM_SOURCE = "rouge-score"  # has no wheel
NVIDIA = re.compile(r"(cuda|nvidia)-|triton$")  # what torch from PyPI needs on Linux


def write_lock(installed: Mapping[str, str]) -> None:
    """Write `constraints.txt` from installed versions by name, once all tests pass with them."""
    if shutil.which("uv") is None:
        sys.exit("uv resolves the lock, and is not installed: pip install uv, then try again")
    before = LOCK.read_text(encoding="utf-8") if LOCK.is_file() else ""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_text(place / "installed.txt", "".join(f"{n}=={v}\n" for n, v in installed.items()))
        write_text(place / "lock.txt", before)  # what is not installed here keeps its version
        everything = _resolved(place, "--extra", "dev")
        base = _resolved(place)
        text = assembled(everything, base, _torch_hashes(before, place))
        write_text(place / "lock.txt", text)
        for python in PYTHONS:
            for machine in MACHINES:
                _check(place, python, machine)
    write_text(LOCK, text)


def assembled(everything: str, base: str, torch: Iterable[str]) -> str:
    """The lock.

    Args:
        everything: what uv resolved with the development tools.
        base: the same without them.
        torch: hashes of torch that PyPI does not know.
    """
    names = {locks.pin(each)[0] for each in _requirements(base)}
    found: dict[str, list[str]] = {"base": [], "nvidia": [], "dev": []}
    for each in _requirements(everything):
        name = locks.pin(each)[0]
        if name == "torch":
            each = _with_hashes(each, {*locks.hashes(each), *torch})
        found["nvidia" if NVIDIA.match(name) else "base" if name in names else "dev"].append(each)
    return "\n".join([
        f"# Resolved for Python {' '.join(PYTHONS)} on {' '.join(MACHINES)}",
        "# All packages, with those they need, in an environment where the tests pass, and the",
        "# sha256 of each of their files: scripts/environment.sh installs no other file.",
        "# python -m tests.campaign.closed writes it, scripts/lock.py reads it.",
        f"{locks.SECTION}base", *found["base"],
        f"{locks.SECTION}nvidia: what torch from PyPI needs on Linux, and its CPU build does not",
        *found["nvidia"],
        f"{locks.SECTION}dev", *found["dev"], "",
    ])  # fmt: skip


def _with_hashes(requirement: str, hashes: Iterable[str]) -> str:
    lines = [locks.bare(requirement), *(f"    --hash=sha256:{each}" for each in sorted(hashes))]
    return " \\\n".join(lines)


def _requirements(resolved: str) -> list[str]:
    return locks.sections(resolved).get("", [])


def _uv(*arguments: str) -> None:
    variables = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}  # torch's oldest
    command = ["uv", "pip", *arguments, "--no-config", "--quiet", "--default-index", INDEX]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stderr}")


def _resolved(place: Path, *extra: str) -> str:
    """What pyproject.toml needs on any machine, in the installed versions where there are any."""
    path = place / "lock.txt"
    _uv(
        "compile", str(ROOT / "pyproject.toml"), *extra, "--universal", "--python-version",
        PYTHONS[0], "--fork-strategy", "fewest", "--generate-hashes", "--no-annotate",
        "--no-header", "--constraint", str(place / "installed.txt"), "--output-file", str(path),
    )  # fmt: skip
    return path.read_text(encoding="utf-8")


def _check(place: Path, python: str, machine: str) -> None:
    """Every package has a file for this Python and machine, and needs none that is not locked."""
    _uv(
        "install", "--dry-run", "--require-hashes", "--target", str(place / "nowhere"),
        "--only-binary", ":all:", "--no-binary", FROM_SOURCE, "--python-version", python,
        "--python-platform", MACHINES[machine], "--requirement", str(place / "lock.txt"),
    )  # fmt: skip


def _torch_hashes(before: str, place: Path) -> set[str]:
    """Of builds that PyPI lacks: those of the lock before, and of what is installed here."""
    version = metadata.version("torch")
    release = ("torch", version.partition("+")[0])
    every = locks.sections(before).get("base", [])
    found = {h for each in every if locks.pin(each) == release for h in locks.hashes(each)}
    if "+" in version:
        command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--dest"]
        subprocess.run([*command, str(place / "torch"), f"torch=={version}"], check=True)
        found |= {hashlib.sha256(p.read_bytes()).hexdigest() for p in (place / "torch").iterdir()}
    return found
