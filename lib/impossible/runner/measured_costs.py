"""What the method's own stages cost here with the models of a run: tried in miniature, multiplied.

`cost_estimate` knows the laboratory's models only. This lets the run's own teacher, critics and
student do a little of each step, by the same functions, and multiplies by the run's sizes. Its
batches of texts are smaller than the run's, in which a text may cost much less, on a GPU above all.
Nothing is fitted to a run that was made elsewhere.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pandas as pd

from impossible.config.params import Params
from impossible.config.places import project_root
from impossible.data.io import read_object
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.filtering.resumable_scoring import score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.generation.contexts import Plan, plan_contexts, write_contexts
from impossible.generation.next_sentences import sample_sentences, sentences_of
from impossible.models.loading import LanguageModel
from impossible.runner.models import RunModels
from impossible.training.fine_tuning import settings_of
from impossible.training.self_distillation import fresh_inputs, score_candidates
from impossible.training.student_training import train_student
from impossible.training.trainer import steps_for

_Result = TypeVar("_Result")
_CONTEXTS, _INPUTS, _STEPS = 8, 4, 3  # tried of each, at most: a minute or two with 135M weights


@dataclass(frozen=True)
class UnitCosts:
    """Seconds of one worker on this machine, as busy as it was, and what was counted meanwhile.

    Attributes:
        loading: of teacher, critic, encoder and parser, which a notebook does anew.
        context: of one context that the teacher writes; one whose sentences are rewritten costs at
            most as much, since `rejections` are not asked of it.
        sentences: of the k next sentences after it.
        tokens: in these.
        pairs: of the critics, for all pairs of the accepted ones, whose trees are in it.
        pairs_seen: how many these pairs are.
        nli: passes of the NLI model among them.
        candidate: of one rewriting, with its critics, by the student before it is trained, which
            writes on for longer than a trained one.
        step: of training, with a batch of student_batch_size.
    """

    loading: float
    context: float
    sentences: float
    tokens: int
    pairs: float
    pairs_seen: int
    nli: int
    candidate: float
    step: float


def measured_costs(params: Params) -> UnitCosts:
    """Try each step with the models of a run; a minute or two with small models on a free core.

    Args:
        params: of the run, whose models are here.

    Raises:
        DataError: the teacher wrote no context, or less than two sentences after it.
    """
    params = params.fixed(workers=1, executor="local")
    with TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        models, limits = RunModels(run, params), Thresholds.paraphrase(params)
        loading, lm = _timed(lambda: _loaded(models))
        writer, student = models.student("", params.dtype), models.student()
        plans = _largest_batch(params)
        writing, contexts = _timed(lambda: write_contexts(lm, plans, params))
        if contexts.empty:
            raise DataError("The teacher finished no context: raise context_max_new_tokens.")
        sampling, written = _timed(lambda: sample_sentences(lm, contexts.head(1), params))
        texts = written.loc[written["reason"] == "", "text"].tolist()
        if len(texts) < 2:
            raise DataError("The teacher wrote less than two sentences after a context: raise k.")
        parsing, _ = _timed(lambda: models.store_trees(texts))
        scoring, (scored, left_out) = _timed(lambda: score_sentences(run, written, models, limits))
        inputs = fresh_inputs(
            sentences_of(contexts, params.min_characters, params.domains, params.rejections)
        ).head(_INPUTS)
        rewriting, _ = _timed(lambda: score_candidates(run, inputs, writer, models, limits))
        batch = [(text, text) for text in texts] * params.student_batch_size
        taught, how = batch[: _STEPS * params.student_batch_size], settings_of(_STEPS, params)
        rank = params.student_adapter_rank
        training, _ = _timed(lambda: train_student(student, taught, [], how, adapter_rank=rank))
        return UnitCosts(
            loading=loading,
            context=writing / len(plans),
            sentences=sampling,
            tokens=sum(map(len, lm.tokenizer(written["raw"].tolist()).input_ids)),
            pairs=parsing + scoring,
            pairs_seen=len(scored) + int(left_out["n"].sum()),
            nli=int(scored[["p_xy", "p_yx"]].notna().to_numpy().sum()),
            candidate=rewriting / max(1, len(inputs) * params.n_candidates),
            step=training / _STEPS,
        )


def _loaded(models: RunModels) -> LanguageModel:
    """The teacher; what else notebooks load is then there too, and no step is charged for it."""
    models.parser.parse_many(["Rain fell."])  # a parser opens its model for the first sentence
    lm, _, _ = models.teacher, models.critic, models.encoder
    return lm


def _timed(job: Callable[[], _Result]) -> tuple[float, _Result]:
    """Seconds of a job, and what it returns."""
    start = time.perf_counter()
    result = job()
    return time.perf_counter() - start, result


def _largest_batch(params: Params) -> list[Plan]:
    """Contexts that the run writes together: those of the prefix that most of them have."""
    plans = plan_contexts(params, params.n_contexts)
    ((prefix, _),) = Counter(plan.prefix for plan in plans).most_common(1)
    return [plan for plan in plans if plan.prefix == prefix][:_CONTEXTS]


def yields_of(name: str) -> float | None:
    """Pairs of the first dataset of all ordered pairs, in the published run of a params file.

    None: there is no such run.
    """
    path = project_root() / "results" / name / "scalars" / "05_dataset.json"
    if not path.is_file():
        return None
    known = read_object(path)
    return float(known["n_dataset"]) / max(1, int(known["n_candidates"]))


def stage_costs(params: Params, costs: UnitCosts, kept: float | None) -> pd.DataFrame:
    """The four stages of the method at the sizes of a run.

    Args:
        params: of the run.
        costs: of `measured_costs`.
        kept: share of pairs that the critics keep, of `yields_of`; None: not known, so that
            training is left out, which is all of 06 and a part of 07.

    Returns:
        notebook, work, seconds, tokens, NLI passes; NaN where nothing was counted.
    """
    n, size, nan = params.n_contexts, params.student_batch_size, float("nan")
    pairs, candidates = n * costs.pairs_seen, params.n_inputs * params.n_candidates
    training, learned, again = 0.0, "pairs not known", "without training"
    if kept is not None:
        trained = round(kept * pairs)
        steps = steps_for(trained, size, params.student_epochs)
        training, again = steps * costs.step, "training as in 06"
        learned = f"{trained:,} pairs, {steps:,} steps at most"
    mean = (params.context_sentences_min + params.context_sentences_max) / 2
    fresh = params.n_inputs / mean * costs.context
    rows = [
        ("03", f"{n:,} contexts, {n * params.k:,} sentences",
         n * (costs.context + costs.sentences), n * costs.tokens, nan),
        ("04", f"{pairs:,} pairs", n * costs.pairs, nan, n * costs.nli),
        ("06", learned, training or nan, nan, nan),
        ("07", f"{candidates:,} candidates, {again}",
         fresh + candidates * costs.candidate + training, nan, nan),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["notebook", "work", "seconds", "tokens", "NLI passes"])
    return table.assign(seconds=table["seconds"] + costs.loading)


def measured_text(params: Params, name: str) -> str:
    """What `impossible plan --measure` prints.

    Args:
        params: of the run.
        name: of its params file, by which a published run is found.
    """
    costs, kept = measured_costs(params), yields_of(name)
    table = stage_costs(params, costs, kept).round(0)
    source = (
        "How many pairs there will be to train on is not known: no such run is published."
        if kept is None
        else f"Pairs to train on: {kept:.3%} of all, as in results/{name}."
    )
    rates = (
        f"{costs.tokens / costs.sentences:,.0f} tokens/s of next sentences, "
        f"{costs.pairs_seen / costs.pairs:,.0f} pairs/s through all critics, "
        f"{1 / costs.candidate:,.1f} candidates/s, {costs.step:,.1f} s a step of training"
    )
    return (
        f"Tried here with the run's own models, one worker, as busy as it is now: {rates}.\n\n"
        f"{table.to_string(index=False, na_rep='–')}\n\n"
        f"{source} Time for pictures and for judges is not in it, nor are the other notebooks."
    )
