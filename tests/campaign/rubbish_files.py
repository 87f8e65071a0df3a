"""The files that the bad inputs are about: params files, data, rating forms, checkouts, models."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

from .common import ROOT, ask

PARAMS: dict[str, bytes] = {
    "unknown": b"kk: 3\n",
    "mistyped": b"k: many\n",
    "boolean": b"k: true\n",
    "range": b"sentence_temperature: 0\n",
    "infinite": b"sentence_temperature: .inf\n",
    "order": b"length_ratio_min: 2\n",
    "field": b"domains: [{name: news, prefix: [a]}]\n",
    "twins": b"domains: [{name: news}, {name: news}]\n",
    "stranger": b"domain_teachers: {poems: a}\n",
    "syntax": b"seed: 0\nk: [1\n",
    "twice": b"k: 3\nk: 4\n",
    "latin": "human_data: Käse\n".encode("latin-1"),
    "wide": "k: 3\n".encode("utf-16"),
    "binary": b"\x00\x01\x02",
    "empty": b"",
    "list": b"- k\n- 3\n",
    "text": b"hello\n",
    "number": b"3\n",
    "circle": b"extends: circle.yaml\n",
    "orphan": b"extends: nobody\n",
    "tagged": b"k: !!python/object/apply:os.system ['true']\n",
    "alias": b"a: &a [*a]\n",
    "numbered": b"3: 4\n",
}

GOOD = {
    "source": "A bridge opened.",
    "output": "A bridge was opened.",
    "references": ["It opened."],
}
PAIR = {"source": "A bridge opened on Monday.", "target": "On Monday a bridge was opened."}


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


DATA: dict[str, bytes] = {
    "good.jsonl": _line(GOOD) * 9,
    "pairs.jsonl": _line(PAIR) * 9,
    "empty.jsonl": b"",
    "blank.jsonl": b"\n\n \n",
    "text.jsonl": b"A bridge opened.\n",
    "list.jsonl": b"[1, 2]\n",
    "null.jsonl": b"null\n",
    "deep.jsonl": b"[" * 100_000 + b"\n",
    "digits.jsonl": b"1" * 5000 + b"\n",
    "torn.jsonl": _line(GOOD) + b'{"source": "a',
    "gap.jsonl": _line(GOOD) + b"\n" + _line(GOOD),
    "field.jsonl": _line({"source": "a"}),
    "kind.jsonl": _line(GOOD | {"output": 3}),
    "none.jsonl": _line(GOOD | {"references": []}),
    "words.jsonl": _line(GOOD | {"references": "It opened."}),
    "nothing.jsonl": _line({"source": " ", "target": "b", "output": "b", "references": ["c"]}),
    "surrogate.jsonl": b'{"source": "a", "target": "\\ud800", "output": "\\ud800", '
    b'"references": ["c"]}\n',
    "latin.jsonl": _line(PAIR) + '{"source": "Käse"}\n'.encode("latin-1"),
    "repeated.jsonl": b'{"source": "a", "source": "b", "target": "c"}\n',
    "wide.txt": "A bridge was opened.\n".encode("utf-16"),
    "wide.jsonl": _line(PAIR).decode().encode("utf-16"),
    "binary.jsonl": bytes(range(256)),
    "torn.jsonl.gz": gzip.compress(_line(GOOD) * 99)[:-12],
    "good.jsonl.gz": gzip.compress(_line(GOOD) * 9),
    "marked.jsonl": b"\xef\xbb\xbf" + _line(GOOD) * 9,
    "copies.jsonl": _line({"source": "Yes", "output": "Yes \n\n", "references": ["Yes"]}) * 2,
    "blanks.jsonl": _line(GOOD | {"output": " "}) + _line(GOOD | {"output": "\u00a0"}),
    "cjk.jsonl": _line(
        {"source": "橋が開いた。", "output": "橋が開いた。", "references": ["橋が開いた。"]}
    ),
    "marks.jsonl": _line({"source": "!!!", "output": "!?!", "references": ["…"]}) * 2,
    "one.jsonl": _line(PAIR),
    "other.jsonl": _line(GOOD | {"source": "Another source."}) * 9,
    "fake.parquet": b"PAR1 no PAR1",
    "lines.txt": b"A bridge was opened by the council.\n\n"
    + b"word " * 12_600
    + b"\nThe mayor sold 12 old ships to the bank.\n",
    "manifest/manifest.json": b"{torn",
    "notes.txt": b"no folder",
}
LONG = "the council opened a new bridge in the old town " * 30
DATA["long.jsonl"] = _line(
    {"source": LONG + "today", "output": LONG + "never", "references": [LONG]}
)

#: Names of folders of returned ratings → what becomes of the right lines of rater 1.
RETURNED: dict[str, Any] = {
    "whole": lambda lines: lines,
    "short": lambda lines: lines[:-1],
    "twice": lambda lines: [*lines, lines[-1]],
    "four": lambda lines: [*lines[:-1], lines[-1][:-1] + "4"],
    "no-answer": lambda lines: [*lines[:-1], lines[-1][:-1]],
    "stranger": lambda lines: [lines[0], *(line.replace("rater1", "Ann") for line in lines[1:])],
    "other-form": lambda lines: [lines[0], *("0" + line for line in lines[1:])],
    "unit": lambda lines: [*lines[:-1], lines[-1].replace(",001", ",999", 1)],
    "header": lambda lines: lines[:1],
    "column": lambda lines: [line.rpartition(",")[0] for line in lines],
    "prose": lambda lines: ["Dear all,", "here they are."],
    "quote": lambda lines: [*lines, '"'],
    "nothing": lambda lines: [],
    "semicolons": lambda lines: [line.replace(",", ";") for line in lines],
    "tabs": lambda lines: [line.replace(",", "\t") for line in lines],
    "told": lambda lines: ["sep=;", *(line.replace(",", ";") for line in lines)],
    "commas": lambda lines: [*lines, ",,,,,", ""],
}

#: Bad first cells of a notebook.
CELLS = {
    "two-lines": 'config = "test"',
    "no-overrides": 'config = "test"\noverrides = []\nresults = ""',
    "own-name": 'config = "test"\noverrides = {}\nresults = ""\nk = 3',
    "unknown": 'config = "test"\noverrides = {"kk": 3}\nresults = ""',
    "computed": 'config = "test"\noverrides = {}\nresults = ""\nk = 2 * 50',
    "import": 'config = "test"\noverrides = {}\nresults = ""\nimport os',
    "torn": 'config = "test"\noverrides = {}\nresults = ""\nk = (',
    "called": 'config = open("x").read()\noverrides = {}\nresults = ""',
}


def write_all(place: Path) -> None:
    """Put every file below `place`."""
    (place / "p").mkdir(parents=True)
    for name, content in PARAMS.items():
        (place / "p" / f"{name}.yaml").write_bytes(content)
    for name, content in DATA.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(content)
    (place / "folder").mkdir()
    _checkouts(place / "cells")
    _models(place / "models")
    _ratings(place)


def _checkouts(place: Path) -> None:
    """A checkout for each bad cell, and one for each thing that is no notebook."""
    from tests.conftest import notebook

    files = {name: notebook("01_one", [], [], [], cell) for name, cell in CELLS.items()}
    files |= {"blank": "", "object": "{}", "array": "[]", "half": '{"cells": [{}]}'}
    for name, text in files.items():
        for folder in ("notebooks", "params", "results"):
            (place / name / folder).mkdir(parents=True)
        shutil.copy(ROOT / "params" / "base.yaml", place / name / "params")
        (place / name / "params" / "test.yaml").write_text("seed: 0\n")
        (place / name / "notebooks" / "01_one.ipynb").write_text(text)


def _models(place: Path) -> None:
    """Tiny models, as the tests build them."""
    from tests import tiny

    tiny.save(place / "student", *tiny.t5())
    tiny.save(place / "critic", *tiny.critic())
    tiny.save(place / "encoder", *tiny.encoder())


def _ratings(place: Path) -> None:
    """A kit of forms for two systems, and what its first rater sends back in each way."""
    second = [GOOD | {"output": f"It opened {number}."} for number in range(9)]
    (place / "second.jsonl").write_bytes(b"".join(map(_line, second)))
    files = [str(place / name) for name in ("good.jsonl", "second.jsonl")]
    made = ask("forms", *files, "--to", str(place / "kit"), "--items", "4", "--raters", "1")
    assert made.status == 0, made.err
    path = place / "kit" / "key.json"
    text = path.read_text(encoding="utf-8")
    key = json.loads(text)
    path.with_name("marked.json").write_text(text, encoding="utf-8-sig")
    path.with_name("torn.json").write_text(text[:-9])
    path.with_name("list.json").write_text("[]")
    header = ",".join(["form", "rater", "unit", *key["questions"]])
    answers = ",".join("2" * len(key["questions"]))
    lines = [
        header,
        *(f"{key['forms']['rater1']},rater1,{unit},{answers}" for unit in key["units"]),
    ]
    for name, changed in RETURNED.items():
        folder = place / "returned" / name
        folder.mkdir(parents=True)
        suffix = "CSV" if name == "commas" else "csv"
        text = "\n".join(changed(lines)) + "\n"
        (folder / f"rater1.{suffix}").write_text(text, encoding="utf-8")
    (place / "returned" / "whole" / "._rater1.csv").write_bytes(b"\x00\x05\x16\x07")
    latin = "\n".join(lines).replace("rater1", "Jörg").encode("latin-1")
    (place / "returned" / "latin").mkdir()
    (place / "returned" / "latin" / "rater1.csv").write_bytes(latin)
    marked = "\n".join([lines[0], *(f"synthetic-{line}" for line in lines[1:])])
    (place / "returned" / "mixed").mkdir()
    half = [lines[0], *lines[1:3]]
    (place / "returned" / "mixed" / "a.csv").write_text("\n".join(half))
    (place / "returned" / "mixed" / "b.csv").write_text(
        "\n".join([lines[0], *marked.splitlines()[3:]])
    )
