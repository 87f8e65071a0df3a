"""What the laboratory's critic says about labelled pairs, and what its models are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.data.io import read_json
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.world.nli import Example


def judged_examples(critic: EntailmentCritic, examples: Sequence[Example]) -> pd.DataFrame:
    """What the critic says about labelled pairs, with the traits by which its errors are grouped.

    A row per pair: premise, hypothesis, gold, predicted (labels in lower case), p_<label> for each
    label, correct (0/1), and the traits `edit`, `modifiers`, `numbers`, `negation`, `words`.
    """
    config = critic.lm.model.config
    labels = [str(config.id2label[i]).lower() for i in range(config.num_labels)]
    chances = critic.distributions([(e.premise, e.hypothesis) for e in examples])
    frame = pd.DataFrame([_traits(example) for example in examples])
    frame["gold"] = [example.gold for example in examples]
    frame["predicted"] = [labels[i] for i in chances.argmax(axis=1)]
    frame["correct"] = (frame["gold"] == frame["predicted"]).astype(int)
    return frame.assign(**{f"p_{label}": chances[:, i] for i, label in enumerate(labels)})


def _traits(example: Example) -> dict[str, str]:
    """Texts of a pair and the groups it belongs to."""
    facts, edits = (example.premise_fact, example.hypothesis_fact), example.edits
    modifiers = max(len(fact.modifiers) for fact in facts)
    numeric = any(
        any(entity.number.isdigit() for _, entity in fact.roles)
        or any(modifier.kind == "quantity" for modifier in fact.modifiers)
        for fact in facts
    )
    words = max(len(text.split()) for text in (example.premise, example.hypothesis))
    start = min(5 * ((words - 1) // 5), 25)
    return {
        "premise": example.premise,
        "hypothesis": example.hypothesis,
        "edit": "several edits" if len(edits) > 1 else "".join(edits).replace("_", " ") or "none",
        "modifiers": str(modifiers) if modifiers < 4 else "4 or more",
        "numbers": "yes" if numeric else "no",
        "negation": ("neither", "one", "both")[sum(bool(fact.negated) for fact in facts)],
        "words": f"{start + 1}–{start + 5}" if start < 25 else "26 or more",
    }


def model_card(name: str, lm: LanguageModel, folder: Path) -> dict[str, Any]:
    """A model's architecture and size, and its recipe and metrics where its folder tells them."""
    notes: dict[str, Any] = {}
    for file in ("recipe.json", "metrics.json"):
        notes |= read_json(folder / file) if (folder / file).is_file() else {}
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return {
        "model": name,
        "architecture": type(lm.model).__name__,
        "parameters (M)": lm.model.num_parameters() / 1e6,
        "weights (MB)": weights / 1e6,
        **{column: notes.get(column) for column in ("texts", "steps")},
        "dev loss": notes.get("dev_loss"),
        "digest": lm.digest[:12],
    }
