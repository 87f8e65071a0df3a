"""Which claims hold: one rule for all, from the recorded numbers of several seeds.

Each part of a claim has an effect (turned so that positive is what the claim says), an interval
over seeds, the smallest effect worth calling one, and a control whose signal was destroyed. The
rule (`ruling`) was written before the runs. A claim that fails is shown as failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.claims.specification import WANTED, Book, Claim, Measure, Part, Recorded
from impossible.evaluation.claims.verdicts import FAILED, MISSING, REPRODUCED, UNDECIDED
from impossible.evaluation.seed_statistics import holm, one_sided_p, over_seeds, seeds_needed

__all__ = ["Finding", "Judgement", "Ruled", "combined", "judge", "ruling"]

_WEIGHT = (FAILED, MISSING, UNDECIDED, REPRODUCED)  # the first that occurs decides a claim


@dataclass(frozen=True)
class Finding:
    """What the seeds say about one part; all numbers in its measure's unit, positive = claimed."""

    part: Part
    measure: Measure
    effect: Interval  # over seeds; with one seed the run's own
    control: Interval
    excess: Interval  # effect minus control
    effects: Mapping[int, float]  # per seed
    controls: Mapping[int, float]
    absent: Sequence[int]  # seeds in which a number of this part is missing
    files: Sequence[str]  # relative to the run
    reading: str  # what the interval alone says, however few the seeds
    verdict: str
    reason: str
    p: float  # one-sided, over seeds
    settle: int | None  # seeds that would decide it if mean and spread stay; None: unknown


@dataclass(frozen=True)
class Ruled:
    """A claim with the findings of its parts."""

    claim: Claim
    findings: Sequence[Finding]
    verdict: str
    reading: str
    p: float  # of the weakest part
    p_holm: float  # the same among all claims

    @property
    def deciding(self) -> Finding:
        """The part on which the verdict rests: of the worst, the one of least relative effect."""

        def place(finding: Finding) -> tuple[int, int, float]:
            size = finding.effect.value / finding.measure.smallest
            worst = [_WEIGHT.index(text) for text in (finding.verdict, finding.reading)]
            return worst[0], worst[1], np.inf if np.isnan(size) else size

        return min(self.findings, key=place)

    @property
    def settle(self) -> int | None:
        """Seeds that would decide every part."""
        needed = [finding.settle for finding in self.findings]
        known = [each for each in needed if each is not None]
        return max(known) if len(known) == len(needed) else None


@dataclass(frozen=True)
class Judgement:
    """All claims judged, at one confidence, from these seeds."""

    claims: Sequence[Ruled]
    confidence: float
    seeds: Sequence[int]


def judge(book: Book, found: Mapping[int, Recorded], confidence: float = 0.95) -> Judgement:
    """Judge every claim by the one rule.

    Args:
        book: from `claims.load_claims`.
        found: from `claims.collect`, by seed.
        confidence: of all intervals, in (0, 1).

    Returns:
        The judgement. A seed counts for a part when effect and control are both recorded; a part
        without such a seed is missing, never zero. The p value of a claim is the largest of its
        parts (all must hold), adjusted for the number of claims (Holm).
    """
    every = []
    for claim in book.claims:
        wanted = WANTED[claim.kind]
        every.append([_finding(part, book, found, confidence, wanted) for part in claim.parts])
    p_values = [float(np.max([finding.p for finding in findings])) for findings in every]
    ruled = [
        Ruled(
            claim=claim,
            findings=findings,
            verdict=combined(finding.verdict for finding in findings),
            reading=combined(finding.reading for finding in findings),
            p=p,
            p_holm=float(adjusted),
        )
        for claim, findings, p, adjusted in zip(
            book.claims, every, p_values, holm(p_values), strict=True
        )
    ]
    return Judgement(ruled, confidence, sorted(found))


def ruling(
    effect: Interval, control: Interval, excess: Interval, smallest: float, bound: str
) -> tuple[str, str]:
    """The rule: what an effect with its interval, beside its control, says about a claim.

    Args:
        effect, control: positive is what the claim says; NaN where there is none.
        excess: effect minus control, paired by seed.
        smallest: the smallest effect worth calling one, in their unit, > 0.
        bound: "effect" or "not_worse" (see `claims.Part`).

    Returns:
        Verdict and reason, in this order. Not reproduced: the whole interval lies below `smallest`
        (below -`smallest` for "not_worse"). Undecided: it holds 0 (-`smallest`). Not reproduced:
        the control shows it as well. Undecided: effect and control cannot be told apart.
        Reproduced: otherwise. So a control that is merely uncertain proves nothing either way.

    >>> ruling(Interval(8, 6, 10, 5), Interval(0, -1, 1, 5), Interval(8, 6, 10, 5), 5, "effect")[0]
    'reproduced'
    """
    floor, ceiling = (-smallest, -smallest) if bound == "not_worse" else (0.0, smallest)
    if np.isnan(effect.value):
        return MISSING, "not recorded"
    if effect.high < ceiling:
        return FAILED, f"the whole interval lies below {ceiling:g}"
    if np.isnan(effect.low):
        return UNDECIDED, "there is no interval"
    if effect.low <= floor:
        return UNDECIDED, f"the interval holds {floor:g}"
    if np.isnan(control.value):
        return REPRODUCED, f"the whole interval lies above {floor:g}"
    if control.low > floor and (bound == "not_worse" or control.value >= effect.value / 2):
        return FAILED, "the control shows it as well"
    if not excess.low > 0:
        return UNDECIDED, "it cannot be told from its control"
    return REPRODUCED, f"the whole interval lies above {floor:g}, and above its control"


def combined(verdicts: Iterable[str]) -> str:
    """Verdict of a claim from those of its parts: all must hold, and one that fails decides.

    >>> combined(["reproduced", "undecided"]), combined(["not reproduced", "missing"])
    ('undecided', 'not reproduced')
    """
    return min(verdicts, key=_WEIGHT.index)


def _finding(
    part: Part, book: Book, found: Mapping[int, Recorded], confidence: float, wanted: int
) -> Finding:
    """Read a part from every seed and judge it."""
    measure, read = book.measures[part.measure], {}
    for seed, recorded in found.items():
        numbers = [part.read(source, recorded.numbers) for source in part.sources()]
        if all(number is not None for number in numbers):
            read[seed] = [number for number in numbers if number is not None]
    effects, controls = (
        {seed: numbers[i] for seed, numbers in read.items() if i < len(numbers)} for i in (0, 1)
    )
    differences = {seed: _difference(*both) for seed, both in read.items() if len(both) > 1}
    effect, control, excess = (
        _spread(numbers.values(), confidence) for numbers in (effects, controls, differences)
    )
    reading, reason = ruling(effect, control, excess, measure.smallest, part.bound)
    verdict, values = reading, [each.value for each in effects.values()]
    if not read:
        reason = _lacking(part, found)
    elif len(read) < wanted:
        verdict, reason = UNDECIDED, f"{len(read)} of {wanted} seeds that a verdict needs"
    floor = -measure.smallest if part.bound == "not_worse" else 0.0
    decided = verdict in (REPRODUCED, FAILED)
    return Finding(
        part=part,
        measure=measure,
        effect=effect,
        control=control,
        excess=excess,
        effects={seed: each.value for seed, each in effects.items()},
        controls={seed: each.value for seed, each in controls.items()},
        absent=sorted(found.keys() - read.keys()),
        files=sorted({found[seed].file(source) for seed in read for source in part.sources()}),
        reading=reading,
        verdict=verdict,
        reason=reason,
        p=one_sided_p(values, floor),
        settle=len(read)
        if decided
        else _settle(
            list(effects.values()),
            list(differences.values()),
            measure.smallest,
            part.bound,
            confidence,
            wanted,
        ),
    )


def _lacking(part: Part, found: Mapping[int, Recorded]) -> str:
    """Which numbers no seed records, in words."""
    lacking = [
        f"'{source.scalar}' ({source.notebook})"
        for source in part.sources()
        if all(source.read(recorded.numbers) is None for recorded in found.values())
    ]
    return f"no seed records {' or '.join(lacking) or 'both effect and control'}"


def _spread(numbers: Iterable[Interval], confidence: float) -> Interval:
    """Interval over seeds; of a single seed the run's own."""
    several = list(numbers)
    if len(several) == 1:
        return several[0]
    return over_seeds([each.value for each in several], confidence)


def _difference(effect: Interval, control: Interval) -> Interval:
    """Effect minus control of one seed, as if they were independent (half-widths in quadrature).

    A control without an interval is taken as it is.
    """
    value = effect.value - control.value
    widths = np.nan_to_num([control.high - control.value, control.value - control.low])
    below = np.hypot(effect.value - effect.low, widths[0])
    above = np.hypot(effect.high - effect.value, widths[1])
    return Interval(value, value - float(below), value + float(above), 1)


def _settle(
    effects: Sequence[Interval], differences: Sequence[Interval], smallest: float, bound: str,
    confidence: float, wanted: int,
) -> int | None:  # fmt: skip
    """Seeds after which `ruling` would decide, if mean and spread stayed as they are.

    Of one seed the spread is that within the run, which leaves out what differs between seeds: the
    answer is then a lower bound.
    """
    mean = float(np.mean([each.value for each in effects])) if effects else np.nan
    upwards, downwards = mean, smallest - mean
    if bound == "not_worse":
        upwards, downwards = mean + smallest, -mean - smallest
    needed = _needed(effects, max(upwards, downwards), confidence)
    if differences and upwards >= downwards:  # it must be told from its control, too
        gap = float(np.mean([each.value for each in differences]))
        apart = _needed(differences, gap, confidence)
        needed = None if needed is None or apart is None else max(needed, apart)
    return needed and max(needed, wanted)


def _needed(numbers: Sequence[Interval], reach: float, confidence: float) -> int | None:
    if len(numbers) > 1:
        deviation = float(np.std([each.value for each in numbers], ddof=1))
    elif numbers:
        width = numbers[0].high - numbers[0].low
        deviation = float(width / 2 / ndtri((1 + confidence) / 2))
    else:
        return None
    return seeds_needed(deviation, reach, confidence)
