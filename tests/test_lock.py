"""The lock: every package with hashes, what of it is installed where, and how it is written."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from scripts import lock as locks  # noqa: E402
from tests.campaign import locking  # noqa: E402

LOCK = (ROOT / "constraints.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
A, B, C = ("a" * 64, "b" * 64, "c" * 64)
RESOLVED = f"""\
numpy==2.4.6 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
nvidia-cublas==13.1.1.3 ; sys_platform == 'linux' \\
    --hash=sha256:{A}
pytest==9.2.0 \\
    --hash=sha256:{A}
torch==2.13.0 \\
    --hash=sha256:{B}
"""


def small() -> str:
    base = "\n".join(line for line in RESOLVED.splitlines() if "pytest" not in line)
    return locking.assembled(RESOLVED, base, {C})


def test_every_pin_is_locked_and_every_locked_package_has_hashes() -> None:
    found = locks.sections(LOCK)
    assert list(found) == ["base", "nvidia", "dev"]
    every = [each for part in found.values() for each in part]
    assert all(locks.hashes(each) for each in every)
    names = [locks.pin(each)[0] for each in every]
    assert len(names) == len(set(names))
    base = {"==".join(locks.pin(each)) for each in found["base"]}
    dev = {"==".join(locks.pin(each)) for each in found["dev"]}
    assert {pin.lower() for pin in PROJECT["dependencies"]} <= base
    assert {pin.lower() for pin in PROJECT["optional-dependencies"]["dev"]} <= dev
    assert set(locks.FIRST) <= {locks.pin(each)[0] for each in found["base"]}


def test_markers_are_those_of_the_machines_that_are_covered() -> None:
    linux = {"sys_platform": "linux", "platform_machine": "x86_64"}
    old = {"python_version": "3.11", "python_full_version": "3.11.0"}
    for line in locks.sections(LOCK)["nvidia"]:
        marker = Marker(locks.bare(line).partition(" ; ")[2])
        assert marker.evaluate({**linux, **old})
        assert not marker.evaluate({**old, "sys_platform": "darwin", "platform_machine": "arm64"})
    assert "soupsieve" in {locks.pin(line)[0] for line in locks.versions(LOCK) if ";" not in line}


@pytest.mark.parametrize(
    ("python", "machine", "covered"),
    [
        ("3.11", "Linux-x86_64", True),
        ("3.13", "Darwin-arm64", True),
        ("3.1", "Linux-x86_64", False),
        ("3.15", "Linux-x86_64", False),
        ("3.11", "Darwin-x86_64", False),
    ],
)
def test_the_first_line_says_what_is_covered(python: str, machine: str, covered: bool) -> None:
    assert locks.covers(LOCK, python, machine) is covered


def test_a_lock_is_written_from_what_was_resolved() -> None:
    lock = small()
    assert locks.covers(lock, "3.11", "Linux-x86_64")
    names = {part: [locks.pin(each)[0] for each in found]
             for part, found in locks.sections(lock).items()}  # fmt: skip
    assert names == {"base": ["numpy", "torch"], "nvidia": ["nvidia-cublas"], "dev": ["pytest"]}
    numpy, torch = locks.sections(lock)["base"]
    assert (locks.hashes(numpy), locks.hashes(torch)) == ([A, B], [B, C])
    assert locks.versions(lock) == [
        "numpy==2.4.6", "torch==2.13.0", "nvidia-cublas==13.1.1.3 ; sys_platform == 'linux'",
        "pytest==9.2.0",
    ]  # fmt: skip


def test_what_is_installed_depends_on_the_extra_and_on_the_build_of_torch() -> None:
    def names(extra: str, torch: str) -> list[str]:
        return [locks.pin(each)[0] for each in locks.wanted(small(), extra, torch)]

    assert names("", "2.13.0+cpu") == ["numpy", "torch"]
    assert names("dev", "2.13.0+cpu") == ["numpy", "torch", "pytest"]
    assert names("", "2.13.0") == ["numpy", "torch", "nvidia-cublas"]


def test_what_is_no_pin_is_refused() -> None:
    with pytest.raises(ValueError, match="numpy>=2 is not an exact pin"):
        locks.pin("numpy>=2")


@pytest.mark.parametrize(("pip", "status", "told"), [
    (
        "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2;"
        "echo '    six==1.17.0 from https://x/six.whl:' >&2; exit 1",
        3, "Refused and not installed: the file of six==1.17.0 ",
    ),
    ("echo 'ERROR: no disk' >&2; exit 1", 1, "ERROR: no disk\n"),
    ("exit 0", 0, ""),
])  # fmt: skip
def test_a_file_with_another_hash_is_refused_in_one_sentence(
    pip: str, status: int, told: str, tmp_path: Path
) -> None:
    (tmp_path / ".venv").mkdir()
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\n[ "$1" = -m ] || exit 0\n{pip}\n')
    fake.chmod(0o755)
    code = f". {ROOT}/scripts/environment.sh; ROOT={tmp_path}; install_locked {fake} all ''"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert done.returncode == status
    assert done.stderr.startswith(told)
    assert done.stderr.count("\n") == bool(told)


@pytest.mark.parametrize("covered", [True, False])
def test_hashes_are_asked_for_where_the_lock_covers_the_machine(
    covered: bool, tmp_path: Path
) -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    fake = tmp_path / ".venv" / "bin" / "python"
    fake.parent.mkdir(parents=True)
    fake.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n[ "$3" != covers ] || exit {int(not covered)}\n'
        '[ "$1" != --version ] || echo Python 3.99\n'
    )
    fake.chmod(0o755)
    code = f". {ROOT}/scripts/environment.sh; ROOT={tmp_path}; make_environment dev"
    for _ in range(2):  # the second call does nothing
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
        assert done.returncode == 0
    calls = (tmp_path / "calls").read_text().splitlines()
    installs = [call for call in calls if call.startswith("-m pip install")]
    assert len(installs) == (3 if covered else 1)
    assert sum("--require-hashes" in call for call in installs) == (2 if covered else 0)
    assert installs[-1].endswith(f"--editable {tmp_path}" + ("" if covered else "[dev]"))
    assert done.stderr == ""
    (tmp_path / "pyproject.toml").write_text("# another\n")
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    told = "by version only: constraints.txt has no hashes for Python 3.99 on "
    assert (told in done.stderr) is not covered
