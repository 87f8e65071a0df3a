"""How good an NLI critic is: on test sets, minimal pairs and human-labelled paraphrases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from impossible.config.params import Params
from impossible.data.human_datasets import take
from impossible.data.io import read_json
from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.calibration import BINS, calibration_curve, fraction
from impossible.evaluation.expectations import Expected, per_cent
from impossible.filtering.similarity import OFF
from impossible.models.model_files import locate
from impossible.models.nli import EntailmentCritic
from impossible.training.minimal_pairs import ENTAILMENT_LABELS, minimal_pairs
from impossible.training.nli_training import read_nli

LEAST_ACCURACY = {"MultiNLI mismatched": 76.0, "SNLI": 84.0}  # per cent
MOST_ACCEPTED = 10.0  # per cent of the minimal pairs of a kind that do not follow
MOSTLY = 50.0  # per cent
MOST_LOST = 1.0  # per cent of what the critic keeps, by the cosine before it
NLI_TESTS = {"MultiNLI mismatched": "mnli_dev/dev_mismatched", "SNLI": "snli/test"}
TABLES = {
    "accuracy": ["set", "value", "low", "high", "n"],
    "kinds": ["kind", "not entailed", "entailed", "wrongly accepted", "wrongly rejected"],
    "curve": ["set", "threshold", "precision", "recall", "n"],
    "calibration": ["predicted", "observed", "low", "high", "n"],
}
#: Human-labelled paraphrase pairs, none of them a test set of the systems.
LABELLED_PARAPHRASES = {"MRPC train": "mrpc/train", "PAWS-X dev": "pawsx_en/dev"}


def captions(params: Params) -> dict[str, str]:
    """Of the tables that notebook 26 saves, by their name in `TABLES`: who, and from where on."""
    who, least = f"The critic {params.critic}", params.entailment_threshold
    return {
        "accuracy": f"{who} on human NLI data: labels (entailment, neutral, contradiction) that "
        f"are right, per cent, with Wilson intervals at {params.confidence:.0%}.",
        "kinds": f"{who} on minimal pairs, a human sentence and an edit of it, by kind of edit: "
        "pairs that follow or do not, and errors in per cent of these; accepted is an entailment "
        f"of {least:g} or more.",
        "curve": f"{who} on pairs that people called paraphrases or not: precision and recall, per "
        "cent, where both directions of entailment reach a threshold (the pipeline's: "
        f"{least:g}); n pairs do.",
    }


def predicted_labels(critic: EntailmentCritic, pairs: pd.DataFrame) -> NDArray[np.object_]:
    """The most probable label of each premise and hypothesis, shape (n,)."""
    names = np.array([name.lower() for name in critic.lm.model.config.id2label.values()], object)
    asked = list(zip(pairs["premise"], pairs["hypothesis"], strict=True))
    return np.asarray(names[critic.distributions(asked).argmax(1)])


def nli_accuracy(
    critic: EntailmentCritic, sets: Mapping[str, pd.DataFrame], confidence: float = 0.95
) -> pd.DataFrame:
    """Fraction of labels that are right: set, value, low, high (per cent, Wilson's interval) and n.

    `sets` maps names to premise, hypothesis, label.
    """
    rows = []
    for name, pairs in sets.items():
        right = predicted_labels(critic, pairs) == pairs["label"].to_numpy()
        found = fraction(right, confidence)
        rows.append((name, *(100 * bound for bound in found.bounds), found.n))
    return pd.DataFrame(rows, columns=TABLES["accuracy"])


def confusion(critic: EntailmentCritic, pairs: pd.DataFrame) -> pd.DataFrame:
    """Counts of predicted labels (columns) by gold label (rows)."""
    predicted = pd.Categorical(predicted_labels(critic, pairs), ENTAILMENT_LABELS)
    gold = pd.Categorical(pairs["label"], ENTAILMENT_LABELS)
    return pd.crosstab(gold, predicted, rownames=["gold"], colnames=["predicted"], dropna=False)


def fitted_temperature(critic: EntailmentCritic, pairs: pd.DataFrame) -> float:
    """The temperature by which logits are divided so that probabilities mean what they say.

    The critic is at temperature 1; the pairs neither trained nor test it.

    Source: Guo et al. 2017, *On calibration of modern neural networks*.
    """
    asked = list(zip(pairs["premise"], pairs["hypothesis"], strict=True))
    logits = np.log(np.clip(critic.distributions(asked), 1e-12, None))
    order = [name.lower() for name in critic.lm.model.config.id2label.values()]
    gold = pairs["label"].map(order.index).to_numpy()

    def loss(temperature: float) -> float:
        return -float(log_softmax(logits / temperature, axis=1)[np.arange(len(gold)), gold].mean())

    return float(minimize_scalar(loss, bounds=(0.25, 10), method="bounded").x)


def entailment_calibration(critic: EntailmentCritic, pairs: pd.DataFrame) -> pd.DataFrame:
    """`calibration_curve` of the probability of entailment."""
    asked = list(zip(pairs["premise"], pairs["hypothesis"], strict=True))
    return calibration_curve(critic.probabilities(asked), pairs["label"] == "entailment")


def test_pairs(folder: Path) -> dict[str, pd.DataFrame]:
    """The NLI test sets that the folder has."""
    found = {name: file for name, file in NLI_TESTS.items() if (folder / f"{file}.jsonl").is_file()}
    return {name: read_nli(folder, [file]) for name, file in found.items()}


def recorded_table(name: str, table: str) -> pd.DataFrame:
    """What was measured when the critic was trained: a table of its metrics.json, or no row."""
    path = locate(name) / "metrics.json"
    rows = read_json(path).get(table, []) if path.is_file() else []
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else TABLES[table])


def by_kind(
    critic: EntailmentCritic, premises: Sequence[str], per_kind: int = 200, threshold: float = 0.75,
    seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Decisions about minimal pairs made of human premises, at most `per_kind` of each kind.

    Returns:
        kind, `not entailed` and `entailed` (n of pairs), `wrongly accepted` and `wrongly rejected`
        (per cent of these; NaN where there is none).
    """
    made = minimal_pairs(premises, per_kind, seed)
    accepted = critic.probabilities(list(zip(made["premise"], made["hypothesis"], strict=True)))
    made = made.assign(accepted=accepted >= threshold, gold=made["label"] == "entailment")
    rows = []
    for kind, group in made.groupby("kind", sort=False):
        yes, no = group[group["gold"]], group[~group["gold"]]
        errors = (100 * no["accepted"].mean(), 100 * (1 - yes["accepted"].mean()))
        rows.append((kind, len(no), len(yes), *errors))
    return pd.DataFrame(rows, columns=TABLES["kinds"])


def labelled_paraphrases(folder: Path, n: int | None = None) -> pd.DataFrame:
    """Pairs that people labelled: set, source, target, gold (bool); at most n of each set."""
    parts = []
    for name, file in LABELLED_PARAPHRASES.items():
        path = folder / f"{file}.jsonl"
        if path.is_file():
            frame = take(pd.read_json(path, lines=True, dtype=False), n)
            gold = frame["label"].astype(int) == 1
            parts.append(frame[["source", "target"]].assign(set=name, gold=gold))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def both_directions(critic: EntailmentCritic, pairs: pd.DataFrame) -> NDArray[np.float64]:
    """The smaller probability of entailment of the two directions of source and target, (n,)."""
    ways: list[Any] = [
        critic.probabilities(list(zip(pairs[a], pairs[b], strict=True)))
        for a, b in (("source", "target"), ("target", "source"))
    ]
    return np.asarray(np.minimum(*ways))


def threshold_curve(
    critic: EntailmentCritic, pairs: pd.DataFrame, thresholds: Sequence[float]
) -> pd.DataFrame:
    """Precision and recall of *both directions at least τ* on `labelled_paraphrases`.

    Returns:
        set, threshold, precision, recall (per cent) and n accepted.
    """
    scored, rows = pairs.assign(p=both_directions(critic, pairs)), []
    for name, group in scored.groupby("set", sort=False):
        for least in thresholds:
            kept = group["gold"][group["p"] >= least]
            recall = kept.sum() / max(1, group["gold"].sum())
            precision = kept.mean() if len(kept) else np.nan
            rows.append((name, least, 100 * precision, 100 * recall, len(kept)))
    return pd.DataFrame(rows, columns=TABLES["curve"])


def lost_before(
    critic: EntailmentCritic, encoder: Any, pairs: pd.DataFrame, threshold: float, cosine: float
) -> Interval:
    """How much of what the critic accepts in both directions a cosine before it refuses.

    Args:
        critic: asked about all pairs.
        encoder: of sentences, `embed(texts)` with unit norm.
        pairs: of `labelled_paraphrases`.
        threshold: of entailment.
        cosine: `similarity_min`; at -1 nothing is refused, and nothing measured.
    """
    if cosine <= OFF or not len(pairs):
        return fraction([])
    kept = pairs[both_directions(critic, pairs) >= threshold]
    x, y = (encoder.embed(kept[side].tolist()) for side in ("source", "target"))
    return fraction(np.einsum("nd,nd->n", x, y) < cosine)


def critic_expected(
    found: Mapping[str, pd.DataFrame], lost: Interval, threshold: float, confidence: float = 0.95
) -> list[Expected]:
    """What notebook 26 expects of a critic.

    Args:
        found: `accuracy`, `calibration`, `kinds` and `curve` with the columns of `TABLES`.
        lost: of `lost_before`.
        threshold: of entailment; of `calibration`, bins count that lie wholly above it.
        confidence: of Wilson's intervals.
    """
    rows = {str(row["set"]): row for row in found["accuracy"].to_dict("records")}
    right = {
        name: Interval(row["value"], row["low"], row["high"], row["n"])
        for name, row in rows.items()
    }
    # a bin is known by its mean alone, which lies above an edge where all of the bin does
    edge = math.ceil(round(threshold * BINS, 9)) / BINS
    sure = found["calibration"][found["calibration"]["predicted"] > edge].astype(float)
    follow = _counted(100 * sure["observed"] @ sure["n"], sure["n"].sum(), confidence)
    said = f"entailment by people, where the critic gives it more than {edge:g}"
    said += f", the first bin's edge from {threshold:g} on, %" if edge > threshold else ", %"
    return [
        *(
            Expected(f"accuracy, {name}, %", right.get(name, fraction([])), over=least)
            for name, least in LEAST_ACCURACY.items()
        ),
        Expected(said, follow, over=100 * edge),
        *(
            Expected(f"accepted, though the meaning changed ({kind}), %", each, under=MOST_ACCEPTED)
            for kind, each in _accepted_by_kind(found["kinds"], confidence).items()
        ),
        *(
            Expected(f"paraphrases by people, of what passes ({name}), %", each, over=MOSTLY)
            for name, each in _right_at(found["curve"], threshold, confidence).items()
        ),
        Expected(
            "refused by the cosine, of what the critic accepts both ways, %", per_cent(lost),
            under=MOST_LOST,
        ),
    ]  # fmt: skip


def _accepted_by_kind(kinds: pd.DataFrame, confidence: float) -> dict[str, Interval]:
    """How many of the minimal pairs that do not follow are accepted, per cent by kind."""
    known = kinds[kinds["not entailed"] > 0].to_dict("records")
    return {
        str(row["kind"]): _counted(
            row["wrongly accepted"] * row["not entailed"], row["not entailed"], confidence
        )
        for row in known
    }


def _right_at(curve: pd.DataFrame, threshold: float, confidence: float) -> dict[str, Interval]:
    """Precision at the threshold, per cent by set."""
    known = curve[(curve["threshold"].astype(float) == threshold) & (curve["n"] > 0)]
    return {
        str(row["set"]): _counted(row["precision"] * row["n"], row["n"], confidence)
        for row in known.to_dict("records")
    }


def _counted(hundreds: float, n: float, confidence: float) -> Interval:
    """Per cent of n outcomes with Wilson's interval; `hundreds` is the sum of n percentages."""
    return per_cent(fraction(np.arange(int(n)) < round(hundreds / 100), confidence))
