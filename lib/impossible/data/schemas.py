"""Schemas of every record file: one place that says which columns exist, of which type and meaning.

Each schema carries the name of its item column (`schema.metadata[b"item"]`): the unit in which work
is divided, resumed and ordered. A pair (x, y) is always *ordered*: `p_xy` is P_NLI(x entails y).
"""

from __future__ import annotations

import pyarrow as pa


def _schema(item: str, *columns: pa.Field) -> pa.Schema:
    return pa.schema(list(columns), metadata={"item": item})


def _text(name: str) -> pa.Field:
    return pa.field(name, pa.string(), nullable=False)


def _count(name: str, kind: pa.DataType | None = None) -> pa.Field:
    return pa.field(name, kind or pa.int64(), nullable=False)


def _score(name: str) -> pa.Field:
    """A score in 32 bits; null means *not computed*, never zero."""
    return pa.field(name, pa.float32())


def _scores() -> list[pa.Field]:
    """What the critics say about an ordered pair; the order of the columns is the order of cost."""
    return [
        _score("rouge_l"),  # F1 in [0, 1], case-insensitive
        _score("length_ratio"),  # characters of y / characters of x
        pa.field("numbers_consistent", pa.bool_()),
        _score("ted"),  # tree edit distance in edits; null unless computed exactly
        _score("ted_lower"),  # ted_lower <= ted <= ted_upper, always there
        _score("ted_upper"),
        pa.field("tree_fallback", pa.bool_()),  # both trees are flat: one sentence did not parse
        _score("p_xy"),  # P_NLI(x entails y) in [0, 1]
        _score("p_yx"),
    ]


#: Metadata of a column that a file may lack; it is null then.
OPTIONAL = {b"optional": b"true"}

#: Columns of `PREDICTIONS` that an encoder fills (`evaluation.with_similarities`).
SIMILARITIES = ("bert_score", "bert_score_references", "cosine")

#: A context: text = prefix + " " + `n_sentences` sentences written by the teacher (section 3.1).
CONTEXTS = _schema(
    "context_id",
    _text("context_id"),
    _text("domain"),
    _count("n_sentences", pa.int8()),
    _text("prefix"),
    _text("text"),
)

#: A sampled continuation; `text` is its first sentence, or "" with the `reason` it was refused for.
SENTENCES = _schema(
    "context_id",
    _text("context_id"),
    _count("sample", pa.int32()),
    _text("raw"),
    _text("text"),
    _text("reason"),
)

#: What the teacher wrote for a way of generating pairs (v1), in its order: first a sentence x with
#: an empty y, then what follows it; in parallel generation x is empty. `y` is "" where it was
#: refused, `tokens` are those that were computed for this row.
SEQUENCES = _schema(
    "context_id",
    _text("context_id"),
    _text("method"),
    _count("place", pa.int32()),
    _text("x"),
    _text("y"),
    _count("tokens"),
)

#: One row per ordered unique string pair that reached the critic.
PAIRS = _schema("context_id", _text("context_id"), _text("x"), _text("y"), *_scores())

#: What became of all ordered sample pairs of a context: the sum of n over reasons is their number.
FUNNEL = _schema("context_id", _text("context_id"), _text("reason"), _count("n"))

#: Any corpus of pairs, from any source (`origin`).
DATASET = _schema(
    "pair_id",
    _text("pair_id"),
    _text("source"),
    _text("target"),
    _text("context_id"),
    _text("origin"),
    _score("p_xy"),
    _score("p_yx"),
    _score("rouge_l"),
    _score("ted"),
)

#: A student's candidates y for an input x, with what the critics say.
CANDIDATES = _schema(
    "input_id",
    _text("input_id"),
    _count("candidate", pa.int32()),
    _text("x"),
    _text("y"),
    *_scores(),
)

#: What a system wrote for an item of a test set, and what an encoder says of it (null if none ran):
#: BERTScore of output and source and of output and best reference, cosine of output and source.
PREDICTIONS = _schema(
    "item",
    _text("system"),
    _text("item"),
    _text("source"),
    pa.field("references", pa.list_(pa.string()), nullable=False),
    _text("output"),
    pa.field("encoder", pa.string(), metadata=OPTIONAL),
    *(pa.field(name, pa.float64(), metadata=OPTIONAL) for name in SIMILARITIES),
)

#: One answer of one rater about one blinded output; `origin` is "human" or "synthetic".
RATINGS = _schema(
    "unit",
    _text("rater"),
    _text("unit"),
    _text("item"),
    _text("question"),
    _count("value", pa.int8()),
    _text("origin"),
)

#: One metric of one system with its interval; a null value means missing, never zero.
METRIC_ROWS = _schema(
    "system",
    _text("system"),
    _text("metric"),
    pa.field("value", pa.float64()),
    pa.field("low", pa.float64()),
    pa.field("high", pa.float64()),
    _count("n"),
    _text("signature"),
)


def item_column(schema: pa.Schema) -> str:
    """Name of the column that identifies an item of work.

    >>> item_column(PAIRS)
    'context_id'
    """
    return str((schema.metadata or {})[b"item"].decode())
