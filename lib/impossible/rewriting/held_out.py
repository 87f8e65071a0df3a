"""What a student makes of sentences that it was not trained on, judged by the pipeline's critics.

The critics chose its training data too: what they accept is not thereby true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import SCORE, TEXT, record_schema
from impossible.data.units import Scored, Unit, map_units
from impossible.filtering.critic import Models
from impossible.rewriting.rewriters import Paraphraser, Summarizer
from impossible.training.student import Student

#: The best candidate of each source; without one `text` is "" and `reason` says why.
_ANSWERS = record_schema(
    "source", source=TEXT, text=TEXT, reason=TEXT, fidelity=SCORE, rouge_l=SCORE, length_ratio=SCORE
)


def answered_sources(
    run: RunFolder, sources: Sequence[str], student: Student, models: Models, params: Params,
    task: str, name: str,
) -> pd.DataFrame:  # fmt: skip
    """The best that a user of the student would get for each source, kept in `work/NAME`.

    Args:
        run: the run folder.
        sources: sentences.
        student, models: of which the critic is asked.
        params: reads seed and what `Rewriter` reads.
        task: "paraphrase" or "summary".
        name: of the piece of work.

    Returns:
        source, text ("": nothing passed), reason, and of the text fidelity (the least entailment
        probability asked for), rouge_l and length_ratio, null where there is none.
    """
    unit = Unit(name, {"sources": list(sources), "task": task})
    return map_units(_answer_unit, [unit], params, run, name, _ANSWERS, (student, models))[0]


def _answer_unit(unit: Unit, params: Params, given: Any) -> Scored:
    student, models = given
    kind = Summarizer if unit.payload["task"] == "summary" else Paraphraser
    rewriter = kind(model=student, critic=models.critic, params=params)
    rows, sources = [], unit.payload["sources"]
    for each in rewriter.rewrite(sources, seed=params.seed) if sources else []:
        best = each.candidates[0] if each.candidates else None
        scores = {name: getattr(best, name, None) for name in ("fidelity", "rouge_l")}
        ratio = getattr(best, "length_ratio", None)
        rows.append((each.source, each.text, each.reason, *scores.values(), ratio))
    return pd.DataFrame(rows, columns=_ANSWERS.names), pd.DataFrame()
