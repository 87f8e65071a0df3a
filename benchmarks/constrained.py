"""Time sampling and search under lexical constraints, on the shipped teacher.

    OMP_NUM_THREADS=1 python benchmarks/constrained.py [MODEL]

Sampling, k = 100, against plain sampling after the same context. Under constraints sentences are
longer, since the end waits for the words; so tokens per second are compared, and sentences per
second are told beside. The soft search: prefixes of several lengths in one batch against the same
one at a time, constraints compiled once for both; the results must be the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from impossible.generation.constrained.automaton import Automaton
from impossible.generation.constrained.beam_search import Soft
from impossible.generation.constrained.constraints import must, must_not
from impossible.generation.constrained.sampling import sample_constrained
from impossible.generation.constrained.searching import search_constrained
from impossible.generation.constrained.vocabulary import Vocabulary
from impossible.models.causal_generation import sample_continuations
from impossible.models.loading import LanguageModel, load_teacher
from impossible.text.sentence_boundaries import first_sentence
from numpy.typing import NDArray

K, NEW, TIMES = 100, 64, 15
PREFIXES, ROUNDS = 24, 5  # of the search
CONTEXT = "LONDON (Reuters) -- The court cleared the smugglers over a homicide in July."
WORDS = [must("court", "courts"), must("smugglers", "smuggler"), must("trial", "trials")]
BANS = [must_not("court cleared the smugglers"), must_not("smugglers over a homicide")]


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
        "plain": lambda numbers: sample_continuations(lm, [CONTEXT], [numbers])[0],
        "no clause": lambda numbers: sample_constrained(lm, [CONTEXT], [[]], [numbers])[0],
        "three words, two bans": lambda numbers: sample_constrained(
            lm, [CONTEXT], [[*WORDS, *BANS]], [numbers]
        )[0],
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
    vocabulary = Vocabulary.of(lm.tokenizer, ".?!")
    took = [seconds(lambda: [str(Automaton([*WORDS, *BANS], vocabulary))])[0] for _ in range(TIMES)]
    print(f"compiling the constraints: {1000 * np.median(took):.0f} ms")
    search(lm)


def search(lm: LanguageModel) -> None:
    """Print prefixes per second of the soft search in one batch and one at a time, and the ratio.

    The prefixes are the context and a sampled sentence.
    """
    numbers = np.random.default_rng(0).random((PREFIXES, NEW))
    texts = sample_continuations(lm, [CONTEXT], [numbers])[0]
    prefixes = [f"{CONTEXT} {first_sentence(text).strip()}".strip() for text in texts]
    find = partial(
        search_constrained, lm, prefixes, [[*WORDS, *BANS]] * PREFIXES, NEW // 2, Soft(16)
    )
    find()
    times = []
    for _ in range(ROUNDS):
        many, found = seconds(find)
        one, same = seconds(partial(find, batch_tokens=1))
        assert found == same
        times.append((many, one))
    many, one = np.median(times, axis=0)
    ratio = np.median([b / a for a, b in times])
    print(
        f"soft search, {PREFIXES} prefixes: {PREFIXES / many:.1f} prefixes/s in a batch, "
        f"{PREFIXES / one:.1f} one at a time; {ratio:.2f} times as fast"
    )


if __name__ == "__main__":
    main()
