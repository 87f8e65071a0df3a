"""Proximity as tables for readers: points and cells, the paper's claims, the given contexts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.evaluation.bootstrap import Interval
from impossible.experiments.proximity import identical_fraction
from impossible.experiments.proximity_statistics import FEWEST_CONTEXTS
from impossible.report.figures import proximity_curves, proximity_map
from impossible.report.figures.proximity import FEWEST_PAIRS
from impossible.report.side_by_side import Shows
from impossible.report.tables import interval, show, wide


def proximity_panels(
    stage: Shows, points: pd.DataFrame, sentences: Mapping[float, pd.DataFrame],
    human: tuple[float, str], reading: str, params: Params, data: Sequence[Path],
) -> list[Any]:  # fmt: skip
    """Save figure `figure3` and the table of its points, `proximity_points`.

    Args:
        stage: of the notebook.
        points, sentences: as for `proximity_points_table`.
        human: of `proximity_statistics.human_self_bleu`.
        reading: of `proximity_reading`.
        params: temperature of the left panel, confidence.
        data: files that the numbers come from.

    Returns:
        What is to be displayed.
    """
    lengths = ", ".join(f"{n:g}" for n in sorted(params.proximity_lengths))
    caption = (
        "Fraction of pairs of next sentences that are equivalent (above) and their Self-BLEU "
        f"(below), by length of the context at temperature {params.sentence_temperature:g} (left) "
        f"and by temperature (right), where other contexts, of {lengths} sentences in equal "
        f"number, are pooled. {point_sizes(points)} Bars: {params.confidence:.0%} intervals over "
        "contexts; verdicts of critic and judge are raw (not corrected for their errors). "
        "Control: the two sentences follow two different contexts. Dash-dotted: Self-BLEU of human "
        f"paraphrases (MRPC, {human[1]}). –: not measured, of Self-BLEU fewer than {FEWEST_PAIRS} "
        "equivalent pairs."
    )
    theirs = "Figure 3: rises with length, falls with temperature; Self-BLEU about 32, human 39"
    picture = proximity_curves(points, *human)
    shown = stage.figure("figure3", picture, caption, data, theirs, reading)
    caption = (
        "Every point of Figure 3: ratios in [0, 1], Self-BLEU in [0, 100]. Equal texts: fraction "
        "of pairs of samples that were left out because they are the same string. –: not measured, "
        f"of Self-BLEU fewer than {FEWEST_PAIRS} equivalent pairs."
    )
    table = proximity_points_table(points, sentences)
    return [shown, stage.table("proximity_points", table, caption, data, None, points, 3)]


def proximity_surface(
    stage: Shows, maps: pd.DataFrame, judge: str, reading: str, params: Params,
    data: Sequence[Path],
) -> list[Any]:  # fmt: skip
    """Save figure `figure3_surface` and the table of its cells, `proximity_surface`.

    Args:
        stage, params, data: as for `proximity_panels`.
        maps: of `proximity_statistics.surface_means`.
        judge: its name.
        reading: of `proximity_statistics.surface_gap`.
    """
    caption = (
        "Equivalent pairs, in per cent, by length of the context and temperature: the critic's "
        f"estimate and the judge's ({judge}), on one scale. Mean over the contexts of a cell."
    )
    picture, theirs = proximity_map(maps), "the paper shows one row and one column"
    shown = stage.figure("figure3_surface", picture, caption, data, theirs, reading)
    caption = (
        "Every cell of the surface: equivalent pairs in per cent by critic and judge, with "
        f"{params.confidence:.0%} intervals over contexts (none below {FEWEST_CONTEXTS}); "
        "n contexts."
    )
    table = proximity_surface_table(maps)
    saved = stage.table("proximity_surface", table, caption, data, None, maps, 2, reading)
    return [shown, saved]


def proximity_claims(
    stage: Shows, claims: pd.DataFrame, params: Params, data: Sequence[Path]
) -> Any:
    """Save table `proximity_claims`: what the paper says of Figure 3, and what this run does.

    Args:
        stage, params, data: as for `proximity_panels`.
        claims: of `proximity_statistics.claim_verdicts`.
    """
    caption = (
        "The claims of section 2: the difference between the ends of each panel (ratios in [0, 1], "
        "Self-BLEU in [0, 100]), and Kendall's τ over all its points, from -1 (falls everywhere) "
        f"to 1; {params.confidence:.0%} intervals over contexts; n pairs at the ends."
    )
    reading = "; ".join(claims["claim"] + ": " + claims["ends_say"])
    theirs, table = "Section 2 and Figure 3: all hold", proximity_claims_table(claims)
    return stage.table("proximity_claims", table, caption, data, theirs, None, 2, reading)


def proximity_gaps(
    stage: Shows, gaps: Mapping[str, Interval], contexts: int, params: Params,
    data: Sequence[Path],
) -> Any:  # fmt: skip
    """Save table `proximity_given`: contexts of the teacher beside those it did not write.

    Args:
        stage, params, data: as for `proximity_panels`.
        gaps, contexts: as for `proximity_gap_table`.
    """
    caption = (
        "Pairs of next sentences after contexts of the teacher minus those after contexts it did "
        f"not write, length by length, temperature {params.sentence_temperature:g}; "
        f"{params.confidence:.0%} intervals."
    )
    theirs = "section 2 takes human news, section 3.1 contexts of the teacher"
    table = proximity_gap_table(gaps, contexts)
    return stage.table("proximity_given", table, caption, data, theirs)


def proximity_reading(claims: pd.DataFrame, own: pd.DataFrame, human: float, source: str) -> str:
    """What Figure 3 says here, in one line.

    Args:
        claims: of `proximity_statistics.claim_verdicts`, in the order of `PAPER_CLAIMS`.
        own: judged pairs of one context each.
        human, source: of `proximity_statistics.human_self_bleu`.
    """
    rise, fall = (_points(claims["ends"].iloc[place].value) for place in (0, 2))
    alike = own["self_bleu"].dropna()
    found = show(alike.mean()) if len(alike) >= FEWEST_PAIRS else "not measured"
    return (
        f"by the critic, longest minus shortest context: {rise}; hottest minus coldest: {fall}; "
        f"Self-BLEU {found}, human {human:.3g} ({source})"
    )


def point_sizes(points: pd.DataFrame) -> str:
    """On how much each point of Figure 3 rests, in a sentence.

    Args:
        points: of `proximity_statistics.figure3_points`.
    """
    control = points["series"] == "control"
    own = points[~control & (points["series"] != "self_bleu")]
    far = f" (control: {_range(points.loc[control, 'n'])})" if control.any() else ""
    return f"A point: {_range(own['n'])} pairs{far} of {_range(own['contexts'])} contexts."


def _range(counts: pd.Series) -> str:
    """The least and the most of some counts; one number if they are the same."""
    low, high = (f"{counts.min():,.0f}", f"{counts.max():,.0f}") if len(counts) else ("0", "0")
    return low if low == high else f"{low} to {high}"


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
    few = (points["series"] == "self_bleu") & (points["n"] < FEWEST_PAIRS)
    known, names = points.assign(value=points["value"].mask(few)), points["series"].unique()
    shown = known.pivot_table(index=["axis", "x"], columns="series", values="value", sort=False)
    shown = shown.reindex(columns=names)  # also a series of which nothing is known
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
