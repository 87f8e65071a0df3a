"""Datasets in tables and pictures: the funnel, Algorithm 1, what a judge says (00, 05, 06, 07)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from impossible.evaluation.fractions import as_raw, fraction_rows, fractions_of
from impossible.filtering.critics import reason_title
from impossible.filtering.funnel import funnel_table
from impossible.report import tables
from impossible.report.figures import diversity_graph, fraction_dots, funnel_dots, loss_curves
from impossible.report.side_by_side import Shows
from impossible.training.fine_tuning import loss_curve
from impossible.training.trainer import History

READERS = "both blind readers"
#: What tests refuse whose name alone does not say it.
_TESTS = {
    "duplicate": "the same two strings again",
    "names": "a name that the other side lacks",
    "similarity": "embeddings too far apart",
}


def funnel_shown(
    stage: Shows, name: str, funnel: pd.DataFrame, order: Sequence[str], caption: str,
    data: Sequence[Path] = (), unit: str = "ordered pairs", digits: int = 3, kept: str = "kept",
) -> list[Any]:  # fmt: skip
    """Save table NAME of what each test dropped, and figure NAME of what it left.

    Args:
        stage: of the notebook.
        funnel: reason, n.
        order: reasons in the order of the tests.
        caption: of the table.
        data: files that the numbers come from.
        unit: what is counted.
        digits: decimals of the table.
        kept: the reason that means "not dropped".

    Returns:
        What is to be displayed.
    """
    left = f"{unit.capitalize()} left after each test, in its order, and the fraction it retains"
    left += f"; last row: {kept}. Logarithmic scale."
    met = [f"{reason_title(name)}: {_TESTS[name]}" for name in order if name in _TESTS]
    left += f" {'; '.join(met).capitalize()}." if met else ""
    picture = funnel_dots(funnel, order, kept, unit)
    return [
        stage.table(name, funnel_table(funnel, order, kept), caption, data, None, None, digits),
        stage.figure(name, picture, left, data),
    ]


def _uncorrected(by: str) -> str:
    """What a caption says of a judge that errs, where critics chose some of the pairs."""
    if not by.endswith("raw"):
        return ""
    return " Raw: critics that may err as the judge does chose some, so that no correction holds."


def diversity_example(
    stage: Shows, example: pd.DataFrame, edges: Sequence[tuple[int, int]], ringed: Sequence[int],
    thinned: bool, data: Sequence[Path],
) -> Any:  # fmt: skip
    """Save figure `diversity_graph`: Algorithm 1 on the pairs of one context.

    Args:
        stage, data: as for `funnel_shown`.
        example: of `pair_samples.example_context`; edges: of `pair_samples.pair_edges`.
        ringed: rows of it that are in the dataset.
        thinned: whether the run drops the others.

    Returns:
        What is to be displayed.
    """
    ringed_ones = "the ringed pair of each component stays"
    if not thinned:
        ringed_ones = "the filter is off in this run, so that every pair stays and is ringed"
    caption = (
        "Algorithm 1 on the kept pairs of one context: an edge joins pairs whose x or whose y "
        f"entail one another; {ringed_ones}."
    )
    picture = diversity_graph(list(example.index), edges, list(ringed))
    return stage.figure("diversity_graph", picture, caption, data)


def first_precision(
    stage: Shows, found: pd.DataFrame, by: str, confidence: float, data: Sequence[Path],
    read: pd.DataFrame,
) -> list[Any]:  # fmt: skip
    """Save table and figure `dataset_precision`, from any two sentences to the first dataset.

    Args:
        stage, data: as for `funnel_shown`.
        found: of `pair_samples.judged_fractions`, groups from "any two sentences" to "D_T".
        by: who judged.
        confidence: of the intervals.
        read: of `blind_readings.read_fractions`.

    Returns:
        What is to be displayed.
    """
    by, name = as_raw(by), "dataset_precision"
    rows = fraction_rows(found, f"equivalent ({by}), %")
    picture, told, reading = precision_picture(found, by, confidence, read)
    caption = _first_caption(by, confidence)
    return [
        stage.table(name, tables.wide(rows), caption, data, None, rows),
        stage.figure(name, picture, told, data, None, reading),
    ]


def _first_caption(by: str, confidence: float) -> str:
    return (
        f"Equivalent pairs (judge: {by}), from any two sentences of a context to the first "
        "dataset; control: as many pairs of each context chosen by chance. "
        f"{confidence:.0%} intervals over contexts.{_uncorrected(by)}"
    )


def precision_picture(
    found: pd.DataFrame, by: str, confidence: float, read: pd.DataFrame
) -> tuple[Figure, str, str]:
    """The figure `dataset_precision`, its caption and its reading; readers beside the judge.

    The arguments are those of `first_precision`.
    """
    label, caption = f"equivalent ({by})", _first_caption(by, confidence)
    reading, ends = f"{label}: {_ends(found)}", read[read["group"].isin(found["group"])]
    if "D_T" not in set(ends["group"]):
        return fraction_dots(found, label), caption, reading
    refused, accepted = ends.set_index("group").loc["D_T", ["refused", "accepted"]]
    caption += (
        " Squares: what two readers who saw no score (large language models, 95 % intervals) both "
        f"call the same of some of these pairs. Of {refused} pairs of D_T that they do not, the "
        f"judge calls {accepted} equivalent{': too kind' if 2 * accepted > refused else ''}."
    )
    counts = "–".join(str(n) for n in sorted({ends["n"].min(), ends["n"].max()}))
    picture = fraction_dots(found, "equivalent", beside=(by, f"{READERS}, n={counts}", ends))
    return picture, caption, f"{reading}; {READERS}: {_ends(ends)}"


def _ends(found: pd.DataFrame) -> str:
    """The first and the last of the groups in words, in per cent."""
    value = 100 * found.set_index("group")["value"]
    ends = [f"{name} {tables.show(value[name])} %" for name in ("any two sentences", "D_T")]
    return ", ".join(ends)


def held_out_rewritings(stage: Shows, rows: pd.DataFrame, by: str) -> list[Any]:
    """Save table and figure `student_heldout`: a student before and after, beside its dataset.

    Args:
        stage: of the notebook.
        rows: METRIC_ROWS of `pair_samples.rewriting_rows`.
        by: who judged.

    Returns:
        What is to be displayed.
    """
    by = as_raw(by)
    caption = (
        "Held-out sources before and after training, beside the pairs of the dataset: fraction "
        f"that is equivalent to the source (judge: {by}), ROUGE-L to the source, exact copies; "
        f"greedy decoding, intervals where there are contexts enough.{_uncorrected(by)}"
    )
    told = (
        "Held-out sources before (hollow) and after training, beside the pairs of the dataset: "
        f"fraction that is equivalent to the source (judge: {by}); n outputs, greedy decoding, "
        "intervals where there are contexts enough."
    )
    name, label, data = "student_heldout", f"equivalent ({by})", ["tables/student_heldout.csv"]
    fractions = fractions_of(rows, f"{label}, %")
    before, after = 100 * fractions.set_index("group")["value"][["before training", "student"]]
    reading = f"{label}: before {tables.show(before)} %, after {tables.show(after)} %"
    made_of = ["models/student", "data/dataset_teacher"]
    shown = stage.table(name, tables.wide(rows), caption, made_of, None, rows)
    picture = fraction_dots(fractions, label, control=["before training"])
    return [shown, stage.figure(name, picture, told, data, None, reading)]


def losses_by_epoch(stage: Shows, history: History) -> list[Any]:
    """Save table and figure `student_loss`: losses of the first student.

    Args:
        stage: of the notebook.
        history: of its training.

    Returns:
        What is to be displayed.
    """
    name, files = "student_loss", (["models/student"], ["tables/student_loss.csv"])
    what = "Training and dev loss of the student on the first dataset, in nats per token"
    ringed = f"{what}, by step; the ring marks the epoch whose weights are kept."
    return [
        stage.table(name, history.curve, f"{what}, by epoch.", files[0], None, None, 4),
        stage.figure(name, loss_curves(loss_curve(history)), ringed, files[1]),
    ]


def second_precision(stage: Shows, rows: pd.DataFrame, by: str, data: Sequence[Path]) -> list[Any]:
    """Save table and figure `para_precision`, from the first dataset to the second.

    Args:
        stage, data: as for `funnel_shown`.
        rows: METRIC_ROWS of the groups, "D_para" and "all scored candidates" among them.
        by: who judged.

    Returns:
        What is to be displayed.
    """
    by = as_raw(by)
    caption = (
        f"Self-distillation: fraction of equivalent pairs (judge: {by}), and ROUGE-L of the "
        "pairs; the first dataset, all candidates of the student (base rate), those that pass the "
        "critics, the second dataset. Intervals by bootstrap over contexts."
        f"{_uncorrected(by)}"
    )
    told = (
        f"Self-distillation: fraction of equivalent pairs (judge: {by}) of the first dataset, of "
        "all candidates of the student (dotted: base rate), of those that pass the critics, of the "
        "second dataset; n pairs, intervals by bootstrap over contexts."
    )
    label = f"equivalent ({by})"
    fractions = fractions_of(rows, f"{label}, %")
    value = fractions.set_index("group")["value"]
    reading = f"D_para: {tables.show(100 * value['D_para'])} % equivalent (judge: {by})."
    lines = {"base rate": value["all scored candidates"]}
    picture, name = fraction_dots(fractions, label, lines), "para_precision"
    return [
        stage.table(name, tables.wide(rows), caption, data, None, rows, 2, reading),
        stage.figure(name, picture, told, data, None, reading),
    ]


def price_of_critics(stage: Shows, found: pd.DataFrame, by: str, data: Sequence[Path]) -> Any:
    """Save table `para_reasons`: how many equivalent candidates each critic drops.

    Args:
        stage, by, data: as for `second_precision`.
        found: of `pair_samples.judged_fractions`, a group for each reason.

    Returns:
        What is to be displayed.
    """
    by = as_raw(by)
    rows = fraction_rows(found, f"equivalent ({by}), %")
    caption = (
        "The student's scored candidates by the first critic that dropped them, with the fraction "
        f"that is equivalent (judge: {by}): a high one is what the critic costs (critics of "
        "dissimilarity drop paraphrases on purpose)."
    )
    shown = tables.wide(rows)
    shown["system"] = shown["system"].replace("kept", "pass all critics").map(reason_title)
    return stage.table("para_reasons", shown, caption, data, None, rows)


def surprise_of_targets(stage: Shows, rows: pd.DataFrame, line: float, data: Sequence[Path]) -> Any:
    """Save table `para_surprise`: how fluent targets are, and what a gate at the line would drop.

    Args:
        stage, data: as for `second_precision`.
        rows: of `target_fluency.surprise_rows`.
        line: bits per token, above which a target is surprising.

    Returns:
        What is to be displayed.
    """
    caption = (
        "How fluent targets are: bits per token under the teacher, each without its context. "
        f"Surprising: more than {tables.show(line, 2)} bits, as is one in a hundred of the "
        "teacher's own fresh sentences. A gate at that line would drop the surprising ones, rare "
        "words as well as broken sentences; whether they are less often equivalent than the others "
        "says what it would gain, unless n (fewest and most of a row) shows too few of them. "
        "Raw verdicts; intervals by bootstrap over contexts."
    )
    found = rows[rows["metric"] == "surprising, %"].set_index("system")["value"]
    drops = " and ".join(f"{tables.show(found[name])} % of {name}" for name in ("D_para", "D_T"))
    reading = f"A gate at {tables.show(line, 2)} bits per token would drop {drops}."
    return stage.table("para_surprise", tables.wide(rows), caption, data, None, rows, 2, reading)
