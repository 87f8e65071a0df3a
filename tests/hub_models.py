"""Tiny random checkpoints of the hub's own classes and kinds of tokenizer, in the hub's own cache.

`tiny` builds what is quick to train; here is what a params file of hub ids meets: a GPT-2 without a
padding token, CTRL's own BPE, SentencePiece pieces with scores, WordPiece.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import tiny
import torch
from impossible.config.params import Params
from impossible.training.objectives import train_causal_lm
from impossible.training.trainer import TrainingSettings
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    CTRLConfig,
    CTRLLMHeadModel,
    CTRLTokenizer,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    DebertaV2Tokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Tokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaModel,
    RobertaTokenizer,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)

PREFIXES = [
    prefix
    for name in ("gpt2", "paper")
    for domain in Params.load(name).plain("domains")
    for prefix in domain["prefixes"]
]
TEXTS = [*tiny.SENTENCES, *PREFIXES, "In other words: News Links"]
END = "<|endoftext|>"
SMALL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.2}
LAYERS = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def place(cache: Path, name: str, model: Any, tok: Any, revision: str = "main") -> Path:
    """Write a checkpoint where the hub's library looks for `name`, and return the snapshot."""
    root = cache / f"models--{name.replace('/', '--')}"
    commit = hashlib.sha1(f"{name} {revision}".encode()).hexdigest()
    snapshot = root / "snapshots" / commit
    for folder in (snapshot, root / "blobs", root / "refs"):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "refs" / revision).write_text(commit)
    with tempfile.TemporaryDirectory() as scratch:
        for file in sorted(tiny.save(Path(scratch), model, tok).iterdir()):
            blob = root / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
            blob.write_bytes(file.read_bytes())
            (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
    return snapshot


def _bytes_bpe(special: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of a byte-level BPE."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=380, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(TEXTS, trainer)
    return _vocabulary(core)


def _vocabulary(core: Tokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    with tempfile.TemporaryDirectory() as scratch:
        core.model.save(scratch)
        lines = (Path(scratch) / "merges.txt").read_text().splitlines()
    pairs = [tuple(line.split(" ")) for line in lines if not line.startswith("#version")]
    return core.get_vocab(), pairs  # type: ignore[return-value]


def _pieces(special: list[str]) -> list[tuple[str, float]]:
    """SentencePiece's pieces with their scores."""
    core = Tokenizer(models.Unigram())
    core.normalizer = normalizers.NFC()
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    letters = sorted({letter for text in TEXTS for letter in text} - {" ", "\n"})
    trainer = trainers.UnigramTrainer(
        vocab_size=300, initial_alphabet=letters, unk_token="<unk>",
        special_tokens=["<unk>"], show_progress=False,
    )  # fmt: skip
    core.train_from_iterator(TEXTS, trainer)
    size = core.get_vocab_size()
    found = Counter({core.id_to_token(i): -float(i) / size - 1 for i in range(1, size)})
    return [(name, 0.0) for name in special] + [*found.items()]


def gpt2() -> tuple[Any, Any]:
    """As `openai-community/gpt2`: one special token for everything, none to pad with."""
    tok = GPT2Tokenizer(*_bytes_bpe([END]))
    tok.model_max_length = 160
    config = GPT2Config(
        vocab_size=len(tok), n_positions=160, n_embd=32, n_layer=2, n_head=2, resid_pdrop=0.0,
        embd_pdrop=0.0, attn_pdrop=0.0, initializer_range=0.2,
        bos_token_id=tok.bos_token_id, eos_token_id=tok.eos_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    return GPT2LMHeadModel(config).eval(), tok


def teacher() -> tuple[Any, Any]:
    """`gpt2` that has read the sentences after each prefix, and so ends sentences."""
    model, tok = gpt2()
    pairs = [(a, b) for a in tiny.SENTENCES for b in tiny.SENTENCES if a != b]
    texts = [f"{PREFIXES[i % len(PREFIXES)]} {a} {b}" for i, (a, b) in enumerate(pairs)]
    tok.pad_token = tok.eos_token
    train_causal_lm(model, tok, texts, TrainingSettings(60, learning_rate=5e-3, batch_size=28))
    tok.pad_token = None
    return model, tok


def ctrl() -> tuple[Any, Any]:
    """As `Salesforce/ctrl`: BPE of words with `@@`, neither an end nor a padding token."""
    core = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False
    )
    core.train_from_iterator(TEXTS, trainer)
    pieces, merges = _vocabulary(core)
    names = [p.removesuffix("</w>") if p.endswith("</w>") else f"{p}@@" for p in pieces]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(["<unk>", "\n", *names]))}
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch) / name for name in ("vocab.json", "merges.txt")]
        files[0].write_text(json.dumps(numbers))
        files[1].write_text("\n".join(["#version: 0.2", *map(" ".join, merges), ""]))
        tok = CTRLTokenizer(*map(str, files))
    config = CTRLConfig(
        vocab_size=len(tok), n_positions=160, n_embd=32, dff=64, n_layer=2, n_head=2,
        resid_pdrop=0.0, embd_pdrop=0.0, initializer_range=0.2,
    )  # fmt: skip
    torch.manual_seed(0)
    return CTRLLMHeadModel(config).eval(), tok


def llama() -> tuple[Any, Any]:
    """As the first Llamas: SentencePiece BPE with bytes for the rest, `<s>` before each text."""
    core = Tokenizer(models.BPE(byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    byte_names = [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<unk>", "<s>", "</s>", *byte_names], show_progress=False
    )
    core.train_from_iterator(TEXTS, trainer)
    tok = LlamaTokenizer(*_vocabulary(core), add_bos_token=True)
    config = LlamaConfig(
        vocab_size=len(tok), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=160,
        bos_token_id=tok.bos_token_id, eos_token_id=tok.eos_token_id, initializer_range=0.2,
    )  # fmt: skip
    torch.manual_seed(0)
    return LlamaForCausalLM(config).eval(), tok


def _roberta_config(tok: Any, **extra: Any) -> RobertaConfig:
    return RobertaConfig(
        vocab_size=len(tok), intermediate_size=64, max_position_embeddings=162, type_vocab_size=1,
        pad_token_id=tok.pad_token_id, **LAYERS, **SMALL, **extra,
    )  # fmt: skip


def _roberta_tokenizer() -> Any:
    return RobertaTokenizer(*_bytes_bpe(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]))


def roberta_nli(labels: tuple[str, ...] = tiny.LABELS) -> tuple[Any, Any]:
    """As `roberta-large-wanli` and `nli-MiniLM2`: byte-level BPE, a pair between `</s></s>`."""
    tok, names = _roberta_tokenizer(), dict(enumerate(labels))
    torch.manual_seed(0)
    config = _roberta_config(tok, id2label=names, label2id={v: k for k, v in names.items()})
    return RobertaForSequenceClassification(config).eval(), tok


def deberta_nli() -> tuple[Any, Any]:
    """As DeBERTa-v3 NLI models: SentencePiece pieces, relative positions, no segment numbers."""
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    tok = DebertaV2Tokenizer(vocab=[*_pieces(special), ("[MASK]", 0.0)], unk_id=3)
    names = dict(enumerate(tiny.LABELS))
    config = DebertaV2Config(
        vocab_size=len(tok) + 5, intermediate_size=64, max_position_embeddings=160,
        type_vocab_size=0, relative_attention=True, position_buckets=32, share_att_key=True,
        pos_att_type=["p2c", "c2p"], norm_rel_ebd="layer_norm", position_biased_input=False,
        pad_token_id=0, id2label=names, label2id={v: k for k, v in names.items()},
        **LAYERS, **SMALL,
    )  # fmt: skip
    torch.manual_seed(0)
    return DebertaV2ForSequenceClassification(config).eval(), tok


def t5(v1_1: bool = False) -> tuple[Any, Any]:
    """As `google-t5/t5-small`, or as T5 v1.1: gated, and an output layer of its own."""
    sentinels = [(f"<extra_id_{i}>", 0.0) for i in reversed(range(100))]
    tok = T5Tokenizer(vocab=[*_pieces(["<pad>", "</s>", "<unk>"]), *sentinels])
    tok.model_max_length = 160
    config = T5Config(
        vocab_size=len(tok) + 28, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
        dropout_rate=0.0, feed_forward_proj="gated-gelu" if v1_1 else "relu",
        tie_word_embeddings=not v1_1, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    return T5ForConditionalGeneration(config).eval(), tok


def t5_v1_1() -> tuple[Any, Any]:
    """As `google/t5-v1_1-small`."""
    return t5(v1_1=True)


def roberta_encoder() -> tuple[Any, Any]:
    """As `sup-simcse-roberta-large`, whose pooler is not used."""
    tok = _roberta_tokenizer()
    torch.manual_seed(0)
    return RobertaModel(_roberta_config(tok)).eval(), tok


def bert_encoder() -> tuple[Any, Any]:
    """As `sup-simcse-bert-base` and `all-MiniLM-L6-v2`: WordPiece in lower case."""
    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    core.train_from_iterator(TEXTS, trainer)
    tok = BertTokenizer(vocab=core.get_vocab())
    config = BertConfig(
        vocab_size=len(tok), intermediate_size=64, max_position_embeddings=160, **LAYERS, **SMALL
    )
    torch.manual_seed(0)
    return BertModel(config).eval(), tok


#: What stands for each model that `params/gpt2.yaml` and `params/paper.yaml` name.
HUB = {
    "openai-community/gpt2-medium": teacher,
    "openai-community/gpt2-xl": teacher,
    "cross-encoder/nli-MiniLM2-L6-H768": roberta_nli,
    "alisawuffles/roberta-large-wanli": roberta_nli,
    "google-t5/t5-small": t5,
    "google-t5/t5-large": t5,
    "sentence-transformers/all-MiniLM-L6-v2": bert_encoder,
    "princeton-nlp/sup-simcse-roberta-large": roberta_encoder,
}


def fill(cache: Path) -> Path:
    """A cache of the hub with a tiny stand-in for each model of `HUB`."""
    made = {build: build() for build in dict.fromkeys(HUB.values())}
    for name, build in HUB.items():
        place(cache, name, *made[build])
    return cache
