"""Closed: tests without a network, code that evaluates no text, packages with pins and licences."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from impossible.data.io import write_text
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from .common import ROOT, Findings, environment

#: Fast tests of several rooms; `pytest -p tests.campaign.no_sockets` runs all of them so.
TESTS = (
    "test_sentences", "test_bleu", "test_bad_lines", "test_store", "test_filters", "test_tables",
    "test_statistics", "test_assets",
)  # fmt: skip
LOCK = ROOT / "constraints.txt"
PIN = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.+]+)")


def run(place: Path) -> Findings:
    """Sockets, evaluated text, pins."""
    found = Findings()
    _tests(found)
    found.check("nothing evaluates text or loads pickles", list(_evaluated()))
    packages = installed_packages()
    found.count("packages, with those they need", len(packages))
    found.count("packages pinned", sum(each["pinned"] for each in packages))
    loose = [each["name"] for each in packages if not each["pinned"]]
    found.check("every package is pinned", [f"no pin for {', '.join(loose)}"] if loose else [])
    unknown = [each["name"] for each in packages if each["licence"] == "?"]
    found.check("every package tells its licence", [f"{name}: none" for name in unknown])
    found.more["packages"] = packages
    found.not_run["known vulnerabilities (pip-audit)"] = "its database cannot be reached from here"
    found.not_run["hashes of packages"] = "a package registry has them, not what is installed"
    return found


def _tests(found: Findings) -> None:
    """The tests of `TESTS`, and the plugin's own proof that it blocks."""
    files = [f"tests/{name}.py" for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-p", "tests.campaign.no_sockets"]
    done = subprocess.run(
        [*command, *files], capture_output=True, text=True, cwd=ROOT, env=environment()
    )
    counts = re.search(r"(\d+) passed", done.stdout)
    found.count("tests without network", int(counts[1]) if counts else 0)
    found.check("tests pass without network", [done.stdout[-300:]] if done.returncode else [])
    code = (
        "from tests.campaign import no_sockets; no_sockets.pytest_configure()\n"
        "import urllib.request; urllib.request.urlopen('https://192.0.2.1', timeout=1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment()
    )
    blocked = "a test asks for 192.0.2.1" in done.stderr
    found.check("the plugin blocks", [] if blocked else [done.stderr[-300:]])


def _evaluated() -> Iterator[str]:
    """Calls of `eval` and the like in the package."""
    refused = ("eval", "exec", "compile", "__import__")
    ends = ("pickle.loads", "pickle.load", "torch.load", "yaml.load", "os.system", "marshal.loads")
    for path in sorted((ROOT / "lib").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in refused or name in ends:
                    yield f"{path.relative_to(ROOT)}, line {node.lineno} calls {name}"


def installed_packages() -> list[dict[str, Any]]:
    """Name, version, licence and whether it is pinned of all that the project needs, by name."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    direct = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pins = dict(_pins(direct) for direct in direct)
    if LOCK.is_file():
        lines = LOCK.read_text(encoding="utf-8").splitlines()
        pins |= dict(_pins(line) for line in lines if line and not line.startswith("#"))
    waiting, seen = [Requirement(text) for text in direct], {}
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform or an extra that is not asked for
        extras = {"", *wanted.extras}
        if extras <= seen.get(name, (set(), None))[0]:
            continue
        seen[name] = (seen.get(name, (set(), None))[0] | extras, package)
        for text in package.requires or []:
            other = Requirement(text)
            marker = other.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(other)
    return [_described(name, package, pins) for name, (_, package) in sorted(seen.items())]


def write_lock() -> None:
    """Write `constraints.txt` from what is installed, once all tests pass with it."""
    lines = [
        f"{each['name']}=={each['version']}{_marker(each['name'])}" for each in installed_packages()
    ]
    about = [
        "# Versions of all packages, with those they need, in an environment where the tests pass.",
        "# python -m tests.campaign.closed writes them.",
    ]
    write_text(LOCK, "\n".join([*about, *lines]) + "\n")


def _marker(name: str) -> str:
    """Which Python a package asks for, where some Python 3.11 will not do: pip leaves it free."""
    asked = SpecifierSet(metadata.distribution(name).metadata.get("Requires-Python") or "")
    if "3.11.0" in asked:
        return ""
    terms = (f'python_full_version {each.operator} "{each.version}"' for each in asked)
    return f"; {' and '.join(sorted(terms))}"


def _pins(text: str) -> tuple[str, str]:
    match = PIN.fullmatch(text.strip())
    assert match, f"{text} is no exact pin"
    return canonicalize_name(match[1]), match[2]


def _described(name: str, package: metadata.Distribution, pins: dict[str, str]) -> dict[str, Any]:
    about = package.metadata
    version = package.version.partition("+")[0]  # without a label such as +cpu
    listed = [
        each.rpartition(" :: ")[2]
        for each in about.get_all("Classifier") or []
        if each.startswith("License ::") and not each.endswith("OSI Approved")
    ]
    text = (about.get("License") or "").strip().splitlines()
    licence = (
        about.get("License-Expression") or ", ".join(listed) or (text[0][:60] if text else "?")
    )
    return {
        "name": name,
        "version": version,
        "licence": licence,
        "pinned": pins.get(name) == version,
    }


if __name__ == "__main__":
    write_lock()
