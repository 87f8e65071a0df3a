"""Self-distillation: the student rewrites fresh sentences, the same critics choose (paper §3.3)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, unit_seed
from impossible.data.units import Scored, Unit, map_units
from impossible.filtering.critic import Models, TextPairs
from impossible.filtering.critics import CANDIDATES
from impossible.filtering.pair_scores import score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.sentence_boundaries import rejected_by
from impossible.training.student import Student

INPUTS_AT_ONCE = 64  # per unit of work


def fresh_inputs(drawn: pd.DataFrame) -> pd.DataFrame:
    """The sentences of drawn contexts that may be rewritten: accepted, each text once, with a name.

    Args:
        drawn: SENTENCES of `contexts.draw_inputs`; those with a reason are left out.

    Returns:
        SENTENCES with the column input_id.
    """
    fresh = drawn[drawn["reason"] == ""].drop_duplicates("text")
    return fresh.assign(input_id=fresh["context_id"] + "-" + fresh["sample"].astype(str))


class LowestOverlap:
    """Of each input's candidates that passed, the one with the lowest ROUGE-L; ties by text.

    A choice for `build_dataset`: one pair per input remains, so Algorithm 1 has nothing to do.
    """

    reason: ClassVar[str] = "not_chosen"

    def __call__(self, kept: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
        """The chosen rows of `kept`, in its order."""
        order = kept.sort_values(["rouge_l", "y"], kind="stable").drop_duplicates("input_id")
        return kept.loc[sorted(order.index)].reset_index(drop=True)


def score_candidates(
    run: RunFolder,
    inputs: pd.DataFrame,
    student: Student,
    models: Models,
    thresholds: Thresholds,
    name: str = "candidates",
) -> Scored:
    """Let a student rewrite inputs and score what it wrote, in pieces kept in `work/NAME`.

    A candidate that two cheap critics reject is shown to no other: what is scored is what an
    ablation of any one critic needs.

    Args:
        run: the run folder.
        inputs: input_id (unique), text, context_id, domain.
        student: writes the candidates.
        models: the NLI model and the parser.
        thresholds: of the task; reads seed, n_candidates, candidates_otherwise, candidate_top_p,
            candidate_temperature and sentence_max_new_tokens too.
        name: of the piece of work and of the random stream, so that rounds do not share numbers.

    Returns:
        (CANDIDATES, funnel input_id, reason, n). Not scored are empty candidates, copies of the
        input, repetitions and what the parameter `rejections` rejects; with the scored ones they
        sum to n_candidates for each input.
    """
    rows = inputs[["input_id", "context_id", "domain", "text"]].to_dict("records")
    units = []
    for start in range(0, len(rows), INPUTS_AT_ONCE):
        some = rows[start : start + INPUTS_AT_ONCE]
        payload = {"inputs": some, "stage": name, **thresholds.plain}
        units.append(Unit(str(some[0]["input_id"]), payload))
    given = (student, models)
    return map_units(_candidates_unit, units, thresholds.params, run, name, CANDIDATES, given)


def _candidates_unit(unit: Unit, params: Params, given: tuple[Student, Models]) -> Scored:
    limits = Thresholds(params, unit.payload["task"], unit.payload["fixed"])
    inputs = pd.DataFrame(unit.payload["inputs"])
    return candidates_of(inputs, *given, limits, unit.payload["stage"])


def candidates_of(
    inputs: pd.DataFrame, student: Student, models: Models, thresholds: Thresholds, stage: str
) -> Scored:
    """What a student writes for inputs that are one unit of work, and its scores.

    Arguments and result as for `score_candidates`; `stage` names the random stream.
    """
    written = _written(inputs, student, thresholds, stage)
    frame, funnel = _sorted_out(inputs, written, thresholds.rejections)
    pairs = TextPairs.of(frame["x"].tolist(), frame["y"].tolist())
    scores, _ = score_pairs(pairs, models, thresholds, exits_after=2)
    return pd.concat([frame, scores], axis=1), funnel


def _written(
    inputs: pd.DataFrame, student: Student, thresholds: Thresholds, stage: str
) -> list[list[str]]:
    """A student's candidates for each input; the last of them begin otherwise than it."""
    if inputs.empty:
        return []
    texts, first = inputs["text"].tolist(), str(inputs["input_id"].iloc[0])
    how = {
        "temperature": thresholds.candidate_temperature,
        "top_p": thresholds.candidate_top_p,
        "max_new_tokens": thresholds.sentence_max_new_tokens,
    }
    other = round(thresholds.candidates_otherwise * thresholds.n_candidates)
    plain = thresholds.n_candidates - other
    written: list[list[str]] = [[] for _ in texts]
    for n, name, otherwise in ((plain, stage, False), (other, f"{stage} otherwise", True)):
        if n:
            seed = unit_seed(thresholds.seed, name, first)
            some = student.generate(texts, n, seed=seed, begin_otherwise=otherwise, **how)
            written = [[*row, *more] for row, more in zip(written, some, strict=True)]
    return written


def _sorted_out(
    inputs: pd.DataFrame,
    written: Sequence[Sequence[str]],
    rejections: Mapping[str, Sequence[str]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """New candidates in their order, and how many were a copy, empty, and so on."""
    rows, funnel = [], []
    for row, texts in zip(inputs.to_dict("records"), written, strict=True):
        seen = {"", row["text"]}
        counts = Counter({"identical": texts.count(row["text"]), "empty": texts.count("")})
        named = (row["input_id"], row["context_id"], row.get("domain"))
        # what its source shows too is no fault of a candidate: a test set may be lower-cased
        asked = {
            name: [each for each in patterns if not re.search(each, row["text"])]
            for name, patterns in rejections.items()
        }
        for i, text in enumerate(texts):
            if text not in seen:
                seen.add(text)
                reason = rejected_by(text, asked)
                counts[reason or "scored"] += 1
                rows += [] if reason else [(*named, i, row["text"], text)]
        counts["duplicate"] = len(texts) - counts.total()
        funnel += [(row["input_id"], reason, n) for reason, n in counts.items() if n]
    frame = pd.DataFrame(
        rows, columns=["input_id", "context_id", "domain", "candidate", "x", "y"]
    ).astype({"candidate": "int32"})
    return frame, pd.DataFrame(funnel, columns=["input_id", "reason", "n"])
