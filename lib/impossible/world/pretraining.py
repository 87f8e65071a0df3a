"""What small models learn before their task, where span corruption or labels alone take too long.

A cross-encoder: restoring masked words, finding shared ones. An encoder-decoder: denoising.

From random weights, or from single sentences, it does not find out within minutes that it must
align the two sentences of a pair. Both tasks here give every word of a pair something to learn from
the other sentence; the label of a pair gives one bit or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from impossible.models.batching import IGNORE, Collate, mask_of, padded, token_ids
from impossible.text.word_edits import replace_synonyms, synonym_table
from impossible.training.loop import Batch, History, TrainingSettings
from impossible.training.objectives import model_loss, train_task


def train_masked_lm(
    model: nn.Module,
    tokenizer: Any,
    texts: Sequence[str] | Sequence[tuple[str, str]],
    settings: TrainingSettings,
    batch_size: int = 64,
    dev: Sequence[str] | Sequence[tuple[str, str]] = (),
    checkpoint: Path | None = None,
    density: float = 0.3,
) -> History:
    """Train an encoder to restore masked tokens.

    Args:
        model: such as `RobertaForMaskedLM`.
        tokenizer: its fast tokenizer, with a mask token.
        texts: texts or pairs of texts.
        settings: see `TrainingSettings`.
        batch_size: texts per step.
        dev: texts for early stopping; none → no early stopping.
        checkpoint: file for resuming.
        density: share of tokens masked, (0, 1); twice BERT's, for texts that are short.

    Raises:
        DataError: no texts.
    """
    special = set(tokenizer.all_special_ids)

    def task(chosen_texts: Sequence[Any]) -> tuple[list[int], Collate]:
        rows = token_ids(tokenizer, chosen_texts, True)

        def collate(chosen: Sequence[int], epoch: int) -> Batch:
            masked, labels = [], []
            for i in chosen:
                drawn = np.random.default_rng([settings.seed, epoch, i]).random(len(rows[i]))
                hidden = [
                    u < density and t not in special for u, t in zip(drawn, rows[i], strict=True)
                ]
                pairs = list(zip(rows[i], hidden, strict=True))
                masked.append([tokenizer.mask_token_id if h else t for t, h in pairs])
                labels.append([t if h else IGNORE for t, h in pairs])
            return {
                "input_ids": padded(masked, tokenizer.pad_token_id),
                "attention_mask": mask_of(masked),
                "labels": padded(labels, IGNORE),
            }

        return [len(row) for row in rows], collate

    return train_task(model, task, texts, dev, _loss, settings, batch_size, checkpoint)


def _loss(model: Any, batch: Batch) -> Tensor:
    """Cross-entropy at the masked positions; the vocabulary is only computed there."""
    labels = batch["labels"]
    hidden = model.base_model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
    ).last_hidden_state  # (b, length, d)
    logits = model.lm_head(hidden[labels != IGNORE])  # (masked, vocabulary)
    return functional.cross_entropy(logits.float(), labels[labels != IGNORE])


def train_shared_words(
    model: nn.Module,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    settings: TrainingSettings,
    batch_size: int = 64,
) -> History:
    """Train an encoder to tell which tokens of a pair occur in the other sentence too.

    Args:
        model: a token classifier with two labels, such as `RobertaForTokenClassification`.
        tokenizer: its fast tokenizer.
        pairs: pairs of texts.
        settings: see `TrainingSettings`.
        batch_size: pairs per step.

    Raises:
        DataError: no pairs.
    """

    def task(chosen_pairs: Sequence[Any]) -> tuple[list[int], Collate]:
        rows = token_ids(tokenizer, chosen_pairs, True)
        sides = [token_ids(tokenizer, [pair[i] for pair in chosen_pairs], False) for i in (0, 1)]

        def collate(chosen: Sequence[int], epoch: int) -> Batch:
            picked = [rows[i] for i in chosen]
            common = [set(sides[0][i]) & set(sides[1][i]) for i in chosen]
            labels = [
                [int(token in shared) for token in row]
                for row, shared in zip(picked, common, strict=True)
            ]
            return {
                "input_ids": padded(picked, tokenizer.pad_token_id),
                "attention_mask": mask_of(picked),
                "labels": padded(labels, IGNORE),
            }

        return [len(row) for row in rows], collate

    return train_task(model, task, pairs, (), model_loss, settings, batch_size, None)


def denoising_pairs(
    texts: Sequence[str], seed: int = 0, entries: Sequence[Sequence[str]] = (), rate: float = 0.3
) -> list[tuple[str, str]]:
    """Damaged texts with the whole text as target, half by each of two objectives of the T5 paper.

    Span corruption asks for the missing words only, so that copying, which a rewriting student
    needs most, is seldom trained; here every word of the target is.

    Args:
        texts: sentences.
        seed: of the damage.
        entries: groups of synonyms; with them, words are exchanged for synonyms before the damage
            (the noise of Hegde and Patil 2020, "Corruption" in the paper's Table 8).
        rate: share of the wordings in `entries` that are exchanged, perhaps for themselves, [0, 1];
            a third, so that most of a sentence stays a matter of copying. A wording before a comma
            is left alone.

    Returns:
        (damaged, text): up to three spans masked ("BERT-style"), or the words in random order
        ("deshuffling"); Raffel et al. 2020, section 3.3.1.
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

    Args:
        entries: wordings of one thing, two or more each.
        n: pairs.
        seed: of the choice of entries, of the order of an entry's wordings and of the blanks.

    Returns:
        (entry in random order with one wording or more masked, the same without blanks); all
        blanks carry the same mark, and adjacent blanks are one.

    Example:
        ("theater", "playhouse") may give ("<extra_id_0>, theater", "playhouse, theater").
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
