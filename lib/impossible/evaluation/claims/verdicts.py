"""Names of the verdicts on claims, apart from the claims: who draws them need not read those."""

from __future__ import annotations

__all__ = ["FAILED", "MISSING", "REPRODUCED", "UNDECIDED", "VERDICTS"]

REPRODUCED, FAILED, UNDECIDED, MISSING = "reproduced", "not reproduced", "undecided", "missing"
VERDICTS = (REPRODUCED, FAILED, UNDECIDED, MISSING)
