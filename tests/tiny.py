"""Builders of tiny random checkpoints of the architectures the package uses.

Each takes a seed, a few thousand weights and milliseconds; `save` writes what `from_pretrained`
opens, so tests exercise the same loading code as real models.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from impossible.training.objectives import train_causal_lm
from impossible.training.student import CausalStudent, Seq2SeqStudent, Student
from impossible.training.trainer import TrainingSettings
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaModel,
    T5Config,
    T5ForConditionalGeneration,
)

SENTENCES = [
    "The council opened a new bridge in Norvane.",
    "A new bridge was opened by the council on Monday.",
    "The mayor sold 12 old ships to the bank.",
    "Twelve old ships were sold to the bank by the mayor.",
    "Did the minister visit the harbour in May?",
    "Dr. Hale praised the doctors, and the doctors thanked Dr. Hale.",
    "Prices rose by 3.5 percent.",
    "The storm damaged the school because of heavy rain!",
]
PREFIX = "Norvane (NBC) --"
LABELS = ("neutral", "entailment", "contradiction")  # not the usual order, on purpose
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]

#: A run of the main line in a minute or two, with thresholds that random models can pass.
SIZES: dict[str, Any] = {
    "entailment_threshold": 0.0,
    "entailment_floor": 0.0,
    "rouge_l_max": 1.0,
    "ted_min": 0,
    "length_ratio_min": 0.1,
    "length_ratio_max": 10.0,
    "summary_length_ratio_max": 0.99,
    "number_consistency": False,
    "name_consistency": False,
    "similarity_min": 0.0,
    "n_contexts": 8,
    "context_sentences_min": 1,
    "context_sentences_max": 2,
    "context_max_new_tokens": 48,
    "sentence_max_new_tokens": 24,
    "k": 6,
    "student_epochs": 1,
    "student_batch_size": 4,
    "n_inputs": 6,
    "n_candidates": 2,
    "tour_contexts": 3,
    "tour_inputs": 3,
    "tour_steps": 2,
    "summary_contexts": 6,
    "summary_inputs": 4,
    "compared_pairs": 4,
    "ablation_inputs": 4,
    "rounds": 1,
    "search_steps": 2,
    "proximity_contexts": 2,
    "proximity_pairs": 3,
    "proximity_temperatures": [0.5, 1.1],
    "proximity_lengths": [1, 2],
    "proximity_surface_contexts": 2,
    "proximity_surface_pairs": 2,
    "n_test": 4,
    "n_rated": 2,
    "n_raters": 2,
    "bootstrap_samples": 20,
    "dtype": "float32",
    "device": "cpu",
    "workers": 2,
    "threads": 1,
}


def tokenizer(kind: str = "gpt2", vocabulary: int = 340) -> Any:
    """A byte-level BPE tokenizer; kind: gpt2 (no special tokens), roberta (pairs), t5 (eos)."""
    core = Tokenizer(models.BPE(unk_token=None))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    sentinels = [f"<extra_id_{i}>" for i in range(8)] if kind == "t5" else []
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL + sentinels,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator([*SENTENCES, PREFIX], trainer)
    ids = [(name, core.token_to_id(name)) for name in ("<s>", "</s>")]
    if kind == "roberta":
        core.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ids
        )
    if kind == "t5":
        core.post_processor = processors.TemplateProcessing(
            single="$A </s>", pair="$A </s> $B </s>", special_tokens=ids
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=128,
        clean_up_tokenization_spaces=False,
    )


def gpt2(seed: int = 0, window: int = 128, width: int = 32) -> tuple[Any, Any]:
    """(model, tokenizer) of a random GPT-2."""
    tok = tokenizer("gpt2")
    config = GPT2Config(
        vocab_size=len(tok),
        n_positions=window,
        n_embd=width,
        n_layer=2,
        n_head=2,
        bos_token_id=tok.bos_token_id,
        eos_token_id=tok.eos_token_id,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        initializer_range=0.2,
    )
    torch.manual_seed(seed)
    return GPT2LMHeadModel(config).eval(), tok


def reader(build: Any = gpt2) -> tuple[Any, Any]:
    """(model, tokenizer) that has read the sentences above, and so ends sentences."""
    model, tok = build()
    documents = [f"{PREFIX} {a} {b}" for a in SENTENCES for b in SENTENCES if a != b]
    train_causal_lm(model, tok, documents, TrainingSettings(60, learning_rate=5e-3, batch_size=28))
    return model, tok


def _roberta_config(tok: Any, window: int = 128, **extra: Any) -> RobertaConfig:
    return RobertaConfig(
        vocab_size=len(tok),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=window + 2,
        type_vocab_size=1,
        pad_token_id=tok.pad_token_id,
        bos_token_id=tok.bos_token_id,
        eos_token_id=tok.eos_token_id,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.2,
        **extra,
    )


def critic(seed: int = 0, labels: tuple[str, ...] = LABELS, window: int = 128) -> tuple[Any, Any]:
    """(model, tokenizer) of a random RoBERTa classifier with these labels in this order."""
    tok = tokenizer("roberta")
    config = _roberta_config(
        tok,
        window,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    torch.manual_seed(seed)
    return RobertaForSequenceClassification(config).eval(), tok


def encoder(seed: int = 0) -> tuple[Any, Any]:
    """(model, tokenizer) of a random RoBERTa encoder."""
    tok = tokenizer("roberta")
    torch.manual_seed(seed)
    return RobertaModel(_roberta_config(tok), add_pooling_layer=False).eval(), tok


def t5(seed: int = 0) -> tuple[Any, Any]:
    """(model, tokenizer) of a random T5 with eight sentinels."""
    tok = tokenizer("t5")
    config = T5Config(
        vocab_size=len(tok),
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        dropout_rate=0.0,
        pad_token_id=tok.pad_token_id,
        eos_token_id=tok.eos_token_id,
        decoder_start_token_id=tok.pad_token_id,
        initializer_factor=3.0,
    )
    torch.manual_seed(seed)
    return T5ForConditionalGeneration(config).eval(), tok


def chat_tokenizer() -> Any:
    """Bytes and the special tokens of a chat model, which pads with another than the end."""
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<pad>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({token: i for i, token in enumerate([*names, *letters])}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<pad>",
        additional_special_tokens=["<|endoftext|>"],
        clean_up_tokenization_spaces=False,
    )


def llama(seed: int = 0, window: int = 512, tok: Any = None) -> tuple[Any, Any]:
    """(model, tokenizer) of a random Llama: rotary positions, two query heads to a key head."""
    tok = tok or chat_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tok),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=window,
        pad_token_id=tok.pad_token_id,
        bos_token_id=tok.bos_token_id,
        eos_token_id=tok.eos_token_id,
        initializer_range=0.2,
    )
    torch.manual_seed(seed)
    return LlamaForCausalLM(config).eval(), tok


def bpe_llama() -> tuple[Any, Any]:
    """(model, tokenizer) of a random Llama that reads words in pieces, not bytes."""
    return llama(tok=tokenizer("gpt2"))


def student(build: Any = t5, seed: int = 0) -> Student:
    """A student of the kind that `build` makes: t5, gpt2 or llama."""
    kind = Seq2SeqStudent if build is t5 else CausalStudent
    return kind(*build(seed), "tiny", "0")


def save(folder: Path, model: Any, tok: Any) -> Path:
    """Write the checkpoint as safetensors and return the folder."""
    model.save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder
