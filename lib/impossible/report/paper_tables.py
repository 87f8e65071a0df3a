"""The paper's tables, as numbers to put beside ours (Jung et al. 2024, arXiv 2305.16635)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = [
    "COPY_INPUT", "TABLE1", "TABLE2_MRPC", "TABLE3", "TABLE4", "TABLE5", "TABLE6",
    "TABLE8_QUORA", "Published",
]  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A table of the paper.

    Attributes:
        table: its number, and the test set if it has several.
        label: what stands before the systems' names, so that none is taken for one of ours.
        metrics: columns, as ours are called.
        values: the paper's name of a system → a value per metric.
        n: items behind each value; 0: not said, or different for each line.
    """

    table: str
    label: str
    metrics: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]
    n: int

    def rows(self) -> pd.DataFrame:
        """`records.METRIC_ROWS` without intervals, which the paper does not give."""
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
        {('UPSA', 'ibleu'): 12.03, ('UPSA', 'bleu'): 18.21}
        """
        return {
            (name, metric): value
            for name, theirs in ours.items()
            for metric, value in zip(self.metrics, self.values[theirs], strict=True)
        }


#: Quality of datasets; the number of pairs is in the name.
TABLE1 = Published(
    "Table 1",
    "paper",
    ("cosine", "h2", "h3", "msttr", "jaccard", "ted_3", "ted_f"),
    {
        "ParaBank1 (57.0M)": (81.77, 17.07, 21.66, 45.52, 48.41, 3.59, 14.53),
        "ParaBank2 (19.7M)": (82.50, 17.48, 21.44, 46.16, 43.44, 4.04, 17.41),
        "ChatGPT-Para (2.1M)": (85.44, 17.67, 21.41, 35.83, 44.56, 4.26, 20.15),
        "DIMPLE (4.2M)": (87.68, 17.75, 22.46, 53.08, 43.62, 5.02, 29.84),
    },
    0,
)

#: Unconstrained paraphrase, column MRPC.
TABLE2_MRPC = Published(
    "Table 2",
    "paper, MRPC",
    ("ibleu", "bert_ibleu", "bleu", "rouge_l"),
    {
        "Copy-Input": (1.1, 0.0, 44.4, 65.7),
        "GPT-3.5": (5.7, 66.5, 18.1, 35.7),
        "ChatGPT": (5.9, 67.7, 18.0, 36.5),
        "T5 on ParaBank1": (5.8, 60.0, 27.3, 50.3),
        "T5 on ParaBank2": (6.1, 60.5, 27.7, 51.4),
        "T5 on ChatGPT-Para": (5.4, 62.9, 21.2, 40.7),
        "Impossible-T5": (7.3, 67.1, 26.0, 46.8),
    },
    1147,
)

#: Mean ratings by six raters, 1 to 3.
TABLE3 = Published(
    "Table 3",
    "paper",
    ("fluent", "faithful", "dissimilar"),
    {
        "ChatGPT": (2.80, 2.37, 2.38),
        "T5 on ParaBank1": (2.45, 2.33, 2.09),
        "T5 on ParaBank2": (2.47, 2.50, 2.21),
        "T5 on ChatGPT-Para": (2.64, 2.30, 2.33),
        "Impossible-T5": (2.74, 2.55, 2.40),
    },
    200,
)

#: Syntactically controlled paraphrase (ParaNMT-small).
TABLE4 = Published(
    "Table 4",
    "paper",
    ("ibleu", "bert_ibleu", "rouge_l", "ted_exemplar"),
    {
        "ChatGPT, 0-shot": (9.1, 85.8, 41.6, 11.6),
        "ChatGPT, 5-shot": (9.0, 85.9, 42.2, 10.3),
        "T5 on ParaBank1": (10.7, 82.3, 55.6, 8.4),
        "T5 on ParaBank2": (10.9, 84.7, 57.5, 8.8),
        "T5 on ChatGPT-Para": (10.5, 79.4, 47.6, 10.4),
        "Impossible-T5": (11.2, 86.6, 51.8, 8.5),
    },
    500,
)

#: Summarization (Gigaword): BERTScore-F1, ROUGE-L.
TABLE5 = Published(
    "Table 5",
    "paper",
    ("bert_score_references", "rouge_l"),
    {
        "ChatGPT": (84.8, 33.6),
        "Referee": (78.2, 29.2),
        "T5-ParaBank": (77.5, 29.6),
        "Impossible-T5": (85.1, 30.3),
    },
    1951,
)

#: What the parts are worth, by BERT-iBLEU on MRPC.
TABLE6 = Published(
    "Table 6",
    "paper",
    ("bert_ibleu",),
    {
        "without self-distillation": (64.0,),
        "T5-ChatGPT-Para": (62.9,),
        "T5-ChatGPT-Para + self-distillation": (63.3,),
        "T5-ChatGPT-Para + critics": (64.1,),
        "Impossible-T5": (67.1,),
    },
    1147,
)

#: Unsupervised paraphrasers (Quora).
TABLE8_QUORA = Published(
    "Table 8",
    "paper, Quora",
    ("ibleu", "bleu"),
    {
        "Lag VAE": (8.73, 15.52),
        "CGMH": (9.94, 15.73),
        "UPSA": (12.03, 18.21),
        "BT": (11.64, 11.59),
        "Corruption": (12.32, 17.97),
        "ConRPG": (12.68, 18.31),
        "MCPG": (13.58, 24.84),
        "Impossible-T5": (16.40, 27.22),
    },
    4000,
)

#: Copy-Input in Table 2, by test set and metric; anybody can compute these anew.
COPY_INPUT: dict[tuple[str, str], float] = {
    ("MRPC test positives", "rouge_l"): 65.7,
    ("MRPC test positives", "bleu"): 44.4,
    ("MRPC test positives", "ibleu"): 1.1,
    ("ParaSCI-arXiv test", "rouge_l"): 60.2,
    ("ParaSCI-arXiv test", "bleu"): 42.8,
    ("ParaSCI-arXiv test", "ibleu"): 0.0,
}
