"""What a run will do and cost, before it starts.

A notebook costs a fixed time and a time per unit of its work. The coefficients were measured on the
reference machine and are kept in `plan.json`; a short calibration scales them to this machine.
`fit` measures them anew from the ledgers of finished runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.config.places import PACKAGE, project_root
from impossible.data.io import read_json, write_json
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError
from impossible.runner.ledger import Ledger
from impossible.runner.notebook_spec import Stage, matches, stages
from impossible.runner.parallel import timeline
from impossible.runner.run import MODELS
from impossible.runner.seeds import needed, seeds_of
from impossible.runner.stage_cache import is_done

COSTS = PACKAGE / "runner" / "plan.json"

RECIPE_STEPS = (
    "teacher_steps", "teacher_adding_steps", *["domain_teacher_steps"] * 3,
    "critic_pretraining_steps", "critic_steps", "critic_alignment_steps",
    "critic_steps", "critic_final_steps", "critic_adding_steps", "critic_settling_steps",
    "base_steps", "base_denoising_steps", "base_final_steps", "base_lexical_steps",
    "base_translation_steps", "base_adding_steps", "base_settling_steps", "encoder_steps",
)  # fmt: skip

#: Counts that a notebook's work grows with.
UNITS: dict[str, Callable[[Params], float]] = {
    "training steps": lambda p: p.rebuild_models * sum(getattr(p, name) for name in RECIPE_STEPS),
    "proximity pairs": lambda p: (
        p.proximity_contexts
        * p.proximity_pairs
        * (len(p.proximity_lengths) + len(p.proximity_temperatures))
        + p.proximity_surface_contexts
        * p.proximity_surface_pairs
        * len(p.proximity_lengths)
        * len(p.proximity_temperatures)
    ),
    "sentences": lambda p: p.n_contexts * p.k,
    "pairs": lambda p: p.n_contexts * p.k * (p.k - 1),
    "student pairs": lambda p: p.n_contexts * p.k * p.student_epochs,
    "candidates": lambda p: p.n_inputs * p.n_candidates,
    "test sentences": lambda p: p.n_test,
    "summaries": lambda p: p.summary_contexts * p.k + p.summary_inputs * p.n_candidates,
    "compared pairs": lambda p: p.compared_pairs * p.student_epochs,
    "ablation pairs": lambda p: p.ablation_inputs * p.student_epochs,
    "sequential tokens": lambda p: p.sequential_contexts * p.sequential_budget,
    "contexts per domain": lambda p: p.domain_contexts,
    "gold steps": lambda p: sum(p.transfer_steps) * sum(size > 0 for size in p.transfer_sizes),
    "human pairs": lambda p: p.human_n * bool(p.human_data),
    "nothing": lambda p: 0,
}


def plan(params: Params, folder: Path | None = None, speed: float | None = None) -> pd.DataFrame:
    """Seconds, memory and disk of each notebook.

    Args:
        params: the run's parameters.
        folder: its results folder, to see what is done; None: nothing is.
        speed: this machine's seconds per second of the reference; measured when None.

    Returns:
        One row per notebook, those of further seeds last: notebook, will ("run" or "skip"), work,
        starts (seconds from the run's start, as `workers` and the notebooks' inputs allow),
        seconds, memory_mb, disk_mb.
        The estimates of a stage that is skipped are zero.
    """
    costs = read_json(COSTS)
    notebooks = [s for s in stages(project_root() / "notebooks") if s.part in params.parts]
    scale = machine_speed(costs["reference"]) if speed is None else speed
    parts = [_estimates(notebooks, params, folder, costs, scale)]
    for seed, kinds in seeds_of(params).items():
        names = needed(notebooks, kinds)
        some = [stage for stage in notebooks if stage.name in names]
        place = folder and RunFolder(folder).seeds / str(seed)
        part = _estimates(some, params.fixed(seed=seed), place, costs, scale)
        ends = parts[-1]["starts"] + parts[-1]["seconds"]
        parts.append(
            part.assign(
                notebook=f"seed {seed}: " + part["notebook"], starts=part["starts"] + ends.max()
            )
        )
    return pd.concat(parts, ignore_index=True)


def _estimates(
    notebooks: list[Stage], params: Params, folder: Path | None, costs: dict[str, Any], scale: float
) -> pd.DataFrame:
    """The rows of `plan` for the notebooks of one seed."""
    skipped = _skipped(notebooks, params, folder)
    rows = []
    for stage in notebooks:
        cost = costs["notebooks"].get(stage.number, costs["default"])
        units = UNITS[cost["unit"]](params)
        runs = stage.name not in skipped
        seconds = (cost["seconds"] + cost["seconds_per_unit"] * units) * scale
        disk = cost["disk_mb"] + cost["disk_mb_per_unit"] * units
        rows.append(
            {
                "notebook": stage.name,
                "will": "run" if runs else "skip",
                "work": f"{units:,.0f} {cost['unit']}" if units else "",
                "starts": 0.0,
                "seconds": round(seconds, 1) if runs else 0.0,
                "memory_mb": round(cost["memory_mb"]) if runs else 0,
                "disk_mb": round(disk, 1) if runs else 0.0,
            }
        )
    table = pd.DataFrame(rows)
    seconds = table.set_index("notebook")["seconds"].to_dict()
    starts = timeline(notebooks, seconds, params.workers)
    return table.assign(starts=table["notebook"].map(starts))


def unknown_models(params: Params) -> list[str]:
    """Models that the costs were not measured with: all but the in-vitro ones.

    >>> unknown_models(Params.load("base", {"teacher": "openai-community/gpt2"}))
    ['openai-community/gpt2']
    """
    names = [getattr(params, name) for name in MODELS]
    return [name for name in dict.fromkeys(names) if not name.startswith(("in-vitro/", "none"))]


def show(table: pd.DataFrame, workers: int = 1) -> str:
    """The plan as text, with a line of totals.

    The total of the seconds is how long the run takes, that of the memory the most that is needed
    at one time, that of the disk a sum.
    """
    ends = table["starts"] + table["seconds"]
    beside = [
        table.loc[(table["starts"] <= moment) & (moment + 0.05 < ends), "memory_mb"].sum()
        for moment in table["starts"]
    ]
    total = {
        "notebook": "total",
        "will": "",
        "work": "",
        "starts": float("nan"),
        "seconds": round(ends.max(), 1),
        "memory_mb": max(beside),
        "disk_mb": table["disk_mb"].sum().round(1),
    }
    text = pd.concat([table, pd.DataFrame([total])]).to_string(index=False, na_rep="")
    together = f" with {workers} notebooks at a time" if workers > 1 else ""
    minutes = f"About {ends.max() / 60:.1f} minutes on this machine{together}, ± 30 %"
    return f"{text}\n\n{minutes} (as busy as it is now)."


def _skipped(notebooks: list[Stage], params: Params, folder: Path | None) -> set[str]:
    """Stages whose key is unchanged and that read nothing which will be written anew."""
    if folder is None or not (folder / "work" / "ledger.json").is_file():
        return set()
    run = RunFolder(folder)
    ledger, skipped = Ledger(run, mend=False), set()
    anew: set[Path] = set()
    for stage in notebooks:
        read = {path for name in stage.inputs for path in matches(run.root, name)}
        same = is_done(stage, params, run, ledger)
        if same and not read & anew:
            skipped.add(stage.name)
        else:
            known = ledger.entry(stage.name).get("outputs", {})
            anew |= {run.root / name for name in known}
    return skipped


def machine_speed(reference: dict[str, float]) -> float:
    """How many times slower this machine is than the reference; takes about a second.

    The geometric mean of two ratios: a matrix product as models compute it here, and a loop.
    """
    here = measure()
    ratios = [here[name] / reference[name] for name in ("matmul", "python")]
    return float((ratios[0] * ratios[1]) ** 0.5)


def measure() -> dict[str, float]:
    """Seconds of two small jobs here, on one core as a notebook by default.

    Each is the best of three, to be deaf to other work.
    """
    import torch

    from impossible.models.precision import dtype_named

    threads = torch.get_num_threads()
    matrix = torch.ones(1024, 1024, dtype=dtype_named("auto", torch.device("cpu")))

    def product() -> None:
        for _ in range(10):
            torch.mm(matrix, matrix)

    def loop() -> None:
        total = 0
        for number in range(500_000):
            total += number * number % 7

    torch.set_num_threads(1)
    try:
        return {"matmul": _best(product), "python": _best(loop)}
    finally:
        torch.set_num_threads(threads)


def _best(job: Callable[[], None]) -> float:
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


def _point(folder: Path, stage: Stage, unit: str) -> tuple[float, float, float, float] | None:
    """Work, seconds, memory and disk (MB) of a finished stage."""
    run = RunFolder(folder)
    entry = Ledger(run, mend=False).entry(stage.name)
    if entry.get("status") != "done":
        return None
    params = Params.validated(read_json(run.work / "params.json")["values"], str(folder))
    files = [
        file
        for name in entry["outputs"]
        for file in [run.root / name, *(run.root / name).rglob("*")]
        if file.is_file()
    ]
    disk = sum(file.stat().st_size for file in files) / 2**20
    return UNITS[unit](params), entry["seconds"], entry["peak_mb"], disk


def _line(cost: dict[str, Any], points: list[tuple[float, float, float, float]]) -> dict[str, Any]:
    """Coefficients of the line through the least and the most work."""
    least, most = points[0], points[-1]
    fixed, fixed_disk = min(cost["seconds"], most[1]), min(cost["disk_mb"], most[3])
    if most[0] > least[0]:
        share = least[0] / (most[0] - least[0])
        fixed = max(0.0, least[1] - (most[1] - least[1]) * share)
        fixed_disk = max(0.0, least[3] - (most[3] - least[3]) * share)
    elif not most[0]:
        fixed, fixed_disk = most[1], most[3]
    work = max(most[0], 1)
    return {
        "unit": cost["unit"],
        "seconds": round(fixed, 2),
        "seconds_per_unit": (most[1] - fixed) / work,
        "memory_mb": max(point[2] for point in points),
        "disk_mb": round(fixed_disk, 2),
        "disk_mb_per_unit": (most[3] - fixed_disk) / work,
    }
