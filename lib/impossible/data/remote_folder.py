"""A results folder on object storage, or wherever else fsspec can write, by its URL.

A run works in a local copy as in any folder and knows nothing of this. Beside it a thread looks
every second what has changed, and puts it: in the order in which it was written, so that what is
there is always a state that the run has been in; never temporary files. Whoever starts next with
the same URL, here or on another machine, fetches what is there and goes on. The one who started
last owns the folder: another run that still puts there ends with a sentence. fsspec is imported
when a URL is used.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from impossible.config.places import project_root
from impossible.data.digests import digest
from impossible.data.io import is_below, read_object, replacing, write_json
from impossible.errors import DataError, ImpossibleError, RunError

EVERY = 1.0  # seconds between two looks at the local copy
AT_ONCE = 8  # files that are fetched at the same time
OWNER = "work/owner.json"  # there: who started last; here: also what was in step then

State = tuple[int, int, int]  # of a local file: size, time of its last change, inode


def local_copy(url: str) -> Path:
    """Where a run with this URL works: `scratch/<name>` in the checkout, the same everywhere.

    >>> local_copy("s3://bucket/english").name
    's3_bucket_english-da72342e'
    """
    readable = re.sub(r"[^\w.+=-]+", "_", url, flags=re.ASCII)[:60]
    return project_root() / "scratch" / f"{readable}-{digest(url)[:8]}"


@contextmanager
def kept_in_step(url: str, copy: Path) -> Iterator[None]:
    """Fetch what a remote folder has, and put there what the block changes in the local copy.

    Storage that fails meanwhile is told once and tried again; the block goes on.

    Args:
        url: of the remote folder, such as `s3://bucket/english`.
        copy: the local folder, see `local_copy`; it stays when the block ends.

    Raises:
        RunError: the storage cannot be used, at the beginning or still at the end, or another run
            has taken the remote folder over.
    """
    remote = _Remote(url, copy)
    remote.begin()
    ended = threading.Event()
    beside = threading.Thread(target=remote.follow, args=(ended,), daemon=True)
    beside.start()
    try:
        yield
    finally:
        failed = sys.exception()  # what ended the block is told before what the storage did
        ended.set()
        beside.join()
        try:
            remote.finish()
        except RunError as lost:
            if failed is None:
                raise
            print(lost, file=sys.stderr, flush=True)


@contextmanager
def fetched(url: str) -> Iterator[Path]:
    """The results in a remote folder, without its `work/`: a folder that lasts for the block.

    Raises:
        RunError: the storage cannot be used, or no run has ended there.
    """
    with TemporaryDirectory(prefix="impossible-") as folder:
        remote = _Remote(url, Path(folder))
        names = [name for name in remote.names() if not name.startswith("work/")]
        if "manifest.json" not in names:
            raise RunError(f"{url} has no manifest.json: give the URL of a run's results.")
        remote.fetch(names)
        yield Path(folder)


@dataclass
class _Remote:
    """A remote folder beside its local copy.

    Attributes:
        known: local files that are in step, as they were when they were put or fetched.
    """

    url: str
    copy: Path
    me: str = field(default_factory=lambda: uuid.uuid4().hex)
    known: dict[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files, self.root = _file_system(self.url)

    def begin(self) -> None:
        """Own the remote folder, and fetch what the local copy lacks or another machine renewed."""
        there, mine = self.names(), self._is_mine()
        if there and not {OWNER, "manifest.json"} & set(there):
            raise RunError(
                f"{self.url} holds other files than a run's (such as {there[0]}): give an empty "
                "folder, or one that a run has made."
            )
        with self._told():
            self._write(OWNER, lambda to: self.files.pipe_file(to, json.dumps(self.me).encode()))
        if not there and OWNER not in self.names():
            raise RunError(f"{self.url}: what is put there is not listed: get the right to list.")
        wanted = [name for name in there if name != OWNER and not self._is_here(name, mine)]
        self.fetch(wanted)
        self._save()
        if wanted:
            print(f"{len(wanted)} files fetched from {self.url}", flush=True)

    def follow(self, ended: threading.Event) -> None:
        """Put what changes until it ends; tell when the storage begins to fail."""
        failing = False
        while not ended.wait(EVERY):
            try:
                self.put_changes()
                failing = False
            except ImpossibleError as bad:
                if not failing:
                    print(f"{bad} This run goes on.", file=sys.stderr, flush=True)
                failing = True

    def finish(self) -> None:
        """Put what is left, and note what is in step for the next run here."""
        try:
            self.put_changes()
        finally:
            self._save()

    def names(self) -> list[str]:
        """Files of the remote folder that a run may have put, relative to it."""
        with self._told():
            self.files.invalidate_cache()
            found = self.files.find(self.root)
        names = (path.removeprefix(self.root).removeprefix("/") for path in found)
        return [name for name in names if is_below(name) and _lasts(name)]

    def fetch(self, names: list[str]) -> None:
        """Fetch files, several at a time."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for name in pool.map(self._fetch, names):
                self.known[name] = _state(self.copy, name)

    def put_changes(self) -> None:
        """Put what is new in the local copy, the oldest first, and remove what it lost."""
        now = self._local()
        new = dict(now.items() - self.known.items())
        # nothing is removed there because the local disk is gone
        gone = self.known.keys() - now.keys() if (self.copy / OWNER).is_file() else set()
        if (new or gone) and self._owner() != self.me:
            raise RunError(
                f"{self.url}: another run has begun there since, and this one puts no more; what "
                f"it has computed lies in {self.copy}."
            )
        for name in sorted(new, key=lambda each: new[each][1]):
            if self._put(name):
                self.known[name] = new[name]
        for name in gone:
            with self._told(), suppress(FileNotFoundError):
                self.files.rm_file(self._there(name))
            del self.known[name]

    def _is_mine(self) -> bool:
        """Whether nobody has put there after the local copy: what it has is as new or newer."""
        with suppress(DataError, KeyError):
            noted = read_object(self.copy / OWNER)
            if noted["owner"] == self._owner():
                self.known = {name: tuple(state) for name, state in noted["known"].items()}
                return True
        return False

    def _is_here(self, name: str, mine: bool) -> bool:
        """Whether a file need not be fetched: ours is newer, or named by its own content."""
        path = self.copy / name
        if not path.is_file() or mine:
            return path.is_file()
        same = path.stem.rpartition("-")[2] == digest(path)[:16]
        if same:
            self.known[name] = _state(self.copy, name)
        return same

    def _local(self) -> dict[str, State]:
        """Files of the local copy that may be put."""
        found = {}
        for folder, _, files in os.walk(self.copy):
            below = folder.removeprefix(str(self.copy)).removeprefix("/")
            for name in (f"{below}/{file}".removeprefix("/") for file in files):
                if name != OWNER and _lasts(name):
                    with suppress(FileNotFoundError):  # it was removed meanwhile
                        found[name] = _state(self.copy, name)
        return found

    def _save(self) -> None:
        write_json(self.copy / OWNER, {"owner": self.me, "known": self.known})

    def _owner(self) -> str:
        """Who started there last; empty if nobody."""
        with self._told(), suppress(FileNotFoundError, ValueError):
            return str(json.loads(self.files.cat_file(self._there(OWNER))))
        return ""

    def _there(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _fetch(self, name: str) -> str:
        with replacing(self.copy / name) as temporary, self._told():
            self.files.get_file(self._there(name), str(temporary))
        return name

    def _put(self, name: str) -> bool:
        """Put a local file; False if it was removed meanwhile."""
        path = self.copy / name
        with self._told():
            try:
                self._write(name, lambda there: self.files.put_file(str(path), there))
            except FileNotFoundError:
                if path.exists():
                    raise
                return False
        return True

    def _write(self, name: str, write: Callable[[str], object]) -> None:
        """Write a remote file in one piece: object stores do, others under a temporary name."""
        path = self._there(name)
        if self.files.async_impl:  # what fsspec's object stores have in common
            write(path)
            return
        folder, _, last = path.rpartition("/")
        self.files.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/.{last}.tmp"
        try:
            write(temporary)
            self.files.mv(temporary, path)
        except BaseException:
            with suppress(Exception):
                self.files.rm_file(temporary)
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in one sentence what storage raises, which is of many kinds."""
        try:
            yield
        except ImpossibleError:
            raise
        except Exception as bad:
            reason = (str(bad).strip() or type(bad).__name__).partition("\n")[0]
            raise RunError(
                f"{self.url}: the storage fails ({reason}): check the name, your rights "
                f"there and the network, and run again; what was computed lies in {self.copy}."
            ) from bad


def _file_system(url: str) -> tuple[Any, str]:
    """The file system that fsspec has for a URL, and the path in it."""
    import fsspec

    if not url.partition("://")[2].strip("/"):
        raise RunError(f"{url} names no folder: give one, such as {url.rstrip('/')}//bucket/run.")
    try:
        files, root = fsspec.url_to_fs(url)
    except Exception as bad:  # of an unknown protocol, a missing package, a host without a name
        reason = str(bad).strip().partition("\n")[0]
        raise RunError(
            f"{url} cannot be used as a results folder ({reason}): give a folder, or file://, "
            "s3://, gs:// or what else fsspec writes to; a package that is missing for it must be "
            f"of the same version as fsspec, {fsspec.__version__}."
        ) from bad
    return files, root.rstrip("/")


def _lasts(name: str) -> bool:
    """Whether a file is more than temporary, by its name."""
    return "/." not in f"/{name}" and not name.endswith((".new", ".lock", "/"))


def _state(folder: Path, name: str) -> State:
    status = os.stat(f"{folder}/{name}")
    return status.st_size, status.st_mtime_ns, status.st_ino
