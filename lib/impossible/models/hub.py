"""Models of the Hugging Face hub, in the hub's own cache; no other model needs the network."""

from __future__ import annotations

import os
from pathlib import Path

from impossible.errors import ModelError

_FILES = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model"]


def cached(name: str) -> Path | None:
    """Folder of a hub id `owner/name[@revision]` if all of it is in the cache; asks no network."""
    try:
        folder = _snapshot(name, local_files_only=True)
    except Exception:  # the hub client raises a dozen unrelated kinds
        return None
    return folder if any(folder.glob("*.safetensors")) else None


def download(name: str) -> Path:
    """Folder of a hub id: what is not in the cache is fetched, weights as safetensors only.

    Raises:
        ModelError: the hub is not reached, or has no such repository or revision.
    """
    try:
        return _snapshot(name)
    except Exception as error:  # see `cached`
        raise ModelError(
            f"the hub model {name!r} is not in the cache {hub_cache()} and could not be fetched "
            f"({_reason(error)}): check the name, run `impossible fetch PARAMS` with a network, "
            "or give a local folder"
        ) from error


def hub_cache() -> Path:
    """Where the hub's own library keeps models: `HF_HUB_CACHE`, or below `HF_HOME`."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def is_offline() -> bool:
    """Whether the user has forbidden the network, by HF_HUB_OFFLINE."""
    return os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "ON", "YES", "TRUE")


def megabytes(folder: Path) -> str:
    """Size of a model's folder, in words."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{total / 1e6:.0f} MB"


def _snapshot(name: str, local_files_only: bool = False) -> Path:
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    return Path(
        snapshot_download(
            repository, revision=revision or None, allow_patterns=_FILES,
            local_files_only=local_files_only,
        )
    )  # fmt: skip


def _reason(error: Exception) -> str:
    from huggingface_hub import errors

    if is_offline():
        return "HF_HUB_OFFLINE is set"
    known = {
        errors.GatedRepoError: "its owner asks for a login",
        errors.RepositoryNotFoundError: "the hub has no such repository, or it is private",
        errors.RevisionNotFoundError: "the hub has no such revision",
        errors.LocalEntryNotFoundError: "the hub does not answer",
    }
    said = [sentence for kind, sentence in known.items() if isinstance(error, kind)]
    return said[0] if said else type(error).__name__
