"""Domains: what a teacher of its own is worth, and pairs of one domain against pooled ones (v1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from impossible.config.fields import Domain
from impossible.config.params import Params
from impossible.data.human_datasets import take
from impossible.data.io import read_frame
from impossible.data.run_folder import RunFolder
from impossible.data.schemas import CONTEXTS, DATASET, SENTENCES
from impossible.evaluation.bootstrap import Bootstrap, Interval, bootstrap_contrast
from impossible.evaluation.corpus_comparison import equally_many, permuted
from impossible.evaluation.expectations import Expected, interval_of
from impossible.evaluation.judges import Judge
from impossible.evaluation.metric_rows import MetricRows
from impossible.evaluation.systems import paired_gain
from impossible.filtering.build_dataset import build_dataset
from impossible.filtering.critic import Models
from impossible.filtering.diversity_filter import Algorithm1
from impossible.filtering.resumable_scoring import score_sentences
from impossible.filtering.thresholds import Thresholds
from impossible.generation.contexts import draw_contexts, plan_contexts
from impossible.generation.next_sentences import draw_sentences
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel

Made = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]  # CONTEXTS, SENTENCES, DATASET


def pairs_of_domain_teacher(
    run: RunFolder, teacher: LanguageModel, domain: Domain, params: Params, models: Models
) -> Made:
    """All steps from a teacher of one domain to its pairs, in pieces kept in `work/`."""
    alone, stage = params.fixed(domains=[domain]), f"{domain.name} alone"
    plans = plan_contexts(alone, params.domain_contexts, stage)
    contexts = draw_contexts(run, teacher, plans, alone, stage)
    sentences = draw_sentences(run, teacher, contexts, alone, f"{stage} sentences")
    thresholds, name = Thresholds.paraphrase(alone), f"teacher of {domain.name}"
    scored, _ = score_sentences(run, sentences, models, thresholds, f"{stage} pairs")
    pairs, _ = build_dataset(scored, thresholds, Algorithm1(models.critic, alone), name)
    return contexts, sentences, pairs


def pairs_by_teacher(
    run: RunFolder, teachers: Mapping[str, LanguageModel], params: Params, models: Models
) -> dict[str, Made]:
    """What the mixed teacher and a teacher for each domain make of as many contexts.

    The mixed teacher's contexts are the first of the run (notebooks 03 to 05): lengths come in turn
    within a domain, so the first n of every teacher have the same lengths. The keys are "mixed
    teacher" and, for each domain with a teacher that has read it only, "DOMAIN: its own teacher".
    """
    contexts = read_frame(run.data("contexts"), CONTEXTS)
    contexts = contexts.groupby("domain", sort=False).head(params.domain_contexts)
    pairs = read_frame(run.data("dataset_teacher"), DATASET)
    pairs = pairs[pairs["context_id"].isin(contexts["context_id"])]
    made = {"mixed teacher": (contexts, read_frame(run.data("sentences"), SENTENCES), pairs)}
    for domain in params.domains:
        if domain.name in teachers:
            made[f"{domain.name}: its own teacher"] = pairs_of_domain_teacher(
                run, teachers[domain.name], domain, params, models
            )
    return made


def judged_pairs(made: Mapping[str, Made], judge: Judge) -> pd.DataFrame:
    """The pairs of `pairs_by_teacher`: as DATASET, with system ("DOMAIN: mixed teacher", "DOMAIN:
    its own teacher"), item (the context), and in per cent true and ROUGE-L."""
    parts = []
    for teacher, (contexts, _, pairs) in made.items():
        domains = pairs["context_id"].map(contexts.set_index("context_id")["domain"])
        parts.append(pairs.assign(system=domains + ": " + teacher.split(": ")[-1]))
    frame = pd.concat(parts, ignore_index=True)
    truth = judge.equivalent(list(frame["source"]), list(frame["target"]))
    near = 100 * frame["rouge_l"].astype(float)
    return frame.assign(item=frame["context_id"], true=100 * truth, **{"ROUGE-L": near})


def yield_per_context(made: Mapping[str, Made], judged: pd.DataFrame) -> pd.DataFrame:
    """What came of each context of `pairs_by_teacher`, by its `judged_pairs`.

    Returns:
        system, domain, item (the context), accepted (sentences), distinct (different ones), pairs
        (kept), true pairs: null where none of a context's pairs can be judged.
    """
    parts = []
    for teacher, (contexts, sentences, _) in made.items():
        frame = contexts[["domain", "context_id"]].rename(columns={"context_id": "item"})
        accepted = sentences[sentences["reason"] == ""].groupby("context_id")["text"]
        frame["accepted"] = frame["item"].map(accepted.size()).fillna(0)
        frame["distinct"] = frame["item"].map(accepted.nunique()).fillna(0)
        parts.append(frame.assign(system=frame["domain"] + ": " + teacher.split(": ")[-1]))
    frame = pd.concat(parts, ignore_index=True)
    truth = judged.groupby("item")["true"]
    frame["pairs"] = frame["item"].map(truth.size()).fillna(0)
    true = frame["item"].map(truth.sum(min_count=1)) / 100
    return frame.assign(**{"true pairs": true.where(frame["pairs"] > 0, 0.0)})


def true_pair_gaps(yields: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, Interval]:
    """True pairs per context: teachers of one domain minus the mixed one, and, as a control, two
    halves of the mixed one's contexts.
    """
    values = yields.set_index("item")["true pairs"]
    own = yields["system"].str.endswith("its own teacher").to_numpy()
    first = (yields.groupby("system").cumcount() % 2 == 0).to_numpy()
    pairs = {"own − mixed": (own, ~own), "half − other half": (~own & first, ~own & ~first)}
    return {
        f"true pairs per context, {name}": bootstrap_contrast(
            values[a], values[b], values.index[a], values.index[b], bootstrap
        )
        for name, (a, b) in pairs.items()
        if a.any() and b.any()
    }


def bits_per_character(
    teachers: Mapping[str, LanguageModel], items: pd.DataFrame, domains: Sequence[Domain]
) -> pd.DataFrame:
    """How well each teacher predicts sentences that open a document of their domain.

    Per character, not per token: teachers with different tokenizers can be compared.

    Returns:
        system, item, domain, bits. The context is the first prefix of the item's domain, or that of
        the first of `domains`.
    """
    prefixes = {domain.name: domain.prefixes[0] for domain in domains}
    contexts = items["domain"].map(prefixes).fillna(domains[0].prefixes[0]).tolist()
    lengths = items["source"].str.len().to_numpy() + 1  # the space before it
    parts = []
    for name, teacher in teachers.items():
        nats = surprise(teacher, contexts, items["source"].tolist())["nats"].to_numpy()
        columns = {"item": items["id"], "domain": items["domain"], "system": name}
        parts.append(pd.DataFrame(columns).assign(bits=nats / np.log(2) / lengths))
    return pd.concat(parts, ignore_index=True)


def bits_gap_rows(bits: pd.DataFrame, domains: Sequence[str], bootstrap: Bootstrap) -> pd.DataFrame:
    """A teacher in its own domain minus the mixed one, and minus the mean of the others.

    By "mixed teacher" and "teacher of DOMAIN" in `bits_per_character`, paired by item. METRIC_ROWS
    whose `metric` is the domain; none where no sentence is of these domains.
    """
    names = {"alone, at home": "its own", "alone, away": "of other domains"}
    alone = at_home_and_away(bits, {d: f"teacher of {d}" for d in domains}, ["bits"])
    both = pd.concat([alone, bits[bits["system"] == "mixed teacher"]], ignore_index=True)
    both = by_domain(both.replace({"system": names | {"mixed teacher": "mixed"}}), "bits")
    home = both.loc[both["system"] == "its own", ["item", "domain"]]
    both = both[both["item"].isin(home["item"])]
    others = [name for name in ("mixed", "of other domains") if name in set(both["system"])]
    read = list(home["domain"].unique())
    rows = [paired_gain(both, "its own", other, read, bootstrap) for other in others]
    return pd.concat([MetricRows("", None).frame(), *rows], ignore_index=True)


def by_domain(scores: pd.DataFrame, metric: str, name: str = "{}") -> pd.DataFrame:
    """Item scores with a column of this metric for each domain, called `name`; null elsewhere."""
    kinds = scores["domain"].dropna().unique()
    parts = {name.format(d): scores[metric].where(scores["domain"] == d) for d in kinds}
    return scores.assign(**parts)


def domain_corpora(dataset: pd.DataFrame, params: Params) -> dict[str, pd.DataFrame]:
    """Corpora of one domain each and pooled ones.

    "DOMAIN only", as many pairs each; "pooled", the same number of all; "shuffled pooled", its
    targets permuted; "pooled, all", all of the first together.
    """
    by_name = {str(name): part for name, part in dataset.groupby("domain", sort=False)}
    parts = equally_many(by_name, params.compared_pairs, params.seed)
    together = pd.concat(parts.values(), ignore_index=True)
    pooled = take(together, min(map(len, parts.values())), params.seed)
    corpora = {f"{name} only": part for name, part in parts.items()}
    shuffled = permuted(pooled, params.seed)
    return corpora | {"pooled": pooled, "shuffled pooled": shuffled, "pooled, all": together}


def at_home_and_away(
    scores: pd.DataFrame, alone: Mapping[str, str], metrics: Sequence[str]
) -> pd.DataFrame:
    """Two imaginary systems to compare a pooled one with, item by item.

    `alone` maps a domain to the system that has seen this domain only. Item scores of "alone, at
    home" (each item's score by the system of its own domain) and "alone, away" (the mean of the
    other systems' scores).
    """
    seen = scores["system"].map({system: domain for domain, system in alone.items()})
    at_home = seen == scores["domain"]
    parts = []
    for name, chosen in (("alone, at home", at_home), ("alone, away", ~at_home)):
        of_item = scores[chosen & seen.notna()].groupby(
            ["item", "domain"], sort=False, dropna=False
        )
        parts.append(of_item[list(metrics)].mean().reset_index().assign(system=name))
    return pd.concat(parts, ignore_index=True)


def pooling_gain_rows(
    scores: pd.DataFrame, domains: Sequence[str], metrics: Sequence[str], bootstrap: Bootstrap
) -> pd.DataFrame:
    """Students of `domain_corpora`: pooled minus alone, at home and away, overall and by domain.

    METRIC_ROWS "pooled − alone, away", …, "DOMAIN: pooled − alone, away", …, paired by item;
    `domains` are those that have a student.
    """
    single = at_home_and_away(scores, {name: f"{name} only" for name in domains}, metrics)
    both = pd.concat([scores, single], ignore_index=True)
    rows = []
    for end, items in single.groupby("system", sort=False)["item"]:
        asked = both[both["item"].isin(items)]
        for pool in ("pooled", "shuffled pooled", "pooled, all"):
            rows.append(paired_gain(asked, pool, end, metrics, bootstrap))
        for domain, part in asked.groupby("domain", sort=False):
            gain = paired_gain(part, "pooled", end, metrics, bootstrap)
            rows.append(gain.assign(system=f"{domain}: " + gain["system"]))
    return pd.concat(rows, ignore_index=True)


def domains_expected(
    bits: pd.DataFrame, yields: Mapping[str, Interval], gains: pd.DataFrame
) -> list[Expected]:
    """What notebook 20 expects, with what was found.

    Args:
        bits: of `bits_gap_rows`.
        yields: of `true_pair_gaps`.
        gains: of `pooling_gain_rows`.
    """
    expected = []
    for row in bits.itertuples():
        found = interval_of(bits, str(row.system), str(row.metric))
        said = f"bits per character, {row.metric}: {row.system}"
        expected.append(Expected(said, found, under=0, digits=2))
    said = "true pairs per context, own − mixed"
    unknown = Interval(np.nan, np.nan, np.nan, 0)
    expected.append(Expected(said, yields.get(said, unknown), over=0, digits=2))
    away, home, mixed = (
        (f"valid paraphrases, % points: {two}", interval_of(gains, two, "paraphrase"))
        for two in (
            "pooled − alone, away", "pooled − alone, at home", "shuffled pooled − alone, away",
        )
    )  # fmt: skip
    pooled = [Expected(*away, over=0), Expected(*home, over=-5), Expected(*mixed, under=0)]
    return [*expected, *pooled]
