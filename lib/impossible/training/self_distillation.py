"""Self-distillation: the student rewrites fresh sentences, the same critics choose (paper §3.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from impossible.config.params import Params
from impossible.data.run_folder import unit_seed
from impossible.errors import DataError
from impossible.filtering.pair_scores import Critic, Parser, gate, score_pairs
from impossible.training.student import Student, load_student

__all__ = [
    "candidates",
    "choose",
    "dataset",
    "fresh_inputs",
    "pair_id",
    "paraphrase",
    "relabel",
    "require_pairs",
    "select",
]


def fresh_inputs(drawn: pd.DataFrame) -> pd.DataFrame:
    """The sentences of drawn contexts that may be rewritten: accepted, each text once, with a name.

    Args:
        drawn: SENTENCES of `contexts.draw_inputs`; those with a reason are left out.

    Returns:
        SENTENCES with the column input_id.
    """
    fresh = drawn[drawn["reason"] == ""].drop_duplicates("text")
    return fresh.assign(input_id=fresh["context_id"] + "-" + fresh["sample"].astype(str))


def relabel(
    inputs: pd.DataFrame,
    student: Student,
    critic: Critic,
    parser: Parser,
    params: Params,
    stage: str = "relabel",
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Let a student paraphrase fresh inputs and keep what the critics accept.

    Args:
        inputs: columns input_id (unique), text and, if known, context_id.
        student: trained on filtered pairs.
        critic: the same as for the first dataset.
        parser: the same as for the first dataset.
        params: n_candidates, candidate_top_p, candidate_temperature, max_new_tokens, thresholds.
        stage: names this round, so that rounds do not share random numbers.

    Returns:
        (dataset with schema DATASET: for each input at most one pair, candidates with schema
        CANDIDATES, funnel with input_id, reason, n that sums to n_candidates for each input).
    """
    scored, before = candidates(inputs, student, critic, parser, params, stage)
    kept, funnel = select(scored, inputs, params, stage)
    detailed = funnel[funnel["reason"] != "not_scored"]
    return kept, scored, pd.concat([before, detailed], ignore_index=True)


def select(
    scored: pd.DataFrame, inputs: pd.DataFrame, params: Params, origin: str = "relabel"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """From saved candidates to a dataset: gates, then one pair per input; computes no score.

    Returns:
        (dataset with schema DATASET, funnel with input_id, reason, n). Candidates that were empty,
        copies or repetitions are "not_scored"; the sum is n_candidates for each input.
    """
    kept, after = gate(scored, params)
    chosen, spare = choose(kept)
    ids = inputs["input_id"]
    missing = params.n_candidates - ids.map(scored["input_id"].value_counts()).fillna(0)
    absent = pd.DataFrame({"input_id": ids, "reason": "not_scored", "n": missing.astype("int64")})
    parts = [absent[absent["n"] > 0], after[after["reason"] != "kept"], spare]
    return dataset(chosen, inputs, origin), pd.concat(parts, ignore_index=True)


def candidates(
    inputs: pd.DataFrame,
    student: Student,
    critic: Critic,
    parser: Parser,
    params: Params,
    stage: str = "relabel",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sample and score candidates: (schema CANDIDATES, funnel of what was not scored).

    Not scored: empty candidates, copies of the input, repetitions of an earlier candidate.
    """
    sources = inputs["text"].tolist()
    rows: list[tuple[str, int, str, str]] = []
    funnel: list[tuple[str, str, int]] = []
    written = student.generate(
        sources, params.n_candidates, params.candidate_temperature, params.candidate_top_p,
        unit_seed(params.seed, stage, str(inputs["input_id"].iloc[0])),
        params.sentence_max_new_tokens,
    ) if sources else []  # fmt: skip
    for name, source, texts in zip(inputs["input_id"], sources, written, strict=True):
        fresh = dict(zip(reversed(texts), range(len(texts) - 1, -1, -1), strict=True))
        dropped = {"identical": texts.count(source), "empty": texts.count("")}
        fresh = {text: place for text, place in fresh.items() if text and text != source}
        dropped["duplicate"] = len(texts) - len(fresh) - sum(dropped.values())
        funnel += [(name, reason, n) for reason, n in dropped.items() if n]
        rows += [(name, i, source, text) for text, i in sorted(fresh.items(), key=lambda t: t[1])]
    frame = pd.DataFrame(rows, columns=["input_id", "candidate", "x", "y"])
    frame["candidate"] = frame["candidate"].astype("int32")
    scores = score_pairs(frame["x"].tolist(), frame["y"].tolist(), critic, parser, params)
    return pd.concat([frame, scores], axis=1), pd.DataFrame(
        funnel, columns=["input_id", "reason", "n"]
    )


def choose(kept: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of each input's surviving candidates the one with the lowest ROUGE-L; ties by text.

    Returns:
        (chosen rows, funnel with reasons kept and not_chosen).
    """
    order = kept.sort_values(["rouge_l", "y"], kind="stable")
    places = order.drop_duplicates("input_id").index
    chosen = kept.loc[sorted(places)].reset_index(drop=True)
    counts = kept.groupby("input_id", sort=False).size()
    spare = pd.DataFrame({"input_id": counts.index, "reason": "not_chosen", "n": counts - 1})
    one = pd.DataFrame({"input_id": counts.index, "reason": "kept", "n": 1})
    funnel = pd.concat([one, spare[spare["n"] > 0]], ignore_index=True)
    return chosen, funnel.astype({"n": "int64"})


def dataset(
    pairs: pd.DataFrame, inputs: pd.DataFrame | None = None, origin: str = "teacher"
) -> pd.DataFrame:
    """Pairs as a corpus of schema DATASET; `pair_id` is a digest of source and target.

    Args:
        pairs: columns x, y, p_xy, p_yx, rouge_l, ted and context_id or input_id.
        inputs: where to look up the context_id of an input_id.
        origin: of the corpus.
    """
    if "context_id" in pairs:
        context = pairs["context_id"]
    elif inputs is not None and "context_id" in inputs:
        context = pairs["input_id"].map(inputs.set_index("input_id")["context_id"])
    else:
        context = pairs["input_id"]
    ids = [pair_id(x, y) for x, y in zip(pairs["x"], pairs["y"], strict=True)]
    columns = {"pair_id": ids, "source": pairs["x"], "target": pairs["y"], "context_id": context}
    scores = {name: pairs[name] for name in ("p_xy", "p_yx", "rouge_l", "ted")}
    frame = pd.DataFrame({**columns, "origin": origin, **scores})
    return frame.drop_duplicates("pair_id").reset_index(drop=True)


def pair_id(x: str, y: str) -> str:
    """The name of a pair of texts: 16 hexadecimal digits, the same wherever it turns up."""
    return hashlib.sha256(f"{x}\x1f{y}".encode()).hexdigest()[:16]


def require_pairs(kept: pd.DataFrame, funnel: pd.DataFrame, least: int = 2) -> None:
    """Refuse to train on an empty dataset, naming the gate that dropped most.

    Raises:
        DataError: fewer than `least` pairs were kept.
    """
    if len(kept) >= least:
        return
    dropped = funnel[~funnel["reason"].isin(["kept", "scored"])]
    totals = dropped.groupby("reason")["n"].sum().sort_values(ascending=False, kind="stable")
    blame = "there were no candidates at all"
    if len(totals):
        blame = f"the gate {totals.index[0]!r} dropped most ({int(totals.iloc[0]):,} pairs)"
    raise DataError(
        f"only {len(kept)} pairs are left to train on: {blame}; loosen it or sample more contexts"
    )


def paraphrase(
    texts: Sequence[str],
    model: str | Path | Student,
    n: int = 1,
    seed: int = 0,
    max_new_tokens: int = 100,
    device: str = "auto",
) -> list[list[str]]:
    """Paraphrase texts with a distilled student (the command `impossible paraphrase`).

    Args:
        texts: sentences.
        model: a name for `load_student`, a folder, or a loaded student.
        n: candidates per text; 1 is decoded greedily, more are sampled (top-p 0.9).
        seed: of the samples.
        max_new_tokens: longest candidate.
        device: where the model runs.

    Returns:
        For each text n candidates.

    Raises:
        DataError: a text is empty, or n is less than 1.
        ModelError: the model cannot be loaded, or a text exceeds its window.
    """
    if n < 1:
        raise DataError(f"n must be at least 1, got {n}")
    for i, text in enumerate(texts, 1):
        if not text.strip():
            raise DataError(f"text {i} is empty; give one sentence per text")
    student = model if isinstance(model, Student) else load_student(str(model), device=device)
    temperature = 0.0 if n == 1 else 1.0
    return student.generate(texts, n, temperature, 0.9, seed, max_new_tokens)
