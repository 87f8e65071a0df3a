"""Load and save the models: safetensors only, no remote code, no network unless asked for.

A name is `in-vitro/NAME` (a copy shipped with the package, or this run's own rebuild), a local
folder, or a hub id `owner/name[@revision]`. Only a hub id may use the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from impossible.data.run_folder import RunFolder, locate_model, write_json
from impossible.errors import ModelError
from impossible.models.precision import device_named, resolve

HASHED = (".safetensors", ".json", ".txt", ".model")  # what decides a model's output
Run = RunFolder
NOTES = ("recipe.json", "metrics.json", "README.md")  # what does not


@dataclass(frozen=True)
class LanguageModel:
    """A model in evaluation mode with its tokenizer.

    Attributes:
        model: any `transformers` model.
        tokenizer: its fast tokenizer.
        name: as the user gave it.
        digest: sha256 of weights, configuration and tokenizer; goes into the keys of stages.
    """

    model: Any
    tokenizer: Any
    name: str
    digest: str

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.model.device
        return device

    @property
    def window(self) -> int:
        """Longest sequence in tokens the model can read; huge for relative positions (T5)."""
        config = self.model.config
        size = getattr(config, "max_position_embeddings", None)
        if size is None:
            return 1_000_000
        # RoBERTa numbers its positions from pad_token_id + 1
        return int(size) - (config.pad_token_id + 1 if config.model_type == "roberta" else 0)


def load_teacher(
    name: str,
    run: Run | None = None,
    dtype: str = "auto",
    device: str = "auto",
) -> LanguageModel:
    """Load a language model (decoder) such as GPT-2, GPT2-XL or BioGPT.

    Args:
        name: `in-vitro/NAME`, a local folder, or a hub id `owner/name[@revision]`.
        run: take `in-vitro/NAME` from this run, which has rebuilt it (`params.rebuild_models`),
            not from the package.
        dtype: "auto", "bfloat16" or "float32"; see `arithmetic`.
        device: "auto" takes a GPU if there is one.

    Raises:
        ModelError: not found, without safetensors, or of another architecture.
    """
    return _load(AutoModelForCausalLM, "a language model", name, run, dtype, device)


def load_critic(
    name: str,
    run: Run | None = None,
    dtype: str = "auto",
    device: str = "auto",
) -> LanguageModel:
    """Load an NLI classifier such as RoBERTa-large-WANLI; its labels must name entailment.

    Arguments and errors as in `load_teacher`.
    """
    kind = "a sentence-pair classifier"
    auto = AutoModelForSequenceClassification
    loaded = _load(auto, kind, name, run, dtype, device)
    entailment_index(loaded.model)
    return loaded


def load_student(
    name: str,
    run: Run | None = None,
    dtype: str = "float32",
    device: str = "auto",
) -> LanguageModel:
    """Load an encoder-decoder such as T5; in float32 by default because it is trained.

    Arguments and errors as in `load_teacher`.
    """
    return _load(AutoModelForSeq2SeqLM, "an encoder-decoder", name, run, dtype, device)


def load_encoder(
    name: str,
    run: Run | None = None,
    dtype: str = "float32",
    device: str = "auto",
) -> LanguageModel:
    """Load a sentence encoder such as SimCSE; in float32 by default because it measures.

    Arguments and errors as in `load_teacher`.
    """
    return _load(AutoModel, "an encoder", name, run, dtype, device)


def entailment_index(model: Any) -> int:
    """Position of the entailment label, found by its name in `config.id2label`.

    Raises:
        ModelError: no label, or more than one, is called entailment.
    """
    labels = {int(i): str(label) for i, label in model.config.id2label.items()}
    found = [i for i, label in labels.items() if label.lower() == "entailment"]
    if len(found) != 1:
        raise ModelError(
            f"the critic's labels {sorted(labels.values())} do not name entailment exactly once; "
            "use an NLI model whose config.json has it in id2label"
        )
    return found[0]


def save_model(
    folder: Path,
    model: nn.Module,
    tokenizer: Any,
    recipe: Mapping[str, Any],
    metrics: Mapping[str, Any],
    dtype: str = "float16",
) -> str:
    """Write a model so that `from_pretrained` opens it, and return its digest.

    Args:
        folder: made if missing.
        model: a `transformers` model; left as it is.
        tokenizer: its tokenizer.
        recipe: how it was trained → recipe.json.
        metrics: how good it is → metrics.json.
        dtype: of the stored weights; "float16" halves the size and keeps three digits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored: Any = model
    kind = resolve(dtype, torch.device("cpu"))
    kept = stored.config.dtype
    state = {k: v.to(kind) for k, v in stored.state_dict().items() if v.is_floating_point()}
    # Views of one tied weight became copies above; saving drops the names that are tied
    state = {k: v for k, v in state.items() if k not in set(_tied(stored))}
    stored.config.dtype = kind
    with _quiet():
        stored.save_pretrained(folder, state_dict=state)
    stored.config.dtype = kept
    tokenizer.save_pretrained(folder)
    write_json(folder / "recipe.json", dict(recipe))
    write_json(folder / "metrics.json", dict(metrics))
    return digest(folder)


def digest(folder: Path) -> str:
    """sha256 of weights, configuration and tokenizer in a folder; notes do not count."""
    hasher = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in HASHED and file.name not in NOTES and file.is_file():
            hasher.update(file.name.encode())
            with file.open("rb") as stream:
                hasher.update(hashlib.file_digest(stream, "sha256").digest())
    return hasher.hexdigest()


def locate(name: str, run: Run | None = None) -> Path:
    """Folder of a model; a hub id is downloaded (safetensors, configuration, tokenizer only).

    Raises:
        ModelError: nothing of that name, with what was looked for.
    """
    folder = locate_model(name, run)
    if folder is not None:
        if (folder / "config.json").is_file():
            return folder
        if name.startswith("in-vitro/"):
            there = sorted(p.parent.name for p in folder.parent.glob("*/config.json"))
            raise ModelError(
                f"there is no model {name!r} among {there or 'none'}; "
                "run notebook 01 with rebuild_models=true to build it"
            )
        raise ModelError(f"the folder {name!r} holds no model: it has no config.json")
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise ModelError(
            f"there is no model {name!r}: give in-vitro/NAME, an existing folder, "
            "or a hub id owner/name[@revision]"
        )
    return _download(name)


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download  # only here may the network be used

    repository, _, revision = name.partition("@")
    patterns = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model"]
    try:
        return Path(
            snapshot_download(repository, revision=revision or None, allow_patterns=patterns)
        )
    except Exception as error:  # the hub client raises a dozen unrelated kinds
        raise ModelError(
            f"the hub model {name!r} could not be fetched ({type(error).__name__}); check the name "
            "and the network, or give a local folder"
        ) from error


def _load(
    auto: Any, kind: str, name: str, run: Run | None, dtype: str, device: str
) -> LanguageModel:
    folder = locate(name, run)
    if not list(folder.glob("*.safetensors")):
        raise ModelError(
            f"the model {name!r} has no .safetensors weights; other formats are not opened because "
            "they can run code: convert it first"
        )
    place = device_named(device)
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        with _quiet():
            model, report = auto.from_pretrained(
                folder,
                use_safetensors=True,
                dtype=resolve(dtype, place),
                output_loading_info=True,
                **options,
            )
    except Exception as error:  # from_pretrained raises many kinds; one sentence for all of them
        first = str(error).strip().partition("\n")[0][:200]
        raise ModelError(f"the model {name!r} cannot be opened as {kind}: {first}") from error
    missing = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if missing:
        raise ModelError(
            f"the model {name!r} is not {kind}: its weights lack {missing[0]!r} "
            f"and {len(missing) - 1} more"
        )
    return LanguageModel(model.to(place).eval(), tokenizer, name, digest(folder))


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings and bars from transformers: what matters is raised as an error."""
    log: Any = transformers.logging
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()


def _tied(model: Any) -> list[str]:
    """Names whose weight is stored under another name (output layer = embedding)."""
    seen: dict[int, str] = {}
    tied = []
    for name, weight in model.state_dict(keep_vars=True).items():
        if id(weight) in seen:
            tied.append(name)
        seen.setdefault(id(weight), name)
    return tied
