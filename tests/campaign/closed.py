"""Closed: tests without a network, code that evaluates no text, packages with pins and licences."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from scripts import lock as locks

from . import locking
from .common import ROOT, Findings, environment

#: Fast tests of several rooms, in place of all.
SOME = (
    "test_sentences", "test_bleu", "test_bad_lines", "test_store", "test_filters", "test_tables",
    "test_statistics", "test_assets",
)  # fmt: skip


def run(small: bool = False) -> Findings:
    """Sockets, evaluated text, pins; if `small`, only some of the tests without a network."""
    found = Findings()
    _tests(found, SOME if small else ())
    found.check("nothing evaluates text or loads pickles", list(_evaluated()))
    packages = installed_packages()
    found.count("packages, with those they need", len(packages))
    found.count("packages pinned", sum(each["pinned"] for each in packages))
    found.check("every package is the locked one", list(_not_locked(packages)))
    locked = [each for part in locks.sections(_lock()).values() for each in part]
    found.count("packages locked with hashes", sum(bool(locks.hashes(each)) for each in locked))
    bare = [locks.pin(each)[0] for each in locked if not locks.hashes(each)]
    found.check("every locked package has hashes", [f"{name}: none" for name in bare])
    unknown = [each["name"] for each in packages if each["licence"] == "?"]
    found.check("every package tells its licence", [f"{name}: none" for name in unknown])
    found.more["packages"] = packages
    found.not_run["known vulnerabilities (pip-audit)"] = "its database cannot be reached from here"
    return found


def _tests(found: Findings, names: Sequence[str]) -> None:
    """The tests of these names, or the whole suite; and the plugin's own proof that it blocks."""
    files = [f"tests/{name}.py" for name in names]
    both = ["--numprocesses", "2", "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", "-p", "tests.campaign.no_sockets", *both]
    done = subprocess.run(
        [*command, *files], capture_output=True, text=True, cwd=ROOT, env=environment()
    )
    counts = re.search(r"(\d+) passed", done.stdout)
    found.count("tests without network", int(counts[1]) if counts else 0)
    case = "these tests" if names else "the whole suite"
    told = re.findall(r"^(?:FAILED|ERROR) .*|^\d+ (?:failed|error).*", done.stdout, re.MULTILINE)
    problem = "; ".join(told) or done.stdout[-300:]
    found.check(f"{case} without network", [problem] if done.returncode else [])
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
    pins = dict(locks.pin(each.lower()) for each in direct)
    pins |= dict(locks.pin(each) for part in locks.sections(_lock()).values() for each in part)
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
    """Write `constraints.txt` from what is installed, but for what not every Python 3.11 takes."""
    packages = [each["name"] for each in installed_packages()]
    asked = {name: metadata.distribution(name).metadata["Requires-Python"] for name in packages}
    locking.write_lock({
        name: metadata.version(name).partition("+")[0]
        for name in packages
        if "3.11.0" in SpecifierSet(asked[name] or "")
    })  # fmt: skip


def _lock() -> str:
    return locking.LOCK.read_text(encoding="utf-8") if locking.LOCK.is_file() else ""


def _not_locked(packages: list[dict[str, Any]]) -> Iterator[str]:
    """What is installed in another version than the locked one, or not locked at all."""
    for each in packages:
        if not each["pinned"]:
            yield f"{each['name']} {each['version']} is installed, and not locked so"


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
