"""Scores that are computed once: kept on disk, resumed after an interruption, never asked twice.

A score depends on the texts, the models and the code, not on the thresholds that are applied to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.data.progress import bar
from impossible.data.run_folder import RunFolder, Shards, digest, map_items, stage_key
from impossible.data.schemas import FUNNEL, NUMBER, TEXT, record_schema
from impossible.errors import DataError
from impossible.filtering.critic import Models, Pair
from impossible.filtering.critics import PAIRS
from impossible.filtering.pair_scores import score_context
from impossible.filtering.thresholds import Thresholds
from impossible.models.nli import EntailmentCritic

CONTEXTS_AT_ONCE = 8  # per unit of work
PAIRS_AT_ONCE = 4096  # per shard of a remembered critic

_JUDGED = record_schema("pair", pair=TEXT, premise=TEXT, hypothesis=TEXT, p=NUMBER)

Scored = tuple[pd.DataFrame, pd.DataFrame]
Compute = Callable[[list[str], Models, Thresholds], Scored]


def score_sentences(
    run: RunFolder,
    sentences: pd.DataFrame,
    models: Models,
    thresholds: Thresholds,
    name: str = "pairs",
) -> Scored:
    """`pair_scores.score_context` of all contexts, in pieces kept in `work/NAME`.

    Args:
        run: the run folder.
        sentences: SENTENCES; rows with a `reason` are left out.
        models: the NLI model and the parser.
        thresholds: of the task; a changed `entailment_threshold` scores nothing again.
        name: of the piece of work.

    Returns:
        (PAIRS, FUNNEL) in the order of the contexts in `sentences`. The reasons of a context sum to
        m(m-1) for its m accepted sentences.
    """
    good = sentences[sentences["reason"] == ""]
    groups = good.groupby("context_id", sort=False)
    texts = {str(name): list(group) for name, group in groups["text"]}
    domains = groups["domain"].first()

    def compute(ids: list[str], models: Models, thresholds: Thresholds) -> Scored:
        found = [score_context(i, texts.get(i, []), models, thresholds) for i in ids or [""]]
        pairs, funnel = (pd.concat(parts, ignore_index=True) for parts in zip(*found, strict=True))
        return pairs.assign(domain=pairs["context_id"].map(domains)), funnel

    return scored_items(run, name, PAIRS, texts, compute, models, thresholds, CONTEXTS_AT_ONCE)


def scored_items(
    run: RunFolder,
    name: str,
    schema: pa.Schema,
    texts: Mapping[str, Any],
    compute: Compute,
    models: Models,
    thresholds: Thresholds,
    chunk_size: int,
    stage: str = "",
) -> Scored:
    """Rows and counts of all items, resumed where an earlier run stopped.

    What the scores depend on is not listed anywhere: `compute` is run for no item at all, and the
    parameters that it reads and the models that it asks are noted, as the key of the work.

    Args:
        run, name: the piece of work is kept in `work/NAME`.
        schema: of the rows.
        texts: item → what is scored.
        compute: (items, models, thresholds) → their rows, and counts with the same item column.
        models, thresholds: as for `score_sentences`.
        chunk_size: items per unit.
        stage: what else the rows depend on, in words.
    """
    item = (schema.metadata or {})[b"item"].decode()
    read, asked = Noted(thresholds.params), Noted(models)
    thresholds = replace(thresholds, params=cast("Params", read))
    compute([], cast("Models", asked), thresholds)
    known = set(read.values)
    values = {
        **read.values,
        **thresholds.fixed,
        "stage": stage or name,
        "texts": digest(dict(texts)),
    }
    models_read = [identity(model) for _, model in sorted(asked.values.items())]
    key = stage_key(values, [compute.__module__], models=models_read)
    rows = Shards(run.work / name, key, schema)
    counts = Shards(run.work / f"{name}-funnel", key, FUNNEL)

    def both(chunk: list[str]) -> pd.DataFrame:
        found, funnel = compute(chunk, cast("Models", asked), thresholds)
        if late := sorted(set(read.values) - known):
            raise DataError(f"{name}: {late} must be read also where there is nothing to score.")
        funnel = funnel.rename(columns={item: "context_id"})
        done = counts.done()  # an interruption between the two writes leaves counts without rows
        fresh = [i for i in chunk if i not in done]
        counts.append(funnel[funnel["context_id"].isin(fresh)], fresh)
        return found

    ids = list(texts)
    frame = map_items(ids, str, both, rows, chunk_size, f"scoring {name}")
    funnel = map_items(ids, str, both, counts, chunk_size, "counting")
    return frame, funnel.rename(columns={"context_id": item})


class Noted:
    """Notes what is read of something, with its value."""

    def __init__(self, thing: object) -> None:
        self.thing = thing
        self.values: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        self.values[name] = getattr(self.thing, name)
        return self.values[name]


def identity(model: Any) -> str:
    """What tells a model from another: digest and arithmetic of its weights, else its class."""
    lm = getattr(model, "lm", model)
    if hasattr(lm, "digest"):
        return f"{lm.digest} {getattr(getattr(lm, 'model', None), 'dtype', '')}"
    parser = type(getattr(model, "parser", model))
    return f"{parser.__module__}:{parser.__qualname__}"


class RememberedCritic:
    """A critic that keeps every judgement on disk, for pairs that turn up along the way.

    Args:
        critic: the critic that is asked for what is not known yet.
        run: the run folder; judgements are kept in `work/NAME`.
        name: of the piece of work.
        dtype: arithmetic of the critic, part of the key.

    All judgements are held in memory, so this is for up to some 10⁵ pairs.
    """

    def __init__(
        self, critic: EntailmentCritic, run: RunFolder, name: str, dtype: str = "auto"
    ) -> None:
        self.critic, self.lm = critic, critic.lm
        key = stage_key({"dtype": dtype}, ["impossible.models.nli"], models=[critic.lm.digest])
        self._shards = Shards(run.work / name, key, _JUDGED)
        table = self._shards.read().to_pydict()
        pairs = zip(table["premise"], table["hypothesis"], strict=True)
        self._known: dict[Pair, float] = dict(zip(pairs, table["p"], strict=True))

    def __len__(self) -> int:
        """Judgements known so far."""
        return len(self._known)

    def probabilities(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """P(entailment) of each (premise, hypothesis), shape (n,); asks only what is not known."""
        open_pairs = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        with bar(total=len(open_pairs), desc="judging pairs") as progress:
            for start in range(0, len(open_pairs), PAIRS_AT_ONCE):
                chunk = open_pairs[start : start + PAIRS_AT_ONCE]
                self._ask(chunk)
                progress.update(len(chunk))
        return np.array([self._known[pair] for pair in pairs], dtype=np.float64)

    def entails(self, pairs: Sequence[Pair]) -> NDArray[np.bool_]:
        """The critic's decisions, which are not kept."""
        return self.critic.entails(pairs)

    def _ask(self, chunk: list[Pair]) -> None:
        found = self.critic.probabilities(chunk)
        names = [digest(list(pair)) for pair in chunk]
        frame = pd.DataFrame(chunk, columns=["premise", "hypothesis"])
        self._shards.append(frame.assign(pair=names, p=found)[_JUDGED.names], names)
        self._known.update(zip(chunk, found.tolist(), strict=True))
