"""Reading notebooks without running them: parameters, declared inputs and outputs, code.

Conventions. A stage notebook is `NN_name.ipynb`. One code cell has the tag `parameters` and assigns
literals to `config`, `overrides` and `results` (see `impossible.notebook`). The notebook's metadata
declare what it reads and writes, as paths below the run folder without ending:
`{"impossible": {"inputs": ["data/contexts"], "outputs": ["tables/table1", "models/teacher?"]}}`.
`*` matches any text, and a trailing `?` marks what may be absent. `scalars/<stem>.json` and the
executed copy `notebooks/<stem>.ipynb` are always outputs.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impossible.config.params import Params, known
from impossible.data.digests import normalized
from impossible.errors import ParameterError, RunError

CELL = {"config": str, "overrides": dict, "results": str}  # what the tagged cell assigns


@dataclass(frozen=True)
class NotebookSpec:
    """A notebook as the runner sees it."""

    path: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    code: str  # normalized, without the parameters cell
    cells: int  # code cells

    @property
    def name(self) -> str:
        """File name without ending."""
        return self.path.stem

    @property
    def number(self) -> str:
        """What the name starts with: digits, perhaps with a letter (22a)."""
        return self.name.partition("_")[0]

    @property
    def part(self) -> str:
        """Folder below `notebooks/` that it is in, or "main"."""
        return "main" if self.path.parent.name == "notebooks" else self.path.parent.name

    @property
    def writes(self) -> tuple[str, ...]:
        """What it may write, without marks: its outputs, its numbers and its executed copy."""
        plain = (name.removesuffix("?") for name in self.outputs)
        return (*plain, f"scalars/{self.name}", f"notebooks/{self.name}")


def read_spec(path: Path) -> NotebookSpec:
    """Read and check a notebook.

    Raises:
        RunError: the file is no notebook, or its declarations are no lists of texts.
        ParameterError: its tagged cell is missing, or is not the three lines.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        declared = content["metadata"].get("impossible", {})
    except (OSError, ValueError, KeyError, TypeError) as bad:
        raise RunError(f"{path} is not a notebook ({bad!r}): repair or remove it.") from bad
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise ParameterError(
            f"{path.name} has {len(tagged)} cells with the tag `parameters`: it needs exactly one."
        )
    check_cell(source(tagged[0]), path.name)
    codes = [_python(source(cell)) for cell in cells if cell is not tagged[0]]
    return NotebookSpec(
        path=path,
        inputs=_texts(declared, "inputs", path),
        outputs=_texts(declared, "outputs", path),
        code="\n".join(normalized(code) for code in codes),
        cells=len(cells),
    )


def source(cell: dict[str, Any]) -> str:
    """Text of a cell, which notebooks store as a text or as a list of lines."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def _python(code: str) -> str:
    """Code without IPython's own lines (`%magic`, `!command`), which Python cannot parse."""
    lines = [line for line in code.splitlines() if not re.match(r"\s*[%!]", line)]
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return repr(code)  # a note to the reader, or broken: compared as it stands
    return "\n".join(lines)


def literals(code: str, where: str) -> dict[str, Any]:
    """Names and values of a cell that only assigns literals.

    >>> literals("k: int = 50  # samples", "a notebook")
    {'k': 50}
    """
    hint = "only lines `name = literal` may stand in the parameters cell"
    try:
        lines = ast.parse(code).body
    except SyntaxError as bad:
        raise ParameterError(f"{where}: {bad.msg} in line {bad.lineno}: {hint}.") from bad
    values: dict[str, Any] = {}
    for line in lines:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        value = getattr(line, "value", None)
        if len(targets) != 1 or not isinstance(targets[0], ast.Name) or value is None:
            raise ParameterError(f"{where}, line {line.lineno}: {hint}.")
        try:
            values[targets[0].id] = ast.literal_eval(value)
        except ValueError as bad:
            name = targets[0].id
            raise ParameterError(f"{where}, line {line.lineno}: {name}: {hint}.") from bad
    return values


def check_cell(code: str, where: str) -> None:
    """Refuse a tagged cell that is not the three lines, or names unknown parameters."""
    values = literals(code, where)
    kinds = {name: type(value) for name, value in values.items()}
    if kinds != CELL:
        raise ParameterError(
            f'{where}: the parameters cell must be the three lines `config = "laboratory"`, '
            f'`overrides = {{}}` and `results = ""`, and it sets {", ".join(values) or "nothing"}.'
        )
    known(values["overrides"], where)


def _texts(declared: dict[str, Any], name: str, path: Path) -> tuple[str, ...]:
    value = declared.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise RunError(f"{path.name}: the metadata impossible.{name} must be a list of texts.")
    return tuple(value)


def matches(root: Path, name: str) -> list[Path]:
    """Files and folders below `root` that a declared name stands for, sorted.

    An exact path wins; otherwise every path that adds an ending (`tables/table1` → `.csv`, `.md`).
    """
    plain = name.removesuffix("?")
    exact = sorted(root.glob(plain))
    return exact or sorted(root.glob(f"{plain}.*"))


def missing_input(stage: NotebookSpec, name: str, root: Path, notebooks: list[NotebookSpec]) -> str:
    """Beginning of a sentence that says what is missing and who writes it; empty if it is there."""
    if name.endswith("?") or "*" in name or matches(root, name):
        return ""
    writers = [each.name for each in notebooks if name in each.writes]
    return f"{stage.name} needs {name} in {root}: run {' or '.join(writers) or 'what writes it'}"


def stages(folder: Path) -> list[NotebookSpec]:
    """The notebooks of a folder in the order of their numbers, the report last, each checked."""
    paths = sorted(folder.rglob("[0-9]*.ipynb"), key=_order)
    if not paths:
        raise RunError(f"{folder} holds no notebook named NN_name.ipynb.")
    return [read_spec(path) for path in paths]


def _order(path: Path) -> tuple[bool, int, str]:
    found = re.match(r"\d+", path.name)
    return path.stem.endswith("_report"), int(found.group()) if found else 0, path.name


def of_run(stages: Sequence[NotebookSpec], params: Params) -> list[NotebookSpec]:
    """The notebooks that a run executes: those of its parts that it does not leave out."""
    left_out = {stages[find(stages, text)].name for text in params.leave_out}
    return [s for s in stages if s.part in params.parts and s.name not in left_out]


def find(stages: Sequence[NotebookSpec], text: str) -> int:
    """Position of the notebook with this number or with this unique part of its name."""
    by_number = [i for i, s in enumerate(stages) if s.number.lstrip("0") == text.lstrip("0")]
    found = by_number or [i for i, stage in enumerate(stages) if text in stage.name]
    if len(found) != 1:
        what = "no notebook" if not found else "more than one notebook"
        names = ", ".join(stage.name for stage in stages)
        raise RunError(f"{text!r} names {what}: give the number or a part of one of {names}.")
    return found[0]


@dataclass(frozen=True)
class Selection:
    """Which notebooks to run, each by number or a unique part of its name."""

    start: str = ""
    only: str = ""
    until: str = ""
    force: bool = False
    names: frozenset[str] = frozenset()  # only those of these names; empty: all

    @property
    def partial(self) -> bool:
        """Whether it leaves any notebook out."""
        return bool(self.start or self.only or self.until or self.names)

    def of(self, notebooks: list[NotebookSpec], params: Params) -> list[NotebookSpec]:
        """The chosen ones of a run, in order; one named alone may be any."""
        wanted = {stage.name for stage in of_run(notebooks, params)}
        if self.names:
            return [s for s in notebooks if s.name in self.names & wanted]
        if self.only and (self.start or self.until):
            raise RunError("--only names one notebook: leave --from and --until out.")
        if self.only:
            return [notebooks[find(notebooks, self.only)]]
        first = find(notebooks, self.start) if self.start else 0
        last = find(notebooks, self.until) if self.until else len(notebooks) - 1
        if first > last:
            raise RunError(f"--from {self.start} comes after --until {self.until}: swap them.")
        return [stage for stage in notebooks[first : last + 1] if stage.name in wanted]
