"""Time sampling and search under lexical constraints, on the shipped teacher.

    OMP_NUM_THREADS=1 python benchmarks/constrained.py [MODEL]

Sampling, k = 100, against plain sampling after the same context. Under constraints sentences are
longer, since the end waits for the words; so tokens per second are compared, and sentences per
second are told beside. Then the soft search, and compiling the constraints.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from impossible.generation.constrained.automaton import Automaton, TokenTexts
from impossible.generation.constrained.constraints import Constraints
from impossible.generation.constrained.decoding import sample_constrained, search_constrained
from impossible.models.causal_generation import sample_continuations
from impossible.models.loading import load_teacher
from impossible.models.nucleus_sampling import Nucleus
from numpy.typing import NDArray

K, NEW, TIMES = 100, 64, 15
CONTEXT = "LONDON (Reuters) -- The court cleared the smugglers over a homicide in July."
REQUIRED = (("court", "courts"), ("smugglers", "smuggler"), ("trial", "trials"))
WORDS = Constraints(REQUIRED, ("court cleared the smugglers", "smugglers over a homicide"))
NUCLEUS = Nucleus(0.9, 0.7)


def seconds(make: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of a call, and what it wrote: other work on the machine does not count."""
    start = time.process_time()
    texts = make()
    return time.process_time() - start, texts


def main() -> None:
    """Print tokens and sentences per second of all, and the ratio, as medians over seeds.

    All take turns, seed by seed, so that a slow moment of the machine meets all of them.
    """
    lm = load_teacher(sys.argv[1] if len(sys.argv) > 1 else "in-vitro/teacher")
    ways: dict[str, Callable[[NDArray[np.float64]], list[str]]] = {
        "plain": lambda numbers: sample_continuations(lm, CONTEXT, numbers, NUCLEUS),
        "no word": lambda u: sample_constrained(lm, CONTEXT, Constraints(), u, NUCLEUS),
        "three words, two bans": lambda u: sample_constrained(lm, CONTEXT, WORDS, u, NUCLEUS),
    }
    tokens, sentences = {name: [] for name in ways}, {name: [] for name in ways}
    for seed in range(-1, TIMES):
        numbers = np.random.default_rng(seed + 1).random((K, NEW))
        for name, make in ways.items():
            took, texts = seconds(partial(make, numbers))
            if seed >= 0:  # the first round warms up
                tokens[name].append(sum(map(len, lm.tokenizer(texts).input_ids)) / took)
                sentences[name].append(len(texts) / took)
    for name in ways:
        ratio = np.median(np.divide(tokens[name], tokens["plain"]))
        rates = (
            f"{np.median(tokens[name]):.0f} tokens/s, {np.median(sentences[name]):.0f} sentences/s"
        )
        print(f"{name}: {rates}; tokens/s {ratio:.2f} of plain")
    texts = TokenTexts.of(lm.tokenizer)
    took = [seconds(lambda: Automaton(WORDS, texts))[0] for _ in range(TIMES)]
    print(f"compiling the constraints: {1000 * np.median(took):.0f} ms")
    took = [seconds(lambda: search_constrained(lm, CONTEXT, WORDS, NEW // 2))[0] for _ in range(5)]
    print(f"soft search: {1 / np.median(took):.1f} prefixes/s")


if __name__ == "__main__":
    main()
