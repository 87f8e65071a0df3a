"""Open models by name: safetensors only, no remote code."""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peft
import safetensors
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from impossible.data.run_folder import RunFolder
from impossible.errors import ModelError
from impossible.models.model_files import (
    adapter_base,
    adapter_settings,
    locate,
    model_digest,
    require_safetensors,
)
from impossible.models.model_saving import quiet
from impossible.models.precision import device_named, dtype_named

# What peft says of an adapter whose base has a name and no folder: nothing that a reader of a
# notebook could act on, and it names folders of this machine.
for _message in (
    "The PEFT config's `base_model_name_or_path` was renamed",
    "Could not find a config file in",
    "`is_gradient_checkpointing` is deprecated",
):
    warnings.filterwarnings("ignore", _message)

#: Files of which a tokenizer has one. Where there is none, transformers makes an empty one up.
_TOKENIZERS = ("tokenizer.json", "vocab*", "*.model")
_OVERFLOWING = ("t5", "mt5", "umt5")  # in float16, as they were trained in bfloat16

# Packages that transformers asks for → what is missing: BioGPT's Moses; SentencePiece, of which a
# folder without tokenizer.json has only the `.model`, and which it takes for tiktoken's at last.
_PACKAGES = {"sacremoses": "sacremoses", "tiktoken": "sentencepiece protobuf"}

_OPTIONS: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


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
        # RoBERTa and MPNet number their positions from pad_token_id + 1
        shifted = config.model_type in ("roberta", "mpnet")
        return int(size) - (config.pad_token_id + 1 if shifted else 0)


def load_teacher(
    name: str, run: RunFolder | None = None, dtype: str = "auto", device: str = "auto"
) -> LanguageModel:
    """Load a language model (decoder) such as GPT-2, GPT2-XL or BioGPT.

    Args:
        name: see `model_files.locate`; also the folder of an adapter.
        run: take `in-vitro/NAME` from this run, which has rebuilt it, not from the package.
        dtype: "auto", "bfloat16" or "float32"; see `precision`.
        device: "auto" takes a GPU if there is one.

    Raises:
        ModelError: not found, without safetensors, or of another architecture.
    """
    return load_model(AutoModelForCausalLM, "a language model", name, run, dtype, device)


def load_critic(
    name: str,
    run: RunFolder | None = None,
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
    name: str, run: RunFolder | None = None, dtype: str = "float32", device: str = "auto"
) -> LanguageModel:
    """Load a sentence encoder such as SimCSE; in float32 by default because it measures.

    Arguments and errors as in `load_teacher`.
    """
    if is_encoder_decoder(name, run):
        raise ModelError(f"{name!r} is no encoder but an encoder-decoder: give a model like SimCSE")
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


def load_model(
    auto: Any, kind: str, name: str, run: RunFolder | None = None, dtype: str = "auto",
    device: str = "auto", adapter: Path | None = None,
) -> LanguageModel:  # fmt: skip
    """Load a model as one of transformers' `auto` classes; an adapter is merged into its base.

    Args:
        auto: such as `AutoModelForCausalLM`.
        kind: what it is called in errors, such as "a language model".
        adapter: folder of what will be merged into it: a configuration there (labels, number of
            layers) and a tokenizer there take the place of the base's.

    Other arguments and errors as in `load_teacher`.
    """
    folder, place = locate(name, run), device_named(device)
    base = adapter_base(folder)
    if base is not None:
        below = load_model(auto, kind, base, run, "float32", device, folder)
        merged = _adapted(below.model, folder).merge_and_unload()
        both = hashlib.sha256(f"{model_digest(folder)} {below.digest}".encode()).hexdigest()
        merged = merged.to(_dtype_of(merged.config, name, dtype, place)).eval()
        return LanguageModel(merged, below.tokenizer, name, both)
    require_safetensors(folder, name)
    model, tokenizer = _opened(auto, kind, name, folder, dtype, place, adapter)
    return LanguageModel(model.to(place).eval(), tokenizer, name, model_digest(folder))


def _dtype_of(config: Any, name: str, dtype: str, place: torch.device) -> torch.dtype:
    """The type of a model's numbers; none in which its own grow too large."""
    chosen = dtype_named(dtype, place)
    if chosen is torch.float16 and config.model_type in _OVERFLOWING:
        raise ModelError(
            f"the model {name!r} cannot compute in float16: the activations of a T5 exceed its "
            "largest number and become inf; give dtype=bfloat16 or dtype=float32"
        )
    return chosen


def _opened(
    auto: Any, kind: str, name: str, folder: Path, dtype: str, place: torch.device,
    adapter: Path | None,
) -> tuple[Any, Any]:  # fmt: skip
    """Model and tokenizer of a folder, perhaps for an adapter."""
    above = adapter or folder
    places = {
        part: above if (above / file).is_file() else folder
        for part, file in (("config", "config.json"), ("tokenizer", "tokenizer.json"))
    }
    if not [file for kind in _TOKENIZERS for file in places["tokenizer"].glob(kind)]:
        raise ModelError(
            f"the model {name!r} has no tokenizer in {places['tokenizer']} (tokenizer.json, "
            "vocab.* or *.model): save it there."
        )
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(places["tokenizer"], **_OPTIONS)
            config = AutoConfig.from_pretrained(places["config"], **_OPTIONS)
            number = _dtype_of(config, name, dtype, place)
            model, report = auto.from_pretrained(
                folder, config=config, use_safetensors=True, dtype=number,
                output_loading_info=True, **_OPTIONS,
            )  # fmt: skip
    except ModelError:
        raise
    except Exception as error:  # from_pretrained raises many kinds; one sentence for all of them
        raise ModelError(_why_not(error, name, kind)) from error
    expected = ("pooler", *_own_modules(adapter))
    missing = sorted(
        key for key in report["missing_keys"] if not any(part in key for part in expected)
    )
    if missing:
        raise ModelError(
            f"the model {name!r} is not {kind}: its weights lack {missing[0]!r} "
            f"and {len(missing) - 1} more"
        )
    return model, tokenizer


def _why_not(error: Exception, name: str, kind: str) -> str:
    """Why a model cannot be opened, in a sentence."""
    for package, wanted in _PACKAGES.items():
        if package in str(error):
            return (
                f"the tokenizer of the model {name!r} needs a package that is not installed here: "
                f"`pip install {wanted}`, and start again"
            )
    if found := re.match(r"Unrecognized configuration class .*\.(\w+)Config'>", str(error)):
        return f"the model {name!r} cannot be opened as {kind}: it is {found[1]}"
    first = str(error).strip().partition("\n")[0][:200]
    return f"the model {name!r} cannot be opened as {kind}: {first}"


def _adapted(model: Any, folder: Path) -> Any:
    """A model with the adapter of a folder, all of whose weights are there."""
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():  # peft would look on the hub
        raise ModelError(f"the adapter in {folder} has no {weights.name}: copy it there.")
    try:
        with safetensors.safe_open(weights, "pt") as file:
            stored = set(file.keys())
        adapted = peft.PeftModel.from_pretrained(model, folder)
    except Exception as error:  # of many kinds
        first = str(error).strip().partition("\n")[0][:200]
        raise ModelError(f"the adapter in {folder} cannot be opened: {first}") from error
    if missing := sorted(set(peft.get_peft_model_state_dict(adapted)) - stored):
        raise ModelError(
            f"the adapter in {folder} is not one for this kind of model: its weights lack "
            f"{missing[0]!r} and {len(missing) - 1} more"
        )
    return adapted


def _own_modules(adapter: Path | None) -> list[str]:
    """Whole modules that an adapter brings, such as a classifier's head."""
    if adapter is None:
        return []
    return list((adapter_settings(adapter) or {}).get("modules_to_save") or [])


def is_encoder_decoder(name: str, run: RunFolder | None = None) -> bool:
    """Which kind of student a model is, by its configuration or that of its adapter's base."""
    folder = locate(name, run)
    base = adapter_base(folder)
    if base is not None:
        return is_encoder_decoder(base, run)
    try:
        config = AutoConfig.from_pretrained(folder, **_OPTIONS)
    except Exception as error:  # of many kinds
        raise ModelError(f"the model {name!r} has no configuration that opens: {error}") from error
    return bool(config.is_encoder_decoder)
