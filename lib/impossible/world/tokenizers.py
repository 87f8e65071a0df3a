"""Tokenizers of the in-vitro models: byte-level BPE, the special tokens of each architecture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 4096
SENTINELS = 32
SPECIAL = {
    "gpt2": ("<|endoftext|>",),
    "roberta": ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
    "t5": ("<pad>", "</s>", "<unk>", *(f"<extra_id_{i}>" for i in range(SENTINELS))),
}


def train_tokenizer(
    texts: Iterator[str] | Sequence[str], kind: str, vocabulary: int = VOCABULARY
) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with the special tokens of a kind: gpt2, roberta or t5."""
    core = _byte_level(texts, SPECIAL[kind], vocabulary)
    names: dict[str, Any]
    if kind == "gpt2":
        (end,) = SPECIAL[kind]
        names = {"eos_token": end, "bos_token": end, "pad_token": end}
    elif kind == "t5":
        core.post_processor = _template(core, "$A </s>", "$A </s> $B </s>")
        names = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
        names["additional_special_tokens"] = list(SPECIAL[kind][3:])
    else:
        core.post_processor = _template(core, "<s> $A </s>", "<s> $A </s> </s> $B </s>")
        names = {"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>"}
        names |= {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    wrap: Any = PreTrainedTokenizerFast
    wrapped: PreTrainedTokenizerFast = wrap(tokenizer_object=core, **names)
    return wrapped


def _byte_level(
    texts: Iterator[str] | Sequence[str], special: Sequence[str], vocabulary: int
) -> Tokenizer:
    """Byte-level BPE, so that no text is unknown."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    return core


def _template(core: Tokenizer, single: str, pair: str) -> processors.TemplateProcessing:
    """Where special tokens go around one text and around two."""
    known = [name for name in ("<s>", "</s>") if core.token_to_id(name) is not None]
    return processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[(name, core.token_to_id(name)) for name in known]
    )
