"""All critics, the cheapest first: a pair is counted under the first that rejects it."""

from __future__ import annotations

from impossible.data.schemas import KNOWN_TEXT, SMALL_COUNT, TEXT, record_schema
from impossible.filtering.covered_sentences import CoveredSentences
from impossible.filtering.critic import Critic
from impossible.filtering.entailment import Entailment
from impossible.filtering.length_ratio import LengthRatio
from impossible.filtering.same_names import SameNames
from impossible.filtering.same_numbers import SameNumbers
from impossible.filtering.similarity import Similarity
from impossible.filtering.tree_distance import TreeDistance
from impossible.filtering.word_overlap import WordOverlap

CRITICS: tuple[Critic, ...] = (
    LengthRatio(),
    SameNumbers(),
    SameNames(),
    WordOverlap(),
    CoveredSentences(),
    Similarity(),
    Entailment(),
    TreeDistance(),
)

REASONS = tuple(critic.name for critic in CRITICS)  # in the funnel, in order
_TITLES = {critic.name: critic.title for critic in CRITICS if critic.title}
EARLY = tuple(critic.name for critic in CRITICS if critic.exits)  # before any model is asked

#: What the critics say about an ordered pair.
SCORES = tuple(column for critic in CRITICS for column in critic.columns)

#: One row per ordered pair of different sentences of a context that no critic exited early.
PAIRS = record_schema("context_id", *SCORES, context_id=TEXT, domain=KNOWN_TEXT, x=TEXT, y=TEXT)

#: A student's candidates y for an input x.
CANDIDATES = record_schema(
    "input_id",
    *SCORES,
    input_id=TEXT,
    context_id=TEXT,
    domain=KNOWN_TEXT,
    candidate=SMALL_COUNT,
    x=TEXT,
    y=TEXT,
)


def reason_title(name: str) -> str:
    """What people read for a reason in a funnel; other text stays as it is.

    >>> reason_title("ted"), reason_title("length_ratio")
    ('tree distance', 'length ratio')
    """
    return _TITLES.get(name, name.replace("_", " ") if name.isidentifier() else name)
