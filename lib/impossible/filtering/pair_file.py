"""Anybody's pairs before the critics: every score of each, and whether it would be kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.errors import DataError
from impossible.filtering.build_dataset import KEPT, rejections
from impossible.filtering.constituency_parser import Trees
from impossible.filtering.critic import TextPairs
from impossible.filtering.pair_scores import score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.pairs import Pair
from impossible.text.tree_edit_distance import pair_trees, ted

CHUNK = 256  # pairs that are scored at once
ASKED = -0.999  # `similarity_min` at which the encoder is asked and every pair goes on

#: Column of a critic → field of a line; what is not here (bounds) is not written.
LINE_FIELDS = {
    "p_xy": "source_entails_target",
    "p_yx": "target_entails_source",
    "similarity": "cosine",
    "rouge_l": "rouge_l",
    "ted": "ted",
    "tree_fallback": "ted_of_words",
    "length_ratio": "length_ratio",
    "numbers_consistent": "numbers_kept",
    "names_kept": "names_kept",
    "names_known": "names_known",
    "covered": "sentences_covered",
}


def with_every_score(
    records: Iterable[Mapping[str, Any]], models: Any, thresholds: Thresholds
) -> Iterator[dict[str, Any]]:
    """Each record with the scores of all critics, in order, with constant memory.

    Args:
        records: each with `source` and `target`; other fields are passed on.
        models: critic, encoder (or None) and parser, as `notebook.Models`.
        thresholds: what a pair must reach.

    Yields:
        The record with `LINE_FIELDS` (None: not computed), `kept`, and `reason`, the first critic
        that rejects it, None if kept. Those before a bad record are given before its error.
    """
    for part in _chunks(records):
        pairs = TextPairs.of([r["source"] for r in part], [r["target"] for r in part])
        scores = every_score(pairs, models, thresholds)
        reasons = rejections(scores, thresholds.fix(entailment_floor=0.0))
        shown = scores[list(LINE_FIELDS)].rename(columns=LINE_FIELDS).astype(object)
        rows = shown.where(shown.notna(), None).to_dict("records")
        for record, row, reason in zip(part, rows, reasons, strict=True):
            kept = reason == KEPT
            found = {name: _plain(value) for name, value in row.items()}
            yield {**record, **found, "kept": kept, "reason": None if kept else reason}


def every_score(pairs: TextPairs, models: Any, thresholds: Thresholds) -> pd.DataFrame:
    """The critics' columns for n pairs, without early exits: both directions, the exact distance.

    Args:
        pairs: n ordered pairs.
        models: as for `with_every_score`.
        thresholds: decide nothing here, but which bounds of the distance are stored.
    """
    asked = {"entailment_floor": 0.0, "both_directions": True}
    asked["ted_min"] = max(1, thresholds.ted_min)
    asked["similarity_min"] = -1.0 if models.encoder is None else ASKED
    parser = Trees(getattr(models.parser, "parser", models.parser))  # remembers this chunk only
    critic = _Patient(models.critic)
    parts = SimpleNamespace(critic=critic, encoder=models.encoder, parser=parser)
    scores, _ = score_pairs(pairs, parts, thresholds.fix(**asked), exits_after=0)
    trees = dict(zip(pairs.texts, parser.parse_many(pairs.texts), strict=True))
    both = [pair_trees(min(pair), max(pair), trees.__getitem__)[:2] for pair in pairs]
    return scores.assign(ted=pd.array([ted(*pair) for pair in both], dtype="Float32"))


class _Patient:
    """A critic that says NaN of a pair that is too long for it, instead of stopping."""

    def __init__(self, critic: Any) -> None:
        self._critic = critic

    def probabilities(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """P(premise ⇒ hypothesis) of each pair, NaN where it cannot be read."""
        found = np.full(len(pairs), np.nan)
        fits = [i for i, short in enumerate(self._critic.fits(pairs)) if short]
        if fits:
            found[fits] = self._critic.probabilities([pairs[i] for i in fits])
        return found

    def entails(self, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
        """As the critic says."""
        return np.asarray(self._critic.entails(pairs))


def _chunks(records: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Lists of `CHUNK` records; those before a bad one come before its error."""
    part: list[Mapping[str, Any]] = []
    bad: DataError | None = None
    source = iter(records)
    while bad is None:
        try:
            part.append(next(source))
        except StopIteration:
            break
        except DataError as error:
            bad = error
        if len(part) == CHUNK:
            yield part
            part = []
    if part:
        yield part
    if bad is not None:
        raise bad


def _plain(value: Any) -> Any:
    """A value as JSON has it, scores to four digits."""
    if value is None or isinstance(value, bool):
        return value
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, bool) else round(float(value), 4)
