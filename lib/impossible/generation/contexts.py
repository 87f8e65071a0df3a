"""Contexts that the teacher writes (paper section 3.1).

A plan says what a context is to be; the teacher writes it. Whatever is random belongs to one
context id, so a plan does not depend on how many contexts there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, item_rng
from impossible.data.schemas import CONTEXTS
from impossible.data.units import Scored, Unit, map_units
from impossible.models.causal_generation import sample_continuations, text_rules
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.text.sentence_boundaries import (
    opening_words,
    rejected_by,
    sentence_end,
    split_sentences,
)

_ATTEMPTS = 40  # a text that ends before it has enough sentences is written anew, at most so often
_PLANS = 512  # of which those with one prefix are a unit: some thirty texts, worth a batch
_ROWS = 32  # texts in a batch


@dataclass(frozen=True)
class Plan:
    """What a context is to be, before the teacher writes it."""

    context_id: str
    domain: str
    prefix: str
    n_sentences: int


def plan_contexts(
    params: Params, n: int, stage: str = "contexts", lengths: Sequence[int] | None = None
) -> list[Plan]:
    """Plan n contexts: domains and lengths in turn (equal fractions), the prefix at random.

    Args:
        params: reads seed, domains and, without `lengths`, context_sentences_min and _max.
        n: contexts.
        stage: beginning of the ids and name of the random stream: another stage, other texts.
        lengths: sentences of a context, in turn; default context_sentences_min to _max.

    Returns:
        Plans with ids `STAGE-00000`, …; plan i is the same for every n > i.

    Source: section 3.1; equal fractions instead of random ones make every length as precise.

    >>> [plan.n_sentences for plan in plan_contexts(Params.load("base"), 6, lengths=[1, 5])]
    [1, 1, 5, 5, 1, 1]
    """
    if lengths is None:
        lengths = range(params.context_sentences_min, params.context_sentences_max + 1)
    plans = []
    for i in range(n):
        context_id = f"{stage}-{i:05d}"
        domain = params.domains[i % len(params.domains)]
        rng = item_rng(params.seed, f"{stage} prefix", context_id)
        prefix = domain.prefixes[rng.integers(len(domain.prefixes))] if domain.prefixes else ""
        length = lengths[(i // len(params.domains)) % len(lengths)]
        plans.append(Plan(context_id, domain.name, prefix, length))
    return plans


def write_contexts(
    lm: LanguageModel, plans: Sequence[Plan], params: Params, stage: str = "contexts"
) -> pd.DataFrame:
    """Let the teacher write planned contexts, those of a prefix together.

    Args:
        lm: the teacher.
        plans: from `plan_contexts`.
        params: reads seed, domains, context_top_p, context_temperature, context_max_new_tokens,
            rejections.
        stage: name of the random stream.

    Returns:
        CONTEXTS in the order of `plans`, without those that after 40 texts never had enough
        sentences, all of them acceptable.
    """
    rules = {domain.name: text_rules(lm, domain.banned) for domain in params.domains}
    nucleus = Nucleus(params.context_top_p, params.context_temperature)
    texts: dict[str, str] = {}
    for domain, prefix in dict.fromkeys((plan.domain, plan.prefix) for plan in plans):
        missing = [plan for plan in plans if (plan.domain, plan.prefix) == (domain, prefix)]
        attempt = 0
        while missing and attempt < _ATTEMPTS:
            # where many texts fail, more attempts in one batch cost hardly more than one
            several = max(1, _ROWS // len(missing)) if attempt or params.rejections else 1
            tries = range(attempt, min(attempt + several, _ATTEMPTS))
            drawn = [(plan, number) for number in tries for plan in missing]
            rngs = [item_rng(params.seed, stage, plan.context_id, n) for plan, n in drawn]
            numbers = np.stack([rng.random(params.context_max_new_tokens) for rng in rngs])
            done = _NeedsNoMore(prefix, drawn, params)
            found = sample_continuations(lm, prefix, numbers, nucleus, rules[domain], done)
            for (plan, _), text in zip(drawn, found, strict=True):
                if whole := _context(prefix, text, plan.n_sentences, params):
                    texts.setdefault(plan.context_id, whole)  # the first attempt that serves
            missing = [plan for plan in missing if plan.context_id not in texts]
            attempt += len(tries)
    rows = [
        (plan.context_id, plan.domain, plan.n_sentences, plan.prefix, texts[plan.context_id])
        for plan in plans
        if plan.context_id in texts
    ]
    return pd.DataFrame(rows, columns=CONTEXTS.names)


class _NeedsNoMore:
    """Whether a text has its sentences, can no longer serve, or is an attempt no longer needed.

    What then is not written would have changed nothing.

    Args:
        prefix: of the texts.
        drawn: of each text its plan and the number of the attempt.
        params: with the rejections.
    """

    def __init__(self, prefix: str, drawn: Sequence[tuple[Plan, int]], params: Params) -> None:
        self.prefix, self.drawn, self.params = prefix, drawn, params
        self.sentences = [0] * len(drawn)  # that each text has
        self.served: dict[str, int] = {}  # the first attempt at a context that serves

    def __call__(self, sample: int, text: str) -> bool:
        plan, attempt = self.drawn[sample]
        if self.served.get(plan.context_id, attempt) < attempt:
            return True
        known = self.sentences[sample]
        if sentence_end(text, known + 1, final=False) < 0:
            return False
        self.sentences[sample] += 1
        serves = _context(self.prefix, text, known + 1, self.params) != ""
        if serves and known + 1 == plan.n_sentences:
            self.served[plan.context_id] = min(attempt, self.served.get(plan.context_id, attempt))
        return not serves or known + 1 == plan.n_sentences


def _context(prefix: str, text: str, n_sentences: int, params: Params) -> str:
    """The prefix and the first sentences of a text; "" if they are too few or do not read well."""
    end = sentence_end(text, n_sentences)
    whole = _continued(prefix, text[: max(end, 0)])
    opening = len(prefix) - len(opening_words(prefix))
    return whole if end >= 0 and _reads_well(whole[opening:], params) else ""


def _continued(prefix: str, text: str) -> str:
    """Prefix and text; an open prefix may end within a word, such as "I" before "'d"."""
    within = opening_words(prefix) and not text[:1].isspace()
    return f"{prefix}{'' if within else ' '}{' '.join(text.split())}".strip()


def _reads_well(text: str, params: Params) -> bool:
    """Whether no sentence of a text is rejected, and none stands twice."""
    if not params.rejections:
        return True
    sentences = split_sentences(text)
    repeated = len(set(sentences)) < len(sentences)
    return not repeated and not any(rejected_by(s, params.rejections) for s in sentences)


def draw_contexts(
    run: RunFolder, lm: LanguageModel, plans: Sequence[Plan], params: Params,
    stage: str = "contexts",
) -> pd.DataFrame:  # fmt: skip
    """`write_contexts` of the plans with one prefix a unit, kept in `work/STAGE`."""
    alike: dict[tuple[int, str, str], list[Plan]] = {}
    for i, plan in enumerate(plans):
        alike.setdefault((i // _PLANS, plan.domain, plan.prefix), []).append(plan)
    units = [
        Unit(some[0].context_id, {"plans": [asdict(plan) for plan in some], "stage": stage})
        for some in alike.values()
    ]
    written = map_units(_write_unit, units, params, run, stage, CONTEXTS, lm)[0]
    places = {plan.context_id: i for i, plan in enumerate(plans)}
    return written.sort_values("context_id", key=lambda ids: ids.map(places), ignore_index=True)


def _write_unit(unit: Unit, params: Params, lm: LanguageModel) -> Scored:
    plans = [Plan(**plan) for plan in unit.payload["plans"]]
    return write_contexts(lm, plans, params, unit.payload["stage"]), pd.DataFrame()
