"""Translation as a task: a pair of translators in the place of a cross-lingual critic.

The paper names it as future work, with teachers and critics of several languages. Here no model
writes or judges another language. So of a pair that says the same, (x, via), the translation of via
is proposed as one of x; it is translated back, and the critics of English ask whether what comes
back says what x says: round-trip agreement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd

from impossible.data.human_datasets import take
from impossible.data.run_folder import item_rng
from impossible.data.schemas import KNOWN_TEXT, TEXT, record_schema
from impossible.errors import ParameterError
from impossible.evaluation.baselines.back_translation import RoundTrip
from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_contrast
from impossible.evaluation.corpus_comparison import permuted
from impossible.evaluation.judges import Judge
from impossible.experiments.pair_samples import distinct_pairs
from impossible.filtering.build_dataset import KEPT, as_pairs, build_dataset, rejections
from impossible.filtering.critic import Models, TextPairs
from impossible.filtering.critics import SCORES
from impossible.filtering.funnel import counted
from impossible.filtering.pair_scores import least_entailment, score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.sentence_boundaries import words

#: A proposed translation y of x, made of the sentence `via`; scores are of x and of `back`, which
#: is y translated back.
TRANSLATIONS = record_schema(
    "context_id", *SCORES, group=TEXT, context_id=TEXT, domain=KNOWN_TEXT,
    **dict.fromkeys(("x", "via", "y", "back"), TEXT),
)  # fmt: skip

#: What is proposed as a translation of x: that of which sentence.
ITSELF, ITS_PARAPHRASE, ANY, SHUFFLED, COPY = (
    "x itself", "its paraphrase", "any sentence beside it", "another's paraphrase",
    "x, untranslated",
)  # fmt: skip
UNTRANSLATED = "untranslated"  # reason in the funnel


class Untranslated:
    """A translator that gives back what it is given: the critic must not be pleased by it."""

    def generate(self, sources: Sequence[str], **_: object) -> list[list[str]]:
        """Each source."""
        return [[text] for text in sources]


class MostFaithful:
    """Of each source's translations that passed, the one with the highest least entailment.

    A choice for `build_dataset`; ties by text.
    """

    reason: ClassVar[str] = "not_chosen"

    def __call__(self, kept: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
        """The chosen rows of `kept`, in its order."""
        rated = kept.assign(least=least_entailment(kept))
        order = rated.sort_values(["least", "y"], ascending=[False, True], kind="stable")
        return kept.loc[sorted(order.drop_duplicates("x").index)].reset_index(drop=True)


def proposed(
    dataset: pd.DataFrame, sentences: pd.DataFrame, n: int, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Which sentences' translations are proposed: group → context_id, domain, x, via.

    Args:
        dataset: DATASET, of which n pairs are drawn by the seed, for all groups but `ANY`.
        sentences: SENTENCES, of which n pairs of a context are drawn for `ANY`.
        n: pairs of a group, or fewer where there are fewer.
    """
    pairs = take(dataset, n, seed)
    groups = {
        ITSELF: pairs.assign(target=pairs["source"]),
        ITS_PARAPHRASE: pairs,
        SHUFFLED: permuted(pairs, seed),
        COPY: pairs.assign(target=pairs["source"]),
    }
    found = {name: as_pairs(each).rename(columns={"y": "via"}) for name, each in groups.items()}
    beside = distinct_pairs(sentences, n, item_rng(seed, "translation", ANY))
    domains = sentences.drop_duplicates("context_id").set_index("context_id")["domain"]
    beside = beside.assign(via=beside["y"], domain=beside["context_id"].map(domains))
    found[ANY] = beside
    columns, order = (
        ["context_id", "domain", "x", "via"],
        (ITSELF, ITS_PARAPHRASE, ANY, SHUFFLED, COPY),
    )
    return {name: found[name][columns] for name in order}


def round_trips(
    groups: Mapping[str, pd.DataFrame], trip: RoundTrip | None, models: Models,
    thresholds: Thresholds,
) -> pd.DataFrame:  # fmt: skip
    """TRANSLATIONS: what is proposed, translated there and back and scored.

    Args:
        groups: of `proposed`.
        trip: the translators; those of the group `COPY` are its way back alone.
        models, thresholds: as for `score_pairs`, of the task.

    Raises:
        ParameterError: no translator is named.
    """
    if trip is None:
        raise ParameterError(
            "translator or back_translator is none, and this notebook asks them what a sentence is "
            "in another language: name both, or leave the notebook out (leave_out)."
        )
    parts = []
    for name, pairs in groups.items():
        there = replace(trip, there=Untranslated(), there_prefix="") if name == COPY else trip
        pivots = there.pivot(pairs["via"].tolist())
        back = [found[0] for found in there.return_trips(pivots)]
        parts.append(pairs.assign(group=name, y=pivots, back=back))
    frame = pd.concat(parts, ignore_index=True)
    asked = TextPairs.of(frame["x"].tolist(), frame["back"].tolist())
    return pd.concat([frame, score_pairs(asked, models, thresholds)[0]], axis=1)


def kept_translations(
    scored: pd.DataFrame, thresholds: Thresholds
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The dataset of translations, one of each source, and what became of all that were proposed.

    Args:
        scored: TRANSLATIONS.
        thresholds: of `Thresholds.translation`.

    Returns:
        (DATASET, funnel context_id, reason, n). What is no translation, since its words are those
        of the English sentence, is counted as untranslated: it comes back as it went.
    """
    pairs = zip(scored["via"], scored["y"], strict=True)
    same = np.array([words(via) == words(y) for via, y in pairs], dtype=bool)
    made = scored[~same].reset_index(drop=True)
    dataset, funnel = build_dataset(made, thresholds, MostFaithful(), "translator")
    left_out = counted(scored[same], UNTRANSLATED)
    return dataset, pd.concat([left_out, funnel], ignore_index=True)


def round_trip_agreement(
    scored: pd.DataFrame, thresholds: Thresholds, judge: Judge
) -> pd.DataFrame:
    """Of each proposed translation whether the critics accept it, and what the judge says of it.

    Returns:
        group, context_id, accepted (1 or 0), same: whether x and via, the two English texts, say
        the same (1, 0 or NaN: not judged). The translation itself the judge cannot read.
    """
    accepted = (rejections(scored, thresholds) == KEPT).astype(float)
    same = judge.equivalent(scored["x"].tolist(), scored["via"].tolist())
    return scored[["group", "context_id"]].assign(accepted=accepted, same=same)


def difference(
    frame: pd.DataFrame, column: str, by: str, values: tuple[object, object], bootstrap: Bootstrap
) -> Interval:
    """Mean of a column where `by` has the first value minus where it has the second.

    Args:
        frame: of `round_trip_agreement`.
        column: "accepted" or "same".
        by: "group" or "accepted".
        values: of which the rows are compared; contexts are drawn together.
    """
    a, b = (frame[frame[by] == value] for value in values)
    return bootstrap_contrast(a[column], b[column], a["context_id"], b["context_id"], bootstrap)
