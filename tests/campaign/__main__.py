"""`python -m tests.campaign [--kills N] [--units N] [PART …]`: run parts, write what they found."""

from __future__ import annotations

import argparse
import math
import random
import shutil
import tempfile
import time
from pathlib import Path

from impossible.data.digests import package_digest
from impossible.data.io import read_json, write_json

from . import closed, corrupt, hostile, kills, long, rubbish, starved, unpacked
from .common import ROOT, Findings
from .page import write_page
from .workload import absent_models, english, small, smoke, tiny_english

RESULTS = ROOT / "results" / "reliability.json"
FETCHES = 20  # that are killed
ALONE = {
    "rubbish": rubbish.run,
    "hostile": hostile.run,
}
PARTS = ("kills", "english", "long", "starved", "corrupt", *ALONE, "closed")


def main() -> None:
    """Run the parts that are named, or all; of the others the results stay."""
    about = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    about.add_argument("parts", nargs="*", metavar="PART", help=f"default: {' '.join(PARTS)}")
    about.add_argument("--kills", type=int, default=200, help="default %(default)s")
    text = "SIGKILLs of a run with the real models, which takes minutes (default %(default)s)"
    about.add_argument("--real", type=int, default=10, help=text)
    text = "after which the parts kills and english begin no further run (default: no limit)"
    about.add_argument("--minutes", type=float, default=math.inf, help=text)
    about.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    text = "of work in the part long (default %(default)s)"
    about.add_argument("--units", type=int, default=53_000, help=text)  # a tenth of pairs has none
    text = "writes of a run at which the disk is full (default %(default)s)"
    about.add_argument("--writes", type=int, default=0, help=f"{text}; default: every one")
    text = "disturb two small notebooks, not the smoke run; some tests (on a busy machine)"
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
    if name in ALONE:
        return ALONE[name](place)
    if name == "starved":
        return starved.run(place, options.writes, options.small)
    if name == "closed":
        return closed.run(options.small)
    if name == "long":
        return long.run(place, options.units)
    if name == "english":
        return _english(place, options)
    work = small(place / "small") if options.small else smoke()
    if name == "corrupt":
        return corrupt.run(place, work)
    found = kills.run(place, work, options.kills, options.seed, options.minutes)
    unpacked.kill_fetches(place / "fetch", found, FETCHES, random.Random(options.seed))
    if options.small:
        found.not_run["kills of the smoke run"] = "the machine was too busy; leave --small out"
    return found


def _english(place: Path, options: argparse.Namespace) -> Findings:
    """Kills of an English run with tiny models, and a few with its own where they are there."""
    found = kills.run(
        place / "tiny", tiny_english(place), options.kills, options.seed, options.minutes
    )
    if absent := absent_models():
        reason = f"{', '.join(absent)} not in the cache: impossible fetch english"
        found.not_run["kills of a run with the real models"] = reason
    elif options.real:
        real = kills.run(place / "real", english(), options.real, options.seed, options.minutes)
        found.figures |= {f"real models: {name}": n for name, n in real.figures.items()}
        found.wrong += real.wrong
    return found


main()
