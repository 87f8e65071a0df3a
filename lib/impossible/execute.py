"""Running one notebook: the only module that knows papermill.

papermill reports cells as completed after their kernel was killed; what counts here is whether its
call returned, and the cell that was started last.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from impossible import errors
from impossible.keys import PACKAGE
from impossible.progress import PROGRESS_FILE, last_line
from impossible.store import write_text

KERNEL = "impossible-run"
OWN_ERRORS = {name for name in vars(errors) if name.endswith("Error")}


@dataclass
class Execution:
    """A notebook on its way: what the runner notes and shows."""

    cell: int = 0  # code cell that was started last, counted from 1
    peak: int = 0  # bytes of memory, this process and the kernel's
    seconds: float = 0.0
    error: str = ""
    processes: list[tuple[int, float]] = field(default_factory=list)  # children: id, start time
    _failure: list[BaseException] = field(default_factory=list)


def execute(
    notebook: Path,
    output: Path,
    values: dict[str, Any],
    cwd: Path,
    on_tick: Callable[[Execution, str], None],
    environment: dict[str, str] | None = None,
) -> Execution:
    """Execute a notebook with the current Python and these values.

    Args:
        notebook: the source.
        output: where the executed copy grows; complete only if `error` is empty.
        values: replace the assignments of the cell tagged `parameters`.
        cwd: folder of the kernel.
        on_tick: called some times a second with the state and the kernel's progress line.
        environment: more variables for the kernel.

    Raises:
        KeyboardInterrupt: after the kernel was ended.
    """
    state, start = Execution(), time.monotonic()
    with _environment(environment or {}) as progress:
        # papermill runs beside: nbclient would swallow Ctrl-C in the main thread.
        work = threading.Thread(
            target=_papermill, args=(notebook, output, values, cwd, state), daemon=True
        )
        work.start()
        try:
            while work.is_alive():
                work.join(0.25)
                _observe(state)
                state.seconds = time.monotonic() - start
                on_tick(state, last_line(progress))
        except BaseException:
            _end_kernels()
            work.join(10)
            raise
    if state._failure:
        state.error = _reason(state._failure[0])
    return state


def _papermill(
    notebook: Path, output: Path, values: dict[str, Any], cwd: Path, state: Execution
) -> None:
    """Run in a thread; whatever ends it is kept in the state."""
    try:
        import papermill
        from papermill.engines import NBClientEngine, papermill_engines

        class Engine(NBClientEngine):  # type: ignore[misc]
            @classmethod
            def execute_managed_notebook(cls, manager: Any, *args: Any, **options: Any) -> Any:
                started = manager.cell_start

                def cell_start(cell: Any, *more: Any, **others: Any) -> None:
                    own = "injected-parameters" not in cell.metadata.get("tags", [])
                    state.cell += cell.cell_type == "code" and own
                    started(cell, *more, **others)

                manager.cell_start = cell_start
                return super().execute_managed_notebook(manager, *args, **options)

        papermill_engines.register(KERNEL, Engine)
        papermill.execute_notebook(
            str(notebook), str(output), parameters=values, engine_name=KERNEL, kernel_name=KERNEL,
            language="python", progress_bar=False, cwd=str(cwd),
        )  # fmt: skip
    except BaseException as bad:
        state._failure.append(bad)


@contextlib.contextmanager
def _environment(more: dict[str, str]) -> Iterator[Path]:
    """A kernel for this very Python, and no trace in the user's home; yields the progress file."""
    with tempfile.TemporaryDirectory(prefix="impossible-") as text:
        folder = Path(text)
        command = [sys.executable, "-m", "ipykernel_launcher", "--log-level=ERROR"]
        command += ["-f", "{connection_file}"]
        spec = {"argv": command, "display_name": "Python 3", "language": "python"}
        write_text(folder / "kernels" / KERNEL / "kernel.json", json.dumps(spec))
        paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        values = {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONHASHSEED": "0",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "JUPYTER_PATH": text,
            **{f"JUPYTER_{name}_DIR": text for name in ("CONFIG", "DATA", "RUNTIME")},
            "IPYTHONDIR": text,
            PROGRESS_FILE: str(folder / "progress"),
            **more,
        }
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield folder / "progress"
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _family() -> list[psutil.Process]:
    return [psutil.Process(), *psutil.Process().children(recursive=True)]


def _observe(state: Execution) -> None:
    """Note this process's children and the memory of all."""
    total, children = 0, []
    for process in _family():
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
            children.append((process.pid, process.create_time()))
    state.peak, state.processes = max(state.peak, total), children[1:]


def _end_kernels() -> None:
    """End every process that this one started."""
    for process in _family()[1:]:
        with contextlib.suppress(psutil.Error):
            process.kill()


def _reason(bad: BaseException) -> str:
    """One line: the sentence of an error of ours, else its type and message."""
    name = getattr(bad, "ename", type(bad).__name__)
    if name == "DeadKernelError":
        return "its kernel died, most likely for lack of memory (batch_tokens sets the batch size)"
    lines = str(getattr(bad, "evalue", bad)).strip().splitlines() or [""]
    return lines[-1] if name in OWN_ERRORS else f"{name}: {lines[-1]}"


def tidy(executed: Path, root: Path, others: Sequence[Path] = ()) -> str:
    """Text of an executed notebook without times, progress bars and this machine's paths.

    Args:
        executed: the notebook.
        root: the checkout; paths in it are written from there.
        others: folders and files outside it that are to be named from there too.
    """
    content = json.loads(executed.read_text(encoding="utf-8"))
    content["metadata"].pop("papermill", None)
    content["metadata"].pop("widgets", None)
    content["metadata"]["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for cell in content["cells"]:
        for name in ("papermill", "execution"):
            cell["metadata"].pop(name, None)
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["id"] = "injected-parameters"
        if cell["cell_type"] == "code":
            cell["outputs"] = [each for each in cell["outputs"] if not _is_bar(each)]
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    for path in sorted({root, *others}, key=lambda each: -len(str(each))):
        here = Path(os.path.relpath(path, root)).as_posix()
        whole = rf"(?<![\w./-]){re.escape(str(path))}(?![\w-])"
        if here == ".":
            text = re.sub(f"{whole}{os.sep}", "", text)
        text = re.sub(whole, here, text)
    return text


def _is_bar(output: dict[str, Any]) -> bool:
    widget = "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    text = output.get("text", "") if output.get("name") == "stderr" else ""
    return widget or "%|" in "".join(text)
