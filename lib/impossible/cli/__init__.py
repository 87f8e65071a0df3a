"""The command `impossible`: how it begins and ends.

Its status is 0, 2 after a failure (one sentence on standard error), 130 after Ctrl-C, 143 after
SIGTERM. All else is imported where an interruption finds it in `main`.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse


#: What an import says that is not a MemoryError where the memory is full: of the loader, of C.
_FULL = ("failed to map", "cannot allocate", "without exception set")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    kept = ""
    try:
        with _terminable(last=arguments is None):
            _open_streams()
            try:
                from impossible.config.memory_limit import guard_imports

                guard_imports()
                from impossible.cli.commands import parse_options
            except (MemoryError, ImportError, SystemError) as bad:
                return _too_little_memory(bad)
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, io.TextIOWrapper):  # Latin-1 has no "≥": shown as \\u2265
                    stream.reconfigure(errors="backslashreplace")
            options = parse_options(sys.argv[1:] if arguments is None else list(arguments))
            kept = options.kept
            return _ended(options)
    except KeyboardInterrupt as stop:
        print(f"impossible: stopped{kept}.", file=sys.stderr)
        status = 128 + int((stop.args or (signal.SIGINT,))[0])
        if arguments is None:
            _end_at_once(status)
        return status


def _end_at_once(status: int) -> NoReturn:
    """End this process with a status of ours.

    Python itself would end it by SIGINT, whatever `main` returns, where the interruption came while
    a text was executed, as imports of dataclasses do.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _ended(options: argparse.Namespace) -> int:
    """Run a command; a failure is told in one sentence."""
    from impossible.errors import ImpossibleError
    from impossible.text.printable import printable

    try:
        options.handler(options)
        sys.stdout.flush()
    except ImpossibleError as bad:
        _raise_interruption(bad)
        print(f"impossible: {printable(str(bad))}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as bad:
        if isinstance(bad, RuntimeError) and "allocate memory" not in str(bad):
            raise
        print("impossible: the memory is full: give fewer or shorter lines.", file=sys.stderr)
        return 2
    except (ImportError, SystemError) as bad:
        return _too_little_memory(bad)
    except OSError as bad:
        # Of a pipe the reader (head, say) has enough; a second write at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(bad, BrokenPipeError):
            where = printable(str(bad.filename or "standard output"))
            print(f"impossible: {where}: {bad.strerror or bad}.", file=sys.stderr)
            return 2
    return 0


def _too_little_memory(bad: MemoryError | ImportError | SystemError) -> int:
    """Tell that modules did not fit into the memory; what has another reason is raised."""
    _raise_interruption(bad)
    full = isinstance(bad, MemoryError)
    if not full and not any(words in str(bad) for words in _FULL):
        raise bad
    print(
        "impossible: there is less memory than this command itself needs: allow it more, or "
        "end other programs.", file=sys.stderr,
    )  # fmt: skip
    return 2


def _raise_interruption(bad: BaseException | None) -> None:
    """Raise the interruption that an error comes from: a late import makes an ImportError of it."""
    while bad is not None:
        if isinstance(bad, KeyboardInterrupt):
            raise bad
        bad = bad.__cause__ or bad.__context__


def _open_streams() -> None:
    """A stream that the caller has closed reads and writes nothing."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115


@contextlib.contextmanager
def _terminable(last: bool) -> Iterator[None]:
    """A polite kill (SIGTERM) ends a command as Ctrl-C does.

    `last`: nothing follows in this process, whose status then stays what the command made it.
    """

    def stop(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if last else before)
        if last:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
