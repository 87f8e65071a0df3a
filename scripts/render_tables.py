"""Write the tables of published results anew from their notes, where the format has changed.

    python scripts/render_tables.py results/english

The numbers stay; Markdown and LaTeX are made again, and the manifest gets their new digests. A
manifest or a note that was changed after the run is not covered up: the one is refused, of the
other no table is written.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from impossible.data.digests import digest  # noqa: E402
from impossible.data.io import read_json, write_json, write_text  # noqa: E402
from impossible.errors import DataError  # noqa: E402
from impossible.runner.verification import table_formats  # noqa: E402


def rendered(run: Path) -> list[str]:
    """Write what differs; returns the names of these files."""
    manifest = read_json(run / "manifest.json")
    own = manifest.pop("digest", None)
    if own not in (None, digest(manifest)):
        raise DataError(f"{run}/manifest.json was changed after the run: run its notebooks again.")
    outputs = [entry["outputs"] for entry in manifest["notebooks"].values() if "outputs" in entry]
    written = []
    for path in sorted((run / "tables").glob("*.json")):
        note = path.relative_to(run).as_posix()
        if all(files.get(note) != digest(path) for files in outputs):
            continue
        for file, text in table_formats(path, read_json(path)):
            if not file.is_file() or file.read_text(encoding="utf-8") == text:
                continue
            write_text(file, text)
            name = file.relative_to(run).as_posix()
            written.append(name)
            for files in outputs:
                if name in files:
                    files[name] = digest(file)
    if own:
        manifest["digest"] = digest(manifest)
    write_json(run / "manifest.json", manifest)
    return written


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(f"{folder}: {len(rendered(Path(folder)))} files written anew")
