"""A notebook opened by hand: it reads copies of the published inputs and writes beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write
from impossible.data.digests import digest
from impossible.data.run_folder import RunFolder
from impossible.errors import ParameterError, RunError
from impossible.notebook import Stage, begin


@pytest.fixture
def published(checkout: Path, write: Write) -> RunFolder:
    """A run whose second notebook reads what the first one wrote."""
    write("01_one", outputs=["data/one", "models/student"])
    write("02_two", inputs=["data/one", "models/student?", "scalars/*?"], outputs=["tables/two"])
    run = RunFolder.open(checkout / "results" / "test")
    run.data("one").write_text("published")
    (run.models / "student").mkdir()
    (run.models / "student" / "config.json").write_text("{}")
    (run.scalars / "02_two.json").write_text("{}")
    return run


def opened(**overrides: object) -> Stage:
    return begin("02_two", "test", overrides)


def test_inputs_are_copied_and_nothing_published_changes(
    checkout: Path, published: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest(published.root)
    monkeypatch.delenv("IMPOSSIBLE_ROOT")
    for folder in ("notebooks", ".", "params"):  # as Jupyter starts it, or a terminal
        monkeypatch.chdir(checkout / folder)
        stage = opened()
        assert stage.run.root == checkout / "scratch" / "test"
        assert stage.run.data("one").read_text() == "published"
        assert (stage.run.models / "student" / "config.json").is_file()
        stage.run.data("one").write_text("mine")
        (stage.run.models / "student" / "config.json").write_text("mine")
        stage.run.tables.joinpath("two.csv").write_text("x")
        stage.finish(n=1)
        stage.run.data("one").unlink()  # copied anew by the next
    assert digest(published.root) == before


def test_a_copy_follows_the_original_and_what_was_made_by_hand_stays(published: RunFolder) -> None:
    copy = opened().run.data("one")
    published.data("one").write_text("new")
    assert opened().run.data("one").read_text() == "new"
    copy.write_text("mine")
    published.data("one").write_text("newer")
    assert opened().run.data("one").read_text() == "mine"
    copy.unlink()
    assert opened().run.data("one").read_text() == "newer"


def test_what_is_missing_is_named_with_who_writes_it(published: RunFolder) -> None:
    published.data("one").unlink()
    with pytest.raises(
        RunError, match=r"02_two needs data/one in .*scratch/test: run 01_one first"
    ):
        opened()


def test_overrides_have_their_own_folder(checkout: Path, published: RunFolder) -> None:
    with pytest.raises(RunError, match="scratch/test-k=7: run 01_one first"):
        opened(k=7)
    with pytest.raises(ParameterError, match="there is no parameter kk"):
        opened(kk=7)
    assert opened(batch_tokens=512).run.root == checkout / "scratch" / "test"


def test_results_are_written_where_they_say(checkout: Path, published: RunFolder) -> None:
    stage = begin("02_two", "test", {}, "results/test")
    assert stage.run.root == published.root
    assert not (checkout / "scratch").exists()
