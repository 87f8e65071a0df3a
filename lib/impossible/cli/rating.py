"""The commands `impossible forms` and `impossible ratings`: rating by people, before and after."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from impossible.cli.output import named_path
from impossible.errors import DataError


def add_rating(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add both commands.

    Args:
        command: makes a subcommand of (commands, name, help text, handler).
        commands: the action that holds them.
    """
    forms = command(commands, "forms", "make blinded rating forms of systems' outputs", _forms)
    forms.add_argument(
        "files", nargs="+", metavar="FILE", type=named_path,
        help="predictions.parquet of a run, or a .jsonl file per system as `score` reads them",
    )  # fmt: skip
    forms.add_argument(
        "--to", required=True, type=named_path, metavar="DIR", help="folder to write"
    )
    forms.add_argument("--task", default="paraphrase", help="paraphrase (default) or summary")
    forms.add_argument("--systems", nargs="+", default=[], metavar="NAME", help="default: all")
    forms.add_argument("--items", type=int, default=200, metavar="N", help="default %(default)s")
    forms.add_argument("--raters", type=int, default=6, metavar="N", help="default %(default)s")
    forms.add_argument("--seed", type=int, default=0, help="default 0")
    ratings = command(commands, "ratings", "count returned ratings: Table 3 and alpha", _ratings)
    ratings.add_argument(
        "key", type=named_path, metavar="KEY", help="key.json, written with the forms"
    )
    ratings.add_argument(
        "folder", type=named_path, metavar="DIR", help="folder of the returned .csv"
    )


def _forms(options: argparse.Namespace) -> None:
    from impossible.evaluation.human.forms import (
        KEY,
        draw_kit,
        read_key,
        read_systems,
        write_kit,
    )  # fmt: skip

    for path in options.files:
        _there(path, "predictions of a run, such as results/laboratory/data/predictions.parquet")
    predictions = read_systems(options.files)
    kit = draw_kit(
        predictions, options.task, options.items, options.raters, options.seed, options.systems
    )
    key = options.to / KEY
    if key.exists() and read_key(key) != kit.key():
        raise DataError(
            f"{key} belongs to other forms, whose ratings nobody could count without it: "
            "give another folder."
        )
    write_kit(kit, options.to)
    print(
        f"{len(kit.units)} outputs of {len(kit.systems)} systems for "
        f"{kit.units['item'].nunique()} items: give {options.to / 'forms'} to the raters, "
        f"one form each, and keep {key} to yourself."
    )


def _there(path: Path, what: str) -> None:
    """Refuse a path that does not exist."""
    if not path.exists():
        raise DataError(f"{path} does not exist: give {what}.")


def _ratings(options: argparse.Namespace) -> None:
    from impossible.evaluation.human.forms import read_key
    from impossible.evaluation.human.returned_ratings import read_ratings

    _there(options.key, "the key.json that `impossible forms` wrote beside the forms")
    _there(options.folder, "the folder of the .csv files that the raters sent back")
    key = read_key(options.key)
    ratings = read_ratings(options.folder, key)

    # seconds of imports, which what is refused above need not wait for
    from impossible.evaluation.human.agreement import agreement_rows, mean_rating_rows
    from impossible.report.tables import wide

    for rows in (mean_rating_rows(ratings, key), agreement_rows(ratings)):
        print(wide(rows, digits=2).to_string(index=False))
        for row in rows[rows["value"].isna()].itertuples():
            reason = row.signature.removeprefix("missing: ")
            print(f"– {row.system}, {row.metric}: {reason}.")
        print()
    absent = [rater for rater in key["forms"] if rater not in set(ratings["rater"])]
    print(
        "Mean ratings from 1 to 3, n items; agreement: Krippendorff's alpha (ordinal), n outputs. "
        f"Raters: {ratings['rater'].nunique()}; missing: {', '.join(absent) or 'none'}."
    )
