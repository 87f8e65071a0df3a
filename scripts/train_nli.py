"""Train and measure an NLI model that ships: its recipe is lib/impossible/english/NAME.yaml.

    python scripts/train_nli.py critic DATA       # train (an hour on one core), calibrate, measure
    python scripts/train_nli.py referee DATA --measure    # calibrate and measure what is there

DATA is the folder of the human datasets. The adapter, its recipe and its measurements are written
to lib/impossible/english/NAME; a referee's error counts too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))
ENGLISH = ROOT / "lib" / "impossible" / "english"

from impossible.data.human_datasets import take  # noqa: E402
from impossible.data.io import read_json, write_json  # noqa: E402
from impossible.evaluation import referee_errors  # noqa: E402
from impossible.evaluation.judges import Referee  # noqa: E402
from impossible.experiments import nli_quality as quality  # noqa: E402
from impossible.models.loading import load_critic  # noqa: E402
from impossible.models.model_files import fetch_missing, locate  # noqa: E402
from impossible.models.nli import TEMPERATURE, EntailmentCritic  # noqa: E402
from impossible.training.nli_training import (  # noqa: E402
    NliRecipe,
    collect_nli,
    read_nli,
    train_nli,
)

#: Neither trained on nor tested: for the temperature.
CALIBRATION = ["snli/dev", "lingnli/dev"]
THRESHOLDS = [0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9]


def main() -> None:
    """Train, calibrate and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(p.stem for p in ENGLISH.glob("*.yaml")))
    parser.add_argument("data", type=Path, help="folder of the human datasets")
    parser.add_argument("--measure", action="store_true", help="do not train")
    parser.add_argument("--most", type=int, metavar="N", help="measure N pairs of each set")
    options = parser.parse_args()
    recipe, out = NliRecipe.load(ENGLISH / f"{options.name}.yaml"), ENGLISH / options.name
    if not options.measure:
        fetch_missing(recipe.base)
        train_nli(collect_nli(options.data, recipe, ENGLISH), recipe, out)
    share_tokenizer(out, locate(recipe.base))
    calibrate(out, options.data)
    measure(out, options.data, options.most)
    if recipe.disjoint:  # a referee
        lm = load_critic(str(out))
        judge = Referee(EntailmentCritic(lm))
        referee_errors.ship_errors(judge, str(out), lm.digest, options.data)


def share_tokenizer(folder: Path, base: Path) -> None:
    """Remove a tokenizer that is the base's own."""
    ours, theirs = folder / "tokenizer.json", base / "tokenizer.json"
    if ours.is_file() and _vocabulary(ours) == _vocabulary(theirs):
        for file in folder.glob("*token*.json"):
            file.unlink()


def _vocabulary(file: Path) -> Any:
    tokenizer = read_json(file)
    return [tokenizer["model"], tokenizer["post_processor"]]


def calibrate(folder: Path, data: Path) -> None:
    """Fit the temperature and write it into config.json."""
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", {**config, TEMPERATURE: 1.0})
    fitted = quality.fitted_temperature(_critic(folder), _held_out(data))
    write_json(folder / "config.json", {**config, TEMPERATURE: round(fitted, 3)})


def measure(folder: Path, data: Path, most: int | None = None) -> None:
    """Measure on test sets, minimal pairs and labelled paraphrases, and write metrics.json."""
    critic = _critic(folder)
    whole = quality.test_pairs(data)
    sets = {name: take(pairs, most) for name, pairs in whole.items()}
    premises = [text for pairs in whole.values() for text in pairs["premise"]]
    labelled = quality.labelled_paraphrases(data, most)
    tables = {
        "accuracy": quality.nli_accuracy(critic, sets),
        "calibration": quality.entailment_calibration(critic, _held_out(data)),
        "kinds": quality.by_kind(critic, premises),
        "curve": quality.threshold_curve(critic, labelled, THRESHOLDS),
    }
    found = {name: table.round(3).to_dict("records") for name, table in tables.items()}
    write_json(folder / "metrics.json", found)
    for name, table in tables.items():
        print(name, table.round(3).to_string(index=False), sep="\n")


def _critic(folder: Path) -> EntailmentCritic:
    return EntailmentCritic(load_critic(str(folder)))


def _held_out(data: Path) -> Any:
    return take(read_nli(data, CALIBRATION), 2000)  # enough for one number


if __name__ == "__main__":
    main()
