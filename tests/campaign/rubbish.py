"""Rubbish in: a table of bad inputs to every command, each refused in one sentence."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

# Modules of the commands, which every case would import by itself.
import impossible.evaluation.human.returned_ratings
import impossible.evaluation.paraphrase_metrics
import impossible.report.tables
import impossible.rewriting.rewriters
import impossible.runner.seeds
import impossible.runner.verification  # noqa: F401
import torch
from impossible.cli import main
from impossible.data.digests import digest
from impossible.text.sentence_boundaries import split_sentences
from nltk.tokenize.punkt import PunktSentenceTokenizer

from .common import ROOT, Answer, Findings, ask, environment, refused
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

#: A refusal of each command.
COLD = (
    "run smoke kk=3", "plan smoke kk=3", "score /nowhere", "quality /nowhere", "critics /nowhere",
    "paraphrase /nowhere", "summarize /nowhere", "forms /nowhere --to /nowhere",
    "ratings /nowhere /nowhere", "fetch smokke", "doctor smokke", "verify /nowhere",
    "paraphrase - --model /nowhere", "train /nowhere --out /nowhere",
    "distil --contexts /nowhere --task paraphrase --out /nowhere",
)  # fmt: skip


def run(place: Path) -> Findings:
    """Every case of the table, and notebooks opened by hand (row 1)."""
    found = Findings()
    torch.set_num_threads(
        1
    )  # a copy of this process has none of its threads and would wait for them
    write_all(place)
    line = json.dumps(GOOD) + "\n"
    (place / "many.jsonl").write_text(line * 20_000)  # time is recorded
    with (place / "huge.jsonl").open("wb") as file:
        file.truncate(2**40)  # without a byte on the disk
    before = {path: digest(path) for path in place.iterdir() if path.is_dir()}
    slow: list[str] = []
    for case in CASES:
        name = " ".join(["impossible", case.typed, *(f"{n}={v}" for n, v in case.variables)])
        answer = _ask(case, place)
        slow += [f"{name}: {answer.seconds} s"] * (answer.seconds > 1)
        found.count("refused" if isinstance(case.told, str) else "answered")
        problems = [each.replace(str(place), "…") for each in case.wrong(answer)]
        if (place / "new").exists():
            problems.append("it made a folder")
            shutil.rmtree(place / "new")
        found.check(name, problems)
    problems = [f"{path.name} was changed" for path, was in before.items() if digest(path) != was]
    found.check("refused commands change and make nothing", problems)
    found.more["over 1 s of processor, without imports"] = slow
    _cold(found)
    _by_hand(place, found)
    _sentences(found)
    found.figures["kinds of known failure"] = len({case.row for case in CASES} - {0} | {1, 9})
    return found


def _sentences(found: Findings) -> None:
    """The table of the tests (row 9), which our rule must have right, and how others do on it."""
    import spacy
    from impossible.models.assets import asset_named

    from tests.test_sentences import ENGLISH

    marked = ENGLISH.strip().splitlines()
    texts = {each.replace("|", ""): [part.strip() for part in each.split("|")] for each in marked}
    blank = spacy.blank("en")
    blank.add_pipe("sentencizer")
    punkt = PunktSentenceTokenizer("\n".join(texts))
    others: dict[str, Callable[[str], list[str]]] = {
        "nltk's Punkt, trained on the table": lambda text: list(punkt.tokenize(text)),
        "spaCy's sentencizer": lambda text: _of_spacy(blank, text),
    }
    if (asset := asset_named("pypi:spacy-en-core-web-sm")).present:
        parser = spacy.load(asset.folder)
        others["spaCy's parser"] = lambda text: _of_spacy(parser, text)
    else:
        found.not_run["sentence ends by spaCy's parser"] = "impossible fetch english"
    for name, split in {"our rule": split_sentences, **others}.items():
        right = sum(split(text) == wanted for text, wanted in texts.items())
        found.figures[f"of {len(texts)} texts cut right by {name}"] = right
    problems = [text for text, wanted in texts.items() if split_sentences(text) != wanted]
    found.check("sentence ends", problems)


def _of_spacy(language: Any, text: str) -> list[str]:
    return [sentence.text.strip() for sentence in language(text).sents]


def _ask(case: Case, place: Path) -> Answer:
    """The case in a copy of this process, which has the package's modules already."""
    here = str(place)
    variables = {name: text.replace("…", here) for name, text in case.variables}
    typed = [each.replace("…", here) for each in case.typed.split()]
    paths = [place.with_name(f"{place.name}.{name}") for name in ("in", "out", "err")]
    paths[0].write_bytes(case.given)
    child = os.fork()
    if not child:
        _become(typed, paths, environment(**variables))
    _, code, spent = os.wait4(child, 0)
    out, err = (path.read_text(encoding="utf-8", errors="replace") for path in paths[1:])
    for path in paths:
        path.unlink()
    seconds = round(spent.ru_utime + spent.ru_stime, 2)
    return Answer(os.waitstatus_to_exitcode(code), out, err, seconds)


def _become(typed: list[str], paths: list[Path], variables: dict[str, str]) -> NoReturn:
    """Be `impossible TYPED`, with these files as standard streams."""
    status = 70  # of a failure that is no answer
    try:
        os.environ.clear()
        os.environ.update(variables)
        os.chdir(ROOT)
        encoding = variables.get("PYTHONIOENCODING", "utf-8")
        for number, (path, mode) in enumerate(zip(paths, "rww", strict=True)):
            os.dup2(os.open(path, os.O_RDONLY if mode == "r" else os.O_WRONLY | os.O_CREAT), number)
            stream = os.fdopen(number, mode, encoding=encoding)
            setattr(sys, ("stdin", "stdout", "stderr")[number], stream)
        try:
            status = main(typed)
        except SystemExit as ended:  # of argparse
            status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _cold(found: Findings) -> None:
    """The time of a refusal by each command in a process of its own, with all that it imports."""
    for typed in COLD:
        answer = ask(*typed.split())
        found.seconds[f"impossible {typed}"] = answer.seconds
        late = [f"{answer.seconds:.1f} s of processor"] * (answer.seconds > 1)
        found.check(f"from the start: impossible {typed}", [*refused(answer), *late])


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
