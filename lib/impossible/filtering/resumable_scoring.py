"""Scores that are computed once: kept on disk, resumed after an interruption, never asked twice.

A score depends on the texts, the models and the code, not on the thresholds that are applied to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.data.digests import digest, package_digest
from impossible.data.io import read_frame, write_frame
from impossible.data.progress import bar
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import NUMBER, TEXT, record_schema
from impossible.data.units import Scored, Unit, fingerprint, map_units
from impossible.filtering.critic import Models
from impossible.filtering.critics import PAIRS
from impossible.filtering.funnel import accepted_texts
from impossible.filtering.pair_scores import score_context
from impossible.filtering.thresholds import Thresholds
from impossible.models.nli import EntailmentCritic
from impossible.text.pairs import Pair

PAIRS_AT_ONCE = 4096  # per file of a remembered critic

_JUDGED = record_schema("pair", pair=TEXT, premise=TEXT, hypothesis=TEXT, p=NUMBER)


def score_sentences(
    run: RunFolder,
    sentences: pd.DataFrame,
    models: Models,
    thresholds: Thresholds,
    name: str = "pairs",
    sources: pd.DataFrame | None = None,
) -> Scored:
    """`pair_scores.score_context` of all contexts, one a unit, kept in `work/NAME`.

    Args:
        run: the run folder.
        sentences: SENTENCES; rows with a `reason` are left out.
        models: the NLI model and the parser.
        thresholds: of the task; a changed `entailment_threshold` scores nothing again.
        name: of the piece of work.
        sources: SENTENCES of the same contexts, whose texts are x; by default `sentences`.

    Returns:
        (PAIRS, FUNNEL) in the order of the contexts in `sentences`. The reasons of a context sum to
        m(m-1) for its m accepted sentences, to s·m where there are s accepted sources.
    """
    units = []
    others = {} if sources is None else accepted_texts(sources)
    for context_id, rows in sentences[sentences["reason"] == ""].groupby("context_id", sort=False):
        payload = {"domain": rows["domain"].iloc[0], "texts": rows["text"].tolist()}
        payload["sources"] = None if sources is None else others.get(str(context_id), [])
        units.append(Unit(str(context_id), payload | thresholds.plain))
    return map_units(_score_unit, units, thresholds.params, run, name, PAIRS, models)


def _score_unit(unit: Unit, params: Params, models: Models) -> Scored:
    limits = Thresholds(params, unit.payload["task"], unit.payload["fixed"])
    texts, sources = unit.payload["texts"], unit.payload["sources"]
    pairs, funnel = score_context(unit.id, texts, models, limits, sources)
    return pairs.assign(domain=unit.payload["domain"]), funnel


class RememberedCritic:
    """A critic that keeps every judgement on disk, for pairs that turn up along the way.

    Args:
        critic: the critic that is asked for what is not known yet.
        run: the run folder; judgements are kept in `work/NAME`, apart for each critic.
        name: of the piece of work.

    All judgements are held in memory, so this is for up to some 10⁵ pairs.
    """

    def __init__(self, critic: EntailmentCritic, run: RunFolder, name: str) -> None:
        self.critic, self.lm = critic, critic.lm
        key = digest([fingerprint(critic), package_digest()])
        self._folder = run.work / name / key[:24]
        self._known: dict[Pair, float] = {}
        for path in sorted(self._folder.glob("*.parquet")):
            table = read_frame(path, _JUDGED)
            self._remember(zip(table["premise"], table["hypothesis"], strict=True), table["p"])

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
        frame = pd.DataFrame(chunk, columns=["premise", "hypothesis"]).assign(pair=names, p=found)
        write_frame(self._folder / f"{digest(names)[:24]}.parquet", frame, _JUDGED)
        self._remember(chunk, found)

    def _remember(self, pairs: Any, probabilities: Any) -> None:
        self._known.update(zip(pairs, map(float, probabilities), strict=True))
