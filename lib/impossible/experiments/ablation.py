"""What each part of the method is worth: gates left out, parts given to other corpora (Table 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from impossible.data.human_datasets import take
from impossible.data.run_folder import RunFolder
from impossible.errors import ParameterError
from impossible.evaluation.bootstrap import Bootstrap, Interval
from impossible.evaluation.corpus_comparison import permuted
from impossible.evaluation.corpus_quality import corpus_gap, quality_rows
from impossible.evaluation.expectations import Expected, interval_of, per_cent
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.evaluation.metrics import METRICS
from impossible.evaluation.systems import mean_rows, paired_gain
from impossible.filtering.build_dataset import KEPT, apply_thresholds, as_dataset, rejections
from impossible.filtering.covered_sentences import CoveredSentences
from impossible.filtering.critic import Models, TextPairs
from impossible.filtering.critics import REASONS
from impossible.filtering.pair_scores import score_pairs
from impossible.filtering.thresholds import Thresholds
from impossible.text.bleu import self_bleu
from impossible.training.fine_tuning import train_students
from impossible.training.self_distillation import LowestOverlap, score_candidates
from impossible.training.student import Student

#: The critics that are left out in turn: what is asked of summaries alone gates no paraphrase.
GATES = tuple(name for name in REASONS if name != CoveredSentences.name)
#: What variants are compared in.
VARIANT_METRICS = ("bert_ibleu", "fidelity", "paraphrase", "rouge_l_source")
#: Corpora of notebook 10 that get parts of the method.
RIVALS = ("ParaBank2-like", "plain forms (stand-in)")
#: Points that a later round may lose before it counts as worse.
MAY_LOSE = 5
FIRST_ROUNDS = {"− self-distillation": "round 0 (D_T)", "full": "round 1"}


def without(scored: pd.DataFrame, thresholds: Thresholds, left_out: str = "") -> pd.DataFrame:
    """The scored CANDIDATES that all critics but `left_out` ("": none) accept.

    Without the entailment critic, pairs that it had rejected have no tree distance; they pass.
    """
    if left_out and left_out not in REASONS:
        names = ", ".join(REASONS)
        raise ParameterError(f"There is no critic {left_out!r}: leave out one of {names}.")
    if left_out == "entailment":
        scored = scored.assign(ted=scored["ted"].mask(scored["ted_lower"].isna(), np.inf))
    return scored[rejections(scored, thresholds, left_out) == KEPT].reset_index(drop=True)


def chosen_from(
    scored: pd.DataFrame, thresholds: Thresholds, left_out: str = "", origin: str = ""
) -> pd.DataFrame:
    """The DATASET that self-distillation makes of scored candidates, perhaps without a critic.

    At most one pair per input, the one with the lowest ROUGE-L.
    """
    passed = without(scored, thresholds, left_out)
    return as_dataset(LowestOverlap()(passed, scored), origin or left_out, thresholds.task)


def compared(variants: Iterable[str]) -> list[tuple[str, str]]:
    """Each variant with its base: `full`, or the student of D_T for other pairs of the teacher."""
    bases = {"− diversity (D_T)": "− self-distillation"}
    return [(name, bases.get(name, "full")) for name in variants if name != "full"]


def filtered(corpus: pd.DataFrame, models: Models, thresholds: Thresholds) -> pd.DataFrame:
    """The pairs of any DATASET that the critics accept, with scores."""
    frame = corpus.rename(columns={"source": "x", "target": "y"}).reset_index(drop=True)
    frame = frame[["context_id", "domain", "x", "y"]]
    scores, _ = score_pairs(
        TextPairs.of(frame["x"].tolist(), frame["y"].tolist()), models, thresholds
    )
    origin = ", ".join(dict.fromkeys(corpus["origin"]))
    passed, _ = apply_thresholds(pd.concat([frame, scores], axis=1), thresholds)
    return as_dataset(passed, origin, thresholds.task)


def variants(
    candidates: pd.DataFrame, thresholds: Thresholds, seed: int
) -> dict[str, pd.DataFrame]:
    """The datasets of scored candidates: `full`, without each critic, and `shuffled`."""
    sets = {"full": chosen_from(candidates, thresholds)}
    sets |= {f"− {name}": chosen_from(candidates, thresholds, name) for name in GATES}
    return sets | {"shuffled": permuted(sets["full"], seed)}


def without_diversity(
    scored: pd.DataFrame, thresholds: Thresholds, n: int, seed: int
) -> pd.DataFrame:
    """n of the teacher's PAIRS that pass all critics, drawn in the place of Algorithm 1."""
    return take(as_dataset(apply_thresholds(scored, thresholds)[0], "teacher"), n, seed)


def rival_students(
    run: RunFolder, corpora: pd.DataFrame, inputs: pd.DataFrame, models: Models,
    thresholds: Thresholds, load_base: Callable[[], Student],
) -> tuple[dict[str, pd.DataFrame], dict[str, Student]]:  # fmt: skip
    """Other corpora of the same inputs with parts of our method, and students of them.

    Of each of `RIVALS` in `corpora` (a DATASET): as it is; "+ critics": what they accept; and
    "+ self-distillation": our inputs as its student rewrites them and the critics choose.
    """
    sets = _rival_sets(corpora, inputs, models, thresholds)
    students = trained(sets, load_base, thresholds, run)
    for name in (name for name in RIVALS if name in students):
        label, where = f"{name} + self-distillation", f"ablation {name}"
        found = rewritten(run, inputs, students[name], models, thresholds, where)
        sets[label] = found.assign(origin=name)
        students |= trained({label: sets[label]}, load_base, thresholds, run)
    return sets, students


def _rival_sets(
    corpora: pd.DataFrame, inputs: pd.DataFrame, models: Models, thresholds: Thresholds
) -> dict[str, pd.DataFrame]:
    """One pair of each input, drawn by the seed, and what of them the critics accept."""
    mine = corpora[corpora["source"].isin(inputs["text"])]
    sets: dict[str, pd.DataFrame] = {}
    for name in RIVALS:
        part = mine[mine["origin"] == name]
        if len(part):
            sets[name] = take(part, None, thresholds.seed).drop_duplicates("source")
            sets[f"{name} + critics"] = filtered(sets[name], models, thresholds)
    return sets


def trained(
    sets: Mapping[str, pd.DataFrame], load_base: Callable[[], Student], thresholds: Thresholds,
    run: RunFolder,
) -> dict[str, Student]:  # fmt: skip
    """Students of `full` and of the sets with two pairs or more, in `models/ablation-NAME`."""
    enough = {name: part for name, part in sets.items() if name == "full" or len(part) > 1}
    return train_students(enough, load_base, thresholds.params, run, "ablation")


def rewritten(
    run: RunFolder, inputs: pd.DataFrame, student: Student, models: Models,
    thresholds: Thresholds, name: str,
) -> pd.DataFrame:  # fmt: skip
    """DATASET of inputs that a student rewrites and the critics choose from."""
    scored, _ = score_candidates(run, inputs, student, models, thresholds, name)
    return chosen_from(scored, thresholds, origin=name)


def further_rounds(
    run: RunFolder, inputs: pd.DataFrame, student: Student, models: Models,
    thresholds: Thresholds, load_base: Callable[[], Student],
) -> tuple[dict[str, pd.DataFrame], dict[str, Student]]:  # fmt: skip
    """Rounds 2 to `rounds`: the last student rewrites the inputs, a new one is trained.

    `student` is that of the first round; they end where a round has fewer than two pairs.
    """
    made: dict[str, pd.DataFrame] = {}
    students: dict[str, Student] = {}
    for number in range(2, thresholds.rounds + 1):
        name = f"round {number}"
        pairs = rewritten(run, inputs, student, models, thresholds, name)
        if len(pairs) < 2:
            break
        made[name] = pairs
        students |= trained({name: pairs}, load_base, thresholds, run)
        student = students[name]
    return made, students


def passing_gaps(
    candidates: pd.DataFrame, thresholds: Thresholds, judge: Judge, seed: int,
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:  # fmt: skip
    """How much truer candidates are that pass all critics than those that pass all but one.

    METRIC_ROWS "passing true", in points; n counts candidates of the second. Candidates of an
    input are drawn together. The control are two halves of what passes, by the seed.
    """
    names = {"x": "source", "y": "target"}
    passing = {
        name: without(candidates, thresholds, name).rename(columns=names)
        for name in ("", *GATES)
    }  # fmt: skip
    mixed = take(passing[""], None, seed)
    halves = {"half": mixed.iloc[::2], "other half": mixed.iloc[1::2]}
    versus = {f"all gates − {name}": (mixed, passing[name]) for name in GATES}
    versus["half − other half"] = (halves["half"], halves["other half"])
    parts = []
    for name, (first, second) in versus.items():
        gap = corpus_gap(first, second, judge.equivalent, bootstrap)
        rows = MetricRows(name, None, bootstrap)
        points = Interval(100 * gap.value, 100 * gap.low, 100 * gap.high, len(second))
        rows.add("passing true", points, "difference")
        parts.append(rows.frame())
    return pd.concat(parts, ignore_index=True)


def rows_by_round(
    scores: pd.DataFrame,
    made: Mapping[str, pd.DataFrame],
    judge: Judge,
    bootstrap: Bootstrap = Bootstrap(),
) -> pd.DataFrame:
    """METRIC_ROWS of the students and the datasets (round → DATASET) of successive rounds.

    `scores` are those of `systems.item_scores` with the columns `VARIANT_METRICS`.
    """
    named = scores.replace({"system": FIRST_ROUNDS})
    answered = named[named["system"].isin(list(made))]
    students = mean_rows(answered, VARIANT_METRICS, bootstrap, judge)
    return pd.concat([students, truth_by_round(made, judge, bootstrap)], ignore_index=True)


def truth_by_round(
    made: Mapping[str, pd.DataFrame], judge: Judge, bootstrap: Bootstrap = Bootstrap()
) -> pd.DataFrame:
    """METRIC_ROWS of how true and how varied the datasets (round → DATASET) are.

    `pairs true` in per cent, self_bleu and h2 of as many pairs as the smallest round has, and the
    number of all pairs.
    """
    least = min(map(len, made.values()))  # entropies of different sizes do not compare
    rows = quality_rows(made, least, bootstrap=bootstrap, judge=judge)
    rows = rows[rows["metric"].isin(["fidelity", "self_bleu", "h2"])]
    parts = [rows.replace({"metric": {"fidelity": "pairs true"}})]
    for name, frame in made.items():
        number = Interval(float(len(frame)), float("nan"), float("nan"), len(frame))
        count = MetricRows(name, None, bootstrap)
        count.add("pairs", number, "count")
        parts.append(count.frame())
    return pd.concat(parts, ignore_index=True)


def ablation_expected(
    gains: pd.DataFrame, gaps: pd.DataFrame, rivals: Iterable[str]
) -> list[Expected]:
    """What notebook 14 expects of each part that is left out or given away.

    Args:
        gains: METRIC_ROWS of `compared` variants.
        gaps: of `passing_gaps`.
        rivals: other corpora, and these with a part of the method ("+ …").
    """
    lifted = [name for name in rivals if "+" in name]
    below = [("fidelity", "− entailment − full")]
    below += [("bert_ibleu", "− self-distillation − full")]
    below += [
        (metric, "− diversity (D_T) − − self-distillation")
        for metric in ("paraphrase", "bert_ibleu")
    ]
    below += [("bert_ibleu", "shuffled − full")]
    below += [
        (metric, f"{name} − full") for metric in ("paraphrase", "bert_ibleu") for name in lifted
    ]
    above = [("rouge_l_source", f"− {name} − full") for name in ("rouge_l", "ted")]
    truer = "all gates − entailment"
    return [
        *(
            Expected(f"{METRICS[metric].title.rstrip(' ↑↓')}: {two}",
                     interval_of(gains, two, metric), *bounds)
            for part, bounds in ((below, (None, 0)), (above, (0, None)))
            for metric, two in part
        ),
        Expected(f"equivalent, of what passes, % points: {truer}",
                 interval_of(gaps, truer, "passing true"), over=0),
    ]  # fmt: skip


def rounds_expected(
    scores: pd.DataFrame, made: Mapping[str, pd.DataFrame], judge: Judge, bootstrap: Bootstrap
) -> list[Expected]:
    """Whether the last round of self-distillation loses what the first had; [] of one round.

    Args:
        scores: of `systems.item_scores`.
        made: round → DATASET, the first named as in `FIRST_ROUNDS`.
        judge: of pairs; its verdicts are taken as they are.
    """
    last, (full, first) = list(made)[-1], list(FIRST_ROUNDS.items())[-1]
    if last not in set(scores["system"]) or first not in made:
        return []
    gains = paired_gain(scores, last, full, ["fidelity"], bootstrap, judge)
    student = interval_of(gains, f"{last} − {full}", "fidelity")
    pairs = per_cent(corpus_gap(made[last], made[first], judge.equivalent, bootstrap))
    alike = corpus_gap(made[last], made[first], self_bleu, bootstrap)
    versus = f"{last} − {first}"
    return [
        Expected(f"fidelity of students, % points: {versus}", student, over=-MAY_LOSE),
        Expected(f"equivalent pairs, % points: {versus}", pairs, over=-MAY_LOSE),
        Expected(f"Self-BLEU of the pairs, points: {versus}", alike, under=MAY_LOSE),
    ]
