"""`impossible distil` and `impossible push`: own text in, a dataset and a model out, perhaps up."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from impossible.cli.output import named_path
from impossible.cli.rewriting import here, positive
from impossible.cli.run import DEFAULT, split
from impossible.errors import ParameterError


def add_distil(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add both commands; `command` makes a subparser (`cli._command`)."""
    text = "make a dataset and a student from your own text"
    distil = command(commands, "distil", text, _distil)
    distil.set_defaults(kept="; what was finished is kept, and the same command goes on from there")
    add = distil.add_argument
    add("params", nargs="*", metavar="PARAMS [-- name=value …]",
        help=f"{DEFAULT} (default), another name or a YAML file; then overrides")  # fmt: skip
    add("--contexts", metavar="FILE|FOLDER", required=True, type=named_path,
        help="text, a paragraph a line; .jsonl, .parquet, or a folder of these")  # fmt: skip
    add("--task", metavar="TASK", required=True, help="paraphrase or summarize")
    add("--out", metavar="DIR", required=True, type=named_path, help="for all that is made")
    add("--field", default="text", help="of .jsonl and .parquet (default text)")
    add("--licence", default="unknown", help="of your text, for the cards (default unknown)")
    add("--student", metavar="NAME", default="",
        help="a student that is there, such as english/paraphrase, writes the second dataset and "
        "is trained on it; default: one trained on the first dataset writes it")  # fmt: skip
    add("--domain", metavar="FILE.yaml", type=named_path,
        help="of your text: prefixes (before a context), banned and refused strings")  # fmt: skip
    add("--paragraphs", metavar="N", type=positive, default=0,
        help="summarize paragraphs of N sentences (default: single sentences)")  # fmt: skip
    add("--adapt-teacher", action="store_true",
        help="the teacher first reads your text (LoRA), but for what is held out")  # fmt: skip
    text = "upload what distil made; without --yes only say what would be"
    push = command(commands, "push", text, _push)
    push.add_argument("folder", metavar="DIR", type=named_path, help="the --out of distil")
    push.add_argument("--to", metavar="OWNER/NAME", required=True, help="on the Hugging Face hub")
    push.add_argument("--yes", action="store_true", help="do it")
    push.add_argument("--public", action="store_true", help="for all to see (default: private)")


def _distil(options: argparse.Namespace) -> None:
    from impossible.runner.order import Order, usable_documents

    name, overrides = split(options.params)
    if options.paragraphs:
        if options.task != "summarize":
            raise ParameterError(
                "--paragraphs is for summaries, and a paraphrase is of one sentence: give --task "
                "summarize, or leave --paragraphs out."
            )
        overrides = [*overrides, f"paragraph_sentences={options.paragraphs}"]
    contexts, out = options.contexts.absolute(), options.out.absolute()
    student = here(options.student) if options.student else ""
    order = Order(
        contexts, options.task, out, options.field, options.licence, student, options.adapt_teacher
    )
    documents = usable_documents(order)  # what is wrong is said before anything is loaded

    from impossible.cli.assets import fetch_needed
    from impossible.models.model_files import fetch_missing, locate
    from impossible.runner.distil import distil, own_params
    from impossible.runner.preflight import require_data

    params = own_params(name, overrides, student, options.domain)
    require_data(params)
    fetch_needed(params)
    if student:
        locate(student)
        fetch_missing(student)
    print(f"Report: {distil(order, params, documents)}")


def _push(options: argparse.Namespace) -> None:
    from impossible.runner.push import push_distilled, uploads

    if options.yes:
        for each in push_distilled(options.folder, options.to, options.public):
            print(each)
        return
    for line in uploads(options.folder, options.to):
        print(line)
    print("Nothing was uploaded: add --yes to do it.")
