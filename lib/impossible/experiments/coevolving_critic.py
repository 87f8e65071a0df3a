"""Critic and student that evolve together for one round: what the student's candidates teach it.

The paper's future work. Nobody tells the critic what is true: the candidates for one input that it
holds to say the same vote on each other, and it learns from votes that are nearly unanimous.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from impossible.data.run_folder import item_rng
from impossible.evaluation.bootstrap import Bootstrap, bootstrap_contrast
from impossible.evaluation.expectations import Expected, interval_of, per_cent
from impossible.evaluation.fractions import fraction_by_group, fraction_rows, rows_by_group
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.experiments.ablation import chosen_from, without
from impossible.filtering.build_dataset import as_dataset
from impossible.filtering.critic import EntailmentModel, Models, Parser, TextEncoder, TextPairs
from impossible.filtering.pair_scores import least_entailment, score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.models.nli import EntailmentCritic
from impossible.text.pairs import Pair
from impossible.training.fine_tuning import split_by_context
from impossible.training.further_training import trained_further
from impossible.training.trainer import TrainingSettings, steps_for

UNCHANGED, RETRAINED, PERMUTED = "unchanged", "retrained", "permuted labels"
FEWEST_VOTERS = 3  # so that the others can overrule the critic's own verdict, which is one vote
MAJORITY = 2 / 3  # of votes, yes or no; what is nearer to a tie teaches nothing
OVERRULED = "overruled"
#: A tenth of the rate at which the in-vitro critic was made: it is corrected, not made anew.
LEARNING_RATE, BATCH_SIZE, EPOCHS = 3e-5, 32, 2
YIELD, PRECISION, AS_MANY = "inputs with a pair, %", "equivalent, %", "equivalent of as many, %"
MAY_LOSE_PAIRS = 5  # points of yield


def two_halves(candidates: pd.DataFrame, n: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """CANDIDATES that teach the critic and others that it then filters: no context is in both.

    Of each half those of the first n inputs.
    """
    halves = split_by_context(candidates, 0.5, seed)
    teach, filtered = (
        part[part["input_id"].isin(part["input_id"].unique()[:n])] for part in halves
    )
    return teach, filtered


def consistency_votes(
    candidates: pd.DataFrame, critic: EntailmentModel, threshold: float
) -> pd.DataFrame:
    """What an input and those candidates that say the same, by the critic, say of each candidate.

    Does y follow from x? So must it from what says what x says: each such text is a premise and
    has a vote, x too. Likewise for whether x follows from y.

    Args:
        candidates: CANDIDATES that the critic was asked about; others are left out.
        critic: whose verdicts are asked for.
        threshold: P(entailment) from which it says yes.

    Returns:
        Two rows per candidate, one a direction: input_id, context_id, premise, hypothesis, verdict
        (the critic's own, 0 or 1), voters, vote (fraction of yes).
    """
    asked = candidates.dropna(subset=["p_xy", "p_yx"], how="all")
    groups = [(name, part) for name, part in asked.groupby("input_id", sort=False)]
    texts = {name: [part["x"].iloc[0], *part["y"]] for name, part in groups}
    pairs = [(a, b) for group in texts.values() for a in group for b in group if a != b]
    said = dict(zip(pairs, critic.probabilities(pairs) >= threshold, strict=True)) if pairs else {}
    rows: list[tuple[object, ...]] = []
    for name, part in groups:
        x, *ys = texts[name]
        same = [x, *(y for y in ys if said[x, y] and said[y, x])]
        for y in ys:
            voters = [text for text in same if text != y]
            for pair, votes in (
                ((x, y), [said[a, y] for a in voters]),
                ((y, x), [said[y, a] for a in voters]),
            ):
                found = (int(said[pair]), len(votes), float(np.mean(votes)))
                rows.append((name, part["context_id"].iloc[0], *pair, *found))
    columns = ["input_id", "context_id", "premise", "hypothesis", "verdict", "voters", "vote"]
    return pd.DataFrame(rows, columns=columns)


def consistent_labels(votes: pd.DataFrame) -> pd.DataFrame:
    """The votes of enough voters that are nearly unanimous, as labels: follows, and overruled.

    `overruled` is whether the label is not the critic's own verdict.

    >>> votes = pd.DataFrame({"verdict": [0, 1, 1], "voters": [3, 3, 2], "vote": [2 / 3, 0.5, 1.0]})
    >>> consistent_labels(votes)[["follows", "overruled"]].to_numpy().tolist()
    [[1, True]]
    """
    clear = (votes["vote"] >= MAJORITY) | (votes["vote"] <= 1 - MAJORITY)
    labels = votes[(votes["voters"] >= FEWEST_VOTERS) & clear].reset_index(drop=True)
    follows = (labels["vote"] >= MAJORITY).astype(int)
    return labels.assign(follows=follows, overruled=follows != labels["verdict"])


def evolved_critics(
    critic: EntailmentCritic, labels: pd.DataFrame, seed: int
) -> dict[str, EntailmentCritic]:
    """The critic `UNCHANGED`, `RETRAINED` on consistent labels, and on `PERMUTED` ones (control).

    Without any label there is the first only.
    """
    critics = {UNCHANGED: critic}
    if labels.empty:
        return critics
    pairs: list[Pair] = list(zip(labels["premise"], labels["hypothesis"], strict=True))
    follows = labels["follows"].to_numpy(bool)
    mixed = item_rng(seed, "permuted labels", "critic").permutation(follows)
    steps = steps_for(len(pairs), BATCH_SIZE, EPOCHS)
    settings = TrainingSettings(steps, LEARNING_RATE, BATCH_SIZE, seed=seed)
    for name, told in ((RETRAINED, follows), (PERMUTED, mixed)):
        critics[name] = trained_further(critic, pairs, list(told), settings)
    return critics


@dataclass(frozen=True)
class _Instead:
    """The run's models, each still loaded on first use, with this critic in its place."""

    critic: EntailmentModel
    models: Models

    @property
    def encoder(self) -> TextEncoder | None:
        return self.models.encoder

    @property
    def parser(self) -> Parser:
        return self.models.parser


def rescored(
    candidates: pd.DataFrame, critic: EntailmentModel, models: Models, thresholds: Thresholds
) -> pd.DataFrame:
    """CANDIDATES as all critics score them where this one takes the NLI critic's place."""
    plain = candidates[["input_id", "context_id", "domain", "candidate", "x", "y"]]
    pairs = TextPairs.of(plain["x"].tolist(), plain["y"].tolist())
    scores, _ = score_pairs(pairs, _Instead(critic, models), thresholds)
    return pd.concat([plain.reset_index(drop=True), scores], axis=1)


def as_many(scored: Mapping[str, pd.DataFrame], thresholds: Thresholds) -> dict[str, pd.DataFrame]:
    """Of each critic's scored candidates as many as the unchanged one accepts, its surest first.

    All accepted by the others; as a critic that is sure of more pairs than another is not better
    for it, the threshold is not asked. Where one has fewer at its floor, all have as few.

    Returns:
        Critic → DATASET.
    """
    loose = thresholds.fix(entailment_threshold=thresholds.entailment_floor)
    passing = {name: without(frame, loose) for name, frame in scored.items()}
    n = min(len(without(scored[UNCHANGED], thresholds)), *map(len, passing.values()))
    surest = {
        name: frame.iloc[(-least_entailment(frame)).argsort(kind="stable")[:n]]
        for name, frame in passing.items()
    }
    return {name: as_dataset(frame, name, thresholds.task) for name, frame in surest.items()}


def outcomes_of_critics(
    scored: Mapping[str, pd.DataFrame], thresholds: Thresholds, judge: Judge
) -> dict[str, pd.DataFrame]:
    """What each critic's filtering comes to, as the judge says afterwards.

    Args:
        scored: critic → CANDIDATES of the same inputs, of `rescored`.

    Returns:
        Measure → group (critic), context_id, value (0, 1 or NaN): `YIELD` of inputs, `PRECISION` of
        the pairs that are chosen, at most one per input, `AS_MANY` of those of `as_many`.
    """
    chosen = {name: chosen_from(frame, thresholds) for name, frame in scored.items()}
    found: dict[str, list[pd.DataFrame]] = {YIELD: [], PRECISION: [], AS_MANY: []}
    for name, frame in scored.items():
        inputs = frame.drop_duplicates("input_id")
        has = inputs["x"].isin(chosen[name]["source"]).astype(float)
        found[YIELD].append(inputs[["context_id"]].assign(group=name, value=has))
    for measure, sets in ((PRECISION, chosen), (AS_MANY, as_many(scored, thresholds))):
        for name, pairs in sets.items():
            true = judge.equivalent(list(pairs["source"]), list(pairs["target"]))
            found[measure].append(pairs[["context_id"]].assign(group=name, value=true))
    return {measure: pd.concat(parts, ignore_index=True) for measure, parts in found.items()}


def outcome_rows(outcomes: Mapping[str, pd.DataFrame], bootstrap: Bootstrap) -> pd.DataFrame:
    """METRIC_ROWS, in per cent, of `outcomes_of_critics`; contexts resampled.

    A critic that there is not, because no label was clear, has rows without values.
    """
    order = (UNCHANGED, RETRAINED, PERMUTED)
    return pd.concat(
        [
            fraction_rows(
                fraction_by_group(
                    each["value"], list(each["group"]), each["context_id"], bootstrap, order
                ),
                measure,
            )
            for measure, each in outcomes.items()
        ],
        ignore_index=True,
    )


def outcome_gaps(outcomes: Mapping[str, pd.DataFrame], bootstrap: Bootstrap) -> pd.DataFrame:
    """METRIC_ROWS, in points, of the other critics minus the unchanged one, contexts paired."""
    parts = []
    for name in (RETRAINED, PERMUTED):
        rows = MetricRows(f"{name} − {UNCHANGED}", None)
        for measure, each in outcomes.items():
            a, b = (each[each["group"] == system] for system in (name, UNCHANGED))
            values = (a["value"], b["value"], a["context_id"], b["context_id"])
            rows.add(measure, per_cent(bootstrap_contrast(*values, bootstrap)), "difference")
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def label_rows(labels: pd.DataFrame, judge: Judge, bootstrap: Bootstrap) -> pd.DataFrame:
    """METRIC_ROWS: how often verdicts and labels are right, of all and where they differ.

    Args:
        labels: of `consistent_labels`.
        judge: is asked here, and nowhere before.
    """
    true = judge.entails(list(labels["premise"]), list(labels["hypothesis"]))
    right = {
        name: np.where(np.isnan(true), np.nan, labels[name] == true)
        for name in ("verdict", "follows")
    }
    judged = labels.assign(**right)
    groups = {"all labels": judged, OVERRULED: judged[judged["overruled"]]}
    frame = pd.concat([part.assign(group=name) for name, part in groups.items()])
    measures = {"the critic's verdict is right, %": "verdict", "the label is right, %": "follows"}
    return rows_by_group(frame, measures, bootstrap, list(groups))


def coevolution_expected(labels: pd.DataFrame, gaps: pd.DataFrame) -> list[Expected]:
    """What notebook 22h expects of labels (`label_rows`) and critics (`outcome_gaps`)."""
    better, worse = (f"{name} − {UNCHANGED}" for name in (RETRAINED, PERMUTED))

    def gap(
        measure: str, two: str, over: float | None = None, under: float | None = None
    ) -> Expected:
        return Expected(f"{measure} points: {two}", interval_of(gaps, two, measure), over, under)

    right = interval_of(labels, OVERRULED, "the label is right, %")
    return [
        Expected("labels that overrule the critic and are right, %", right, over=50),
        gap(PRECISION, better, over=0),
        gap(AS_MANY, better, over=0),
        gap(YIELD, better, over=-MAY_LOSE_PAIRS),
        gap(AS_MANY, worse, under=0),
    ]
