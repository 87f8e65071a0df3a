"""Whether a notebook need not run: its key, and what it wrote.

A stage's key holds the parameters that it was seen to read and that affect results, its models, its
inputs' bytes, its own code and the package's. It is skipped only if the ledger says done under the
same key and everything it wrote still has the recorded digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from impossible.config.params import Params
from impossible.data.digests import digest, package_digest
from impossible.data.identity import identities
from impossible.data.run_folder import RunFolder
from impossible.runner.ledger import Ledger
from impossible.runner.notebook_spec import NotebookSpec, matches


def reads_file(run: RunFolder, name: str) -> Path:
    """Where a notebook notes which parameters it read."""
    return run.work / "reads" / f"{name}.json"


def stage_key(stage: NotebookSpec, params: Params, run: RunFolder, read: Iterable[str]) -> str:
    """Key of a stage as things are now (see the module's text).

    Args:
        stage, params, run: the notebook, the run's parameters and its folder.
        read: the parameters that it was seen to read.
    """
    # threads are the kernel's, whether they are read or not
    values = identities({*read, "threads"}, params, run)
    own = set(_own_files(stage, run))
    found = [path for name in stage.inputs for path in matches(run.root, name) if path not in own]
    inputs = {path.relative_to(run.root).as_posix(): digest(path) for path in found}
    return digest({"values": values, "inputs": inputs, "code": [stage.code, package_digest()]})


def _own_files(stage: NotebookSpec, run: RunFolder) -> list[Path]:
    return [path for name in stage.writes for path in matches(run.root, name)]


def outputs(stage: NotebookSpec, run: RunFolder) -> dict[str, str]:
    """Digest of everything that the stage wrote."""
    return {path.relative_to(run.root).as_posix(): digest(path) for path in _own_files(stage, run)}


def is_done(stage: NotebookSpec, params: Params, run: RunFolder, ledger: Ledger) -> bool:
    """Whether the ledger says done under the key as it is now, and its outputs are unchanged."""
    entry = ledger.entry(stage.name)
    known = {*Params.model_fields, *(n for n in entry.get("read", []) if n.startswith("models/"))}
    noted = entry.keys() >= {"key", "read", "outputs"}
    if entry.get("status") != "done" or not noted or not known >= set(entry["read"]):
        return False  # never done, or what it read exists no more
    same = entry["key"] == stage_key(stage, params, run, entry["read"])
    return bool(same and entry["outputs"] == outputs(stage, run))
