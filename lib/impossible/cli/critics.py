"""The command `impossible critics`: the paper's critics as a filter for anybody's pairs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

from impossible.cli.output import output, path_text
from impossible.text.printable import json_line

SCORES_TOLD = """
Each line {"source": …, "target": …} is written again, in order, with

  source_entails_target, target_entails_source   probabilities of the NLI critic
  cosine          of sentence embeddings; null without an encoder
  rouge_l         overlap of words in order, 0 to 1
  ted             edit distance of the syntax trees; ted_of_words: of words, where one did not parse
  length_ratio    characters of the target / of the source
  numbers_kept    whether both name the same numbers
  sentences_covered   fraction of the source's sentences that the target has a word of
  kept, reason    whether every critic accepts the pair, else the first that rejects it

Other fields of a line are passed on. All scores are given, also of pairs that are rejected. The
thresholds are those of PARAMS, changed by name=value: entailment_threshold, both_directions,
rouge_l_max, ted_min, similarity_min, length_ratio_min, length_ratio_max, number_consistency,
summary_length_ratio_max, summary_covered_min.
A bad line ends the command with status 2; the pairs before it are written."""


Opener = Callable[[str], tuple[Iterator[str], str]]


def add_critics(
    command: Callable[..., argparse.ArgumentParser], commands: Any, lines: Opener
) -> None:
    """Add the command.

    Args:
        command: makes a subcommand of (commands, name, help text, handler).
        commands: the action that holds it.
        lines: the lines of a file or of `-`, and its name for messages.
    """
    text = 'filter pairs {"source", "target"} by the critics, every score given'
    critics = command(commands, "critics", text, lambda options: _critics(options, lines))
    critics.description = f"{critics.description}\n{SCORES_TOLD}"
    critics.add_argument(
        "file", type=path_text, metavar="FILE", help="a .jsonl file, or - for standard input"
    )
    critics.add_argument(
        "params", nargs="*", metavar="name=value", help="thresholds and models other than PARAMS's"
    )
    critics.add_argument(
        "--params", dest="name", default="english", metavar="PARAMS",
        help="name in params/ or YAML file whose models and thresholds count (default english)",
    )  # fmt: skip
    critics.add_argument(
        "--task", choices=("paraphrase", "summary"), default="paraphrase",
        help="what a pair must be; a summary follows from its source and is shorter",
    )  # fmt: skip
    critics.add_argument("--out", type=path_text, metavar="FILE", help="default: standard output")
    critics.add_argument("--kept", action="store_true", help="write only the pairs that are kept")


def _critics(options: argparse.Namespace, opened: Opener) -> None:
    from impossible.config.params import Params, parse_overrides
    from impossible.data.json_lines import stream_pairs

    overrides = {"entailment_floor": 0} | parse_overrides(options.params)  # all is scored
    params = Params.load(options.name, overrides)
    pairs = stream_pairs(*opened(options.file))
    first = list(islice(pairs, 1))
    # what follows loads torch: bad input was refused before
    from impossible.data.run_folder import RunFolder
    from impossible.filtering.pair_file import with_every_score
    from impossible.filtering.thresholds import Thresholds
    from impossible.runner.models import RunModels
    from impossible.runner.preflight import results_folder

    thresholds = {"paraphrase": Thresholds.paraphrase, "summary": Thresholds.summary}
    models = RunModels(RunFolder(results_folder(options.name)), params)
    limits = thresholds[options.task](params)
    found = with_every_score(chain(first, pairs), models, limits)
    counts = [0, 0]
    with output(options.out, options.file) as put:
        for record in found:
            counts[record["kept"]] += 1
            if record["kept"] or not options.kept:
                put(json_line(record))
    print(f"{counts[True]:,} of {sum(counts):,} pairs kept.", file=sys.stderr)
