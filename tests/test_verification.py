"""`impossible verify`: every way in which a published run can differ from what it says."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from impossible.cli import main
from impossible.config.params import Params
from impossible.data.digests import digest
from impossible.data.io import read_json, write_json, write_text
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.report.save import save_table
from impossible.runner.ledger import Ledger, write_manifest
from impossible.runner.verification import verify

ROOT = Path(__file__).parents[1]


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A run of one notebook: a record, a model that is left out, a table of the record."""
    run = RunFolder.open(tmp_path / "run")
    record = run.root / "data" / "seen.json"
    write_text(record, '["a"]')
    save_table(run, "seen", pd.DataFrame({"n": [1]}), "One.", "04_pairs", [record])
    ledger = Ledger(run)
    ledger.start("04_pairs", 1)
    paths = [p for p in run.root.rglob("*") if p.is_file() and "work" not in p.parts]
    outputs = {path.relative_to(run.root).as_posix(): digest(path) for path in paths}
    ledger.update("04_pairs", status="done", outputs=outputs | {"models/student": "0" * 64})
    ledger.start("05_dataset", 1)
    ledger.update("05_dataset", status="killed")
    write_manifest(run, Params.load("base"), ledger)
    return run.root


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def test_what_a_run_left_is_intact_and_what_is_not_there_is_said(published: Path) -> None:
    found = verify(published)
    assert (found.intact, found.problems) == (5, [])
    killed, left_out = found.unchecked
    assert "05_dataset ended as killed" in killed
    assert "models/student" in left_out
    assert main(["verify", str(published)]) == 0


@pytest.mark.parametrize("harm", [flip, lambda path: path.write_bytes(b"")], ids=["flip", "empty"])
@pytest.mark.parametrize("name", ["data/seen.json", "tables/seen.csv", "tables/seen.json"])
def test_a_changed_file_is_named(published: Path, name: str, harm: Callable[[Path], None]) -> None:
    harm(published / name)
    (problem,) = verify(published).problems
    assert name in problem
    assert main(["verify", str(published)]) == 2


def test_missing_and_foreign_files_are_named(published: Path) -> None:
    (published / "tables" / "seen.md").unlink()
    (published / "figures").mkdir(exist_ok=True)
    (published / "figures" / "new.png").write_bytes(b"x")
    missing, foreign = verify(published).problems
    assert "seen.md is missing" in missing
    assert "new.png was written by no notebook" in foreign


def test_a_changed_manifest_is_named(published: Path) -> None:
    manifest = read_json(published / "manifest.json")
    manifest["notebooks"]["04_pairs"]["outputs"]["models/student"] = "1" * 64
    write_json(published / "manifest.json", manifest)
    (problem,) = verify(published).problems
    assert "its own digest differs" in problem


def test_a_table_that_does_not_follow_from_its_note_or_data_is_named(published: Path) -> None:
    """All digests of the manifest agree, as after a rerun that left a table behind."""
    manifest = read_json(published / "manifest.json")
    outputs = manifest["notebooks"]["04_pairs"]["outputs"]
    (published / "tables" / "seen.md").write_text("| n |\n|--:|\n| 2 |\n")
    (published / "data" / "seen.json").write_text('["b"]')
    for name in ("tables/seen.md", "data/seen.json"):
        outputs[name] = digest(published / name)
    del manifest["digest"]
    write_json(published / "manifest.json", manifest | {"digest": digest(manifest)})
    data, rows = verify(published).problems
    assert "another version of data/seen.json: run 04_pairs again" in data
    assert "seen.md does not show the rows of seen.json" in rows


def test_a_folder_without_manifest_is_one_sentence(tmp_path: Path) -> None:
    assert main(["verify", str(tmp_path)]) == 2


def test_tables_of_a_former_format_are_rendered_anew(published: Path) -> None:
    name, table = "tables/seen.tex", published / "tables" / "seen.tex"
    now = table.read_bytes()
    write_text(table, "of another version")
    manifest = read_json(published / "manifest.json")
    manifest["notebooks"]["04_pairs"]["outputs"][name] = digest(table)
    del manifest["digest"]
    write_json(published / "manifest.json", manifest | {"digest": digest(manifest)})
    assert "seen.tex does not show the rows" in verify(published).problems[0]
    rendered = runpy.run_path(str(ROOT / "scripts" / "render_tables.py"))["rendered"]
    assert rendered(published) == [name]
    assert table.read_bytes() == now
    assert verify(published).problems == []
    assert rendered(published) == []
    write_text(published / "tables" / "seen.json", "{}")
    write_text(table, "of another version")
    assert rendered(published) == [], "a note that was changed gives no table"
    write_json(published / "manifest.json", read_json(published / "manifest.json") | {"more": 1})
    with pytest.raises(DataError, match="was changed after the run"):
        rendered(published)


def remade(published: Path, **changed: object) -> None:
    """Another manifest with a right digest of itself."""
    manifest = read_json(published / "manifest.json") | changed
    del manifest["digest"]
    write_json(published / "manifest.json", manifest | {"digest": digest(manifest)})


def test_a_manifest_without_its_digest_does_not_pass(published: Path) -> None:
    manifest = read_json(published / "manifest.json")
    del manifest["digest"]
    write_json(published / "manifest.json", manifest)
    (problem,) = verify(published).problems
    assert "manifest.json holds no digest of itself: take the folder as it was" in problem


@pytest.mark.parametrize("text", ["[]", "null", '"a"', "3", "[" * 5000, "{torn", ""])
def test_a_manifest_that_is_no_object_is_one_sentence(published: Path, text: str) -> None:
    write_text(published / "manifest.json", text)
    with pytest.raises(DataError, match=r"manifest\.json .*: take the folder as it was published"):
        verify(published)


NO_NOTEBOOKS: tuple[object, ...] = (
    [], None, "a", {"04_pairs": []}, {"04_pairs": None}, {"04_pairs": {"outputs": ["a"]}},
    {"04_pairs": {"outputs": {"a": 3}}}, {"04_pairs": {"outputs": {"../a": "0"}}},
    {"04_pairs": {"outputs": {"/etc/passwd": "0"}}}, {"04_pairs": {"outputs": {"": "0"}}},
)  # fmt: skip


@pytest.mark.parametrize("notebooks", NO_NOTEBOOKS, ids=str)
def test_a_manifest_of_another_shape_is_one_sentence(published: Path, notebooks: object) -> None:
    remade(published, notebooks=notebooks)
    with pytest.raises(DataError, match=r"manifest\.json: notebooks.* take the folder as it was"):
        verify(published)


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"a": ' + "[" * 900 + "]" * 900 + "}"])
def test_a_manifest_that_no_run_writes_has_no_digest(published: Path, text: str) -> None:
    content = text[:-1] + ', "digest": "0", "notebooks": {}}'
    write_text(published / "manifest.json", content)
    assert "its own digest differs" in verify(published).problems[0]


NO_NOTES: tuple[object, ...] = (
    [], None, "a", {}, {"data": 3}, {"data": {"data/seen.json": 3}},
    {"rows": 3}, {"rows": [3]}, {"rows": [[3]]}, {"rows": [["1", "2"]]}, {"columns": None},
    {"right": ["yes"]}, {"caption": 3}, {"name": None}, {"notebook": []},
)  # fmt: skip


@pytest.mark.parametrize("note", NO_NOTES, ids=str)
def test_a_note_of_another_shape_is_named(
    published: Path, note: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """All digests agree, so that only its shape is wrong."""
    path = published / "tables" / "seen.json"
    write_json(path, read_json(path) | note if isinstance(note, dict) and note else note)
    notebooks = read_json(published / "manifest.json")["notebooks"]
    notebooks["04_pairs"]["outputs"]["tables/seen.json"] = digest(path)
    remade(published, notebooks=notebooks)
    assert main(["verify", str(published)]) == 2
    told = capsys.readouterr()
    assert "seen.json" in told.out + told.err
    assert "take the folder as it was published" in told.out + told.err


def test_a_table_in_another_encoding_is_named(published: Path) -> None:
    (published / "tables" / "seen.md").write_bytes(b"\xff\xfe")
    assert "seen.md is not what the run wrote" in verify(published).problems[0]
