"""The rows of a benchmark, and the page and picture that show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parents[1]
WIDE = ROOT / "results" / "english-full"
RESULTS, PAGE = ROOT / "results" / "benchmarks", ROOT / "docs" / "speed.md"


@dataclass
class Row:
    """One comparison: `ours` and each peer in the same unit, more is better.

    Args:
        what: is done.
        unit: of all numbers.
        ours: of this package.
        peers: what would be used instead, or a limit → its number.
        goals: peer → how many times its number we aim at; "" → the number itself.
        absent: peers that are not installed.
    """

    what: str
    unit: str
    ours: float
    peers: dict[str, float] = field(default_factory=dict)
    goals: dict[str, float] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)

    def lines(self) -> list[tuple[str, float, float, float | None]]:
        """Of each peer, or of the row alone: name, number, what is compared with the goal, goal."""
        compared = [
            (name, value, self.ours / value, self.goals.get(name))
            for name, value in self.peers.items()
        ]
        return compared if self.peers else [("", float("nan"), self.ours, self.goals.get(""))]


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| what | unit | here | beside | ratio | goal | reached |",
        "|---|---|---:|---|---:|---:|---|",
    ]
    for row in rows:
        for name, value, found, goal in row.lines():
            beside = f"{name}: {value:,.3g}" if name else "–"
            ratio = f"{found:.3g}" if name else "–"
            aim = "–" if goal is None else f"≥ {goal:g}"
            reached = "–" if goal is None else "yes" if found >= goal else "**no**"
            cells = (row.what, row.unit, f"{row.ours:,.3g}", beside, ratio, aim, reached)
            lines.append(f"| {' | '.join(cells)} |")
        for name in row.absent:
            lines.append(f"| {row.what} | {row.unit} | | {name}: not installed | – | – | – |")
    return "\n".join(lines)


def picture(rows: Sequence[Row]) -> Any:
    """Ratios and goals on a logarithmic axis; 1 is the peer."""
    dots = [
        (f"{row.what}\nbeside {name}", ratio, goal)
        for row in rows for name, _, ratio, goal in row.lines() if name
    ][::-1]  # fmt: skip
    figure, axes = plt.subplots(figsize=(6.8, 0.38 * len(dots) + 1), layout="constrained")
    axes.axvline(1, color="0.6", linewidth=1)
    axes.plot([ratio for _, ratio, _ in dots], range(len(dots)), "o", color="#0072B2")
    aims = [(goal, i) for i, (_, _, goal) in enumerate(dots) if goal is not None]
    axes.plot(*zip(*aims, strict=True), "|", color="#D55E00", markersize=11, markeredgewidth=2)
    axes.legend(["the same speed", "measured", "aimed at"], fontsize=7, loc="lower right")
    axes.set(xscale="log", xlabel="times as fast")
    axes.set_yticks(range(len(dots)), [name for name, _, _ in dots], fontsize=6.5)
    return figure


def page(kinds: Mapping[str, tuple[Mapping[str, Any], Sequence[Row]]]) -> str:
    """The page of all machines that were measured."""
    parts = [
        "# Speed\n\nWhat `python benchmarks/english.py` measured on the real English models: one "
        "machine, one row after the other. On a CPU sampling, candidates and the critic run as in "
        "the pipeline, by a process of one thread on each core; what is beside them has all "
        "threads in one process (CTranslate2 the better of both ways). It writes this page and "
        "[`results/benchmarks/`](../results/benchmarks). A ratio above 1: this package is faster "
        "than what is named. A *limit* is what the same cores reach in one large matrix product, "
        "at 2 operations a weight and token forwards, 4 in training an adapter, 6 in training all "
        "weights. *Computed* rows multiply rates of the rows around them. "
        f"{passes()}\n"
    ]
    for kind, (about, rows) in kinds.items():
        said = ", ".join(f"{name} {value}" for name, value in about.items())
        alt = "Ratios of the table, with what was aimed at"
        parts.append(f"## {kind.upper()}\n\n{said}.\n\n{table(rows)}\n")
        parts.append(f"![{alt}](../results/benchmarks/{kind}.png)\n")
    return "\n".join(parts)


def passes(run: Path = WIDE) -> str:
    """How many NLI passes the wide run needed, beside all ordered pairs of its sentences."""
    drawn, scored = (
        json.loads((run / "scalars" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("03_contexts_sentences", "04_pairs_critics")
    )
    n, asked = drawn["n_contexts"], scored["n_scored"] + scored["n_both"]
    k = drawn["n_sentences"] // n
    return (
        f"Passes differ by context: the wide run needed {asked:,} after {n} contexts, all ordered "
        f"pairs of {k} sentences each would have been {n * k * (k - 1):,}: "
        f"{n * k * (k - 1) / asked:.0f} times as many."
    )


def write(kind: str, about: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write the results of a machine ("cpu" or "gpu"), its picture, and the page of all."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": about, "rows": [asdict(row) for row in rows]}, indent=1)
    (RESULTS / f"{kind}.json").write_text(text + "\n", encoding="utf-8")
    picture(rows).savefig(RESULTS / f"{kind}.png", dpi=150)
    PAGE.write_text(page(recorded()), encoding="utf-8")


def recorded() -> dict[str, tuple[dict[str, Any], list[Row]]]:
    """What was measured, by kind of machine."""
    found = {}
    for path in sorted(RESULTS.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = (content["machine"], [Row(**row) for row in content["rows"]])
    return found
