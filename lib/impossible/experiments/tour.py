"""The tour of notebook 00: the whole method on few contexts, of which one is shown step by step.

The steps themselves are those of the other notebooks; here is what makes them small and readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import pandas as pd
import torch

from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, item_rng
from impossible.experiments.example_pairs import Examples
from impossible.experiments.pair_verdicts import counted_noun, verdict_table
from impossible.filtering.build_dataset import KEPT, rejections
from impossible.filtering.critic import Models
from impossible.filtering.critics import CRITICS, reason_title
from impossible.filtering.pair_scores import all_pairs, score_pairs
from impossible.filtering.resumable_scoring import score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.generation.contexts import draw_contexts, plan_contexts
from impossible.generation.next_sentences import draw_sentences
from impossible.training.fine_tuning import settings_of
from impossible.training.student import Student
from impossible.training.student_training import train_student

NOTHING = "(nothing)"  # what a student wrote that ended its text at once
_PASSED = [KEPT, "diversity", "repeated"]  # all critics
_NO_RELABEL = "no candidate passed in this small run"
_EARLY = tuple(critic for critic in CRITICS if critic.exits)


def until_some_pass(
    run: RunFolder, models: Any, params: Params, thresholds: Thresholds
) -> tuple[pd.DataFrame, ...]:
    """CONTEXTS, SENTENCES, PAIRS, FUNNEL of `tour_contexts`; of up to five times as many contexts
    as long as no pair passes: a small teacher writes such pairs after a third of its contexts.
    """
    for times in range(1, 6):
        plans = plan_contexts(params, times * params.tour_contexts, "tour")
        contexts = draw_contexts(run, models.teacher, plans, params, "tour")
        sentences = draw_sentences(run, models.teacher, contexts, params, "tour-sentences")
        pairs, scored = score_sentences(run, sentences, models, thresholds, "tour-pairs")
        if (rejections(pairs, thresholds) == KEPT).any():
            break
    return contexts, sentences, pairs, scored


def counts_by_context(
    contexts: pd.DataFrame, sentences: pd.DataFrame, pairs: pd.DataFrame, thresholds: Thresholds
) -> pd.DataFrame:
    """What each context gave; the first row is the one to follow.

    Returns:
        context_id, prefix, accepted, different (sentences), pass (pairs that all critics accept);
        the most productive context first, ties in the order of `contexts`.
    """
    good = sentences[sentences["reason"] == ""].groupby("context_id")["text"]
    passed = pairs.loc[rejections(pairs, thresholds) == KEPT, "context_id"].value_counts()
    table = contexts[["context_id", "prefix"]].set_index("context_id")
    counts = {"accepted": good.size(), "different": good.nunique(), "pass": passed}
    for name, found in counts.items():
        table[name] = found.reindex(table.index, fill_value=0).astype(int)
    return table.sort_values("pass", ascending=False, kind="stable").reset_index()


def one_of_each(
    texts: Sequence[str],
    pairs: pd.DataFrame,
    reasons: pd.Series,
    models: Models,
    thresholds: Thresholds,
) -> Examples:
    """Pairs of one context to look at: three kept ones, and one for each reason of a rejection.

    `reasons` are the `fates` of `pairs`; the early critics, whose rejected pairs no scores are kept
    of, are asked about the accepted sentences `texts` again.
    """
    asked = all_pairs(sorted(set(texts)))
    scores, early = score_pairs(asked, models, thresholds, critics=_EARLY)
    exits = pd.concat([pd.DataFrame(list(asked), columns=["x", "y"]), scores], axis=1)
    rows = pd.concat([exits.assign(reason=early), pairs.assign(reason=reasons)], ignore_index=True)
    rng, drawn = item_rng(thresholds.seed, "tour", "examples"), []
    for reason in (KEPT, *(critic.name for critic in CRITICS), "diversity"):
        some = np.flatnonzero(rows["reason"] == reason)
        drawn += sorted(rng.permutation(some)[: 3 if reason == KEPT else 1])
    shown = rows.iloc[drawn].reset_index(drop=True)
    return verdict_table(shown, thresholds, _counted_kept(int((reasons == KEPT).sum())))


def _counted_kept(n: int) -> str:
    if not n:
        return "No pair of this context is kept; every one shown was dropped, for the reason given."
    return f"{n:,} of this context's pairs {'is' if n == 1 else 'are'} kept in all."


def mean_loss(student: Student, dataset: pd.DataFrame) -> float:
    """Nats per token of a dataset's targets given their sources; NaN where there is no pair."""
    if dataset.empty:
        return float("nan")
    student.model.eval()
    with torch.inference_mode():
        return float(student.loss_batch(_texts(dataset)))


def _texts(dataset: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(dataset["source"], dataset["target"], strict=True))


def taught(
    base: Student, train: pd.DataFrame, held_out: pd.DataFrame, params: Params
) -> tuple[Student, pd.DataFrame]:
    """Fine-tune a student (float32, in place) for a few steps; its loss before and after.

    Returns:
        The student, and pairs, before, after (nats per token) of "training" and "held out"; without
        a training pair nothing is trained.
    """
    parts = {"training": train, "held out": held_out}
    losses = pd.DataFrame({"pairs": {name: len(part) for name, part in parts.items()}})
    losses["before"] = [mean_loss(base, part) for part in parts.values()]
    student = base
    if len(train):
        settings, rank = settings_of(params.tour_steps, params), params.student_adapter_rank
        student = train_student(base, _texts(train), [], settings, adapter_rank=rank)
    losses["after"] = [mean_loss(student, part) for part in parts.values()]
    return student, losses


def likeliest(student: Student, texts: Sequence[str], params: Params) -> list[str]:
    """What a student writes for each text when it always takes the most probable token.

    One that ends its text at once has written `NOTHING`.
    """
    written = student.generate(texts, max_new_tokens=params.sentence_max_new_tokens)
    return [candidates[0] or NOTHING for candidates in written]


def relabelled(
    inputs: pd.DataFrame,
    candidates: pd.DataFrame,
    reasons: pd.Series,
    funnel: pd.DataFrame,
    thresholds: Thresholds,
) -> Examples:
    """For each fresh input the candidate that was kept, or the one that came nearest, and why not.

    Args:
        reasons: `fates` of the CANDIDATES.
        funnel: what became of all candidates: input_id, reason, n.
    """
    lesser = candidates[["p_xy", "p_yx"]].astype(float).min(axis=1)
    order = candidates.assign(reason=reasons, kept=reasons == KEPT, lesser=lesser)
    order = order.sort_values(["kept", "lesser"], ascending=False, kind="stable")
    best = inputs[["input_id", "text"]].merge(order.drop_duplicates("input_id"), "left", "input_id")
    best = best.assign(x=best["text"], y=best["y"].fillna("–"))
    best["reason"] = best["reason"].fillna("no candidate is new")
    kept = int((best["reason"] == KEPT).sum())
    sentence = f"The critics keep a candidate for {kept} of {len(inputs)} fresh sentences."
    shown = verdict_table(best, thresholds, sentence)
    counted = [_all_fates(funnel[funnel["input_id"] == name]) for name in best["input_id"]]
    return Examples(shown.table.assign(**{"all candidates": counted}), sentence)


def _all_fates(funnel: pd.DataFrame) -> str:
    counts = funnel[funnel["n"] > 0].groupby("reason", sort=False)["n"].sum()
    return ", ".join(f"{n} {reason_title(str(name))}" for name, n in counts.items())


def outcome(funnel: pd.DataFrame, context: pd.DataFrame, whole: pd.DataFrame) -> str:
    """One sentence about what the followed context gave, by its rows of the funnel.

    The diversity filter is named where it dropped a pair.
    """
    counts = funnel.groupby("reason")["n"].sum()
    passed = int(counts.reindex(_PASSED, fill_value=0).sum())
    if not passed:
        taught_by = f"is taught by the {len(whole):,} pairs of the other contexts"
        return (
            f"Of {counts.sum():,} pairs of next sentences none passes the critics, as happens with "
            f"so few contexts; the student {taught_by if len(whole) else 'stays as it was'}."
        )
    pass_ = f"{passed:,} {'passes' if passed == 1 else 'pass'} the critics"
    if len(context) == passed:
        return f"Of {counts.sum():,} pairs of next sentences {pass_}, and all of them are kept."
    return (
        f"Of {counts.sum():,} pairs of next sentences {pass_}, and after the diversity filter "
        f"{len(context):,} of them {'is' if len(context) == 1 else 'are'} left."
    )


def flow_of(
    context: pd.Series,
    sentences: Sequence[str],
    funnel: pd.DataFrame,
    dataset: pd.DataFrame,
    losses: pd.DataFrame,
    rewritten: pd.DataFrame,
    candidates: pd.DataFrame,
    relabels: pd.DataFrame,
) -> pd.DataFrame:
    """What a run found at each step, for `figures.method_flow`: rows of count and text.

    Args:
        context: row of CONTEXTS.
        sentences: its accepted next sentences.
        dataset: DATASET of all contexts, that of this one first.
        losses: of `taught`; that of held-out pairs is shown.
        rewritten: x, before, after: fresh inputs and what the student makes of them.
        candidates: CANDIDATES of all inputs.
        relabels: DATASET that is made of them.
    """
    prefix, text = str(context["prefix"]), str(context["text"])
    counts = funnel.groupby("reason", sort=False)["n"].sum()
    passed = int(counts.reindex(_PASSED, fill_value=0).sum())
    new = rewritten[(rewritten["after"] != rewritten["x"]) & (rewritten["after"] != NOTHING)]
    said = pd.concat([new, rewritten]).head(1).rename(columns={"x": "source", "after": "target"})
    trained, which = _held_out_loss(losses, len(dataset))
    rows = [
        ("given", prefix),
        (counted_noun(int(context["n_sentences"]), "sentence"), _going_on(text[len(prefix) :])),
        (counted_noun(len(sentences), "different one"), _list(sentences[:3])),
        (counted_noun(int(counts.sum()), "pair"), _dropped(counts)),
        (f"{passed:,} pass", _pairs(dataset.head(1 if passed else 0))),
        (counted_noun(len(dataset), "pair") + ", all contexts", _pairs(dataset.head(2).tail(1))),
        (trained, f"{which}; it rewrites x as y:\n{_pairs(said)}"),
        (counted_noun(len(rewritten), "input"), _list(rewritten["x"].iloc[1:3])),
        (counted_noun(len(candidates), "new candidate"), _list(candidates["y"][:3])),
        (counted_noun(len(relabels), "pair"), _pairs(relabels.head(1), _NO_RELABEL)),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["count", "text"])


def _held_out_loss(losses: pd.DataFrame, pairs: int) -> tuple[str, str]:
    """A student's loss before and after, and of what: a training loss falls to 0 by heart."""
    before, after = losses.loc["held out", ["before", "after"]]
    if not pairs:
        return "not trained", "no pair to learn from"
    if np.isnan(before):
        return "trained", "no pair was held out"
    return f"loss {before:.2f} → {after:.2f}", "on held-out pairs"


def _going_on(text: str) -> str:
    """What follows a prefix; "…" stands for the start of a sentence that the prefix holds."""
    text = text.strip()
    return text if text[:1].isupper() else f"… {text}"


def _dropped(counts: pd.Series) -> str:
    """Pairs dropped by the four tests that drop most, and by the others together."""
    lost = counts.drop(_PASSED, errors="ignore").sort_values(ascending=False, kind="stable")
    lines = [f"−{n:,} {reason_title(str(reason))}" for reason, n in lost.head(4).items()]
    return "\n".join(lines + [f"−{lost[4:].sum():,} other"] * (len(lost) > 4))


def _list(texts: Iterable[str]) -> str:
    return "\n".join(f"· {text}" for text in _from_difference(list(texts)))


def _from_difference(texts: Sequence[str]) -> list[str]:
    """Texts that begin alike from some words before they differ: a box cuts what comes late.

    >>> _from_difference(["It rained in all of Rome.", "It rained in all of Bonn.", "Dry."])
    ['… in all of Rome.', '… in all of Bonn.', 'Dry.']
    """
    words = [text.split() for text in texts]
    short = []
    for place, mine in enumerate(words):
        others = words[:place] + words[place + 1 :]
        alike = max((_shared_words(mine, other) for other in others), default=0)
        start = max(0, min(alike, len(mine) - 1) - 3)  # three of the common words stay
        short.append(" ".join(["…", *mine[start:]] if start > 1 else mine))
    return short


def _shared_words(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two texts have in common at their start."""
    same = (a == b for a, b in zip(one, other, strict=False))
    return sum(takewhile(bool, same))


def _pairs(dataset: pd.DataFrame, none: str = "none") -> str:
    rows = zip(dataset["source"], dataset["target"], strict=True)
    return "\n".join(f"x: {x}\ny: {y}" for x, y in rows) or none
