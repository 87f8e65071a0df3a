"""What a run takes from a user's own documents in the teacher's place: contexts and sentences.

The paper's teacher writes both itself (§3.1, §3.3); here it only writes the next sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import item_rng
from impossible.data.schemas import SENTENCES
from impossible.errors import DataError
from impossible.generation.contexts import Plan, plan_contexts
from impossible.generation.human_contexts import given_contexts
from impossible.generation.next_sentences import sentences_of
from impossible.generation.paragraphs import paragraphs_of
from impossible.text.sentence_boundaries import split_sentences

_LEAST = 3  # documents: one is held out, contexts of two can be split into train and dev
_HELD_OUT = 5  # at most every fifth document is held out


@dataclass(frozen=True)
class OwnText:
    """A user's text, divided; no document is in both halves.

    Attributes:
        contexts: CONTEXTS, the openings of documents, after a prefix of the domain if it has any.
        inputs: SENTENCES, or paragraphs of them, for a student to rewrite, of any document that is
            not held out; the context of a sentence is that of its document.
        held_out: the same of documents that nothing else is made of.
        others: all documents but those, which a teacher may be adapted to.
    """

    contexts: pd.DataFrame
    inputs: pd.DataFrame
    held_out: pd.DataFrame
    others: list[str]


def divided_text(documents: Sequence[str], params: Params, paragraph: int = 1) -> OwnText:
    """Divide documents into contexts, sentences to rewrite and held-out sentences.

    Args:
        documents: texts; those that stand twice count once. Which ones are held out depends on the
            seed.
        params: reads seed, n_contexts, n_inputs, n_test, domains (of which there is one),
            context_sentences_min and _max, min_characters, rejections.
        paragraph: sentences of each text that is rewritten or held out; n_inputs and n_test count
            these texts.

    Raises:
        DataError: fewer than three documents, or none is long enough to open with.
    """
    texts = list(dict.fromkeys(documents))
    if len(texts) < _LEAST:
        raise DataError(
            f"the text has {len(texts)} different document{'s' * (len(texts) != 1)} and at least "
            f"{_LEAST} are needed: write one paragraph a line"
        )
    order = item_rng(params.seed, "own text", "order").permutation(len(texts))
    drawn = [texts[i] for i in order]
    n = max(1, len(drawn) // _HELD_OUT)
    first = {f"held-out-{i:05d}": drawn[i] for i in range(n)}
    held_out = _sentences(first, params, paragraph * params.n_test)
    others = drawn[held_out["context_id"].nunique() :]
    plans = plan_contexts(params, params.n_contexts)
    contexts = given_contexts(others, plans, params.seed)
    if contexts.empty:
        least = params.context_sentences_min
        raise DataError(
            f"no document has {least + 1} sentences or more, of which the first {least} would be a "
            "context: write a paragraph a line, or set context_sentences_min to 1"
        )
    named = _named(others, contexts)
    inputs = _sentences(named, params, paragraph * params.n_inputs)
    inputs, held_out = (paragraphs_of(each, paragraph) for each in (inputs, held_out))
    return OwnText(_opened(contexts, plans), inputs, held_out, others)


def _opened(contexts: pd.DataFrame, plans: Sequence[Plan]) -> pd.DataFrame:
    """Contexts after the prefixes that are planned for them; without one they stay as they are."""
    prefixes = contexts["context_id"].map({plan.context_id: plan.prefix for plan in plans})
    return contexts.assign(prefix=prefixes, text=(prefixes + " " + contexts["text"]).str.lstrip())


def _named(texts: Sequence[str], contexts: pd.DataFrame) -> dict[str, str]:
    """Documents by the id of the context that each opens with, or by one of their own."""
    ids = dict(zip(contexts["text"], contexts["context_id"], strict=True))
    openings = sorted({len(text) for text in ids})
    named: dict[str, str] = {}
    for i, text in enumerate(texts):
        found = next((ids[text[:n]] for n in openings if text[:n] in ids), f"text-{i:05d}")
        named[found] = f"{named[found]} {text}" if found in named else text
    return named


def _sentences(documents: dict[str, str], params: Params, n: int) -> pd.DataFrame:
    """SENTENCES of as many of the documents as give n accepted, different ones."""
    frames = [pd.DataFrame(columns=SENTENCES.names)]
    found: set[str] = set()
    for name, text in documents.items():
        if len(found) >= n:
            break
        frames.append(_sentences_of(name, text, params))
        found |= _accepted(frames[-1])
    return pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]


def _sentences_of(name: str, text: str, params: Params) -> pd.DataFrame:
    domain = params.domains[0].name
    row = {"context_id": name, "domain": domain, "prefix": "", "text": text}
    document = pd.DataFrame([{**row, "n_sentences": len(split_sentences(text))}])
    return sentences_of(document, params.min_characters, params.domains, params.rejections)


def _accepted(sentences: pd.DataFrame) -> set[str]:
    return set(sentences.loc[sentences["reason"] == "", "text"])
