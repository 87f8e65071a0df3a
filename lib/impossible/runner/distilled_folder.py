"""What `distil` leaves for others: dataset/, student/, student-merged/ and report.html."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.data.io import read_object, write_frame, write_text
from impossible.data.schemas import DATASET
from impossible.errors import RunError
from impossible.filtering.funnel import funnel_table
from impossible.models.assets import PREFIX, asset_named
from impossible.models.model_files import asset_below, model_digest
from impossible.models.model_saving import save_model
from impossible.report.distilled import Distilled, dataset_card, distilled_page, student_card
from impossible.runner.order import Order
from impossible.training.distillation import PAIR_TESTS, MadeDataset, candidate_tests
from impossible.training.fine_tuning import split_by_context
from impossible.training.student import load_student

DATASET_FOLDER, STUDENT, MERGED, _PAGE = "dataset", "student", "student-merged", "report.html"


def write_distilled(out: Path, student: Path, made: Distilled) -> Path:
    """Write all that is for others; returns the page's path.

    Args:
        out: the folder.
        student: folder of the model or adapter that was trained last.
        made: what is told of it.
    """
    for split in ("train", "dev"):
        path = out / DATASET_FOLDER / "data" / f"{split}.parquet"
        rows = made.pairs[made.pairs["split"] == split].drop(columns="split")
        if len(rows):
            write_frame(path, rows, DATASET)
        else:
            path.unlink(missing_ok=True)
    write_text(out / DATASET_FOLDER / "README.md", dataset_card(made))
    try:
        _copy(student, out / STUDENT)
        _merge(out / STUDENT, out / MERGED)
    except OSError as bad:
        raise RunError(
            f"Cannot write {out}: {bad.strerror or bad}; what was made is kept."
        ) from bad
    for folder in (STUDENT, MERGED):
        write_text(out / folder / "README.md", student_card(made, folder == MERGED))
    return write_text(out / _PAGE, distilled_page(made))


def _copy(student: Path, target: Path) -> None:
    if target.is_dir() and model_digest(target) == model_digest(student):
        return
    beside = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(student, beside)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)


def _merge(student: Path, target: Path) -> None:
    """The student joined with its base, as transformers opens it; nothing if that is there."""
    noted = target / "recipe.json"
    digest = model_digest(student)
    if noted.is_file() and read_object(noted).get("student_digest") == digest:
        return
    recipe = {**read_object(student / "recipe.json"), "student_digest": digest}
    whole = load_student(str(student.absolute()), device="cpu")
    beside = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    save_model(beside, whole.model, whole.tokenizer, recipe, read_object(student / "metrics.json"))
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)


def pairs_with_split(first: pd.DataFrame, learned: pd.DataFrame, params: Params) -> pd.DataFrame:
    """The first DATASET and what the last student learned, with split; no context is in both parts.

    dev holds the contexts whose pairs the last student was not trained on; they decided which of
    its weights are kept.
    """
    _, dev = split_by_context(learned, params.student_dev_fraction, params.seed)
    pairs = pd.concat([first, learned], ignore_index=True).drop_duplicates("pair_id")
    in_dev = pairs["context_id"].isin(set(dev["context_id"]))
    return pairs.assign(split=in_dev.map({True: "dev", False: "train"}))


def funnel_tables(
    first: MadeDataset, second: MadeDataset, params: Params
) -> dict[str, pd.DataFrame]:
    """What became of all pairs and of all candidates, without the tests that dropped nothing."""
    orders = {
        "From all pairs of what the teacher wrote to the first dataset": (first, PAIR_TESTS),
        "From the student's candidates to the second dataset": (second, candidate_tests(params)),
    }
    tables = {
        title: funnel_table(made.funnel, order)
        for title, (made, order) in orders.items()
        if len(made.funnel)
    }
    shown = {"of all": "of all, %", "of those left": "of those left, %"}
    return {title: table[table["n"] > 0].rename(columns=shown) for title, table in tables.items()}


def licences(order: Order, params: Params) -> dict[str, str]:
    """Of the text and of each model that had a part in the result."""
    names = {"teacher": params.teacher, "student's base": params.student_base}
    names |= {"first student": order.student} if order.student else {}
    names["critic"] = params.critic
    told = {f"{what} ({model_name(name)})": _licence(name) for what, name in names.items()}
    if order.adapt_teacher:
        told["the teacher's adapter"] = (
            f"follows the text's ({order.licence}) and the teacher's ({_licence(params.teacher)})"
        )
    return {"the text": order.licence, **told}


def _licence(model: str) -> str:
    if asset := asset_below(model):
        return asset_named(asset).licence
    own = model.startswith(("in-vitro/", "english/"))
    return "Apache-2.0" if own else "see the model's own page"


def model_name(name: str) -> str:
    """A model's name; of one in a folder of this machine the last part."""
    known = name.startswith((PREFIX, "in-vitro/", "english/"))
    return name if known or not Path(name).exists() else Path(name).name


def plain_settings(params: Params) -> dict[str, str]:
    """The parameters that were read, count for results and have one value."""
    found = {}
    for name in sorted(params.read):
        value = params.plain(name) if name in type(params).model_fields else None
        if isinstance(value, int | float | str) and params.about(name)["affects_results"]:
            found[name] = model_name(value) if isinstance(value, str) else f"{value:g}"
    return found


def training_notes(student: Path) -> dict[str, Any]:
    """What the folder of a student says of its training."""
    known = read_object(student / "recipe.json") | read_object(student / "metrics.json")
    left_out = ("model", "base", "base_digest", "data_digest")
    notes = {name: value for name, value in known.items() if name not in left_out}
    return {
        name: f"{value:g}" if isinstance(value, float) else value for name, value in notes.items()
    }
