"""How varied the next sentences of a context are, in strings and in meanings (notebook 03)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from impossible.config.params import Params
from impossible.evaluation.bootstrap import (
    Bootstrap,
    bootstrap_contrast,
    bootstrap_mean,
    bootstrap_ratio,
)
from impossible.evaluation.expectations import Expected, per_cent
from impossible.evaluation.judges import Judge
from impossible.text.sentence_boundaries import words


def accepted_sentences(sentences: pd.DataFrame, contexts: pd.DataFrame) -> pd.DataFrame:
    """Accepted SENTENCES with the columns domain and words (their number)."""
    domains = contexts.set_index("context_id")["domain"]
    good = sentences[sentences["reason"] == ""].reset_index(drop=True)
    counts = [len(words(text)) for text in good["text"]]
    return good.assign(domain=good["context_id"].map(domains), words=counts)


def distinct_of_accepted(counts: pd.DataFrame) -> pd.Series:
    """The fraction of distinct strings among the accepted ones of each context; NaN without any."""
    return counts["distinct"] / counts["accepted"].where(counts["accepted"] > 0)


def distinct_fractions(counts: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Distinct among accepted sentences, as a mean over contexts, by their length and domain.

    `counts` are those of `next_sentences.acceptance_counts`.

    Returns:
        group ("2 sentences"), series (domain), value, low, high, n, as figures draw them.
    """
    rows, fraction = [], distinct_of_accepted(counts)
    for (length, domain), values in fraction.groupby([counts["n_sentences"], counts["domain"]]):
        found = bootstrap_mean(values, None, bootstrap)
        name = f"{length} sentence" + "s" * (length > 1)
        rows.append((name, domain, *found.bounds, found.n))
    return pd.DataFrame(rows, columns=["group", "series", "value", "low", "high", "n"])


def distinct_by_samples(accepted: pd.DataFrame, sizes: Sequence[int]) -> pd.DataFrame:
    """Distinct accepted sentences of a context, on average, had fewer samples been drawn."""
    few = [accepted[accepted["sample"] < n].groupby("context_id")["text"] for n in sizes]
    means = [texts.nunique().mean() for texts in few]
    return pd.DataFrame({"samples per context": sizes, "distinct accepted sentences": means})


def grammatical_fraction(texts: pd.Series, judge: Judge) -> float:
    """The fraction of the texts whose meaning an oracle knows; NaN where it knows none."""
    known = sum(judge.meaning(text) != text for text in texts)
    return known / len(texts) if known else float("nan")


def meanings_per_context(
    accepted: pd.DataFrame, judge: Judge, n: int, seed: int
) -> tuple[pd.Series, pd.Series]:
    """How many meanings the distinct strings of up to n contexts have; missing without an oracle.

    Returns:
        Means over contexts: grammatical (fraction of the strings whose meaning is known), strings
        (distinct ones of a context), meanings (of a context), strings_per_meaning; and the last of
        each context.
    """
    names = accepted["context_id"].drop_duplicates()
    some = names.sample(min(n, len(names)), random_state=seed)
    seen = accepted[accepted["context_id"].isin(some)].drop_duplicates(["context_id", "text"])
    seen = seen.assign(meaning=seen["text"].map(judge.meaning))
    known = seen[seen["meaning"] != seen["text"]]
    groups = known.groupby("context_id")
    meanings = groups["meaning"].nunique()
    per_meaning = groups.size() / meanings
    means = {
        "grammatical": grammatical_fraction(seen["text"], judge),
        "strings": seen.groupby("context_id").size().mean(),
        "meanings": meanings.mean(),
        "strings_per_meaning": per_meaning.mean(),
    }
    return pd.Series(means), per_meaning


def variety_expected(
    counts: pd.DataFrame, per_meaning: pd.Series, judge: Judge, bootstrap: Bootstrap
) -> list[Expected]:
    """What notebook 03 expects, with what was found.

    Args:
        counts: of `next_sentences.acceptance_counts`.
        per_meaning: strings of a meaning by context, of `meanings_per_context`.
        judge: who knows the meanings.
        bootstrap: over contexts.
    """
    distinct, lengths = distinct_of_accepted(counts), counts["n_sentences"]
    longest = distinct[lengths == lengths.max()]
    shortest = distinct[(lengths == lengths.min()) & (lengths < lengths.max())]
    accepted = bootstrap_ratio(counts["accepted"], counts["samples"], None, bootstrap)
    fewer = bootstrap_contrast(
        longest, shortest, list(longest.index), list(shortest.index), bootstrap
    )
    strings = bootstrap_mean(per_meaning, None, bootstrap)
    return [
        Expected("accepted samples, %", per_cent(accepted), over=50),
        Expected(
            "distinct among accepted, %", per_cent(bootstrap_mean(distinct, None, bootstrap)),
            over=50,
        ),
        Expected("the same, longest minus shortest contexts, % points", per_cent(fewer), under=0),
        Expected(f"distinct strings of a meaning ({judge.name})", strings, over=2),
    ]  # fmt: skip


def most_frequent_sentences(
    accepted: pd.DataFrame, contexts: pd.DataFrame, n: int = 6
) -> pd.DataFrame:
    """The n most frequent sentences of the first shortest and the first longest context.

    Returns:
        context (in its first row only), text, samples.
    """
    lengths = contexts["n_sentences"]
    ends = dict.fromkeys([lengths.idxmin(), lengths.idxmax()])  # one if all are equally long
    texts = contexts.loc[list(ends)].set_index("context_id")["text"]
    mine = accepted[accepted["context_id"].isin(texts.index)]
    counts = mine.value_counts(["context_id", "text"]).rename("samples").reset_index()
    counts["rank"] = counts["context_id"].map(list(texts.index).index)
    top = counts.sort_values("rank", kind="stable").groupby("context_id", sort=False).head(n)
    first = ~top["context_id"].duplicated()  # each context is told once
    context = top["context_id"].map(texts).where(first, "")
    return top.assign(context=context)[["context", "text", "samples"]]


def variety_numbers(
    counts: pd.DataFrame, accepted: pd.DataFrame, meanings: pd.Series, judge: str
) -> dict[str, float]:
    """What notebook 03 records besides the sizes.

    Args:
        counts: of `next_sentences.acceptance_counts`.
        accepted: of `accepted_sentences`.
        meanings: of `meanings_per_context`; what is missing there is not recorded.
        judge: its name, in which the names of its numbers end.
    """
    known = meanings[["grammatical", "strings_per_meaning"]].dropna()
    return {
        "words": accepted["words"].mean(),
        "distinct_share": distinct_of_accepted(counts).mean(),
        "distinct_per_context": counts["distinct"].mean(),
        **{f"{name}_{judge}": value for name, value in known.items()},
    }


def generation_settings(
    params: Params, contexts: pd.DataFrame, counts: pd.DataFrame
) -> pd.DataFrame:
    """The settings and yields of the stage beside the paper's (section 3.1)."""
    lengths, accepted = contexts["n_sentences"], counts["accepted"].sum() / counts["samples"].sum()
    rows = [
        ("contexts", "not stated", f"{len(contexts):,}"),
        ("sentences of a context", "1–5", f"{lengths.min()}–{lengths.max()}"),
        ("samples per context", "100", str(params.k)),
        (
            "contexts: top-p, temperature", "0.9, 1.0",
            f"{params.context_top_p}, {params.context_temperature}",
        ),
        (
            "sentences: top-p, temperature", "0.9, 0.7 (code 0.5)",
            f"{params.sentence_top_p}, {params.sentence_temperature}",
        ),
        ("no repeated n-grams", "none (code 3)", str(params.no_repeat_ngram_size or "none")),
        ("accepted samples", "not stated", f"{accepted:.1%}"),
        ("distinct strings per context", "not stated", f"{counts['distinct'].mean():.1f}"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["", "paper", "this run"])
