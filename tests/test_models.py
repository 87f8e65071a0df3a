"""Loading and saving: what is written opens again, what cannot be opened is told in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import tiny
import torch
from impossible.data import run_folder
from impossible.errors import ModelError
from impossible.models import loading
from impossible.models.loading import (
    LanguageModel,
    load_critic,
    load_encoder,
    load_teacher,
)
from impossible.models.model_files import asset_below
from impossible.models.model_saving import save_model
from impossible.training.student import load_student
from transformers import MPNetConfig, MPNetModel

LOADERS = [
    (tiny.gpt2, load_teacher),
    (tiny.critic, load_critic),
    (tiny.t5, load_student),
    (tiny.encoder, load_encoder),
]


@pytest.mark.parametrize(("build", "load"), LOADERS)
def test_what_is_saved_opens_again(tmp_path: Path, build: Any, load: Any) -> None:
    model, tok = build()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    digest = save_model(tmp_path / "m", model, tok, {"steps": 3}, {"loss": 0.5}, dtype="float32")
    loaded = load(str(tmp_path / "m"), dtype="float32", device="cpu")
    assert loaded.digest == digest
    for name, weight in loaded.model.state_dict().items():
        assert "pooler" in name or torch.equal(weight, before[name])  # an encoder's is not used
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert loaded.tokenizer(tiny.SENTENCES).input_ids == tok(tiny.SENTENCES).input_ids
    assert json.loads((tmp_path / "m" / "recipe.json").read_text()) == {"steps": 3}
    assert not list((tmp_path / "m").glob("*.bin"))


def test_a_model_killed_while_it_is_saved_is_known_by_its_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tok = tiny.gpt2()

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "save_pretrained", killed)
    with pytest.raises(KeyboardInterrupt):
        save_model(tmp_path / "m", model, tok, {"steps": 3}, {})
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["recipe.json"]


def test_half_precision_is_stored_small_and_loaded_as_asked(tmp_path: Path) -> None:
    model, tok = tiny.gpt2()
    save_model(tmp_path / "a", model, tok, {}, {})
    save_model(tmp_path / "b", model, tok, {}, {}, dtype="float32")
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in "ab"]
    assert sizes[0] < 0.6 * sizes[1]
    loaded = load_teacher(str(tmp_path / "a"), dtype="bfloat16")
    assert next(loaded.model.parameters()).dtype == torch.bfloat16
    assert loaded.window == 128


def test_digest_follows_weights_and_not_notes(tmp_path: Path) -> None:
    model, tok = tiny.gpt2()
    first = save_model(tmp_path / "a", model, tok, {"a": 1}, {})
    assert first == save_model(tmp_path / "b", model, tok, {"a": 2}, {"x": 3})
    other, _ = tiny.gpt2(seed=1)
    assert first != save_model(tmp_path / "c", other, tok, {}, {})


def test_a_rebuilt_model_is_taken_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "PACKAGE", tmp_path / "package")
    run = run_folder.RunFolder(tmp_path / "run")
    with pytest.raises(ModelError, match=r"among none.*rebuild_models"):
        load_teacher("in-vitro/teacher", run)
    place = tmp_path / "package" / "world" / "models" / "teacher"
    shipped = save_model(place, *tiny.gpt2(), {}, {})
    rebuilt = save_model(run.models / "teacher", *tiny.gpt2(seed=1), {}, {})
    assert load_teacher("in-vitro/teacher").digest == shipped != rebuilt
    assert load_teacher("in-vitro/teacher", run).digest == rebuilt


def test_window_of_roberta_leaves_out_the_padding_offset(tmp_path: Path) -> None:
    save_model(tmp_path, *tiny.encoder(), {}, {})
    assert load_encoder(str(tmp_path)).window == 129  # 130 positions, pad_token_id 0


def test_each_failure_has_its_sentence(tmp_path: Path) -> None:
    for name, sentence in [
        ("no-such-folder", "existing folder"),
        ("./a/b", "existing folder"),
        (str(tmp_path), "no config.json"),
    ]:
        with pytest.raises(ModelError, match=sentence):
            load_teacher(name)
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"no \.safetensors"):
        load_teacher(str(tmp_path))
    tiny.save(tmp_path / "gpt2", *tiny.gpt2())
    tiny.save(tmp_path / "t5", *tiny.t5())
    with pytest.raises(ModelError, match="cannot be opened as a language model"):
        load_teacher(str(tmp_path / "t5"))
    tiny.save(tmp_path / "encoder", *tiny.encoder())
    with pytest.raises(ModelError, match="is not a sentence-pair classifier"):
        load_critic(str(tmp_path / "encoder"))
    with pytest.raises(ModelError, match="is no encoder but an encoder-decoder: give a model"):
        load_encoder(str(tmp_path / "t5"))
    with pytest.raises(ModelError, match="dtype must be one of"):
        load_teacher(str(tmp_path / "gpt2"), dtype="int8")
    with pytest.raises(ModelError, match="device must be"):
        load_teacher(str(tmp_path / "gpt2"), device="abacus")


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "critic", *tiny.critic())
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelError, match="has no tokenizer in .*critic"):
        load_critic(str(folder))


@pytest.mark.parametrize("above", ["self", "other"])
def test_an_adapter_above_itself_is_refused(tmp_path: Path, above: str) -> None:
    for name, base in (("self", above), ("other", "self")):
        (tmp_path / name).mkdir()
        settings = {"base_model_name_or_path": str(tmp_path / base)}
        (tmp_path / name / "adapter_config.json").write_text(json.dumps(settings))
    for use in (asset_below, load_critic):
        with pytest.raises(ModelError, match="lies above itself"):
            use(str(tmp_path / "self"))


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"base_model_name_or_path": 3}'])
def test_a_damaged_adapter_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "adapter_config.json").write_text(content)
    with pytest.raises(ModelError, match="adapter_config.json is damaged"):
        load_critic(str(tmp_path))


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    base = load_critic(str(tiny.save(tmp_path / "base", *tiny.critic())))
    config = peft.LoraConfig(r=2, target_modules=["query"], task_type="SEQ_CLS")
    base.model.name_or_path = str(tmp_path / "base")
    adapted = peft.get_peft_model(base.model, config)
    adapted.save_pretrained(folder)
    assert load_critic(str(folder)).model is not None
    with pytest.raises(ModelError, match="is not one for this kind of model: its weights lack"):
        load_encoder(str(folder))
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(ModelError, match="cannot be opened"):
        load_critic(str(folder))
    weights.unlink()
    with pytest.raises(ModelError, match="has no adapter_model.safetensors"):
        load_critic(str(folder))


def test_a_critic_must_name_entailment(tmp_path: Path) -> None:
    tiny.save(tmp_path / "a", *tiny.critic(labels=("LABEL_0", "LABEL_1", "LABEL_2")))
    with pytest.raises(ModelError, match="do not name entailment.*entailment_label"):
        load_critic(str(tmp_path / "a"))
    found = load_critic(str(tmp_path / "a"), entailment_label="label_2")
    assert loading.entailment_index(found.model, "LABEL_2") == 2
    tiny.save(tmp_path / "b", *tiny.critic(labels=("NEUTRAL", "CONTRADICTION", "ENTAILMENT")))
    assert loading.entailment_index(load_critic(str(tmp_path / "b")).model) == 2


def test_the_window_of_mpnet_begins_after_its_padding() -> None:
    config = MPNetConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=12,
    )  # fmt: skip
    lm = LanguageModel(MPNetModel(config).eval(), None, "tiny", "0")
    assert lm.window == 10
    lm.model(input_ids=torch.full((1, 10), 5))
    with pytest.raises(IndexError):
        lm.model(input_ids=torch.full((1, 11), 5))
