"""Hostile text: in tables, report, rating forms, CSV and terminal it is shown and does nothing."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
from impossible.data.io import write_json
from impossible.data.run_folder import RunFolder, record
from impossible.evaluation.human.forms import draw_kit, write_kit
from impossible.report.html import build_report
from impossible.report.latex import NEEDS
from impossible.report.save import save_table
from impossible.report.tables import as_shown
from markdown_it import MarkdownIt

from .common import Findings, ask

TEXTS = [
    "<script>document.title='acted'</script>",
    "</script><script>document.title='acted'</script>",
    "<img src=x onerror=document.title='acted'>",
    "<svg/onload=document.title='acted'>",
    "<a href='javascript:document.title='acted''>x</a>",
    "<iframe src=//example.org></iframe>",
    "<!-- --><style>body{display:none}</style>",
    "\"><b onmouseover=document.title='acted'>x",
    "&lt;script&gt;document.title='acted'&lt;/script&gt;",
    "{{ 7*7 }} {% include '/etc/passwd' %} ${7*7}",
    "[x](javascript:document.title='acted') ![x](https://example.org/x.png)",
    "| a | b |\n|---|---|\n| c | d |",
    "# heading\n\n```\ncode",
    "`code` **bold** _it_ ~~no~~ <https://example.org>",
    r"\input{/etc/passwd} \write18{touch x} $x^2$ % & # _ { } ~",
    r"\end{tabular}\newpage [1ex]",
    "[x] first in a row",
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "=HYPERLINK(\"https://example.org\",\"x\")",
    'a "quoted", cell; with\ttabs\r\nand lines',
    "\x1b]0;title\x07\x1b[2J\x1b[31mred",
    "\x9b31mred \x85 \x7f",
    "nothing \x00 here",
    "\u202etxet desrever\u202c \u2066isolated\u2069",
    "zero\u200bwidth \ufeff \u00ad",
    "\ud7ff \ufffe \U0010ffff",
    "a" * 5000,
    "Z\u0351\u0343\u0357" * 50,
]  # fmt: skip
#: What a spreadsheet may compute, and what commands a terminal.
FORMULA = re.compile(r"[=+\-@\t\r]")
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: Commands of LaTeX that a table of ours holds; all others would be the text's.
OURS = {
    "begin", "end", "caption", "label", "centering", "toprule", "midrule", "bottomrule", "times",
    "textbackslash", "textless", "textgreater", "textbar", "textasciitilde", "textasciicircum",
    "linewidth", "addlinespace", "fontsize", "scriptsize", "selectfont",
    "setlength", "tabcolsep",
    "geq", "leq", "Rightarrow", "rightarrow", "uparrow", "downarrow", "tau",
}  # fmt: skip


class Page(HTMLParser):
    """What of a page could act: scripts that are not the page's own, handlers, addresses."""

    def __init__(self, text: str, scripts: int) -> None:
        super().__init__()
        self.acts: list[str] = []
        self.scripts, self.policy = 0, False
        self.feed(text)
        self.acts += [f"{self.scripts} scripts, not {scripts}"] * (self.scripts != scripts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag could do."""
        self.scripts += tag == "script"
        if tag in ("iframe", "object", "embed", "base", "link"):
            self.acts.append(f"<{tag}>")
        for name, value in attrs:
            self.policy |= value == "Content-Security-Policy"
            address = name in ("href", "src") and re.match(
                r"\s*(javascript|https?:|//)", value or ""
            )
            if name.startswith("on") or address:
                self.acts.append(f"{tag} {name}={value}")


def run(place: Path) -> Findings:
    """Every text through every way out."""
    found = Findings()
    found.figures["texts"] = len(TEXTS)
    found.not_run["LaTeX itself"] = "none is installed here; its special characters are looked for"
    folder = RunFolder.open(place / "run")
    _tables(folder, found)
    _report(folder, found)
    _forms(place, found)
    _browser(place, found)
    _terminal(place, found)
    return found


def _tables(folder: RunFolder, found: Findings) -> None:
    """What is written and shown of a table whose cells, heads and caption are hostile."""
    frame = pd.DataFrame({"n": range(len(TEXTS)), "text": TEXTS, TEXTS[0]: TEXTS[::-1]})
    path = save_table(folder, "hostile", frame, TEXTS[2], "09_evaluation", paper=TEXTS[4])
    found.check("csv: every cell is back, no formula", _csv(path))
    found.check("csv of numbers: untouched", _numbers(folder))
    found.check("md: one table, no markup", _markdown(path.with_suffix(".md")))
    found.check("tex: no command of the text's", _latex(path.with_suffix(".tex")))
    shown = as_shown(frame.assign(several=[[text] for text in TEXTS]), caption=TEXTS[2]).to_html()
    found.check("notebook: nothing acts", Page(shown, 0).acts)


def _csv(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if len(rows) != len(TEXTS) + 1:
        yield f"{len(rows)} rows"
    for text, row in zip(TEXTS, rows[1:], strict=False):
        if row[1].removeprefix("'") != text:
            yield f"{text!r} is {row[1]!r}"
        if FORMULA.match(row[1]):
            yield f"a formula: {row[1]!r}"


def _numbers(folder: RunFolder) -> Iterator[str]:
    texts = ["+2.9", "−1.5", "-1.5", "-3 %", "– minus", "-1.5 [-2.0, -1.0]"]
    frame = pd.DataFrame({"difference": [-1.5, *range(5)], "shown": texts})
    path = save_table(folder, "numbers", frame, "Numbers.", "09_evaluation")
    got = pd.read_csv(path, dtype={"shown": str})
    plain = [text.replace("−", "-") for text in texts]  # which programs read as numbers
    if got["shown"].tolist() != plain or got["difference"].iloc[0] != -1.5:
        yield f"{got.to_dict('list')}"


def _markdown(path: Path) -> Iterator[str]:
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(path.read_text())
    yield from Page(page, 0).acts
    tags = set(re.findall(r"<(\w+)", page)) - {
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
        "br",
    }
    yield from (f"<{tag}>" for tag in sorted(tags))
    if page.count("<tr>") != len(TEXTS) + 1 or page.count("<table") != 1:
        yield f"{page.count('<tr>')} rows in {page.count('<table')} tables"


def _latex(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8").replace(NEEDS, "")  # our own comment
    used = set(re.findall(r"\\([a-zA-Z]+)", text))
    yield from (f"\\{name}" for name in sorted(used - OURS))
    begun, ended = (text.count(rf"\{word}{{tabular}}") for word in ("begin", "end"))
    if begun != ended or re.search(r"(?<!\\)%", text):
        yield "the table ends early, or a comment"
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in text):
        yield "control characters, at which LaTeX stops"


def _report(folder: RunFolder, found: Findings) -> None:
    """The page of a run in which everything that is text is hostile."""
    values = {"values": {TEXTS[0]: TEXTS[2], "k": TEXTS[1]}, "origins": {"k": TEXTS[3]}}
    write_json(folder.work / "params.json", values)
    write_json(folder.work / "ledger.json", {TEXTS[2]: {"status": TEXTS[0]}})
    record(folder, "09_evaluation", **{f"{i}": text for i, text in enumerate(TEXTS)})
    record(folder, "08_names", **dict.fromkeys(TEXTS, 1))
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "\n\n".join(TEXTS)},
    ]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    write_json(folder.notebooks / "07_told.ipynb", content)
    page = build_report(folder).read_text(encoding="utf-8")
    found.check("report: nothing acts", Page(page, 0).acts)
    found.check("report: a policy", [] if Page(page, 0).policy else ["there is none"])


def _forms(place: Path, found: Findings) -> None:
    """Rating forms of hostile outputs; its own two scripts are all."""
    rows = [(system, f"{i}", f"Source {text}", [], text + system)
            for system in ("A", TEXTS[0]) for i, text in enumerate(TEXTS)]  # fmt: skip
    columns = ["system", "item", "source", "references", "output"]
    kit = draw_kit(pd.DataFrame(rows, columns=columns), "paraphrase", len(TEXTS), 1, 0)
    write_kit(kit, place / "kit")
    page = (place / "kit" / "forms" / "rater1.html").read_text(encoding="utf-8")
    found.check("rating form: nothing acts", Page(page, 2).acts)
    found.check("rating form: a policy", [] if Page(page, 2).policy else ["there is none"])


def _browser(place: Path, found: Findings) -> None:
    """Both pages as a browser has them after their scripts: none of the texts' has acted."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        found.not_run["a real browser"] = "neither chromium nor google-chrome is here"
        return
    control = place / "control.html"
    control.write_text(f"<title>none</title>{TEXTS[0]}", encoding="utf-8")
    pages = {
        "report": place / "run" / "report.html",
        "rating form": place / "kit" / "forms" / "rater1.html",
        "a page without any care": control,
    }
    for name, page in pages.items():
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={place}/b",
             "--virtual-time-budget=5000", "--dump-dom", page.as_uri()],
            capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        title = re.search("<title>(.*?)</title>", done.stdout, re.DOTALL)
        acted = title is None or title[1] == "acted"
        found.check(f"browser: {name}", ["a text acted, or no page"] * (acted != (page == control)))


def _terminal(place: Path, found: Findings) -> None:
    """Hostile lines, files, options and ratings to the commands; nothing reaches the terminal."""
    from tests import tiny

    student, critic = place / "student", place / "critic"
    tiny.save(student, *tiny.t5())
    tiny.save(critic, *tiny.critic())
    lines, pairs = place / "lines.txt", place / "pairs.jsonl"
    lines.write_bytes("".join(f"{' '.join(text.split())}\n" for text in TEXTS).encode())
    pairs.write_text("".join(f"{json.dumps({'source': t, 'target': t})}\n" for t in TEXTS))
    models = ["--model", str(student), "--critic", str(critic)]
    open_ = ["entailment_threshold=0", f"critic={critic}", "encoder=none", "parser=flat"]
    evil = "\x1b[2J\u202eevil"
    (place / "bad.jsonl").write_text(f'{{"source": "{evil[4:]}", "target": 3}}\n')
    (place / evil).mkdir()
    returned = place / "returned"
    returned.mkdir()
    (returned / "a.csv").write_text(
        f"form,rater,unit,fluent,faithful,dissimilar\nx,{evil},y,1,1,1\n"
    )
    for case, typed in {
        "paraphrase": ["paraphrase", str(lines), *models, "--best-effort"],
        "paraphrase --json": ["paraphrase", str(lines), *models, "--json", "-n", "3"],
        "summarize": ["summarize", str(lines), *models],
        "critics": ["critics", str(pairs), "--params", "base", *open_, "device=cpu"],
        "quality": ["quality", str(pairs)],
        "a hostile field": ["quality", str(place / "bad.jsonl")],
        "a hostile file": ["score", f"/{evil}"],
        "a hostile folder": ["verify", str(place / evil)],
        "a hostile option": ["run", "smoke", f"{evil}=3"],
        "a hostile value": ["run", "smoke", f"teacher={evil}", f"k={evil}"],
        "a hostile name": ["run", evil],
        "hostile ratings": ["ratings", str(place / "kit" / "key.json"), str(returned)],
    }.items():
        answer = ask(*typed)
        found.seconds[case] = answer.seconds
        reached = sorted({f"U+{ord(c):04X}" for c in UNSAFE.findall(answer.out + answer.err)})
        problems = [f"{', '.join(reached)} reached the terminal"] if reached else []
        problems += [f"a traceback: {answer.err[-300:]}"] * ("Traceback" in answer.err)
        if case.startswith(("paraphrase", "summarize")) and answer.out.count("\n") != len(TEXTS):
            problems.append(
                f"{answer.out.count(chr(10))} lines, not {len(TEXTS)}; {answer.err[-200:]}"
            )
        found.check(f"terminal: {case}", problems)
    shutil.rmtree(place / evil)
