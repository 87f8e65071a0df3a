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

from impossible.claims import WANTED, Book, Claim, Measure, Part, Recorded
from impossible.seeds import holm, one_sided_p, over_seeds, seeds_needed
from impossible.statistics import Interval

__all__ = ["VERDICTS", "Finding", "Judgement", "Ruled", "combined", "judge", "ruling"]

REPRODUCED, FAILED, UNDECIDED, MISSING = "reproduced", "not reproduced", "undecided", "missing"
VERDICTS = (REPRODUCED, FAILED, UNDECIDED, MISSING)
_WEIGHT = (FAILED, MISSING, UNDECIDED, REPRODUCED)  # the first that occurs decides a claim


@dataclass(frozen=True)
class Finding:
    """What the seeds say about one part; all numbers in its measure's unit, positive = claimed."""

    part: Part
    measure: Measure
    effect: Interval  # over seeds; with one seed the run's own
    control: Interval
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


def ruling(effect: Interval, control: Interval, smallest: float, bound: str) -> tuple[str, str]:
    """The rule: what an effect with its interval, beside its control, says about a claim.

    Args:
        effect, control: positive is what the claim says; NaN where there is none.
        smallest: the smallest effect worth calling one, in their unit, > 0.
        bound: "effect" or "not_worse" (see `claims.Part`).

    Returns:
        Verdict and reason. Not reproduced: the whole interval lies below `smallest` (below
        -`smallest` for "not_worse"), or the control shows it as well. Reproduced: otherwise, and
        the whole interval lies above 0 (above -`smallest`). Undecided: otherwise.

    >>> ruling(Interval(8, 6, 10, 5), Interval(0, -1, 1, 5), 5, "effect")[0]
    'reproduced'
    """
    floor, ceiling = (-smallest, -smallest) if bound == "not_worse" else (0.0, smallest)
    if np.isnan(effect.value):
        return MISSING, "not recorded"
    if effect.high < ceiling:
        return FAILED, f"the whole interval lies below {ceiling:g}"
    as_large = bound == "not_worse" or control.value >= effect.value / 2
    if control.low > floor and as_large:
        return FAILED, "the control shows it as well"
    if effect.low > floor:
        return REPRODUCED, f"the whole interval lies above {floor:g}"
    if np.isnan(effect.low):
        return UNDECIDED, "there is no interval"
    return UNDECIDED, f"the interval holds {floor:g}"


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
    effect, control = (_spread(numbers.values(), confidence) for numbers in (effects, controls))
    reading, reason = ruling(effect, control, measure.smallest, part.bound)
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
        effects={seed: each.value for seed, each in effects.items()},
        controls={seed: each.value for seed, each in controls.items()},
        absent=sorted(found.keys() - read.keys()),
        files=sorted({found[seed].file(source) for seed in read for source in part.sources()}),
        reading=reading,
        verdict=verdict,
        reason=reason,
        p=one_sided_p(values, floor),
        settle=len(read) if decided else _settle(effect, values, measure, part, confidence, wanted),
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


def _settle(
    effect: Interval, values: Sequence[float], measure: Measure, part: Part, confidence: float,
    wanted: int,
) -> int | None:  # fmt: skip
    """Seeds after which `ruling` would decide, if mean and spread stayed as they are.

    Of one seed the spread is that within the run, which leaves out what differs between seeds: the
    answer is then a lower bound.
    """
    mean, smallest = effect.value, measure.smallest
    reach = abs(mean + smallest) if part.bound == "not_worse" else max(mean, smallest - mean)
    if len(values) > 1:
        deviation = float(np.std(values, ddof=1))
    else:
        deviation = float((effect.high - effect.low) / 2 / ndtri((1 + confidence) / 2))
    needed = seeds_needed(deviation, reach, confidence)
    return needed and max(needed, wanted)
