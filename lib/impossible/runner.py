"""The runner: notebooks in order, each executed when its key changed and skipped when it did not.

A stage's key holds the parameters it names that affect results, its code and that of the modules it
imports, its inputs' bytes and its models. It is skipped only if the ledger says done under the same
key and everything it wrote still has the recorded digest.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from impossible.cells import RUN_FOLDER, Stage, find, matches, stages
from impossible.errors import RunError
from impossible.keys import digest, module_closure
from impossible.ledger import Ledger, locked
from impossible.params import Params
from impossible.store import (
    RunFolder,
    free_space_check,
    locate_model,
    project_root,
    resolve,
    write_json,
    write_text,
)

MODELS = ("teacher", "critic", "student_base", "encoder")
FOLDERS = ("human_data", "compare_with")
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE", "TRANSFORMERS_OFFLINE")
VERSIONS = ("torch", "transformers", "tokenizers", "pandas", "pyarrow", "numpy")
SPACE = 256 * 2**20


@dataclass(frozen=True)
class Selection:
    """Which notebooks to run, each by number or a unique part of its name."""

    start: str = ""
    only: str = ""
    until: str = ""
    force: bool = False

    def of(self, notebooks: list[Stage]) -> list[Stage]:
        """The chosen ones, in order."""
        if self.only:
            return [notebooks[find(notebooks, self.only)]]
        first = find(notebooks, self.start) if self.start else 0
        last = find(notebooks, self.until) if self.until else len(notebooks) - 1
        if first > last:
            raise RunError(f"--from {self.start} comes after --until {self.until}: swap them.")
        return notebooks[first : last + 1]


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
        ParameterError: a notebook's parameters cell is wrong; nothing has started then.
    """
    selection, params = selection or Selection(), portable(params)
    notebooks = stages(project_root() / "notebooks")
    chosen = selection.of(notebooks)
    run = RunFolder.open(folder)
    with locked(run), _terminable():
        free_space_check(run.root, SPACE)
        ledger = Ledger(run)
        origins = dict(params.origins)
        write_json(run.work / "params.json", {"values": params.model_dump(), "origins": origins})
        for stage in chosen:
            _run_stage(stage, params, run, ledger, notebooks, selection.force)
        _write_manifest(run, params, ledger)
    return run.root / "report.html"


def portable(params: Params) -> Params:
    """The same parameters with folders and files named from the checkout.

    What a run leaves behind then names no folder of this machine, and reads the same elsewhere:
    `/home/me/shared/data` beside the checkout becomes `../shared/data`.
    """
    root, changed = project_root(), {}
    for name, field in Params.model_fields.items():
        assert isinstance(field.json_schema_extra, dict)
        kind, path = field.json_schema_extra["names"], Path(str(getattr(params, name))).expanduser()
        if kind != "value" and path.is_absolute() and (kind == "folder" or path.exists()):
            changed[name] = Path(os.path.relpath(path, root)).as_posix()
    return params.model_copy(update=changed)


def _run_stage(
    stage: Stage,
    params: Params,
    run: RunFolder,
    ledger: Ledger,
    notebooks: list[Stage],
    force: bool,
) -> None:
    """Skip a stage or execute it, note and say which."""
    require_inputs(stage, run, notebooks)
    key = notebook_key(stage, params, run)
    if not force and is_done(stage, key, run, ledger):
        _say(f"{stage.name:<28} unchanged, skipped")
        return
    final, partial = run.notebooks / stage.path.name, run.work / stage.path.name
    final.unlink(missing_ok=True)
    ledger.start(stage.name, key, stage.cells)
    try:
        state = _execute(stage, params, run, ledger, partial)
    except KeyboardInterrupt:
        ledger.update(stage.name, status="killed")
        _say(f"{stage.name:<28} stopped; the next run goes on from here")
        raise
    numbers = {"seconds": round(state.seconds, 1), "peak_mb": round(state.peak / 2**20)}
    if not state.error:
        missing = [name for name in stage.outputs if not _there(run.root, name)]
        state.error = f"it did not write {', '.join(missing)}" if missing else ""
    if state.error:
        ledger.update(stage.name, status="failed", error=state.error, **numbers)
        raise RunError(
            f"{stage.name} failed in code cell {state.cell} of {stage.cells}: {state.error} "
            f"(as far as it got: {_short(partial)})"
        )
    from impossible.execute import tidy

    folders = [getattr(params, name) for name in FOLDERS if getattr(params, name)]
    write_text(final, tidy(partial, project_root(), [run.root, *map(resolve, folders)]))
    partial.unlink()
    ledger.update(stage.name, status="done", outputs=outputs(stage, run), **numbers)
    _say(f"{stage.name:<28} done in {state.seconds:6.1f} s, {numbers['peak_mb']:5d} MB")


def _execute(stage: Stage, params: Params, run: RunFolder, ledger: Ledger, partial: Path) -> Any:
    """Execute a stage's notebook, keeping the ledger's cell and the status line up to date."""
    from impossible.execute import Execution, execute  # slow to import; not needed to skip

    root = project_root()
    values = params.model_dump(include=set(stage.names))
    values[RUN_FOLDER] = Path(os.path.relpath(run.root, root)).as_posix()
    noted = 0

    def tick(state: Execution, progress: str) -> None:
        nonlocal noted
        if state.cell != noted:
            noted = state.cell
            ledger.update(stage.name, cell=noted, processes=state.processes)
        _status(f"{stage.name}  cell {state.cell}/{stage.cells}  {state.seconds:.0f} s  {progress}")

    # Advice of transformers (about padding that we do not use, say) is no part of a result.
    environment = {"TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error"}
    if not needs_hub(params, run):
        environment |= dict.fromkeys(OFFLINE, "1")
    state = execute(stage.path, partial, values, root, tick, environment)
    _status("")
    ledger.update(stage.name, cell=state.cell, processes=[])
    return state


def notebook_key(stage: Stage, params: Params, run: RunFolder) -> str:
    """Key of a stage as things are now (see the module's text)."""
    values: dict[str, Any] = {}
    for name in stage.names:
        extra = Params.model_fields[name].json_schema_extra
        assert isinstance(extra, dict)
        if extra["affects_results"]:
            values[name] = _identity(name, str(extra["names"]), params, run)
    own = set(_own_files(stage, run))
    read = [path for name in stage.inputs for path in matches(run.root, name) if path not in own]
    inputs = {path.relative_to(run.root).as_posix(): digest(path) for path in read}
    code = [stage.code, module_closure(stage.modules)]
    return digest({"values": values, "inputs": inputs, "code": code})


def _identity(name: str, kind: str, params: Params, run: RunFolder) -> Any:
    """What counts of a parameter: its value, or the bytes that it points to."""
    value = params.model_dump(include={name})[name]
    if kind == "folder":
        return digest(resolve(value)) if value and resolve(value).exists() else None
    if kind == "model":
        path = locate_model(value, run if params.rebuild_models else None)
        return value if path is None else digest(path) if path.exists() else None
    return value


def needs_hub(params: Params, run: RunFolder) -> bool:
    """Whether a model is neither in the package nor in a local folder."""
    names = [getattr(params, name) for name in MODELS]
    names = [name for name in names if name != "none"]
    return any(locate_model(name, run if params.rebuild_models else None) is None for name in names)


def require_inputs(stage: Stage, run: RunFolder, notebooks: list[Stage]) -> None:
    """Refuse a stage whose declared inputs are not there, and say which notebook writes them."""
    for name in stage.inputs:
        if _there(run.root, name):
            continue
        source = next((each.name for each in notebooks if name in _declared(each)), None)
        raise RunError(
            f"{stage.name} needs {name} in {run.root}, "
            + (f"which {source} writes: run it first (--from {source})." if source else "")
        )


def _declared(stage: Stage) -> list[str]:
    """What a stage may write, without marks."""
    return [*(name.removesuffix("?") for name in stage.outputs), f"scalars/{stage.name}"]


def _there(root: Path, name: str) -> bool:
    return name.endswith("?") or "*" in name or bool(matches(root, name))


def _own_files(stage: Stage, run: RunFolder) -> list[Path]:
    return [path for name in _declared(stage) for path in matches(run.root, name)]


def outputs(stage: Stage, run: RunFolder) -> dict[str, str]:
    """Digest of everything the stage declared and wrote, and of its executed copy."""
    paths = [*_own_files(stage, run), run.notebooks / stage.path.name]
    return {path.relative_to(run.root).as_posix(): digest(path) for path in paths if path.exists()}


def is_done(stage: Stage, key: str, run: RunFolder, ledger: Ledger) -> bool:
    """Whether the ledger's word for this key still holds on the disk."""
    entry = ledger.entry(stage.name)
    same = entry.get("status") == "done" and entry.get("key") == key
    return same and entry.get("outputs") == outputs(stage, run)


def _write_manifest(run: RunFolder, params: Params, ledger: Ledger) -> None:
    """What made these results: parameters, versions, and digests per notebook."""
    kept = ("key", "status", "seconds", "peak_mb", "outputs")
    entries = {
        name: {each: entry[each] for each in kept if each in entry}
        for name, entry in ledger.entries.items()
    }
    found = {name: _version(name) for name in VERSIONS}
    versions = {"python": platform.python_version(), **found}
    content = {"parameters": params.model_dump(), "notebooks": entries, "versions": versions}
    write_json(run.root / "manifest.json", content)


def _version(name: str) -> str | None:
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return None


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """A polite kill (SIGTERM) ends the run as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
