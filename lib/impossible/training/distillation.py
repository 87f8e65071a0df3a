"""The method's steps that make something: the first dataset, students, the next dataset (§3).

Each is kept in the run folder as units of work, so that a second call computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import TEXT, record_schema
from impossible.data.units import Scored, Unit, map_units
from impossible.filtering.build_dataset import build_dataset
from impossible.filtering.critic import Models
from impossible.filtering.diversity_filter import Algorithm1
from impossible.filtering.funnel import check_funnel, continued
from impossible.filtering.resumable_scoring import RememberedCritic, score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.models.model_files import model_digest
from impossible.training.fine_tuning import train_on
from impossible.training.self_distillation import LowestOverlap, score_candidates
from impossible.training.student import Student

__all__ = ["MadeDataset", "Trainable", "first_dataset", "next_dataset", "trained_student"]

_TRAINED = record_schema("model", model=TEXT, digest=TEXT)


@dataclass(frozen=True)
class MadeDataset:
    """A dataset and what became of all that it was chosen from.

    Attributes:
        scored: PAIRS or CANDIDATES, of which it was chosen.
        dataset: DATASET.
        funnel: item, reason, n; the reasons of an item add up to what came in.
    """

    scored: pd.DataFrame
    dataset: pd.DataFrame
    funnel: pd.DataFrame


class Trainable(Models, Protocol):
    """The critics' models, and students; `runner.models.Models` is one."""

    def student(self, name: str = "", dtype: str = "") -> Student:
        """One that the run has made; without a name the base, loaded anew."""
        ...


def first_dataset(
    run: RunFolder, sentences: pd.DataFrame, models: Models, thresholds: Thresholds,
    name: str = "pairs",
) -> MadeDataset:  # fmt: skip
    """D_T: the pairs of next sentences that all critics accept, one of each group (§3.2).

    Args:
        sentences: SENTENCES.
        run, models, thresholds, name: as for `score_sentences`.
    """
    scored, unscored = score_sentences(run, sentences, models, thresholds, name)
    critic = RememberedCritic(models.critic, run, "diversity")  # type: ignore[arg-type]
    diversity = Algorithm1(critic, thresholds.params)
    dataset, chosen = build_dataset(scored, thresholds, diversity)
    funnel = continued(unscored, chosen, "scored") if len(unscored) else chosen
    accepted = sentences[sentences["reason"] == ""].groupby("context_id").size()
    check_funnel(funnel, (accepted * (accepted - 1)).to_dict())
    return MadeDataset(scored, dataset, funnel)


def next_dataset(
    run: RunFolder, inputs: pd.DataFrame, student: Student, models: Models,
    thresholds: Thresholds, name: str = "candidates",
) -> MadeDataset:  # fmt: skip
    """D_para: of what a student writes for each input, the accepted text furthest from it (§3.3).

    Args:
        inputs: of `fresh_inputs`.
        run, student, models, thresholds, name: as for `score_candidates`.
    """
    scored, unscored = score_candidates(run, inputs, student, models, thresholds, name)
    dataset, chosen = build_dataset(scored, thresholds, LowestOverlap(), "student")
    funnel = continued(unscored, chosen, "scored") if len(unscored) else chosen
    check_funnel(funnel, dict.fromkeys(inputs["input_id"], thresholds.n_candidates))
    return MadeDataset(scored, dataset, funnel)


def trained_student(
    run: RunFolder, dataset: pd.DataFrame, models: Trainable, params: Params, name: str
) -> Student:
    """`train_on`, once for the same pairs, parameters, base and code; saved in `models/NAME`.

    Args:
        run, dataset, params, name: as for `train_on`.
        models: gives the base.
    """
    pairs = dataset[["source", "target", "context_id"]].to_dict("list")
    how = (_train_unit, [Unit(name, pairs)], params, run, f"{name}-trained", _TRAINED)
    folder = run.models / name
    known = map_units(*how, (models, run))[0]["digest"].iloc[0]
    if not folder.is_dir() or model_digest(folder) != known:  # removed, damaged or overwritten
        for part in (run.work / f"{name}-trained").glob("*.parquet"):
            part.unlink()
        map_units(*how, (models, run))
    return models.student(name)


def _train_unit(unit: Unit, params: Params, given: Any) -> Scored:
    models, run = given
    train_on(pd.DataFrame(unit.payload), models.student(), params, run, unit.id)
    digest = model_digest(run.models / unit.id)
    return pd.DataFrame([{"model": unit.id, "digest": digest}]), pd.DataFrame()
