"""Hub models as they really are: the ids of `gpt2` and `paper`, from the hub's cache, offline."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import hub_models
import numpy as np
import pandas as pd
import pytest
import tiny
import torch
import yaml
from huggingface_hub import constants
from impossible.cli import main
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder, scalars
from impossible.errors import ModelError
from impossible.evaluation.baselines.search import search_settings, search_system
from impossible.generation.contexts import plan_contexts, write_contexts
from impossible.generation.next_sentences import sample_sentences
from impossible.models.hub import cached, download
from impossible.models.likelihood import surprise
from impossible.models.loading import LanguageModel, load_critic, load_encoder, load_teacher
from impossible.models.nli import EntailmentCritic
from impossible.models.sentence_encoder import SentenceEncoder
from impossible.runner.notebook_spec import read_spec
from impossible.runner.preflight import needs_hub
from impossible.runner.run import run_all
from impossible.training.student import load_student
from impossible.training.student_training import train_student
from impossible.training.trainer import TrainingSettings
from transformers import BioGptConfig, BioGptForCausalLM

ROOT = Path(__file__).parents[1]
MAIN = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
PAIRS = list(zip(tiny.SENTENCES[:4], tiny.SENTENCES[4:], strict=True))
ON_CPU = {"dtype": "float32", "device": "cpu"}


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with every hub id of both params files."""
    return hub_models.fill(tmp_path_factory.mktemp("hub"))


def use(cache: Path, monkeypatch: pytest.MonkeyPatch, offline: bool = True) -> Path:
    """Let the hub's library look into this cache, and no socket leave this machine."""

    def connect(self: Any, address: Any) -> None:
        raise OSError(f"a test asks for {address}")

    def lookup(host: Any, *_: Any, **__: Any) -> Any:
        raise socket.gaierror(f"a test asks for {host}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setenv("HF_HUB_OFFLINE", str(int(offline)))
    return cache


@pytest.fixture
def hub(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use(filled, monkeypatch)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    return use(tmp_path / "hub", monkeypatch)


# What is there, and what is fetched


@pytest.mark.parametrize("config", ["gpt2", "paper"])
def test_what_is_cached_is_present_and_needs_no_network(
    hub: Path, capsys: pytest.CaptureFixture[str], config: str
) -> None:
    assert main(["doctor", config]) == main(["fetch", config]) == 0
    told = capsys.readouterr().out
    params = Params.load(config)
    for name in (params.teacher, params.critic, params.student_base, params.encoder):
        folder = cached(name)
        assert folder is not None
        assert f"{name}: present in {folder}" in told
        (line,) = [line for line in told.splitlines() if f" {name} " in line]
        assert "present" in line
        assert f"{folder.name[:12]}  0 MB" in line
    assert f"Cache of the hub: {hub}" in told
    assert not needs_hub(params, RunFolder(hub / "none"))
    assert needs_hub(Params.load(config, {"human_data": "hub"}), RunFolder(hub / "none"))


@pytest.mark.parametrize(("offline", "why"), [(True, "OFFLINE is set"), (False, "does not answer")])
def test_what_is_absent_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    offline: bool,
    why: str,
) -> None:
    use(tmp_path, monkeypatch, offline)
    assert main(["doctor", "gpt2"]) == 0
    said = capsys.readouterr().out
    assert said.count("absent: impossible fetch PARAMS, with a network") == 4
    assert main(["fetch", "gpt2"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"'openai-community/gpt2-medium' is not in the cache {tmp_path}" in said
    assert why in said
    assert "or give a local folder" in said


def test_a_revision_is_the_one_that_is_named(own: Path) -> None:
    hub_models.place(own, "me/mine", *tiny.gpt2())
    second = hub_models.place(own, "me/mine", *tiny.gpt2(seed=1), revision="v2")
    assert cached("me/mine@v2") == download("me/mine@v2") == second
    assert cached(f"me/mine@{second.name}") == second != cached("me/mine")
    assert cached("me/mine@v3") is None


def test_weights_in_other_formats_are_told_when_fetched(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in hub_models.place(own, "me/pickled", *tiny.gpt2()).glob("*.safetensors"):
        file.rename(file.with_name("pytorch_model.bin"))
    (tmp_path / "own.yaml").write_text("teacher: me/pickled\n")
    assert main(["fetch", str(tmp_path / "own.yaml")]) == 2
    assert "no .safetensors weights" in capsys.readouterr().err
    assert cached("me/pickled") is None


def test_a_parameter_of_several_models_has_a_line_for_each(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "laboratory"]) == 0
    lines = capsys.readouterr().out.splitlines()
    named = {line.split()[0]: line.split()[1:3] for line in lines if "domain_teachers" in line}
    teachers = Params.load("laboratory").domain_teachers
    assert named == {f"domain_teachers.{k}": [v, "present"] for k, v in teachers.items()}
    assert main(["doctor", "gpt2"]) == 0
    assert "domain_teachers" not in capsys.readouterr().out


# Every model of both files


@pytest.mark.parametrize("config", ["gpt2", "paper"])
def test_every_model_of_a_file_does_its_work(hub: Path, tmp_path: Path, config: str) -> None:
    params = Params.load(config, {**tiny.SIZES, "n_contexts": 4, "k": 3})
    teacher = load_teacher(params.teacher, **ON_CPU)
    assert teacher.tokenizer.pad_token_id is None
    contexts = write_contexts(teacher, plan_contexts(params, 4), params)
    assert len(contexts) > 0
    assert all(row.text.startswith(f"{row.prefix} ") for row in contexts.itertuples())
    sentences = sample_sentences(teacher, contexts, params)
    assert len(sentences) == 3 * len(contexts)
    critic = EntailmentCritic(load_critic(params.critic, **ON_CPU))
    assert_same_alone(critic.probabilities, PAIRS)
    encoder = SentenceEncoder(load_encoder(params.encoder, **ON_CPU))
    assert_same_alone(encoder.embed, tiny.SENTENCES)
    assert encoder.bert_score(tiny.SENTENCES[:1], tiny.SENTENCES[:1])[0] == pytest.approx(1)
    assert_learns(params.student_base, tmp_path)


def assert_same_alone(compute: Any, items: list[Any]) -> None:
    """Padding changes nothing: a batch gives what each item gives alone."""
    together = compute(items)
    alone = np.concatenate([compute([item]) for item in items])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def assert_learns(name: str, folder: Path) -> None:
    """Training lowers the loss of pairs, what is saved opens, and rows do not see each other."""
    base = load_student(name, **ON_CPU)
    before = float(base.loss_batch(PAIRS).detach())
    settings = TrainingSettings(6, learning_rate=1e-2, batch_size=2, dtype="float32")
    student = train_student(base, PAIRS, [], settings, folder / "out", folder / "work", 0)
    assert float(student.loss_batch(PAIRS).detach()) < before
    again = load_student(str(folder / "out"), **ON_CPU)
    sources = [source for source, _ in PAIRS]
    together = again.generate(sources, n=2, max_new_tokens=8)
    assert together == [again.generate([each], n=2, max_new_tokens=8)[0] for each in sources]


# Their kinds


@pytest.mark.parametrize("build", [hub_models.llama, hub_models.ctrl])
def test_what_follows_a_context_keeps_its_blank(own: Path, build: Any) -> None:
    hub_models.place(own, "me/mine", *build())
    lm = load_teacher("me/mine", **ON_CPU)
    params = Params.load("gpt2", {**tiny.SIZES, "k": 4}).fixed(min_characters=1)
    rows = [("c-0", params.domains[0].name, 1, tiny.PREFIX, f"{tiny.PREFIX} {tiny.SENTENCES[0]}")]
    contexts = pd.DataFrame(rows, columns=["context_id", "domain", "n_sentences", "prefix", "text"])
    texts = list(sample_sentences(lm, contexts, params)["raw"])
    assert len(set(texts)) > 1
    begins = [lm.tokenizer.tokenize(text)[0] for text in texts]
    assert any(text.startswith(" ") for text in texts), begins
    costs = surprise(lm, [tiny.PREFIX], [tiny.SENTENCES[0]])
    assert float(costs["nats"].iloc[0]) > 0


def test_a_critic_of_sentencepiece_pieces(own: Path) -> None:
    hub_models.place(own, "me/deberta", *hub_models.deberta_nli())
    critic = EntailmentCritic(load_critic("me/deberta", **ON_CPU))
    assert_same_alone(critic.probabilities, PAIRS)
    tok, model = critic.lm.tokenizer, critic.lm.model
    with torch.inference_mode():
        theirs = model(**tok(*PAIRS[0], return_tensors="pt")).logits.softmax(-1)[0]
    np.testing.assert_allclose(critic.distributions(PAIRS[:1])[0], theirs.numpy(), atol=1e-6)


@pytest.mark.parametrize("build", [hub_models.t5_v1_1, hub_models.gpt2, hub_models.llama])
def test_students_of_other_kinds_learn(own: Path, tmp_path: Path, build: Any) -> None:
    hub_models.place(own, "me/mine", *build())
    assert_learns("me/mine", tmp_path)


def test_a_t5_is_not_loaded_in_float16(own: Path) -> None:
    hub_models.place(own, "me/t5", *hub_models.t5())
    with pytest.raises(ModelError, match=r"'me/t5' cannot compute in float16: .*dtype=bfloat16"):
        load_student("me/t5", dtype="float16", device="cpu")
    assert load_student("me/t5", dtype="bfloat16", device="cpu").model.dtype is torch.bfloat16


def test_what_ctrl_cannot_be_is_one_sentence(own: Path) -> None:
    hub_models.place(own, "me/ctrl", *hub_models.ctrl())
    encoder = SentenceEncoder(LanguageModel(*hub_models.bert_encoder(), "tiny", "0"))
    params = Params.load("gpt2")
    with pytest.raises(ModelError, match=r"'me/ctrl' does not say where .* search_steps=0"):
        search_system(
            load_teacher("me/ctrl", **ON_CPU), encoder, [tiny.PREFIX], *search_settings(params)
        )
    with pytest.raises(ModelError, match="no token that ends a text"):
        load_student("me/ctrl", **ON_CPU)


def test_a_missing_package_is_named(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    config = BioGptConfig(
        vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8,
    )  # fmt: skip
    folder = hub_models.place(own, "me/biogpt", BioGptForCausalLM(config), tiny.gpt2()[1])
    for file in folder.glob("tokenizer*"):
        file.unlink()
    (folder / "vocab.json").write_text('{"<s>": 0}')
    (folder / "merges.txt").write_text("\n")
    with pytest.raises(ModelError, match=r"'me/biogpt' needs .* `pip install sacremoses`"):
        load_teacher("me/biogpt", **ON_CPU)
    folder = hub_models.place(own, "me/t5", *hub_models.t5())
    for file in folder.glob("tokenizer*"):
        file.unlink()
    (folder / "spiece.model").write_bytes(b"pieces")
    with pytest.raises(ModelError, match=r"'me/t5' needs .* `pip install sentencepiece protobuf`"):
        load_student("me/t5", **ON_CPU)


# To the last notebook


@pytest.mark.slow
@pytest.mark.parametrize("config", ["gpt2", "paper"])
def test_a_file_of_hub_ids_runs_to_its_last_notebook(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(filled))
    monkeypatch.setenv("HF_HUB_CACHE", str(filled))  # of the kernels
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")  # the run says itself that it needs no hub
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # where nothing answers
    file = tmp_path / f"tiny-{config}.yaml"
    file.write_text(yaml.safe_dump({"extends": config, **tiny.SIZES}))
    params = Params.load(file)
    assert params.teacher == Params.load(config).teacher
    run_all(params, tmp_path / "results")
    run = RunFolder(tmp_path / "results")
    assert set(scalars(run)) >= {read_spec(path).name for path in MAIN}
    assert (run.root / "report.html").is_file()
