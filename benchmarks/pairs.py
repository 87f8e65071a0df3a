"""Time pair scoring: the critic against one padded call per batch of pairs, and one whole context.

OMP_NUM_THREADS=2 python benchmarks/pairs.py
"""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import torch
from impossible.config.params import Params
from impossible.filtering.constituency_parser import load_parser
from impossible.filtering.pair_scores import score_context
from impossible.filtering.thresholds import Thresholds
from impossible.models.loading import LanguageModel
from impossible.models.nli import EntailmentCritic
from impossible.world import recipes
from transformers import RobertaConfig, RobertaForSequenceClassification

LABELS = {0: "contradiction", 1: "entailment", 2: "neutral"}


def random_critic(texts: list[str]) -> LanguageModel:
    """A RoBERTa of about 3M weights with the in-vitro tokenizer and random weights."""
    tokenizer = recipes.train_tokenizer(texts, "roberta")
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        num_hidden_layers=4,
        num_attention_heads=6,
        intermediate_size=768,
        max_position_embeddings=260,
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
        id2label=LABELS,
    )
    torch.manual_seed(0)
    model = RobertaForSequenceClassification(config).to(torch.bfloat16).eval()
    return LanguageModel(model, tokenizer, "random", "")


def padded(lm: LanguageModel, pairs: list[tuple[str, str]], size: int = 64) -> float:
    """Seconds of the usual way: tokenizer on pairs, padding, mask, batches in the order given."""
    start = time.perf_counter()
    for i in range(0, len(pairs), size):
        batch = lm.tokenizer(
            [x for x, _ in pairs[i : i + size]],
            [y for _, y in pairs[i : i + size]],
            padding=True,
            return_tensors="pt",
            return_token_type_ids=False,
        )
        with torch.inference_mode():
            lm.model(**batch).logits.float().softmax(-1)
    return time.perf_counter() - start


def main() -> None:
    """Print pairs per second of both ways, and seconds per context."""
    texts = [document.text for document in recipes.documents(400)]
    sentences = [text.split(". ")[1] + "." for text in texts if text.count(". ") > 1][:100]
    lm = random_critic(texts)
    critic = EntailmentCritic(lm)
    pairs = [(x, y) for x in sentences for y in sentences if x != y][:4000]
    critic.probabilities(pairs[:100])
    start = time.perf_counter()
    critic.probabilities(pairs)
    ours = time.perf_counter() - start
    theirs = padded(lm, pairs)
    weights = sum(w.numel() for w in lm.model.parameters()) / 1e6
    print(f"critic of {weights:.1f}M weights: {len(pairs) / ours:.0f} pairs/s")
    print(f"padded: {len(pairs) / theirs:.0f} pairs/s; ours is {theirs / ours:.1f} x as fast")
    params = Params(entailment_floor=0.34, entailment_threshold=0.34)
    models = SimpleNamespace(critic=critic, parser=load_parser("grammar"))
    start = time.perf_counter()
    scored, _ = score_context("c", sentences, models, Thresholds.paraphrase(params))
    near = int(np.isfinite(scored["ted_lower"]).sum())
    print(
        f"one context of {len(sentences)} sentences: {time.perf_counter() - start:.1f} s, "
        f"{len(scored)} ordered pairs scored, {near} with tree bounds"
    )


if __name__ == "__main__":
    main()
