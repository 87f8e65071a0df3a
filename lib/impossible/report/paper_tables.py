"""The paper's tables, as numbers to put beside ours (Jung et al. 2024, arXiv 2305.16635)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from impossible.config.yaml_files import read_yaml


@dataclass(frozen=True)
class Published:
    """A table of the paper.

    Attributes:
        table: its number, and the test set if it has several.
        label: what stands before the systems' names, so that none is taken for one of ours.
        metrics: columns, as ours are called.
        values: the paper's name of a system → a value per metric.
        n: items behind each value; 0: not said, or different for each line.
        ours: our system → the table's that it answers to, where `ANSWERS_TO` does not say so.
        test_set: the one that it was measured on; values can be compared on no other.
    """

    table: str
    label: str
    metrics: Sequence[str]
    values: Mapping[str, Sequence[float]]
    n: int
    ours: Mapping[str, str] = field(default_factory=dict)
    test_set: str = ""

    def rows(self) -> pd.DataFrame:
        """METRIC_ROWS without intervals, which the paper does not give."""
        source = f"Jung et al. 2024, {self.table}"
        found = [
            (f"{self.label}: {system}", metric, value, np.nan, np.nan, self.n, source)
            for system, values in self.values.items()
            for metric, value in zip(self.metrics, values, strict=True)
        ]
        columns = ["system", "metric", "value", "low", "high", "n", "signature"]
        return pd.DataFrame(found, columns=columns)

    def matched(self, ours: Mapping[str, str]) -> dict[tuple[str, str], float]:
        """The numbers under the names of our systems, as `tables.beside_paper` wants them.

        Args:
            ours: our system → the paper's system that it answers to.

        >>> TABLE8_QUORA.matched({"UPSA": "UPSA"})
        {('UPSA', 'ibleu_table8'): 12.03, ('UPSA', 'bleu_corpus'): 18.21}
        """
        return {
            (name, metric): value
            for name, theirs in ours.items()
            for metric, value in zip(self.metrics, self.values[theirs], strict=True)
        }

    def answered(self, systems: Iterable[str]) -> dict[str, str]:
        """Our system → the one of this table that it answers to.

        Args:
            systems: ours; of them those count that `ANSWERS_TO` names. A table with names of its
                own has all of these: what was not run is to be seen.
        """
        if self.ours:
            return dict(self.ours)
        names = {name: ANSWERS_TO.get(name, "") for name in systems}
        return {name: theirs for name, theirs in names.items() if theirs in self.values}


_TABLES = read_yaml(Path(__file__).with_suffix(".yaml"))

#: Copy-Input in Table 2, (test set, metric) → value; anybody can compute these anew.
COPY_INPUT: dict[tuple[str, str], float] = {
    (name, metric): value
    for name, values in _TABLES.pop("COPY_INPUT").items()
    for metric, value in values.items()
}
PAPER_TABLES = {name: Published(**table) for name, table in _TABLES.items()}
TABLE1, TABLE2_MRPC, TABLE2_PARASCI, TABLE3, TABLE4, TABLE5, TABLE6, *_TABLE8 = (
    PAPER_TABLES.values()
)
TABLE8_QUORA, TABLE8_MSCOCO = _TABLE8

#: Test set → the paper's table of it; of any other the order of systems in Table 2 can be compared.
BY_TEST_SET = {one.test_set: one for one in (TABLE2_MRPC, TABLE2_PARASCI, *_TABLE8)}

#: Our system → the paper's that it answers to, in the tables where that one is.
ANSWERS_TO = {
    "Copy-Input": "Copy-Input", "teacher, few-shot": "ChatGPT", "round trip": "BT",
    "student of ParaBank1-like": "T5 on ParaBank1", "student of ParaBank2-like": "T5 on ParaBank2",
    "student of round trips": "T5 on ParaBank1",
    "student of plain forms (stand-in)": "T5 on ChatGPT-Para",
    "student of asked teacher": "T5 on ChatGPT-Para", "UPSA": "UPSA", "Corruption": "Corruption",
    "student of D_para": "Impossible-T5", "M_para": "Impossible-T5",
}  # fmt: skip


def tables_beside(test_set: str, first: bool = False) -> list[Published]:
    """What is shown beside ours on a test set: the paper's table of it, else Table 2 of MRPC.

    Args:
        test_set: its name.
        first: the first set of a run also gets Table 8, where the other baselines are.
    """
    found = [BY_TEST_SET.get(test_set, TABLE2_MRPC)]
    return found if not first or found[0] in _TABLE8 else [*found, TABLE8_QUORA]
