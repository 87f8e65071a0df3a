"""Scores that are computed once: kept on disk, resumed after an interruption, never asked twice.

A score depends on the texts, the critic and the code, not on a threshold. So neither a changed
threshold nor a killed run makes the critic judge a pair again that it has judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from impossible.config.params import Params
from impossible.data.progress import bar
from impossible.data.run_folder import RunFolder, Shards, digest, map_items, stage_key
from impossible.data.schemas import CANDIDATES, FUNNEL, PAIRS
from impossible.filtering.pair_scores import Parser, score_contexts
from impossible.models.nli import EntailmentCritic
from impossible.training.self_distillation import candidates
from impossible.training.student import Student

__all__ = ["RememberedCritic", "score_candidates", "score_sentences"]

Pair = tuple[str, str]
CONTEXTS_AT_ONCE = 8  # per shard; no effect on results
INPUTS_AT_ONCE = 64  # per shard; no effect on results
PAIRS_AT_ONCE = 4096  # per shard; no effect on results

#: What decides which pairs are scored and how far; the thresholds above the floor do not.
DECISIVE = (
    "dtype", "parser", "entailment_floor", "rouge_l_max", "ted_min", "length_ratio_min",
    "length_ratio_max", "number_consistency", "both_directions",
)  # fmt: skip

#: The same for candidates: all are scored, whatever the cheap gates say.
CANDIDATE = (
    "seed", "dtype", "parser", "n_candidates", "candidate_top_p", "candidate_temperature",
    "sentence_max_new_tokens", "entailment_floor", "ted_min", "both_directions",
)  # fmt: skip

_JUDGED = pa.schema(
    [
        pa.field("pair", pa.string(), nullable=False),
        pa.field("premise", pa.string(), nullable=False),
        pa.field("hypothesis", pa.string(), nullable=False),
        pa.field("p", pa.float64(), nullable=False),
    ],
    metadata={"item": "pair"},
)


def score_sentences(
    run: RunFolder,
    sentences: pd.DataFrame,
    critic: EntailmentCritic,
    parser: Parser,
    params: Params,
    name: str = "pairs",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`pairs.score_contexts` of all contexts, in pieces kept in `work/NAME`.

    Args:
        run: the run folder.
        sentences: SENTENCES frame; rows with a `reason` are left out.
        critic: judges entailment.
        parser: sentence → bracketed tree or None.
        params: see `DECISIVE`; a changed `entailment_threshold` scores nothing again.
        name: of the piece of work.

    Returns:
        (PAIRS frame, FUNNEL frame) in the order of the contexts in `sentences`. The reasons of a
        context sum to m(m-1) for its m accepted sentences.
    """
    good = sentences[sentences["reason"] == ""]
    texts = {str(i): list(group) for i, group in good.groupby("context_id", sort=False)["text"]}
    values: dict[str, Any] = params.model_dump(include=set(DECISIVE))
    values["sentences"] = digest(texts)
    code = [
        "impossible.filtering.pair_scores",
        "impossible.models.nli",
        "impossible.filtering.constituency_parser",
    ]
    key = stage_key(values, code, models=[critic.lm.digest])

    def compute(ids: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        return score_contexts({i: texts[i] for i in ids}, critic, parser, params)

    return _in_pieces(run, name, key, PAIRS, list(texts), compute, CONTEXTS_AT_ONCE)


def score_candidates(
    run: RunFolder,
    inputs: pd.DataFrame,
    student: Student,
    critic: EntailmentCritic,
    parser: Parser,
    params: Params,
    name: str = "candidates",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`distill.candidates` of all inputs, in pieces kept in `work/NAME`.

    Args:
        run: the run folder.
        inputs: columns input_id (unique) and text.
        student: writes the candidates.
        critic: judges entailment.
        parser: sentence → bracketed tree or None.
        params: see `CANDIDATE`; a changed `entailment_threshold`, `rouge_l_max` or length ratio
            neither writes nor scores anything again.
        name: of the piece of work and of the random stream.

    Returns:
        (CANDIDATES frame, frame input_id, reason, n of the candidates that were not scored).
    """
    texts = dict(zip(inputs["input_id"], inputs["text"], strict=True))
    values: dict[str, Any] = params.model_dump(include=set(CANDIDATE))
    values |= {"inputs": digest(texts), "name": name}
    code = [
        "impossible.training.self_distillation",
        "impossible.models.nli",
        "impossible.filtering.constituency_parser",
    ]
    key = stage_key(values, code, models=[critic.lm.digest, student.digest])

    def compute(ids: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        chunk = pd.DataFrame({"input_id": ids, "text": [texts[i] for i in ids]})
        scored, funnel = candidates(chunk, student, critic, parser, params, name)
        return scored, funnel.rename(columns={"input_id": "context_id"})

    scored, funnel = _in_pieces(run, name, key, CANDIDATES, list(texts), compute, INPUTS_AT_ONCE)
    return scored, funnel.rename(columns={"context_id": "input_id"})


def _in_pieces(
    run: RunFolder, name: str, key: str, schema: pa.Schema, ids: list[str],
    compute: Callable[[list[str]], tuple[pd.DataFrame, pd.DataFrame]], chunk_size: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Rows and counts of all items, resumed where an earlier run stopped."""
    rows = Shards(run.work / name, key, schema)
    counts = Shards(run.work / f"{name}-funnel", key, FUNNEL)

    def both(chunk: list[str]) -> pd.DataFrame:
        found, funnel = compute(chunk)
        done = counts.done()  # an interruption between the two writes leaves counts without rows
        fresh = [i for i in chunk if i not in done]
        counts.append(funnel[funnel["context_id"].isin(fresh)], fresh)
        return found

    frame = map_items(ids, str, both, rows, chunk_size, f"scoring {name}")
    return frame, map_items(ids, str, both, counts, chunk_size, "counting")


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
        self.critic = critic
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
