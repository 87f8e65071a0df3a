"""The subcommands of `impossible`, and those that need no module of their own.

Heavy modules are imported by the command that needs them, so that help and refusals are instant.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from impossible.cli import assets, critics, distil, rating, rewriting, run, train
from impossible.cli.examples import EXAMPLES
from impossible.cli.output import check_memory, path_text
from impossible.cli.rewriting import not_empty, positive
from impossible.config.places import is_url
from impossible.errors import DataError
from impossible.text.printable import json_line, printable


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """Options of the command line; names and overrides of a run may stand anywhere.

    argparse alone refuses overrides that come after an option, such as `smoke --only 04 -- k=50`.

    >>> parse_options(["run", "smoke", "--only", "04", "--", "k=50"]).params
    ['smoke', 'k=50']
    """
    top = parser()
    if arguments[:1] not in (["run"], ["plan"], ["critics"], ["distil"], ["train"]):
        return top.parse_args(arguments)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, others = top.parse_known_args(arguments[:end])
    if unknown := [each for each in others if each.startswith("-")]:
        top.error(f"unrecognized arguments: {' '.join(unknown)}")
    options.params += [*others, *arguments[end + 1 :]]
    return options


def parser() -> argparse.ArgumentParser:
    """The parser with all subcommands."""
    about = "Paraphrase datasets and models from a small language model."
    top = argparse.ArgumentParser(prog="impossible", description=about)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run.add_run(_command, commands)
    distil.add_distil(_command, commands)
    _add_score(commands)
    _add_quality(commands)
    rewriting.add_rewriters(_command, commands)
    critics.add_critics(_command, commands, _lines)
    rating.add_rating(_command, commands)
    train.add_train(_command, commands)
    assets.add_assets(_command, commands)
    text = "compare a results folder with its manifest, its tables and README with their data"
    verify = _command(commands, "verify", text, _verify)
    verify.add_argument(
        "folder", metavar="DIR", type=path_text, help="such as results/english-full, or a URL"
    )
    return top


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    handler: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"example:\n  {EXAMPLES[name]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(handler=handler, kept="")
    return command


def _add_score(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = 'score outputs: lines {"source", "output", "references": […]} → JSON'
    command = _command(commands, "score", text, _score)
    command.add_argument(
        "file", type=path_text, metavar="FILE", help="a .jsonl file, or - for standard input"
    )
    command.add_argument(
        "--encoder", type=not_empty, metavar="DIR", help="model for BERT-iBLEU; absent: not given"
    )


def _add_quality(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = 'measure a corpus as in Table 1: lines {"source", "target"} → JSON'
    command = _command(commands, "quality", text, _quality)
    command.add_argument(
        "file", type=path_text, metavar="FILE", help="a .jsonl file, or - for standard input"
    )
    command.add_argument(
        "--encoder", type=not_empty, metavar="DIR", help="sentence encoder for the cosine"
    )
    command.add_argument("--parser", choices=("grammar", "flat"), help="source of trees for TED")
    command.add_argument("--sample", type=positive, metavar="N", help="measure N pairs, drawn")


#: Bytes of memory that a command needs per byte of its file, measured on 200,000 lines.
_SCORE, _QUALITY, _SAMPLE = 5, 40, 8


def _score(options: argparse.Namespace) -> None:
    check_memory(Path(options.file), _SCORE)
    lines, name = _lines(options.file)
    from impossible.evaluation.paraphrase_metrics import score_file

    _print(score_file(lines, name, encoder=_encoder(options.encoder)))


def _quality(options: argparse.Namespace) -> None:
    check_memory(Path(options.file), _SAMPLE if options.sample else _QUALITY)
    lines, name = _lines(options.file)
    from impossible.data.json_lines import read_pairs

    pairs = read_pairs(lines, name)
    # seconds of imports, which what is refused above need not wait for
    from impossible.evaluation.corpus_quality import quality_report
    from impossible.filtering.constituency_parser import load_parser

    parser = load_parser(options.parser) if options.parser else None
    encoder = _encoder(options.encoder)
    _print(quality_report(pairs, name, encoder=encoder, parser=parser, n=options.sample))


def _verify(options: argparse.Namespace) -> None:
    from impossible.runner.verification import verify

    place = options.folder
    with _here(place) as folder:
        found = verify(folder)
        for line in (*found.unchecked, *found.problems):
            print(printable(line.replace(str(folder), place)))
    if found.problems:
        raise DataError(f"{place} is not what it says, see above ({len(found.problems)}).")
    print(f"{found.intact} files are as the run left them; what could not be checked is above.")


@contextmanager
def _here(place: str) -> Iterator[Path]:
    """A folder of this machine with the results that lie in a folder or at a URL."""
    if not is_url(place):
        yield Path(place)
        return
    from impossible.data.remote_folder import fetched

    with fetched(place) as folder:
        yield folder


def _encoder(name: str | None) -> Any:
    """The sentence encoder called `name` (folder or in-vitro/encoder); None without one."""
    if not name:
        return None
    from impossible.models.loading import load_encoder
    from impossible.models.sentence_encoder import SentenceEncoder

    found = load_encoder(str(Path(name).absolute()) if Path(name).is_dir() else name)
    return SentenceEncoder(found)


def _print(value: object) -> None:
    print(json_line(value, indent=2))


def _lines(file: str) -> tuple[Iterator[str], str]:
    """Lines of a file (`-`: standard input), and its name for messages."""
    from impossible.data.json_lines import read_lines

    return read_lines(file), "standard input" if file == "-" else file
