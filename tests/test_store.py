"""Files, digests, shards and randomness: nothing torn, nothing stale, nothing order-dependent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impossible.data import digests
from impossible.data.run_folder import (
    RunFolder,
    Shards,
    digest,
    item_rng,
    map_items,
    read_frame,
    record,
    scalars,
    stage_key,
    write_frame,
    write_json,
)
from impossible.data.schemas import FUNNEL, METRIC_ROWS, item_column
from impossible.errors import DataError

ITEMS = [f"c{number}" for number in range(7)]


def rows(chunk: list[str]) -> pd.DataFrame:
    """Two rows per item drawn from its own generator; none for c3."""
    drawn = [
        {"context_id": item, "reason": str(index), "n": int(item_rng(1, "t", item).integers(99))}
        for item in chunk
        if item != "c3"
        for index in range(2)
    ]
    return pd.DataFrame(drawn, columns=["context_id", "reason", "n"])


def test_frames_keep_types_and_missing_values_and_have_the_same_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "system": ["a", "b"], "metric": "bleu", "value": [0.5, np.nan], "low": np.nan,
            "high": 1.0, "n": 3, "signature": "s",
        }
    )  # fmt: skip
    first = write_frame(tmp_path / "a.parquet", frame, METRIC_ROWS)
    shuffled = write_frame(tmp_path / "b.parquet", frame[frame.columns[::-1]], METRIC_ROWS)
    assert digest(first) == digest(shuffled)
    back = read_frame(first, METRIC_ROWS)
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)
    assert list(tmp_path.iterdir()) in ([first, shuffled], [shuffled, first])


def test_schemas_name_their_item() -> None:
    assert (item_column(FUNNEL), item_column(METRIC_ROWS)) == ("context_id", "system")


@settings(max_examples=15, deadline=None)
@given(chunk=st.integers(1, 9), stop=st.integers(0, 7), order=st.permutations(ITEMS))
def test_shards_do_not_depend_on_chunks_or_interruption(
    tmp_path_factory: pytest.TempPathFactory, chunk: int, stop: int, order: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    map_items(order[:stop], str, rows, Shards(folder, "key", FUNNEL), 2, "before")
    result = map_items(ITEMS, str, rows, Shards(folder, "key", FUNNEL), chunk, "after")
    pd.testing.assert_frame_equal(result, rows(ITEMS), check_dtype=False)


def test_finished_items_are_not_computed_again(tmp_path: Path) -> None:
    seen: list[str] = []

    def compute(chunk: list[str]) -> pd.DataFrame:
        seen.extend(chunk)
        if len(seen) > 4:
            raise KeyboardInterrupt
        return rows(chunk)

    with pytest.raises(KeyboardInterrupt):
        map_items(ITEMS, str, compute, Shards(tmp_path, "key", FUNNEL), 2, "x")
    assert Shards(tmp_path, "key", FUNNEL).done() == {"c0", "c1", "c2", "c3"}
    seen.clear()
    map_items(ITEMS[:4], str, compute, Shards(tmp_path, "key", FUNNEL), 2, "x")
    assert seen == []
    assert Shards(tmp_path, "other", FUNNEL).done() == set()
    assert list(tmp_path.iterdir()) == []


def test_a_torn_tail_is_redone_and_a_damaged_middle_is_an_error(tmp_path: Path) -> None:
    map_items(ITEMS, str, rows, Shards(tmp_path, "key", FUNNEL), 2, "x")
    parts = sorted(tmp_path.iterdir())
    parts[-1].write_bytes(parts[-1].read_bytes()[:50])
    (tmp_path / ".part-000009.parquet.1.tmp").write_bytes(b"half")
    shards = Shards(tmp_path, "key", FUNNEL)
    assert shards.done() == set(ITEMS[:6])
    assert sorted(tmp_path.iterdir()) == parts[:-1]
    assert len(map_items(ITEMS, str, rows, shards, 2, "x")) == 12
    parts[0].write_bytes(b"noise")
    with pytest.raises(DataError, match=r"part-000000.parquet is damaged .* delete the folder"):
        Shards(tmp_path, "key", FUNNEL)


def test_items_must_be_distinct_and_rows_theirs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 items have an id of another item"):
        map_items(["c0", "c0"], str, rows, Shards(tmp_path, "k", FUNNEL), 2, "x")
    with pytest.raises(DataError, match="name other items"):
        map_items(["c0"], str, lambda _: rows(["c1"]), Shards(tmp_path, "k", FUNNEL), 2, "x")


def test_randomness_belongs_to_the_item() -> None:
    draws = {
        item_rng(*arguments).integers(2**60)
        for arguments in ((0, "a", "b", 0), (1, "a", "b", 0), (0, "b", "b", 0), (0, "a", "c", 0),
                          (0, "a", "b", 1), (0, "ab", "", 0))
    }  # fmt: skip
    assert len(draws) == 6
    assert item_rng(0, "a", "b").integers(2**60) == item_rng(0, "a", "b", 0).integers(2**60)
    # fixed for ever: results of one version can be compared with those of the next
    assert item_rng(0, "contexts", "news-0").integers(1000, size=3).tolist() == [124, 240, 920]


def test_digests_are_of_content(tmp_path: Path) -> None:
    for name, order in (("a", (1, 2)), ("b", (2, 1))):
        for number in order:
            path = tmp_path / name / "deep" / f"{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{number}")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    (tmp_path / "b" / "deep" / "1").rename(tmp_path / "b" / "deep" / "3")
    assert digest(tmp_path / "a") != digest(tmp_path / "b")


def test_normalized_code_ignores_what_does_not_act() -> None:
    plain = "def f(x: int) -> int:\n    return x + 1\n"
    noted = 'def f(x: int) -> int:\n    """Doc."""\n    # why\n    return (x +\n        1)\n'
    assert digests.normalized(plain) == digests.normalized(noted)
    assert digests.normalized(plain) != digests.normalized(plain.replace("1", "2"))
    assert digests.normalized('def f():\n    "doc"') == digests.normalized("def f():\n    pass")


def test_imports_are_found_wherever_they_stand() -> None:
    code = (
        "import os, impossible.data.run_folder as s\nfrom impossible import trees\n"
        "def f():\n    from .overlap import lcs\n    from ..records import PAIRS\n"
    )
    found = digests.imported_modules(code, "impossible.text")
    assert {
        "impossible.data.run_folder",
        "impossible.text.tree_edit_distance",
        "impossible.text.rouge",
    } <= found
    assert {"impossible.data.schemas", "impossible.data.schemas.PAIRS"} <= found
    assert not any(name.startswith("os") for name in found)
    closure = digests.module_closure(["impossible.data.run_folder"])
    assert {
        "impossible",
        "impossible.data.run_folder",
        "impossible.data.shards",
        "impossible.data.io",
    } <= set(closure)
    assert "impossible.config.params" not in closure


def test_data_beside_code_repeats_only_what_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "part").mkdir()
    for name in ("__init__.py", "own.py", "other.py", "part/__init__.py", "part/inner.py"):
        (tmp_path / name).write_text("")
    for name in ("own.yaml", "part/words.yaml"):
        (tmp_path / name).write_text("before")
    monkeypatch.setattr(digests, "PACKAGE", tmp_path)

    def changed(module: str, data: str) -> bool:
        found = []
        for text in ("before", "after"):
            digests._module.cache_clear()
            (tmp_path / data).write_text(text)
            found.append(digests.module_closure([f"impossible.{module}"]))
        return found[0] != found[1]

    try:
        assert changed("own", "own.yaml")
        assert not changed("other", "own.yaml"), "a file at the top belongs to its module alone"
        assert changed("part.inner", "part/words.yaml"), "one in a package to all of it"
    finally:
        digests._module.cache_clear()


def test_a_stage_key_follows_inputs_not_paths(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    two.write_text("x")
    key = stage_key({"k": 1}, ["impossible.data.schemas"], [one], ["model"])
    assert key == stage_key({"k": 1}, ["impossible.data.schemas"], [two], ["model"])
    two.write_text("y")
    others = [
        stage_key({"k": 1}, ["impossible.data.schemas"], [two], ["model"]),
        stage_key({"k": 2}, ["impossible.data.schemas"], [one], ["model"]),
        stage_key({"k": 1}, ["impossible.errors"], [one], ["model"]),
        stage_key({"k": 1}, ["impossible.data.schemas"], [one], ["other"]),
    ]
    assert len({key, *others}) == 5


def test_scalars_are_plain_json(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run")
    record(run, "02", ratio=np.float32(0.5), n=np.int64(3), low=float("nan"))
    record(run, "02", curve=np.array([1, 2]))
    write_json(run.scalars / "01.json", {})
    expected = {"01": {}, "02": {"ratio": 0.5, "n": 3, "low": None, "curve": [1, 2]}}
    assert scalars(run) == expected
