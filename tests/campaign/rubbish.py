"""Rubbish in: a table of bad inputs to every command, each refused in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from impossible.data.digests import digest
from impossible.text.sentence_boundaries import split_sentences

from .common import ROOT, Answer, Findings, ask, environment
from .rubbish_cases import CASES, Case
from .rubbish_files import GOOD, write_all

#: Begins every notebook by hand, as the first cell does in Jupyter, and records a number.
BY_HAND = """
from impossible import notebook
from impossible.config.places import project_root
from impossible.errors import RunError
begun = 0
for path in sorted((project_root() / "notebooks").rglob("*.ipynb")):
    try:
        notebook.begin(path.stem, "english").finish(a=1)
        begun += 1
    except RunError as bad:
        assert "first, in Jupyter" in str(bad), bad
print(begun)
"""

#: Row 9: a text → its sentences.
SENTENCES = {
    "He paid the tab. Then he left.": 2,
    "She ate a fig. It was ripe.": 2,
    "The answer was no. Nobody was surprised.": 2,
    "He lost his rep. Then he left.": 2,
    "Wait… Then he left.": 2,
    "See Fig. 3 for details. It is no. 5.": 2,
}


def run(place: Path) -> Findings:
    """Every case of the table, and notebooks opened by hand (row 1)."""
    found = Findings()
    write_all(place)
    line = json.dumps(GOOD) + "\n"
    (place / "many.jsonl").write_text(line * 20_000)  # a tenth of the issue's: time is recorded
    with (place / "huge.jsonl").open("wb") as file:
        file.truncate(2**40)  # without a byte on the disk
    before = {path: digest(path) for path in place.iterdir() if path.is_dir()}
    for case in CASES:
        name = " ".join(["impossible", case.typed, *(f"{n}={v}" for n, v in case.variables)])
        answer = _ask(case, place)
        found.seconds[name] = answer.seconds
        found.count("refused" if isinstance(case.told, str) else "answered")
        found.check(name, [each.replace(str(place), "…") for each in case.wrong(answer)])
    problems = [f"{path.name} was changed" for path, was in before.items() if digest(path) != was]
    problems += ["a refused command made its folder"] if (place / "new").exists() else []
    found.check("refused commands change and make nothing", problems)
    _by_hand(place, found)
    problems = [text for text, n in SENTENCES.items() if len(split_sentences(text)) != n]
    found.check("sentence ends", problems)
    found.figures["rows of the issue's table"] = len({case.row for case in CASES} - {0} | {1, 9})
    return found


def _ask(case: Case, place: Path) -> Answer:
    here = str(place)
    variables = {name: text.replace("…", here) for name, text in case.variables}
    typed = [each.replace("…", here) for each in case.typed.split()]
    return ask(*typed, given=case.given, variables=environment(**variables))


def _by_hand(place: Path, found: Findings) -> None:
    """Notebooks opened by hand in a checkout whose results must not change."""
    checkout = place / "by-hand"
    checkout.mkdir()
    for name in ("notebooks", "params", "results", "scripts"):
        (checkout / name).symlink_to(ROOT / name)
    results = digest(ROOT / "results")
    done = subprocess.run(
        [sys.executable, "-c", BY_HAND], capture_output=True, text=True, cwd=checkout,
        env=environment(IMPOSSIBLE_ROOT=str(checkout)),
    )  # fmt: skip
    problems = [done.stderr[-300:]] if done.returncode or int(done.stdout) < 10 else []
    if digest(ROOT / "results") != results:
        problems.append("results/ changed")
    found.check("notebooks opened by hand leave results/ as it is", problems)
