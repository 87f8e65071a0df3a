"""The paper's main claims in a line each, with what a run found: what a reader meets first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.metrics import RAW
from impossible.evaluation.test_sets import TITLES, with_title
from impossible.report.tables import interval

__all__ = [
    "BEST_OF",
    "ENTAILMENT_ADDS",
    "FOUND",
    "KEEPS_MEANING",
    "MAIN_QUESTIONS",
    "NO_WORSE",
    "ORDER",
    "MainClaim",
    "by_claim",
    "by_question",
    "main_claims",
    "question_of",
]  # fmt: skip

FOUND = "critics find the pairs of next sentences that mean the same"
ENTAILMENT_ADDS = "entailment both ways, with distant trees, adds to the cheap critics"
NO_WORSE = "self-distillation makes the dataset no worse (ours)"
KEEPS_MEANING = "the student keeps its source's meaning as often as a round trip (ours)"
BEST_OF = "the same, each the best of n by the critics (ours)"
_METRICS = {"ibleu": "iBLEU", "bert_ibleu": "BERT-iBLEU"}  # of which the paper's tables are made

_NEAR = "Are there paraphrases near each other?"
_CRITICS = "Do the critics find them?"
_LEARNS = "Does a student learn?"
_AGAIN = "Does self-distillation help?"
_SUMMARIES = "Does it summarize?"
MAIN_QUESTIONS = (_NEAR, _CRITICS, _LEARNS, _AGAIN, _SUMMARIES)

#: The question that it answers; a claim, the paper's in our words or, marked so, ours; the notebook
#: that expects it; what the expectation reads.
_EXPECTED = (
    (_NEAR, "after longer contexts next sentences mean the same more often", "02",
     "^ratio .*longest − shortest context, % points"),
    (_NEAR, "and in colder sampling", "02", "^ratio .*hottest − coldest, % points"),
    (_CRITICS, FOUND, "05", "minus any two"),
    (_CRITICS, ENTAILMENT_ADDS, "05", "minus chosen by chance"),
    (_AGAIN, NO_WORSE, "07", "minus D_T"),
    (_LEARNS, "the student paraphrases better than its teacher, asked", "09",
     "M_para − teacher, (zero|few)-shot"),
    (_LEARNS, BEST_OF, "09", r"best of \d+ − teacher, best"),
    (_LEARNS, "its data teach more than those of other methods (paper: iBLEU)", "13",
     "BERT-iBLEU: student of D_para − student of"),
    (_LEARNS, "the same, by valid paraphrases (ours)", "13",
     "valid paraphrase, %: student of D_para − student of"),
    (_SUMMARIES, "the same method summarizes: better than the teacher, asked", "11",
     "points: M_sum − teacher, TL;DR"),
    (_SUMMARIES, "and better than deletion (ours)", "11", "points: M_sum − deletion"),
)  # fmt: skip
#: The question; a claim; a table of differences; metric; systems; the bound beyond which they lie.
_MEASURED = (
    (_LEARNS, KEEPS_MEANING, "over_others", "fidelity", "M_para − round trip$", -5),
    (_LEARNS, "its iBLEU is above the teacher's and a round trip's (paper, MRPC: 7.3, best of all)",
     "over_others", "ibleu", "^(.*: )?M_para − (teacher, zero|round)", 0),
    (_LEARNS, "and its BERT-iBLEU (paper, MRPC: 67.1; ChatGPT 67.7)", "over_others", "bert_ibleu",
     "^(.*: )?M_para − (teacher, zero|round)", 0),
    (_AGAIN, "self-distillation makes the student better (paper: BERT-iBLEU 64.0 to 67.1)", "gain",
     "bert_ibleu", "M_para − student", 0),
)  # fmt: skip
_EARLIER = 1 + [said for _, said, *_ in _EXPECTED].index(BEST_OF)  # others follow the measured
_IN_ORDER = (*_EXPECTED[:_EARLIER], *_MEASURED, *_EXPECTED[_EARLIER:])
_ASKED = {str(said): str(question) for question, said, *_ in _IN_ORDER}
#: All claims, those of one question beside one another.
ORDER = tuple(sorted(_ASKED, key=lambda said: MAIN_QUESTIONS.index(_ASKED[said])))


@dataclass(frozen=True)
class MainClaim:
    """One of them.

    Attributes:
        said: by the paper, in our words.
        found: what was measured, with its value and interval.
        bound: beyond which it must lie.
        outcome: of `expectations.OUTCOMES`.
        file: the table that it stands in, relative to the run, without ending.
    """

    said: str
    found: str
    bound: str
    outcome: str
    file: str

    @property
    def question(self) -> str:
        """The one of `MAIN_QUESTIONS` that it answers."""
        return question_of(self.said)


def question_of(said: str) -> str:
    """Which of `MAIN_QUESTIONS` a claim answers.

    >>> question_of("and in colder sampling")
    'Are there paraphrases near each other?'
    """
    return _ASKED[said]


def by_question(said: Iterable[str]) -> dict[str, list[str]]:
    """Question → those of some claims that answer it, in `ORDER`; none without a claim."""
    known = sorted(set(said), key=ORDER.index)
    return {
        question: mine
        for question in MAIN_QUESTIONS
        if (mine := [each for each in known if question_of(each) == question])
    }


def main_claims(run: RunFolder) -> list[MainClaim]:
    """Those of which a run holds the numbers, on each test set, in `ORDER`."""
    claims = [*_expected(run), *_measured(run)]
    return sorted(claims, key=lambda claim: ORDER.index(claim.said))


def _expected(run: RunFolder) -> Iterator[MainClaim]:
    """Of what a notebook of this run said that it expects it."""
    for _, said, notebook, pattern in _EXPECTED:
        for row in _rows(run, notebook):
            if re.search(pattern, row["expectation"]):
                n = f", n = {row['n']}" if row.get("n") not in (None, "", "–") else ""
                found = f"{row['expectation']}: {row['measured']}{n}"
                file = f"tables/expectations_{notebook}"
                yield MainClaim(said, found, row["bound"], row["outcome"], file)


def _rows(run: RunFolder, notebook: str) -> list[dict[str, str]]:
    """What became of the expectations of a notebook; none where it did not run."""
    path = run.tables / f"expectations_{notebook}.json"
    table = read_json(path) if path.is_file() else {"columns": [], "rows": []}
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def _first_set(run: RunFolder) -> str:
    """`NAME: ` of the test set whose rows in tables of differences bear no name."""
    names = [*TITLES, *TITLES.values()]
    said = [row["expectation"].partition(": ")[0] for row in _rows(run, "09")]
    return next((f"{name}: " for name in said if name in names), "")


def _measured(run: RunFolder) -> Iterator[MainClaim]:
    """Of differences between systems, paired by item, in the paper's own metrics."""
    main = _first_set(run)
    for _, said, name, metric, pattern, bound in _MEASURED:
        file = f"tables/{name}"
        path = run.root / f"{file}.csv"
        rows = pd.read_csv(path) if path.is_file() else pd.DataFrame({"system": []})
        for system in rows["system"].drop_duplicates():
            found = interval_of(rows, system, metric)
            if re.search(pattern, system) and found.n:
                of, colon, pair = system.rpartition(": ")  # the first set's rows bear no name
                raw = " (referee, raw)" if (rows["metric"] == metric + RAW).any() else ""
                what = f"{_METRICS.get(metric, f'{metric}{raw}, % points')}: {pair}"
                expected = Expected(f"{of}{colon}{what}" if of else main + what, found, over=bound)
                shown = interval(found.value, found.low, found.high)
                text = f"{with_title(expected.says)}: {shown}, n = {found.n}"
                yield MainClaim(said, text, expected.bound, expected.outcome, file)


def by_claim(claims: Iterable[MainClaim]) -> dict[str, list[MainClaim]]:
    """What the paper says → what was found of it, a test set or judge each."""
    found: dict[str, list[MainClaim]] = {}
    for each in claims:
        found.setdefault(each.said, []).append(each)
    return found
