"""Further seeds: which, with which notebooks, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest
from impossible.config.params import Params
from impossible.config.places import project_root
from impossible.runner import seeds
from impossible.runner.notebook_spec import Selection, stages
from impossible.runner.seeds import needed, run_replicated, seeds_of

NOTEBOOKS = stages(project_root() / "notebooks")


def numbers(names: frozenset[str]) -> set[str]:
    return {name.partition("_")[0] for name in names}


def test_what_is_trained_is_repeated_less_often() -> None:
    assert seeds_of(Params.load("base")) == {}
    found = seeds_of(Params.load("base", {"seed": 3, "sampled_seeds": 4, "trained_seeds": 2}))
    assert found == {4: ["sampled", "trained"], 5: ["sampled"], 6: ["sampled"]}


def test_only_what_the_claims_read_and_what_it_builds_on() -> None:
    sampled, trained = (numbers(needed(NOTEBOOKS, [kind])) for kind in ("sampled", "trained"))
    assert sampled == {"01", "02", "03", "04", "05", "17"}
    assert {"01", "03", "04", "05", "06", "07", "09", "10", "13", "14"} <= trained
    assert {"08", "11"} <= trained  # Tables 1 and 5
    assert not {"15", "16"} & trained  # no claim reads examples, and people rate no further seeds


def test_own_run_then_seeds_then_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[int, str, Selection]] = []

    def record(params: Params, folder: Path, selection: Selection) -> Path:
        calls.append((params.seed, folder.relative_to(tmp_path).as_posix(), selection))
        return folder / "report.html"

    monkeypatch.setattr(seeds, "run_all", record)
    params = Params.load("base", {"sampled_seeds": 3, "trained_seeds": 2})
    run_replicated(params, tmp_path / "run")
    assert [call[:2] for call in calls] == [
        (0, "run"), (1, "run/seeds/1"), (2, "run/seeds/2"), (0, "run"),
    ]  # fmt: skip
    own, first, second, last = (call[2] for call in calls)
    assert second.names < first.names < own.names
    assert last.start not in own.names
    calls.clear()
    run_replicated(params, tmp_path / "run", Selection(only="02"))
    assert len(calls) == 1  # a part of the notebooks is run as it is
