"""What `impossible distil` tells of a dataset and a student: two cards and a page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from impossible.data.html_templates import template
from impossible.generation.paragraphs import source_name
from impossible.report.save import markdown_table
from impossible.report.tables import show

SHOWN_PAIRS, SHOWN_ANSWERS = 10, 5
_FEW = 100  # pairs; a trial student needed some hundred to learn the task
_SCORES = ["p_xy", "p_yx", "rouge_l", "ted"]
LIMITS = (
    "Critics chose the pairs: NLI probabilities, word overlap, lengths, names and numbers. They "
    "err, nobody has read the pairs, and no number here is a rate of true ones.",
    "The teacher wrote the targets, or a student trained on what it wrote: its biases, errors and "
    "inventions are in them.",
    "Sentences that are hard to reword are missing, since only what passed every critic is kept.",
    "It is English only, and about what the text it was made from is about.",
)
ADAPTED = (
    "The teacher was adapted to the text, of which the contexts are the openings: what it wrote "
    "may repeat the text word for word. Its perplexity is on documents that decided when to stop, "
    "and so a little low."
)


@dataclass(frozen=True)
class Distilled:
    """A finished run on a user's own text.

    Attributes:
        task: "paraphrase" or "summary".
        text: name of the file or folder that the contexts came from.
        licences: of what → licence, the inputs' first.
        counts: of what → how many, in the order of the pipeline.
        funnels: title → `funnel_table`.
        pairs: DATASET with the column split ("train" or "dev").
        answers: by whom → `answered_sources`, the student's last.
        trained_on: which pairs the student was trained on, in words.
        training: numbers of its training.
        writer: name of the student that wrote the second dataset; "": one trained on the first.
        settings: parameters that counted.
        adapted: numbers of the teacher's adaptation to the text; empty: it was not adapted.
        seed: of everything random; also draws what is shown.
        paragraph: sentences of a source.
    """

    task: str
    text: str
    licences: Mapping[str, str]
    counts: Mapping[str, int]
    funnels: Mapping[str, pd.DataFrame]
    pairs: pd.DataFrame
    answers: Mapping[str, pd.DataFrame]
    trained_on: str
    training: Mapping[str, Any]
    settings: Mapping[str, Any]
    seed: int
    writer: str = ""
    adapted: Mapping[str, Any] = field(default_factory=dict)
    paragraph: int = 1

    @property
    def few(self) -> str:
        """What to expect of a student of few pairs, in a sentence; "" where they are not few."""
        n = self.training.get("pairs", 0)
        return (
            f"The student was trained on {n} pair{'s' * (n != 1)}, which is a trial: expect "
            f"nothing of it below {_FEW}, and look at what it writes for held-out sentences."
            if n < _FEW
            else ""
        )

    @property
    def limits(self) -> tuple[str, ...]:
        """What a reader must know."""
        learned = (ADAPTED,) if self.adapted else ()
        return (*((self.few,) if self.few else ()), *LIMITS, *learned)

    @property
    def title(self) -> str:
        """What its pairs are, and of which text."""
        return f"{'Summaries' if self.task == 'summary' else 'Paraphrases'} on {self.text}"

    def example_pairs(self) -> pd.DataFrame:
        """Ten pairs, drawn by the seed."""
        drawn = self.pairs.sample(min(SHOWN_PAIRS, len(self.pairs)), random_state=self.seed)
        return drawn[["source", "target", "origin", *_SCORES]]

    def example_answers(self) -> pd.DataFrame:
        """What the student writes for five held-out sentences, drawn by the seed."""
        answers = list(self.answers.values())[-1]
        drawn = answers.sample(min(SHOWN_ANSWERS, len(answers)), random_state=self.seed)
        text = drawn["text"].where(drawn["text"] != "", "(" + drawn["reason"] + ")")
        return drawn[["source"]].assign(answer=text, fidelity=drawn["fidelity"])

    def measured(self) -> pd.DataFrame:
        """What the critics say of each writer on the held-out sentences."""
        rows = []
        for name, answers in self.answers.items():
            passed = answers[answers["text"] != ""]
            means = {n: float(passed[n].mean()) for n in ("fidelity", "rouge_l", "length_ratio")}
            rows.append({"who": name, "sources": len(answers), "answered": len(passed), **means})
        return pd.DataFrame(rows).rename(columns=_TOLD)


_TOLD = {
    "answered": "something passed the critics",
    "fidelity": "least entailment probability (mean)",
    "rouge_l": "ROUGE-L with the source (mean)",
    "length_ratio": "length / the source's (mean)",
}


def dataset_card(made: Distilled) -> str:
    """README.md of the dataset, with the YAML header that the hub and `load_dataset` read."""
    kind = "summarization" if made.task == "summary" else "text-generation"
    splits = [name for name in ("train", "dev") if (made.pairs["split"] == name).any()]
    files = [{"split": name, "path": f"data/{name}.parquet"} for name in splits]
    header = {
        **_licence(made),
        "language": ["en"],
        "task_categories": [kind],
        "tags": ["impossible-distillation", "synthetic", "paraphrase"],
        "pretty_name": made.title,
        "configs": [{"config_name": "default", "data_files": files}],
    }
    sizes = ", ".join(f"{(made.pairs['split'] == name).sum():,} {name}" for name in splits)
    parts = [
        f"# {made.title}",
        f"{len(made.pairs):,} pairs of a source and its {_target(made)}, made by Impossible "
        f"Distillation (Jung et al., NAACL 2024): {sizes}, split by context. Read it with "
        "`datasets.load_dataset(FOLDER)`. `origin` says who wrote a target: the teacher, or the "
        f"student. Sources of origin `student` are {source_name(made.paragraph)} of the text "
        "itself. `p_xy` and `p_yx` are the critic's P(target follows from source) and the reverse.",
        "## How it was made",
        f"The teacher wrote next sentences {_and_paragraphs(made)}after openings of the text; "
        "pairs of them that every critic accepts are the first dataset. "
        f"{_writer(made)} rewrote {source_name(made.paragraph)} of the text, and the same critics "
        "chose again. " + _counted(made),
        *_funnels(made),
        *_adapted(made),
        "## Licences",
        _licences(made),
        "## Known biases and limits",
        _limits(made),
        "## Settings",
        f"Seed {made.seed}; every parameter that was read and has one value:",
        _table(pd.DataFrame(sorted(made.settings.items()), columns=["parameter", "value"])),
        "## Ten pairs, drawn by the seed",
        _table(made.example_pairs()),
    ]
    return _document(header, parts)


def student_card(made: Distilled, merged: bool) -> str:
    """README.md of the student: of its adapter, or of the model that it was merged into."""
    header = {
        **_licence(made),
        "language": ["en"],
        "tags": ["impossible-distillation", _target(made)],
        "library_name": "transformers" if merged else "peft",
    }
    opened = (
        "`from_pretrained` of transformers opens this folder."
        if merged
        else "`impossible paraphrase --model FOLDER` (or `summarize`) opens this folder; "
        "transformers opens `student-merged`, in which it is joined with its base."
    )
    parts = [
        f"# A student that writes {_target(made, True)}: {made.title}",
        f"{opened} It is given a {source_name(made.paragraph, several=False)} and, if it is "
        f"decoder-only, the line `In other words:`, and writes a {_target(made)}. "
        f"It was trained on {made.trained_on}.",
        "## Measured",
        f"On {source_name(made.paragraph)} of documents that nothing else was made of. This is "
        "what the critics say that chose its training data as well, not what is true.",
        _table(made.measured()),
        "## Training",
        _numbers(made.training),
        *_adapted(made),
        "## Licences",
        _licences(made),
        "## Known biases and limits",
        _limits(made),
        f"## Five held-out {source_name(made.paragraph)}, drawn by the seed",
        _table(made.example_answers()),
    ]
    return _document(header, parts)


def distilled_page(made: Distilled) -> str:
    """The report: one page without scripts and outside resources, all text escaped."""
    return template("report/distilled").render(
        made=made,
        counted=_counted(made),
        funnels={title: _cells(table) for title, table in made.funnels.items()},
        pairs=_cells(made.example_pairs()),
        answers=_cells(made.example_answers()),
        measured=_cells(made.measured()),
        training=[(name, show(value, 3)) for name, value in made.training.items()],
        adapted=[(name, show(value, 3)) for name, value in made.adapted.items()],
        limits=made.limits,
    )


def _and_paragraphs(made: Distilled) -> str:
    """What else the teacher wrote."""
    if made.paragraph == 1:
        return ""
    return f"and, apart from them, {source_name(made.paragraph)} "


def _writer(made: Distilled) -> str:
    own = "A student trained on it"
    return f"The student {made.writer}, trained before on other text," if made.writer else own


def _target(made: Distilled, several: bool = False) -> str:
    names = {"summary": ("summary", "summaries")}
    return names.get(made.task, ("paraphrase", "paraphrases"))[several]


def _licence(made: Distilled) -> dict[str, str]:
    """As the hub wants it: an identifier, or "other" with a name."""
    given = next(iter(made.licences.values()))
    named = re.fullmatch(r"[a-z0-9][a-z0-9.-]*", given.lower())
    return {"license": given.lower()} if named else {"license": "other", "license_name": given}


def _licences(made: Distilled) -> str:
    return _table(pd.DataFrame(made.licences.items(), columns=["of", "licence"]))


def _limits(made: Distilled) -> str:
    return "\n".join(f"- {each}" for each in made.limits)


def _counted(made: Distilled) -> str:
    return "; ".join(f"{name}: {n:,}" for name, n in made.counts.items()) + "."


def _funnels(made: Distilled) -> list[str]:
    return [f"### {title}\n\n{_table(table)}" for title, table in made.funnels.items()]


def _adapted(made: Distilled) -> list[str]:
    title = "## The teacher, adapted to the text before it wrote"
    return [title, _numbers(made.adapted)] if made.adapted else []


def _numbers(told: Mapping[str, Any]) -> str:
    return _table(pd.DataFrame(told.items(), columns=["what", "value"]))


def _cells(frame: pd.DataFrame) -> dict[str, Any]:
    rows = [[show(v, 2) for v in row] for row in frame.itertuples(index=False, name=None)]
    return {"columns": [str(name).replace("_", " ") for name in frame.columns], "rows": rows}


def _table(frame: pd.DataFrame) -> str:
    shown = _cells(frame)
    cells = pd.DataFrame(shown["rows"], columns=shown["columns"], dtype=object)
    return markdown_table(cells, [False] * len(cells.columns), "").strip()


def _document(header: Mapping[str, Any], parts: list[str]) -> str:
    """Markdown with a YAML header; JSON values are YAML too."""
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in header.items()]
    return "\n".join(["---", *lines, "---", "", "\n\n".join(parts), ""])
