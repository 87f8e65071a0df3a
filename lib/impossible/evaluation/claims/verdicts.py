"""Which claims hold: one rule for all, from the recorded numbers of several seeds.

Each part of a claim has an effect (turned so that positive is what the claim says), an interval
over seeds, a minimum effect size, and a control whose signal was destroyed. The rule (`ruling`)
was written before the runs. A claim that fails is shown as failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.claims.specification import (
    REQUIRED_SEEDS,
    Claim,
    ClaimBook,
    Measure,
    Part,
    Recorded,
)
from impossible.evaluation.expectations import NOT_MEASURED
from impossible.evaluation.seed_statistics import holm, one_sided_p, over_seeds, required_seeds

REPRODUCED, FAILED, UNDECIDED = "reproduced", "not reproduced", "undecided"
MISSING_NUMBERS = NOT_MEASURED
VERDICTS = (REPRODUCED, FAILED, UNDECIDED, MISSING_NUMBERS)
_WEIGHT = (FAILED, MISSING_NUMBERS, UNDECIDED, REPRODUCED)  # the first that occurs decides a claim


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
    required_seeds: int | None  # to decide it if mean and spread stay; None: unknown


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with the findings of its parts."""

    claim: Claim
    findings: Sequence[Finding]
    p: float  # of the weakest part
    p_holm: float  # the same among all claims

    @property
    def verdict(self) -> str:
        """All parts must hold."""
        return combined(finding.verdict for finding in self.findings)

    @property
    def reading(self) -> str:
        """What the intervals alone say."""
        return combined(finding.reading for finding in self.findings)

    @property
    def deciding(self) -> Finding:
        """The part on which the verdict rests: of the worst, the one of least relative effect."""

        def rank(finding: Finding) -> tuple[int, int, float]:
            size = finding.effect.value / finding.measure.minimum_effect
            worst = [_WEIGHT.index(text) for text in (finding.verdict, finding.reading)]
            return worst[0], worst[1], np.inf if np.isnan(size) else size

        return min(self.findings, key=rank)

    @property
    def required_seeds(self) -> int | None:
        """Seeds that would decide every part."""
        known = [n for n in (finding.required_seeds for finding in self.findings) if n is not None]
        return max(known) if len(known) == len(self.findings) else None


@dataclass(frozen=True)
class Judgement:
    """All claims judged, at one confidence, from these seeds."""

    claims: Sequence[JudgedClaim]
    confidence: float
    seeds: Sequence[int]


def judge_claims(
    book: ClaimBook, recorded: Mapping[int, Recorded], confidence: float = 0.95
) -> Judgement:
    """Judge every claim by the one rule, at one confidence, from `collect_seeds`.

    A seed counts for a part when effect and control are both recorded; a part without such a seed
    is missing, never zero. The p value of a claim is the largest of its parts (all must hold),
    adjusted for the number of claims (Holm).
    """
    findings = [
        [_finding(part, claim.kind, book, recorded, confidence) for part in claim.parts]
        for claim in book.claims
    ]
    p_values = [float(np.max([finding.p for finding in parts])) for parts in findings]
    rows = zip(book.claims, findings, p_values, map(float, holm(p_values)), strict=True)
    return Judgement([JudgedClaim(*row) for row in rows], confidence, sorted(recorded))


def ruling(
    effect: Interval, control: Interval, excess: Interval, minimum_effect: float, bound: str
) -> tuple[str, str]:
    """The rule: what an effect with its interval, beside its control, says about a claim.

    Args:
        effect, control: positive is what the claim says; NaN where there is none.
        excess: effect minus control, paired by seed.
        minimum_effect: in their unit, > 0.
        bound: "effect" or "not_worse" (see `Part`).

    Returns:
        Verdict and reason, in this order. Not reproduced: the whole interval lies below the
        minimum effect (below minus that for "not_worse"). Undecided: it holds 0 (minus that). Not
        reproduced: the control shows it as well. Undecided: effect and control cannot be told
        apart. Reproduced: otherwise. So a control that is merely uncertain proves nothing.

    >>> ruling(Interval(8, 6, 10, 5), Interval(0, -1, 1, 5), Interval(8, 6, 10, 5), 5, "effect")[0]
    'reproduced'
    """
    floor, ceiling = _floor(minimum_effect, bound), minimum_effect
    if bound == "not_worse":
        ceiling = floor
    if np.isnan(effect.value):
        return MISSING_NUMBERS, "not recorded"
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


def _floor(minimum_effect: float, bound: str) -> float:
    return -minimum_effect if bound == "not_worse" else 0.0


def combined(verdicts: Iterable[str]) -> str:
    """Verdict of a claim from those of its parts: all must hold, and one that fails decides.

    >>> combined(["reproduced", "undecided"]), combined(["not reproduced", "not measured"])
    ('undecided', 'not reproduced')
    """
    return min(verdicts, key=_WEIGHT.index)


def _finding(
    part: Part, kind: str, book: ClaimBook, recorded: Mapping[int, Recorded], confidence: float
) -> Finding:
    """Read a part from every seed and judge it."""
    measure, enough = book.measures[part.measure], REQUIRED_SEEDS[kind]
    numbers = {seed: part.read(each.numbers) for seed, each in recorded.items()}
    read = {seed: found for seed, found in numbers.items() if found is not None}
    effects, controls, excesses = (
        {seed: found[i] for seed, found in read.items() if i < len(found)} for i in range(3)
    )
    effect, control, excess = (
        _spread(each.values(), confidence) for each in (effects, controls, excesses)
    )
    reading, reason = ruling(effect, control, excess, measure.minimum_effect, part.bound)
    verdict = reading
    if not read:
        reason = _lacking(part, recorded)
    elif len(read) < enough:
        verdict, reason = UNDECIDED, f"{len(read)} of {enough} seeds that a verdict needs"
    needed: int | None = len(read)
    if verdict not in (REPRODUCED, FAILED):
        needed = _required(effects, excesses, measure.minimum_effect, part.bound, confidence)
        needed = needed and max(needed, enough)
    values = {seed: each.value for seed, each in effects.items()}
    return Finding(
        part, measure, effect, control, excess, values,
        controls={seed: each.value for seed, each in controls.items()},
        absent=sorted(recorded.keys() - read.keys()),
        files=sorted({recorded[seed].file(source) for seed in read for source in part.sources()}),
        reading=reading,
        verdict=verdict,
        reason=reason,
        p=one_sided_p(list(values.values()), _floor(measure.minimum_effect, part.bound)),
        required_seeds=needed,
    )  # fmt: skip


def _lacking(part: Part, recorded: Mapping[int, Recorded]) -> str:
    """Why no seed has both numbers of a part, in words.

    Not run, not recorded, without value, or of unlike numbers of pairs.
    """
    reasons = [said for each in recorded.values() if (said := part.unlike(each.numbers))]
    for source in part.sources():
        books = [each.numbers.get(source.notebook) for each in recorded.values()]
        known = [book for book in books if book is not None]
        if not known:
            reasons.append(f"{source.notebook} was not run")
        elif all(source.scalar not in book for book in known):
            reasons.append(f"no seed records '{source.scalar}' ({source.notebook})")
        elif all(source.read(each.numbers) is None for each in recorded.values()):
            reasons.append(f"'{source.scalar}' ({source.notebook}) has no value in any seed")
    return "; ".join(dict.fromkeys(reasons)) or "no seed records both effect and control"


def _spread(numbers: Iterable[Interval], confidence: float) -> Interval:
    """Interval over seeds; of a single seed the run's own."""
    several = list(numbers)
    if len(several) == 1:
        return several[0]
    return over_seeds([each.value for each in several], confidence)


def _required(
    effects: Mapping[int, Interval], excesses: Mapping[int, Interval], minimum_effect: float,
    bound: str, confidence: float,
) -> int | None:  # fmt: skip
    """Seeds after which `ruling` would decide, if mean and spread stayed as they are.

    Of one seed the spread is that within the run, which leaves out what differs between seeds: the
    answer is then a lower bound.
    """
    mean = float(np.mean([each.value for each in effects.values()])) if effects else np.nan
    upwards, downwards = mean, minimum_effect - mean
    if bound == "not_worse":
        upwards, downwards = mean + minimum_effect, -mean - minimum_effect
    needed = _reaching(effects, max(upwards, downwards), confidence)
    if excesses and upwards >= downwards:  # it must be told from its control, too
        gap = float(np.mean([each.value for each in excesses.values()]))
        apart = _reaching(excesses, gap, confidence)
        needed = None if needed is None or apart is None else max(needed, apart)
    return needed


def _reaching(numbers: Mapping[int, Interval], reach: float, confidence: float) -> int | None:
    several = list(numbers.values())
    if not several:
        return None
    if len(several) > 1:
        deviation = float(np.std([each.value for each in several], ddof=1))
    else:
        width = several[0].high - several[0].low
        deviation = float(width / 2 / stats.norm.ppf((1 + confidence) / 2))
    return required_seeds(deviation, reach, confidence)
