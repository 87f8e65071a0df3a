"""What a user would use instead, called as its own guide says."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import peft
import torch
from impossible.models.loading import LanguageModel
from impossible.models.nucleus_sampling import Nucleus
from impossible.training.student import Student
from impossible.training.trainer import TrainingSettings
from transformers import Trainer, TrainingArguments


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def ctranslate2_seconds(
    library: Any, lm: LanguageModel, kind: str, what: tuple[str, int, int], nucleus: Nucleus
) -> float:
    """Seconds of CTranslate2, with weights of a kind, for samples that stop at an end mark.

    `what`: the context, how many samples, of how many tokens at most.
    """
    context, k, most = what
    with tempfile.TemporaryDirectory() as folder:
        lm.model.save_pretrained(f"{folder}/hf")
        lm.tokenizer.save_pretrained(f"{folder}/hf")
        converter = library.converters.TransformersConverter(f"{folder}/hf")
        converter.convert(f"{folder}/ct2", quantization=kind)
        start = lm.tokenizer.convert_ids_to_tokens(lm.tokenizer(context).input_ids)
        how = {
            "max_length": most, "sampling_topk": 0, "sampling_topp": nucleus.top_p,
            "sampling_temperature": nucleus.temperature, "include_prompt_in_result": False,
            "end_token": [".", "?", "!"],
        }  # fmt: skip
        threads, took = torch.get_num_threads(), list[float]()
        for workers in {1, threads}:  # all threads on each batch, or a batch a thread
            each = {"inter_threads": workers, "intra_threads": threads // workers}
            model = library.Generator(f"{folder}/ct2", compute_type=kind, **each)
            model.generate_batch([start] * 2, **how)
            how["max_batch_size"] = k // workers
            took.append(seconds(partial(model.generate_batch, [start] * k, **how)))
        return min(took)


def trainer_as_it_comes(
    student: Student, pairs: Sequence[tuple[str, str]], settings: TrainingSettings, rank: int
) -> None:
    """As many steps of transformers' Trainer, on an adapter of a rank or (0) on all weights."""
    model = student.model
    if rank:
        config = peft.LoraConfig(r=rank, target_modules="all-linear")
        model = peft.get_peft_model(model, config)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, per_device_train_batch_size=settings.batch_size, max_steps=settings.steps,
            report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True,
            remove_unused_columns=False,
        )  # fmt: skip
        data = student.encode(pairs)
        Trainer(model, arguments, data_collator=student.collate, train_dataset=data).train()
