"""Best of n: a student writes many candidates, the pipeline's own critics choose one."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from impossible.evaluation.prompting import asked
from impossible.evaluation.systems import System, prompted
from impossible.filtering.build_dataset import apply_thresholds
from impossible.filtering.critic import Models
from impossible.filtering.pair_scores import least_entailment
from impossible.filtering.thresholds import Thresholds
from impossible.models.loading import LanguageModel
from impossible.text.pairs import Pair
from impossible.training.self_distillation import INPUTS_AT_ONCE, LowestOverlap, candidates_of
from impossible.training.student import Student


def best_of_system(student: Student, models: Models, thresholds: Thresholds, name: str) -> System:
    """The critics' choice among n candidates for each source, as self-distillation chooses.

    The student is of either kind, or a model that is `asked`; the critics are never the judge.
    """

    def answer(items: pd.DataFrame) -> list[str]:
        columns = {"input_id": items["id"], "text": items["source"], "context_id": items["id"]}
        inputs = pd.DataFrame(columns).assign(domain=items.get("domain")).reset_index(drop=True)
        chosen: dict[str, str] = {}
        for start in range(0, len(inputs), INPUTS_AT_ONCE):
            some = inputs.iloc[start : start + INPUTS_AT_ONCE]
            scored, _ = candidates_of(some, student, models, thresholds, name)
            chosen |= chosen_candidates(scored, thresholds)
        return [chosen.get(i, x) for i, x in zip(inputs["input_id"], inputs["text"], strict=True)]

    return answer


def chosen_candidates(scored: pd.DataFrame, thresholds: Thresholds) -> dict[str, str]:
    """input_id → of its candidates that pass all critics the one with the lowest ROUGE-L.

    Where none passes it is the one that the critic finds the most faithful, in its lesser
    direction; an input without a new candidate is not there.
    """
    faithful = scored.assign(least=least_entailment(scored))
    best = faithful.sort_values(["least", "y"], ascending=[False, True], kind="stable")
    best = best.drop_duplicates("input_id")
    kept, _ = apply_thresholds(scored, thresholds)
    passed = LowestOverlap()(kept, scored) if len(kept) else kept
    rows = pd.concat([best, passed])  # what passed is written over what did not
    return dict(zip(rows["input_id"], rows["y"], strict=True))


def asked_systems(
    lm: LanguageModel, shots: Sequence[Pair], models: Models, thresholds: Thresholds
) -> dict[str, System]:
    """The teacher asked properly: zero-shot (TL;DR), few-shot, and best of n by our critics.

    Without `shots` there is no few-shot, and the best of n is zero-shot.
    """
    longest, n = thresholds.sentence_max_new_tokens, thresholds.n_candidates
    teacher = asked(lm, shots, longest, thresholds.task)
    few = {"teacher, few-shot": prompted(lm, shots, longest, thresholds.task)} if shots else {}
    bare = "teacher, TL;DR" if thresholds.task == "summary" else "teacher, zero-shot"
    return {
        bare: prompted(lm, (), longest, thresholds.task),
        **few,
        f"teacher, best of {n}": best_of_system(teacher, models, thresholds, "asked teacher"),
    }
