"""The page of the campaign, made of its results file."""

from __future__ import annotations

from typing import Any

from impossible.data.io import write_text
from impossible.report.reliability import COLUMNS, DONE, reliability_rows, rows_of_steps

from .common import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def write_page(results: dict[str, Any]) -> None:
    """Write `docs/reliability.md` from the content of `results/reliability.json`."""
    write_text(PAGE, "\n".join(_lines(results)) + "\n")


def _lines(results: dict[str, Any]) -> list[str]:
    lines = [
        "# Reliability",
        "",
        "What `python -m tests.campaign` did and found; it writes this page from "
        "[`results/reliability.json`](../results/reliability.json).",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---|---|---|---:|---:|",
    ]
    lines += [f"| {' | '.join(row)} |" for row in reliability_rows(results)]
    lines += ["", *(_remarks(results)), *_long(results.get("long", {}).get("figures", {}))]
    versions = sorted({part["package"] for part in results.values()})
    lines += ["", f"Digest of the package's code: {', '.join(versions)}."]
    lines += _listed("Wrong", {name: part["wrong"] for name, part in results.items()})
    not_run = {name: [f"{k}: {v}" for k, v in part["not run"].items()]
               for name, part in results.items()}  # fmt: skip
    not_run |= {name: ["the whole part"] for name in DONE if name not in results}
    lines += _listed("Not run here", not_run)
    return lines


def _long(figures: dict[str, float]) -> list[str]:
    """The figures of long work, a step a column."""
    if not (rows := rows_of_steps(figures)):
        return []
    lines = [f"| {' | '.join(row)} |" for row in rows]
    head = "Of long work (a *twin* computes the same few units in between: the machine's speed)"
    return ["", f"{head}:", "", lines[0], "|---|" + "---:|" * (len(rows[0]) - 1), *lines[1:]]


def _remarks(results: dict[str, Any]) -> list[str]:
    """What the figures do not say by themselves."""
    kills, rubbish, closed = (results.get(name, {}) for name in ("kills", "rubbish", "closed"))
    found = []
    if "run" in kills:
        found.append(f"Killed was: {kills['run']}; `--kills N` sets how often (default 200).")
    times = rubbish.get("seconds of processor", {}).get("slowest", {})
    if times:
        slowest = max(times, key=lambda name: times[name])
        found.append(
            f"The slowest refusal from the start takes {times[slowest]} s of processor "
            f"(`{slowest}`)."
        )
    if packages := closed.get("packages", []):
        copyleft = [each["name"] for each in packages if "GPL" in each["licence"]]
        found.append(
            f"`constraints.txt` holds version and hashes of these {len(packages)} packages; under "
            f"a licence of the GPL family: {', '.join(copyleft) or 'none'}."
        )
    return [" ".join(found)] if found else []


def _listed(title: str, texts: dict[str, list[str]]) -> list[str]:
    items = [f"- {part}: {text}" for part, several in texts.items() for text in several]
    return ["", f"## {title}", "", *(items or ["Nothing."])]
