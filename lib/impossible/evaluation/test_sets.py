"""Test sets by name: human datasets, the closed world, the teacher's own sentences, a user's file.

A test set is a frame of *items*: id, source, references (a list, perhaps empty), domain and
exemplar (null where unknown). A set that is not there is one sentence, and a run goes on without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from impossible.config import plugins
from impossible.config.params import Params
from impossible.config.places import resolve
from impossible.data.human_datasets import human_folder, human_items, take
from impossible.data.io import read_frame
from impossible.data.json_lines import read_items, read_lines
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import DATASET, SENTENCES
from impossible.errors import DataError, nearest
from impossible.generation.paragraphs import paragraphs_of, source_sentences

_COLUMNS = ("id", "source", "references", "domain", "exemplar")
HELD_OUT = "held_out"
SHOTS = 5  # items that serve as a prompt's examples (paper, Table 4)


@dataclass(frozen=True)
class Source:
    """A named human test set: what people call it, its kind of text, its task.

    Attributes:
        title: in captions, headings and labels.
        dataset: its name in `data.human_datasets`.
        domain: its kind of text.
        task: what it is for.
    """

    title: str
    dataset: str
    domain: str
    task: str = "paraphrase"


NAMED = {
    "mrpc": Source("MRPC", "mrpc", "news"),
    "parasci_arxiv": Source("ParaSCI-arXiv", "parasci_arxiv", "science"),
    "quora": Source("Quora", "quora_vaesvg", "questions"),
    "mscoco": Source("MS COCO", "mscoco_captions", "captions"),
    "pawsx": Source("PAWS-X", "pawsx_en", "encyclopedia"),
    "asset": Source("ASSET", "asset", "encyclopedia"),
    "wiki_conciseness": Source("Wiki conciseness", "wiki_conciseness", "encyclopedia", "summary"),
    "gigaword": Source("Gigaword", "gigaword", "news", "summary"),
}
#: Set → what it is called where people read it; files keep their names.
TITLES = {name: each.title for name, each in NAMED.items()} | {
    HELD_OUT: "held-out sentences of the teacher", "world": "the laboratory's world",
}  # fmt: skip


def title(name: str) -> str:
    """What a test set is called where people read it."""
    return TITLES.get(name, name)


def sentences(name: str) -> str:
    """The same after a number.

    >>> sentences("mrpc"), sentences("held_out")
    ('sentences of MRPC', 'held-out sentences of the teacher')
    """
    return f"{'' if name == HELD_OUT else 'sentences of '}{title(name)}"


def load(
    name: str,
    n: int | None = None,
    seed: int = 0,
    task: str = "paraphrase",
    folder: str | Path = "",
    run: RunFolder | None = None,
    domain: str = "",
    paragraph: int = 1,
) -> pd.DataFrame:
    """The items of a test set, at most n of them, drawn by the seed.

    Args:
        name: of `NAMED`; "world"; "held_out"; a JSON lines file (`read_items`; of lines that name
            a task, those of this one); or `module:function`, called with (n, seed, task) and,
            where one is asked for, the domain.
        n: items, ≥ 1; None: all there are (not for "world").
        folder: of the human datasets (parameter `human_data`).
        run: whose teacher wrote the sentences of "held_out".
        domain: only items of this domain; "": all.
        paragraph: sentences in a row that are an item of "held_out".

    Returns:
        Columns id (unique), source, references, domain, exemplar.

    Raises:
        DataError: the set is not there, with how to get it; or it is not for this task.
    """
    if name in plugins.SHORT["test set"] or (":" in name and not name.endswith(".jsonl")):
        items = plugins.load_plugin(name, "test set")(
            n, seed, task, **({"domain": domain} if domain else {})
        )
    else:
        items = _stored(name, task, folder, run, paragraph).reindex(columns=list(_COLUMNS))
        items = take(items[items["domain"] == domain] if domain else items, n, seed)
    if not serves(name, task) or items.empty:
        wanted = f"the task {task}" + (f" of the domain {domain}" if domain else "")
        raise DataError(f"The test set {name!r} has no item for {wanted}: name another.")
    for label in items.loc[items["id"].duplicated(), "id"].head(1):
        raise DataError(f"The test set {name!r} has two items called {label!r}: rename one.")
    return items.reindex(columns=list(_COLUMNS)).reset_index(drop=True)


def _stored(
    name: str, task: str, folder: str | Path, run: RunFolder | None, paragraph: int
) -> pd.DataFrame:
    if name == HELD_OUT:
        return _held_out(run, paragraph)
    if name in NAMED:
        return human_items(NAMED[name].dataset, folder).assign(domain=NAMED[name].domain)
    return _from_file(name, task)


def serves(name: str, task: str) -> bool:
    """Whether a test set is for the task; all that have no task of their own are."""
    return name not in NAMED or NAMED[name].task == task


def load_all(
    params: Params, run: RunFolder, task: str = "paraphrase", n: int | None = None,
    domain: str = "",
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:  # fmt: skip
    """Every test set of the parameter `test_sets` that serves the task, n items (`n_test`) of each.

    Where none is there, "held_out" stands in; for summaries it has paragraphs where the parameter
    `paragraph_sentences` asks for them. `domain` as for `load`.

    Returns:
        ({name: items}, {name: the sentence that tells what is missing and how to get it}).

    Raises:
        DataError: there is none at all, not even sentences of the run.
    """
    found: dict[str, pd.DataFrame] = {}
    missing: dict[str, str] = {}
    most, paragraph = n or params.n_test, source_sentences(params, task)
    for name in filter(lambda name: serves(name, task), params.test_sets):
        try:
            found[_label(name)] = load(
                name, most, params.seed, task, human_folder(params), run, domain, paragraph
            )
        except DataError as absent:
            missing[_label(name)] = str(absent)
    if not found:
        missing["instead"] = "The run's own held-out sentences, which have no references."
        found[HELD_OUT] = load(HELD_OUT, most, params.seed, run=run, paragraph=paragraph)
    return found, missing


def pooled(sets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The items of all sets together: `test_set` says whose they are, `id` names both if need be.

    >>> pooled({"a": pd.DataFrame({"id": ["1"]}), "b": pd.DataFrame({"id": ["1"]})})["id"].tolist()
    ['a: 1', 'b: 1']
    """
    parts = [items.assign(test_set=name) for name, items in sets.items()]
    together = pd.concat(parts, ignore_index=True)
    ids = together["test_set"] + ": " + together["id"] if len(sets) > 1 else together["id"]
    return together.assign(id=ids)


def with_examples(
    sets: Mapping[str, pd.DataFrame], n: int
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The items of all sets (`pooled`) but the last n of each, and prompts' examples.

    The examples are (source, first reference) of the n items that the first set with references
    gives up; a set without references gives up none, and without any there is no example.
    """
    rest: dict[str, pd.DataFrame] = {}
    examples: list[tuple[str, str]] = []
    for name, items in sets.items():
        spare = items[items["references"].map(len) > 0].tail(n)
        spare = spare if len(spare) < len(items) else spare.head(0)
        rest[name] = items.drop(index=spare.index)
        examples = examples or [
            (x, str(r[0])) for x, r in zip(spare["source"], spare["references"], strict=True)
        ]
    return pooled(rest), examples


def by_set(frame: pd.DataFrame, items: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Predictions or scores of `pooled` items, for each test set apart."""
    names = frame["item"].map(items.set_index("id")["test_set"])
    return {str(name): part for name, part in frame.groupby(names, sort=False)}


def rows_of_sets(rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """METRIC_ROWS of several sets in one frame; in all but the first, systems are "SET: SYSTEM".

    >>> one = pd.DataFrame({"system": ["Copy-Input"]})
    >>> rows_of_sets({"world": one, "mrpc": one})["system"].tolist()
    ['Copy-Input', 'mrpc: Copy-Input']
    """
    first, *others = rows
    named = [rows[name].assign(system=f"{name}: " + rows[name]["system"]) for name in others]
    return pd.concat([rows[first], *named], ignore_index=True)


def with_title(label: str) -> str:
    """A label that begins with a set, as `joined` makes it, with the set's title.

    >>> with_title("mrpc: Copy-Input"), with_title("Copy-Input")
    ('MRPC: Copy-Input', 'Copy-Input')
    """
    name, colon, rest = label.partition(": ")
    return f"{title(name)}{colon}{rest}" if colon else label


def suffixes(names: Iterable[str]) -> dict[str, str]:
    """What stands behind the name of a table or figure of each set: nothing for the first."""
    return {name: f"-{name}" if i else "" for i, name in enumerate(names)}


def _label(name: str) -> str:
    """A set's name in tables: a file's without folder and ending."""
    return Path(name).stem if name.endswith(".jsonl") else name


def _from_file(name: str, task: str) -> pd.DataFrame:
    path = resolve(name)
    if not path.is_file():
        known = [*NAMED, *plugins.SHORT["test set"], HELD_OUT]
        raise DataError(
            f"There is no test set {name!r}{nearest(name, known)}: give one of "
            f"{', '.join(known)}, or a JSON lines file."
        )
    items = read_items(read_lines(path), name)
    return items if "task" not in items else items[items["task"].fillna(task) == task]


def _held_out(run: RunFolder | None, paragraph: int) -> pd.DataFrame:
    """Sentences that notebook 07 set aside, without those that a corpus of the run holds."""
    path = run.data(HELD_OUT) if run else None
    if run is None or path is None or not path.is_file():
        raise DataError("The run has no held-out sentences: run notebook 07, which draws them.")
    drawn = read_frame(path, SENTENCES)
    drawn = drawn[drawn["reason"] == ""].drop_duplicates("text")
    learned = _learned(run.root.glob("data/dataset_*.parquet"))
    drawn = paragraphs_of(drawn[~drawn["text"].isin(learned)], paragraph)
    drawn = drawn[~drawn["text"].isin(learned)]
    return pd.DataFrame(
        {
            "id": drawn["context_id"] + "-" + drawn["sample"].astype(str),
            "source": drawn["text"],
            "references": [[] for _ in range(len(drawn))],
            "domain": drawn.get("domain"),
        }
    )


def _learned(paths: Iterable[Path]) -> set[str]:
    """Every sentence of the pairs in these files."""
    frames = [read_frame(path, DATASET)[["source", "target"]] for path in paths]
    return set(pd.concat(frames).to_numpy().ravel()) if frames else set()
