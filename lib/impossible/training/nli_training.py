"""Train an NLI critic as an adapter with a head over a pretrained model (paper §3.2 takes one).

The recipe is a file beside the adapter: which human datasets, how many made minimal pairs, layers,
rank, steps. No pair of a test set, nor another one of its premises, is trained on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import peft
import torch
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from impossible.config.yaml_files import read_yaml
from impossible.data.digests import digest
from impossible.data.io import read_json
from impossible.errors import DataError
from impossible.models.model_files import locate
from impossible.models.model_saving import quiet, save_model
from impossible.training.minimal_pairs import ENTAILMENT_LABELS, minimal_pairs
from impossible.training.trainer import TrainingSettings, steps_for, train_model


@dataclass(frozen=True)
class NliRecipe:
    """How an NLI model is trained; read from a YAML file.

    Args:
        base: the pretrained model, for example `pypi:all-minilm-l6-v2`.
        train: NLI files below the data folder, `set/file` without ending, and how many pairs of
            each at most, premise by premise in an order of the seed.
        tests: files whose premises and hypotheses must not be trained on.
        disjoint: recipe whose training premises are left out too (a referee's critic).
        continues: recipe whose adapter this training goes on from; "": a new one.
        made_per_kind: most made minimal pairs of a kind (`minimal_pairs`): of each, or of those
            that are named.
        layers: lowest layers of the base that are used; 0: all.
        rank: of the adapter on every linear layer.
        epochs, batch_size, learning_rate: of training.
        longest: tokens of a pair; what is longer is cut.
        seed: of made pairs, shuffles and new weights.
    """

    base: str
    train: Mapping[str, int]
    tests: tuple[str, ...]
    disjoint: str = ""
    continues: str = ""
    made_per_kind: int | Mapping[str, int] = 3000
    layers: int = 0
    rank: int = 64
    epochs: float = 2
    batch_size: int = 32
    learning_rate: float = 5e-4
    longest: int = 160
    seed: int = 0

    @classmethod
    def load(cls, path: Path) -> NliRecipe:
        """The recipe in a YAML file.

        Raises:
            DataError: a field is unknown or missing.
        """
        fields = read_yaml(path, DataError)
        try:
            given = {"train": dict(fields["train"]), "tests": tuple(fields["tests"])}
            return cls(**{**fields, **given})
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} is no recipe of an NLI model: {error}") from error


def read_nli(folder: Path, names: Iterable[str]) -> pd.DataFrame:
    """Labelled pairs of some files: premise, hypothesis, label, set.

    Labels are entailment, neutral and contradiction; "not_entailment" of two-way sets counts as
    neutral, and other lines are left out.

    Raises:
        DataError: a file is not there.
    """
    rows = []
    for name in names:
        path = folder / f"{name}.jsonl"
        if not path.is_file():
            raise DataError(f"There is no NLI file {path}: give the folder that holds {name}.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            label = {"not_entailment": "neutral"}.get(row["label"], row["label"])
            if label in ENTAILMENT_LABELS:
                rows.append((row["premise"], row["hypothesis"], label, name))
    return pd.DataFrame(rows, columns=["premise", "hypothesis", "label", "set"])


def without_premises(pairs: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Pairs that share neither premise nor hypothesis text with a test pair's premise."""
    known = {text.strip().lower() for text in tests["premise"]}
    shared = pairs[["premise", "hypothesis"]].apply(lambda c: c.str.strip().str.lower().isin(known))
    return pairs[~shared.any(axis=1)].reset_index(drop=True)


def collect_nli(folder: Path, recipe: NliRecipe, recipes: Path) -> pd.DataFrame:
    """The training pairs of a recipe, human ones and made ones (column `kind`, null for human).

    Args:
        folder: of the human NLI data.
        recipe: says which.
        recipes: folder of the recipes that `disjoint` and `continues` name. Made pairs are edits of
            what the first of those that it goes on from took.
    """
    tests = read_nli(folder, recipe.tests)
    if recipe.disjoint:
        other = NliRecipe.load(recipes / f"{recipe.disjoint}.yaml")
        taken = _human_pairs(folder, other, read_nli(folder, other.tests))
        tests = pd.concat([tests, taken], ignore_index=True)
    pairs = _human_pairs(folder, recipe, tests)
    wide = recipe
    while wide.continues:
        wide = NliRecipe.load(recipes / f"{wide.continues}.yaml")
    source = _human_pairs(folder, wide, tests) if recipe.continues else pairs
    texts = [*source["premise"], *source["hypothesis"]]
    made = minimal_pairs(texts, recipe.made_per_kind, recipe.seed).assign(set="made")
    return pd.concat([pairs, made], ignore_index=True)


def _human_pairs(folder: Path, recipe: NliRecipe, tests: pd.DataFrame) -> pd.DataFrame:
    """What a recipe takes of its files: premises in an order of the seed, none of `tests`."""
    parts = []
    for name, most in recipe.train.items():
        pairs = without_premises(read_nli(folder, [name]), tests)
        order = {premise: digest([recipe.seed, premise]) for premise in pairs["premise"].unique()}
        parts.append(pairs.iloc[pairs["premise"].map(order).argsort(kind="stable")].head(most))
    return pd.concat(parts, ignore_index=True)


def train_nli(pairs: pd.DataFrame, recipe: NliRecipe, out: Path) -> dict[str, Any]:
    """Train the adapter and write it with its head, configuration, tokenizer and recipe to `out`.

    An adapter that it goes on from lies beside `out`, under the name of its recipe.

    Returns:
        What recipe.json holds besides the recipe: counts by set, digest of the data, loss.
    """
    model, tokenizer = new_classifier(recipe.base, recipe.layers, recipe.seed)
    before = out.with_name(recipe.continues) if recipe.continues else None
    adapted = _adapted(model, recipe, before)
    adapted.peft_config["default"].base_model_name_or_path = recipe.base
    examples = _examples(tokenizer, pairs, recipe.longest)
    settings = TrainingSettings(
        steps_for(len(examples), recipe.batch_size, recipe.epochs),
        recipe.learning_rate, recipe.batch_size, warmup=0.06, weight_decay=0.01, seed=recipe.seed,
    )  # fmt: skip
    padding = tokenizer.pad_token_id
    history = train_model(
        adapted, examples, lambda rows: _collate(rows, padding), settings,
        checkpoints=out.with_name(f"{out.name}-checkpoints"), key=recipe.base,
    )  # fmt: skip
    notes = {
        "pairs": {str(k): int(v) for k, v in pairs["set"].value_counts().items()},
        "data_digest": digest(pairs.to_numpy().tolist()),
        "train_loss": history.best_loss,
        "first": read_json(before / "recipe.json") if before else {},
    }
    model.config.save_pretrained(out)
    save_model(out, adapted, tokenizer, {**asdict(recipe), **notes}, {})
    return notes


def _adapted(model: Any, recipe: NliRecipe, before: Path | None) -> Any:
    """The model with a new adapter on every linear layer, or with the one that is there."""
    if before:
        adapted = peft.PeftModel.from_pretrained(model, before, is_trainable=True)
        config: Any = adapted.peft_config["default"]  # which names the heads once more each time
        config.modules_to_save = list(dict.fromkeys(config.modules_to_save or ()))
        return adapted
    config = peft.LoraConfig(
        task_type="SEQ_CLS",
        r=recipe.rank,
        lora_alpha=2 * recipe.rank,
        target_modules="all-linear",
        base_model_name_or_path=recipe.base,
    )
    return peft.get_peft_model(model, config)


def new_classifier(base: str, layers: int = 0, seed: int = 0) -> tuple[Any, Any]:
    """The lower layers of a pretrained model with a new head of three labels, and a tokenizer.

    A decoder's tokenizer joins two texts without a mark between them; here it gets one, and an end
    at which the head reads.
    """
    folder = locate(base)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    config.id2label = dict(enumerate(ENTAILMENT_LABELS))
    config.label2id = {label: i for i, label in enumerate(ENTAILMENT_LABELS)}
    config.num_hidden_layers = layers or config.num_hidden_layers
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.sep_token_id:
        _mark_pairs(tokenizer)
    config.pad_token_id = tokenizer.pad_token_id
    torch.manual_seed(seed)
    with quiet():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, config=config, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    return model, tokenizer


def _mark_pairs(tokenizer: Any) -> None:
    between, end = tokenizer.bos_token, tokenizer.eos_token
    ids = [(token, tokenizer.convert_tokens_to_ids(token)) for token in {between, end}]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"$A {end}", pair=f"$A {between} $B {end}", special_tokens=ids
    )
    # padding must differ from the end, at which the head reads
    spare = [t for t in tokenizer.all_special_tokens if t not in (between, end)]
    tokenizer.pad_token = spare[0] if spare else end


def _examples(tokenizer: Any, pairs: pd.DataFrame, longest: int) -> list[Mapping[str, Any]]:
    premises, hypotheses = (list(pairs[name]) for name in ("premise", "hypothesis"))
    encoded = tokenizer(premises, hypotheses, truncation="longest_first", max_length=longest)
    columns = [name for name in ("input_ids", "token_type_ids") if name in encoded]
    labels = [ENTAILMENT_LABELS.index(label) for label in pairs["label"]]
    return [
        {**{name: encoded[name][i] for name in columns}, "labels": label}
        for i, label in enumerate(labels)
    ]


def _collate(rows: Sequence[Mapping[str, Any]], padding: int) -> dict[str, Tensor]:
    longest = max(len(row["input_ids"]) for row in rows)
    batch = {"labels": torch.tensor([row["labels"] for row in rows])}
    for name in rows[0].keys() - {"labels"}:
        filler = padding if name == "input_ids" else 0
        batch[name] = torch.tensor(
            [[*row[name], *[filler] * (longest - len(row[name]))] for row in rows]
        )
    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    batch["attention_mask"] = (torch.arange(longest) < lengths[:, None]).long()  # (rows, longest)
    return batch
