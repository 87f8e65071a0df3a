"""Proximity as tables for readers: points and cells, the paper's claims, the given contexts."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from impossible.evaluation.bootstrap import Interval
from impossible.experiments.proximity import identical_fraction
from impossible.report.tables import interval, show, wide

__all__ = [
    "proximity_claims_table", "proximity_gap_table", "proximity_points_table", "proximity_reading",
    "proximity_surface_table",
]  # fmt: skip


def proximity_reading(claims: pd.DataFrame, own: pd.DataFrame, human: float, source: str) -> str:
    """What Figure 3 says here, in one line.

    Args:
        claims: of `proximity_statistics.claim_verdicts`, in the order of `PAPER_CLAIMS`.
        own: judged pairs of one context each.
        human, source: of `proximity_statistics.human_self_bleu`.
    """
    rise, fall = (_points(claims["ends"].iloc[place].value) for place in (0, 2))
    return (
        f"by the critic, longest minus shortest context: {rise}; hottest minus coldest: {fall}; "
        f"Self-BLEU {show(own['self_bleu'].mean())}, human {human:.3g} ({source})"
    )


def proximity_points_table(
    points: pd.DataFrame, sentences: Mapping[float, pd.DataFrame]
) -> pd.DataFrame:
    """Every point of Figure 3 in a line, with the fraction of equal texts at a temperature.

    Args:
        points: of `proximity_statistics.figure3_points`.
        sentences: temperature → SENTENCES.

    Returns:
        axis, x, a column per series, "equal texts" (pairs of samples that are the same string).
    """
    shown = points.pivot_table(index=["axis", "x"], columns="series", values="value", sort=False)
    equal = {("temperature", t): identical_fraction(frame) for t, frame in sentences.items()}
    return shown.assign(**{"equal texts": pd.Series(equal)}).reset_index()


def proximity_surface_table(maps: pd.DataFrame) -> pd.DataFrame:
    """Every cell of `proximity_statistics.surface_means` in a line, in per cent with intervals."""
    cells = maps[["n_sentences", "temperature"]].to_numpy()
    names = [f"length {n:g}, temperature {t:g}" for n, t in cells]
    percent = 100 * maps[["value", "low", "high"]]
    shown = maps.assign(system=names, metric=maps["series"], **percent)
    return wide(shown).rename(columns={"system": "cell"})


def proximity_claims_table(claims: pd.DataFrame) -> pd.DataFrame:
    """`proximity_statistics.claim_verdicts` as a reader sees them; n pairs at the ends."""
    return pd.DataFrame(
        {
            "paper's claim": claims["claim"],
            "last minus first": [_interval(ends) for ends in claims["ends"]],
            "by the ends": claims["ends_say"],
            "Kendall's τ": [_interval(tau) for tau in claims["tau"]],
            "by every step": claims["tau_says"],
            "n": [ends.n for ends in claims["ends"]],
        }
    )


def proximity_gap_table(gaps: Mapping[str, Interval], contexts: int) -> pd.DataFrame:
    """The gaps to given contexts, in a line each.

    Args:
        gaps: of `proximity_numbers.given_gaps`.
        contexts: how many were given.
    """
    shown = map(_interval, gaps.values())
    columns = {"equivalent pairs": list(gaps), "difference": list(shown)}
    return pd.DataFrame(columns).assign(contexts=contexts)


def _points(difference: float) -> str:
    """A difference of fractions in points: "+5.6 points"; "–" when it was not measured."""
    return f"{100 * difference:+.1f} points" if difference == difference else "–"


def _interval(found: Interval) -> str:
    return interval(found.value, found.low, found.high, digits=2)
