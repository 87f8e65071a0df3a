"""Judge the claims of published results anew, where the book of claims has changed.

    python scripts/judge_again.py results/laboratory-full

The recorded numbers stay; notebook 23 runs on a copy of them, and what it writes, with its entry in
the manifest, takes the place of the old ledger. A manifest or a number that was changed after the
run is refused.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from impossible.config.params import Params  # noqa: E402
from impossible.data.digests import digest  # noqa: E402
from impossible.data.io import read_json, write_json  # noqa: E402
from impossible.errors import DataError  # noqa: E402
from impossible.runner.notebook_spec import Selection  # noqa: E402
from impossible.runner.run import run_all  # noqa: E402

LEDGER = "23_claims"


def judged_again(run: Path) -> list[str]:
    """Write the ledger of a run anew; returns the names of its files."""
    manifest = read_json(run / "manifest.json")
    own = manifest.pop("digest", None)
    if own not in (None, digest(manifest)):
        raise DataError(f"{run}/manifest.json was changed after the run: run its notebooks again.")
    known = {name: value for each in manifest["notebooks"].values()
             for name, value in each.get("outputs", {}).items()}  # fmt: skip
    for path in sorted((run / "scalars").glob("*.json")):
        if digest(path) != known.get(f"scalars/{path.name}"):
            raise DataError(f"{path} is not what the run wrote: run its notebook again.")
    with TemporaryDirectory() as folder:
        copy = Path(folder) / run.name
        for part in ("scalars", "seeds"):
            if (run / part).is_dir():
                shutil.copytree(run / part, copy / part)
        run_all(Params.load(run.name), copy, Selection(only=LEDGER))
        entry = read_json(copy / "manifest.json")["notebooks"][LEDGER]
        for name in manifest["notebooks"].get(LEDGER, {}).get("outputs", {}):
            (run / name).unlink(missing_ok=True)
        for name in entry["outputs"]:
            (run / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copy / name, run / name)
    manifest["notebooks"][LEDGER] = entry
    write_json(run / "manifest.json", manifest | ({"digest": digest(manifest)} if own else {}))
    return sorted(entry["outputs"])


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(f"{folder}: {len(judged_again(Path(folder).resolve()))} files written anew")
