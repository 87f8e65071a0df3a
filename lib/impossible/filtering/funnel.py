"""What became of every row: counts by reason that must add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from impossible.errors import DataError


def item_of(frame: pd.DataFrame) -> str:
    """What rows are counted by: the input, where there is one, else the context."""
    return "input_id" if "input_id" in frame else "context_id"


def counted(frame: pd.DataFrame, reason: Any) -> pd.DataFrame:
    """Funnel of rows with a reason each: item, reason, n."""
    item = item_of(frame)
    rows = pd.DataFrame({item: frame[item].to_numpy(), "reason": reason})
    return rows.groupby([item, "reason"], sort=False).size().rename("n").reset_index()


def dropped_by(before: pd.DataFrame, after: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Funnel of one step: per item the rows it dropped, under `reason`, and those it "kept"."""
    item = item_of(before)
    came, left = before.groupby(item).size(), after.groupby(item).size()
    counts = pd.DataFrame({"kept": left.reindex(came.index, fill_value=0)}, dtype="int64")
    counts.insert(0, reason, came - counts["kept"])
    rows = counts.rename_axis(item).reset_index().melt(item, var_name="reason", value_name="n")
    return rows[rows["n"] > 0].reset_index(drop=True)


def continued(funnel: pd.DataFrame, later: pd.DataFrame, through: str) -> pd.DataFrame:
    """A funnel whose rows of the reason `through` are replaced by what became of them later."""
    return pd.concat([funnel[funnel["reason"] != through], later], ignore_index=True)


def accepted_texts(sentences: pd.DataFrame) -> dict[str, list[str]]:
    """Context → the texts of its accepted SENTENCES, with repetitions, in their order."""
    groups = sentences[sentences["reason"] == ""].groupby("context_id", sort=False)["text"]
    return {str(name): texts.tolist() for name, texts in groups}


def ordered_pairs(sentences: pd.DataFrame, sources: pd.DataFrame | None = None) -> dict[str, int]:
    """Context → its ordered pairs, of which a funnel tells.

    Args:
        sentences: SENTENCES; of m accepted ones there are m(m-1) pairs.
        sources: SENTENCES with which they are paired instead; of s accepted ones s·m pairs.
    """
    m = {name: len(texts) for name, texts in accepted_texts(sentences).items()}
    if sources is None:
        return {name: n * (n - 1) for name, n in m.items()}
    s = {name: len(texts) for name, texts in accepted_texts(sources).items()}
    return {name: n * s.get(name, 0) for name, n in m.items()}


def funnel_by_context(funnel: pd.DataFrame, inputs: pd.DataFrame) -> pd.DataFrame:
    """A funnel of inputs as one of their contexts: FUNNEL.

    Args:
        funnel: input_id, reason, n.
        inputs: input_id, context_id.
    """
    context_of = inputs.set_index("input_id")["context_id"]
    rows = funnel.assign(context_id=funnel["input_id"].map(context_of))
    return rows.groupby(["context_id", "reason"], sort=False)["n"].sum().reset_index()


def check_funnel(funnel: pd.DataFrame, expected: Mapping[str, int]) -> int:
    """Check that nothing was lost: per item, dropped + kept = what came in.

    Args:
        funnel: item, reason, n.
        expected: item → rows that came in.

    Returns:
        Rows that came in, over all items.

    Raises:
        DataError: an item whose counts do not add up; this is a bug, not the user's fault.
    """
    item = item_of(funnel)
    found = funnel.groupby(item)["n"].sum().to_dict()
    for name in sorted({*found, *expected}):
        if found.get(name, 0) != expected.get(name, 0):
            raise DataError(
                f"{item} {name}: {expected.get(name, 0):,} pairs came in and "
                f"{found.get(name, 0):,} are accounted for; rerun the stage with --force."
            )
    return int(sum(expected.values()))


def funnel_table(
    funnel: pd.DataFrame, order: Sequence[str] | None = None, kept: str = "kept"
) -> pd.DataFrame:
    """The funnel summed over items: reason, n, and in per cent of all and of those left.

    Args:
        funnel: reason, n.
        order: reasons in the order of the tests, by default that of the frame; one that dropped
            nothing is shown with 0.
        kept: the reason that means "not dropped"; it comes last.
    """
    counts = funnel.groupby("reason", sort=False)["n"].sum()
    reasons = [*(r for r in dict.fromkeys([*(order or []), *counts.index]) if r != kept), kept]
    table = counts.reindex(reasons, fill_value=0).astype(int).rename_axis("reason").reset_index()
    left = table["n"].sum() - table["n"].cumsum() + table["n"]  # what reached this test
    table["of all, %"] = 100 * table["n"] / max(1, table["n"].sum())
    table["of those left, %"] = 100 * table["n"] / left.clip(lower=1)
    return table
