"""The runner: notebooks in order, each executed when its key changed and skipped when it did not.

Those that are independent of each other are executed side by side (see `schedule`). After a
failure or an interruption nothing that was finished is lost: the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from impossible.config.params import Params
from impossible.config.places import project_root, resolve
from impossible.data.digests import digest
from impossible.data.io import free_space_check, read_json, remove_leftovers, write_json, write_text
from impossible.data.run_folder import RunFolder
from impossible.errors import ImpossibleError, RunError
from impossible.runner.executed_copy import retold, tidy
from impossible.runner.execution import Execution, Kernels
from impossible.runner.ledger import Ledger, locked, write_manifest
from impossible.runner.notebook_spec import (
    NotebookSpec,
    Selection,
    matches,
    missing_input,
    stages,
)
from impossible.runner.parallel import startable
from impossible.runner.preflight import (
    cell_values,
    kernel_environment,
    portable,
    require_data,
    require_executor,
    require_readable,
)
from impossible.runner.stage_cache import is_done, outputs, reads_file, stage_key

SPACE = 256 * 2**20


def run_all(params: Params, folder: Path, selection: Selection | None = None) -> Path:
    """Run the notebooks of the checkout into a results folder.

    Args:
        params: checked parameters.
        folder: results folder; made if absent, held alone while running.
        selection: default all.

    Returns:
        Where the report is (it exists once the report notebook ran).

    Raises:
        RunError: the folder is in use or full, an input is missing, a notebook failed.
        ParameterError: a notebook's parameters cell is wrong, or the data that a parameter names
            is not there; nothing has started then.
    """
    selection, params = selection or Selection(), portable(params)
    notebooks = stages(project_root() / "notebooks")
    chosen = selection.of(notebooks, params)
    require_data(params)
    require_executor(params)
    require_readable(folder)
    run = RunFolder.open(folder)
    with locked(run):
        remove_leftovers(run.root)
        free_space_check(run.root, SPACE)
        ledger = Ledger(run)
        settings = {"values": params.model_dump(), "origins": params.origins}
        write_json(run.work / "params.json", settings)
        try:
            with Kernels(kernel_environment(params, run)) as kernels:
                it = _Run(params, run, notebooks, ledger, kernels, selection.force)
                it.through(chosen)
        except BaseException:
            for name in ledger.running:
                ledger.update(name, status="killed")
                _say(f"{name:<28} stopped; the next run goes on from here")
            raise
        write_manifest(run, params, ledger, it.computed)
    return run.root / "report.html"


@dataclass
class _Run:
    """A run on its way: what its stages share, those that are executed now, what failed."""

    params: Params
    folder: RunFolder
    notebooks: list[NotebookSpec]
    ledger: Ledger
    kernels: Kernels
    force: bool
    running: dict[NotebookSpec, Execution] = field(default_factory=dict)
    failed: list[ImpossibleError] = field(default_factory=list)
    computed: bool = False  # whether a stage was executed

    def through(self, chosen: list[NotebookSpec]) -> None:
        """Run the chosen stages; after a failure only what has begun is brought to its end."""
        waiting = list(chosen)
        while self.running or (waiting and not self.failed):
            while not self.failed and (
                stage := startable(waiting, self.running, self.params.notebooks_at_once)
            ):
                waiting.remove(stage)
                self._attempt(self._begin, stage)
            self.kernels.watch()
            for stage in list(self.running):
                if self.running[stage].running:
                    self._note(stage)
                else:
                    self._attempt(self._finish, stage)
            _status(self._line())
        if self.failed:
            raise self.failed[0]

    def _attempt(self, step: Callable[[NotebookSpec], None], stage: NotebookSpec) -> None:
        try:
            step(stage)
        except ImpossibleError as bad:
            self.failed.append(bad)
            if len(self.failed) > 1:  # the first is raised when nothing runs any more
                _say(f"{stage.name:<28} failed too: {bad}")
            elif self.running:
                others = ", ".join(other.name for other in self.running)
                _say(f"{stage.name:<28} failed; still running, and kept: {others}")

    def _begin(self, stage: NotebookSpec) -> None:
        """Skip a stage or start it, and note which."""
        require_inputs(stage, self.folder, self.notebooks)
        require_unharmed(stage, self.folder, self.ledger)
        if not self.force and is_done(stage, self.params, self.folder, self.ledger):
            told = self._retell(stage)
            _say(f"{stage.name:<28} unchanged, skipped{', its text renewed' if told else ''}")
            return
        final, partial = self._copies(stage)
        final.unlink(missing_ok=True)
        reads_file(self.folder, stage.name).unlink(missing_ok=True)
        self.ledger.start(stage.name, stage.cells)
        self.computed = True
        values = cell_values(self.params, self.folder.root)
        self.running[stage] = self.kernels.start(stage.path, partial, values, project_root())

    def _retell(self, stage: NotebookSpec) -> bool:
        """Carry changed explanations into the executed copy of a stage that need not run."""
        final, _ = self._copies(stage)
        text = retold(final, stage.path)
        if text is not None:
            write_text(final, text)
            self.ledger.update(stage.name, outputs=outputs(stage, self.folder))
        return text is not None

    def _note(self, stage: NotebookSpec) -> None:
        """Keep in the ledger what the next run needs if this one is killed."""
        now = {name: getattr(self.running[stage], name) for name in ("cell", "processes")}
        if not now.items() <= self.ledger.entry(stage.name).items():
            self.ledger.update(stage.name, **now)

    def _finish(self, stage: NotebookSpec) -> None:
        """Note what became of a stage, and put its executed copy into its place."""
        execution = self.running.pop(stage)
        final, partial = self._copies(stage)
        seconds, memory = execution.seconds, round(execution.peak / 2**20)
        noted = {"cell": execution.cell, "processes": [], "peak_mb": memory}
        self.ledger.update(stage.name, seconds=round(seconds, 1), **noted)
        noted_reads = reads_file(self.folder, stage.name)
        missing = [
            name for name in stage.outputs if missing_input(stage, name, self.folder.root, [])
        ]
        missing += [] if noted_reads.is_file() else ["what it read (by stage.finish)"]
        if error := execution.error or (missing and f"it did not write {', '.join(missing)}"):
            self.ledger.update(stage.name, status="failed", error=error)
            raise RunError(
                f"{stage.name} failed in code cell {execution.cell} of {stage.cells}: {error} "
                f"(as far as it got: {_short(partial)})"
            )
        named = self.params.naming("folder", "file", "paths").values()
        folders = [self.folder.root, *(resolve(name) for several in named for name in several)]
        write_text(final, tidy(partial, project_root(), folders))
        partial.unlink()
        read = read_json(noted_reads)
        key = stage_key(stage, self.params, self.folder, read)
        written = outputs(stage, self.folder)
        self.ledger.update(stage.name, status="done", read=read, key=key, outputs=written)
        _say(f"{stage.name:<28} done in {seconds:6.1f} s, {memory:5d} MB")

    def _copies(self, stage: NotebookSpec) -> tuple[Path, Path]:
        """Where the executed copy lies when it is complete, and where it grows."""
        return self.folder.notebooks / stage.path.name, self.folder.work / stage.path.name

    def _line(self) -> str:
        """What runs now, in one line; in short if it is more than one."""
        if len(self.running) == 1:
            (stage, it), *_ = self.running.items()
            return f"{stage.name}  cell {it.cell}/{stage.cells}  {it.seconds:.0f} s  {it.progress}"
        return "  |  ".join(
            f"{stage.number} {it.cell}/{stage.cells} {it.seconds:.0f} s "
            f"{it.progress.partition('|')[0]}".strip()
            for stage, it in self.running.items()
        )


def require_inputs(stage: NotebookSpec, run: RunFolder, notebooks: list[NotebookSpec]) -> None:
    """Refuse a stage whose declared inputs are not there, and say which notebook writes them."""
    for name in stage.inputs:
        if lacking := missing_input(stage, name, run.root, notebooks):
            raise RunError(f"{lacking} first (--from).")


def require_unharmed(stage: NotebookSpec, run: RunFolder, ledger: Ledger) -> None:
    """Refuse a stage whose inputs are not as the notebook left them that wrote them."""
    done = {name: each for name, each in ledger.entries.items() if each.get("status") == "done"}
    noted = {file: (was, name) for name, each in done.items()
             for file, was in each.get("outputs", {}).items()}  # fmt: skip
    for path in (path for name in stage.inputs for path in matches(run.root, name)):
        was, writer = noted.get(path.relative_to(run.root).as_posix(), ("", ""))
        if was and writer != stage.name and digest(path) != was:
            raise RunError(
                f"{stage.name} needs {path}, which is not what {writer} wrote (it is damaged or "
                f"was changed): run {writer} again (--from)."
            )


_last_status = [0.0]


def _status(text: str) -> None:
    """Show a line on the terminal that the next one replaces."""
    if sys.stderr.isatty() and (not text or time.monotonic() - _last_status[0] > 0.2):
        _last_status[0] = time.monotonic()
        width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        print(f"\r\033[K{text[:width]}", end="", file=sys.stderr, flush=True)


def _say(line: str) -> None:
    _status("")
    print(line, flush=True)


def _short(path: Path) -> str:
    """A path as the user would type it."""
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
