"""What a controlled student may be asked for: the axes of each task and their words.

The only place that names them. `grids` cuts pairs by them, notebook 18 trains on the result, and
the command offers them as options; a student keeps the words it has learned in its control.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["AXES", "Scale"]


@dataclass(frozen=True)
class Scale:
    """How an axis is measured, and what its intervals are called.

    Attributes:
        measure: key of `grids.MEASURES`.
        words: one per interval, from low values to high ones; as many as there are intervals.
    """

    measure: str
    words: tuple[str, ...]


#: Task (the noun of its instructions) → axis (an option of its command) → scale.
#:
#: A summary is abstractive by the word pairs that its source lacks, as summaries usually are. A
#: paraphrase is free by its distance in ROUGE-L, on which its gate is set: so a copy, of which no
#: word is new and whose length is right, lies in no group.
AXES: Mapping[str, Mapping[str, Scale]] = {
    "summary": {
        "length": Scale("compression", ("short", "long")),
        "style": Scale("novelty", ("extractive", "abstractive")),
    },
    "paraphrase": {
        "length": Scale("compression", ("short", "long")),
        "style": Scale("rewording", ("literal", "free")),
    },
}
