"""What small models learn before their task, where span corruption or labels alone take too long.

A cross-encoder: restoring masked words, finding shared ones. An encoder-decoder: denoising.

From random weights, or from single sentences, it does not find out within minutes that it must
align the two sentences of a pair. Both tasks here give every word of a pair something to learn from
the other sentence; the label of a pair gives one bit or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import DataCollatorForSeq2Seq

from impossible.errors import DataError
from impossible.models.batching import IGNORE, Ids, mask_of, mean_pool, padded, token_ids
from impossible.text.word_edits import replace_synonyms, synonym_table
from impossible.training.trainer import History, TrainingExample, TrainingSettings, train_model

MASKED = 0.3  # fraction of tokens masked: twice BERT's, for texts that are short


def train_span_corruption(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    settings: TrainingSettings,
    dev: Sequence[str] = (),
    density: float = 0.15,
) -> History:
    """Pretrain an encoder-decoder as T5: restore masked spans (Raffel et al. 2020, §3.1.4).

    A fraction `density` of the tokens is masked. A DataError without texts or sentinels.
    """
    sentinels = sentinel_ids(tokenizer)

    def encode(given: Sequence[str]) -> list[TrainingExample]:
        rng, end = np.random.default_rng(settings.seed), tokenizer.eos_token_id
        rows = token_ids(tokenizer, given, False, 512)
        parts = [span_corruption(row, rng, sentinels, density) for row in rows]
        return [{"input_ids": [*x, end], "labels": [*y, end]} for x, y in parts]

    return train_model(
        model, encode(texts), DataCollatorForSeq2Seq(tokenizer), settings, encode(dev)
    )


def train_encoder(
    model: Any,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    settings: TrainingSettings,
    dev: Sequence[tuple[str, str]] = (),
) -> History:
    """Train a sentence encoder so that the two texts of a pair lie close (Gao et al. 2021, SimCSE).

    Every other second text of the batch is a negative. Pairs (x, x) give the unsupervised variant:
    dropout makes the two embeddings differ.
    """

    def encode(given: Sequence[tuple[str, str]]) -> list[TrainingExample]:
        xs, ys = (token_ids(tokenizer, [pair[side] for pair in given], True) for side in (0, 1))
        return [{"input_ids": x, "other": y} for x, y in zip(xs, ys, strict=True)]

    def collate(chosen: Sequence[TrainingExample]) -> dict[str, Tensor]:
        rows = [each[side] for side in ("input_ids", "other") for each in chosen]  # all x, all y
        return {
            "input_ids": padded(rows, tokenizer.pad_token_id), "attention_mask": mask_of(rows)
        }  # fmt: skip

    def loss(encoder: Any, batch: dict[str, Tensor]) -> Tensor:
        hidden = encoder(**batch).last_hidden_state  # (2b, length, d)
        x, y = mean_pool(hidden, batch["attention_mask"]).chunk(2)  # (b, d) each
        cosines = x @ y.T / 0.05  # (b, b), at the temperature of SimCSE
        return functional.cross_entropy(cosines, torch.arange(len(x), device=cosines.device))

    return train_model(model, encode(pairs), collate, settings, encode(dev), loss=loss)


def train_masked_lm(
    model: Any, tokenizer: Any, texts: Sequence[tuple[str, str]], settings: TrainingSettings
) -> History:
    """Train an encoder (`RobertaForMaskedLM`) to restore masked tokens of pairs of texts."""
    special, rng = set(tokenizer.all_special_ids), np.random.default_rng(settings.seed)

    def masked(row: list[int]) -> TrainingExample:
        drawn = zip(rng.random(len(row)), row, strict=True)
        hidden = [u < MASKED and t not in special for u, t in drawn]
        pairs = list(zip(row, hidden, strict=True))
        return {
            "input_ids": [tokenizer.mask_token_id if h else t for t, h in pairs],
            "labels": [t if h else IGNORE for t, h in pairs],
        }

    examples = [masked(row) for row in token_ids(tokenizer, texts, True)]
    return train_model(
        model, examples, DataCollatorForSeq2Seq(tokenizer), settings, loss=_masked_loss
    )


def _masked_loss(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """Cross-entropy at the masked positions; the vocabulary is only computed there."""
    labels = batch["labels"]
    hidden = model.base_model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
    ).last_hidden_state  # (b, length, d)
    logits = model.lm_head(hidden[labels != IGNORE])  # (masked, vocabulary)
    return functional.cross_entropy(logits.float(), labels[labels != IGNORE])


def train_shared_words(
    model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]], settings: TrainingSettings
) -> History:
    """Train a token classifier to tell which tokens of a pair occur in the other sentence too."""
    rows = token_ids(tokenizer, pairs, True)
    xs, ys = (token_ids(tokenizer, [pair[side] for pair in pairs], False) for side in (0, 1))
    common = [set(x) & set(y) for x, y in zip(xs, ys, strict=True)]
    examples = [
        {"input_ids": row, "labels": [int(token in both) for token in row]}
        for row, both in zip(rows, common, strict=True)
    ]
    return train_model(model, examples, DataCollatorForSeq2Seq(tokenizer), settings)


def denoising_pairs(
    texts: Sequence[str], seed: int = 0, entries: Sequence[Sequence[str]] = (), rate: float = 0.3
) -> list[tuple[str, str]]:
    """Damaged texts with the whole text as target, half by each of two objectives of the T5 paper.

    Up to three spans are masked ("BERT-style"), or the words in random order ("deshuffling"; Raffel
    et al. 2020, section 3.3.1). Span corruption asks for the missing words only, so that copying,
    which a rewriting student needs most, is seldom trained; here every word of the target is.

    Args:
        entries: groups of synonyms; with them, words are exchanged for synonyms before the damage
            (the noise of Hegde and Patil 2020, "Corruption" in the paper's Table 8).
        rate: share of the wordings in `entries` that are exchanged, perhaps for themselves, [0, 1];
            a third, so that most of a sentence stays a matter of copying. A wording before a comma
            is left alone.
    """
    rng = np.random.default_rng(seed)
    synonyms = synonym_table(entries)
    pairs = []
    for text in texts:
        words = replace_synonyms(text, synonyms, rng, rate) if synonyms else text.split()
        if rng.random() < 0.5:
            damaged = [words[i] for i in rng.permutation(len(words))]
        else:
            damaged = list(words)
            for mark in range(3):
                start, size = int(rng.integers(len(words))), int(rng.integers(1, 4))
                damaged[start : start + size] = [f"<extra_id_{mark}>"]
        pairs.append((" ".join(damaged), text))
    return pairs


def cloze_pairs(entries: Sequence[Sequence[str]], n: int, seed: int = 0) -> list[tuple[str, str]]:
    """Lists of synonyms with blanks, and the lists without: how a book of words is read.

    An entry of two or more wordings stands in random order, one wording or more masked. All blanks
    carry the same mark, and adjacent blanks are one: ("theater", "playhouse") may give
    ("<extra_id_0>, theater", "playhouse, theater").
    """
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(n):
        entry = entries[int(rng.integers(len(entries)))]
        order = [entry[i] for i in rng.permutation(len(entry))]
        hidden = set(rng.permutation(len(order))[: int(rng.integers(1, len(order)))].tolist())
        shown = ["" if i in hidden else word for i, word in enumerate(order)]
        blanks = [w for i, w in enumerate(shown) if w or not i or shown[i - 1]]
        pairs.append((", ".join(w or "<extra_id_0>" for w in blanks), ", ".join(order)))
    return pairs


def span_corruption(
    ids: Ids, rng: np.random.Generator, sentinels: Ids, density: float = 0.15
) -> tuple[list[int], list[int]]:
    """Replace random spans of about three by sentinels: (ids with sentinels, sentinels with spans).

    The number of masked tokens and of spans is fixed by the length, as in T5; where they lie is
    random. Spans never touch and the text never starts with one: ids [5, 6, 7, 8] might give
    ([5, 6, s0, 8], [s0, 7, s1]).
    """
    n = len(ids)
    if n < 2:
        return list(ids), [sentinels[0]]
    noise = min(max(round(n * density), 1), n - 1)
    spans = min(max(round(noise / 3), 1), noise, n - noise, len(sentinels) - 1)
    masked = _composition(noise, spans, rng)
    kept = _composition(n - noise, spans, rng)
    source: list[int] = []
    target: list[int] = []
    at = 0
    for i, (keep, mask) in enumerate(zip(kept, masked, strict=True)):
        source += [*ids[at : at + keep], sentinels[i]]
        target += [sentinels[i], *ids[at + keep : at + keep + mask]]
        at += keep + mask
    return source, [*target, sentinels[spans]]


def _composition(total: int, parts: int, rng: np.random.Generator) -> list[int]:
    """`total` as a sum of `parts` positive numbers, each way equally likely."""
    cuts: Any = np.sort(rng.choice(total - 1, parts - 1, replace=False)) + 1 if parts > 1 else ()
    return [int(size) for size in np.diff([0, *cuts, total])]


def sentinel_ids(tokenizer: Any) -> list[int]:
    """Ids of <extra_id_0>, <extra_id_1>, …; a DataError if there are none."""
    vocabulary = tokenizer.get_vocab()
    found = [vocabulary[name] for i in range(100) if (name := f"<extra_id_{i}>") in vocabulary]
    if len(found) < 2:
        raise DataError(
            "span corruption needs sentinel tokens <extra_id_0>, <extra_id_1>, … in the tokenizer; "
            f"found {len(found)}"
        )
    return found
