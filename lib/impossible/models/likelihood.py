"""How probable a language model finds a sentence after a context."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from impossible.errors import ModelError
from impossible.models.batching import Ids, as_memory_allows, by_length, padded, token_ids
from impossible.models.loading import LanguageModel

Nats = NDArray[np.float64]
_BATCH_TOKENS = 2048  # in one forward pass: each has a line of logits


def surprise(lm: LanguageModel, contexts: Sequence[str], sentences: Sequence[str]) -> pd.DataFrame:
    """Negative log-likelihood of each sentence given its context.

    Args:
        lm: the language model.
        contexts: texts before the sentences, not empty (a prefix at least).
        sentences: one for each context; a space is put between.

    Returns:
        nats (sum over the sentence's tokens) and tokens (their number), in the given order.

    Raises:
        ModelError: a context is empty, or longer than the context length with its sentence.
    """
    starts = [len(ids) for ids in token_ids(lm.tokenizer, list(contexts), True)]
    whole = [f"{c} {s}" for c, s in zip(contexts, sentences, strict=True)]
    rows = token_ids(lm.tokenizer, whole, True)
    if min(starts, default=1) == 0 or max(map(len, rows), default=0) > lm.window:
        raise ModelError(
            f"a context is empty or with its sentence longer than the window of {lm.window} tokens "
            f"of {lm.name!r}; give every sentence a context that fits"
        )
    counts = [len(row) - start for row, start in zip(rows, starts, strict=True)]
    return pd.DataFrame({"nats": nats_after(lm, rows, starts), "tokens": counts})


def perplexity(lm: LanguageModel, rows: Sequence[Ids]) -> float:
    """How many tokens the model wavers between: e to the mean surprise (nats) at each.

    Args:
        lm: the language model.
        rows: token ids of pieces of text, each of 2 to `lm.window` tokens; the first of a piece,
            before which nothing stands, does not count.
    """
    nats = nats_after(lm, rows, [1] * len(rows))
    return float(np.exp(nats.sum() / sum(len(row) - 1 for row in rows)))


@torch.inference_mode()
def nats_after(lm: LanguageModel, rows: Sequence[Ids], starts: Sequence[int]) -> Nats:
    """Negative log-likelihood of each row's tokens from its start on, which is at least 1."""

    def read(chosen: list[int]) -> Tensor:
        # right padding is never seen by a causal model
        ids = padded([rows[i] for i in chosen], 0).to(lm.device)
        logits = lm.model(input_ids=ids).logits[:, :-1].float()  # (b, length - 1, vocabulary)
        return functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")

    nats = np.zeros(len(rows))
    for chosen, losses in as_memory_allows(by_length(rows, _BATCH_TOKENS), read):
        for line, i in zip(losses, chosen, strict=True):
            nats[i] = float(line[starts[i] - 1 : len(rows[i]) - 1].double().sum())
    return nats
