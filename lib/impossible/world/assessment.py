"""What the laboratory's models are, and how good they are before they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from impossible import world
from impossible.config.params import Params
from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder
from impossible.evaluation.baselines.back_translation import RoundTrip
from impossible.evaluation.bootstrap import (
    Bootstrap,
    Interval,
    bootstrap_ratio,
    bootstrap_sums,
    ratio,
)
from impossible.evaluation.calibration import fraction
from impossible.evaluation.expectations import Expected, per_cent
from impossible.models import loading, model_files, model_saving
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.training.student import load_student
from impossible.world import oracle, pivot
from impossible.world.documents import Document
from impossible.world.nli import Example
from impossible.world.recipes import RECIPES

THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95)
#: What usable models reach, per cent: answers of the grammar, right labels; and at most entailment
#: between sentences that have nothing to do with one another.
FLUENT, RIGHT, UNRELATED = 90, 80, 5
#: What stands between a document's opening line and the sentence that is scored.
CONTEXT_KINDS = ("own context", "other context", "no context")
#: What is asked of the student base as a translator.
TRANSLATION = (
    "English to Volan, exact", "Volan to English, same meaning", "there and back, same meaning",
)  # fmt: skip


def judged_examples(critic: EntailmentCritic, examples: Sequence[Example]) -> pd.DataFrame:
    """What the critic says about labelled pairs, with the traits by which its errors are grouped.

    A row per pair: premise, hypothesis, gold, predicted (labels in lower case), p_<label> for each
    label, correct (0/1), and the traits `edit`, `modifiers`, `numbers`, `negation`, `words`.
    """
    config = critic.lm.model.config
    labels = [str(config.id2label[i]).lower() for i in range(config.num_labels)]
    chances = critic.distributions([(e.premise, e.hypothesis) for e in examples])
    frame = pd.DataFrame([_traits(example) for example in examples])
    frame["gold"] = [example.gold for example in examples]
    frame["predicted"] = [labels[i] for i in chances.argmax(axis=1)]
    frame["correct"] = (frame["gold"] == frame["predicted"]).astype(int)
    return frame.assign(**{f"p_{label}": chances[:, i] for i, label in enumerate(labels)})


def _traits(example: Example) -> dict[str, str]:
    """Texts of a pair and the groups it belongs to."""
    facts, edits = (example.premise_fact, example.hypothesis_fact), example.edits
    modifiers = max(len(fact.modifiers) for fact in facts)
    numeric = any(
        any(entity.number.isdigit() for _, entity in fact.roles)
        or any(modifier.kind == "quantity" for modifier in fact.modifiers)
        for fact in facts
    )
    words = max(len(text.split()) for text in (example.premise, example.hypothesis))
    start = min(5 * ((words - 1) // 5), 25)
    return {
        "premise": example.premise,
        "hypothesis": example.hypothesis,
        "edit": "several edits" if len(edits) > 1 else "".join(edits).replace("_", " ") or "none",
        "modifiers": str(modifiers) if modifiers < 4 else "4 or more",
        "numbers": "yes" if numeric else "no",
        "negation": ("neither", "one", "both")[sum(bool(fact.negated) for fact in facts)],
        "words": f"{start + 1}–{start + 5}" if start < 25 else "26 or more",
    }


def model_card(name: str, lm: LanguageModel, folder: Path) -> dict[str, Any]:
    """A model's architecture and size, and its recipe and metrics where its folder tells them."""
    notes: dict[str, Any] = {}
    for file in ("recipe.json", "metrics.json"):
        notes |= read_json(folder / file) if (folder / file).is_file() else {}
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return {
        "model": name,
        "architecture": type(lm.model).__name__,
        "parameters (M)": lm.model.num_parameters() / 1e6,
        "weights (MB)": weights / 1e6,
        **{column: notes.get(column) for column in ("texts", "steps")},
        "dev loss": notes.get("dev_loss"),
        "digest": lm.digest[:12],
    }


def rebuild_models(params: Params, run: RunFolder) -> None:
    """Train every model of the laboratory anew, into the run's folder. Hours on two cores."""
    for name, recipe in RECIPES.items():
        made = recipe(params)
        folder = run.models / name
        model_saving.save_model(folder, made.model, made.tokenizer, made.recipe, made.metrics)


def model_cards(params: Params, run: RunFolder) -> pd.DataFrame:
    """A `model_card` of each model that the parameters name, of rebuilt ones beside the shipped."""
    teachers = (params.teacher, *params.domain_teachers.values())
    load: dict[str, Any] = dict.fromkeys(teachers, loading.load_teacher)
    load |= {params.critic: loading.load_critic, params.student_base: load_student}
    load |= {params.encoder: loading.load_encoder}
    places = [("rebuilt", run)] * params.rebuild_models + [("as given", None)]
    cards = [
        {"copy": copy, **model_card(name, opens(name, place), model_files.locate(name, place))}
        for name, opens in load.items()
        for copy, place in places
    ]
    return pd.DataFrame(cards).astype({"texts": "Int64", "steps": "Int64"})


def translations(trip: RoundTrip, texts: Sequence[str]) -> pd.DataFrame:
    """How well a translator of the second language does, one way and both ways.

    Args:
        trip: into Volan and back.
        texts: sentences of the closed world.

    Returns:
        English, Volan, back, and 1 or 0 for each of `TRANSLATION`: word for word what a perfect
        translator writes; same meaning of a perfect translation come back, and of its own.
    """
    volan, perfect = trip.pivot(texts), [pivot.translate(text) or "" for text in texts]
    own, best = ([found[0] for found in trip.return_trips(kind)] for kind in (volan, perfect))
    exact = [float(a == b) for a, b in zip(volan, perfect, strict=True)]
    same = (oracle.equivalent(texts, best), oracle.equivalent(texts, own))
    frame = pd.DataFrame({"English": texts, "Volan": volan, "back": own})
    return frame.assign(**dict(zip(TRANSLATION, (exact, *same), strict=True)))


def context_surprise(
    lm: LanguageModel, documents: Sequence[Document], most: int = 5
) -> pd.DataFrame:
    """How probable each next sentence is in each of `CONTEXT_KINDS`, always the same sentence.

    Args:
        lm: the teacher.
        documents: each lends its sentences, after the other's own opening line, to the one before.
        most: sentences before the one that is scored.

    Returns:
        document, before (sentences), and nats_KIND and tokens for each kind.
    """
    rows = [
        (d.text, i, *(" ".join([d.prefix, *lent[:i]]) for lent in (d.sentences, other, ())), text)
        for d, next_one in zip(documents, [*documents[1:], documents[0]], strict=True)
        for other in [next_one.sentences]
        for i, text in enumerate(d.sentences[: min(most, len(other)) + 1])
    ]
    scored = pd.DataFrame(rows, columns=["document", "before", *CONTEXT_KINDS, "sentence"])
    items = scored[["document", "before"]].copy()
    for kind in CONTEXT_KINDS:
        found = surprise(lm, scored[kind].tolist(), scored["sentence"].tolist())
        items[f"nats_{kind}"], items["tokens"] = found["nats"], found["tokens"]
    return items


def context_perplexity(items: pd.DataFrame, bootstrap: Bootstrap) -> pd.DataFrame:
    """Perplexity per token of a next sentence, by what stands before it.

    Args:
        items: of `context_surprise`.
        bootstrap: of intervals, documents drawn together.

    Returns:
        METRIC_ROWS: a system per number of sentences before, metrics `CONTEXT_KINDS`. Lines have
        different sentences, since documents end; the columns of a line have the same.
    """
    found = []
    for before, group in items.groupby("before"):
        for kind in CONTEXT_KINDS:
            nats = group[f"nats_{kind}"]
            each = bootstrap_ratio(nats, group["tokens"], group["document"], bootstrap)
            bounds = np.exp(each.bounds).tolist()
            found.append((f"sentences before: {before}", kind, *bounds, len(group), "perplexity"))
    columns = ["system", "metric", "value", "low", "high", "n", "signature"]
    return pd.DataFrame(found, columns=columns)


def _perplexity_gain(items: pd.DataFrame, a: str, b: str, bootstrap: Bootstrap) -> Interval:
    """Perplexity in a kind of context minus that in another, of the same sentences."""

    def difference(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        mine, other = (np.exp(ratio(sums[..., [kind, 2]])) for kind in (0, 1))
        return np.asarray(mine - other)

    columns = items[[f"nats_{a}", f"nats_{b}", "tokens"]]
    return bootstrap_sums(columns, difference, items["document"], bootstrap)


def prompted_answers(sources: Sequence[str], answers: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Answers of several writers by the oracle: source, group, answer, verdict, paraphrase.

    A paraphrase (1, else 0) means what its source means and is another string.
    """
    frame = pd.DataFrame({"source": list(sources), **answers})
    frame = frame.melt("source", var_name="group", value_name="answer")
    verdicts = map(world.judge, frame["source"], frame["answer"])
    same = pd.Series(oracle.equivalent(frame["source"].tolist(), frame["answer"].tolist()))
    return frame.assign(
        verdict=list(verdicts), paraphrase=same.mask(frame["source"] == frame["answer"], 0.0)
    )


def decisions_by_threshold(judged: pd.DataFrame, control: Sequence[float]) -> pd.DataFrame:
    """Precision and recall of "entails" by threshold, and how often it is said of the control.

    Args:
        judged: from `judged_examples`.
        control: P(entailment) of pairs whose premises were permuted.
    """
    truth, chance, rows = judged["gold"] == "entailment", np.asarray(control), []
    for least in THRESHOLDS:
        said = judged["p_entailment"] >= least
        rows.append((least, truth[said].mean(), said[truth].mean(), (chance >= least).mean()))
    return pd.DataFrame(
        rows, columns=["threshold", "precision", "recall", "said of shuffled pairs"]
    )


def teacher_expected(
    outcome: pd.DataFrame, items: pd.DataFrame, bootstrap: Bootstrap
) -> list[Expected]:
    """A usable teacher is fluent, reads its context, and hardly paraphrases when asked.

    Args:
        outcome: of `prompted_answers`; groups "teacher, zero-shot" and "teacher, few-shot".
        items: of `context_surprise`; those with one sentence before them count.
        bootstrap: over documents.
    """
    asked = {name: outcome[outcome["group"] == f"teacher, {name}"]
             for name in ("zero-shot", "few-shot")}  # fmt: skip
    second = items[items["before"] == 1]
    own, other, none = CONTEXT_KINDS
    return [
        *(
            Expected(f"{name} paraphrases by the oracle, %", per_cent(fraction(part["paraphrase"])),
                     under=50)
            for name, part in asked.items()
        ),
        Expected("answers of the grammar, zero-shot, %",
                 per_cent(fraction(asked["zero-shot"]["verdict"] != "unparsed")), over=FLUENT),
        Expected("perplexity of second sentences, after the first minus without it",
                 _perplexity_gain(second, own, none, bootstrap), under=0),
        Expected("perplexity of second sentences, after another document's first minus their own",
                 _perplexity_gain(second, other, own, bootstrap), over=0),
    ]  # fmt: skip


def in_vitro_critic_expected(
    judged: pd.DataFrame, control: Sequence[float], threshold: float, uneven: float
) -> list[Expected]:
    """A usable critic is mostly right, knows it, and errs for some edits more than for others.

    Args:
        judged: from `judged_examples`.
        control: P(entailment) of pairs whose premises were permuted.
        threshold: from which on it says that one follows.
        uneven: edits whose interval of accuracy lies apart from that of another.
    """
    said = judged["p_entailment"] >= threshold
    right, chance = judged["gold"][said] == "entailment", np.asarray(control) >= threshold
    return [
        Expected("labels of the critic that are right, %", per_cent(fraction(judged["correct"])),
                 over=RIGHT),
        Expected(f"true entailment, of what it gives {threshold:g} or more, %",
                 per_cent(fraction(right)), over=100 * threshold),
        Expected("edits whose accuracy lies apart from that of another", uneven, over=0),
        Expected("permuted pairs that it calls entailment, %", per_cent(fraction(chance)),
                 under=UNRELATED),
    ]  # fmt: skip
