"""Control by quantization: a student is told how long and how literal its output is to be.

Pairs are cut into groups by how much shorter the target is and how much of it is new; a few words
in front of the source name the group that is wanted (v1 of the paper). One student learns all.
The groups themselves are made by `control_grids`.
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
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.training.self_distillation import paraphrase
from impossible.training.student import Student


def with_group(pairs: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The pairs that lie in a group, with the column `group`."""
    groups = [grid.group(x, y) for x, y in zip(pairs["source"], pairs["target"], strict=True)]
    marked = pairs.assign(group=groups)
    return marked[marked["group"] != ""].reset_index(drop=True)


def one_per_group(survivors: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Of the candidates of an input that lie in one group, the one with the lowest ROUGE-L.

    The rule of self-distillation, but within groups: over all groups it would leave mostly
    abstractive pairs.

    Args:
        survivors: CANDIDATES that passed the thresholds.

    Returns:
        The chosen rows with the column `group`.
    """
    groups = [grid.group(x, y) for x, y in zip(survivors["x"], survivors["y"], strict=True)]
    order = survivors.assign(group=groups).sort_values(["rouge_l", "y"], kind="stable")
    chosen = order[order["group"] != ""].drop_duplicates(["input_id", "group"])
    return chosen.sort_index().reset_index(drop=True)


def control_corpora(pairs: pd.DataFrame, grid: Grid, seed: int = 0) -> dict[str, pd.DataFrame]:
    """What the student with instructions and its two controls are trained on.

    Args:
        pairs: DATASET with the column `group` (`with_group`).
        grid: of the groups.
        seed: of the permutation.

    Returns:
        "told": each source after the instruction of its group; "permuted": after another pair's,
        so that instructions say nothing; "not told": the pairs as they are.
    """
    permuted = pairs.assign(group=take(pairs[["group"]], None, seed)["group"].to_numpy())
    instructed = {
        name: part.assign(source=list(map(grid.prompt, part["source"], part["group"])))
        for name, part in (("told", pairs), ("permuted", permuted))
    }
    return {
        name: part.drop(columns="group")
        for name, part in (instructed | {"not told": pairs}).items()
    }


def ask_every_group(items: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Every item asked for every group.

    Args:
        items: id, source, …

    Returns:
        A row per item and group, with `asked` (the group) and `of` (the item's own name, over which
        intervals resample); `id` names both.
    """
    rows = items.merge(pd.DataFrame({"asked": grid.groups}), how="cross")
    return rows.assign(of=rows["id"], id=rows["id"] + ", " + rows["asked"])


def with_instruction_of_group(system: System, grid: Grid) -> System:
    """A system that reads the instruction of the group that an item of `ask_every_group` asks."""
    return lambda items: system(
        items.assign(source=list(map(grid.prompt, items["source"], items["asked"])))
    )


def with_opposite_group(system: System, grid: Grid) -> System:
    """A system that is asked for another group than counts: the control at test time.

    The wrong group is the opposite one: each axis has its next word, the last one its first.
    """
    following = {
        word: after
        for axis in grid.axes
        for word, after in zip(axis.words, (*axis.words[1:], axis.words[0]), strict=True)
    }
    opposite = {g: " ".join(following[word] for word in g.split()) for g in grid.groups}
    return lambda items: system(items.assign(asked=items["asked"].map(opposite)))


def one_answer_per_source(system: System) -> System:
    """A system that does not know the groups: one answer per source, whatever is asked."""

    def answer(items: pd.DataFrame) -> list[str]:
        once = items.drop_duplicates("source")
        outputs = pd.Series(system(once), index=once["source"])
        return list(outputs[items["source"]])

    return answer


def shown_examples(
    lm: LanguageModel, pairs: pd.DataFrame, task: str, n: int = 3, max_new_tokens: int = 60
) -> System:
    """A language model that is shown pairs of the group asked for, and asked for one more; greedy.

    Args:
        lm: the teacher.
        pairs: source, target, group (`with_group`).
        task: "summary" or "paraphrase": what the prompt calls a target.
        n: examples of each group, its first pairs.
        max_new_tokens: longest answer, of which the first sentence counts.
    """
    shown = {
        group: list(part[["source", "target"]].head(n).itertuples(index=False, name=None))
        for group, part in pairs.groupby("group")
    }

    def answer(items: pd.DataFrame) -> list[str]:
        asked = zip(items["source"], items["asked"], strict=True)
        prompts = [few_shot(x, shown.get(group, ()), task) for x, group in asked]
        return answers(lm, prompts, max_new_tokens)

    return answer


def best_of_samples(
    student: Student, grid: Grid, n: int, nucleus: Nucleus, seed: int = 0, longest: int = 100
) -> System:
    """Control without instructions: of n samples the first in the group asked for, or the nearest.

    Args:
        student: trained without instructions.
        grid: of the groups.
        n: samples per source: n times the cost of one answer.
        nucleus: how they are drawn, as the candidates of self-distillation.
        seed: of the samples.
        longest: tokens.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        sources = list(dict.fromkeys(items["source"]))
        how = (nucleus.temperature, nucleus.top_p, seed, longest)
        samples = student.generate(sources, n, *how)
        written = dict(zip(sources, samples, strict=True))
        asked = zip(items["source"], items["asked"], strict=True)
        return [min(written[x], key=lambda y: grid.distance(x, y, g)) for x, g in asked]

    return answer


def control_scores(predictions: pd.DataFrame, items: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Whether each output falls into the group that was asked for, overall and by axis.

    Args:
        predictions: PREDICTIONS for items of `ask_every_group`.
        items: those.
        grid: of the groups. A system that ignores what is asked is right in 1 of len(grid.groups)
            answers at most, since every item asks for every group.

    Returns:
        system, item (its own name), asked, got ("" in no group), answers (number of different
        outputs of the system for the item), and per cent: right, and `AXIS right` for each axis.
    """
    known = items.set_index("id")
    frame = pd.DataFrame(
        {
            "system": predictions["system"],
            "item": predictions["item"].map(known["of"]),
            "asked": predictions["item"].map(known["asked"]),
        }
    )
    pairs = list(zip(predictions["source"], predictions["output"], strict=True))
    frame["got"] = [grid.group(x, y) for x, y in pairs]
    frame["right"] = 100.0 * (frame["asked"] == frame["got"])
    for axis, wanted in zip(grid.axes, zip(*frame["asked"].str.split(), strict=True), strict=True):
        words = [axis.word(axis.value(x, y)) for x, y in pairs]
        frame[f"{axis.name} right"] = 100.0 * (pd.Series(words) == pd.Series(wanted)).to_numpy()
    outputs = predictions["output"].groupby([frame["system"], frame["item"]])
    return frame.assign(answers=outputs.transform("nunique").astype(float))


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
    if empty := [i for i, text in enumerate(texts, 1) if not text.strip()]:
        raise DataError(f"text {empty[0]} is empty; give one sentence per text")
    prompts = [grid.prompt(text, group) for text in texts for group in groups]
    written = iter(paraphrase(prompts, model, n, seed))
    results = []
    for text in texts:
        outputs = [y for _ in groups for y in next(written)]
        far = {y: min(grid.distance(text, y, group) for group in groups) for y in outputs}
        results.append(sorted(outputs, key=far.__getitem__)[:n])
    return results
