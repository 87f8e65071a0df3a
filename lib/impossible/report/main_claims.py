"""The paper's main claims in a line each, with what a run found: what a reader meets first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder

__all__ = ["MainClaim", "main_claims"]

#: What the paper says, in our words; the notebook that expects it; what the expectation reads.
_SAID = (
    ("critics find the pairs of next sentences that mean the same", "05", "minus any two"),
    ("entailment both ways and distant trees add to the cheap critics", "05",
     "minus chosen by chance"),
    ("self-distillation makes the dataset no worse", "07", "minus D_T"),
    ("the student paraphrases better than its teacher, asked", "09", "M_para − teacher"),
    ("the same, each the best of n by the critics", "09", r"best of \d+ − teacher, best"),
    ("self-distillation makes the student better", "09", "M_para − student"),
    ("the same method summarizes: better than the teacher, asked", "11", "M_sum − teacher, TL;DR"),
)  # fmt: skip


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
    """Those of which a notebook of this run has said what it expects and found."""
    claims = []
    for said, notebook, pattern in _SAID:
        file = f"tables/expectations_{notebook}"
        path = run.root / f"{file}.json"
        rows = read_json(path)["rows"] if path.is_file() else []
        if row := next((row for row in rows if re.search(pattern, row[0])), None):
            text, measured, bound, outcome = row
            claims.append(MainClaim(said, f"{text}: {measured}", bound, outcome, file))
    return claims
