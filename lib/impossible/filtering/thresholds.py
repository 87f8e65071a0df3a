"""What a task requires of a pair: the run's thresholds, of which a task may fix some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from impossible.config.params import Params, known


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of the critics for one task; read as attributes.

    A value is looked up in the parameters only when a critic asks for it, so that what a piece of
    work has read is known exactly: scoring does not depend on `entailment_threshold`.

    Args:
        params: of the run.
        task: "paraphrase", "summary" or "translation".
        fixed: threshold → value in the place of the run's.

    >>> params = Params.load("base")
    >>> Thresholds.summary(params).both_directions, Thresholds.paraphrase(params).both_directions
    (False, True)
    """

    params: Params
    task: str = "paraphrase"
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # not a threshold: copying and pickling ask for such names
            raise AttributeError(name)
        return self.fixed[name] if name in self.fixed else getattr(self.params, name)

    @property
    def plain(self) -> dict[str, Any]:
        """What `Thresholds(params, **plain)` needs to be the same, for a unit's payload."""
        return {"task": self.task, "fixed": dict(self.fixed)}

    @classmethod
    def paraphrase(cls, params: Params) -> Self:
        """A paraphrase: every threshold is the run's (section 3.2)."""
        return cls(params)

    @classmethod
    def summary(cls, params: Params) -> Self:
        """A summary: y follows from x and is shorter (section 3.6 and appendix C).

        Nothing is asked of ROUGE-L, tree distance and numbers: a summary keeps the words that it
        keeps and may leave numbers out. A critic that is not named here judges both tasks alike.
        """
        return cls(
            params,
            "summary",
            {
                "both_directions": False,
                "length_ratio_min": 0.0,
                "length_ratio_max": params.summary_length_ratio_max,
                "number_consistency": False,
                "rouge_l_max": 1.0,
                "ted_min": 0,
            },
        )

    @classmethod
    def translation(cls, params: Params) -> Self:
        """A translation: what comes back from the other language says what the source says.

        Nothing is asked of ROUGE-L and tree distance: a source that comes back word for word is no
        worse. `experiments.translation` says what the critics are shown.
        """
        return cls(params, "translation", {"rouge_l_max": 1.0, "ted_min": 0})

    def fix(self, **values: Any) -> Self:
        """A copy with other values, for example `fix(ted_min=0)`; an unknown name is an error."""
        known(values, "Thresholds.fix")
        return replace(self, fixed={**self.fixed, **values})
