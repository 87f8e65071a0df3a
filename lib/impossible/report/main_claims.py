"""The paper's main claims in a line each, with what a run found: what a reader meets first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder

__all__ = [
    "BEST_OF", "ENTAILMENT_ADDS", "FOUND", "NO_WORSE", "ORDER", "MainClaim", "by_claim",
    "main_claims",
]  # fmt: skip

FOUND = "critics find the pairs of next sentences that mean the same"
ENTAILMENT_ADDS = "entailment both ways, with distant trees, adds to the cheap critics"
NO_WORSE = "self-distillation makes the dataset no worse"
BEST_OF = "the same, each the best of n by the critics"
#: What the paper says, in our words; the notebook that expects it; what the expectation reads.
_SAID = (
    ("after longer contexts next sentences mean the same more often", "02",
     "^ratio .*longest − shortest context, % points"),
    ("and in colder sampling", "02", "^ratio .*hottest − coldest, % points"),
    (FOUND, "05", "minus any two"),
    (ENTAILMENT_ADDS, "05", "minus chosen by chance"),
    (NO_WORSE, "07", "minus D_T"),
    ("the student says what its source says", "09", "M_para, fidelity"),
    ("the student paraphrases better than its teacher, asked", "09",
     "M_para − teacher, (zero|few)-shot"),
    (BEST_OF, "09", r"best of \d+ − teacher, best"),
    ("the student paraphrases better than a round trip", "09", "points: M_para − round trip"),
    ("self-distillation makes the student better", "09", "M_para − student"),
    ("its data teach more than those of other methods", "13", "BERT-iBLEU: student of D_para"),
    ("the same method summarizes: better than the teacher, asked", "11",
     "points: M_sum − teacher, TL;DR"),
    ("and better than deletion", "11", "points: M_sum − deletion"),
)  # fmt: skip
ORDER = tuple(said for said, _, _ in _SAID)


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


def main_claims(run: RunFolder) -> list[MainClaim]:
    """Those of which a notebook of this run said what it expects, on each test set."""
    claims = []
    for said, notebook, pattern in _SAID:
        file = f"tables/expectations_{notebook}"
        path = run.root / f"{file}.json"
        table = read_json(path) if path.is_file() else {"columns": [], "rows": []}
        rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        for row in rows:
            if not re.search(pattern, row["expectation"]):
                continue
            n = f", n = {row['n']}" if row.get("n") not in (None, "", "–") else ""
            found = f"{row['expectation']}: {row['measured']}{n}"
            claims.append(MainClaim(said, found, row["bound"], row["outcome"], file))
    return claims


def by_claim(claims: Iterable[MainClaim]) -> dict[str, list[MainClaim]]:
    """What the paper says → what was found of it, a test set or judge each."""
    found: dict[str, list[MainClaim]] = {}
    for each in claims:
        found.setdefault(each.said, []).append(each)
    return found
