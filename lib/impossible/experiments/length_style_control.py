"""Control by quantization: a student is told how long and how literal its output is to be.

Pairs are cut into groups by how much shorter the target is and how much of it is new; a few words
in front of the source name the group that is wanted (v1 of the paper). One student learns all.
The groups themselves are made by `control_grids`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

import pandas as pd

from impossible.config.params import Params
from impossible.data.human_datasets import take
from impossible.data.io import write_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET
from impossible.evaluation.bootstrap import Bootstrap
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.judges import Judge
from impossible.evaluation.systems import System, item_scores, mean_rows, paired_gain, paired_gains
from impossible.experiments.control_grids import Grid, fit_grid, save_grid
from impossible.filtering.build_dataset import apply_thresholds, build_dataset
from impossible.filtering.thresholds import Thresholds
from impossible.training.fine_tuning import train_on, train_students
from impossible.training.student import Student

#: What is measured of the outputs of each task besides the group.
QUALITY = {"summary": ("follows", "good"), "paraphrase": ("fidelity", "paraphrase")}


class OnePerGroup:
    """Of an input's candidates in one group, the one with the lowest ROUGE-L; ties by text.

    A choice for `build_dataset`: the rule of self-distillation, but within groups: over all groups
    it would leave mostly abstractive pairs.
    """

    reason: ClassVar[str] = "not_chosen"

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def __call__(self, kept: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
        """The chosen rows of `kept`, in its order; those in no group are left out."""
        groups = [self.grid.group(x, y) for x, y in zip(kept["x"], kept["y"], strict=True)]
        order = kept.assign(group=groups).sort_values(["rouge_l", "y"], kind="stable")
        chosen = order[order["group"] != ""].drop_duplicates(["input_id", "group"])
        return kept.loc[sorted(chosen.index)].reset_index(drop=True)


def control_pairs(
    scores: pd.DataFrame, thresholds: Thresholds, limit: int, seed: int
) -> tuple[Grid, pd.DataFrame]:
    """The groups of a task, and at most `limit` of its pairs, drawn from all CANDIDATES that pass.

    The pairs are a DATASET with the column `group`.
    """
    passed, _ = apply_thresholds(scores, thresholds)
    columns = {"x": "source", "y": "target"}
    grid = fit_grid(thresholds.task, passed.rename(columns=columns), thresholds)
    dataset, _ = build_dataset(scores, thresholds, OnePerGroup(grid), "student")
    both = zip(dataset["source"], dataset["target"], strict=True)
    return grid, take(dataset.assign(group=[grid.group(x, y) for x, y in both]), limit, seed)


def control_corpora(pairs: pd.DataFrame, grid: Grid, seed: int = 0) -> dict[str, pd.DataFrame]:
    """What the student with instructions and its two controls are trained on.

    "told": each source after the instruction of its `group`; "permuted": after another pair's, so
    that instructions say nothing; "not told": the pairs as they are.
    """
    permuted = pairs.assign(group=take(pairs[["group"]], None, seed)["group"].to_numpy())
    corpora = {
        name: part.assign(source=list(map(grid.prompt, part["source"], part["group"])))
        for name, part in (("told", pairs), ("permuted", permuted))
    }
    corpora["not told"] = pairs
    return {name: part.drop(columns="group") for name, part in corpora.items()}


def train_controlled(
    pairs: pd.DataFrame, grid: Grid, load_base: Callable[[], Student], params: Params,
    run: RunFolder, name: str,
) -> dict[str, Student]:  # fmt: skip
    """Train the student with instructions, in `models/NAME`, and its controls (`control_corpora`).

    The run gets the grid beside the weights, the controls in `models/grid-TASK-…`, and the dataset
    with instructions, `data/dataset_control_TASK`.
    """
    corpora = control_corpora(pairs, grid, params.seed)
    write_frame(run.data(f"dataset_control_{grid.task}"), corpora["told"], DATASET)
    told = train_on(corpora.pop("told"), load_base(), params, run, name)
    save_grid(run.models / name, grid)
    prefix = f"grid-{grid.task}"
    return {"told": told} | train_students(corpora, load_base, params, run, prefix)


def control_scores(
    predictions: pd.DataFrame, items: pd.DataFrame, grid: Grid, judge: Judge, params: Params
) -> pd.DataFrame:
    """Whether each output falls into the group that was asked for, and its quality.

    A system that ignores what is asked is right in 1 of len(grid.groups) answers at most, since
    every item (`ask_every_group`) asks for every group.

    Returns:
        system, item (its own name), asked, got ("" in no group), answers (number of different
        outputs of the system for the item), and per cent: right, `AXIS right` for each axis, and
        `QUALITY` of the task.
    """
    limits = {"rouge_l_max": params.rouge_l_max, "longest": params.summary_length_ratio_max}
    scores = item_scores(predictions, judge, metrics=QUALITY[grid.task], **limits)
    known = items.set_index("id").loc[predictions["item"]]
    pairs = list(zip(predictions["source"], predictions["output"], strict=True))
    scores = scores.assign(item=list(known["of"]), asked=list(known["asked"]))
    scores["got"] = [grid.group(x, y) for x, y in pairs]
    scores["right"] = 100.0 * (scores["asked"] == scores["got"])
    wanted = scores["asked"].str.split(expand=True)
    for i, axis in enumerate(grid.axes):
        words = [axis.word(axis.value(x, y)) for x, y in pairs]
        scores[f"{axis.name} right"] = 100.0 * (wanted[i] == words)
    outputs = predictions["output"].reset_index(drop=True)
    outputs = outputs.groupby([scores["system"], scores["item"]])
    return scores.assign(answers=outputs.transform("nunique").astype(float))


def training_rows(
    systems: Mapping[str, System], pairs: pd.DataFrame, grid: Grid, params: Params,
    bootstrap: Bootstrap,
) -> pd.DataFrame:  # fmt: skip
    """How often students are right on sentences of their training, asked as there and the opposite.

    Being right here alone proves nothing: a student that remembers what it was trained to write is
    right as well. What *told* is right more often than *told the opposite* is what it has heard.
    METRIC_ROWS of both, and of the first minus the second.
    """
    names = dict.fromkeys(("id", "of", "item"), pairs["pair_id"])
    items = pairs.assign(**names, asked=pairs["group"], references=[[] for _ in pairs["source"]])
    told, opposite = (f"{s}, sentences of training" for s in ("told", "told the opposite"))
    chosen = {told: systems["told"], opposite: systems["told the opposite"]}
    parts = [items.assign(system=name, output=answer(items)) for name, answer in chosen.items()]
    written = pd.concat(parts, ignore_index=True)
    scores = control_scores(written, items, grid, Judge(), params)
    gain = paired_gain(scores, told, opposite, ["right"], bootstrap)
    return pd.concat([mean_rows(scores, ["right"], bootstrap), gain], ignore_index=True)


def control_rows(
    scores: pd.DataFrame, grid: Grid, bootstrap: Bootstrap
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """METRIC_ROWS of `control_scores` by system, and by system and group ("SYSTEM | GROUP")."""
    by_group = scores.assign(system=scores["system"] + " | " + scores["asked"])
    measures = control_measures(grid)
    return mean_rows(scores, measures, bootstrap), mean_rows(by_group, measures, bootstrap)


def control_gains(
    scores: pd.DataFrame, versus: Iterable[tuple[str, str]], grid: Grid, bootstrap: Bootstrap
) -> pd.DataFrame:
    """One system minus another, paired by sentence: the mean over what it is asked for."""
    measures = control_measures(grid)
    of_item = scores.groupby(["system", "item"], sort=False)[measures].mean().reset_index()
    return paired_gains(of_item, versus, measures, bootstrap)


def control_expected(gains: pd.DataFrame, task: str, n: int) -> list[Expected]:
    """What notebook 18 expects of a task, with what was found.

    Args:
        gains: of `control_gains`.
        task: "summary" or "paraphrase".
        n: untold samples that are chosen from.
    """
    bounds = {"not told": 0, "instructions permuted": 0, "told the opposite": 0}
    bounds |= {"teacher, few-shot": 0, f"best of {n}": -5}
    kept = "good" if task == "summary" else "fidelity"
    asked = [("right", *each) for each in bounds.items()] + [(kept, "not told", -5)]
    expected = []
    for metric, other, bound in asked:
        two = f"told − {other}"
        said = f"{task}, {metric}, % points: {two}"
        expected.append(Expected(said, interval_of(gains, two, metric), over=bound))
    return expected


def control_measures(grid: Grid) -> list[str]:
    """The measures of `control_scores`."""
    return ["right", *(f"{axis.name} right" for axis in grid.axes), "answers", *QUALITY[grid.task]]


def asked_and_got(scores: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Numbers of answers of *told* by the group asked for (rows) and that of the output."""
    told = scores[scores["system"] == "told"]
    counts = pd.crosstab(told["asked"], told["got"].replace("", "none"))
    return counts.reindex(index=grid.groups, columns=[*grid.groups, "none"], fill_value=0)
