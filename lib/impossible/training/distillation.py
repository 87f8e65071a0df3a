"""The method's steps that make something: the first dataset, students, the next dataset (§3).

Each is kept in the run folder as units of work, so that a second call computes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import TEXT, record_schema
from impossible.data.units import Scored, Unit, map_units
from impossible.filtering.build_dataset import Diversity, apply_thresholds, build_dataset
from impossible.filtering.critic import Models
from impossible.filtering.critics import REASONS
from impossible.filtering.diversity_filter import Algorithm1
from impossible.filtering.funnel import check_funnel, continued, item_of, ordered_pairs
from impossible.filtering.resumable_scoring import RememberedCritic, score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.models.model_files import model_digest
from impossible.training.fine_tuning import train_on
from impossible.training.self_distillation import LowestOverlap, score_candidates
from impossible.training.student import Student

#: What may drop a pair of next sentences on the way to the first dataset, in order.
PAIR_TESTS = ("identical", "duplicate", *REASONS, "diversity", "repeated")

_TRAINED = record_schema("model", model=TEXT, digest=TEXT)


@dataclass(frozen=True)
class MadeDataset:
    """A dataset and what became of all that it was chosen from.

    Attributes:
        scored: PAIRS or CANDIDATES, of which it was chosen.
        passed: those of them that all critics accept.
        dataset: DATASET.
        funnel: item, reason, n; the reasons of an item add up to what came in.
    """

    scored: pd.DataFrame
    passed: pd.DataFrame
    dataset: pd.DataFrame
    funnel: pd.DataFrame

    @property
    def total(self) -> int:
        """Pairs or candidates that came in, scored or not."""
        return int(self.funnel["n"].sum())


def candidate_tests(params: Params) -> list[str]:
    """What may drop a student's candidate on the way to the next dataset, in order.

    Args:
        params: reads `rejections`.
    """
    return ["identical", "empty", "duplicate", *params.rejections, *REASONS, LowestOverlap.reason]


class Trainable(Models, Protocol):
    """The critics' models, and students; `runner.models.RunModels` is one."""

    def student(self, name: str = "", dtype: str = "") -> Student:
        """One that the run has made; without a name the base, loaded anew."""
        ...


def first_dataset(
    run: RunFolder, sentences: pd.DataFrame, models: Models, thresholds: Thresholds,
    name: str = "pairs", sources: pd.DataFrame | None = None,
) -> MadeDataset:  # fmt: skip
    """D_T: the pairs of next sentences that all critics accept, one of each group (§3.2).

    Args:
        sentences: SENTENCES.
        run, models, thresholds, name: as for `score_sentences`.
        sources: of `draw_paragraphs`; None: the sentences themselves.
    """
    scored, unscored = score_sentences(run, sentences, models, thresholds, name, sources)
    made = dataset_of_pairs(run, scored, unscored, models, thresholds, name)
    check_funnel(made.funnel, ordered_pairs(sentences, sources))
    return made


def dataset_of_pairs(
    run: RunFolder, pairs: pd.DataFrame, unscored: pd.DataFrame, models: Models,
    thresholds: Thresholds, name: str = "pairs",
) -> MadeDataset:  # fmt: skip
    """`first_dataset` of pairs that are scored: what all critics accept, thinned by Algorithm 1.

    Args:
        pairs, unscored: PAIRS and FUNNEL of `score_sentences`.
        run, models, thresholds, name: as there.
    """
    diversity = Algorithm1(diversity_critic(run, models, name), thresholds.params)
    return _made(pairs, unscored, thresholds, diversity)


def diversity_critic(run: RunFolder, models: Models, name: str = "pairs") -> RememberedCritic:
    """The NLI model as Algorithm 1 asks it, with what it has said of these pairs before.

    Args:
        run, models, name: as for `dataset_of_pairs`.
    """
    return RememberedCritic(models.critic, run, f"{name}-diversity")  # type: ignore[arg-type]


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
    made = dataset_of_candidates(scored, unscored, thresholds)
    check_funnel(made.funnel, dict.fromkeys(inputs["input_id"], thresholds.n_candidates))
    return made


def dataset_of_candidates(
    candidates: pd.DataFrame, unscored: pd.DataFrame, thresholds: Thresholds
) -> MadeDataset:
    """`next_dataset` of candidates that are scored.

    Args:
        candidates, unscored: CANDIDATES and the funnel of `score_candidates`.
        thresholds: of the task.
    """
    return _made(candidates, unscored, thresholds, LowestOverlap(), "student")


def _made(
    scored: pd.DataFrame, unscored: pd.DataFrame, thresholds: Thresholds, diversity: Diversity,
    origin: str = "teacher",
) -> MadeDataset:  # fmt: skip
    """The dataset of what was scored; in its funnel, "scored" is what became of it."""
    passed, _ = apply_thresholds(scored, thresholds)
    dataset, funnel = build_dataset(scored, thresholds, diversity, origin)
    if len(unscored):
        came = unscored.groupby(item_of(unscored))["n"].sum().to_dict()
        funnel = continued(unscored, funnel, "scored")
        check_funnel(funnel, came)
    return MadeDataset(scored, passed, dataset, funnel)


def pairs_of_last(first: pd.DataFrame, second: pd.DataFrame, params: Params) -> pd.DataFrame:
    """The pairs that the last student learns from: the second DATASET's, or those of both.

    Args:
        first, second: DATASET, of different contexts.
        params: reads train_on_both.
    """
    return pd.concat([first, second], ignore_index=True) if params.train_on_both else second


def trained_student(
    run: RunFolder, dataset: pd.DataFrame, models: Trainable, params: Params, name: str
) -> Student:
    """`train_on`, once for the same pairs, parameters, base and code; saved in `models/NAME`.

    Args:
        run, dataset, params, name: as for `train_on`.
        models: gives the base.
    """
    pairs = dataset[["source", "target", "context_id"]].to_dict("list")
    kept_model(_train_unit, Unit(name, pairs), params, run, models)
    return models.student(name)


def _train_unit(unit: Unit, params: Params, given: Any) -> Scored:
    models, run = given
    train_on(pd.DataFrame(unit.payload), models.student(), params, run, unit.id)
    return trained_record(run.models / unit.id)


def kept_model(
    train: Callable[[Unit, Params, Any], Scored], unit: Unit, params: Params, run: RunFolder,
    models: Any = None,
) -> Path:  # fmt: skip
    """The folder of a model that is trained once for the same payload, parameters and code.

    Args:
        train: writes `models/ID` and returns its `trained_record`; a function of a module, which
            is given `unit`, `params` and the pair of `models` and `run`.
        unit: its id is the folder's name, its payload what is trained on.
        params, run: as for `map_units`.
        models: what the training starts from.
    """
    work, given = f"{unit.id}-trained", (models, run)
    folder = run.models / unit.id
    rows, _ = map_units(train, [unit], params, run, work, _TRAINED, given)
    if not folder.is_dir() or model_digest(folder) != rows["digest"].iloc[0]:
        for part in (run.work / work).glob("*.parquet"):  # removed, damaged or overwritten
            part.unlink()
        map_units(train, [unit], params, run, work, _TRAINED, given)
    return folder


def trained_record(folder: Path) -> Scored:
    """What a unit that trains returns: which model it wrote."""
    row = {"model": folder.name, "digest": model_digest(folder)}
    return pd.DataFrame([row]), pd.DataFrame()
