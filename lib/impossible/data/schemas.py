"""Schemas of the record files: which columns exist, of which type and meaning.

Those of scored pairs are in `filtering.critics`, since the critics say which columns there are. A
pair (x, y) is always *ordered*: `p_xy` is P_NLI(x entails y).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyarrow as pa

Column = Callable[[str], pa.Field]

#: Metadata of a column that a file may lack; it is null then.
OPTIONAL = {b"optional": b"true"}

TEXT: Column = partial(pa.field, type=pa.string(), nullable=False)
KNOWN_TEXT: Column = partial(pa.field, type=pa.string(), metadata=OPTIONAL)  # null: not known
COUNT: Column = partial(pa.field, type=pa.int64(), nullable=False)
SMALL_COUNT: Column = partial(pa.field, type=pa.int32(), nullable=False)
TINY_COUNT: Column = partial(pa.field, type=pa.int8(), nullable=False)
SCORE: Column = partial(pa.field, type=pa.float32())  # null: *not computed*, never zero
FLAG: Column = partial(pa.field, type=pa.bool_())
NUMBER: Column = partial(pa.field, type=pa.float64())  # null: missing
KNOWN_NUMBER: Column = partial(pa.field, type=pa.float64(), metadata=OPTIONAL)
TEXTS: Column = partial(pa.field, type=pa.list_(pa.string()), nullable=False)


def record_schema(item: str, /, *fields: pa.Field, **columns: Column) -> pa.Schema:
    """A schema of named columns, then `fields`.

    `item` names the column that identifies the unit in which work is divided, resumed and ordered.
    """
    named = [column(name) for name, column in columns.items()]
    return pa.schema([*named, *fields], metadata={"item": item})


#: Columns of `PREDICTIONS` that an encoder fills (`evaluation.with_similarities`).
SIMILARITIES = ("bert_score", "bert_score_references", "cosine")

#: A context: text = prefix + " " + `n_sentences` sentences written by the teacher (section 3.1).
CONTEXTS = record_schema(
    "context_id", context_id=TEXT, domain=TEXT, n_sentences=TINY_COUNT, prefix=TEXT, text=TEXT
)

#: A sampled continuation; `text` is its first sentence, or "" and why it was rejected.
SENTENCES = record_schema(
    "context_id",
    context_id=TEXT,
    domain=TEXT,
    sample=SMALL_COUNT,
    raw=TEXT,
    text=TEXT,
    reason=TEXT,
)

#: What the teacher wrote for a way of generating pairs (v1), in its order: first a sentence x with
#: an empty y, then what follows it; in parallel generation x is empty. `y` is "" where it was
#: rejected, `tokens` are those that were computed for this row.
SEQUENCES = record_schema(
    "context_id",
    context_id=TEXT,
    method=TEXT,
    place=SMALL_COUNT,
    x=TEXT,
    y=TEXT,
    tokens=COUNT,
)

#: The constituency tree of a sentence, null where the parser finds none.
TREES = record_schema("text", text=TEXT, tree=KNOWN_TEXT)

#: What became of all ordered sample pairs of a context: the sum of n over reasons is their number.
FUNNEL = record_schema("context_id", context_id=TEXT, reason=TEXT, n=COUNT)

#: A corpus of pairs: `origin` wrote the targets, `task` is what they are to their sources.
DATASET = record_schema(
    "pair_id",
    pair_id=TEXT,
    source=TEXT,
    target=TEXT,
    context_id=TEXT,
    domain=KNOWN_TEXT,
    origin=TEXT,
    task=KNOWN_TEXT,
    p_xy=SCORE,
    p_yx=SCORE,
    rouge_l=SCORE,
    ted=SCORE,
)

#: What a system wrote for an item of a test set, and what an encoder says of it (null if none ran):
#: BERTScore of output and source and of output and best reference, cosine of output and source.
PREDICTIONS = record_schema(
    "item",
    system=TEXT,
    item=TEXT,
    source=TEXT,
    references=TEXTS,
    output=TEXT,
    encoder=KNOWN_TEXT,
    **dict.fromkeys(SIMILARITIES, KNOWN_NUMBER),
)

#: What is said of each output of PREDICTIONS, in per cent; null where nobody can say it.
JUDGED_OUTPUTS = record_schema(
    "item",
    system=TEXT,
    item=TEXT,
    fidelity=KNOWN_NUMBER,
    paraphrase=KNOWN_NUMBER,
    rouge_l_source=KNOWN_NUMBER,
)

#: One answer of one rater about one blinded output; `origin` is "human" or "synthetic".
RATINGS = record_schema(
    "unit",
    rater=TEXT,
    unit=TEXT,
    item=TEXT,
    question=TEXT,
    value=TINY_COUNT,
    origin=TEXT,
)

#: One metric of one system with its interval; a null value means missing, never zero.
METRIC_ROWS = record_schema(
    "system",
    system=TEXT,
    metric=TEXT,
    value=NUMBER,
    low=NUMBER,
    high=NUMBER,
    n=COUNT,
    signature=TEXT,
)
