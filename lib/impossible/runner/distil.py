"""A user's own text in, a dataset and a model out: the pipeline's stages, one after the other.

Everything is kept in OUT/work in units; a second call computes nothing that is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.config.own_domain import read_domain
from impossible.config.params import Params, parse_overrides
from impossible.data.digests import digest
from impossible.data.io import read_object, write_json
from impossible.data.own_text import OwnDocument
from impossible.errors import DataError, RunError
from impossible.filtering.thresholds import Thresholds
from impossible.generation.next_sentences import draw_paragraphs, draw_sentences
from impossible.generation.own_text import OwnText, divided_text
from impossible.generation.paragraphs import source_name, source_sentences
from impossible.models.loading import LanguageModel
from impossible.report.distilled import Distilled
from impossible.rewriting.held_out import answered_sources
from impossible.runner.distilled_folder import (
    funnel_tables,
    licences,
    model_name,
    pairs_with_split,
    plain_settings,
    training_notes,
    write_distilled,
)
from impossible.runner.ledger import locked
from impossible.runner.models import RunModels
from impossible.runner.order import Order, say
from impossible.training.distillation import (
    MadeDataset,
    first_dataset,
    next_dataset,
    pairs_of_last,
    trained_student,
)
from impossible.training.self_distillation import fresh_inputs
from impossible.training.student import Student
from impossible.training.teacher_adaptation import adapted_teacher, documents_to_adapt

_THRESHOLDS = {"paraphrase": Thresholds.paraphrase, "summarize": Thresholds.summary}
_NOTE = "distil.json"  # in work/: whose folder it is

#: What a run on own text reads of no model: it is neither asked nor fetched.
_WITHOUT: dict[str, Any] = {
    "domains": [{"name": "own text", "prefixes": []}],
    "domain_teachers": {},
    **dict.fromkeys(("judge", "referee", "translator", "back_translator"), "none"),
}


def own_params(
    config: str, overrides: Sequence[str] = (), student: str = "", domain: Path | None = None
) -> Params:
    """Parameters of a run on own text: those of a params file, with one domain.

    Args:
        config: name or path of the params file.
        overrides: texts `name=value`.
        student: of the order; where there is one, it is trained on, and not the file's base.
        domain: YAML file of the text's domain; None: one without prefix and rules.

    Raises:
        ParameterError: as `Params.load` and `read_domain`.
    """
    given: dict[str, Any] = {"student_base": student} if student else {}
    if domain:
        given["domains"] = [read_domain(domain)]
    return Params.load(config, _WITHOUT | given | parse_overrides(overrides))


def distil(order: Order, params: Params, documents: Sequence[OwnDocument]) -> Path:
    """Make the dataset, the student and the page; returns the page's path.

    Args:
        order: what is asked for; `out` must be empty, or of the same text and task.
        params: of `own_params`.
        documents: of `usable_documents`.

    Raises:
        DataError: there is too little text, or too few pairs were found.
        RunError: `out` cannot be written, or holds something else.
    """
    params = params.view()  # what is read from here on is told as a setting
    paragraph = source_sentences(params, _THRESHOLDS[order.task](params).task)
    divided = divided_text([each.text for each in documents], params, paragraph)
    if order.adapt_teacher:
        documents_to_adapt(divided.others)  # refused before anything is written
    _take(order, documents)
    with locked(order.run):
        name, made = _Chain(order, params, divided, len(documents)).made()
        page = write_distilled(order.out, order.run.models / name, made)
    if made.few:
        say(made.few)
    return page


def _take(order: Order, documents: Sequence[OwnDocument]) -> None:
    """Make the folder, or go on in one of the same text and task."""
    out, path = order.out, order.run.root / _NOTE
    note = {"task": order.task, "text": digest([each.text for each in documents])}
    elsewhere = "give another folder with --out"
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file: {elsewhere}.")
    if path.is_file():
        if (known := read_object(path, elsewhere)) != note:
            what = "task" if known.get("task") != order.task else "text"
            raise RunError(f"{out} holds a run of another {what}: {elsewhere}.")
    elif out.is_dir() and any(out.iterdir()):
        raise RunError(f"{out} is not empty and holds no such run: {elsewhere}.")
    try:
        order.run.work.mkdir(parents=True, exist_ok=True)
    except OSError as bad:
        raise RunError(f"Cannot write {out}: {bad.strerror or bad}; {elsewhere}.") from bad
    write_json(path, note)


@dataclass(frozen=True)
class _Chain:
    """The stages of a run; each says in one line what it gave."""

    order: Order
    params: Params
    text: OwnText
    n_documents: int

    @cached_property
    def models(self) -> RunModels:
        return RunModels(self.order.run, self.params)

    @cached_property
    def teacher(self) -> LanguageModel:
        """Who writes: the teacher as it is, or adapted to the text."""
        if not self.order.adapt_teacher:
            return self.models.teacher
        say(f"the teacher is adapted to {len(self.text.others)} documents")
        folder = adapted_teacher(self.order.run, self.text.others, self.params)
        notes = training_notes(folder)
        before, after = notes["perplexity_before"], notes["perplexity_after"]
        held_out = f"{notes['dev_documents']} of them, held out"
        say(f"perplexity on {held_out}: {before} before, {after} after")
        return self.models.teacher_named(str(folder))

    @cached_property
    def thresholds(self) -> Thresholds:
        return _THRESHOLDS[self.order.task](self.params)

    @cached_property
    def paragraph(self) -> int:
        """The sentences of a source."""
        return source_sentences(self.params, self.thresholds.task)

    def made(self) -> tuple[str, Distilled]:
        """The name of the last student's folder, and all that is told."""
        run, params, models = self.order.run, self.params, self.models
        teacher = self.teacher
        say(f"{len(self.text.contexts)} contexts; the teacher writes {params.k} sentences each")
        sentences = draw_sentences(run, teacher, self.text.contexts, params)
        task, called = self.thresholds.task, source_name(self.paragraph)
        sources = draw_paragraphs(run, teacher, self.text.contexts, params, task)
        first = first_dataset(run, sentences, models, self.thresholds, sources=sources)
        say(f"first dataset: {_pairs(first)}")
        student = self._first_student(first)
        inputs = self._short(fresh_inputs(self.text.inputs), student).head(params.n_inputs)
        say(f"{len(inputs)} {called} of the text for the student to rewrite")
        second = next_dataset(run, inputs, student, models, self.thresholds)
        say(f"second dataset: {_pairs(second)}")
        name, pairs, why = "student", first.dataset, "pairs of the teacher's sentences"
        if len(second.dataset) >= 2:
            pairs = pairs_of_last(first.dataset, second.dataset, params)
            name, both = "second", f"{why} and " if params.train_on_both else ""
            why = f"{both}pairs that an earlier student wrote"
        else:
            self._require_pairs(first)
        student = trained_student(run, pairs, models, params, name)
        told = self._told(run.models / name, student, first, second, pairs)
        counts = {
            "documents": self.n_documents,
            "contexts": len(self.text.contexts),
            **_sampled("sentences", sentences),
            **_sampled(called, sources),
            "pairs of the teacher's sentences": len(first.dataset),
            f"{called} of the text rewritten": len(inputs),
            "pairs of the student's sentences": len(second.dataset),
        }
        dev = told.training["dev_pairs"]
        trained_on = f"{len(pairs) - dev:,} {why} ({dev:,} more are dev)"
        return name, replace(told, counts=counts, trained_on=trained_on)

    def _told(
        self,
        folder: Path,
        student: Student,
        first: MadeDataset,
        second: MadeDataset,
        learned: pd.DataFrame,
    ) -> Distilled:
        """What is told, but for the counts."""
        pairs = pairs_with_split(first.dataset, learned, self.params)
        answers = self._answers(student, {*pairs["source"], *pairs["target"]})
        teacher = self.order.run.models / "teacher"
        adapted = training_notes(teacher) if self.order.adapt_teacher else {}
        return Distilled(
            task=self.thresholds.task,
            text=self.order.contexts.name,
            licences=licences(self.order, self.params),
            counts={},
            funnels=funnel_tables(first, second, self.params),
            pairs=pairs,
            answers=answers,
            trained_on="",
            writer=self.order.student and model_name(self.order.student),
            training=training_notes(folder),
            adapted=adapted,
            settings=plain_settings(self.params),
            seed=self.params.seed,
            paragraph=self.paragraph,
        )

    def _first_student(self, first: MadeDataset) -> Student:
        """Who writes the second dataset."""
        if self.order.student:
            return self.models.student(self.order.student)
        self._require_pairs(first)
        return trained_student(self.order.run, first.dataset, self.models, self.params, "student")

    def _require_pairs(self, made: MadeDataset) -> None:
        """Refuse to train on less than two pairs."""
        if len(made.dataset) < 2:
            how, task = self.params, self.order.task
            raise DataError(
                f"{_pairs(made)} of next sentences passed every critic, and two are the least: "
                f"raise n_contexts ({how.n_contexts}) or k ({how.k}), lower sentence_temperature "
                f"({how.sentence_temperature:g}), or take --student english/{task} and more "
                "n_inputs; what was computed is kept."
            )

    def _short(self, inputs: pd.DataFrame, student: Student) -> pd.DataFrame:
        """Inputs that a target may be as long as, in each sentence of a paragraph."""
        longest = self.paragraph * self.params.sentence_max_new_tokens
        fits = [len(student.tokenizer.tokenize(text)) <= longest for text in inputs["text"]]
        return inputs[fits]

    def _answers(self, student: Student, known: set[str]) -> dict[str, pd.DataFrame]:
        """Before and after training, on held-out sentences that are in no pair."""
        held_out = fresh_inputs(self.text.held_out)
        held_out = self._short(held_out[~held_out["text"].isin(list(known))], student)
        sources = held_out["text"].head(self.params.n_test).tolist()
        called = source_name(self.paragraph)
        say(f"{len(sources)} held-out {called}, before and after training")
        task = self.thresholds.task
        writers = {"before training": self.models.student("", self.params.dtype)}
        writers["after training"] = student
        return {
            who: answered_sources(
                self.order.run, sources, writer, self.models, self.params, task, f"answers {who}"
            )
            for who, writer in writers.items()
        }


def _sampled(name: str, texts: pd.DataFrame | None) -> dict[str, int]:
    """How many of these texts the teacher wrote, and how many of them rules accepted."""
    if texts is None:
        return {}
    accepted = int((texts["reason"] == "").sum())
    return {f"{name} sampled": len(texts), f"{name} accepted": accepted}


def _pairs(made: MadeDataset) -> str:
    return f"{len(made.dataset):,} of {made.total:,} pairs"
