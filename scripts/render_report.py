"""Write the report and the gallery of published results anew, from the run's own files.

    python scripts/render_report.py results/english

Nothing is computed: tables, figures, numbers and notebooks stay as they are, and the manifest gets
the new digests of the two pages. Results that are not what their manifest says are refused.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from impossible.data.digests import digest  # noqa: E402
from impossible.data.io import read_json, write_json  # noqa: E402
from impossible.data.run_folder import RunFolder  # noqa: E402
from impossible.errors import DataError  # noqa: E402
from impossible.report.gallery import GALLERY  # noqa: E402
from impossible.report.html import BUILDER, REPORT, build_report, wider_runs  # noqa: E402
from impossible.report.ledger_beside import committed_ledger  # noqa: E402
from impossible.runner.verification import verify_files  # noqa: E402


def rendered(folder: Path) -> Path:
    """Write both pages of a run and their digests; returns where the report is.

    Raises:
        DataError: a file is not what the run wrote, or the run made no report.
    """
    if problems := verify_files(folder).problems:
        raise DataError(f"{folder} is not what its manifest says, so nothing is written: "
                        f"{problems[0]}")  # fmt: skip
    manifest = read_json(folder / "manifest.json")
    if BUILDER not in manifest["notebooks"]:
        raise DataError(f"{folder} has no report: run {BUILDER} first.")
    page = build_report(RunFolder(folder), wider_runs(folder.name), committed_ledger())
    outputs = manifest["notebooks"][BUILDER]["outputs"]
    outputs |= {name: digest(folder / name) for name in (REPORT, GALLERY)}
    if manifest.pop("digest", None):
        manifest["digest"] = digest(manifest)
    write_json(folder / "manifest.json", manifest)
    return page


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(f"{rendered(Path(each))} written anew")
