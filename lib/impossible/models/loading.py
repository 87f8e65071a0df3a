"""Load and save the models: safetensors only, no remote code, no network unless asked for.

A name is `in-vitro/NAME` (a copy shipped with the package, or this run's own rebuild), a local
folder, or a hub id `owner/name[@revision]`. Only a hub id may use the network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from impossible.data.io import write_json
from impossible.data.run_folder import RunFolder, locate_model
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
    def fingerprint(self) -> str:
        """What its results depend on: its digest and its arithmetic."""
        return f"{self.digest} {getattr(self.model, 'dtype', '')}"

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
    return load_model(AutoModelForCausalLM, "a language model", name, run, dtype, device)


def load_critic(
    name: str,
    run: Run | None = None,
    dtype: str = "auto",
    device: str = "auto",
    entailment_label: str = "entailment",
) -> LanguageModel:
    """Load an NLI classifier such as RoBERTa-large-WANLI.

    Args:
        entailment_label: what its configuration calls entailment, in any case.

    Other arguments and errors as in `load_teacher`.
    """
    kind = "a sentence-pair classifier"
    loaded = load_model(AutoModelForSequenceClassification, kind, name, run, dtype, device)
    entailment_index(loaded.model, entailment_label)
    return loaded


def load_encoder(
    name: str,
    run: Run | None = None,
    dtype: str = "float32",
    device: str = "auto",
) -> LanguageModel:
    """Load a sentence encoder such as SimCSE; in float32 by default because it measures.

    Arguments and errors as in `load_teacher`.
    """
    return load_model(AutoModel, "an encoder", name, run, dtype, device)


def entailment_index(model: Any, label: str = "entailment") -> int:
    """Position of the entailment label, found by its name in `config.id2label` in any case.

    Raises:
        ModelError: no label, or more than one, has this name.
    """
    labels = {int(i): str(name) for i, name in model.config.id2label.items()}
    found = [i for i, name in labels.items() if name.lower() == label.lower()]
    if len(found) != 1:
        raise ModelError(
            f"the critic's labels {sorted(labels.values())} do not name {label} exactly once; "
            "say in the parameter entailment_label what entailment is called in its config.json"
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
    with quiet():
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
        if any((folder / file).is_file() for file in ("config.json", "adapter_config.json")):
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


def load_model(
    auto: Any, kind: str, name: str, run: Run | None = None, dtype: str = "auto",
    device: str = "auto",
) -> LanguageModel:  # fmt: skip
    """Load a model as one of transformers' `auto` classes; an adapter is merged into its base.

    Args:
        auto: such as `AutoModelForCausalLM`.
        kind: what it is called in errors, such as "a language model".

    Other arguments and errors as in `load_teacher`.
    """
    folder, place = locate(name, run), device_named(device)
    base = adapter_base(folder)
    if base is not None:
        below = load_model(auto, kind, base, run, "float32", device)
        whole = peft.PeftModel.from_pretrained(below.model, folder).merge_and_unload()
        both = hashlib.sha256(f"{digest(folder)} {below.digest}".encode()).hexdigest()
        whole = whole.to(resolve(dtype, place)).eval()
        return LanguageModel(whole, below.tokenizer, name, both)
    if not list(folder.glob("*.safetensors")):
        raise ModelError(
            f"the model {name!r} has no .safetensors weights; other formats are not opened because "
            "they can run code: convert it first"
        )
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        with quiet():
            model, report = auto.from_pretrained(
                folder, use_safetensors=True, dtype=resolve(dtype, place),
                output_loading_info=True, **options,
            )  # fmt: skip
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


def adapter_base(folder: Path) -> str | None:
    """The name of the model that a folder's adapter belongs to; None: it holds a whole model."""
    file = folder / "adapter_config.json"
    if not file.is_file():
        return None
    return str(json.loads(file.read_text(encoding="utf-8"))["base_model_name_or_path"])


def is_encoder_decoder(name: str, run: Run | None = None) -> bool:
    """Which kind of student a model is, by its configuration or that of its adapter's base."""
    folder = locate(name, run)
    base = adapter_base(folder)
    if base is not None:
        return is_encoder_decoder(base, run)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # of many kinds
        raise ModelError(f"the model {name!r} has no configuration that opens: {error}") from error
    return bool(config.is_encoder_decoder)


@contextmanager
def quiet() -> Iterator[None]:
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
