"""Students of both kinds: what is trained, what is written, what is saved and opened again."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import peft
import pytest
import tiny
import torch
from impossible.config.params import Params
from impossible.data.io import read_json
from impossible.data.run_folder import RunFolder
from impossible.errors import DataError, ModelError
from impossible.models.batching import IGNORE
from impossible.models.model_files import model_digest
from impossible.models.nucleus_sampling import _largest
from impossible.training.fine_tuning import (
    loss_curve,
    settings_for,
    settings_of,
    split_by_context,
    train_on,
)
from impossible.training.student import (
    CausalStudent,
    Seq2SeqStudent,
    load_student,
)
from impossible.training.student_training import train_student
from impossible.training.trainer import TrainingSettings
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

GIVEN = {"student_epochs": 2, "student_batch_size": 4, "student_dev_fraction": 0.25}
KINDS = [tiny.t5, tiny.gpt2, tiny.llama]
PAIRS = list(zip(tiny.SENTENCES, [*tiny.SENTENCES[1:], tiny.SENTENCES[0]], strict=True))
both_kinds = pytest.mark.parametrize("build", KINDS)


def corpus(n: int = 12, per_context: int = 2) -> pd.DataFrame:
    rows = [
        {"source": f"{tiny.SENTENCES[i % 8]}", "target": tiny.SENTENCES[(i + 1) % 8],
         "context_id": f"c{i // per_context}"}
        for i in range(n)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def weights(student: Any) -> torch.Tensor:
    return torch.cat([w.detach().flatten() for w in student.model.parameters()])


def test_no_context_is_on_both_sides_whatever_the_order():
    frame = corpus(40, 4)
    train, dev = split_by_context(frame, 0.3)
    assert len(train) + len(dev) == 40
    assert not set(train["context_id"]) & set(dev["context_id"])
    assert dev["context_id"].nunique() == 3  # 0.3 x 10 contexts
    again = split_by_context(frame.iloc[::-1], 0.3)[1]
    assert set(again["context_id"]) == set(dev["context_id"])
    assert set(split_by_context(frame, 0.3, seed=1)[1]["context_id"]) != set(dev["context_id"])


def test_one_context_leaves_nothing_for_dev():
    train, dev = split_by_context(corpus(4, 4), 0.5)
    assert len(train) == 4
    assert dev.empty


def test_settings_evaluate_once_an_epoch():
    settings = settings_for(130, Params.load("base", {"student_epochs": 3}))
    assert settings.steps == 9  # ceil(130 / 64) = 3 batches an epoch
    assert settings.interval == 3


@pytest.mark.parametrize("build", [tiny.gpt2, tiny.llama])
def test_the_prompt_of_a_decoder_only_student_is_not_trained(build: Any) -> None:
    student = tiny.student(build)
    batch = student.collate(student.encode(PAIRS[:3]))
    wanted = [len(student.tokenizer(f" {y}").input_ids) + 1 for _, y in PAIRS[:3]]  # and the end
    assert (batch["labels"] != IGNORE).sum(1).tolist() == wanted
    for row, labels, (x, y) in zip(batch["input_ids"], batch["labels"], PAIRS, strict=False):
        said = student.tokenizer.decode(row[labels == IGNORE], skip_special_tokens=True)
        assert said == f"{x}\nIn other words:"
        assert student.tokenizer.decode(labels[labels != IGNORE][:-1]) == f" {y}"
        assert labels[labels != IGNORE][-1] == student.tokenizer.eos_token_id


def test_an_encoder_decoder_is_trained_on_the_whole_target() -> None:
    student = tiny.student()
    batch = student.collate(student.encode(PAIRS[:3]))
    wanted = [len(student.tokenizer(y).input_ids) for _, y in PAIRS[:3]]
    assert (batch["labels"] != IGNORE).sum(1).tolist() == wanted


@both_kinds
def test_the_loss_of_a_batch_is_the_mean_over_label_tokens(build: Any) -> None:
    student = tiny.student(build)
    with torch.no_grad():
        whole = student.loss_batch(PAIRS[:4])
        parts = [student.loss_batch([pair]) for pair in PAIRS[:4]]
    counts = torch.tensor(
        [sum(label != IGNORE for label in e["labels"]) for e in student.encode(PAIRS[:4])]
    )
    expected = (torch.stack(parts) * counts).sum() / counts.sum()
    assert float(whole) == pytest.approx(float(expected), rel=1e-4)


@both_kinds
def test_training_saves_a_student_that_loads_and_repeats(build: Any, tmp_path: Path) -> None:
    run, params = RunFolder.open(tmp_path), Params.load("base", GIVEN)
    digests = []
    for name in ("one", "two"):
        base = load_student(str(tiny.save(tmp_path / "base", *build())))
        student = train_on(corpus(), base, params, run, name)
        digests.append(model_digest(run.models / name))
        assert student.digest == digests[-1]
    assert digests[0] == digests[1] != base.digest
    assert type(student) is (Seq2SeqStudent if build is tiny.t5 else CausalStudent)
    assert student.model.config.use_cache
    metrics = read_json(run.models / "one" / "metrics.json")
    assert metrics["last_step"] <= 6
    assert not list(run.work.glob("*-training"))
    curve = loss_curve(student.history)
    assert set(curve["split"]) == {"train", "dev"}
    opens = AutoModelForSeq2SeqLM if build is tiny.t5 else AutoModelForCausalLM
    assert opens.from_pretrained(run.models / "one") is not None


@both_kinds
def test_an_adapter_is_small_and_opens_with_peft_and_with_us(build: Any, tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "base", *build())
    base = load_student(str(folder))
    before = weights(base)
    settings = TrainingSettings(8, learning_rate=1e-2, batch_size=4, dtype="float32")
    student = train_student(base, PAIRS, (), settings, tmp_path / "out", adapter_rank=4)
    assert not list((tmp_path / "out").glob("model*"))
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert (config["r"], config["base_model_name_or_path"]) == (4, str(folder))
    auto = peft.AutoPeftModelForSeq2SeqLM if build is tiny.t5 else peft.AutoPeftModelForCausalLM
    theirs = auto.from_pretrained(tmp_path / "out")
    batch = student.collate(student.encode(PAIRS))
    with torch.no_grad():
        ours, expected = student.model(**batch).logits, theirs(**batch).logits
    assert torch.allclose(ours, expected, atol=0.05, rtol=0.05)
    fresh = load_student(str(folder))
    assert torch.equal(before, weights(fresh))  # the base on disk is as it was
    assert not torch.allclose(weights(student), before)
    assert student.digest not in (base.digest, model_digest(tmp_path / "out"))
    again = load_student(str(tmp_path / "out"))
    assert again.digest == student.digest
    assert again.generate(tiny.SENTENCES[:2]) == student.generate(tiny.SENTENCES[:2])


@both_kinds
def test_training_teaches_the_target_and_not_a_permuted_one(build: Any) -> None:
    steps = 400 if build is tiny.t5 else 60  # a T5 starts with large embeddings
    settings = TrainingSettings(
        steps, learning_rate=1e-2, batch_size=8, warmup=0.1, dtype="float32"
    )
    student = train_student(tiny.student(build), PAIRS, PAIRS[:2], settings)
    with torch.no_grad():
        learned = float(student.loss_batch(PAIRS))
        others = [(x, PAIRS[i - 3][1]) for i, (x, _) in enumerate(PAIRS)]
        assert learned < 0.5 < float(student.loss_batch(others))
    written = student.generate([x for x, _ in PAIRS])
    assert sum(t[0].startswith(y[:8]) for t, (_, y) in zip(written, PAIRS, strict=True)) >= 6


def test_a_fixed_number_of_epochs_holds_nothing_out_and_never_stops(tmp_path):
    run = RunFolder.open(tmp_path)
    params = Params.load("base", GIVEN | {"student_patience": 1, "dtype": "float32"})
    load = partial(load_student, str(tiny.save(tmp_path / "base", *tiny.t5())))
    student = train_on(corpus(), load(), params, run, "fixed", epochs=9)
    recipe, metrics = (read_json(run.models / "fixed" / f"{n}.json") for n in ("recipe", "metrics"))
    assert recipe["steps"] == 27  # 12 pairs, 4 a step
    assert (recipe["pairs"], recipe["dev_pairs"]) == (12, 0)
    assert (metrics["last_step"], metrics["stopped_early"]) == (27, False)
    assert "dev_loss" not in metrics
    pairs = list(zip(corpus()["source"], corpus()["target"], strict=True))
    by_hand = train_student(load(), pairs, (), settings_of(27, params))
    assert torch.allclose(weights(student), weights(by_hand), atol=1e-2)


def test_empty_corpus_is_one_sentence(tmp_path):
    run, params = RunFolder.open(tmp_path), Params.load("base", GIVEN)
    with pytest.raises(DataError, match="no pair to train student on"):
        train_on(corpus(0), tiny.student(), params, run, "student")


@both_kinds
def test_greedy_texts_equal_transformers_generate(build: Any) -> None:
    student = tiny.student(build)
    got = student.generate(tiny.SENTENCES, max_new_tokens=15)
    for source, texts in zip(tiny.SENTENCES, got, strict=True):
        ids = torch.tensor(student.prompts([source]))
        out = student.model.generate(
            ids, max_new_tokens=15, do_sample=False, eos_token_id=sorted(student.ends())
        )
        written = out[0] if build is tiny.t5 else out[0, ids.shape[1] :]
        expected = student.tokenizer.decode(written, skip_special_tokens=True)
        assert texts == [expected.strip()]


@both_kinds
def test_samples_are_a_function_of_the_seed_and_follow_the_temperature(build: Any) -> None:
    student = tiny.student(build)
    first = student.generate(tiny.SENTENCES, 5, 1.0, 0.9, seed=1, max_new_tokens=12)
    assert [len(texts) for texts in first] == [5] * len(tiny.SENTENCES)
    assert student.generate(tiny.SENTENCES, 5, 1.0, 0.9, 1, 12) == first
    assert student.generate(tiny.SENTENCES, 5, 1.0, 0.9, 2, 12) != first
    assert len({text for texts in first for text in texts}) > 20
    cold = student.generate(tiny.SENTENCES, 2, 1e-4, 0.9, 1, 12)
    greedy = student.generate(tiny.SENTENCES, max_new_tokens=12)
    assert [texts[0] for texts in cold] == [texts[0] for texts in greedy]
    assert student.generate([]) == []


@both_kinds
def test_a_seed_for_each_source_is_all_that_decides_its_texts(build: Any) -> None:
    student, seeds = tiny.student(build), [3, 4, 5]
    three = student.generate(tiny.SENTENCES[:3], 4, 1.0, 0.9, seeds, 12, greedy_first=True)
    alone = student.generate(tiny.SENTENCES[1:2], 4, 1.0, 0.9, seeds[1:2], 12, greedy_first=True)
    assert alone[0] == three[1]
    greedy = student.generate(tiny.SENTENCES[:3], max_new_tokens=12)
    assert [texts[0] for texts in three] == [text for (text,) in greedy]


@pytest.mark.parametrize("otherwise", [False, True])
@pytest.mark.parametrize("build", [tiny.gpt2, tiny.llama])
def test_writing_in_place_is_what_transformers_writes(build: Any, otherwise: bool) -> None:
    student = tiny.student(build)
    write = partial(student.generate, tiny.SENTENCES, 5, 1.0, 0.9, 7, 25, begin_otherwise=otherwise)
    ours = write()
    assert len({len(text) for texts in ours for text in texts}) > 3, "rows leave at other steps"
    student.model.config.model_type = "other"  # not known to be plain: `generate` itself writes
    assert write() == ours


def test_the_largest_of_many_are_those_of_topk() -> None:
    weights = torch.rand(3, 64 * 100)
    for ours, theirs in zip(_largest(weights, 50), weights.topk(50), strict=True):
        assert torch.equal(ours, theirs)


def test_sampled_first_tokens_have_the_frequencies_of_the_softmax() -> None:
    student = tiny.student(tiny.llama)
    prompt = torch.tensor(student.prompts(tiny.SENTENCES[:1]))
    with torch.no_grad():
        expected = student.model(prompt).logits[0, -1].softmax(-1)
    texts = student.generate(tiny.SENTENCES[:1], 4000, 1.0, 1.0, seed=3, max_new_tokens=1)[0]
    letters = {
        chr(code): student.tokenizer.convert_tokens_to_ids(chr(code)) for code in range(65, 123)
    }
    for letter, i in letters.items():
        assert texts.count(letter) / 4000 == pytest.approx(float(expected[i]), abs=0.03)
    assert sum(float(expected[i]) for i in letters.values()) > 0.1


@both_kinds
def test_unwanted_words_are_never_written_and_of_their_source_only(build: Any) -> None:
    student, word = tiny.student(build), "e"
    free = student.generate(tiny.SENTENCES[:2], 32, 1.0, 1.0, 0, 30)
    bound = student.generate(tiny.SENTENCES[:2], 32, 1.0, 1.0, 0, 30, avoid=[[word], ()])
    unwanted = {word, word.upper()}
    pieces = [student.tokenizer(t, add_special_tokens=False).input_ids for t in bound[0]]
    alone = [i for i in range(len(student.tokenizer)) if student.tokenizer.decode([i]) in unwanted]
    assert not any(set(alone) & set(row) for row in pieces)
    assert any(unwanted & set(text) for texts in free for text in texts)


def test_unwanted_words_are_what_transformers_calls_bad_words() -> None:
    student, word = tiny.student(), "pen"
    free = [texts[0] for texts in student.generate(tiny.SENTENCES, max_new_tokens=15)]
    got = student.generate(tiny.SENTENCES, max_new_tokens=15, avoid=[[word]] * len(tiny.SENTENCES))
    forms = [a + b for a in ("", " ") for b in (word, word.capitalize())]
    bad = [student.tokenizer(form, add_special_tokens=False).input_ids for form in forms]
    for source, (text,) in zip(tiny.SENTENCES, got, strict=True):
        batch = student.tokenizer(source, return_tensors="pt", return_token_type_ids=False)
        out = student.model.generate(
            **batch, max_new_tokens=15, do_sample=False, num_beams=1, bad_words_ids=bad
        )
        assert text == student.tokenizer.decode(out[0], skip_special_tokens=True).strip()
        assert word not in text
    assert any(word in text for text in free), "nothing was unwanted that would have come"


def test_a_source_beyond_the_window_is_told() -> None:
    student = tiny.student(lambda seed: tiny.gpt2(seed, window=24))
    with pytest.raises(ModelError, match="exceeds the window of 24"):
        student.generate([" ".join(tiny.SENTENCES)])


def test_only_models_that_write_are_students(tmp_path: Path) -> None:
    tiny.save(tmp_path / "encoder", *tiny.encoder())
    with pytest.raises(ModelError, match="is not a language model"):
        load_student(str(tmp_path / "encoder"))
