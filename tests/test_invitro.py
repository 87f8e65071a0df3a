"""The recipes: their tokenizers, their data, and models that open again as any other would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from impossible.config.params import Params
from impossible.models.loading import (
    entailment_index,
    load_critic,
    load_encoder,
    load_teacher,
)
from impossible.models.model_saving import save_model
from impossible.training.student import load_student
from impossible.training.trainer import History
from impossible.world import pivot, recipes, thesaurus, tokenizers
from impossible.world.lexicon import LEXICON
from impossible.world.nli import LABELS
from impossible.world.pretraining import cloze_pairs, denoising_pairs
from transformers import AutoTokenizer

TEXTS = [document.text for document in recipes.documents(60)]
UNSEEN = "Zürich (AFP) -- Dr. O'Neill paid $3.50, i.e. 7 %, for 12 x-rays!"
PAIR = ("A fire destroyed a school.", "The school was wrecked.")
KINDS = tuple(tokenizers.SPECIAL)

STEPS = (
    "teacher_steps",
    "critic_pretraining_steps",
    "critic_alignment_steps",
    "critic_steps",
    "critic_final_steps",
    "critic_adding_steps",
    "critic_settling_steps",
    "base_steps",
    "base_denoising_steps",
    "base_final_steps",
    "base_adding_steps",
    "base_settling_steps",
    "teacher_adding_steps",
    "domain_teacher_steps",
    "base_lexical_steps",
    "base_translation_steps",
    "encoder_steps",
)


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return tokenizers.train_tokenizer(TEXTS, request.param)


def of_kind(kind: str) -> Any:
    return tokenizers.train_tokenizer(TEXTS, kind)


def test_every_text_survives_the_tokenizer(tokenizer: Any) -> None:
    for text in (*TEXTS, UNSEEN):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True).strip() == text
        assert tokenizer.unk_token_id not in ids or tokenizer.unk_token is None


def test_a_saved_tokenizer_is_the_same_tokenizer(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded: Any = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert len(loaded) == len(tokenizer)
    assert loaded.special_tokens_map == tokenizer.special_tokens_map
    for text in (*TEXTS[:10], UNSEEN):
        assert loaded(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert loaded(*PAIR)["input_ids"] == tokenizer(*PAIR)["input_ids"]


def test_gpt2_adds_nothing_around_a_text() -> None:
    tok = of_kind("gpt2")
    assert tok.eos_token_id == tok.bos_token_id == tok.pad_token_id
    assert tok.eos_token_id not in tok(TEXTS[0])["input_ids"]


def test_roberta_writes_pairs_as_roberta_does() -> None:
    tok = of_kind("roberta")
    first, second = (tok(text, add_special_tokens=False)["input_ids"] for text in PAIR)
    start, end = tok.cls_token_id, tok.sep_token_id
    assert tok(PAIR[0])["input_ids"] == [start, *first, end]
    assert tok(*PAIR)["input_ids"] == [start, *first, end, end, *second, end]
    assert tok.pad_token_id == 1  # as in RoBERTa, whose positions are counted from it


def test_t5_ends_texts_and_knows_its_sentinels() -> None:
    tok = of_kind("t5")
    bare = tok(PAIR[0], add_special_tokens=False)["input_ids"]
    assert tok(PAIR[0])["input_ids"] == [*bare, tok.eos_token_id]
    sentinels = [f"<extra_id_{i}>" for i in range(tokenizers.SENTINELS)]
    ids = tok.convert_tokens_to_ids(sentinels)
    assert ids == list(range(ids[0], ids[0] + tokenizers.SENTINELS))
    gapped = tok(f"A fire {sentinels[0]} a school {sentinels[1]}.")["input_ids"]
    assert [i for i in gapped if i in ids] == ids[:2]


def test_documents_and_pairs_depend_on_seed_and_split() -> None:
    for draw in (recipes.documents, recipes.nli_examples):
        assert draw(5, 1) == draw(5, 1)
        assert draw(5, 1) == draw(9, 1)[:5]
        assert draw(5, 1) != draw(5, 2)
        assert draw(5, 1) != draw(5, 1, "dev")
    assert all(e.label == e.gold for e in recipes.nli_examples(200, 0, "dev", noise=0.0))
    assert any(e.label != e.gold for e in recipes.nli_examples(200, 0, noise=0.5))


def tiny(folder: Path, seed: int = 0) -> Params:
    """Parameters with which a recipe takes a second."""
    lines = {
        "seed": seed,
        "n_documents": 60,
        "critic_pairs": 200,
        **dict.fromkeys(STEPS, 2),
    }
    file = folder / f"tiny{seed}.yaml"
    file.write_text("".join(f"{name}: {value}\n" for name, value in lines.items()))
    return Params.load(file)


LOADERS: dict[str, Any] = {
    **{name: load_teacher for name in recipes.RECIPES if name.startswith("teacher")},
    "critic": load_critic,
    "student-base": load_student,
    "encoder": load_encoder,
}


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_what_a_recipe_builds_opens_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "DEV_SIZE", 8)
    built = recipes.RECIPES[name](tiny(tmp_path))
    assert built.recipe["model"] == name
    assert built.recipe["steps"] == built.history.curve["step"].max() == 2
    assert built.metrics["dev_loss"] == built.history.best_loss
    folder = tmp_path / name
    save_model(folder, built.model, built.tokenizer, built.recipe, built.metrics, dtype="float32")
    loaded = LOADERS[name](str(folder), dtype="float32", device="cpu")
    weights = built.model.state_dict()
    for key, value in loaded.model.state_dict().items():
        assert "pooler" in key or torch.equal(value, weights[key])  # an encoder's is not used
    assert loaded.tokenizer(*PAIR)["input_ids"] == built.tokenizer(*PAIR)["input_ids"]
    if name == "critic":
        assert LABELS[entailment_index(loaded.model)] == "entailment"


@pytest.mark.parametrize("name", list(recipes.RECIPES))
def test_the_digest_of_the_data_follows_the_seed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def untrained(*_: Any, **__: Any) -> History:
        return History(pd.DataFrame({"step": [0], "dev_loss": [0.0]}), 0, False)

    for trainer in ("causal_lm", "classifier", "span_corruption", "encoder"):
        monkeypatch.setattr(recipes, f"train_{trainer}", untrained)
    monkeypatch.setattr(
        recipes, "train_student", lambda base, *_, **__: replace(base, history=untrained())
    )
    monkeypatch.setattr(recipes, "DEV_SIZE", 8)
    first, again, other = (
        recipes.RECIPES[name](tiny(tmp_path, seed)).recipe["data_digest"] for seed in (0, 0, 1)
    )
    assert first == again != other


def test_each_sentence_is_translated_once_or_denoised() -> None:
    sentences = [s for document in recipes.documents(60) for s in document.sentences]
    pairs = recipes.multitask_pairs(sentences, seed=1)
    assert pairs == recipes.multitask_pairs(sentences, seed=1)
    there = [(x.removeprefix(recipes.THERE), y) for x, y in pairs if x.startswith(recipes.THERE)]
    back = [(y, x.removeprefix(recipes.BACK)) for x, y in pairs if x.startswith(recipes.BACK)]
    assert all(pivot.translate(english) == volan for english, volan in [*there, *back])
    told = [english for english, _ in [*there, *back]]
    rest = [y for x, y in pairs if not x.startswith("translate ")]
    assert sorted([*told, *rest]) == sorted(sentences)
    assert len(there) / len(sentences) == pytest.approx(0.375, abs=0.06)
    assert len(back) / len(sentences) == pytest.approx(0.375, abs=0.06)


def test_prefixes_of_the_recipe_are_the_defaults_of_the_round_trip() -> None:
    assert Params.load("base").translator_prefix == recipes.THERE
    assert Params.load("base").back_translator_prefix == recipes.BACK


def test_entries_of_the_thesaurus_mean_one_thing() -> None:
    groups = thesaurus.entries()
    assert ("34", "thirty-four") in groups
    assert all(len(set(group)) == len(group) > 1 for group in groups)
    first = {frame.name: frame.verbs[0][1] for frame in LEXICON.frames.values()}
    opposites = {frame.name: frame.antonym for frame in LEXICON.frames.values() if frame.antonym}
    apart = [{first[a], first[b]} for a, b in opposites.items()]
    # words with two senses stand in two entries, but never together with their opposite
    assert apart
    assert not any(pair <= set(group) for pair in apart for group in groups)


def test_blanks_hide_some_wordings_and_never_all() -> None:
    groups = [("theater", "playhouse"), ("sold", "divested", "disposed of", "sale")]
    pairs = cloze_pairs(groups, 200, seed=1)
    assert pairs == cloze_pairs(groups, 200, seed=1)
    for shown, whole in pairs:
        wordings = set(whole.split(", "))
        assert wordings in [set(group) for group in groups]
        left = [part for part in shown.split(", ") if part != "<extra_id_0>"]
        assert 0 < len(left) < len(wordings)
        assert set(left) < wordings
        assert "<extra_id_0>, <extra_id_0>" not in shown


def test_noise_exchanges_synonyms_in_the_source_only() -> None:
    texts = ["The blaze destroyed a theater."] * 400
    groups = [("theater", "playhouse"), ("destroyed", "took down", "destruction")]
    pairs = denoising_pairs(texts, 3, groups, rate=0.5)
    assert {target for _, target in pairs} == set(texts)
    sources = " ".join(source for source, _ in pairs)
    for wording in ("playhouse", "took down", "destruction", "theater", "destroyed"):
        assert wording.split()[0] in sources
    plain = " ".join(source for source, _ in denoising_pairs(texts, 3))
    assert "playhouse" not in plain
    whole = [s for s, _ in pairs if "<extra_id_" not in s]  # shuffled: no word is lost
    assert all({"The", "blaze", "a"} <= {w.rstrip(".") for w in s.split()} for s in whole)
