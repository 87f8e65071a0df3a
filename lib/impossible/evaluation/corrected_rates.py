"""Rates by a judge that errs, corrected by the errors it makes on pairs of known label.

Of pairs that mean the same the judge says yes to the fraction *se* (sensitivity), of others no to
the fraction *sp* (specificity). If it says yes to the fraction q of new pairs, the fraction that
means the same is p = (q + sp - 1) / (se + sp - 1) (Rogan and Gladen 1978). This holds as far as the
judge errs on the new pairs as it does on the labelled ones. It does not on pairs that a critic
chose which errs as the judge does: what both take for a paraphrase is in, so that rates of such
groups stay raw (`ErrorRates.among`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from impossible.evaluation.bootstrap import (
    Bootstrap,
    Floats,
    Interval,
    bootstrap_sums,
    cluster_codes,
)

#: Names of what critics chose: datasets, those of a round, pairs that pass, the best of answers.
_CHOSEN = re.compile(
    r"(pair in )?D_(T|para|sum)\b|round \d+\b|((pass|accepted by) )?all (critics|gates)$|kept$"
    r"|.*\bbest of \d+"
)


def chosen_by_critics(group: object) -> bool:
    """Whether a group of pairs or a system, by its name, is what the pipeline's critics chose.

    >>> [chosen_by_critics(name) for name in ("D_para", "M_para, best of 10", "student of D_para")]
    [True, True, False]
    """
    return _CHOSEN.match(str(group)) is not None


@dataclass(frozen=True)
class ErrorRates:
    """A judge's verdicts on pairs that people have labelled.

    Args:
        positives: pairs whose label is yes; hits: of them those that the judge calls so.
        negatives: pairs whose label is no; rejections: of them those that the judge calls so.
        data: where the labels come from.
        elsewhere: why it errs otherwise on what is judged now; "" if nothing says so.

    >>> rates = ErrorRates(100, 80, 200, 180)
    >>> rates.sensitivity, rates.specificity
    (0.8, 0.9)
    """

    positives: int
    hits: int
    negatives: int
    rejections: int
    data: str = ""
    elsewhere: str = ""

    def __post_init__(self) -> None:
        if not (0 <= self.hits <= self.positives and 0 <= self.rejections <= self.negatives):
            raise ValueError(f"{self!r}: hits and rejections are counts among their pairs")

    def __str__(self) -> str:
        """In words, as a reader sees it."""
        return (
            f"says yes to {self.sensitivity:.0%} of {self.positives:,} pairs that people call so, "
            f"and to {1 - self.specificity:.0%} of {self.negatives:,} others "
            f"({self.data or 'labelled pairs'})"
        )

    @classmethod
    def counted(cls, verdicts: ArrayLike, labels: ArrayLike, data: str = "") -> ErrorRates:
        """Counts of verdicts (1, 0, NaN: cannot be judged, left out) by labels (1 yes, 0 no).

        >>> ErrorRates.counted([1, 0, 0, float("nan")], [1, 1, 0, 0]).sensitivity
        0.5
        """
        said, true = np.asarray(verdicts, dtype=np.float64), np.asarray(labels, dtype=bool)
        judged = ~np.isnan(said)
        yes, no = said[judged & true], said[judged & ~true]
        return cls(len(yes), int(yes.sum()), len(no), int((no == 0).sum()), data)

    @classmethod
    def pooled(cls, parts: Iterable[ErrorRates]) -> ErrorRates:
        """The counts of several sets of labels together."""
        sets = list(parts)
        return cls(
            sum(each.positives for each in sets), sum(each.hits for each in sets),
            sum(each.negatives for each in sets), sum(each.rejections for each in sets),
            ", ".join(each.data for each in sets),
        )  # fmt: skip

    @property
    def sensitivity(self) -> float:
        """se, the fraction of positives called so; NaN without any."""
        return self.hits / self.positives if self.positives else float("nan")

    @property
    def specificity(self) -> float:
        """sp, the fraction of negatives called so; NaN without any."""
        return self.rejections / self.negatives if self.negatives else float("nan")

    @property
    def problem(self) -> str:
        """Why no rate can be corrected by these; "" if rates can.

        A judge that misses most positives does so because the labels mean something else (people
        call a paraphrase what lacks a detail): then it does not err elsewhere as it does on them.
        """
        if self.elsewhere:
            return self.elsewhere
        percent = f"sensitivity {self.sensitivity:.0%}, specificity {self.specificity:.0%}"
        where = f"on {self.data or 'labelled pairs'} ({percent})"
        if not self.sensitivity + self.specificity > 1:
            return f"the judge is no better than chance {where}"
        return f"the judge says no to most positives {where}" if self.sensitivity < 0.5 else ""

    def among(self, groups: Iterable[object]) -> ErrorRates:
        """The same for a table of these groups: no correction where critics chose one of them."""
        chosen = next((group for group in groups if chosen_by_critics(group)), None)
        if chosen is None or self.elsewhere:
            return self
        return replace(self, elsewhere=f"critics, which err as the judge does, chose {chosen}")

    def drawn(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        """n draws of se and sp from what the counts leave open (Beta, Jeffreys' prior)."""
        misses, alarms = self.positives - self.hits, self.negatives - self.rejections
        return (
            rng.beta(self.hits + 0.5, misses + 0.5, n),
            rng.beta(self.rejections + 0.5, alarms + 0.5, n),
        )


def corrected_mean(
    verdicts: ArrayLike,
    asked: ArrayLike,
    errors: ErrorRates,
    clusters: ArrayLike | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    lowest: float = 0.0,
) -> Interval:
    """A mean of verdicts as it would be without the judge's errors, in [lowest, 1].

    The interval is a bootstrap: each resample of the verdicts is corrected by a draw of se and sp,
    so that it carries the uncertainty of all three.

    Args:
        verdicts: 1 yes, 0 no, NaN cannot be judged, shape (n,); or differences of two systems'.
        asked: 1 where the judge was asked, 0 where a rule said no, which is no error of the
            judge (an empty output, one too similar to its source); or differences of these.
        errors: on labelled pairs.
        clusters: labels of verdicts that are drawn together.
        bootstrap: samples, confidence and seed.
        lowest: 0 for a rate, -1 for a difference of rates.

    Returns:
        The corrected mean with its interval and n; NaN where `errors.problem`.

    Source: Rogan and Gladen 1978; Lang and Reiczigel 2014 on intervals.

    >>> rate = corrected_mean([1] * 66 + [0] * 34, [1] * 100, ErrorRates(100, 80, 200, 180))
    >>> round(rate.value, 2), rate.n  # (0.66 + 0.9 - 1) / (0.8 + 0.9 - 1)
    (0.8, 100)
    """
    said, open_ = np.asarray(verdicts, dtype=np.float64), np.asarray(asked, dtype=np.float64)
    present = ~np.isnan(said)
    if errors.problem:
        return Interval(np.nan, np.nan, np.nan, int(present.sum()))
    columns = np.column_stack([said, open_, np.ones(len(said))])[present]
    groups = None if clusters is None else cluster_codes(clusters)[present]
    rng = np.random.default_rng([bootstrap.seed, 1])  # another stream than the resampling
    found = bootstrap_sums(columns, partial(_corrected, errors, rng), groups, bootstrap)
    low, value, high = np.clip([found.low, found.value, found.high], lowest, 1.0).tolist()
    return Interval(value, low, high, found.n)


def _corrected(errors: ErrorRates, rng: np.random.Generator, sums: Floats) -> Floats:
    """Rogan and Gladen's p of sums (yes, asked, all): by se and sp, or for resamples by draws."""
    yes, asked, n = np.moveaxis(sums, -1, 0)
    se, sp = np.array(errors.sensitivity), np.array(errors.specificity)
    if sums.ndim > 1:
        se, sp = errors.drawn(rng, len(sums))
    informed = np.where(se + sp > 1, se + sp - 1, np.nan)
    return np.asarray((yes - (1 - sp) * asked) / (n * informed))
