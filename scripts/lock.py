"""Read the lock, constraints.txt: all packages with their versions and hashes.

Usage: lock.py LOCK covers        exit status 0 if it covers this Python and machine, else 1
       lock.py LOCK first         what is installed before the rest: torch, and what builds packages
       lock.py LOCK all [EXTRA]   everything, as requirements with hashes
       lock.py LOCK versions      everything without hashes, as constraints for another Python

`python -m tests.campaign.closed` writes the lock. Standard library only: this runs before anything
is installed.
"""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata
from pathlib import Path

FIRST = ("setuptools", "torch")
SECTION = "## "


def sections(lock: str) -> dict[str, list[str]]:
    """The requirements of each section, each with the lines of its hashes."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if line.startswith(SECTION):
            name = line.removeprefix(SECTION).partition(":")[0]
        elif line.startswith(" "):
            found[name][-1] += f"\n{line}"
        elif line and not line.startswith("#"):
            found.setdefault(name, []).append(line)
    return found


def pin(requirement: str) -> tuple[str, str]:
    """Name and version."""
    match = re.match(r"([\w.-]+)==([\w.!]+)", requirement)
    if match is None:
        raise ValueError(f"{requirement} is not an exact pin")
    return match[1], match[2]


def hashes(requirement: str) -> list[str]:
    """The sha256 of each file that is accepted."""
    return re.findall(r"--hash=sha256:([0-9a-f]{64})\b", requirement)


def bare(requirement: str) -> str:
    """The pin with its marker, without hashes."""
    return requirement.partition("\n")[0].removesuffix("\\").rstrip()


def covers(lock: str, python: str, machine: str) -> bool:
    """Whether the first line names a Python, such as 3.11, and a machine, such as Linux-x86_64."""
    return {python, machine} <= set(lock.partition("\n")[0].split())


def versions(lock: str) -> list[str]:
    """Every pin with its marker."""
    return [bare(each) for section in sections(lock).values() for each in section]


def wanted(lock: str, extra: str, torch: str) -> list[str]:
    """What the project needs, with an extra or not, beside this version of torch."""
    found = sections(lock)
    # A build with a label, such as 2.13.0+cpu, asks for none of the packages for NVIDIA's cards.
    return found["base"] + ([] if "+" in torch else found["nvidia"]) + found.get(extra, [])


def main(path: str, what: str, extra: str = "") -> int:
    """Print, or answer by the exit status."""
    lock = Path(path).read_text(encoding="utf-8")
    if what == "covers":
        python = ".".join(map(str, sys.version_info[:2]))
        return not covers(lock, python, f"{platform.system()}-{platform.machine()}")
    if what == "versions":
        lines = versions(lock)
    elif what == "first":
        lines = [each for each in sections(lock)["base"] if pin(each)[0] in FIRST]
    else:
        lines = wanted(lock, extra, metadata.version("torch"))
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
