"""One interface for everything that paraphrases: a system maps test items to outputs.

An item has `source` and `references`. Copy-Input, the gold references, a prompted language model
and a distilled student are all systems, and are scored by the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.data.run_folder import RunFolder
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_mean
from impossible.evaluation.calibration import paired_difference
from impossible.evaluation.corrected_rates import ErrorRates
from impossible.evaluation.expectations import per_cent
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric import Written
from impossible.evaluation.metric_rows import Encoder as Similarity
from impossible.evaluation.metric_rows import MetricRows
from impossible.evaluation.metrics import METRICS, RAW
from impossible.evaluation.paraphrase_metrics import score_predictions, with_similarities
from impossible.evaluation.prompting import answers, asked
from impossible.evaluation.test_sets import by_set
from impossible.models.loading import LanguageModel, load_encoder
from impossible.models.sentence_encoder import SentenceEncoder
from impossible.text.signature import signature
from impossible.training.student import Student

#: What is measured of every output of a paraphraser.
ITEM_METRICS = ("rouge_l_source", "self_bleu", "bert_ibleu", "fidelity", "paraphrase")
System = Callable[[pd.DataFrame], list[str]]
_ASKED = "_asked"  # after the name of a judged metric, in item scores


def copy_input(items: pd.DataFrame) -> list[str]:
    """Every source as it is: perfectly faithful and never a paraphrase (Table 2)."""
    return list(items["source"])


def gold_reference(items: pd.DataFrame) -> list[str]:
    """The first gold paraphrase of each item. `predict` keeps it out of its references."""
    return [str(texts[0]) for texts in items["references"] if len(texts)]


def of_sources(answer: Callable[[list[str]], list[str]]) -> System:
    """A system that reads nothing of an item but its source: any function from texts to texts."""
    return lambda items: answer([str(source) for source in items["source"]])


def prompted(
    lm: LanguageModel,
    shots: Sequence[tuple[str, str]] = (),
    max_new_tokens: int = 60,
    task: str = "paraphrase",
) -> System:
    """A language model asked to rewrite, greedy: by its chat template if it has one.

    Without `shots` (sentence, target) it is told what to do, or without a template gets "In other
    words," or "TL;DR:" (Radford et al. 2019) to go on from; then the first sentence counts.
    """
    teacher = asked(lm, shots, max_new_tokens, task)
    if teacher.chats:
        return student_system(teacher, max_new_tokens)
    return of_sources(lambda xs: answers(lm, [teacher.prompt(x) for x in xs], max_new_tokens))


def student_system(student: Student, max_new_tokens: int = 100) -> System:
    """A distilled student of either kind, greedy; `max_new_tokens` is its longest answer."""
    return of_sources(
        lambda xs: [texts[0] for texts in student.generate(xs, max_new_tokens=max_new_tokens)]
    )


def shuffled(system: System) -> System:
    """A system whose outputs are given to the next item: the control with the signal destroyed."""
    return lambda items: np.roll(np.array(system(items), dtype=object), -1).tolist()


def predict(
    systems: Mapping[str, System], items: pd.DataFrame, encoder: Similarity | None = None
) -> pd.DataFrame:
    """PREDICTIONS of every system for every item.

    Of several references the first is kept for the system `gold_reference`, so that all systems are
    scored against the same others; an only one serves the others and leaves `gold_reference` none
    to be scored against. An item without references has no row of `gold_reference`.
    """
    parts = []
    for name, system in systems.items():
        gold = system is gold_reference
        answered = items[items["references"].map(len) > 0] if gold else items
        others = [list(r)[int(gold or len(r) > 1) :] for r in answered["references"]]
        columns = {"item": answered["id"], "source": answered["source"], "references": others}
        parts.append(pd.DataFrame({"system": name, **columns, "output": system(answered)}))
    return with_similarities(pd.concat(parts, ignore_index=True), encoder)


def score_sets(
    predictions: pd.DataFrame, items: pd.DataFrame, metrics: Sequence[str], judge: Judge,
    bootstrap: Bootstrap, **limits: float,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """METRIC_ROWS of all systems for each test set; see `score_predictions`, which gives them."""
    return {
        name: score_predictions(part, None, bootstrap, metrics, judge, **limits)
        for name, part in by_set(predictions, items).items()
    }


def text_encoder(
    name: str, run: RunFolder | None = None, device: str = "auto", batch_tokens: int = 16_384
) -> SentenceEncoder | None:
    """The sentence encoder called `name`; "none" is none, and what needs one is then missing."""
    if name == "none":
        return None
    return SentenceEncoder(load_encoder(name, run, device=device), batch_tokens)


def item_scores(
    predictions: pd.DataFrame,
    judge: Judge | None = None,
    rouge_l_max: float = 0.75,
    metrics: Sequence[str] = ITEM_METRICS,
    longest: float = 0.8,
) -> pd.DataFrame:
    """Scores of single PREDICTIONS, from which differences of systems are made.

    `rouge_l_max` and `longest` are limits of a valid paraphrase and of a good summary
    (`metric.Written`); without a judge judged metrics are NaN.

    Returns:
        system, item and a column per metric, judged ones by verdicts as they are; NaN where a
        value is missing. Where rates are corrected, METRIC_asked is 1 if the judge was asked.
    """
    texts = Written(predictions, judge or Judge(), rouge_l_max, longest)
    columns = {name: METRICS[name].values(texts) for name in metrics}
    for name in metrics:
        if METRICS[name].asks in texts.judge.errors:
            columns[name + _ASKED] = METRICS[name].asked(texts).astype(float)
    return predictions[["system", "item"]].reset_index(drop=True).assign(**columns)


def mean_rows(
    scores: pd.DataFrame, metrics: Sequence[str], bootstrap: Bootstrap = Bootstrap(),
    judge: Judge | None = None,
) -> pd.DataFrame:  # fmt: skip
    """METRIC_ROWS of the mean of columns of item scores, per system; NaN is missing, not zero.

    Rates of a `judge` with known error rates are corrected, those of its verdicts named with `RAW`.
    """
    parts = []
    for system, group in scores.groupby("system", sort=False):
        rows = MetricRows(str(system), group["item"].to_numpy(), bootstrap)
        for metric in metrics:
            values = group[metric].astype(float)
            errors = _errors(judge, scores, metric)
            if values.isna().all() and metric in METRICS:
                rows.missing(metric, METRICS[metric].lacks)
                continue
            if errors:
                rows.corrected(metric, values / 100, group[metric + _ASKED], errors)
            rows.mean(metric + RAW * bool(errors), values)
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def _errors(judge: Judge | None, scores: pd.DataFrame, metric: str) -> ErrorRates | None:
    """Error rates by which a column of item scores is corrected."""
    known = judge is not None and metric + _ASKED in scores
    return judge.errors.get(METRICS[metric].asks) if judge and known else None


def paired_gain(
    scores: pd.DataFrame,
    system: str,
    base: str,
    metrics: Sequence[str],
    bootstrap: Bootstrap = Bootstrap(),
    judge: Judge | None = None,
) -> pd.DataFrame:
    """What `system` scores minus what `base` scores on the same items, with a paired interval.

    Items are resampled with both answers: what makes an item hard for both cancels, and the
    interval is narrower than that of two separate samples. If the judge's error rates are known,
    gains of judged metrics are corrected, and those of its verdicts as they are follow, named with
    `RAW`. Of verdicts the interval is that of `paired_difference`. METRIC_ROWS whose `system` is
    "SYSTEM − BASE".
    """
    a, b = (scores[scores["system"] == name].set_index("item") for name in (system, base))
    a, b = (scores.loc[a.index.intersection(b.index)] for scores in (a, b))
    rows = MetricRows(f"{system} − {base}", None, bootstrap)
    for metric in metrics:
        first, second = a[metric].to_numpy(float), b[metric].to_numpy(float)
        if errors := _errors(judge, scores, metric):
            asked = (a[metric + _ASKED] - b[metric + _ASKED]).to_numpy(float)
            rows.corrected(metric, (first - second) / 100, asked, errors, lowest=-1)
        if np.isin([*first, *second], (0, 100)).all():
            gain = per_cent(paired_difference(first / 100, second / 100, bootstrap.confidence))
        else:
            gain = bootstrap_mean(first - second, None, bootstrap)
        text = signature(f"difference of {metric}", n=gain.n, paired="item")
        rows.add(metric + RAW * bool(errors), gain, text)
    return rows.frame()


def paired_gains(
    scores: pd.DataFrame, pairs: Iterable[tuple[str, str]], metrics: Sequence[str],
    bootstrap: Bootstrap = Bootstrap(), judge: Judge | None = None,
) -> pd.DataFrame:  # fmt: skip
    """`paired_gain` of several pairs (system, base); those without scores are left out."""
    there = [pair for pair in pairs if {*pair} <= {*scores["system"]}]
    gains = [paired_gain(scores, *pair, metrics, bootstrap, judge) for pair in there]
    return pd.concat(gains or [MetricRows("", None).frame()], ignore_index=True)
