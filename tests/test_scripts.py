"""The shell scripts and the pins: one environment, said once, found from any folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import psutil
import pytest
from impossible.config.yaml_files import read_yaml

ROOT = Path(__file__).parents[1]
SCRIPTS = ("run_all.sh", "tests/run.sh", ".ci/run", "scripts/environment.sh")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_bash_and_the_commands_can_be_started(name: str) -> None:
    subprocess.run(["bash", "-n", str(ROOT / name)], check=True)
    assert name == "scripts/environment.sh" or os.access(ROOT / name, os.X_OK)


def test_every_dependency_is_pinned_exactly() -> None:
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", pin) for pin in PINS)
    assert "torch==2.13.0" in PINS


def test_conda_installs_the_lock() -> None:
    environment = read_yaml(ROOT / "environment.yml")
    pip = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert pip == ["--requirement constraints.txt"]
    assert any(str(item).startswith("python=3.1") for item in environment["dependencies"])


def pins(tmp_path: Path, *dependencies: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[project]\ndependencies = {list(dependencies)}\n")
    command = [sys.executable, str(ROOT / "scripts" / "pins.py"), str(path), "dev"]
    return subprocess.run(command, capture_output=True, text=True)


def test_pins_are_compared_with_what_is_installed(tmp_path: Path) -> None:
    torch = next(pin for pin in PINS if pin.startswith("torch=="))
    assert pins(tmp_path, torch).returncode == 0  # also when it is 2.13.0+cpu
    assert "it lacks nonexistent-package==1" in pins(tmp_path, "nonexistent-package==1").stderr
    assert re.search(r"it has torch 2\S+, and 1.0 is pinned", pins(tmp_path, "torch==1.0").stderr)
    assert pins(tmp_path, "torch>=1").returncode == 1


def test_run_all_works_from_any_folder_and_passes_arguments_on(tmp_path: Path) -> None:
    """The active environment satisfies the pins here, so nothing is installed."""
    active = Path(sys.prefix)
    if active == ROOT / ".venv" or not (active / "bin" / "python").exists():
        environment = {**os.environ, "VIRTUAL_ENV": ""}
    else:
        environment = {**os.environ, "VIRTUAL_ENV": str(active)}
    command = ["bash", str(ROOT / "run_all.sh"), "smoke", "--", "kk=3"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2, done.stderr
    assert "there is no parameter kk (did you mean k?)" in done.stderr
    help_text = subprocess.run(
        ["bash", str(ROOT / "run_all.sh"), "--help"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "--until NOTEBOOK" in help_text.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_installation_ends_with_all_that_it_started(number: signal.Signals) -> None:
    code = (
        f". {ROOT}/scripts/environment.sh\n"
        "make_environment() { interruptible sleep 60; }\n"
        "unset VIRTUAL_ENV CONDA_PREFIX\n"
        "use_environment"
    )
    process = subprocess.Popen(
        ["bash", "-c", code], stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # as on a terminal
    )  # fmt: skip
    children: list[psutil.Process] = []
    while not children or children[0].name() != "sleep":
        time.sleep(0.1)
        children = psutil.Process(process.pid).children()
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert error == "Stopped: run the command again to go on.\n"
    psutil.wait_procs(children, timeout=30)
    assert not any(child.is_running() for child in children)
