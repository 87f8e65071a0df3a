"""Judge the claims of published results anew, where the book of claims has changed.

    python scripts/judge_again.py results/laboratory-full

The recorded numbers stay; notebook 23 runs on a copy of them, and what it writes, with its entry in
the manifest, takes the place of the old ledger. Results and seeds that are not what their manifests
say are refused. The report shows the ledger: render it next (`scripts/render_report.py`).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from impossible.config.params import Params  # noqa: E402
from impossible.config.places import project_root  # noqa: E402
from impossible.data.digests import digest  # noqa: E402
from impossible.data.io import read_json  # noqa: E402
from impossible.errors import DataError  # noqa: E402
from impossible.runner.ledger import write_signed  # noqa: E402
from impossible.runner.notebook_spec import Selection  # noqa: E402
from impossible.runner.run import run_all  # noqa: E402
from impossible.runner.verification import verify_files  # noqa: E402

LEDGER = "23_claims"
EXECUTED = f"notebooks/{LEDGER}.ipynb"


def judged_again(run: Path) -> list[str]:
    """Write the ledger of a run anew; returns the names of its files.

    Raises:
        DataError: a file of the run, or of one of its seeds, is not what the run wrote.
    """
    _require_intact(run)
    manifest = read_json(run / "manifest.json")
    with TemporaryDirectory() as folder:
        copy = Path(folder) / run.name
        for part in ("scalars", "seeds"):
            if (run / part).is_dir():
                shutil.copytree(run / part, copy / part)
        run_all(Params.load(run.name), copy, Selection(only=LEDGER))
        entry = _named_as_published(copy)
        for name in manifest["notebooks"].get(LEDGER, {}).get("outputs", {}):
            (run / name).unlink(missing_ok=True)
        for name in entry["outputs"]:
            (run / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copy / name, run / name)
    manifest["notebooks"][LEDGER] = entry
    write_signed(run / "manifest.json", manifest)
    return sorted(entry["outputs"])


def _require_intact(run: Path) -> None:
    """A run and each of its seeds is what its manifest says."""
    problems = verify_files(run).problems
    problems += [f"{seed} has no manifest.json, so its numbers are not known to be a run's."
                 for seed in sorted(run.glob("seeds/*"))
                 if not (seed / "manifest.json").is_file()]  # fmt: skip
    if problems:
        raise DataError(f"{run} is judged only as it was run: {problems[0]}")


def _named_as_published(copy: Path) -> dict[str, Any]:
    """The ledger's entry, its notebook with the folder that a run into `results/` has."""
    entry: dict[str, Any] = read_json(copy / "manifest.json")["notebooks"][LEDGER]
    path = copy / EXECUTED
    temporary = Path(os.path.relpath(copy, project_root())).as_posix()
    text = path.read_text(encoding="utf-8").replace(temporary, f"results/{copy.name}")
    path.write_text(text, encoding="utf-8")
    entry["outputs"][EXECUTED] = digest(path)
    return entry


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(f"{folder}: {len(judged_again(Path(folder).resolve()))} files written anew")
