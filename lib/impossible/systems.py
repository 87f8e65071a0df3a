"""One interface for everything that paraphrases: a system maps test items to outputs.

An item has `source` and `references`. Copy-Input, the gold references, a prompted language model
and a distilled student are all systems, and are scored by the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.assessment import answers, few_shot, zero_shot
from impossible.critics import Encoder
from impossible.metric_rows import Encoder as Likeness
from impossible.metric_rows import MetricRows
from impossible.models import LanguageModel, Run, load_encoder
from impossible.rewriting import generate_candidates
from impossible.sampling import Nucleus
from impossible.statistics import bootstrap_difference
from impossible.text.bleu import self_bleu
from impossible.text.overlap import rouge_l
from impossible.text.signature import signature
from impossible.text.similarity import bert_ibleu

__all__ = [
    "PAPER_TABLE2", "PAPER_TABLE8", "TABLE2", "System", "copy_input", "gold_reference",
    "item_scores", "matched", "mean_rows", "paired_gain", "paper_table2", "paper_table8", "predict",
    "prompted", "published", "shuffled", "student_system", "text_encoder",
]  # fmt: skip

#: Columns of the paper's Table 2, as `score_predictions` calls them.
TABLE2 = ("ibleu", "bert_ibleu", "bleu", "rouge_l")

#: The paper's Table 2, column MRPC.
PAPER_TABLE2: dict[str, tuple[float, ...]] = {
    "paper, MRPC: Copy-Input": (1.1, 0.0, 44.4, 65.7),
    "paper, MRPC: GPT-3.5": (5.7, 66.5, 18.1, 35.7),
    "paper, MRPC: ChatGPT": (5.9, 67.7, 18.0, 36.5),
    "paper, MRPC: T5 on ParaBank1": (5.8, 60.0, 27.3, 50.3),
    "paper, MRPC: T5 on ParaBank2": (6.1, 60.5, 27.7, 51.4),
    "paper, MRPC: T5 on ChatGPT-Para": (5.4, 62.9, 21.2, 40.7),
    "paper, MRPC: Impossible-T5": (7.3, 67.1, 26.0, 46.8),
}

#: The paper's Table 8, Quora: iBLEU, BLEU.
PAPER_TABLE8: dict[str, tuple[float, ...]] = {
    "paper, Quora: Lag VAE": (8.73, 15.52),
    "paper, Quora: CGMH": (9.94, 15.73),
    "paper, Quora: UPSA": (12.03, 18.21),
    "paper, Quora: BT": (11.64, 11.59),
    "paper, Quora: Corruption": (12.32, 17.97),
    "paper, Quora: ConRPG": (12.68, 18.31),
    "paper, Quora: MCPG": (13.58, 24.84),
    "paper, Quora: Impossible-T5": (16.40, 27.22),
}

System = Callable[[pd.DataFrame], list[str]]
GREEDY = Nucleus(greedy=True)


def copy_input(items: pd.DataFrame) -> list[str]:
    """Every source as it is: perfectly faithful and never a paraphrase (Table 2)."""
    return list(items["source"])


def gold_reference(items: pd.DataFrame) -> list[str]:
    """The first gold paraphrase of each item. `predict` keeps it out of the references."""
    return [str(texts[0]) for texts in items["references"]]


def prompted(
    lm: LanguageModel, shots: Sequence[tuple[str, str]] = (), max_new_tokens: int = 60
) -> System:
    """A language model asked to paraphrase (`assessment.zero_shot`, `few_shot`); greedy.

    Args:
        lm: the teacher.
        shots: (sentence, paraphrase) examples in the prompt; none: zero-shot.
        max_new_tokens: longest answer, of which the first sentence counts.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        sources = list(items["source"])
        texts = [few_shot(x, shots) for x in sources] if shots else [zero_shot(x) for x in sources]
        return answers(lm, texts, max_new_tokens)

    return answer


def student_system(student: LanguageModel, max_new_tokens: int = 100) -> System:
    """A distilled student, greedy.

    Args:
        student: an encoder-decoder, for example `load_student(str(run.models / "m_para"))`.
        max_new_tokens: longest answer.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        sources = list(items["source"])
        zeros = [np.zeros((1, max_new_tokens)) for _ in sources]
        return [c[0] for c in generate_candidates(student, sources, zeros, GREEDY)]

    return answer


def shuffled(system: System) -> System:
    """A system whose outputs are given to the next item: the control with the signal destroyed."""

    def answer(items: pd.DataFrame) -> list[str]:
        outputs = system(items)
        return [*outputs[1:], *outputs[:1]]

    return answer


def predict(systems: Mapping[str, System], items: pd.DataFrame) -> pd.DataFrame:
    """PREDICTIONS of every system for every item.

    Args:
        systems: name → system.
        items: item, source, references (two or more each: the first is kept for the system
            `gold_reference`, so that all systems are scored against the same others).
    """
    others = [list(texts)[1:] for texts in items["references"]]
    columns = {"item": items["item"], "source": items["source"], "references": others}
    parts = [
        pd.DataFrame({"system": name, **columns, "output": system(items)})
        for name, system in systems.items()
    ]
    return pd.concat(parts, ignore_index=True)


def text_encoder(name: str, run: Run | None = None, device: str = "auto") -> Encoder | None:
    """The sentence encoder called `name`; "none" is none, and what needs one is then missing."""
    return None if name == "none" else Encoder(load_encoder(name, run, device=device))


def published(
    table: Mapping[str, Sequence[float]], metrics: Sequence[str], n: int, source: str
) -> pd.DataFrame:
    """Numbers of a paper as METRIC_ROWS, without intervals (the paper has none).

    Args:
        table: system → a value per metric.
        metrics: names, as ours are called.
        n: items behind each value.
        source: paper and table.
    """
    rows = [
        (system, metric, value, np.nan, np.nan, n, source)
        for system, values in table.items()
        for metric, value in zip(metrics, values, strict=True)
    ]
    columns = ["system", "metric", "value", "low", "high", "n", "signature"]
    return pd.DataFrame(rows, columns=columns)


def matched(
    table: Mapping[str, Sequence[float]], metrics: Sequence[str], ours: Mapping[str, str]
) -> dict[tuple[str, str], float]:
    """A paper's numbers under the names of our systems, as `tables.beside_paper` wants them.

    Args:
        table: the paper's system → a value per metric.
        metrics: names, as ours are called.
        ours: our system → the paper's system that it answers to.

    >>> matched({"T5": (7.3, 26.0)}, ["ibleu", "bleu"], {"M_para": "T5"})
    {('M_para', 'ibleu'): 7.3, ('M_para', 'bleu'): 26.0}
    """
    return {
        (name, metric): value
        for name, theirs in ours.items()
        for metric, value in zip(metrics, table[theirs], strict=True)
    }


def paper_table2() -> pd.DataFrame:
    """The paper's Table 2 for MRPC as METRIC_ROWS."""
    return published(PAPER_TABLE2, TABLE2, 1147, "Jung et al. 2024, Table 2")


def paper_table8() -> pd.DataFrame:
    """The paper's Table 8 for Quora as METRIC_ROWS."""
    return published(PAPER_TABLE8, ("ibleu", "bleu"), 4000, "Jung et al. 2024, Table 8")


def item_scores(predictions: pd.DataFrame, encoder: Likeness | None = None) -> pd.DataFrame:
    """Scores of single outputs, from which differences of systems are made.

    Args:
        predictions: PREDICTIONS.
        encoder: for BERT-iBLEU; None: it is NaN.

    Returns:
        system, item, rouge_l_source (F1 in [0, 1]), self_bleu and bert_ibleu in [0, 100].
    """
    sources, outputs = list(predictions["source"]), list(predictions["output"])
    own = self_bleu(sources, outputs)
    if encoder is None:
        combined = np.full(len(outputs), np.nan)
    else:
        said = np.array([bool(output.strip()) for output in outputs])
        alike = np.asarray(encoder.bert_score(outputs, sources), dtype=float)
        combined = 100 * bert_ibleu(np.where(said, alike, 0.0), own / 100)
    near = [rouge_l(x, y) for x, y in zip(sources, outputs, strict=True)]
    columns = {"rouge_l_source": near, "self_bleu": own, "bert_ibleu": combined}
    return predictions[["system", "item"]].reset_index(drop=True).assign(**columns)


def mean_rows(
    scores: pd.DataFrame,
    metrics: Sequence[str],
    confidence: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """METRIC_ROWS of the mean of columns of item scores, per system; NaN is missing, not zero."""
    parts = []
    for system, group in scores.groupby("system", sort=False):
        rows = MetricRows(str(system), group["item"].to_numpy(), confidence, samples, seed)
        for metric in metrics:
            rows.mean(metric, group[metric].astype(float))
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def paired_gain(
    scores: pd.DataFrame,
    system: str,
    base: str,
    metrics: Sequence[str],
    confidence: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """What `system` scores minus what `base` scores on the same items, with a paired interval.

    Above zero is better, except for metrics that are to be low (ROUGE-L to the source, TED).

    Both answer every item, so items are resampled with both answers: what makes an item hard for
    both cancels, and the interval is narrower than that of two separate samples.

    Args:
        scores: system, item and a column per metric.
        system, base: names of two systems.
        metrics: columns.

    Returns:
        METRIC_ROWS whose `system` is "SYSTEM − BASE".
    """
    a, b = (scores[scores["system"] == name].set_index("item") for name in (system, base))
    b = b.loc[a.index]
    rows = MetricRows(f"{system} − {base}", None, confidence, samples, seed)
    for metric in metrics:
        first, second = a[metric].to_numpy(float), b[metric].to_numpy(float)
        gain = bootstrap_difference(first, second, None, samples, confidence, seed)
        rows.add(metric, gain, signature(f"difference of {metric}", n=gain.n, paired="item"))
    return rows.frame()
