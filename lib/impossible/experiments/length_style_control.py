"""Control by quantization: a student is told how long and how literal its output is to be.

Pairs are cut into groups by how much shorter the target is and how much of it is new; a few words
in front of the source name the group that is wanted (v1 of the paper). One student learns all.
The groups themselves are made by `grids`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from impossible.data.human_datasets import take
from impossible.errors import DataError, ModelError
from impossible.evaluation.prompting import answers, few_shot
from impossible.evaluation.systems import System
from impossible.experiments.control_grids import Grid, load_grid
from impossible.models.causal_generation import Nucleus
from impossible.models.loading import LanguageModel
from impossible.training.self_distillation import paraphrase

__all__ = [
    "annotated", "asked_all", "by_group", "chosen_among", "control_scores", "grouped", "misled",
    "one_per_group", "permuted", "rewrite_as", "shown", "told", "untold",
]  # fmt: skip


def grouped(pairs: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The pairs that lie in a group, with the column `group`."""
    found = [grid.group(x, y) for x, y in zip(pairs["source"], pairs["target"], strict=True)]
    marked = pairs.assign(group=found)
    return marked[marked["group"] != ""].reset_index(drop=True)


def one_per_group(survivors: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Of the candidates of an input that lie in one group, the one with the lowest ROUGE-L.

    The rule of self-distillation (`distill.choose`), but within groups: over all groups it would
    leave mostly abstractive pairs.

    Args:
        survivors: CANDIDATES that passed the gates.

    Returns:
        The chosen rows with the column `group`.
    """
    found = [grid.group(x, y) for x, y in zip(survivors["x"], survivors["y"], strict=True)]
    order = survivors.assign(group=found).sort_values(["rouge_l", "y"], kind="stable")
    chosen = order[order["group"] != ""].drop_duplicates(["input_id", "group"])
    return chosen.sort_index().reset_index(drop=True)


def annotated(pairs: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Each source with the instruction of its pair's group, for `students.train_student`.

    Args:
        pairs: DATASET with the column `group` (`grouped`).
    """
    told = [grid.prompt(x, group) for x, group in zip(pairs["source"], pairs["group"], strict=True)]
    return pairs.assign(source=told).drop(columns="group")


def permuted(pairs: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The pairs with each other's groups: the control whose instructions say nothing."""
    return pairs.assign(group=take(pairs[["group"]], None, seed)["group"].to_numpy())


def asked_all(items: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Every item asked for every group: columns as before, `asked`, and an item name for both.

    Args:
        items: item, source, …

    Returns:
        A row per item and group; `of` is the item's own name, over which intervals resample.
    """
    parts = [items.assign(asked=group) for group in grid.groups]
    rows = pd.concat(parts, ignore_index=True).sort_values("item", kind="stable")
    names = rows["item"] + ", " + rows["asked"]
    return rows.assign(of=rows["item"], item=names).reset_index(drop=True)


def told(system: System, grid: Grid) -> System:
    """A system that reads the instruction of the group asked for, for items of `asked_all`."""

    def answer(items: pd.DataFrame) -> list[str]:
        asked = zip(items["source"], items["asked"], strict=True)
        return system(items.assign(source=[grid.prompt(x, group) for x, group in asked]))

    return answer


def misled(system: System, grid: Grid) -> System:
    """A system that is asked for another group than counts: the control at test time.

    The wrong group is the opposite one: each axis has its next word, the last one its first.
    """
    nexts = {
        word: axis.words[(place + 1) % len(axis.words)]
        for axis in grid.axes
        for place, word in enumerate(axis.words)
    }

    def answer(items: pd.DataFrame) -> list[str]:
        wrong = [" ".join(nexts[word] for word in group.split()) for group in items["asked"]]
        return system(items.assign(asked=wrong))

    return answer


def untold(system: System) -> System:
    """A system that does not know the groups: one answer per source, whatever is asked."""

    def answer(items: pd.DataFrame) -> list[str]:
        once = items.drop_duplicates("source")
        known = dict(zip(once["source"], system(once), strict=True))
        return [known[source] for source in items["source"]]

    return answer


def shown(
    lm: LanguageModel, shots: Sequence[tuple[str, str]], task: str, max_new_tokens: int = 60
) -> System:
    """A language model that is shown pairs of a group and asked for one more; greedy.

    Args:
        lm: the teacher.
        shots: (source, target) examples.
        task: "summary" or "paraphrase": what the prompt calls a target.
        max_new_tokens: longest answer, of which the first sentence counts.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        return answers(lm, [few_shot(x, shots, task) for x in items["source"]], max_new_tokens)

    return answer


def by_group(chosen: Mapping[str, System]) -> System:
    """Each item is answered by the system of the group that it asks for.

    Args:
        chosen: group → its system, for example a teacher that is shown three pairs of the group.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        written: dict[object, str] = {}
        for group, part in items.groupby("asked", sort=False):
            written |= dict(zip(part.index, chosen[str(group)](part), strict=True))
        return [written[place] for place in items.index]

    return answer


def chosen_among(
    student: LanguageModel, grid: Grid, n: int, nucleus: Nucleus, seed: int = 0, longest: int = 100
) -> System:
    """Control without instructions: of n samples the first in the group asked for, or the nearest.

    Args:
        student: an encoder-decoder.
        grid: of the groups.
        n: samples per source: n times the cost of one answer.
        nucleus: how they are drawn, as the candidates of self-distillation.
        seed: of the samples.
        longest: tokens.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        sources = list(dict.fromkeys(items["source"]))
        samples = paraphrase(sources, student, n, seed, nucleus, longest)
        written = dict(zip(sources, samples, strict=True))
        asked = zip(items["source"], items["asked"], strict=True)
        return [min(written[x], key=lambda y: grid.distance(x, y, g)) for x, g in asked]

    return answer


def control_scores(predictions: pd.DataFrame, items: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Whether each output falls into the group that was asked for, overall and by axis.

    Args:
        predictions: PREDICTIONS for items of `asked_all`.
        items: those.
        grid: of the groups. A system that ignores what is asked is right in 1 of len(grid.groups)
            answers at most, since every item asks for every group.

    Returns:
        system, item (its own name), asked, got ("" in no group), and per cent: right, and a column
        `AXIS right` for each axis.
    """
    asked = predictions["item"].map(items.set_index("item")["asked"])
    pairs = list(zip(predictions["source"], predictions["output"], strict=True))
    got = [grid.group(x, y) for x, y in pairs]
    columns = {
        f"{axis.name} right": [
            100.0 * (axis.word(axis.value(x, y)) == group.split()[place])
            for (x, y), group in zip(pairs, asked, strict=True)
        ]
        for place, axis in enumerate(grid.axes)
    }
    names = predictions["item"].map(items.set_index("item")["of"])
    frame = pd.DataFrame(
        {"system": predictions["system"], "item": names, "asked": asked, "got": got}
    )
    return frame.assign(right=100.0 * (frame["asked"] == frame["got"]), **columns)


def rewrite_as(
    texts: Sequence[str],
    model: str | Path,
    asked: Mapping[str, str],
    n: int = 1,
    seed: int = 0,
) -> list[list[str]]:
    """Ask a controlled student (the commands `impossible summarize` and `paraphrase`).

    Where an axis is left open, every group that fits is tried; outputs that are what was asked for
    come first, then the nearest.

    Args:
        texts: sentences.
        model: folder of a student with a `control.json`.
        asked: axis → word, for example {"length": "short", "style": "abstractive"}.
        n: outputs per text; 1 is decoded greedily, more are sampled.
        seed: of the samples.

    Returns:
        For each text n outputs.

    Raises:
        ModelError: the student takes no instructions.
        DataError: it knows no such word, or nothing is asked, or a text is empty.
    """
    grid = load_grid(model)
    if grid is None:
        given = " and ".join(f"--{axis}" for axis in asked) or "what is asked"
        raise ModelError(
            f"the student in {model} takes no instructions: leave {given} out, or name a "
            "controlled student (notebook 18) with --model."
        )
    groups = grid.matching(asked)
    if not asked:
        raise DataError(
            f"the student in {model} must be told what to write: give "
            + " and/or ".join(f"--{axis.name} {'|'.join(axis.words)}" for axis in grid.axes)
            + ", or name a student without instructions with --model."
        )
    if empty := [place for place, text in enumerate(texts, 1) if not text.strip()]:
        raise DataError(f"text {empty[0]} is empty; give one sentence per text")
    prompts = [grid.prompt(text, group) for text in texts for group in groups]
    written = iter(paraphrase(prompts, model, n, seed))
    results = []
    for text in texts:
        found = [y for _ in groups for y in next(written)]
        far = {y: min(grid.distance(text, y, group) for group in groups) for y in found}
        results.append(sorted(found, key=far.__getitem__)[:n])
    return results
