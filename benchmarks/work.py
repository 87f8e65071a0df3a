"""The work of the pipeline that is timed, as it shares it among processes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np
import pandas as pd
import torch
from impossible.config.params import Params
from impossible.data.run_folder import RunFolder
from impossible.filtering.pair_scores import score_context
from impossible.filtering.thresholds import Thresholds
from impossible.models.causal_generation import sample_continuations, text_rules
from impossible.models.loading import LanguageModel, load_critic, load_teacher
from impossible.models.nli import EntailmentCritic
from impossible.models.nucleus_sampling import Nucleus
from impossible.runner.models import RunModels
from impossible.training.student import Student, load_student
from numpy.typing import NDArray
from page import ROOT

PARAMS = Params.load("english")
CONTEXT = (
    "London (Reuters) -- The British government said on Monday that it would raise taxes on fuel. "
    "The decision was met with protests in several cities. Ministers met for talks."
)
K, CANDIDATES, NEW = 100, 10, 60


@cache
def teacher() -> LanguageModel:
    """The pipeline's."""
    return load_teacher(PARAMS.teacher)


@cache
def student() -> Student:
    """The base of the students."""
    return load_student(PARAMS.student_base)


@cache
def critic() -> EntailmentCritic:
    """The pipeline's."""
    return EntailmentCritic(load_critic(PARAMS.critic), PARAMS.batch_tokens)


@cache
def some_pairs() -> list[tuple[str, str]]:
    """Sentences and paraphrases of the first dataset."""
    data = pd.read_parquet(ROOT / "results/english/data/dataset_teacher.parquet")
    return list(zip(data["source"], data["target"], strict=True))[:64]


def next_sentences(seed: int) -> list[str]:
    """k first sentences after the context."""
    nucleus = Nucleus(PARAMS.sentence_top_p, PARAMS.sentence_temperature)
    rules = text_rules(teacher(), PARAMS.domains[0].banned)
    uniforms = np.random.default_rng(seed).random((K, NEW))
    return list(sample_continuations(teacher(), CONTEXT, uniforms, nucleus, rules))


def sample(seed: int) -> tuple[int, int]:
    """Sentences and tokens that were written."""
    texts = next_sentences(seed)
    return len(texts), sum(len(teacher().tokenizer(text).input_ids) for text in texts)


def rewrite(seed: int) -> tuple[int, int]:
    """Candidates of 16 sources."""
    sources = [x for x, _ in some_pairs()[:16]]
    student().generate(sources, CANDIDATES, 0.8, 0.9, seed, NEW)
    return CANDIDATES * len(sources), 0


def judged_pairs() -> list[tuple[str, str]]:
    """Pairs for the critic."""
    pairs = some_pairs()
    return [(x, y) for x, _ in pairs[:16] for _, y in pairs[16:32]]


def judge(seed: int) -> tuple[int, int]:
    """Pairs that the critic judged."""
    critic().probabilities(judged_pairs())
    return len(judged_pairs()), 0


@cache
def models() -> RunModels:
    """All models of the pipeline; none is in the folder of the run."""
    return RunModels(RunFolder.open(tempfile.mkdtemp()), PARAMS)


def score(seed: int) -> tuple[int, int]:
    """A context whose next sentences were written and scored, and the NLI passes of its pairs."""
    texts = [text for text in next_sentences(seed) if text]
    pairs, _ = score_context("context", texts, models(), Thresholds.paraphrase(PARAMS))
    return 1, int(pairs[["p_xy", "p_yx"]].notna().sum().sum())


def shared(work: Callable[[int], tuple[int, int]], rounds: int = 3) -> NDArray[np.float64]:
    """What `work` counts, a second: by a process of one thread on each core."""
    pools = [
        ProcessPoolExecutor(1, get_context("spawn"), torch.set_num_threads, (1,))
        for _ in range(os.cpu_count() or 1)
    ]
    for warm in [pool.submit(work, 0) for pool in pools]:
        warm.result()
    start = time.perf_counter()
    jobs = [pool.submit(work, i + 1) for i in range(rounds) for pool in pools]
    counted = np.sum([job.result() for job in jobs], 0)
    took = time.perf_counter() - start
    for pool in pools:
        pool.shutdown()
    return np.asarray(counted / took)
