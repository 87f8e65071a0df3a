"""Recipes of the in-vitro models: the off-the-shelf models of the closed world.

Each draws its data from the train split of the world, trains as any model would be trained, and
measures on the dev split. Only notebook 01 calls them, when the shipped copies are to be rebuilt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from transformers import GPT2LMHeadModel, RobertaModel, T5ForConditionalGeneration
from transformers import RobertaForMaskedLM as MaskedLM
from transformers import RobertaForSequenceClassification as Classifier
from transformers import RobertaForTokenClassification as Tagger

from impossible.config.params import Params
from impossible.data.digests import digest
from impossible.training.objectives import train_causal_lm, train_classifier
from impossible.training.student import Seq2SeqStudent, Student
from impossible.training.student_training import train_student
from impossible.training.trainer import History, TrainingSettings
from impossible.world import architectures, thesaurus
from impossible.world.documents import DOMAINS, Document, sample_document
from impossible.world.nli import LABELS, NOISE, Example, sample_example
from impossible.world.pivot import BACK as BACK
from impossible.world.pivot import THERE as THERE
from impossible.world.pivot import bilingual, multitask_pairs
from impossible.world.pretraining import (
    cloze_pairs,
    denoising_pairs,
    train_encoder,
    train_masked_lm,
    train_shared_words,
    train_span_corruption,
)
from impossible.world.tokenizers import train_tokenizer

TOKENIZER_TEXTS = 120_000
BATCH = {"teacher": 32, "critic": 48, "student-base": 64, "encoder": 48}  # examples per step
DEV_SIZE = 500
GENTLE: dict[str, Any] = {"warmup": 0.1, "weight_decay": 0.01}
FIRST = ("news", "biomedical")  # what the models read first; the third domain came later
ADDED = (*FIRST, "forum", "forum")  # and then: every second text is of the new domain


@dataclass
class Built:
    """A trained model: weights, tokenizer, its recipe, its metrics and its loss curve."""

    model: Any
    tokenizer: Any
    recipe: dict[str, Any]
    metrics: dict[str, Any]
    history: History


def stream(stage: str, seed: int) -> np.random.Generator:
    """A random stream for one part of a recipe."""
    return np.random.default_rng([seed, *stage.encode()])


def documents(
    n: int, seed: int = 0, split: str = "train", domains: Sequence[str] = DOMAINS
) -> list[Document]:
    """`n` documents of a split and of these domains; the same for the same seed."""
    rng = stream(f"documents {split}", seed)
    return [sample_document(rng, split, domains) for _ in range(n)]


def nli_examples(
    n: int, seed: int = 0, split: str = "train", noise: float = NOISE,
    domains: Sequence[str] = DOMAINS,
) -> list[Example]:  # fmt: skip
    """`n` labelled sentence pairs of a split, with this share of wrong labels."""
    rng = stream(f"nli {split}", seed)
    return [sample_example(rng, split, noise, domains) for _ in range(n)]


def schedule(name: str, steps: int, rate: float, seed: int, **rest: Any) -> TrainingSettings:
    """How one part of a model's training goes."""
    return TrainingSettings(steps, rate, BATCH[name], seed=seed, **rest)


def build_teacher(params: Params) -> Built:
    """A GPT-2 trained on documents only (it never sees a paraphrase), the third domain last."""
    texts = [d.text for d in documents(params.n_documents, params.seed, domains=FIRST)]
    tokenizer = train_tokenizer(texts, "gpt2")
    torch.manual_seed(params.seed)
    model = GPT2LMHeadModel(architectures.gpt2(tokenizer, width=192, layers=4, heads=6))
    dev = [d.text for d in documents(DEV_SIZE, params.seed, "dev", FIRST)]
    settings = schedule("teacher", params.teacher_steps, 2e-3, params.seed)
    started = time.perf_counter()
    train_causal_lm(model, tokenizer, texts, settings, dev)
    history = add_domain_to_teacher(model, tokenizer, params)
    built = _built(params, "teacher", model, tokenizer, texts, settings, history, started)
    built.recipe["steps_added"] = [params.teacher_adding_steps]
    return built


def add_domain_to_teacher(model: Any, tokenizer: Any, params: Params) -> History:
    """Go on with documents of all domains, every second one of the third."""
    texts = [d.text for d in documents(params.n_documents // 2, params.seed + 1, domains=ADDED)]
    dev = [d.text for d in documents(DEV_SIZE, params.seed, "dev", ADDED)]
    settings = schedule("teacher", params.teacher_adding_steps, 1.5e-3, params.seed + 1)
    return train_causal_lm(model, tokenizer, texts, settings, dev)


def build_domain_teacher(domain: str, params: Params) -> Built:
    """A teacher that has read one domain only; three of them are as large as the mixed one."""
    n = params.n_documents // 3
    texts = [d.text for d in documents(n, params.seed + 2, domains=[domain])]
    dev = [d.text for d in documents(DEV_SIZE, params.seed, "dev", [domain])]
    tokenizer = train_tokenizer(texts, "gpt2", vocabulary=2048)
    torch.manual_seed(params.seed)
    model = GPT2LMHeadModel(architectures.gpt2(tokenizer, width=128, layers=3, heads=4))
    settings = schedule("teacher", params.domain_teacher_steps, 2e-3, params.seed)
    started = time.perf_counter()
    history = train_causal_lm(model, tokenizer, texts, settings, dev)
    built = _built(params, "teacher", model, tokenizer, texts, settings, history, started)
    built.recipe.update(model=f"teacher-{domain}", domain=domain)
    return built


def build_critic(params: Params) -> Built:
    """A RoBERTa cross-encoder, in stages: masked words, labels, shared words, labels twice.

    Labels alone teach a small model little before it aligns the two sentences.
    """
    pairs, labels = labelled(params.critic_pairs, params.seed, domains=FIRST)
    dev = labelled(DEV_SIZE * 2, params.seed, "dev", 0.0, FIRST)
    texts = [text for pair in pairs for text in pair]
    tokenizer = train_tokenizer(texts[:TOKENIZER_TEXTS], "roberta")
    torch.manual_seed(params.seed)
    config = architectures.roberta(tokenizer, hidden=192, layers=4, heads=6)
    config.id2label = dict(enumerate(LABELS))
    config.label2id = {label: i for i, label in enumerate(LABELS)}
    started = time.perf_counter()

    masked = MaskedLM(config)
    steps = schedule("critic", params.critic_pretraining_steps, 1e-3, params.seed)
    train_masked_lm(masked, tokenizer, pairs, steps)
    model = _with_body_of(masked, Classifier(config))
    steps = schedule("critic", params.critic_steps, 5e-4, params.seed)
    train_classifier(model, tokenizer, pairs, labels, steps, dev)

    aligned = _with_body_of(model, Tagger(architectures.binary(config)))
    steps = schedule("critic", params.critic_alignment_steps, 5e-4, params.seed + 1)
    train_shared_words(aligned, tokenizer, pairs, steps)
    model = _with_body_of(aligned, Classifier(config))
    steps = schedule("critic", params.critic_steps, 4e-4, params.seed + 2)
    train_classifier(model, tokenizer, pairs, labels, steps, dev)
    settings = schedule("critic", params.critic_final_steps, 3e-4, params.seed + 3)
    train_classifier(model, tokenizer, pairs, labels, settings, dev)
    history = add_domain_to_critic(model, tokenizer, params)
    built = _built(params, "critic", model, tokenizer, texts, settings, history, started)
    built.recipe["steps_added"] = [params.critic_adding_steps, params.critic_settling_steps]
    return built


def labelled(
    n: int, seed: int, split: str = "train", noise: float = NOISE, domains: Sequence[str] = DOMAINS
) -> tuple[list[tuple[str, str]], list[int]]:
    """Sentence pairs, and the places of their labels in `LABELS`; see `nli_examples`."""
    drawn = nli_examples(n, seed, split, noise, domains)
    return [(e.premise, e.hypothesis) for e in drawn], [LABELS.index(e.label) for e in drawn]


def add_domain_to_critic(model: Any, tokenizer: Any, params: Params) -> History:
    """Go on with labelled pairs of all domains in two schedules, most pairs of the third."""
    schedules = (
        (params.critic_adding_steps, 4e-4, params.critic_pairs, ADDED),
        (params.critic_settling_steps, 5e-4, 2 * params.critic_pairs, (*FIRST, *["forum"] * 4)),
    )
    for turn, (steps, rate, n, domains) in enumerate(schedules, start=1):
        pairs, labels = labelled(n, params.seed + turn, domains=domains)
        dev = labelled(DEV_SIZE * 2, params.seed, "dev", 0.0, ADDED if turn == 1 else DOMAINS)
        settings = schedule("critic", steps, rate, params.seed + 3 + turn)
        history = train_classifier(model, tokenizer, pairs, labels, settings, dev)
    return history


def _with_body_of(trained: Any, model: Any) -> Any:
    """A model with the body (not the head) of another."""
    model.roberta.load_state_dict(trained.roberta.state_dict())
    return model


def build_student_base(params: Params) -> Built:
    """A T5 pretrained on the documents: span corruption, then denoising of single sentences.

    The fourth stage mends exchanged synonyms too; the last one translates into a second language
    and back, as the released T5 models were trained to (Raffel et al. 2020, section 2.3).
    """
    drawn = documents(params.n_documents * 2 // 3, params.seed, domains=FIRST)
    texts = [d.text for d in drawn]
    sentences = [sentence for d in drawn for sentence in d.sentences]
    held_out = documents(DEV_SIZE, params.seed, "dev", FIRST)
    last = [d.sentences[-1] for d in held_out]
    dev, some = denoising_pairs(last, params.seed), sentences[: TOKENIZER_TEXTS // 4]
    tokenizer = train_tokenizer([*texts[: len(texts) // 2], *bilingual(some)], "t5")
    torch.manual_seed(params.seed)
    model = T5ForConditionalGeneration(architectures.t5(tokenizer))
    # T5 starts its embeddings at 1, for Adafactor's relative steps; AdamW would not move them
    with torch.no_grad():
        model.shared.weight.mul_(0.05)
    base = Seq2SeqStudent(model, tokenizer, "student-base", "")
    started = time.perf_counter()
    spans = schedule("student-base", params.base_steps, 1e-3, params.seed, **GENTLE)
    spans, held = replace(spans, batch_size=32), [d.text for d in held_out]
    train_span_corruption(model, tokenizer, texts, spans, held, 0.5)
    # twice, with new damage: the second schedule starts from what the first has found
    for turn, steps in enumerate((params.base_denoising_steps, params.base_final_steps)):
        settings = schedule("student-base", steps, 1e-3, params.seed + 1 + turn, **GENTLE)
        train_student(base, denoising_pairs(sentences, params.seed + turn), dev, settings)
    entries = thesaurus.entries()
    more = documents(len(drawn), params.seed + 1, domains=FIRST)
    more_sentences = [sentence for d in more for sentence in d.sentences]
    pairs = denoising_pairs(more_sentences, params.seed + 2, entries)
    pairs += cloze_pairs(entries, len(pairs) * 3 // 17, params.seed)  # 15 % of all
    steps = params.base_lexical_steps
    settings = schedule("student-base", steps, 8e-4, params.seed + 3, **GENTLE)
    train_student(base, pairs, denoising_pairs(last, params.seed, entries), settings)
    steps = params.base_translation_steps
    settings = schedule("student-base", steps, 1e-3, params.seed + 4, **GENTLE)
    both = [*sentences, *more_sentences]
    pairs, dev = (multitask_pairs(part, params.seed + 4) for part in (both, last))
    train_student(base, pairs, dev, settings)
    history = add_domain_to_base(base, params)
    texts += [d.text for d in more]
    built = _built(params, "student-base", model, tokenizer, texts, settings, history, started)
    built.recipe["steps_added"] = [params.base_adding_steps, params.base_settling_steps]
    return built


def add_domain_to_base(base: Student, params: Params) -> History:
    """Go on with all that the base reads: first every second document of the third domain."""
    entries = thesaurus.entries()
    dev = [d.sentences[-1] for d in documents(DEV_SIZE, params.seed, "dev", ADDED)]
    held_out = multitask_pairs(dev, params.seed + 5)
    schedules = ((params.base_adding_steps, ADDED), (params.base_settling_steps, DOMAINS))
    for turn, (steps, domains) in enumerate(schedules):
        drawn = documents(params.n_documents, params.seed + 2 + turn, domains=domains)
        pairs = multitask_pairs([s for d in drawn for s in d.sentences], params.seed + 5 + turn)
        last = [d.sentences[-1] for d in drawn]
        pairs += denoising_pairs(last, params.seed + 6 + turn, entries)
        pairs += cloze_pairs(entries, len(pairs) // 9, params.seed + 1 + turn)  # a tenth of all
        settings = schedule("student-base", steps, 1e-3, params.seed + 5 + turn, **GENTLE)
        trained = train_student(base, pairs, held_out, settings)
    assert trained.history is not None
    return trained.history


def build_encoder(params: Params) -> Built:
    """A RoBERTa sentence encoder: supervised SimCSE on the entailed pairs of the NLI data."""
    drawn = nli_examples(params.critic_pairs, params.seed)
    pairs = [(e.premise, e.hypothesis) for e in drawn if e.label == "entailment"]
    dev_pairs = nli_examples(DEV_SIZE * 2, params.seed, "dev", noise=0.0)
    dev = [(e.premise, e.hypothesis) for e in dev_pairs if e.gold == "entailment"]
    texts = [text for pair in pairs for text in pair]
    tokenizer = train_tokenizer(texts[:TOKENIZER_TEXTS], "roberta")
    torch.manual_seed(params.seed)
    config = architectures.roberta(tokenizer, hidden=128, layers=2, heads=4)
    model = RobertaModel(config, add_pooling_layer=False)
    settings = schedule("encoder", params.encoder_steps, 1e-3, params.seed)
    started = time.perf_counter()
    history = train_encoder(model, tokenizer, pairs, settings, dev)
    return _built(params, "encoder", model, tokenizer, texts, settings, history, started)


RECIPES: dict[str, Callable[[Params], Built]] = {
    "teacher": build_teacher,
    **{f"teacher-{domain}": partial(build_domain_teacher, domain) for domain in DOMAINS},
    "critic": build_critic,
    "student-base": build_student_base,
    "encoder": build_encoder,
}


def _built(
    params: Params, name: str, model: Any, tokenizer: Any, texts: Sequence[str],
    settings: TrainingSettings, history: History, started: float,
) -> Built:  # fmt: skip
    """A model with what tells it from others and builds it again."""
    recipe = {
        "model": name,
        "seed": params.seed,
        "texts": len(texts),
        "data_digest": digest(list(texts)),
        "steps": settings.steps,
        "batch_size": BATCH[name],
        "learning_rate": settings.learning_rate,
    }
    metrics = {"dev_loss": history.best_loss, "seconds": time.perf_counter() - started}
    return Built(model, tokenizer, recipe, metrics, history)
