"""The paper's main claims in a line each, with what a run found: what a reader meets first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, isfinite, nan

import pandas as pd

from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder, scalars
from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.expectations import NOT_MEASURED, OPEN, SHOWN, Expected, interval_of
from impossible.evaluation.metrics import RAW
from impossible.evaluation.test_sets import TITLES, with_title
from impossible.report.claim_controls import beside_summaries, few_pairs, told_from_shuffled
from impossible.report.tables import MISSING, interval, show

FOUND = "critics find the pairs of next sentences that mean the same"
ENTAILMENT_ADDS = "entailment both ways, with distant trees, adds to the cheap critics"
NO_WORSE = "self-distillation makes the dataset no worse (ours)"
KEEPS_MEANING = "the student keeps its source's meaning as often as a round trip (ours)"
KEEPS_AS_TEACHER = "and as often as its teacher, each the best of n (ours)"
BEST_OF = "with the best of n by the critics each, it paraphrases better than its teacher (ours)"
_PARAPHRASES = "the student paraphrases better than its teacher, asked the better of two ways"
_TEACHES = "its data teach more than those of other methods (paper: iBLEU)"
_TEACHES_VALID = "the same, by valid paraphrases (ours)"
_SUMMARIZES = "the same method summarizes: better than the teacher, asked"
_LESS_ALIKE = "equivalent pairs are less alike than people's paraphrases (paper: 32 against 39)"
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
    (_NEAR, _LESS_ALIKE, "", "$^"),  # which no expectation says
    (_CRITICS, FOUND, "05", "minus any two"),
    (_CRITICS, ENTAILMENT_ADDS, "05", "minus chosen by chance"),
    (_AGAIN, NO_WORSE, "07", "minus D_T"),
    (_LEARNS, _PARAPHRASES, "09", "M_para − teacher, (zero|few)-shot"),
    (_LEARNS, BEST_OF, "09", r"best of \d+ − teacher, best"),
    (_LEARNS, _TEACHES, "13",
     "BERT-iBLEU: student of D_para − student of"),
    (_LEARNS, _TEACHES_VALID, "13",
     "valid paraphrase, %: student of D_para − student of"),
    (_SUMMARIES, _SUMMARIZES, "11",
     "points: M_sum − teacher, TL;DR"),
    (_SUMMARIES, "and better than deletion (ours)", "11", "points: M_sum − deletion"),
)  # fmt: skip
#: The question; a claim; a table of differences; metric; systems; the bound beyond which they lie.
_MEASURED = (
    (_LEARNS, KEEPS_MEANING, "over_others", "fidelity", "^(.*: )?M_para − round trip$", -5),
    (_LEARNS, KEEPS_AS_TEACHER, "over_others", "fidelity", r"best of \d+ − teacher, best", -5),
    (_LEARNS, "its iBLEU is above the teacher's and a round trip's (paper, MRPC: 7.3, best of all)",
     "over_others", "ibleu", "^(.*: )?M_para − (teacher, zero|round)", 0),
    (_LEARNS, "and its BERT-iBLEU (paper, MRPC: 67.1; ChatGPT 67.7; another encoder: compare the "
     "order only)", "over_others", "bert_ibleu", "^(.*: )?M_para − (teacher, zero|round)", 0),
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
        found: what was measured, with its value and interval; after "; " what is read beside it.
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
    claims = [*_expected(run), *_less_alike(run), *_measured(run)]
    return sorted(claims, key=lambda claim: ORDER.index(claim.said))


def _expected(run: RunFolder) -> Iterator[MainClaim]:
    """Of what a notebook of this run said that it expects it."""
    for _, said, notebook, pattern in _EXPECTED:
        rows = [row for row in _rows(run, notebook) if re.search(pattern, row["expectation"])]
        for row in _hardest(rows) if said == _PARAPHRASES else rows:
            note, decides = _beside(run, said)
            n = f", n = {row['n']}" if row.get("n") not in (None, "", "–") else ""
            found = f"{row['expectation']}: {row['measured']}{n}{note}"
            file = f"tables/expectations_{notebook}"
            outcome = row["outcome"] if decides else NOT_MEASURED
            yield MainClaim(said, found, row["bound"], outcome, file)


def _hardest(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Of each test set the smallest difference: that to the best of what it is compared with.

    One that was not measured is the last to be taken.

    >>> says = ("MRPC: A − B", "MRPC: A − C", "Quora: A − B")
    >>> rows = [{"expectation": each, "measured": f"{i} [0, 9]"} for i, each in enumerate(says)]
    >>> [row["expectation"] for row in _hardest(rows)]
    ['MRPC: A − B', 'Quora: A − B']
    """
    least: dict[str, dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: _difference(row["measured"])):
        least.setdefault(row["expectation"].partition(": ")[0], row)
    return [row for row in rows if row in least.values()]


def _difference(measured: str) -> float:
    """The number of a cell.

    >>> _difference("−1.5 [−3, 0]"), _difference("–")
    (-1.5, inf)
    """
    number = measured.partition(" ")[0].replace("−", "-")
    return inf if number == MISSING else float(number)


def _beside(run: RunFolder, said: str) -> tuple[str, bool]:
    """What is read beside what a notebook expects, and whether the numbers say anything at all."""
    if said in (_TEACHES, _TEACHES_VALID) and (n := few_pairs(run)):
        return f"; not measurable ({n})", False
    note = beside_summaries(run) if said == _SUMMARIZES else ""
    return f"; {note}" if note else "", True


def _less_alike(run: RunFolder) -> Iterator[MainClaim]:
    """Figure 3's dotted line: Self-BLEU of equivalent pairs under that of people's."""
    numbers = scalars(run, {"02_proximity"}).get("02_proximity", {})
    gap = numbers.get("self_bleu_over_human")
    if not isinstance(gap, list) or gap[0] is None:
        return
    low, high = (gap[0] if end is None else end for end in gap[1:])  # no interval: open
    n = round(numbers["ratio"] * numbers["n_pairs"])
    says = "Self-BLEU (critic), equivalent pairs − people's"
    expected = Expected(says, Interval(gap[0], low, high, n), under=0)
    people = numbers.get("self_bleu", nan) - gap[0]
    judges = ((judge, numbers.get(f"self_bleu_{judge}", nan)) for judge in ("referee", "oracle"))
    beside = [
        f", of the {judge}'s {show(found - people)}"
        for judge, found in judges
        if isfinite(found - people)
    ]
    text = f"{says}: {interval(*gap)}, n = {n:,}; of {n:,} pairs{''.join(beside)}"
    yield MainClaim(_LESS_ALIKE, text, expected.bound, expected.outcome, "scalars/02_proximity")


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
                apart, note = True, ""
                if metric in _METRICS and name == "over_others":
                    apart, note = told_from_shuffled(run, of, metric)
                text = f"{with_title(expected.says)}: {shown}, n = {found.n}"
                text += f"; {note}" if note else ""
                outcome = OPEN if expected.outcome == SHOWN and not apart else expected.outcome
                yield MainClaim(said, text, expected.bound, outcome, file)


def by_claim(claims: Iterable[MainClaim]) -> dict[str, list[MainClaim]]:
    """What the paper says → what was found of it, a test set or judge each."""
    found: dict[str, list[MainClaim]] = {}
    for each in claims:
        found.setdefault(each.said, []).append(each)
    return found
