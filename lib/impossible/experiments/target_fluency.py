"""How fluent a dataset's targets are, in bits per token under the teacher (notebook 07).

Not in the paper, whose critics ask what a pair says and never whether y is a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible.evaluation.bootstrap import Bootstrap, Interval
from impossible.evaluation.fractions import rows_by_group
from impossible.evaluation.metric_rows import MetricRows
from impossible.models.batching import token_ids
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel

FIRST_HAND = "the teacher's sentences"
_BEFORE = "."  # a sentence has ended: the same for all, and no opening line that is half of one
_MOST_OWN, _LINE = 1000, 0.99  # sentences whose quantile is the line


def bits_per_token(lm: LanguageModel, sentences: Sequence[str]) -> NDArray[np.float64]:
    """How many bits a token of each sentence costs the model, without the sentence's context.

    Returns:
        Shape (n,); NaN where a sentence is longer than the model's window.
    """
    whole = token_ids(lm.tokenizer, [f"{_BEFORE} {text}" for text in sentences], True)
    fits = [len(ids) <= lm.window for ids in whole]
    read = [text for text, fit in zip(sentences, fits, strict=True) if fit]
    found = surprise(lm, [_BEFORE] * len(read), read)
    bits = np.full(len(sentences), np.nan)
    bits[fits] = found["nats"] / found["tokens"] / np.log(2)
    return bits


def surprising_targets(
    judged: pd.DataFrame, own: pd.DataFrame, lm: LanguageModel, seed: int = 0, most: int = 200
) -> tuple[pd.DataFrame, float]:
    """Which targets cost the teacher more bits than 99 % of its own sentences do.

    Args:
        judged: of `pair_samples.judged_groups`, of the groups that are compared.
        own: accepted SENTENCES of the teacher, the measure of the others; not empty.
        lm: the teacher.
        seed: of the drawing.
        most: targets of a group.

    Returns:
        (group, context_id, y, judged, bits, surprising (1 above the line, 0, or NaN: not read),
        `FIRST_HAND` being the last group; the line in bits per token).

    Example:
        Where the teacher's sentences cost 1 to 3 bits per token, one of 9 bits is surprising.
    """
    parts = [part.sample(min(most, len(part)), random_state=seed)
             for _, part in judged.groupby("group", sort=False)]  # fmt: skip
    first_hand = own.sample(min(_MOST_OWN, len(own)), random_state=seed)
    first_hand = first_hand.rename(columns={"text": "y"}).assign(group=FIRST_HAND, judged=np.nan)
    columns = ["group", "context_id", "y", "judged"]
    items = pd.concat([part[columns] for part in (*parts, first_hand)], ignore_index=True)
    items["bits"] = bits_per_token(lm, items["y"].tolist())
    line = float(items.loc[items["group"] == FIRST_HAND, "bits"].quantile(_LINE))
    above = (items["bits"] > line).astype(float).where(items["bits"].notna())
    return items.assign(surprising=above), line


def surprise_rows(items: pd.DataFrame, judge: str, bootstrap: Bootstrap) -> pd.DataFrame:
    """METRIC_ROWS of `surprising_targets`: bits per token, surprising ones, equivalent of either.

    Args:
        items: as they come.
        judge: who gave the verdicts, which are counted as they are (`Judge.unaided`).
        bootstrap: over contexts.
    """
    parts = []
    for name, bits in items.groupby("group", sort=False)["bits"]:
        rows = MetricRows(str(name), None)
        for label, level in (("median", 0.5), ("95th percentile", 0.95)):
            value = Interval(float(bits.quantile(level)), np.nan, np.nan, int(bits.count()))
            rows.add(f"bits per token, {label}", value, "quantile")
        parts.append(rows.frame())
    above = items["surprising"]
    split = items.assign(
        high=items["judged"].where(above == 1), low=items["judged"].where(above == 0)
    )
    measures = {
        "surprising, %": "surprising",
        f"equivalent ({judge}) if surprising, %": "high",
        f"equivalent ({judge}) if not, %": "low",
    }
    order = list(dict.fromkeys(items["group"]))
    return pd.concat([*parts, rows_by_group(split, measures, bootstrap, order)], ignore_index=True)
