"""The judged claims as rows for a figure, tables for readers and a file for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from impossible.data.io import write_json
from impossible.data.run_folder import RunFolder
from impossible.evaluation.bootstrap import Interval
from impossible.evaluation.claims.verdicts import (
    FAILED,
    REPRODUCED,
    UNDECIDED,
    VERDICTS,
    Finding,
    JudgedClaim,
    Judgement,
)
from impossible.evaluation.seed_statistics import MOST_SEEDS
from impossible.report.tables import MISSING, interval


def part_rows(judged: Judgement) -> pd.DataFrame:
    """One row per part, numbers unrounded: what the figure draws and the CSV holds.

    Returns:
        number, claim, part, label, statistic, unit, minimum_effect, bound, sign, value, low, high,
        n, control, control_low, control_high, destroyed, reading, verdict, reason, p,
        required_seeds, claim_verdict, deciding (whether the claim's verdict rests on this part).
        Effect and control are turned so that positive is what the claim says.
    """
    rows = [
        {
            "number": ruled.claim.number, "claim": ruled.claim.short, "part": place,
            "label": found.part.short, "statistic": found.part.statistic,
            "unit": found.measure.unit, "minimum_effect": found.measure.minimum_effect,
            "bound": found.part.bound, "sign": found.part.sign, "value": found.effect.value,
            "low": found.effect.low, "high": found.effect.high, "n": len(found.effects),
            "control": found.control.value, "control_low": found.control.low,
            "control_high": found.control.high, "destroyed": _destroyed(found),
            "reading": found.reading, "verdict": found.verdict, "reason": found.reason,
            "p": found.p, "required_seeds": found.required_seeds,
            "claim_verdict": ruled.verdict,
            "deciding": found is ruled.deciding,
        }
        for ruled in judged.claims
        for place, found in enumerate(ruled.findings, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def claim_table(judged: Judgement) -> pd.DataFrame:
    """One line per claim, by the part on which its verdict rests, as texts for a reader.

    Those measured in the columns of a table of the paper come first.
    """
    return pd.DataFrame([_line(ruled) for ruled in _as_shown(judged)])


def _as_shown(judged: Judgement) -> list[JudgedClaim]:
    """Claims in the columns of the paper's tables first, a table after the other."""
    return sorted(judged.claims, key=lambda ruled: (ruled.claim.table or "~", ruled.claim.number))


def _line(ruled: JudgedClaim) -> dict[str, Any]:
    found, parts = ruled.deciding, ruled.findings
    held = sum(each.verdict == REPRODUCED for each in parts)
    return {
        "#": ruled.claim.number,
        "claim": ruled.claim.claim,
        "place": ruled.claim.place,
        "weakest part": f"{found.part.as_claimed} ({found.measure.unit})",
        **_numbers(found),
        "parts that hold": f"{held} of {len(parts)}",
        "p (Holm)": MISSING if np.isnan(ruled.p_holm) else f"{ruled.p_holm:.3f}",
        "verdict": ruled.verdict,
        "by intervals alone": ruled.reading,
        "seeds required": _seeds(ruled.verdict, ruled.required_seeds, parts),
    }


def part_table(judged: Judgement) -> pd.DataFrame:
    """One line per part of each claim, as texts for a reader; positive is what the claim says."""
    return pd.DataFrame(
        [
            {
                "#": f"{ruled.claim.number}.{place}",
                "statistic": found.part.as_claimed,
                "unit": found.measure.unit,
                "minimum effect": f"{found.measure.minimum_effect:g}",
                **_numbers(found),
                "what the control lacks": _destroyed(found),
                "verdict": found.verdict,
                "why": found.reason,
                "seeds required": _seeds(found.verdict, found.required_seeds, [found]),
            }
            for ruled in _as_shown(judged)
            for place, found in enumerate(ruled.findings, 1)
        ]
    )


def _numbers(found: Finding) -> dict[str, Any]:
    effect, control = found.effect, found.control
    return {
        "effect": interval(effect.value, effect.low, effect.high),
        "control": interval(control.value, control.low, control.high),
        "seeds": len(found.effects),
    }


def _destroyed(found: Finding) -> str:
    control = found.part.control
    return control.destroyed if control else f"no control: {found.part.no_control}"


def _seeds(verdict: str, required: int | None, findings: Sequence[Finding]) -> str:
    """How many seeds decide it: as it stands, "decided", a lower bound, or more than advised."""
    if verdict in (REPRODUCED, FAILED):
        return "decided"
    open_parts = [found for found in findings if found.verdict not in (REPRODUCED, FAILED)]
    if any(np.isnan(found.effect.low) for found in open_parts):
        return MISSING
    if required is None:
        return f"> {MOST_SEEDS}"
    return f"≥ {required}" if any(len(f.effects) == 1 for f in open_parts) else str(required)


def verdict_counts(judged: Judgement) -> dict[str, int]:
    """Number of claims with each verdict, those that none has with 0."""
    times = Counter(ruled.verdict for ruled in judged.claims)
    return {verdict: times[verdict] for verdict in VERDICTS}


def by_chance(judged: Judgement) -> str:
    """What the number of intervals alone makes likely, in one sentence."""
    findings = [found for ruled in judged.claims for found in ruled.findings]
    n = sum(bool(np.isfinite(found.effect.low)) for found in findings)
    missed = (1 - judged.confidence) * n
    return (
        f"Of {n} intervals of {judged.confidence:.0%}, about {missed:.1f} miss what they estimate "
        "by chance, even if every assumption holds."
    )


def undecided_because(parts: pd.DataFrame) -> str:
    """Why parts are undecided, in one sentence, the most frequent reason first; "" if none is.

    Args:
        parts: of `part_rows`.
    """
    reasons = parts.loc[parts["verdict"] == UNDECIDED, "reason"].astype(str)
    few = reasons.str.contains("seeds that a verdict needs")  # of some it is 3, of others 5
    counts = reasons.mask(few, "too few seeds").value_counts()
    said = ", ".join(f"{reason} ({n} part{'s' * (n > 1)})" for reason, n in counts.items())
    return f"Undecided: {said}." if said else ""


def write_claims(run: RunFolder, judged: Judgement) -> Path:
    """Write `claims.json` at the run's root; return its path.

    Per claim and part: the definition from `claims.yaml`, the values of every seed and the files
    that they come from, intervals, p values, verdicts and the reasons for them.
    """
    claims = [
        {
            **ruled.claim.model_dump(exclude={"parts"}),
            "verdict": ruled.verdict, "reading": ruled.reading, "p": ruled.p,
            "p_holm": ruled.p_holm, "required_seeds": ruled.required_seeds,
            "parts": [_as_json(found) for found in ruled.findings],
        }
        for ruled in judged.claims
    ]  # fmt: skip
    content = {"confidence": judged.confidence, "seeds": list(judged.seeds), "claims": claims}
    return write_json(run.root / "claims.json", {**content, "counts": verdict_counts(judged)})


def _as_json(found: Finding) -> dict[str, Any]:
    return {
        **found.part.model_dump(by_alias=True), "as_claimed": found.part.as_claimed,
        "measure": found.measure.model_dump(),
        "effect_found": _bounds(found, found.effect),
        "control_found": _bounds(found, found.control),
        "excess_found": _bounds(found, found.excess),
        "effect_per_seed": dict(found.effects), "control_per_seed": dict(found.controls),
        "seeds_without": list(found.absent), "files": list(found.files),
        "verdict": found.verdict, "reason": found.reason, "reading": found.reading,
        "p": found.p, "required_seeds": found.required_seeds,
    }  # fmt: skip


def _bounds(finding: Finding, found: Interval) -> dict[str, Any]:
    over = "seeds" if len(finding.effects) > 1 else "the run's own"
    return {"value": found.value, "low": found.low, "high": found.high, "interval": over}
