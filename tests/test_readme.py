"""The numbers and verdicts of README and docs are those of the committed runs."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from impossible.data.io import read_json
from impossible.evaluation.metrics import METRICS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")


def test_tables_come_from_the_committed_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    for mark in ("numbers", "claims"):
        assert TEXT.count(f"<!-- {mark}: ") == TEXT.count(f"<!-- /{mark} -->") == 1
    assert readme.filled(TEXT) == TEXT, "run: python scripts/readme.py"
    shutil.copytree(readme.RUN / "scalars", tmp_path / "run" / "scalars")
    path = tmp_path / "run" / "scalars" / "09_evaluation.json"
    found = readme.read(tmp_path / "run")["09_evaluation"]
    path.write_text(path.read_text().replace(str(found["M_para, fidelity"]), "12.3"))
    assert "12.3 %" in readme.filled(TEXT, tmp_path / "run")
    sys.modules.pop("readme")


def test_the_readme_is_short_and_its_table_is_the_shipped_critic_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    page = (ROOT / "README.md").read_text(encoding="utf-8")
    english = (ROOT / "docs" / "english.md").read_text(encoding="utf-8")
    assert readme.filled(page) == page, "run: python scripts/readme.py"
    assert "the English critic" in english
    assert readme.filled(english) == english, "run: python scripts/readme.py"
    page = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    prose = [line for line in page.splitlines() if not line.startswith(("|", "<!--"))]
    assert len(" ".join(prose).split()) <= 700
    sys.modules.pop("readme")


def test_readme_s_english_tables_follow_their_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    pairs = [("D_para", 1, 0, 1, 1), ("D_para", 0, 0, 1, 1), ("paraphraser", 1, 1, 0, 1)]
    names = ("of", "reader_1", "reader_2", "referee", "new")
    file = tmp_path / "readings.json"
    file.write_text(json.dumps({"pairs": [dict(zip(names, row, strict=True)) for row in pairs]}))
    first, second, agree = readme.read_blind(file)[2:]
    assert first.startswith("| D_para, 2 pairs | 50 %; 0 %; 0 [")
    assert first.endswith("] %; 0 %; 100 % | `readings.json` |")
    assert second.startswith("| paraphraser, 1 pairs | 100 %; 100 %; 100 [")
    assert "all 3 pairs, Cohen's κ | 0.40 |" in agree  # 2 of 3 alike, 4 of 9 by chance
    wide = tmp_path / "english-full"
    assert "`english/tables/expectations_09.csv`" in readme.outcomes(wide=wide)
    shutil.copytree(readme.WIDE / "tables", wide / "tables")
    assert readme.outcomes(wide=wide) == readme.outcomes()
    path = wide / "tables" / "expectations_09.json"
    path.write_text(path.read_text().replace('"open"', '"OPEN"'))
    assert readme.outcomes(wide=wide) != readme.outcomes()
    assert "**OPEN**" in readme.first_outcomes(wide=wide)
    assert "| dev loss of the kept epoch, % of the first | 100.0 | < 90 |" in readme.refuted()
    assert readme.refuted([wide]).startswith("`english-full`: ")
    sys.modules.pop("readme")


def test_the_thread_says_what_critics_and_readers_say_of_its_pair(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    run, file = tmp_path / "english", tmp_path / "readings.json"
    for part in ("scalars", "tables", "data"):
        shutil.copytree(readme.RUN_ENGLISH / part, run / part)
    changed = {"04_pairs_critics": {"n_pairs": 2_000}, "03_contexts_sentences": {"n_contexts": 20}}
    changed["05_dataset"] = {"n_dataset": 50, "contexts_with_pairs": 4}
    for name, numbers in changed.items():
        (run / "scalars" / f"{name}.json").write_text(json.dumps(numbers))
    pairs = [{"of": "D_T", "reader_1": True, "reader_2": i > 2, "new": True} for i in range(4)]
    file.write_text(json.dumps({"pairs": pairs}))
    critics, often, readers = readme.thread(run, readings=file).splitlines()[-3:]
    assert re.search(r"y follows from x: 0\.\d\d, x from y: 0\.\d\d; ROUGE-L \d\d %", critics)
    assert "| 50 of 2,000 ordered pairs of sentences (2.5 %), in 4 of 20 contexts |" in often
    assert "two call 25 % of 4 accepted pairs" in readers
    sys.modules.pop("readme")


def test_claim_9_is_shown_before_and_after_its_parts_at_equal_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    ledger = read_json(readme.FULL / "claims.json")
    for part in ledger["claims"][8]["parts"][2:]:
        part["verdict"] = "not reproduced"
    (tmp_path / "claims.json").write_text(json.dumps(ledger))
    before, equal, _ = readme.self_distillation(tmp_path).splitlines()[2:]
    assert before == readme.self_distillation().splitlines()[2]
    assert equal.endswith("| not reproduced |")
    sys.modules.pop("readme")


@pytest.mark.parametrize("name", ["paper", "parameters", "outcomes"])
def test_pages_that_a_script_fills_are_up_to_date(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import readme

    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert readme.filled(page) == page, "run: python scripts/readme.py"
    sys.modules.pop("readme")


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_files_named_beside_the_paper_s_tables_are_a_run_s() -> None:
    text = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tables|figures)/[\w*]+)`", text)
    assert len(named) > 20
    for name in named:
        assert list((ROOT / "results" / "laboratory").glob(f"{name}.*")), name


def test_headings_and_titles_use_the_words_of_the_glossary() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / "words.md").read_text(encoding="utf-8").splitlines()[6:]
    ]
    assert len(rows) == 12
    avoided = re.compile(rf"\b({'|'.join(row[2] for row in rows)})s?\b", re.IGNORECASE)
    assert avoided.search("All gates"), "the test sees what it looks for"
    said = [str(metric.title) for metric in METRICS.values()]
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        for cell in read_json(path)["cells"]:
            if cell["cell_type"] == "markdown":
                said += re.findall(r"^#+ .*", "".join(cell["source"]), re.MULTILINE)
    assert [text for text in said if avoided.search(text)] == []
