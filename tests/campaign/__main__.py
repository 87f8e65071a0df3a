"""`python -m tests.campaign [--kills N] [PART …]`: run the parts, write results and page."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from impossible.data.digests import package_digest
from impossible.data.io import read_json, write_json

from . import closed, corrupt, hostile, kills, rubbish, starved
from .common import ROOT, Findings
from .page import write_page
from .workload import small, smoke

RESULTS = ROOT / "results" / "reliability.json"
ALONE = {
    "rubbish": rubbish.run,
    "hostile": hostile.run,
    "closed": closed.run,
}
PARTS = ("kills", "starved", "corrupt", *ALONE)


def main() -> None:
    """Run the parts that are named, or all; of the others the results stay."""
    about = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    about.add_argument("parts", nargs="*", metavar="PART", help=f"default: {' '.join(PARTS)}")
    about.add_argument("--kills", type=int, default=200, help="default %(default)s")
    about.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    text = "writes of a run at which the disk is full (default %(default)s)"
    about.add_argument("--writes", type=int, default=12, help=text)
    text = "disturb two small notebooks, not the smoke run (on a busy machine)"
    about.add_argument("--small", action="store_true", help=text)
    options = about.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        about.error(f"no part {', '.join(unknown)}: give some of {', '.join(PARTS)}")
    content = read_json(RESULTS) if RESULTS.is_file() else {}
    for name in options.parts or PARTS:
        print(f"{name} …", flush=True)
        place = Path(tempfile.mkdtemp(prefix=f"campaign-{name}-"))
        begin = time.monotonic()
        try:
            found = _run(name, place, options).content()
        finally:
            shutil.rmtree(place, ignore_errors=True)
        found |= {
            "package": package_digest()[:12],
            "minutes": round((time.monotonic() - begin) / 60, 1),
        }
        write_json(RESULTS, content := {**content, name: found})
        write_page(content)


def _run(name: str, place: Path, options: argparse.Namespace) -> Findings:
    """One part, in its folder."""
    work = small(place / "small") if options.small else smoke()
    if name == "starved":
        return starved.run(place, options.writes, options.small)
    if name == "kills":
        return kills.run(place, work, options.kills, options.seed)
    return corrupt.run(place, work) if name == "corrupt" else ALONE[name](place)


main()
