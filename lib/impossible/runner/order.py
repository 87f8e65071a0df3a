"""What is asked of `distil`, checked before anything is loaded."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from impossible.data.own_text import OwnDocument, different_documents, read_documents
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError, ParameterError, nearest
from impossible.rewriting.inputs import input_problem

_TASKS = ("paraphrase", "summarize")
_LOOKED_AT = 1_500  # characters of a document by which its language is told


@dataclass(frozen=True)
class Order:
    """What a user asks for.

    Attributes:
        contexts: file or folder of text, see `read_documents`.
        task: "paraphrase" or "summarize".
        out: folder for everything.
        field: of JSON lines and Parquet.
        licence: of the text.
        student: name or folder of a student that writes the second dataset and is trained on it;
            "": one is trained on the first dataset, as the paper does, and a new one on the second.
        adapt_teacher: the teacher is adapted to the text before it writes.

    Raises:
        ParameterError: an unknown task.
    """

    contexts: Path
    task: str
    out: Path
    field: str = "text"
    licence: str = "unknown"
    student: str = ""
    adapt_teacher: bool = False

    def __post_init__(self) -> None:
        if self.task not in _TASKS:
            hint = nearest(self.task, _TASKS)
            raise ParameterError(
                f"There is no task {self.task!r}{hint}: give {' or '.join(_TASKS)}."
            )

    @property
    def run(self) -> RunFolder:
        """Where units, records and models are kept."""
        return RunFolder(self.out / "work")


def usable_documents(order: Order) -> list[OwnDocument]:
    """The documents that look like English text; what is left out is said.

    Raises:
        DataError: none is left, or fewer than three different ones.
    """
    documents = read_documents(order.contexts, order.field)
    problems = {each.place: input_problem(each.text[:_LOOKED_AT]) for each in documents}
    good = [each for each in documents if not problems[each.place]]
    place, why = next(((p, why) for p, why in problems.items() if why), ("", ""))
    if not good:
        raise DataError(f"No document of {order.contexts} can be used; {place}: {why}.")
    if place:
        left = len(documents) - len(good)
        say(f"{left:,} of {len(documents):,} documents are left out, the first is {place}: {why}")
    different_documents(each.text for each in good)
    return good


def say(line: str) -> None:
    """Tell how a run goes, on standard error."""
    print(line, file=sys.stderr, flush=True)
