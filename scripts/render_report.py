"""Write the report and the gallery of published results anew, from the run's own files.

    python scripts/render_report.py results/english
    python scripts/render_report.py --readers results/english-full

Nothing is computed: tables, figures, numbers and notebooks stay as they are, and the manifest gets
the new digests of the two pages. With `--readers` the figure `dataset_precision` of a run that was
read (`readings.py`) is drawn anew from its table, with what the readers said beside it. Results
that are not what their manifest says are refused.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from impossible.data.digests import digest  # noqa: E402
from impossible.data.io import read_json, write_json  # noqa: E402
from impossible.data.run_folder import RunFolder  # noqa: E402
from impossible.errors import DataError  # noqa: E402
from impossible.evaluation.fractions import fractions_of  # noqa: E402
from impossible.report.blind_readings import read_fractions  # noqa: E402
from impossible.report.dataset_tables import precision_picture  # noqa: E402
from impossible.report.figures import render  # noqa: E402
from impossible.report.gallery import GALLERY  # noqa: E402
from impossible.report.html import BUILDER, REPORT, build_report, wider_runs  # noqa: E402
from impossible.report.ledger_beside import committed_ledger  # noqa: E402
from impossible.report.save import caption_in_print  # noqa: E402
from impossible.report.tables import minus  # noqa: E402
from impossible.runner.ledger import write_signed  # noqa: E402
from impossible.runner.verification import verify_files  # noqa: E402


def with_readers(folder: Path) -> Path:
    """Draw `dataset_precision` of a run anew, with its readers, and write its digests."""
    _refused_if_changed(folder)
    run, manifest = RunFolder(folder), read_json(folder / "manifest.json")
    rows = pd.read_csv(run.tables / "dataset_precision.csv")
    metric = str(rows["metric"].iloc[0])
    by = metric.removeprefix("equivalent (").removesuffix("), %")
    read = read_fractions(run)
    if not len(read):
        raise DataError(f"{folder} is not the run that readers read: draw its pairs and merge.")
    confidence = manifest["parameters"]["confidence"]
    picture, caption, reading = precision_picture(fractions_of(rows, metric), by, confidence, read)
    path = run.figures / "dataset_precision.json"
    told = {"caption": caption_in_print(caption), "reading": minus(reading)}
    write_json(path, read_json(path) | told)
    for kind in ("pdf", "svg", "png"):
        path.with_suffix(f".{kind}").write_bytes(render(picture, kind))
    for entry in manifest["notebooks"].values():
        own = [name for name in entry.get("outputs", {})
               if name.startswith("figures/dataset_precision.")]  # fmt: skip
        entry.get("outputs", {}).update({name: digest(folder / name) for name in own})
    write_signed(folder / "manifest.json", manifest)
    return path


def _refused_if_changed(folder: Path) -> None:
    if problems := verify_files(folder).problems:
        raise DataError(f"{folder} is not what its manifest says, so nothing is written: "
                        f"{problems[0]}")  # fmt: skip


def rendered(folder: Path) -> Path:
    """Write both pages of a run and their digests; returns where the report is.

    Raises:
        DataError: a file is not what the run wrote, or the run made no report.
    """
    _refused_if_changed(folder)
    manifest = read_json(folder / "manifest.json")
    if BUILDER not in manifest["notebooks"]:
        raise DataError(f"{folder} has no report: run {BUILDER} first.")
    page = build_report(RunFolder(folder), wider_runs(folder.name), committed_ledger())
    outputs = manifest["notebooks"][BUILDER]["outputs"]
    outputs |= {name: digest(folder / name) for name in (REPORT, GALLERY)}
    write_signed(folder / "manifest.json", manifest)
    return page


if __name__ == "__main__":
    readers = sys.argv[1:2] == ["--readers"]
    for each in sys.argv[1 + readers :]:
        if readers:
            with_readers(Path(each))
        print(f"{rendered(Path(each))} written anew")
