"""The pipeline's expensive steps on the real English models, beside what a user would use instead.

    python benchmarks/english.py         # minutes on 2 cores; nothing else should run

All rows are measured in one process, one after the other, with the same threads. Written are
results/benchmarks/DEVICE.json, a table (.md) and a picture (.png). CTranslate2 and
sentence-transformers take part where they are installed; their absence is said in the table.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import metrics
import numpy as np
import pandas as pd
import torch
from impossible.config.params import Params
from impossible.models.causal_generation import sample_continuations, text_rules
from impossible.models.loading import LanguageModel, load_critic, load_teacher
from impossible.models.nli import EntailmentCritic
from impossible.models.nucleus_sampling import Nucleus
from impossible.text import tree_edit_distance
from impossible.text.rouge import rouge_l_matrix
from impossible.training.student import Student, load_student
from impossible.training.student_training import train_student
from impossible.training.trainer import TrainingSettings
from rouge_score.rouge_scorer import RougeScorer
from transformers import Trainer, TrainingArguments

ROOT = Path(__file__).resolve().parents[1]
PARAMS = Params.load("english")
CONTEXT = (
    "London (Reuters) -- The British government said on Monday that it would raise taxes on fuel. "
    "The decision was met with protests in several cities. Ministers met for talks."
)
K, CANDIDATES, NEW = 100, 10, 60


@dataclass
class Row:
    """One comparison: `ours` and each peer in the same unit, more is better."""

    what: str
    unit: str
    ours: float
    peers: dict[str, float] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def limit() -> float:
    """Floating-point operations per second of a large bfloat16 matrix product."""
    a = torch.randn(2048, 2048, dtype=torch.bfloat16)
    a @ a
    return 5 * 2 * 2048**3 / seconds(lambda: [a @ a for _ in range(5)])


def sampling(lm: LanguageModel, flops: float) -> list[Row]:
    """k first sentences after one context; the share of the limit counts 2 FLOP a weight."""
    nucleus = Nucleus(PARAMS.sentence_top_p, PARAMS.sentence_temperature)
    rules, lengths = text_rules(lm, PARAMS.domains[0].banned), list[int]()

    def ours() -> None:
        uniforms = np.random.default_rng(len(lengths)).random((K, NEW))
        texts = sample_continuations(lm, CONTEXT, uniforms, nucleus, rules)
        lengths.append(sum(len(lm.tokenizer(text).input_ids) for text in texts))

    ours()  # warm
    took = sum(seconds(ours) for _ in range(3))
    batch = lm.tokenizer([CONTEXT], return_tensors="pt")
    how: dict[str, Any] = {
        "do_sample": True, "top_k": 0, "top_p": nucleus.top_p, "temperature": nucleus.temperature,
        "num_return_sequences": K, "pad_token_id": lm.tokenizer.eos_token_id,
    }  # fmt: skip
    stop = {"stop_strings": [". ", "? ", "! "], "tokenizer": lm.tokenizer}
    peers = {
        "transformers.generate, same stop": K
        / seconds(lambda: lm.model.generate(**batch, **how, **stop, max_new_tokens=NEW)),
        "the authors' recipe, 100 new tokens": K
        / seconds(lambda: lm.model.generate(**batch, **how, max_new_tokens=100)),
    }
    absent = []
    if importlib.util.find_spec("ctranslate2"):
        library: Any = importlib.import_module("ctranslate2")
        known = library.get_supported_compute_types("cpu")
        for kind in [name for name in ("bfloat16", "float32", "int8") if name in known]:
            peers[f"CTranslate2, {kind}"] = K / ctranslate2_seconds(library, lm, kind, nucleus)
    else:
        absent.append("CTranslate2")
    weights = sum(w.numel() for w in lm.model.parameters())
    tokens = sum(lengths[1:]) / took
    return [
        Row("first sentences, k = 100", "sentences/s", 3 * K / took, peers, absent),
        Row("the same as tokens", "tokens/s", tokens, {"limit of the cores": flops / 2 / weights}),
    ]


def ctranslate2_seconds(library: Any, lm: LanguageModel, kind: str, nucleus: Nucleus) -> float:
    """Seconds for k samples that stop at the first end mark."""
    with tempfile.TemporaryDirectory() as folder:
        lm.model.save_pretrained(f"{folder}/hf")
        lm.tokenizer.save_pretrained(f"{folder}/hf")
        converter = library.converters.TransformersConverter(f"{folder}/hf")
        converter.convert(f"{folder}/ct2", quantization=kind)
        model = library.Generator(
            f"{folder}/ct2", compute_type=kind, intra_threads=torch.get_num_threads()
        )
        start = lm.tokenizer.convert_ids_to_tokens(lm.tokenizer(CONTEXT).input_ids)
        how = {
            "max_length": NEW, "sampling_topk": 0, "sampling_topp": nucleus.top_p,
            "sampling_temperature": nucleus.temperature, "include_prompt_in_result": False,
            "end_token": [".", "?", "!"], "max_batch_size": K,
        }  # fmt: skip
        model.generate_batch([start] * 2, **how)
        return seconds(lambda: model.generate_batch([start] * K, **how))


def candidates(student: Student, sources: Sequence[str]) -> Row:
    """Candidates of short inputs, n = 10 each."""

    def ours() -> None:
        student.generate(sources, CANDIDATES, 0.8, 0.9, 0, NEW)

    def theirs() -> None:
        prompts = student.prompts(sources)
        batch = student.tokenizer.pad(
            {"input_ids": prompts}, padding_side="left", return_tensors="pt"
        )
        student.model.generate(
            **batch, do_sample=True, top_k=0, top_p=0.9, temperature=0.8, max_new_tokens=NEW,
            num_return_sequences=CANDIDATES, pad_token_id=student.tokenizer.pad_token_id,
            eos_token_id=sorted(student.ends()),
        )  # fmt: skip

    n = len(sources) * CANDIDATES
    peers = {"transformers.generate": n / seconds(theirs)}
    return Row("a student's candidates, n = 10", "texts/s", n / seconds(ours), peers)


def training(pairs: Sequence[tuple[str, str]], flops: float) -> Row:
    """Tokens a second of LoRA training; the limit counts 4 FLOP a weight (no weight gradients)."""
    settings = TrainingSettings(steps=4, batch_size=16)
    tokens = 0

    def one(trainer: Callable[[Student], object]) -> float:
        nonlocal tokens
        student = load_student(PARAMS.student_base, dtype="float32")
        tokens = sum(len(row["input_ids"]) for row in student.encode(pairs))
        return seconds(lambda: trainer(student))

    def ours(student: Student) -> None:
        train_student(student, pairs, [], settings, adapter_rank=PARAMS.student_adapter_rank)

    def theirs(student: Student) -> None:
        import peft

        config = peft.LoraConfig(r=PARAMS.student_adapter_rank, target_modules="all-linear")
        model = peft.get_peft_model(student.model, config)
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder, per_device_train_batch_size=16, max_steps=4, report_to=[],
                save_strategy="no", disable_tqdm=True, use_cpu=True, remove_unused_columns=False,
            )  # fmt: skip
            Trainer(
                model, arguments, data_collator=student.collate,
                train_dataset=student.encode(pairs),
            ).train()  # fmt: skip

    mine, other = one(ours), one(theirs)
    peers = {"Trainer as it comes": tokens / other, "limit of the cores": flops / 4 / 134.5e6}
    return Row("training with LoRA", "tokens/s", tokens / mine, peers)


def judging(pairs: Sequence[tuple[str, str]]) -> Row:
    """Pairs a second of the NLI critic."""
    critic = EntailmentCritic(load_critic(PARAMS.critic), PARAMS.batch_tokens)
    lm32 = load_critic(PARAMS.critic, dtype="float32")

    def released() -> None:
        for i in range(0, len(pairs), 32):
            xs, ys = zip(*pairs[i : i + 32], strict=True)
            batch = lm32.tokenizer(list(xs), list(ys), padding=True, return_tensors="pt")
            with torch.inference_mode():
                lm32.model(input_ids=batch.input_ids, attention_mask=batch.attention_mask)

    peers, absent = {"padded batches as they come, float32": len(pairs) / seconds(released)}, []
    if importlib.util.find_spec("sentence_transformers"):
        library: Any = importlib.import_module("sentence_transformers")
        with tempfile.TemporaryDirectory() as folder:
            lm32.model.save_pretrained(folder)
            lm32.tokenizer.save_pretrained(folder)
            encoder = library.CrossEncoder(folder)
            peers["CrossEncoder.predict"] = len(pairs) / seconds(lambda: encoder.predict(pairs))
    else:
        absent.append("sentence-transformers")
    critic.probabilities(pairs[:32])
    ours = len(pairs) / seconds(lambda: critic.probabilities(pairs))
    return Row("NLI critic", "pairs/s", ours, peers, absent)


def commands() -> list[Row]:
    """Start-up times, and `score` of 100,000 lines; seconds turned into calls a second."""
    rows = []
    for what, code in {
        "import impossible": [sys.executable, "-c", "import impossible"],
        "impossible --help": [sys.executable, "-m", "impossible.cli", "--help"],
    }.items():
        call = partial(subprocess.run, code, capture_output=True)
        took = min(seconds(call) for _ in range(3))
        rows.append(Row(what, "calls/s", 1 / took))
    with tempfile.TemporaryDirectory() as folder:
        file, n = Path(folder, "in.jsonl"), 100_000
        rng = np.random.default_rng(0)
        words = np.array([f"w{i}" for i in range(3000)])
        with file.open("w") as out:
            for _ in range(n):
                x, y = (" ".join(rng.choice(words, 20)) for _ in range(2))
                out.write(json.dumps({"source": x, "output": y, "references": [x]}) + "\n")
        code = [sys.executable, "-m", "impossible.cli", "score", str(file)]
        took = seconds(lambda: subprocess.run(code, capture_output=True, check=True))
        rows.append(Row("impossible score", "lines/s", n / took))
    return rows


def kernels() -> list[Row]:
    """ROUGE-L of all pairs and tree edit distance at the threshold (`metrics.py`)."""
    texts = [metrics.sentence() for _ in range(100)]
    n = 100 * 99 / 2
    some, scorer = texts[:15], RougeScorer(["rougeL"])
    few = list(combinations(some, 2))
    theirs = len(few) / seconds(lambda: [scorer.score(x, y) for x, y in few])
    ours = n / metrics.seconds(lambda: rouge_l_matrix(texts))
    rows = [Row("ROUGE-L of all pairs", "pairs/s", ours, {"rouge-score": theirs})]
    trees = [p for group in metrics.context_trees() for p in combinations(group, 2)]
    smallest = metrics.TED_MIN
    metrics.clear()
    ours = seconds(lambda: [tree_edit_distance.at_least(a, b, smallest) for a, b in trees])
    metrics.clear()
    theirs = seconds(lambda: [tree_edit_distance.ted(a, b) for a, b in trees])
    peers = {"apted on all pairs": len(trees) / theirs}
    return [*rows, Row("tree edit distance ≥ 12?", "pairs/s", len(trees) / ours, peers)]


def measured() -> list[Row]:
    """Every row, in order."""
    flops = limit()
    teacher = load_teacher(PARAMS.teacher)
    rows = [Row("bfloat16 matrix product", "GFLOP/s", flops / 1e9), *sampling(teacher, flops)]
    data = pd.read_parquet(ROOT / "results/english/data/dataset_teacher.parquet")
    pairs = list(zip(data["source"], data["target"], strict=True))[:64]
    rows.append(candidates(load_student(PARAMS.student_base), [x for x, _ in pairs[:16]]))
    rows.append(training(pairs, flops))
    rows.append(judging([(x, y) for x, _ in pairs[:16] for _, y in pairs[16:32]]))
    return [*rows, *kernels(), *commands()]


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| what | unit | here | beside | ratio |", "|---|---|---|---|---|"]
    for row in rows:
        for name, value in (row.peers or {"": math.nan}).items():
            beside = f"{name}: {value:,.3g}" if name else "–"
            ratio = f"{row.ours / value:.3g}" if name else "–"
            lines.append(f"| {row.what} | {row.unit} | {row.ours:,.3g} | {beside} | {ratio} |")
        lines += [f"| {row.what} | | | {name}: not installed | – |" for name in row.absent]
    return "\n".join(lines) + "\n"


def picture(rows: Sequence[Row]) -> Any:
    """Ratios on a logarithmic axis; 1 is the peer."""
    dots = [
        (f"{row.what} / {name}", row.ours / value)
        for row in rows for name, value in row.peers.items()
    ][::-1]  # fmt: skip
    figure, axes = plt.subplots(figsize=(6.8, 0.3 * len(dots) + 0.8), layout="constrained")
    axes.plot([ratio for _, ratio in dots], range(len(dots)), "o", color="#0072B2")
    axes.axvline(1, color="0.6", linewidth=1)
    axes.set(xscale="log", xlabel="times as fast as what is named second")
    axes.set_yticks(range(len(dots)), [name for name, _ in dots], fontsize=7)
    return figure


def main() -> None:
    """Measure everything and write it."""
    out, name = ROOT / "results" / "benchmarks", "gpu" if torch.cuda.is_available() else "cpu"
    out.mkdir(parents=True, exist_ok=True)
    rows = measured()
    about = {
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }
    text = json.dumps({"machine": about, "rows": [asdict(row) for row in rows]}, indent=1)
    (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    (out / f"{name}.md").write_text(table(rows), encoding="utf-8")
    picture(rows).savefig(out / f"{name}.png", dpi=150)
    print(table(rows))


if __name__ == "__main__":
    main()
