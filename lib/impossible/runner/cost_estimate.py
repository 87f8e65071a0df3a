"""What a run will do and cost, before it starts.

A notebook costs a fixed time and a time per unit of its work, which is a product of parameters. The
coefficients were measured on the reference machine and are kept in `plan.json`; a short calibration
scales them to this machine. `fit` measures them anew from the ledgers of finished runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import prod, sqrt
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.config.places import PACKAGE, project_root
from impossible.data.io import read_json, read_object, write_json
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.runner.ledger import Ledger
from impossible.runner.notebook_spec import NotebookSpec, matches, of_run, stages
from impossible.runner.parallel import timeline
from impossible.runner.seeds import needed, seeds_of
from impossible.runner.stage_cache import is_done

COSTS = PACKAGE / "runner" / "plan.json"


def work(names: Sequence[str], params: Params) -> float:
    """The product of these parameters: of lists the length, of texts and switches 0 or 1.

    >>> params = Params.load("base", {"k": 50, "human_data": ""})
    >>> work(["n_contexts", "k"], params), work(["human_n", "human_data"], params), work([], params)
    (30000, 0, 0)
    """
    values = [getattr(params, name) for name in names]
    sizes = [
        len(v) if isinstance(v, list) else bool(v) if isinstance(v, str) else v for v in values
    ]
    return prod(sizes) if sizes else 0


def plan(params: Params, folder: Path | None = None, speed: float | None = None) -> pd.DataFrame:
    """Seconds, memory and disk of each notebook.

    Args:
        params: the run's parameters.
        folder: its results folder, to see what is done; None: nothing is.
        speed: this machine's seconds per second of the reference; measured when None.

    Returns:
        One row per notebook, those of further seeds last: notebook, will ("run" or "skip"), work,
        starts (seconds from the run's start, as `workers` and the notebooks' inputs allow),
        seconds, memory_mb, disk_mb; zero for a notebook that is skipped.
    """
    costs = read_json(COSTS)
    notebooks = of_run(stages(project_root() / "notebooks"), params)
    scale = machine_speed(costs["reference"]) if speed is None else speed
    tables = [_estimates(notebooks, params, folder, costs, scale)]
    for seed, kinds in seeds_of(params).items():
        names = needed(notebooks, kinds)
        some = [stage for stage in notebooks if stage.name in names]
        place = folder and RunFolder(folder).seeds / str(seed)
        table = _estimates(some, params.fixed(seed=seed), place, costs, scale)
        begin = (tables[-1]["starts"] + tables[-1]["seconds"]).max()
        table["notebook"] = f"seed {seed}: " + table["notebook"]
        tables.append(table.assign(starts=table["starts"] + begin))
    return pd.concat(tables, ignore_index=True)


def _estimates(
    notebooks: list[NotebookSpec],
    params: Params,
    folder: Path | None,
    costs: dict[str, Any],
    scale: float,
) -> pd.DataFrame:
    """The rows of `plan` for the notebooks of one seed."""
    skipped, rows = _skipped(notebooks, params, folder), []
    for stage in notebooks:
        cost = costs["notebooks"].get(stage.number, costs["default"])
        units, runs = work(cost["unit"], params), stage.name not in skipped
        seconds = (cost["seconds"] + cost["seconds_per_unit"] * units) * scale
        disk = cost["disk_mb"] + cost["disk_mb_per_unit"] * units
        what = f"{units:,.0f} {' × '.join(cost['unit'])}" if units else ""
        estimate = (round(seconds, 1), round(cost["memory_mb"]), round(disk, 1))
        rows.append(
            (stage.name, "run", what, *estimate)
            if runs
            else (stage.name, "skip", what, 0.0, 0, 0.0)
        )
    columns = ["notebook", "will", "work", "seconds", "memory_mb", "disk_mb"]
    table = pd.DataFrame(rows, columns=columns)
    seconds = table.set_index("notebook")["seconds"].to_dict()
    starts = timeline(notebooks, seconds, params.notebooks_at_once)
    table.insert(3, "starts", table["notebook"].map(starts).astype(float))
    return table


def _skipped(notebooks: list[NotebookSpec], params: Params, folder: Path | None) -> set[str]:
    """Stages whose key is unchanged and that read nothing which will be written anew."""
    if folder is None or not (folder / "work" / "ledger.json").is_file():
        return set()
    run = RunFolder(folder)
    ledger, skipped = Ledger(run, mend=False), set()
    anew: set[Path] = set()
    for stage in notebooks:
        read = {path for name in stage.inputs for path in matches(run.root, name)}
        if is_done(stage, params, run, ledger) and not read & anew:
            skipped.add(stage.name)
        else:
            anew |= {run.root / name for name in ledger.entry(stage.name).get("outputs", {})}
    return skipped


def unknown_models(params: Params) -> list[str]:
    """Models that the costs were not measured with: all but the in-vitro ones.

    >>> unknown_models(Params.load("base", {"teacher": "openai-community/gpt2"}))
    ['openai-community/gpt2']
    """
    named = [params.plain(name) for name in params.naming("model")]
    names = [m for each in named for m in (each.values() if isinstance(each, dict) else [each])]
    return [name for name in dict.fromkeys(names) if not name.startswith(("in-vitro/", "none"))]


def plan_text(table: pd.DataFrame, workers: int = 1, off: str = ", ± 30 %") -> str:
    """The plan as text, with a line of totals, and by how much its minutes may be off.

    The total of the seconds is how long the run takes, that of the memory the most that is needed
    at one time, that of the disk a sum.
    """
    ends = table["starts"] + table["seconds"]
    beside = [
        table.loc[(table["starts"] <= moment) & (moment + 0.05 < ends), "memory_mb"].sum()
        for moment in table["starts"]
    ]
    total = (
        "total",
        "",
        "",
        float("nan"),
        round(ends.max(), 1),
        max(beside),
        table["disk_mb"].sum(),
    )
    rows = pd.concat([table, pd.DataFrame([total], columns=table.columns)])
    together = f" with {workers} notebooks at a time" if workers > 1 else ""
    minutes = f"About {ends.max() / 60:.1f} minutes on this machine{together}{off}"
    return f"{rows.round(1).to_string(index=False, na_rep='')}\n\n{minutes} (as busy as it is now)."


def machine_speed(reference: dict[str, float]) -> float:
    """How many times slower this machine is than the reference; takes about a second.

    The geometric mean of two ratios: a matrix product as models compute it here, and a loop.
    """
    here = measure()
    return sqrt(prod(here[name] / reference[name] for name in ("matmul", "python")))


def measure() -> dict[str, float]:
    """Seconds of two small jobs here, on one core as a notebook by default."""
    import torch

    from impossible.models.precision import dtype_named

    threads = torch.get_num_threads()
    matrix = torch.ones(1024, 1024, dtype=dtype_named("auto", torch.device("cpu")))
    torch.set_num_threads(1)
    try:
        return {
            "matmul": _best(lambda: [torch.mm(matrix, matrix) for _ in range(10)]),
            "python": _best(lambda: sum(n * n % 7 for n in range(500_000))),
        }
    finally:
        torch.set_num_threads(threads)


def _best(job: Callable[[], object]) -> float:
    """Seconds of the best of three, to be deaf to other work."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def fit(runs: Sequence[Path], target: Path = COSTS) -> dict[str, Any]:
    """Fit the coefficients to the ledgers of finished runs and write them.

    With one run the fixed part stays as it is known; with several, the runs with the least and the
    most work of a notebook decide both parts.

    Args:
        runs: results folders, run on the machine that becomes the reference.
        target: file to write.
    """
    costs, fitted = read_json(COSTS), {}
    for stage in stages(project_root() / "notebooks"):
        cost = {**costs["default"], **costs["notebooks"].get(stage.number, {})}
        points = sorted(filter(None, (_point(run, stage, cost["unit"]) for run in runs)))
        if points:
            fitted[stage.number] = _line(cost, points)
    if not fitted:
        raise DataError(
            f"No finished notebook in {', '.join(map(str, runs))}: give folders of runs that were "
            "made on this machine while nothing else ran."
        )
    costs["notebooks"] |= fitted
    costs["reference"] = measure()
    write_json(target, costs)
    return dict(costs)


Point = tuple[float, float, float, float]  # work, seconds, memory, disk (MB)


def _point(folder: Path, stage: NotebookSpec, unit: Sequence[str]) -> Point | None:
    """What a finished stage cost."""
    run = RunFolder(folder)
    entry = Ledger(run, mend=False).entry(stage.name)
    if entry.get("status") != "done" or not entry.keys() >= {"outputs", "seconds", "peak_mb"}:
        return None
    settings = read_object(run.work / "params.json")
    params = Params.load("base", settings.get("values") or {})
    places = [run.root / name for name in entry["outputs"]]
    files = [file for place in places for file in (place, *place.rglob("*")) if file.is_file()]
    disk = sum(file.stat().st_size for file in files) / 2**20
    return work(unit, params), entry["seconds"], entry["peak_mb"], disk


def _line(cost: dict[str, Any], points: list[Point]) -> dict[str, Any]:
    """Coefficients of the line through the least and the most work."""
    least, most = points[0], points[-1]
    found = dict(cost, memory_mb=max(point[2] for point in points))
    for name, i in (("seconds", 1), ("disk_mb", 3)):
        fixed = min(cost[name], most[i]) if most[0] else most[i]
        if most[0] > least[0]:
            slope = (most[i] - least[i]) / (most[0] - least[0])
            fixed = max(0.0, least[i] - slope * least[0])
        found |= {name: round(fixed, 2), f"{name}_per_unit": (most[i] - fixed) / max(most[0], 1)}
    return found
