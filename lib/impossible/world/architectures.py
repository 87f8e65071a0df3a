"""Shapes of the in-vitro models: the architectures of the released ones, a few million weights."""

from __future__ import annotations

from typing import Any

from transformers import GPT2Config, RobertaConfig, T5Config


def gpt2(tokenizer: Any, width: int, layers: int, heads: int) -> GPT2Config:
    """A decoder without dropout, with windows of 320 tokens."""
    return GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=320,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        activation_function="gelu_pytorch_tanh",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )


def roberta(tokenizer: Any, hidden: int, layers: int, heads: int) -> RobertaConfig:
    """An encoder with windows of 192 tokens and two special positions."""
    return RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=3 * hidden,
        max_position_embeddings=194,
        type_vocab_size=1,
        hidden_dropout_prob=0.05,
        attention_probs_dropout_prob=0.0,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def t5(tokenizer: Any) -> T5Config:
    """An encoder-decoder of three layers each."""
    # The class takes these two as well, which its signature does not say
    generation: dict[str, Any] = {
        "tie_word_embeddings": True,
        "scale_decoder_outputs": False,  # with small embeddings the logits need no scaling down
        "decoder_start_token_id": tokenizer.pad_token_id,
    }
    return T5Config(
        vocab_size=len(tokenizer),
        d_model=192,
        d_kv=48,
        d_ff=576,
        num_layers=3,
        num_decoder_layers=3,
        num_heads=4,
        dropout_rate=0.0,
        feed_forward_proj="relu",
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **generation,
    )


def binary(config: RobertaConfig) -> RobertaConfig:
    """The same architecture with two labels per token: shared with the other sentence or not."""
    labels = {"id2label": {0: "own", 1: "shared"}, "label2id": {"own": 0, "shared": 1}}
    return RobertaConfig.from_dict({**config.to_dict(), **labels})
