"""The commands `impossible run` and `impossible plan`: the notebooks, and what they will cost."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from impossible.cli.output import path_text
from impossible.config.places import is_url
from impossible.errors import ParameterError

DEFAULT = "english"  # the params file of a bare `./run_all.sh`


def add_run(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add both commands.

    Args:
        command: makes a subcommand of (commands, name, help text, handler).
        commands: the action that holds them.
    """
    text = "run the notebooks, skipping what is unchanged"
    run = command(commands, "run", text, _run)
    run.set_defaults(kept="; what was finished is kept, and the same command goes on from there")
    _add_params(run)
    for name, what in (
        ("from", "start with this notebook"),
        ("only", "only this one"),
        ("until", "end with this one"),
    ):
        run.add_argument(f"--{name}", metavar="NOTEBOOK", default="", dest=name, help=what)
    run.add_argument("--force", action="store_true", help="run also what is unchanged")
    about = "list all parameters, with the values of PARAMS if given, and end"
    run.add_argument("--parameters", action="store_true", help=about)
    text = "say what a run will do and cost in time, memory and disk"
    plan = command(commands, "plan", text, _plan)
    _add_params(plan)
    plan.add_argument(
        "--measure", action="store_true",
        help="also try the method's stages in miniature with the run's own models (minutes)",
    )  # fmt: skip
    plan.add_argument(
        "--calibrate",
        type=path_text,
        nargs="+",
        metavar="DIR",
        help="instead: fit the costs to these finished runs and store them in the package",
    )


def _add_params(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "params",
        nargs="*",
        metavar="PARAMS [-- name=value …]",
        help=f"{DEFAULT} (default), laboratory, another name or a YAML file; then overrides",
    )
    command.add_argument(
        "--results",
        type=path_text,
        metavar="DIR",
        help="default: results/NAME, or results/NAME-k=50 if overrides (here k=50) change results;"
        " run also takes a URL, such as s3://bucket/english (docs/scale.md)",
    )


def split(items: Sequence[str]) -> tuple[str, list[str]]:
    """The params name and the overrides."""
    names = [item for item in items if "=" not in item]
    if not all(name.strip() for name in names):
        raise ParameterError("an empty path of a params file: give a name or a path, or none.")
    if len(names) > 1:
        raise ParameterError(
            f"Give one params name or file, then overrides name=value; got {', '.join(names)}."
        )
    return (names or [DEFAULT])[0], [item for item in items if "=" in item]


def _results(options: argparse.Namespace, name: str, overrides: list[str]) -> Path:
    from impossible.runner.preflight import results_folder

    if is_url(options.results):
        from impossible.data.remote_folder import local_copy

        return local_copy(options.results)
    if options.results:
        return Path(options.results).absolute()
    return results_folder(name, overrides)


def _run(options: argparse.Namespace) -> None:
    from impossible.config.description import describe
    from impossible.config.params import Params
    from impossible.config.places import project_root
    from impossible.runner.notebook_spec import Selection, stages

    name, overrides = split(options.params)
    if options.parameters:
        print(describe(Params.load(name, overrides) if options.params else None))
        return
    params = Params.load(name, overrides)
    chosen = vars(options)
    selection = Selection(chosen["from"], chosen["only"], chosen["until"], chosen["force"])
    selection.of(stages(project_root() / "notebooks"), params)
    # after what was typed, whose mistakes are told at once: these import what notebooks need
    from impossible.cli.assets import fetch_needed
    from impossible.runner.preflight import require_data
    from impossible.runner.seeds import run_replicated

    require_data(params)
    folder = _results(options, name, overrides)
    if not options.results and folder.name != Path(name).stem:
        print(f"The overrides change results, which go to {folder} (or to --results).", flush=True)
    fetch_needed(params)
    with _kept(options.results, folder):
        report = run_replicated(params, folder, selection)
    where = options.results if is_url(options.results) else report.parent
    print(f"Report: {where}/{report.name}" if report.is_file() else f"Results: {where}")


@contextmanager
def _kept(results: str | None, folder: Path) -> Iterator[None]:
    """Keep the results where a URL says; a folder of this machine needs nothing."""
    if not is_url(results):
        yield
        return
    from impossible.data.remote_folder import kept_in_step
    from impossible.data.run_folder import RunFolder
    from impossible.runner.ledger import locked

    with locked(RunFolder.open(folder), "copy.lock"), kept_in_step(results, folder):
        yield


def _plan(options: argparse.Namespace) -> None:
    from impossible.config.params import Params

    if is_url(options.results):
        raise ParameterError(
            f"--results {options.results}: plan looks at what a folder of this machine has: give "
            "one, or none."
        )
    name, overrides = split(options.params)
    params = Params.load(name, overrides)
    from impossible.runner import cost_estimate  # slow to load: bad input was refused before
    from impossible.runner.preflight import require_data

    if options.calibrate:
        cost_estimate.fit([Path(each).absolute() for each in options.calibrate])
        print(f"Costs written to {cost_estimate.COSTS}")
        return
    require_data(params)
    table = cost_estimate.plan(params, _results(options, name, overrides))
    others = cost_estimate.unknown_models(params)
    off = {"off": ", by costs of other models"} if others else {}
    print(cost_estimate.plan_text(table, params.notebooks_at_once, **off))
    if others:
        print(
            "These costs were measured with the in-vitro models and do not hold for "
            f"{', '.join(others)}; what is not a local folder is fetched first."
            + ("" if options.measure else " `--measure` tries them here.")
        )
    if options.measure:
        from impossible.cli.assets import fetch_needed
        from impossible.runner import measured_costs

        fetch_needed(params)
        print("\n" + measured_costs.measured_text(params, Path(name).stem))
