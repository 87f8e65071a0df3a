"""`impossible paraphrase` and `impossible summarize`: a line in, a line out."""

from __future__ import annotations

import argparse
import gzip
import io
import select
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from impossible.cli.output import output, path_text
from impossible.data.io import UNREADABLE, unzipped
from impossible.errors import DataError
from impossible.experiments.control_grids import AXES
from impossible.text.printable import json_line, printable

_NOTES = """
A line of output belongs to each line of input, in order. It is empty where the input is empty or
cannot be rewritten, and where no candidate passed the critics; standard error says so with the
number of the line. With -n above 1 candidates are separated by tabs, the best first. A typed line
is answered at once; a file is read in batches.

Candidates are ranked by (1 - W) * fidelity + W * novelty, where W is --novelty, fidelity the least
entailment probability that the critic was asked for, and novelty {novelty}.
"""
_NOVELTY = {
    "paraphrase": "1 - ROUGE-L with the source",
    "summary": "the fraction of a summary's words that are not in the source in this order",
}
_MOST = 1_000  # candidates of a line
_LINES = 64  # read at once, if they are there
_WAIT = 0.02  # seconds in which the next line of a pipe is still taken along


def add_rewriters(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add both commands; `command` makes a subparser (`cli._command`)."""
    _add(command, commands, "paraphrase", "paraphrase")
    _add(command, commands, "summarize", "summary")


def _add(
    command: Callable[..., argparse.ArgumentParser], commands: Any, name: str, task: str
) -> None:
    parser = command(commands, name, f"{name} sentences with a distilled student", _rewrite)
    notes = _NOTES.format(novelty=_NOVELTY[task])
    parser.description = f"{parser.description}\n{notes}"
    parser.set_defaults(task=task, student=f"english/{name}")
    add = parser.add_argument
    texts = {
        "n": "most candidates per line (default 1)",
        "novelty": f"weight of new words, 0 to 1 (default {0.2 if task == 'summary' else 0.3})",
        "best": "where nothing passed, give the most faithful candidate all the same, after '? '",
        "m": "written per line, more with -n above 5 (default 12)",
    }
    add("file", type=path_text, nargs="?", default="-", metavar="FILE",
        help="one sentence (or short paragraph) per line; -: standard input (default)")  # fmt: skip
    add("-n", type=candidate_count, default=1, metavar="N", help=texts["n"])
    add("--novelty", type=float, metavar="W", help=texts["novelty"])
    add("--seed", type=int, default=0, help="of the samples (default 0)")
    add("--json", action="store_true", help="one JSON object per line, with all scores")
    add("--best-effort", action="store_true", help=texts["best"])
    add(
        "--model",
        type=not_empty,
        metavar="NAME",
        help=f"student: a name or a folder (default english/{name})",
    )
    add("--critic", type=not_empty, metavar="NAME", default="english/critic",
        help="NLI model, named likewise")  # fmt: skip
    add("--candidates", type=candidate_count, default=12, metavar="M", help=texts["m"])
    add("--out", type=path_text, metavar="FILE", help="write here instead of to standard output")
    for axis, scale in AXES[task].items():
        add(f"--{axis}", metavar="WORD", help=f"{' or '.join(scale.words)}: of a student that "
            "takes instructions (notebook 18)")  # fmt: skip


def positive(text: str) -> int:
    """An option's value, at least 1."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def candidate_count(text: str) -> int:
    """An option's value, from 1 to `_MOST`: what is written at once has to fit into memory."""
    if (number := positive(text)) > _MOST:
        raise argparse.ArgumentTypeError(f"{number} is more than {_MOST:,}")
    return number


def not_empty(text: str) -> str:
    """An option's value that is not empty, as an unset variable of a shell is."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: leave the option out or give a name")
    return text


def _rewrite(options: argparse.Namespace) -> None:
    if options.novelty is not None and not 0 <= options.novelty <= 1:
        raise DataError(f"--novelty is {options.novelty}: give a number from 0 to 1.")
    with _opened(options.file) as source, output(options.out, options.file) as put:
        rewriter, number = _rewriter(options), 0
        for lines in line_batches(source):
            if number == 0 and lines[0].startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
                raise DataError(f"{options.file} is UTF-16, not UTF-8 text: save it as UTF-8.")
            texts, problems = _decoded(lines, number)
            results = rewriter.rewrite(
                texts, options.n, options.novelty, options.seed, options.best_effort
            )
            for line, result in enumerate(results, number + 1):
                given = asdict(result)
                given["reason"] = problems.get(line, given["reason"])
                if given["reason"] and (result.source or line in problems):
                    print(f"impossible: line {line}: {printable(given['reason'])}", file=sys.stderr)
                put(_shown(line, given, options.json))
            number += len(lines)


def _shown(line: int, result: dict[str, Any], as_json: bool) -> str:
    if as_json:
        return json_line({"line": line, **result})
    marks = (("? " if each["rejected"] else "") + each["text"] for each in result["candidates"])
    return "\t".join(marks)


def _rewriter(options: argparse.Namespace) -> Any:
    """The models, loaded."""
    from impossible.experiments.controlled_rewriting import instructions_for
    from impossible.models.model_files import locate

    said = {axis: getattr(options, axis) for axis in AXES[options.task]}
    asked = {axis: word for axis, word in said.items() if word is not None}
    default = f"{options.student}-control" if asked else options.student
    model, critic = here(options.model or default), here(options.critic)
    folder, _ = locate(model), locate(critic)
    instructions = instructions_for(folder, options.task, asked)

    # seconds of imports, which what is refused above need not wait for
    from impossible.rewriting.rewriters import Paraphraser, Summarizer

    kind = Summarizer if options.task == "summary" else Paraphraser
    return kind(model, critic, options.candidates, instructions=instructions)


def here(name: str) -> str:
    """A folder below the current one as such; else the name, which is looked up elsewhere.

    Raises:
        DataError: it is a model of a run that has not made it.
    """
    from impossible.config.places import resolve

    if Path(name).is_dir():
        return str(Path(name).absolute())
    if Path(name).parts[:1] == ("results",) and not resolve(name).exists():
        raise DataError(
            f"there is no model in {name}: models of a run are not in the repository; make it with "
            "./run_all.sh, or name another."
        )
    return name


def _opened(file: str) -> Any:
    if file == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        source = unzipped(file)
        return io.BytesIO(source.read()) if isinstance(source, gzip.GzipFile) else source
    except UNREADABLE as bad:
        reason = getattr(bad, "strerror", None) or bad
        raise DataError(
            f"Cannot read {file[:60]}: {reason}; give a file with one sentence per line, or "
            'pipe a sentence in: echo "…" | impossible … -'
        ) from bad


def line_batches(source: BufferedIOBase, most: int = _LINES) -> Iterator[list[bytes]]:
    """Lines that are there, at most `most` at once, so that a line which is typed need not wait.

    >>> list(line_batches(io.BytesIO(b"a\\nb\\nc"), 2))
    [[b'a', b'b'], [b'c']]
    """
    try:
        number = source.fileno()
    except (OSError, io.UnsupportedOperation):
        yield from _cut(source.read(), most)
        return
    rest = b""
    while True:
        while rest.count(b"\n") < most and (
            b"\n" not in rest or select.select([number], [], [], _WAIT)[0]
        ):
            if not (read := source.read1(1 << 16)):
                yield from _cut(rest, most)
                return
            rest += read
        *lines, rest = rest.split(b"\n", most)
        yield lines


def _cut(text: bytes, most: int) -> Iterator[list[bytes]]:
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    yield from (lines[i : i + most] for i in range(0, len(lines), most))


def _decoded(lines: list[bytes], before: int) -> tuple[list[str], dict[int, str]]:
    """Texts of lines, "" for one that is not UTF-8, and the problem of each such line."""
    texts, problems = [], {}
    for number, line in enumerate(lines, before + 1):
        try:
            texts.append(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as bad:
            texts.append("")
            problems[number] = f"it is not UTF-8 text (byte {bad.start}): save it as UTF-8"
    return texts, problems
