"""Time the package's sampling against `transformers.generate(num_return_sequences=100)`.

    OMP_NUM_THREADS=2 python benchmarks/sampling.py [MODEL]

MODEL is a name that `models.loading.load_teacher` opens; without it a random GPT-2 of 4M weights is
used, whose sentences never end, so that both sides write the same number of tokens.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from impossible.models.causal_generation import sample_continuations
from impossible.models.loading import LanguageModel, load_teacher
from impossible.models.nucleus_sampling import Nucleus
from transformers import GPT2Config, GPT2LMHeadModel

K, NEW, CONTEXT = 100, 24, 60


class Letters:
    """The least a tokenizer must do: token i is the letter 'a'."""

    eos_token_id = 0
    pad_token_id = 0
    all_special_ids = (0,)

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __call__(self, texts: list[str], **_: object) -> object:
        ids = [[1 + (ord(c) + i) % (self.size - 1) for i, c in enumerate(t)] for t in texts]
        return type("Encoding", (), {"input_ids": ids})

    def decode(self, ids: list[int], **_: object) -> str:
        return "a" * len(ids)


def random_teacher() -> LanguageModel:
    """A GPT-2 of the size of the in-vitro teacher with random weights."""
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=2500, n_positions=256, n_embd=256, n_layer=4, n_head=8)
    config.eos_token_id = config.bos_token_id = config.pad_token_id = 0
    model = GPT2LMHeadModel(config).to(torch.bfloat16).eval()
    with torch.no_grad():  # logits as peaked as those of a trained model
        model.transformer.ln_f.weight.mul_(8)
    return LanguageModel(model, Letters(2500), "random", "")


def main() -> None:
    """Print sentences per second of both, and the ratio."""
    lm = load_teacher(sys.argv[1]) if len(sys.argv) > 1 else random_teacher()
    text = "New York (CNN) -- " + "x" * 200
    prefix = text[:CONTEXT] if isinstance(lm.tokenizer, Letters) else "New York (CNN) --"
    ids = torch.tensor(lm.tokenizer([prefix]).input_ids)
    nucleus = Nucleus(0.9, 0.7)
    numbers = [np.random.default_rng(i).random((K, NEW)) for i in range(8)]
    sample_continuations(lm, prefix, numbers[0], nucleus)
    start = time.perf_counter()
    for uniforms in numbers:
        sample_continuations(lm, prefix, uniforms, nucleus)
    ours = len(numbers) * K / (time.perf_counter() - start)
    print(f"shared prefix: {ours:.0f} sentences/s")
    start = time.perf_counter()
    lm.model.generate(
        ids,
        do_sample=True,
        top_p=0.9,
        top_k=0,
        temperature=0.7,
        num_return_sequences=K,
        max_new_tokens=NEW,
        min_new_tokens=NEW,
        pad_token_id=0,
    )
    theirs = K / (time.perf_counter() - start)
    print(f"transformers.generate: {theirs:.0f} sentences/s; ours is {ours / theirs:.1f} x as fast")


if __name__ == "__main__":
    main()
