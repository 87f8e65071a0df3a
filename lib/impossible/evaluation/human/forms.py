"""Rating by people, before they answer: questions, blinded outputs, forms and the key (Table 3).

A rater sees a source and one output at a time and never the system that wrote it. A *unit* is an
output of an item, named by the item's number and a letter (`012C`). Which systems wrote it stands
in the key alone, a file apart from the forms. Outputs of one item that read the same are one unit:
it is rated once, for all systems that wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pandas as pd

from impossible.config.yaml_files import read_yaml
from impossible.data.digests import digest
from impossible.data.html_templates import template
from impossible.data.io import read_frame, read_json, write_json, write_text
from impossible.data.json_lines import read_lines, read_predictions
from impossible.data.run_folder import item_rng
from impossible.data.schemas import PREDICTIONS
from impossible.errors import DataError, nearest

SCALE = (1, 2, 3)
KEY = "key.json"
MOST_RATERS = 100  # each form is a page; a mistyped number would fill memory and disk


@dataclass(frozen=True)
class Question:
    """A question with a worded anchor for each point of the scale, worst first."""

    name: str
    text: str
    anchors: list[str]


#: What is asked per task, in this order; see `questions.yaml`.
QUESTIONS = {
    task: [Question(**each) for each in questions]
    for task, questions in read_yaml(Path(__file__).with_name("questions.yaml")).items()
}


@dataclass(frozen=True)
class Kit:
    """What is fixed before anybody rates. Use `draw_kit`.

    Attributes:
        task: a key of `QUESTIONS`.
        seed: of every choice and order.
        raters: names; each has a form.
        systems: all that are compared, in the order of the table.
        units: unit, item, source, output, systems (list of those that wrote it); by unit.
    """

    task: str
    seed: int
    raters: tuple[str, ...]
    systems: tuple[str, ...]
    units: pd.DataFrame

    def form(self, rater: str) -> dict[str, Any]:
        """What a rater gets to see: items, and the outputs of each, in an order of the rater's own.

        Outputs of one item follow each other, so that its source is read once.
        """
        texts = self.units.set_index("unit")
        grouped = self.units.groupby("item")["unit"].agg(list)
        units = [
            {"id": unit, "source": texts["source"][unit], "output": texts["output"][unit]}
            for item in _shuffled(grouped.index, self.seed, f"rating, items of {rater}")
            for unit in _shuffled(grouped[item], self.seed, f"rating, outputs of {rater}")
        ]
        questions = [asdict(question) for question in QUESTIONS[self.task]]
        return {"rater": rater, "task": self.task, "questions": questions, "units": units}

    def key(self) -> dict[str, Any]:
        """What tells afterwards which system wrote a unit, and from which form an answer came."""
        return {
            "task": self.task,
            "questions": [question.name for question in QUESTIONS[self.task]],
            "seed": self.seed,
            "systems": list(self.systems),
            "forms": {rater: form_digest(self.form(rater)) for rater in self.raters},
            "units": {
                str(row["unit"]): {k: row[k] for k in ("item", "systems", "source", "output")}
                for row in self.units.to_dict("records")
            },
        }


def form_digest(form: dict[str, Any]) -> str:
    """Identity of a form: changes with any text, order or wording in it."""
    return digest(form)[:12]


def draw_kit(
    predictions: pd.DataFrame,
    task: str = "paraphrase",
    n_rated: int = 200,
    n_raters: int = 6,
    seed: int = 0,
    systems: Sequence[str] = (),
) -> Kit:
    """Choose items by the seed and blind their outputs (section 4, Table 3).

    Args:
        predictions: `records.PREDICTIONS`; an item counts if every chosen system has it.
        n_rated: items, ≥ 1; the paper has 200. Fewer if there are fewer.
        n_raters: ≥ 1; the paper has 6. Two or more for an agreement.
        seed: of items, letters and orders, each item and rater with numbers of their own.
        systems: which are rated, 26 at most; none named: all.

    Raises:
        DataError: an unknown task or system, more than `MOST_RATERS`, no common item, two outputs
            or sources where one must be.
    """
    if task not in QUESTIONS:
        raise DataError(f"There is no task {task!r} to rate: give one of {', '.join(QUESTIONS)}.")
    if n_rated < 1 or n_raters < 1:
        raise DataError(f"{n_rated} items and {n_raters} raters: give at least one of each.")
    if n_raters > MOST_RATERS:
        raise DataError(f"{n_raters:,} raters are more than {MOST_RATERS}: give fewer.")
    chosen = _chosen(predictions, systems)
    names = tuple(chosen["system"].unique())
    answers = chosen.groupby("item").size()
    items = _shuffled(answers[answers == len(names)].index, seed, "rating, choice")[:n_rated]
    if not items:
        raise DataError(f"No item has an output of each of {'; '.join(names)}: name fewer systems.")
    groups = dict(iter(chosen.groupby("item")))
    rows = [row for place, item in enumerate(items, 1) for row in _units(place, groups[item], seed)]
    units = pd.DataFrame(rows, columns=["unit", "item", "source", "output", "systems"])
    raters = tuple(f"rater{number}" for number in range(1, n_raters + 1))
    return Kit(task, seed, raters, names, units)


def _chosen(predictions: pd.DataFrame, systems: Sequence[str]) -> pd.DataFrame:
    """Rows of the systems asked for, checked."""
    known = list(predictions["system"].unique())
    for name in systems:
        if name not in known:
            raise DataError(
                f"There is no system {name!r}{nearest(name, known)}: known are {'; '.join(known)}."
            )
    chosen = predictions[predictions["system"].isin(list(systems) or known)]
    if not 1 <= chosen["system"].nunique() <= len(ascii_uppercase):
        raise DataError(f"{chosen['system'].nunique()} systems are chosen: 1 to 26 can be rated.")
    for row in chosen[chosen.duplicated(["system", "item"])].itertuples():
        raise DataError(f"{row.system} has two outputs for item {row.item}: one is allowed.")
    sources = chosen.groupby("item")["source"].nunique()
    for item in sources[sources > 1].index:
        raise DataError(f"Item {item} has two sources: systems must have answered the same items.")
    return chosen


def _units(place: int, answers: pd.DataFrame, seed: int) -> list[tuple[Any, ...]]:
    """Units of the item drawn at `place`: unit, item, source, output, systems."""
    item, source = str(answers["item"].iloc[0]), str(answers["source"].iloc[0])
    writers: dict[str, list[str]] = {}
    for row in answers.itertuples():
        writers.setdefault(" ".join(str(row.output).split()), []).append(str(row.system))
    outputs = _shuffled(writers, seed, f"rating, letters of {item}")
    return [
        (f"{place:03d}{letter}", item, source, output, sorted(writers[output]))
        for letter, output in zip(ascii_uppercase, outputs, strict=False)
    ]


def _shuffled(names: Iterable[str], seed: int, stage: str) -> list[str]:
    """Names in an order that the seed gives each of them, whatever others are there."""
    return sorted(names, key=lambda name: (item_rng(seed, stage, name).random(), name))


def render_form(form: dict[str, Any]) -> str:
    """One HTML page without outside resources; answers stay in the browser until downloaded.

    Model text is data in it: escaped, set as text, and barred from running by the page's policy.
    """
    return template("evaluation/human/rating").render(
        form={**form, "digest": form_digest(form)}, scale=SCALE
    )


def write_kit(kit: Kit, folder: Path) -> None:
    """Write `forms/RATER.html` and, apart from what raters get, `key.json`.

    Forms of raters that are no more in the kit are removed; nothing else in the folder is touched.
    """
    for rater in kit.raters:
        write_text(folder / "forms" / f"{rater}.html", render_form(kit.form(rater)))
    write_json(folder / KEY, kit.key())
    for old in (folder / "forms").glob("rater*.html"):
        if old.stem not in kit.raters:
            old.unlink()


def read_key(path: Path) -> dict[str, Any]:
    """The key of a kit, from the file or the kit's folder.

    Raises:
        DataError: the file is missing or no key. It must not be deleted: there is no other.
    """
    path = path / KEY if path.is_dir() else path
    if not path.is_file():
        raise DataError(f"{path} is missing: give the {KEY} that `impossible forms` wrote.")
    key = read_json(
        path, f"give the {KEY} as `impossible forms` wrote it, from a backup if need be"
    )
    if not isinstance(key, dict) or not {"questions", "systems", "forms", "units"} <= key.keys():
        raise DataError(f"{path} is no key of rating forms: give the {KEY} written with them.")
    if problem := _key_problem(key):
        raise DataError(
            f"{path} was changed after the forms were written: {problem}; ratings would be counted "
            f"for nobody: give the {KEY} written with the forms, from a backup if need be."
        )
    return key


def _key_problem(key: dict[str, Any]) -> str:
    """What a key says that no kit does; empty if it is whole."""
    forms, units, systems = key["forms"], key["units"], key["systems"]
    for name in ("questions", "systems"):
        if not _are_texts(key[name]):
            return f"{name} is no list of names"
    if not isinstance(forms, dict) or not forms or not _are_texts(list(forms.values())):
        return "forms must be raters → the digests of their forms"
    if not isinstance(units, dict) or not units:
        return "units must be outputs → who wrote them"
    authors: dict[str, list[str]] = {}  # of each item's outputs
    for unit, entry in units.items():
        texts = [entry.get(each) for each in ("item", "source")] if isinstance(entry, dict) else []
        if not texts or not _are_texts(texts) or not _are_texts(entry.get("systems")):
            return f"units.{unit} must have an item, a source and systems"
        authors.setdefault(entry["item"], []).extend(entry["systems"])
    for item, names in authors.items():
        if sorted(names) != sorted(systems):
            return (
                f"the outputs of item {item} are by {', '.join(sorted(names))}, and must be by "
                f"{', '.join(sorted(systems))}, each once"
            )
    return ""


def _are_texts(values: Any) -> bool:
    """Whether it is a list of texts, and not an empty one."""
    return (
        isinstance(values, list) and bool(values) and all(isinstance(each, str) for each in values)
    )


def read_systems(files: Sequence[Path]) -> pd.DataFrame:
    """`records.PREDICTIONS` from files of the command line.

    Parquet files of a run (all their systems), or JSON lines as `impossible score` reads them: one
    system per file, named by it; the line number is the item.
    """
    remedy = "give data/predictions.parquet as a run wrote it"
    parts = [
        read_frame(path, PREDICTIONS, remedy)
        if path.suffix == ".parquet"
        else read_predictions(read_lines(path), str(path), path.stem)
        for path in files
    ]
    return pd.concat(parts, ignore_index=True)
