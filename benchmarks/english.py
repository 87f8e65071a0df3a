"""The pipeline's expensive steps on the real English models, beside what a user would use instead.

    python benchmarks/english.py         # minutes on 2 cores, no GPU; nothing else should run

Rows are measured one after the other. The pipeline shares units among processes of one
thread each (`workers`, `threads`); so do our rows of sampling, candidates and the critic. What is
beside them has all threads in one process; CTranslate2 the better of both ways. Written are
results/benchmarks/cpu.json, a picture, and from them docs/speed.md. CTranslate2 and
sentence-transformers take part where they are installed; their absence is said in the table.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from itertools import combinations
from typing import Any

import commands
import metrics
import page
import peers
import plain
import torch
from impossible.models.loading import load_critic
from impossible.models.nucleus_sampling import Nucleus
from impossible.text import tree_edit_distance
from impossible.text.lexical_diversity import MSTTR_SEGMENT, msttr, ngram_entropy
from impossible.text.rouge import jaccards, rouge_l_matrix
from impossible.training.student import Student, load_student
from impossible.training.student_training import train_student
from impossible.training.trainer import TrainingSettings
from page import Row
from peers import seconds
from rouge_score.rouge_scorer import RougeScorer
from work import (
    CANDIDATES,
    CONTEXT,
    NEW,
    PARAMS,
    K,
    judge,
    judged_pairs,
    rewrite,
    sample,
    score,
    shared,
    some_pairs,
    student,
    teacher,
)

RECIPE, LOOP, LIMIT = "generate, 100 new tokens", "padded batches, float32", "limit of the cores"
CT2 = "CTranslate2, int8"
PLAIN = "plain Python"


def limit() -> float:
    """Floating-point operations per second of a large bfloat16 matrix product."""
    a = torch.randn(2048, 2048, dtype=torch.bfloat16)
    a @ a
    return 5 * 2 * 2048**3 / seconds(lambda: [a @ a for _ in range(5)])


def sampling(flops: float) -> list[Row]:
    """k first sentences after one context; the share of the limit counts 2 FLOP a weight."""
    nucleus = Nucleus(PARAMS.sentence_top_p, PARAMS.sentence_temperature)
    sentences, tokens = shared(sample)
    lm = teacher()
    batch = lm.tokenizer([CONTEXT], return_tensors="pt")
    how: dict[str, Any] = {
        "do_sample": True, "top_k": 0, "top_p": nucleus.top_p, "temperature": nucleus.temperature,
        "num_return_sequences": K, "pad_token_id": lm.tokenizer.eos_token_id,
    }  # fmt: skip
    stop = {"stop_strings": [". ", "? ", "! "], "tokenizer": lm.tokenizer}
    beside = {
        "transformers.generate, same stop": K
        / seconds(lambda: lm.model.generate(**batch, **how, **stop, max_new_tokens=NEW)),
        RECIPE: K / seconds(lambda: lm.model.generate(**batch, **how, max_new_tokens=100)),
    }
    absent = []
    if importlib.util.find_spec("ctranslate2"):
        library: Any = importlib.import_module("ctranslate2")
        known = library.get_supported_compute_types("cpu")
        for kind in [name for name in ("bfloat16", "float32", "int8") if name in known]:
            took2 = peers.ctranslate2_seconds(library, lm, kind, (CONTEXT, K, NEW), nucleus)
            beside[f"CTranslate2, {kind}"] = K / took2
    else:
        absent.append("CTranslate2")
    weights = sum(w.numel() for w in lm.model.parameters())
    return [
        Row("next sentences, k = 100", "sentences/s", sentences, beside,
            {RECIPE: 30, CT2: 1.5}, absent),
        Row("the same", "tokens/s", tokens, {LIMIT: flops / 2 / weights}, {LIMIT: 0.5}),
    ]  # fmt: skip


def candidates() -> Row:
    """Candidates of short inputs, n = 10 each."""
    sources, ours = [x for x, _ in some_pairs()[:16]], shared(rewrite)[0]

    def theirs() -> None:
        prompts = student().prompts(sources)
        batch = student().tokenizer.pad(
            {"input_ids": prompts}, padding_side="left", return_tensors="pt"
        )
        student().model.generate(
            **batch, do_sample=True, top_k=0, top_p=0.9, temperature=0.8, max_new_tokens=NEW,
            num_return_sequences=CANDIDATES, pad_token_id=student().tokenizer.pad_token_id,
            eos_token_id=sorted(student().ends()),
        )  # fmt: skip

    beside = {"transformers.generate": len(sources) * CANDIDATES / seconds(theirs)}
    goals = {"transformers.generate": 1.5}
    return Row("a student's candidates, n = 10", "texts/s", ours, beside, goals)


def training(flops: float, rank: int) -> Row:
    """Tokens a second of training, an adapter of a rank or (0) all weights."""
    pairs, settings = some_pairs(), TrainingSettings(steps=4, batch_size=16)
    tokens = 0

    def one(trainer: Callable[[Student], object]) -> float:
        nonlocal tokens
        base = load_student(PARAMS.student_base, dtype="float32")
        tokens = sum(len(row["input_ids"]) for row in base.encode(pairs))
        return seconds(lambda: trainer(base))

    def ours(base: Student) -> None:
        train_student(base, pairs, [], settings, adapter_rank=rank)

    def theirs(base: Student) -> None:
        peers.trainer_as_it_comes(base, pairs, settings, rank)

    mine, other = one(ours), one(theirs)
    beside = {
        "Trainer as it comes": tokens / other,
        LIMIT: flops / (4 if rank else 6) / 134.5e6,
    }
    what = "training an adapter" if rank else "training all weights"
    return Row(what, "tokens/s", tokens / mine, beside, {"Trainer as it comes": 2, LIMIT: 0.5})


def judging() -> Row:
    """Pairs a second of the NLI critic."""
    pairs, ours = judged_pairs(), shared(judge)[0]
    lm32 = load_critic(PARAMS.critic, dtype="float32")

    def released() -> None:
        for i in range(0, len(pairs), 32):
            xs, ys = zip(*pairs[i : i + 32], strict=True)
            batch = lm32.tokenizer(list(xs), list(ys), padding=True, return_tensors="pt")
            with torch.inference_mode():
                lm32.model(input_ids=batch.input_ids, attention_mask=batch.attention_mask)

    beside, absent = {LOOP: len(pairs) / seconds(released)}, []
    if importlib.util.find_spec("sentence_transformers"):
        library: Any = importlib.import_module("sentence_transformers")
        with tempfile.TemporaryDirectory() as folder:
            lm32.model.save_pretrained(folder)
            lm32.tokenizer.save_pretrained(folder)
            encoder = library.CrossEncoder(folder)
            beside["CrossEncoder.predict"] = len(pairs) / seconds(lambda: encoder.predict(pairs))
    else:
        absent.append("sentence-transformers")
    return Row("NLI critic", "pairs/s", ours, beside, {"CrossEncoder.predict": 3}, absent)


def whole_context(written: float, judged: float) -> list[Row]:
    """From a context to its scored pairs, beside k texts of 100 tokens and all NLI passes.

    `written` and `judged`: texts and pairs a second of the recipe, of which its time is computed.
    """
    contexts, asked = shared(score)
    passes = K * (K - 1)
    recipe = "the authors' recipe (computed)"
    theirs = {recipe: 1 / (K / written + passes / judged)}
    every = "all ordered pairs"
    fewer = Row(
        "contexts for 10,000 NLI passes (one of news)", "contexts",
        1e4 * contexts / max(asked, 1e-9),
        {every: 1e4 / passes}, {every: 20},
    )  # fmt: skip
    what = "a context with the scores of its pairs"
    return [Row(what, "contexts/s", contexts, theirs, {recipe: 60}), fewer]


def kernels() -> list[Row]:
    """ROUGE-L of all pairs and tree edit distance at the threshold (`metrics.py`)."""
    texts = [metrics.sentence() for _ in range(100)]
    n = 100 * 99 / 2
    some, scorer = texts[:15], RougeScorer(["rougeL"])
    few = list(combinations(some, 2))
    theirs = len(few) / seconds(lambda: [scorer.score(x, y) for x, y in few])
    ours = n / metrics.seconds(lambda: rouge_l_matrix(texts))
    rows = [
        Row("ROUGE-L of all pairs", "pairs/s", ours, {"rouge-score": theirs}, {"rouge-score": 50})
    ]
    trees = [p for group in metrics.context_trees() for p in combinations(group, 2)]
    smallest = metrics.TED_MIN
    metrics.clear()
    ours = seconds(lambda: [tree_edit_distance.at_least(a, b, smallest) for a, b in trees])
    metrics.clear()
    nodes = [[tree_edit_distance._nodes(tree, False) for tree in pair] for pair in trees]
    theirs = seconds(lambda: [metrics.apted_distance(*pair) for pair in nodes])
    beside = {"apted on all pairs": len(trees) / theirs}
    goals = {"apted on all pairs": 20.0}
    return [*rows, Row("tree edit distance ≥ 12?", "pairs/s", len(trees) / ours, beside, goals)]


def words(n: int = 20_000) -> list[Row]:
    """Overlap and variety of words, beside a few lines of plain Python that count the same."""
    texts = [metrics.sentence() for _ in range(n)]
    others = texts[1:] + texts[:1]
    both = list(zip(texts, others, strict=True))
    rows = []
    for what, ours, theirs in (
        ("Jaccard of words", lambda: jaccards(texts, others), lambda: plain.overlaps(both)),
        ("H2 and H3", lambda: [ngram_entropy(texts, k) for k in (2, 3)],
         lambda: [plain.entropy(texts, k) for k in (2, 3)]),
        ("MSTTR", lambda: msttr(texts), lambda: plain.variety(texts, MSTTR_SEGMENT)),
    ):  # fmt: skip
        beside = {PLAIN: n / metrics.seconds(theirs)}
        rows.append(Row(what, "sentences/s", n / metrics.seconds(ours), beside, {PLAIN: 50}))
    return rows


def measured() -> list[Row]:
    """Every row, in order."""
    flops = limit()
    writing, tokens = sampling(flops)
    critics = judging()
    whole = whole_context(writing.peers[RECIPE], critics.peers[LOOP])
    trained = [training(flops, rank) for rank in (PARAMS.student_adapter_rank, 0)]
    product = Row("bfloat16 matrix product", "GFLOP/s", flops / 1e9)
    return [
        product, writing, tokens, critics, *whole, candidates(), *trained, *kernels(), *words(),
        *commands.start_up(), *commands.answers(), *commands.big_files(),
    ]  # fmt: skip


def main() -> None:
    """Measure everything and write it."""
    if torch.cuda.is_available():
        sys.exit("This measures a CPU: hide the GPU with CUDA_VISIBLE_DEVICES= and run it again.")
    about = {
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }
    rows = measured()
    page.write("cpu", about, rows)
    print(page.table(rows))


if __name__ == "__main__":
    main()
