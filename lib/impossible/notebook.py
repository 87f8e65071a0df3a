"""What a notebook is given by its first cell, and hands over in its last one.

The tagged cell of every notebook holds three lines: `config`, a name in `params/` or the path of a
params file; `overrides`, what this run sets besides; `results`, the folder to write to. The runner
replaces them. Opened by hand they stay as they are, and the notebook works in a folder of its own,
`scratch/<run>`, to which the inputs of the published run are copied: nothing in `results/` changes.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from impossible.config.memory_limit import guard_imports
from impossible.config.params import Params
from impossible.config.places import project_root
from impossible.data.digests import digest
from impossible.data.io import read_object, write_json
from impossible.data.run_folder import RunFolder, record
from impossible.errors import RunError
from impossible.evaluation.bootstrap import Bootstrap
from impossible.runner.models import RunModels
from impossible.runner.notebook_spec import find, matches, missing_input, stages
from impossible.runner.preflight import results_folder
from impossible.runner.stage_cache import reads_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from impossible.evaluation.expectations import Expected
    from impossible.evaluation.judges import Judge

COPIED = "copied.json"  # in the scratch folder's work/: digests of the inputs that were copied


def begin(
    name: str, config: str, overrides: Mapping[str, Any] | None = None, results: str = ""
) -> Stage:
    """Open a notebook's folder and load its parameters.

    Args:
        name: the notebook's file name without ending, for example `04_pairs_critics`.
        config: a name in `params/`, or the path of a params file.
        overrides: parameter → value, over the file's.
        results: the folder to write to; empty: `scratch/<run>`, with copies of the inputs.

    Raises:
        ParameterError: an unknown name, a wrong type, a value out of range.
        RunError: an input is neither in the scratch folder nor in the published run.
    """
    guard_imports()
    params = Params.load(config, overrides or {})
    if results:
        run = RunFolder.open(results)
    else:
        published = results_folder(config, overrides or {})
        run = RunFolder.open(project_root() / "scratch" / published.name)
        _copy_inputs(name, published, run)
    (run.scalars / f"{name}.json").unlink(missing_ok=True)
    return Stage(name, run, params)


def _copy_inputs(name: str, published: Path, run: RunFolder) -> None:
    """Copy declared inputs that are not there, or whose published original has changed since."""
    notebooks = stages(project_root() / "notebooks")
    spec = notebooks[find(notebooks, name)]
    noted = run.work / COPIED
    copied: dict[str, str] = read_object(noted) if noted.is_file() else {}
    for declared in spec.inputs:
        for source in matches(published, declared):
            place = source.relative_to(published).as_posix()
            here = run.root / place
            if here.exists() and digest(here) != copied.get(place):
                continue  # made by hand
            if copied.get(place) != (now := digest(source)) or not here.exists():
                _replace(source, here)
                copied[place] = now
        if lacking := missing_input(spec, declared, run.root, notebooks):
            raise RunError(f"{lacking} first, in Jupyter or with `impossible run`.")
    write_json(noted, copied)


def _replace(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


@dataclass(frozen=True)
class Stage:
    """A notebook at work.

    Attributes:
        name: the notebook's file name without ending.
        run: the folder that it reads from and writes to.
        params: the parameters; which of them are read is noted as they are read.
    """

    name: str
    run: RunFolder
    params: Params

    @cached_property
    def models(self) -> RunModels:
        """The models that the parameters name, each loaded on first use."""
        return RunModels(self.run, self.params)

    @cached_property
    def judge(self) -> Judge:
        """Who says, for evaluation only, whether two sentences mean the same."""
        from impossible.evaluation.judges import load_judge

        return load_judge(self.params.judge, self.params, self.run)

    @cached_property
    def bootstrap(self) -> Bootstrap:
        """How intervals are drawn."""
        return Bootstrap.from_params(self.params)

    def figure(
        self,
        name: str,
        figure: Figure,
        caption: str,
        data: Sequence[str | Path] = (),
        paper: str | None = None,
        reading: str | None = None,
    ) -> Captioned:
        """Save a figure with its caption and return both to be shown; see `save_figure`."""
        from impossible.report.save import save_figure

        save_figure(self.run, name, figure, caption, self.name, data, paper, reading)
        return Captioned(figure, caption)

    def table(
        self,
        name: str,
        frame: pd.DataFrame,
        caption: str,
        data: Sequence[str | Path] = (),
        paper: str | None = None,
        numbers: pd.DataFrame | None = None,
        digits: int = 2,
        reading: str | None = None,
    ) -> Any:
        """Save a table with its caption and return what is to be shown; see `save_table`."""
        from impossible.report.save import save_table
        from impossible.report.tables import HEADINGS, as_shown, in_words

        save_table(self.run, name, frame, caption, self.name, data, paper, reading, digits, numbers)
        return as_shown(in_words(frame).rename(columns=HEADINGS), digits, caption)

    def expect(self, expected: Sequence[Expected], data: Sequence[str | Path] = ()) -> Any:
        """Save what became of the notebook's expectations as a table and return it to be shown.

        Args:
            expected: in the notebook's order.
            data: files that the numbers come from.
        """
        from impossible.report.expectation_table import expectation_table

        judged = self.params.plain("judge") != "none"  # all that is judged has noted it
        number = self.name.split("_")[0]
        return expectation_table(self, f"expectations_{number}", expected, data, judged)

    def parameters(self) -> pd.DataFrame:
        """The parameters read so far: name, value, origin, unit, meaning and paper section."""
        read, origins = self.params.read, self.params.origins
        rows = []
        for name, field in Params.model_fields.items():
            if name in read:
                extra = Params.about(name)
                rows.append(
                    {
                        "name": name,
                        "value": str(self.params.plain(name)),
                        "origin": origins[name],
                        "unit": extra["unit"],
                        "meaning": field.description,
                        "paper": extra["section"],
                    }
                )
        columns = ["name", "value", "origin", "unit", "meaning", "paper"]
        return pd.DataFrame(rows, columns=columns).set_index("name")

    def finish(self, files: Sequence[Path] = (), **scalars: Any) -> Finished:
        """Record the notebook's numbers and what it read, and show what it wrote.

        Args:
            files: files and folders that were written.
            scalars: numbers to record, JSON-able.
        """
        record(self.run, self.name, **scalars)
        write_json(reads_file(self.run, self.name), sorted(self.params.read))
        rows = []
        for path in files:
            parts = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
            size = sum(part.stat().st_size for part in parts) / 1024
            name = path.relative_to(self.run.root).as_posix()
            rows.append({"file": name, "kB": round(size, 1), "sha256": digest(path)[:12]})
        return Finished(pd.DataFrame(rows, columns=["file", "kB", "sha256"]), self.parameters())


@dataclass(frozen=True)
class Captioned:
    """A figure that a notebook shows above its caption."""

    figure: Figure
    caption: str

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        display(self.figure, HTML(f"<p>{escape(self.caption)}</p>"))  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Finished:
    """What the last cell shows: the files written, and the parameters read, folded."""

    files: pd.DataFrame
    parameters: pd.DataFrame

    def _repr_html_(self) -> str:
        table = self.parameters.to_html()
        return (
            f"{self.files.to_html(index=False)}\n<details><summary>"
            f"{len(self.parameters)} parameters read</summary>\n{table}\n</details>"
        )
