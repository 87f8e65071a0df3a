"""Running notebooks: the only module that knows papermill.

papermill would report cells as completed after their kernel was killed; what counts here is whether
its call returned, and the cell that was started last, which is noted as failed then.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import psutil

from impossible import errors
from impossible.config.places import PACKAGE
from impossible.data.io import write_text
from impossible.data.progress import PROGRESS_FILE, last_line

KERNEL = "impossible-run"
INJECTED = "injected-parameters"  # papermill's tag of the cell with the values of a run
OWN_ERRORS = {name for name in vars(errors) if name.endswith("Error")}


class Execution:
    """A notebook on its way: what the runner notes and shows. Made by `Kernels.start`.

    Attributes:
        cell: code cell that was started last, counted from 1; 0 before the first.
        peak: most memory so far, bytes: its processes and this one, which serves it. A page that
            forked processes share counts once, where the system says so.
        processes: its kernel and what that started: process id and start time of each.
    """

    def __init__(self, mark: Path) -> None:
        self.cell, self.peak = 0, 0
        self._resident = 0  # most memory so far with shared pages in each process that has them
        self.processes: list[tuple[int, float]] = []
        self._mark = mark
        self._begin, self._end = time.monotonic(), 0.0
        self._failure: BaseException | None = None
        self._thread = threading.Thread()
        # not the thread's own state: Ctrl-C during its `join` leaves it marked as ended (3.11)
        self._done = threading.Event()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self._done.is_set()

    @property
    def seconds(self) -> float:
        """Time since its start, or until its end."""
        return (self._end or time.monotonic()) - self._begin

    @property
    def progress(self) -> str:
        """What its progress bar shows."""
        return last_line(self._mark)

    @property
    def error(self) -> str:
        """Why it failed, in one line; empty if it did not."""
        return _reason(self._failure) if self._failure else ""

    def _run(self, **options: Any) -> None:
        """Run in a thread: nbclient would swallow Ctrl-C in the main one."""
        try:
            import papermill

            papermill.execute_notebook(
                engine_name=KERNEL, language="python", progress_bar=False, execution=self, **options
            )
        except BaseException as bad:
            self._failure = bad
        finally:
            self._end = time.monotonic()
            self._done.set()

    def _observe(self, processes: list[psutil.Process], served: int) -> None:
        """Note what is alive, and its memory with that of the process which serves it."""
        found, total = [], served
        for process in processes:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
                found.append((process.pid, process.create_time()))
        self.processes = found
        if total > 1.02 * self._resident:  # to look closely takes long
            self._resident = total
            self.peak = max(self.peak, served + sum(map(_own_memory, processes)))


class Kernels:
    """Executes notebooks with the current Python, several at the same time if asked.

    What all kernels have in common is set up at the first start and taken back at the end of the
    `with` block, which also ends every kernel that still runs then.

    Args:
        environment: variables for every kernel.

    >>> with Kernels({"OMP_NUM_THREADS": "1"}) as kernels:  # doctest: +SKIP
    ...     execution = kernels.start(source, output, {"k": 50}, folder)
    ...     while execution.running:
    ...         kernels.watch()
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._stack = contextlib.ExitStack()
        self._folder: Path | None = None
        self._started: list[Execution] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # of an impatient second Ctrl-C
        logging.disable()  # nbclient reports that a kernel died, which is what is asked of it
        try:
            self._stop()
        finally:
            logging.disable(logging.NOTSET)
            self._stack.close()
            signal.signal(signal.SIGINT, before)

    def start(self, notebook: Path, output: Path, values: dict[str, Any], cwd: Path) -> Execution:
        """Begin to execute a notebook.

        Args:
            notebook: the source.
            output: where the executed copy grows; complete only if `error` is empty at the end.
            values: replace the assignments of the cell tagged `parameters`.
            cwd: folder of the kernel.
        """
        if self._folder is None:
            self._folder = self._stack.enter_context(_session(self._environment))
        name = f"{KERNEL}-{len(self._started)}"
        folder = self._folder / "kernels" / name
        execution = Execution(mark=folder / "progress")
        _describe(folder, execution._mark)
        options = {
            "input_path": str(notebook),
            "output_path": str(output),
            "parameters": values,
            "kernel_name": name,
            # papermill's own `cwd` would change the folder of this process, which all share
            "resources": {"metadata": {"path": str(cwd)}},
        }
        execution._thread = threading.Thread(target=execution._run, kwargs=options, daemon=True)
        self._started.append(execution)
        execution._thread.start()
        return execution

    def watch(self, seconds: float = 0.25) -> None:
        """Wait so long, or until what runs has ended, and note its processes and memory."""
        alive = self._alive()
        for execution in alive:
            execution._done.wait(seconds / len(alive))
        served, found = psutil.Process().memory_info().rss, _children()
        for execution in alive:
            execution._observe(found[str(execution._mark)], served)

    def _alive(self) -> list[Execution]:
        return [execution for execution in self._started if execution.running]

    def _stop(self) -> None:
        """End every kernel and what it started; one that is only being started comes later."""
        deadline = time.monotonic() + 10
        while (alive := self._alive()) and time.monotonic() < deadline:
            found = _children()
            for process in (each for one in alive for each in found[str(one._mark)]):
                with contextlib.suppress(psutil.Error):
                    process.kill()
            alive[0]._done.wait(0.1)


def _own_memory(process: psutil.Process) -> int:
    """Bytes of a process, of shared pages its part; 0 if it has ended."""
    with contextlib.suppress(psutil.Error):
        known = process.memory_full_info()
        return int(getattr(known, "pss", known.rss))
    return 0


def _children() -> defaultdict[str, list[psutil.Process]]:
    """What this process started, by the progress file in its environment: the execution's mark."""
    found = defaultdict(list)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found[process.environ().get(PROGRESS_FILE, "")].append(process)
    return found


def _describe(folder: Path, mark: Path) -> None:
    """A kernel of its own for an execution: this very Python, with the mark in its environment."""
    # Jupyter interrupts a kernel also at its normal end, which some would report as an error.
    command = [sys.executable, "-m", "ipykernel_launcher", "--log-level=CRITICAL"]
    command += ["-f", "{connection_file}"]
    own = {PROGRESS_FILE: str(mark), "IPYTHONDIR": str(folder)}
    spec = {"argv": command, "display_name": "Python 3", "language": "python", "env": own}
    write_text(folder / "kernel.json", json.dumps(spec))


@contextlib.contextmanager
def _session(more: dict[str, str]) -> Iterator[Path]:
    """A place for kernels, and no trace in the user's home; yields its folder.

    What papermill and the environment keep once per process is set once for all executions.
    """
    from papermill.iorw import local_file_io_cwd

    _count_cells()
    place = tempfile.TemporaryDirectory(prefix="impossible-", ignore_cleanup_errors=True)
    with place as text, local_file_io_cwd():
        paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        values = {
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONHASHSEED": "0",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "JUPYTER_PATH": text,
            **{f"JUPYTER_{name}_DIR": text for name in ("CONFIG", "DATA", "RUNTIME")},
            "IPYTHONDIR": text,
            **more,
        }
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield Path(text)
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _count_cells() -> None:
    """Register papermill's engine that tells an execution its cell, and marks one that failed."""
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):  # type: ignore[misc]
        @classmethod
        def execute_managed_notebook(
            cls, manager: Any, *args: Any, execution: Execution, **options: Any
        ) -> Any:
            started, ended = manager.cell_start, manager.cell_complete

            def cell_start(cell: Any, *more: Any, **others: Any) -> None:
                own = INJECTED not in cell.metadata.get("tags", [])
                execution.cell += cell.cell_type == "code" and own
                started(cell, *more, **others)

            def cell_complete(cell: Any, *more: Any, **others: Any) -> None:
                if sys.exc_info()[0]:  # called in a `finally`: its kernel was killed
                    manager.cell_exception(cell)
                ended(cell, *more, **others)

            manager.cell_start, manager.cell_complete = cell_start, cell_complete
            return super().execute_managed_notebook(manager, *args, **options)

    papermill_engines.register(KERNEL, Engine)


def _reason(bad: BaseException) -> str:
    """One line: the sentence of an error of ours, else its type and message."""
    name = getattr(bad, "ename", type(bad).__name__)
    early = str(bad) == "Kernel died before replying to kernel_info"  # a RuntimeError of Jupyter's
    if name == "DeadKernelError" or early:
        return "its kernel died, most likely for lack of memory (batch_tokens sets the batch size)"
    lines = str(getattr(bad, "evalue", bad)).strip().splitlines() or [""]
    return lines[-1] if name in OWN_ERRORS else f"{name}: {lines[-1]}"
