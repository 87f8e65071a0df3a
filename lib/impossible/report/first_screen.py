"""What the report shows first: an example of the run, then what came out, in a few lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder
from impossible.evaluation.expectations import OPEN, OUTCOMES
from impossible.experiments.example_pairs import SHOWN_SCORES
from impossible.experiments.pair_samples import thread
from impossible.report.blind_readings import said_of
from impossible.report.ledger_beside import seed_verdicts
from impossible.report.main_claims import MainClaim
from impossible.report.tables import minus, show

MOST_LINES = 5
#: A step of the pipeline; the notebooks whose tables its claims stand in.
_STEPS = {
    "Next sentences": ("02",), "The datasets": ("05", "07"), "The student": ("09",),
    "Its data beside others’": ("13",), "Summaries": ("11",),
}  # fmt: skip
#: Critic → its limit: the parameter, and whether at least or at most that much.
_LIMITS = {
    "p_xy": ("entailment_threshold", "≥"), "p_yx": ("entailment_threshold", "≥"),
    "rouge_l": ("rouge_l_max", "≤"), "ted": ("ted_min", "≥"),
}  # fmt: skip
_READ = ("any two sentences", "chosen by chance", "D_T", "D_para")  # groups, by blind readers
_DRAWN = "An accepted pair drawn by the run’s seed, its context, and sentences of others."
_BY_BOUNDS = "enough by bounds"  # of a tree distance, which is then not computed
_NOTHING = "(nothing)"
_STUDENTS = ("M_para", "student")
_WRITERS = {"teacher, zero-shot": "the teacher, asked", "M_para": "the student, M_para",
            "student": "the first student"}  # fmt: skip


@dataclass(frozen=True)
class RunExample:
    """One thread through the run, drawn by its seed.

    Attributes:
        drawn: how.
        lines: what, text: the context, some of its next sentences, the accepted pair.
        critics: score, its value for the pair, the limit that it must meet.
        written: what, text: a sentence of a test, what is written for it, what the judge says of
            the student's.
        judged: how often all pairs of the dataset mean the same, and who says so.
        readers: the same by blind readers, of this run or another, where a referee is the judge.
    """

    drawn: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    critics: list[tuple[str, str, str]] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)
    judged: str = ""
    readers: str = ""


def example_of_run(run: RunFolder, values: Mapping[str, Any]) -> RunExample:
    """From what the run holds: its table `thread`, or a pair drawn as that notebook draws it.

    Args:
        run: the run.
        values: its parameters.
    """
    pairs, (drawn, lines) = _records(run, "dataset_teacher"), _thread(run)
    if not lines and len(pairs) and len(contexts := _records(run, "contexts")):
        kept = pairs.rename(columns={"source": "x", "target": "y"})
        sentences = pairs.rename(columns={"source": "text"}).assign(reason="")
        rows = thread(kept, sentences, contexts, int(values.get("seed", 0)))
        lines = [(_other(what), text) for what, text in rows.itertuples(index=False)]
    said = dict(lines)
    mine = pairs[
        (pairs["source"] == said.get("all critics accept: x")) & (pairs["target"] == said["and y"])
    ] if lines and len(pairs) else pairs  # fmt: skip
    note = run.figures / "dataset_precision.json"
    judged = (read_json(note).get("reading") or "") if lines and note.is_file() else ""
    critics = _critics(mine.iloc[0], values) if lines and len(mine) else []
    written = _written(run, values)
    readers = said_of(_READ, run) if values.get("judge") == "referee" else ""
    return RunExample(drawn, lines, critics, written, minus(judged), readers)


def _thread(run: RunFolder) -> tuple[str, list[tuple[str, str]]]:
    """Its caption, which says how it was drawn, and its lines."""
    path = run.tables / "thread.json"
    if not path.is_file():
        return _DRAWN, []
    note = read_json(path)
    return note["caption"], [(row[0], row[1]) for row in note["rows"]]


def _other(what: str) -> str:
    """The run keeps no other sentences than those of pairs that were accepted."""
    return "next sentence, of another accepted pair" if what == "next sentence" else what


def _records(run: RunFolder, name: str) -> pd.DataFrame:
    path = run.data(name)
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame()


def _critics(pair: Any, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each critic's number for an accepted pair, and its limit; a TED may not be computed."""
    return [
        (SHOWN_SCORES[name], _BY_BOUNDS if name == "ted" and pd.isna(pair[name])
         else show(pair[name], 0 if name == "ted" else 2),
         f"{sign} {values[limit]:g}" if limit in values else "–")
        for name, (limit, sign) in _LIMITS.items() if name in pair
    ]  # fmt: skip


def _written(run: RunFolder, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A sentence of a test drawn by the seed, of the teacher's own if any, and what is written."""
    found = _records(run, "predictions")
    student = next((name for name in _STUDENTS if len(found) and name in set(found["system"])), "")
    mine = found[found["system"] == student] if student else found
    if mine.empty:
        return []
    own = mine[mine["item"].str.startswith("held_out: ")]
    seed = int(values.get("seed", 0))
    item = (own if len(own) else mine)["item"].sample(1, random_state=seed).iloc[0]
    here = found[found["item"] == item].set_index("system")
    lines = [("a sentence of the test", str(here.loc[student, "source"]))]
    for name in ("teacher, zero-shot", student):
        if name in here.index:
            lines.append((f"{_WRITERS[name]}, writes", str(here.loc[name, "output"]) or _NOTHING))
    return lines + _verdict(run, student, item, values)


def _verdict(
    run: RunFolder, student: str, item: str, values: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What the run's judge says of the student's answer; nothing where it says nothing."""
    found = _records(run, "verdicts")
    if found.empty:  # an older run kept none
        return []
    found = found[(found["system"] == student) & (found["item"] == item)].dropna()
    if found.empty:
        return []
    row, most = found.iloc[0], 100 * float(values["rouge_l_max"])
    said = "it keeps the meaning" if row["fidelity"] else "it does not keep the meaning"
    words = f"ROUGE-L to the sentence {show(row['rouge_l_source'], 0)} % (≤ {most:g} is new enough)"
    return [(f"the {values['judge']} says", f"{said}; {words}")]


def what_came_out(
    run: RunFolder, claims: Sequence[MainClaim], items: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, list[str]]]:
    """A step, how many of its claims came out how, the first of each outcome: at most five lines.

    What several seeds say stands before them, whole.

    Args:
        run: the run.
        claims: of `main_claims`.
        items: sidecars of figures and tables. Their readings take the place of claims where the
            run judged none.
    """
    homes = {f"{item['kind']}s/{item['name']}": item["notebook"] for item in items}
    lines = [
        (step, *_summed(mine))
        for step, numbers in _STEPS.items()
        if (mine := [each for each in claims if homes.get(each.file, "")[:2] in numbers])
    ]
    seeds = [
        (f"Claims {verdict}, over the seeds", str(len(names)), ["; ".join(names)])
        for verdict, names in seed_verdicts(run).items()
    ]
    told = {item["name"]: item for item in items if item.get("paper") and item.get("reading")}
    beside = [
        (re.sub("_", " ", name), "", [f"{item['reading']} (paper: {item['paper']})"])
        for name, item in told.items()
    ]
    return seeds + (lines or ([] if seeds else beside))[:MOST_LINES]


def _summed(claims: Sequence[MainClaim]) -> tuple[str, list[str]]:
    """`2 shown, 3 open`; the first claim of each outcome that decides, or an open."""
    of = {word: [each for each in claims if each.outcome == word] for word in OUTCOMES}
    counts = ", ".join(f"{len(found)} {word}" for word, found in of.items() if found)
    known = [word for word in of if of[word]]
    decided = [word for word in known if word != OPEN] or known
    return counts, [f"{word}: {minus(of[word][0].found)}" for word in decided]
