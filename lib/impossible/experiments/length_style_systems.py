"""Systems that are asked for a length and a style: students with instructions, controls, rivals."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from impossible.config.params import Params
from impossible.evaluation.prompting import answers, few_shot
from impossible.evaluation.systems import System, student_system
from impossible.experiments.control_grids import Grid
from impossible.models.loading import LanguageModel
from impossible.training.student import Student


def ask_every_group(items: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Every item asked for every group: a row per item and group.

    `asked` is the group, `of` the item's own name, over which intervals resample; `id` names both.
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
    lm: LanguageModel, pairs: pd.DataFrame, task: str, max_new_tokens: int
) -> System:
    """A language model that is shown pairs of the group asked for, and asked for one more; greedy.

    Three of `pairs` (source, target, group) are shown; the first sentence of an answer counts.
    """
    shown = {
        group: list(part[["source", "target"]].head(3).itertuples(index=False, name=None))
        for group, part in pairs.groupby("group")
    }

    def answer(items: pd.DataFrame) -> list[str]:
        asked = zip(items["source"], items["asked"], strict=True)
        prompts = [few_shot(x, shown.get(group, ()), task) for x, group in asked]
        return answers(lm, prompts, max_new_tokens)

    return answer


def best_of_samples(student: Student, grid: Grid, params: Params) -> System:
    """Control without instructions: of n samples the first in the group asked for, or the nearest.

    The samples are `n_candidates`: it costs so many times what one answer costs.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        sources = list(dict.fromkeys(items["source"]))
        how = (params.candidate_temperature, params.candidate_top_p, params.seed)
        samples = student.generate(
            sources, params.n_candidates, *how, params.sentence_max_new_tokens
        )
        written = dict(zip(sources, samples, strict=True))
        asked = zip(items["source"], items["asked"], strict=True)
        return [min(written[x], key=lambda y: grid.distance(x, y, g)) for x, g in asked]

    return answer


def control_systems(
    students: Mapping[str, Student], teacher: LanguageModel, pairs: pd.DataFrame, grid: Grid,
    params: Params,
) -> dict[str, System]:  # fmt: skip
    """The student with instructions, its controls and two other ways, for `ask_every_group`."""
    longest = params.sentence_max_new_tokens
    plain = {name: student_system(student, longest) for name, student in students.items()}
    told = with_instruction_of_group(plain["told"], grid)
    return {
        "told": told,
        "told the opposite": with_opposite_group(told, grid),
        "instructions permuted": with_instruction_of_group(plain["permuted"], grid),
        "not told": one_answer_per_source(plain["not told"]),
        f"best of {params.n_candidates}": best_of_samples(students["not told"], grid, params),
        "teacher, few-shot": shown_examples(teacher, pairs, grid.task, longest),
    }
