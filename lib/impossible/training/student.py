"""Students: models of either kind that rewrite a sentence, trained and sampled by two methods.

A decoder-only model reads the source in a prompt, which is not trained, and writes on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    DataCollatorForSeq2Seq,
    GenerationConfig,
)
from transformers.modeling_outputs import BaseModelOutput

from impossible.data.run_folder import RunFolder
from impossible.errors import ModelError
from impossible.models.batching import IGNORE, as_memory_allows, token_ids
from impossible.models.causal_generation import check_window, decode, end_ids
from impossible.models.loading import LanguageModel, is_encoder_decoder, load_model
from impossible.models.model_saving import save_model
from impossible.models.nucleus_sampling import AvoidWords, BeginOtherwise, Nucleus, NucleusSampler
from impossible.models.prompted_writing import WRITERS, write_after
from impossible.text.pairs import Pair
from impossible.training.trainer import History, TrainingExample

_MAX_TOKENS = 512  # of a source and of a target; what is longer is cut
ROWS_AT_ONCE = 320  # most texts written together
_PROMPT_TOKENS = 32_768  # of all their prompts, whose keys and values are kept once for each text


@dataclass(frozen=True)
class Student(LanguageModel, ABC):
    """A model that rewrites sentences, with its tokenizer.

    Attributes:
        history: the loss curve, if it was trained here.
    """

    history: History | None = None

    @abstractmethod
    def encode(self, pairs: Sequence[Pair]) -> list[TrainingExample]:
        """Token ids of (source, target) pairs, with labels where training counts them."""

    @abstractmethod
    def tokens(self, pairs: Sequence[Pair]) -> list[int]:
        """What one epoch of each pair costs: tokens read and written, without padding."""

    @abstractmethod
    def prompts(self, sources: Sequence[str]) -> list[list[int]]:
        """Token ids of what the model reads before it writes."""

    @abstractmethod
    def _start(self, batch: dict[str, Tensor], n: int) -> dict[str, Any]:
        """Arguments of `generate` for n texts after each prompt, which is computed once."""

    def collate(self, examples: Sequence[TrainingExample]) -> dict[str, Tensor]:
        """A batch for the model: input_ids, attention_mask and labels, padded on the right."""
        batch: dict[str, Tensor] = DataCollatorForSeq2Seq(self.tokenizer)(list(examples)).data
        return batch

    def loss_batch(self, pairs: Sequence[Pair]) -> Tensor:
        """Mean negative log-likelihood of the targets given their sources, nats per token."""
        batch = self.collate(self.encode(pairs))
        loss: Tensor = self.model(**{k: v.to(self.device) for k, v in batch.items()}).loss
        return loss

    @torch.inference_mode()
    def generate(
        self,
        sources: Sequence[str],
        n: int = 1,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | Sequence[int] = 0,
        max_new_tokens: int = 100,
        avoid: Sequence[Iterable[str]] = (),
        greedy_first: bool = False,
        begin_otherwise: bool = False,
    ) -> list[list[str]]:
        """Write n texts for each source.

        Args:
            sources: sentences.
            n: texts per source, ≥ 1.
            temperature: of the softmax; 0 takes the most probable token (n texts are then alike).
            top_p: mass of the nucleus, (0, 1].
            seed: of the samples: one for the sources as a unit of work, or one for each of them.
            max_new_tokens: longest text.
            avoid: for each source words that its texts must not contain. Empty: no constraints.
            greedy_first: the first text of each source takes the most probable tokens.
            begin_otherwise: no text begins with the first word of its source.

        Returns:
            For each source n texts, without surrounding blanks.

        Raises:
            ModelError: a source is longer than the model's window.
        """
        prompts = self.prompts(sources)
        for source, row in zip(sources, prompts, strict=True):
            check_window(self, source, len(row), 0)
        numbers = _uniforms(seed, (len(sources), n, max_new_tokens))
        numbers[:, : int(greedy_first)] = 0  # what is first among the falling probabilities
        results: list[list[str]] = [[] for _ in sources]
        nucleus = Nucleus(top_p, temperature)

        def write(chosen: list[int]) -> list[str]:
            words = [tuple(avoid[i]) for i in chosen for _ in range(n)] if avoid else []
            rules: list[Any] = [AvoidWords(self.tokenizer, words)] if any(words) else []
            if begin_otherwise:
                same = [sources[i] for i in chosen for _ in range(n)]
                rules.append(BeginOtherwise(self.tokenizer, same))
            return self._write([prompts[i] for i in chosen], numbers[chosen], nucleus, rules)

        batches = _together([len(row) for row in prompts], n)
        for chosen, texts in as_memory_allows(batches, write):
            for place, i in enumerate(chosen):
                results[i] = texts[place * n : (place + 1) * n]
        return results

    def _write(
        self, prompts: list[list[int]], uniforms: Tensor, nucleus: Nucleus, rules: list[Any]
    ) -> list[str]:
        """Texts after each prompt, written together; uniforms: (prompts, n, max_new_tokens)."""
        tokenizer, (_, n, max_new_tokens) = self.tokenizer, uniforms.shape
        if nucleus.temperature:
            rules = [*rules, NucleusSampler(nucleus, uniforms.flatten(0, 1))]
        batch = tokenizer.pad({"input_ids": prompts}, padding_side="left", return_tensors="pt")
        start = self._start({k: v.to(self.device) for k, v in batch.items()}, n)
        config = GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=max_new_tokens,
            eos_token_id=sorted(self.ends()),
            pad_token_id=tokenizer.pad_token_id,
            decoder_start_token_id=getattr(self.model.config, "decoder_start_token_id", None),
        )
        out = self.model.generate(**start, generation_config=config, logits_processor=rules)
        rows = out[:, start["input_ids"].shape[1] if "input_ids" in start else 1 :]
        return [decode(tokenizer, row).strip() for row in rows.tolist()]

    def ends(self) -> frozenset[int]:
        """Tokens after which a text is complete."""
        return end_ids(self)

    def save(self, folder: Path, recipe: dict[str, Any], metrics: dict[str, Any]) -> str:
        """Write what `from_pretrained` (an adapter: also peft) opens; returns its digest."""
        return save_model(folder, self.model, self.tokenizer, recipe, metrics)


class Seq2SeqStudent(Student):
    """An encoder-decoder such as T5."""

    def prompts(self, sources: Sequence[str]) -> list[list[int]]:
        return token_ids(self.tokenizer, list(sources), True)

    def encode(self, pairs: Sequence[Pair]) -> list[TrainingExample]:
        sources, targets = (
            token_ids(self.tokenizer, [pair[side] for pair in pairs], True, _MAX_TOKENS)
            for side in (0, 1)
        )
        return [
            {"input_ids": x, "attention_mask": [1] * len(x), "labels": y}
            for x, y in zip(sources, targets, strict=True)
        ]

    def tokens(self, pairs: Sequence[Pair]) -> list[int]:
        return [len(each["input_ids"]) + len(each["labels"]) for each in self.encode(pairs)]

    def _start(self, batch: dict[str, Tensor], n: int) -> dict[str, Any]:
        hidden = self.model.get_encoder()(**batch).last_hidden_state  # (sources, length, d)
        return {
            "encoder_outputs": BaseModelOutput(hidden.repeat_interleave(n, 0)),
            "attention_mask": batch["attention_mask"].repeat_interleave(n, 0),
        }


class CausalStudent(Student):
    """A decoder-only model such as GPT-2 or SmolLM2; a text ends with its line."""

    ASKING = "\nIn other words:"  # stands between source and target

    def prompts(self, sources: Sequence[str]) -> list[list[int]]:
        asking = token_ids(self.tokenizer, [self.ASKING], False)[0]
        rows = token_ids(self.tokenizer, list(sources), True)
        return [[*row[:_MAX_TOKENS], *asking] for row in rows]

    def encode(self, pairs: Sequence[Pair]) -> list[TrainingExample]:
        prompts = self.prompts([x for x, _ in pairs])
        targets = token_ids(self.tokenizer, [f" {y}" for _, y in pairs], False, _MAX_TOKENS)
        end = self.tokenizer.eos_token_id
        return [
            {
                "input_ids": [*prompt, *target, end],
                "attention_mask": [1] * (len(prompt) + len(target) + 1),
                "labels": [*[IGNORE] * len(prompt), *target, end],
            }
            for prompt, target in zip(prompts, targets, strict=True)
        ]

    def tokens(self, pairs: Sequence[Pair]) -> list[int]:
        return [len(each["input_ids"]) for each in self.encode(pairs)]

    def ends(self) -> frozenset[int]:
        return end_ids(self) | _line_ends(self.tokenizer)

    def _write(
        self, prompts: list[list[int]], uniforms: Tensor, nucleus: Nucleus, rules: list[Any]
    ) -> list[str]:
        at_first = all(isinstance(rule, BeginOtherwise) for rule in rules)
        if not at_first or self.model.config.model_type not in WRITERS:
            return super()._write(prompts, uniforms, nucleus, rules)
        rows = write_after(self, prompts, uniforms, nucleus, self.ends(), rules)
        return [decode(self.tokenizer, row).strip() for row in rows]

    def _start(self, batch: dict[str, Tensor], n: int) -> dict[str, Any]:
        ids, mask = batch["input_ids"], batch["attention_mask"]
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        before = self.model(
            input_ids=ids[:, :-1], attention_mask=mask[:, :-1], position_ids=places[:, :-1],
            use_cache=True, logits_to_keep=torch.zeros(1, dtype=torch.long, device=ids.device),
        )  # fmt: skip
        before.past_key_values.batch_repeat_interleave(n)
        return {
            "input_ids": ids.repeat_interleave(n, 0),
            "attention_mask": mask.repeat_interleave(n, 0),
            "past_key_values": before.past_key_values,
        }


def _together(lengths: Sequence[int], n: int) -> Iterator[list[int]]:
    """Prompts of similar length whose n texts each are written together, as their places."""
    chosen: list[int] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        rows = n * (len(chosen) + 1)
        if chosen and (rows > ROWS_AT_ONCE or rows * lengths[i] > _PROMPT_TOKENS):
            yield chosen
            chosen = []
        chosen.append(i)
    if chosen:
        yield chosen


def _uniforms(seed: int | Sequence[int], shape: tuple[int, int, int]) -> Tensor:
    """Numbers in [0, 1), (sources, n, steps), by one seed or by one for each source."""
    if isinstance(seed, int):
        return torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    sources, n, steps = shape
    result = torch.empty(sources, steps, n)  # step by step: a longer limit changes nothing before
    for row, each in zip(result, seed, strict=True):
        torch.rand((steps, n), generator=torch.Generator().manual_seed(each), out=row)
    return result.transpose(1, 2)


@lru_cache(maxsize=8)
def _line_ends(tokenizer: Any) -> frozenset[int]:
    """Tokens with a newline."""
    return frozenset(i for i in range(len(tokenizer)) if "\n" in tokenizer.decode([i]))


def load_student(
    name: str, run: RunFolder | None = None, dtype: str = "float32", device: str = "auto"
) -> Student:
    """Load a student, or the model it starts from; in float32 by default because it is trained.

    Args:
        name: `in-vitro/NAME`, a folder (also of an adapter), or a hub id `owner/name[@revision]`.
        run: take `in-vitro/NAME` from this run, which has rebuilt it.
        dtype: "auto", "bfloat16" or "float32".
        device: "auto" takes a GPU if there is one.

    Returns:
        `Seq2SeqStudent` or `CausalStudent`, by `config.is_encoder_decoder`.

    Raises:
        ModelError: not found, without safetensors, or of another architecture.
    """
    kind: type[Student]
    auto: Any
    if is_encoder_decoder(name, run):
        kind, auto, what = Seq2SeqStudent, AutoModelForSeq2SeqLM, "an encoder-decoder"
    else:
        kind, auto, what = CausalStudent, AutoModelForCausalLM, "a language model"
    lm = load_model(auto, what, name, run, dtype, device)
    if lm.tokenizer.eos_token_id is None:
        raise ModelError(
            f"the model {name!r} has no token that ends a text and can be no student: give a T5"
        )
    if lm.tokenizer.pad_token_id is None:
        lm.tokenizer.pad_token = lm.tokenizer.eos_token
    return kind(lm.model, lm.tokenizer, lm.name, lm.digest)
