"""Results at a URL: put as they come, fetched by whoever goes on, and one sentence for a failure.

`file://` and `memory://` stand in for object storage, and a storage that fails when it is told to.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from conftest import Write
from fsspec.implementations.memory import MemoryFileSystem
from impossible.cli import main
from impossible.data import remote_folder
from impossible.data.digests import digest
from impossible.data.remote_folder import OWNER, kept_in_step, local_copy
from impossible.errors import RunError

URL = "failing://bucket/run"

ONE = '(run / "data" / "one.txt").write_text("one"); log("one")'
TWO = '(run / "data" / "two.txt").write_text("two"); log("two")'
UNITS = """import time, pandas as pd
from impossible.data.schemas import FUNNEL
from impossible.data.units import Unit, map_units
import slow
rows, _ = map_units(slow.unit, [Unit(f"u{i}", str(run)) for i in range(8)], params, stage.run,
                    "slow", FUNNEL)
rows.to_csv(run / "data" / "units.csv", index=False)"""
SLOW = """import os
import time
import pandas as pd
def unit(unit, params, models):
    time.sleep(1)
    with open(os.path.join(unit.payload, "work", "log"), "a") as file:
        file.write(unit.id + "\\n")
    return pd.DataFrame({"context_id": [unit.id], "reason": ["kept"], "n": [1]}), pd.DataFrame()
"""


class Failing(MemoryFileSystem):  # type: ignore[misc]
    """Storage in memory that breaks in the middle of a write, and may do more than that wrong.

    Attributes:
        left: files that may still be put; the next one is cut in its middle.
        refuses: names of methods that are not allowed.
    """

    protocol = "failing"
    store: dict[str, Any] = {}  # noqa: RUF012 - as its parent has it
    pseudo_dirs: list[str] = [""]  # noqa: RUF012
    left: int = 10**6
    refuses: tuple[str, ...] = ()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        stripped: str = super()._strip_protocol(path.removeprefix("failing:/"))
        return stripped

    def put_file(self, local: str, path: str, **_: Any) -> None:
        self._may("put_file")
        content = Path(local).read_bytes()
        if Failing.left <= 0:
            self.pipe_file(path, content[: len(content) // 2])
            raise OSError(errno.EIO, "connection reset")
        Failing.left -= 1
        self.pipe_file(path, content)

    def find(self, *args: Any, **options: Any) -> Any:
        self._may("find")
        return super().find(*args, **options)

    def cat_file(self, *args: Any, **options: Any) -> Any:
        self._may("cat_file")
        return super().cat_file(*args, **options)

    def pipe_file(self, *args: Any, **options: Any) -> Any:
        self._may("pipe_file")
        return super().pipe_file(*args, **options)

    def _may(self, name: str) -> None:
        if name in Failing.refuses:
            raise PermissionError(errno.EACCES, "Forbidden")


@pytest.fixture(autouse=True)
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What lies in the storage, path → file."""
    fsspec.register_implementation("failing", Failing, clobber=True)
    monkeypatch.setattr(remote_folder, "EVERY", 0.02)
    Failing.left, Failing.refuses = 10**6, ()
    yield Failing.store
    Failing.store.clear()


def here(folder: Path) -> dict[str, str]:
    """What a run left that is no note about time."""
    found = (path for part in ("data", "notebooks") for path in (folder / part).rglob("*"))
    return {path.name: digest(path) for path in found if path.is_file()}


def put(copy: Path, **files: str) -> None:
    for name, text in files.items():
        (copy / f"{name}.txt").write_text(text)


def text(storage: dict[str, Any], name: str) -> str:
    content: bytes = storage[f"/bucket/run/{name}"].getvalue()
    return content.decode()


# A run


def test_a_run_at_a_url_and_the_next_one_on_another_machine(
    checkout: Path, write: Write, capsys: pytest.CaptureFixture[str], storage: dict[str, Any]
) -> None:
    write("01_one", ONE, outputs=["data/one"])
    assert main(["run", "test", "--results", URL]) == 0
    copy = local_copy(URL)
    assert copy.parent == checkout / "scratch"
    assert f"Results: {URL}\n" in capsys.readouterr().out
    assert not list((checkout / "results").iterdir())
    names = {path.removeprefix("/bucket/run/") for path in storage}
    assert {"manifest.json", OWNER, "data/one.txt", "notebooks/01_one.ipynb"} < names
    assert not [name for name in names if "/." in name or name.endswith((".lock", ".tmp", ".new"))]
    before = here(copy)
    shutil.rmtree(copy)
    assert main(["run", "test", "--results", URL]) == 0
    said = capsys.readouterr().out
    assert f"{len(names) - 1} files fetched from {URL}\n" in said
    assert "unchanged, skipped" in said
    assert here(copy) == before
    assert main(["verify", URL]) == 0
    storage["/bucket/run/data/one.txt"].write(b"other")
    assert main(["verify", URL]) == 2
    assert f"{URL}/data/one.txt is not what the run wrote" in capsys.readouterr().out


def test_a_run_that_is_killed_goes_on_elsewhere(
    checkout: Path,
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    write("01_one", ONE, outputs=["data/one"])
    write("02_units", UNITS, inputs=["data/one"], outputs=["data/units"])
    there = tmp_path / "there"
    url = there.as_uri()
    command = [sys.executable, "-m", "impossible.cli", "run", "test", "--results", url]
    paths = [str(tmp_path), *filter(None, sys.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(command, env=environment, cwd=checkout, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while len(list((there / "work" / "slow").glob("*.parquet"))) < 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(2)  # its kernel ends too
    safe = {path.name for path in there.rglob("work/slow/*.parquet")}
    begun = (local_copy(url) / "work" / "log").read_text().split()
    assert 3 <= len(safe) < 8
    assert len(begun) <= 1 + len(safe) + 4  # the first notebook; in flight, or not yet put
    shutil.rmtree(local_copy(url))
    assert main(["run", "test", "--results", url]) == 0
    assert safe <= {path.name for path in (there / "work" / "slow").glob("*.parquet")}
    expected = "context_id,reason,n\n" + "".join(f"u{i},kept,1\n" for i in range(8))
    assert (there / "data" / "units.csv").read_text() == expected
    assert capsys.readouterr().out.count("01_one                       unchanged, skipped") == 1


def test_a_url_without_a_run_is_not_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", URL]) == 2
    assert f"{URL} has no manifest.json" in capsys.readouterr().err


def test_without_a_url_fsspec_is_not_imported(checkout: Path, write: Write) -> None:
    write("01_one", ONE, outputs=["data/one"])
    program = (
        "import sys, impossible.data.remote_folder\n"
        "from impossible.cli import main\n"
        "sys.modules['fsspec'] = None\n"  # whoever imports it fails
        "assert main(['run', 'test']) == 0"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (checkout / "results" / "test" / "data" / "one.txt").is_file()


# Storage that fails


def test_storage_that_fails_for_a_while_is_told_once_and_nothing_is_missing(
    tmp_path: Path, storage: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with kept_in_step(URL, tmp_path):
        Failing.left = 0
        put(tmp_path, one="1", two="2")
        time.sleep(0.3)
        Failing.left = 10
    said = capsys.readouterr().err
    assert said.count("connection reset") == 1
    assert f"what was computed lies in {tmp_path}. This run goes on." in said
    assert (text(storage, "one.txt"), text(storage, "two.txt")) == ("1", "2")


def test_storage_that_fails_in_the_middle_of_a_write_ends_the_run_and_loses_nothing(
    checkout: Path, write: Write, capsys: pytest.CaptureFixture[str], storage: dict[str, Any]
) -> None:
    write("01_one", ONE, outputs=["data/one"])
    write("02_two", TWO, inputs=["data/one"], outputs=["data/two"])
    Failing.left = 3
    assert main(["run", "test", "--results", URL]) == 2
    said = capsys.readouterr()
    last = said.err.splitlines()[-1]
    assert last.startswith(f"impossible: {URL}: the storage fails ([Errno 5] connection reset)")
    assert f"lies in {local_copy(URL)}" in last
    assert len(storage) == 4  # the owner's note and three whole files: nothing of the cut one
    assert (local_copy(URL) / "data" / "two.txt").is_file()
    Failing.left = 10**6
    assert main(["run", "test", "--results", URL]) == 0
    assert (local_copy(URL) / "work" / "log").read_text() == "one\ntwo\n"
    assert capsys.readouterr().out.count("unchanged, skipped") == 2
    assert text(storage, "data/two.txt") == "two"


def test_a_failure_of_both_is_told_by_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def both() -> None:
        with kept_in_step(URL, tmp_path):
            Failing.left = 0
            put(tmp_path, one="1")
            raise RunError("a notebook failed")

    with pytest.raises(RunError, match="^a notebook failed$"):
        both()
    assert "connection reset" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("refuses", "says"),
    [
        (("pipe_file",), "the storage fails .*Forbidden.*check the name, your rights"),
        (("cat_file",), "the storage fails .*Forbidden"),
        (("find",), "the storage fails .*Forbidden"),
    ],
)
def test_a_bucket_without_rights_is_told_before_anything_starts(
    checkout: Path, write: Write, refuses: tuple[str, ...], says: str
) -> None:
    write("01_one", ONE, outputs=["data/one"])
    (local_copy(URL) / "work").mkdir(parents=True)
    (local_copy(URL) / OWNER).write_text('{"owner": "me", "known": {}}')
    Failing.refuses = refuses
    with pytest.raises(RunError, match=says), kept_in_step(URL, local_copy(URL)):
        raise AssertionError("it began")
    assert json.loads((local_copy(URL) / OWNER).read_text())["owner"] == "me"


def test_what_is_not_listed_would_be_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "find", lambda *_: [])
    with pytest.raises(RunError, match="right to list"), kept_in_step(URL, tmp_path):
        pass


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("xyz://bucket/run", "Protocol not known: xyz.*give a folder, or file://, s3://"),
        ("lacking://bucket/run", r"\(pip install lacking\): give .* same version as fsspec"),
        ("memory://", "names no folder: give one, such as memory://bucket/run"),
    ],
)
def test_a_url_that_nobody_reads(
    checkout: Path, write: Write, capsys: pytest.CaptureFixture[str], url: str, says: str
) -> None:
    fsspec.register_implementation(
        "lacking", "no_such_package.Lacking", clobber=True, errtxt="pip install lacking"
    )
    write("01_one", ONE, outputs=["data/one"])
    assert main(["run", "test", "--results", url]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert re.search(says, error)
    assert main(["verify", url]) == 2
    assert main(["plan", "test", "--results", url]) == 2
    assert "give one, or none" in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, storage: dict[str, Any]) -> None:
    Failing().pipe_file("/bucket/run/photo.jpg", b"x")
    with pytest.raises(RunError, match="other files than a run's"), kept_in_step(URL, tmp_path):
        pass
    assert list(storage) == ["/bucket/run/photo.jpg"]
    assert not list(tmp_path.iterdir())


# Two machines


def test_what_is_newer_counts(tmp_path: Path, storage: dict[str, Any]) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    part = "work/units/x-" + digest_of("part") + ".parquet"
    with kept_in_step(URL, one):
        put(one, ledger="old", lost="x")
        (one / "work/units").mkdir()
        (one / part).write_text("part")
    (one / "lost.txt").unlink()
    put(one, ledger="new")  # after its storage has failed, say
    with kept_in_step(URL, one):  # nobody was there since: it goes on
        assert (one / "ledger.txt").read_text() == "new"
        assert (one / "lost.txt").read_text() == "x"
    assert text(storage, "ledger.txt") == "new"
    with kept_in_step(URL, two):
        assert (two / "ledger.txt").read_text() == "new"
        put(two, ledger="newer")
        (two / "lost.txt").unlink()
    assert "/bucket/run/lost.txt" not in storage
    put(one, ledger="an old branch", own="mine")
    before = (one / part).stat().st_ino
    with kept_in_step(URL, one):
        assert (one / "ledger.txt").read_text() == "newer"
    assert (one / part).stat().st_ino == before  # its name says what it holds
    assert text(storage, "own.txt") == "mine"


def digest_of(content: str) -> str:
    import hashlib

    return hashlib.sha256(content.encode()).hexdigest()[:16]


def test_who_starts_last_owns_the_folder(
    tmp_path: Path, storage: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "1", tmp_path / "2"

    def both() -> None:
        with kept_in_step(URL, one):
            put(one, ledger="one")
            time.sleep(0.2)
            with kept_in_step(URL, two):
                assert (two / "ledger.txt").read_text() == "one"
                put(two, ledger="two")
            put(one, ledger="still one")

    with pytest.raises(RunError, match=f"another run has begun there since.*lies in {one}"):
        both()
    assert text(storage, "ledger.txt") == "two"
    assert (one / "ledger.txt").read_text() == "still one"


def test_two_runs_of_one_machine(
    checkout: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    from impossible.data.run_folder import RunFolder
    from impossible.runner.ledger import locked

    write("01_one", ONE, outputs=["data/one"])
    with locked(RunFolder.open(local_copy(URL)), "copy.lock"):
        assert main(["run", "test", "--results", URL]) == 2
    assert "Another run works in" in capsys.readouterr().err


def test_names_that_lead_out_of_the_folder_are_passed_over(
    tmp_path: Path, storage: dict[str, Any]
) -> None:
    Failing().pipe_file("/bucket/run/manifest.json", b"{}")
    for name in ("/bucket/run/../out.txt", "/bucket/run//out.txt", "/bucket/run/.x.tmp"):
        storage[name] = storage["/bucket/run/manifest.json"]
    copy = tmp_path / "copy"
    with kept_in_step(URL, copy):
        assert sorted(path.name for path in copy.rglob("*.*")) == ["manifest.json", "owner.json"]
    assert list(tmp_path.iterdir()) == [copy]


def test_nothing_is_removed_there_because_the_local_disk_is_gone(
    tmp_path: Path, storage: dict[str, Any]
) -> None:
    copy = tmp_path / "copy"
    with kept_in_step(URL, copy):
        put(copy, one="1")
        time.sleep(0.2)
        shutil.rmtree(copy)
        time.sleep(0.2)
    assert text(storage, "one.txt") == "1"


def test_a_written_file_is_seen_whole_or_not_at_all(tmp_path: Path) -> None:
    copy, there = tmp_path / "copy", tmp_path / "there"
    with kept_in_step(there.as_uri(), copy):
        put(copy, one="1")
    assert sorted(path.name for path in there.rglob("*") if path.is_file()) == [
        "one.txt", "owner.json",
    ]  # fmt: skip
