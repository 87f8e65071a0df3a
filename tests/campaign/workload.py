"""What is run and disturbed: the smoke run's main steps, or two small notebooks of a checkout."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impossible.cli.assets import needed_assets
from impossible.config.params import Params
from impossible.data.digests import digest
from impossible.models.assets import asset_named

from .common import COMMAND, ROOT, Answer, ask, environment

#: Over `english`: as small as it gets, with critics that the few pairs of such a run pass.
SMALLEST = {
    "domains": [{"name": "informal", "prefixes": ["Last weekend I"], "banned": ["\n"]}],
    "judge": "none",
    "referee": "none",
    "rejections": {},
    "n_contexts": 2,
    "k": 8,
    "context_sentences_min": 1,
    "context_sentences_max": 1,
    "context_max_new_tokens": 32,
    "sentence_max_new_tokens": 32,
    "entailment_threshold": 0.0,
    "entailment_floor": 0.0,
    "rouge_l_max": 1.0,
    "similarity_min": 0.0,
    "ted_min": 0,
    "length_ratio_min": 0.5,
    "length_ratio_max": 2.0,
    "name_consistency": False,
    "number_consistency": False,
    "student_epochs": 1,
    "student_batch_size": 8,
    "student_learning_rate": 2e-3,
    "student_dev_fraction": 0.3,
    "n_inputs": 4,
    "n_candidates": 4,
    "train_on_both": False,
    "n_test": 2,
    "bootstrap_samples": 50,
    "workers": 2,
    "threads": 1,
}
CONDITIONS = Path(__file__).with_name("conditions")

UNITS = """import time
from impossible.data.units import Unit, map_units
from impossible.data.schemas import FUNNEL
import pandas as pd
pause = PAUSE if (run / "work" / "slow").exists() else 0
def compute(unit, params, models):
    time.sleep(pause)
    return pd.DataFrame({"context_id": [unit.id], "reason": "kept", "n": 1}), pd.DataFrame()
units = [Unit(f"{i} é") for i in range(NUMBER)]
frame, _ = map_units(compute, units, params, stage.run, "parts", FUNNEL)
frame.to_csv(run / "data" / "one.csv", index=False)
"""
MODEL = """import numpy as np
from safetensors.numpy import save_file
(run / "models" / "two").mkdir(exist_ok=True)
save_file({"weights": np.arange(200_000.0)}, run / "models" / "two" / "model.safetensors")
"""
TABLE = """import pandas as pd
stage.table("two", pd.read_csv(run / "data" / "one.csv"), "What was kept.", ["data/one.csv"])
"""


@dataclass(frozen=True)
class Workload:
    """A run of several notebooks.

    Attributes:
        name: as the results file calls it.
        root: the checkout.
        arguments: of `impossible`, without the results folder.
        reads: a record → the number of a notebook that reads it.
        variables: of the environment.
    """

    name: str
    root: Path
    arguments: tuple[str, ...]
    reads: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)

    def command(self, results: Path) -> list[str]:
        """The whole command line."""
        return [*COMMAND, *self.arguments, "--results", str(results)]

    def run(self, results: Path, *typed: str) -> Answer:
        """Run it to its end."""
        arguments = [*self.arguments, "--results", str(results), *typed]
        return ask(*arguments, cwd=self.root, variables=self.variables)


def smoke() -> Workload:
    """Sampling, scoring, building, training: the four kinds of work, at smoke size."""
    reads = {"sentences": "04", "pairs": "05", "dataset_teacher": "06"}
    files = {f"data/{name}.parquet": number for name, number in reads.items()}
    arguments = ("run", "smoke", "--from", "03", "--until", "06")
    return Workload("smoke, notebooks 03 to 06", ROOT, arguments, files, environment())


def english() -> Workload:
    """The same, and self-distillation, with the models of real English."""
    return _of_english("English, notebooks 03 to 07", SMALLEST)


def tiny_english(place: Path) -> Workload:
    """The same with random models of the same kinds, which are saved in `place`."""
    from tests import tiny

    models = {
        "teacher": tiny.reader(tiny.bpe_llama),
        "critic": tiny.critic(),
        "encoder": tiny.encoder(),
    }
    paths = {name: str(tiny.save(place / name, *model)) for name, model in models.items()}
    own = {"student_base": paths["teacher"], "parser": "flat", "student_adapter_rank": 2}
    prefixes = {"domains": [{"name": "news", "prefixes": [tiny.PREFIX]}]}
    values = {**SMALLEST, **paths, **own, **prefixes}
    return _of_english("English with tiny models, notebooks 03 to 07", values)


def _of_english(name: str, values: dict[str, Any]) -> Workload:
    typed = [f"{name}={json.dumps(value)}" for name, value in values.items()]
    arguments = ("run", "english", "--from", "03", "--until", "07", *typed)
    return Workload(name, ROOT, arguments, {}, environment())


def absent_models() -> list[str]:
    """What `english` needs and the cache does not hold."""
    names = needed_assets(Params.load("english", SMALLEST))
    return [name for name in names if not asset_named(name).present]


def small(place: Path, units: int = 24, pause: float = 0.5) -> Workload:
    """Two small notebooks of a checkout below `place`: units of work, then a model and a table."""
    checkout = Checkout(place, units, pause)
    variables = checkout.variables()
    return Workload(
        "two small notebooks", checkout.root, ("run", "test"), {"data/one.csv": "02"}, variables
    )


def recorded_outputs(folder: Path) -> dict[str, str]:
    """Digest of everything that the notebooks of a run wrote, by the ledger and by the disk."""
    entries = json.loads((folder / "work" / "ledger.json").read_text())
    noted = {name: was for each in entries.values() for name, was in each["outputs"].items()}
    return {name: f"{was} {digest(folder / name)}" for name, was in noted.items()}


class Checkout:
    """A checkout of two small notebooks, in a folder with blanks and letters beyond ASCII."""

    def __init__(self, place: Path, units: int = 6, pause: float = 0.5) -> None:
        from tests.conftest import notebook

        self.root = place / "Prüfung ‘é’ 1"
        for name in ("notebooks", "params", "results"):
            (self.root / name).mkdir(parents=True)
        shutil.copy(ROOT / "params" / "base.yaml", self.root / "params")
        (self.root / "params" / "test.yaml").write_text("seed: 0\n")
        first = UNITS.replace("PAUSE", str(pause)).replace("NUMBER", str(units))
        outputs = ["tables/two", "models/two"]
        texts = {
            "01_one": notebook("01_one", [first], [], ["data/one"]),
            "02_two": notebook("02_two", [MODEL, TABLE], ["data/one"], outputs),
        }
        for name, text in texts.items():
            (self.root / "notebooks" / f"{name}.ipynb").write_text(text)
        self.results = self.root / "results" / "test"

    def variables(self, **more: str | None) -> dict[str, str]:
        """The environment of a run here; with conditions if any of `CAMPAIGN_*` is given."""
        found = environment(IMPOSSIBLE_ROOT=str(self.root), **more)
        if any(name.startswith("CAMPAIGN_") for name in more):
            found["PYTHONPATH"] = os.pathsep.join([str(CONDITIONS), found["PYTHONPATH"]])
        return found

    def run(self, *typed: str, before: list[str] | None = None, **more: str | None) -> Answer:
        """`impossible run test`."""
        arguments = ["run", "test", *typed]
        return ask(*arguments, before=before or [], cwd=self.root, variables=self.variables(**more))

    def clear(self) -> None:
        """Forget all results."""
        shutil.rmtree(self.results, ignore_errors=True)

    @property
    def outputs(self) -> dict[str, str]:
        """Digests of what the run publishes, but for the manifest, which tells times."""
        paths = [path for path in sorted(self.results.rglob("*")) if path.is_file()]
        own = [p for p in paths if "work" not in p.parts and p.name != "manifest.json"]
        return {path.relative_to(self.results).as_posix(): digest(path) for path in own}
