"""Upload what `distil` made: the dataset, and the student with its adapter beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from impossible.errors import DataError, RunError
from impossible.models.hub import is_offline
from impossible.runner.distilled_folder import DATASET_FOLDER, MERGED, STUDENT

_PARTS = {  # folder → kind of repository, and where in it
    DATASET_FOLDER: ("dataset", "."),
    MERGED: ("model", "."),
    STUDENT: ("model", "adapter"),
}


def uploads(out: Path, name: str) -> list[str]:
    """What an upload would do, one line for each part.

    Raises:
        DataError: a part is missing, or `name` is no owner/name.
    """
    if name.count("/") != 1 or not all(name.split("/")):
        raise DataError(f"--to {name}: give owner/name, such as --to me/my-paraphrases.")
    lines = []
    for part, (kind, place) in _PARTS.items():
        folder = out / part
        if not (folder / "README.md").is_file():
            raise DataError(f"{out} has no {part}/: make it with impossible distil --out {out}.")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        lines.append(f"{folder} ({size / 1e6:,.1f} MB) → {kind} repository {name}, at {place}")
    return lines


def push_distilled(out: Path, name: str, public: bool, api: Any = None) -> list[str]:
    """Upload; returns the addresses of the repositories.

    Args:
        out: of `distil`; its work/ stays here.
        name: owner/name, of both repositories.
        public: whether new repositories can be seen by all.
        api: a `huggingface_hub.HfApi`, which finds the user's token by itself.

    Raises:
        RunError: this machine is offline, the hub refuses, or the licence of a text that is to be
            public is not known.
    """
    uploads(out, name)
    card = (out / DATASET_FOLDER / "README.md").read_text(encoding="utf-8")
    if public and 'license: "unknown"' in card:
        raise RunError(
            "Nothing is uploaded: nobody has said under which licence the text may be public; run "
            "distil again with --licence, or leave --public out."
        )
    if is_offline():
        raise RunError("Nothing is uploaded: HF_HUB_OFFLINE says that this machine is offline.")
    if api is None:
        from huggingface_hub import HfApi

        api = HfApi()
    found = {}
    try:
        for part, (kind, place) in _PARTS.items():
            found[kind] = api.create_repo(name, repo_type=kind, private=not public, exist_ok=True)
            api.upload_folder(
                repo_id=name, repo_type=kind, folder_path=str(out / part), path_in_repo=place,
                commit_message="Made by impossible distil",
            )  # fmt: skip
    except Exception as bad:  # the hub client raises a dozen unrelated kinds
        first = " ".join(str(bad).split())[:200]
        raise RunError(
            f"The upload to {name} failed ({type(bad).__name__}: {first}): check the network and "
            "`hf auth login`, and push again."
        ) from bad
    return [str(each) for each in found.values()]
